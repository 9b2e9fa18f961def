from __future__ import annotations

import pandas as pd
import pytest

from auditor.data import open_source

PER_VARIANT = {
    "model": {"predictions": "base/member_*"},
    "compression": [{"predictions": "int8/member_*", "name": "int8"}],
}
PER_MEMBER = {
    "model": {"predictions": "base_*/said"},
    "compression": [{"predictions": "int8_*/said", "name": "int8", "paired": True}],
}


@pytest.fixture
def people():
    return pd.DataFrame({"id": [3, 1, 2], "label": ["no", "yes", "yes"], "sex": ["f", "m", "f"]})


@pytest.fixture
def per_variant(tmp_path, people):
    """Two files in an order of their own: base by id 1, 2, 3 and int8 by 3, 2, 1."""
    base = pd.DataFrame({"id": [1, 2, 3], "member_0": ["yes", "yes", "no"], "member_2": ["no", "yes", "no"]})
    int8 = pd.DataFrame({"id": [3, 2, 1], "member_0": ["yes", "no", "no"], "member_2": ["no", "no", "yes"]})
    return {"base": base, "int8": int8}


@pytest.fixture
def opened(tmp_path, make_spec, people):
    def make(files, tables=PER_VARIANT, people=people, predictions=("runs/*.parquet",), **data):
        (tmp_path / "runs").mkdir(exist_ok=True)
        people.to_csv(tmp_path / "people.csv", index=False)
        for name, frame in files.items():
            frame.to_parquet(tmp_path / "runs" / f"{name}.parquet", index=False)
        declared = {"source": "predictions", "path": "people.csv", "label": "label", "example": "id"}
        return open_source(make_spec(declared | {"predictions": [*predictions]} | data, ["sex"], **tables), tmp_path)

    return make


def test_files_are_joined_by_the_example(opened, per_variant):
    source = opened(per_variant)
    dataset = source.load()
    assert dataset.examples == (3, 1, 2)
    assert dataset.labels.tolist() == [0, 1, 1]
    given = source.members("base/member_*")
    assert given.members == ("0", "2")
    assert given.decisions.tolist() == [[0, 1, 1], [0, 0, 1]]
    assert source.members("int8/member_*").decisions.tolist() == [[1, 0, 0], [0, 1, 0]]


def test_a_file_may_be_one_member(opened, per_variant):
    files = {
        f"{name}_{k}": frame[["id", f"member_{k}"]].rename(columns={f"member_{k}": "said"})
        for name, frame in per_variant.items()
        for k in (0, 2)
    }
    source = opened(files, PER_MEMBER)
    assert source.members("base_*/said").members == ("0", "2")
    assert source.members("int8_*/said").decisions.tolist() == [[1, 0, 0], [0, 1, 0]]


def test_a_pattern_without_a_file_is_about_columns_of_any(opened, per_variant):
    files = {
        name: frame.rename(columns={"member_0": f"{name}_0", "member_2": f"{name}_2"})
        for name, frame in per_variant.items()
    }
    tables = {"model": {"predictions": "base_*"}, "compression": [{"predictions": "int8_*", "name": "int8"}]}
    given = opened(files, tables).members("int8_*")
    assert (given.members, given.decisions.tolist()) == (("0", "2"), [[1, 0, 0], [0, 1, 0]])


def test_columns_of_two_files_for_one_member_are_an_error(opened, per_variant, complaint):
    tables = {"model": {"predictions": "member_*"}, "compression": [{"method": "float16"}]}
    text = complaint(opened(per_variant, tables).load)
    assert '"member_*" takes "base/member_0", "int8/member_0" for one member' in text


def test_rows_that_are_missing_or_too_many_name_the_file(opened, per_variant, complaint):
    per_variant["int8"].loc[0, "id"] = 9
    text = complaint(opened(per_variant).load)
    assert 'int8.parquet: column id: example "3" missing here' in text
    assert 'int8.parquet: column id: example "9" not in people.csv' in text
    assert "base.parquet" not in text


def test_an_example_that_stands_twice_names_the_file(opened, per_variant, people, complaint):
    per_variant["base"].loc[2, "id"] = 1
    text = complaint(opened(per_variant).load)
    assert 'base.parquet: column id: row 3: "1" stands in a row before' in text
    twice = pd.concat([people, people[:1]])
    assert 'people.csv: column id: row 4: "3" stands in a row before' in complaint(opened({}, people=twice).load)


def test_examples_are_found_by_their_text(opened, per_variant):
    per_variant["int8"]["id"] = per_variant["int8"]["id"].astype(str)
    assert opened(per_variant).members("int8/member_*").decisions.tolist() == [[1, 0, 0], [0, 1, 0]]


def test_a_label_that_differs_between_files_is_an_error(opened, per_variant, complaint):
    per_variant["int8"]["label"] = ["no", "yes", "no"]
    text = complaint(opened(per_variant).load)
    assert "int8.parquet: column label: 1: the label is another than in people.csv" in text


def test_a_file_that_is_not_there_is_an_error(opened, per_variant, complaint):
    text = complaint(opened(per_variant, predictions=["runs/base.parquet", "runs/int4_*.parquet"]).load)
    assert 'data.predictions: there is no file "runs/int4_*.parquet"' in text


def test_files_of_one_name_are_an_error(opened, per_variant, complaint, tmp_path):
    (tmp_path / "old").mkdir()
    per_variant["base"].to_parquet(tmp_path / "old" / "base.parquet")
    text = complaint(opened(per_variant, predictions=["runs/*.parquet", "old/base.parquet"]).load)
    assert '"base" is the name of two files' in text


def test_a_missing_decision_names_file_and_example(opened, per_variant, complaint):
    per_variant["int8"].loc[2, "member_2"] = None
    assert "int8.parquet: column member_2: 1: no decision is there" in complaint(opened(per_variant).load)
