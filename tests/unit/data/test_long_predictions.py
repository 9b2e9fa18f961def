from __future__ import annotations

import pandas as pd
import pytest

from auditor.data import open_source

TABLES = {"model": {"predictions": "base"}, "compression": [{"predictions": "int8", "name": "int8"}]}
LONG = {"example": "image", "variant": "build", "member": "seed", "decision": "said"}


@pytest.fixture
def people():
    return pd.DataFrame({"image": ["c", "a", "b"], "label": ["no", "yes", "yes"], "sex": ["f", "m", "f"]})


@pytest.fixture
def log(people):
    """Two members a variant, shuffled; members 2 and 10, whose decisions differ."""
    decided = {
        ("base", 10): ["no", "yes", "yes"],
        ("base", 2): ["no", "no", "yes"],
        ("int8", 10): ["yes", "yes", "yes"],
        ("int8", 2): ["no", "no", "no"],
        ("draft", 2): ["no", "no", "no"],
    }
    parts = [people.assign(build=build, seed=seed, said=said) for (build, seed), said in decided.items()]
    return pd.concat(parts).iloc[::-1].reset_index(drop=True)


@pytest.fixture
def opened(tmp_path, make_spec):
    def make(log, people=None, tables=TABLES, long=LONG, **data):
        log.to_csv(tmp_path / "log.csv", index=False)
        declared = {"source": "predictions", "path": "log.csv", "label": "label", "long": long} | data
        if people is not None:
            people.to_parquet(tmp_path / "people.parquet", index=False)
            declared |= {"path": "people.parquet", "predictions": ["log.csv"]}
        return open_source(make_spec(declared, ["sex"], **tables), tmp_path)

    return make


def test_a_log_with_labels_is_examples_members_and_decisions(opened, log):
    source = opened(log)
    dataset = source.load()
    assert dataset.examples == ("b", "a", "c")
    assert dataset.attributes == {"sex": ("f", "m", "f")}
    assert dataset.labels.tolist() == [1, 1, 0]
    given = source.members("base")
    assert given.members == ("2", "10")
    assert given.decisions.tolist() == [[1, 0, 0], [1, 1, 0]]
    assert source.members("int8").decisions.tolist() == [[0, 0, 0], [1, 1, 1]]


def test_examples_may_stand_in_a_table_of_their_own(opened, log, people):
    source = opened(log[["image", "build", "seed", "said"]], people)
    dataset = source.load()
    assert dataset.examples == ("c", "a", "b")
    assert dataset.labels.tolist() == [0, 1, 1]
    assert source.members("base").decisions.tolist() == [[0, 0, 1], [0, 1, 1]]


def test_without_a_column_of_members_every_variant_is_one_model(opened, log):
    alone = log[log["seed"] == 2]
    given = opened(alone, long={**LONG, "member": None}).members("base")
    assert (given.members, given.decisions.tolist()) == (("",), [[1, 0, 0]])


def test_a_log_of_probabilities_has_a_threshold(opened, log):
    log = log.assign(p=(log["said"] == "yes") * 0.5)
    long = {"example": "image", "variant": "build", "member": "seed", "probability": "p"}
    given = opened(log, long=long, positive="yes", threshold=0.5).members("base")
    assert given.decisions.tolist() == [[1, 0, 0], [1, 1, 0]]
    assert given.probabilities[0].tolist() == [[0.5, 0.5], [1, 0], [1, 0]]


def test_a_log_of_several_classes_has_a_column_a_class(opened, log):
    yes = (log["said"] == "yes") * 1.0
    long = {"example": "image", "variant": "build", "member": "seed", "probability": "p_{class}"}
    given = opened(log.assign(p_yes=yes, p_no=1 - yes), long=long).members("base")
    assert given.decisions.tolist() == [[1, 0, 0], [1, 1, 0]]
    assert given.probabilities[0].tolist() == [[0, 1], [1, 0], [1, 0]]


def test_examples_that_a_member_lacks_are_named(opened, log, complaint):
    left = log[~((log["build"] == "int8") & (log["seed"] == 10) & (log["image"] == "a"))]
    assert 'variant int8, member 10: no row for example "a"' in complaint(opened(left).load)


def test_rows_that_stand_twice_are_named(opened, log, complaint):
    twice = pd.concat([log, log[(log["build"] == "base") & (log["image"] == "c")]])
    text = complaint(opened(twice).load)
    for member in (2, 10):
        assert f'variant base, member {member}: more than one row for example "c"' in text


def test_examples_that_are_unknown_are_named(opened, log, people, complaint):
    text = complaint(opened(log, people[people["image"] != "b"]).load)
    assert 'variant base, member 2: not in people.parquet: example "b"' in text
    assert text.count("not in people.parquet") == 4


def test_labels_that_differ_within_an_example_are_errors(opened, log, complaint):
    log.loc[(log["image"] == "b") & (log["build"] == "int8"), "label"] = "no"
    log.loc[(log["image"] == "a") & (log["build"] == "base") & (log["seed"] == 2), "sex"] = None
    text = complaint(opened(log).load)
    assert 'data.label, column label: differs within example "b"' in text
    assert 'attribute sex, column sex: differs within example "a"' in text


def test_a_variant_without_rows_is_an_error_with_the_nearest(opened, log, complaint):
    text = complaint(opened(log.replace({"build": {"int8": "int_8"}})).load)
    assert 'column build: no row is of "int8"\n    Did you mean "int_8"?' in text


def test_missing_columns_and_names_are_told(opened, log, complaint):
    text = complaint(opened(log.rename(columns={"seed": "seeds", "said": "say"})).load)
    assert 'data.long.member: there is no column "seed"' in text
    assert 'data.long: said: there is no column "said"' in text
    log["build"] = log["build"].where(log.index != 1)
    assert "column build: row 2: nothing is there" in complaint(opened(log).load)


def test_a_decision_that_is_missing_names_variant_member_and_example(opened, log, complaint):
    log.loc[(log["build"] == "int8") & (log["seed"] == 2) & (log["image"] == "c"), "said"] = None
    assert "variant int8, member 2, column said: c: no decision is there" in complaint(opened(log).load)
