from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from auditor.data import open_source

BINARY = {
    "model": {"predictions": "base_p_*"},
    "compression": [{"predictions": "int8_p", "name": "int8"}],
}
CLASSES = {
    "model": {"predictions": "base_*_p_{class}"},
    "compression": [{"predictions": "int8_*", "name": "int8"}],
}


@pytest.fixture
def binary():
    return pd.DataFrame(
        {
            "label": ["no", "yes", "no", "yes"],
            "sex": ["f", "m", "f", "m"],
            "base_p_10": [0.0, 0.5, 0.25, 1.0],
            "base_p_2": [0.75, 0.75, 0.125, 0.125],
            "int8_p": [0.3, 0.7, 0.5, 0.499],
        }
    )


@pytest.fixture
def three():
    return pd.DataFrame(
        {
            "label": ["cat", "dog", "emu"],
            "sex": ["f", "m", "f"],
            "base_0_p_dog": [0.25, 0.5, 0.5],
            "base_0_p_cat": [0.5, 0.5, 0.0],
            "base_0_p_emu": [0.25, 0.0, 0.5],
            "int8_0": ["cat", "dog", "dog"],
        }
    )


@pytest.fixture
def opened(tmp_path, make_spec):
    def make(frame, tables, **data):
        frame.to_parquet(tmp_path / "p.parquet", index=False)
        declared = {"source": "predictions", "path": "p.parquet", "label": "label"} | data
        return open_source(make_spec(declared, ["sex"], **tables), tmp_path)

    return make


def test_from_the_threshold_on_the_positive_class_is_decided_for(opened, binary):
    source = opened(binary, BINARY, positive="yes", threshold=0.5)
    given = source.members("base_p_*")
    assert given.members == ("2", "10")
    assert given.decisions.tolist() == [[1, 1, 0, 0], [0, 1, 0, 1]]
    assert given.probabilities[1].tolist() == [[1, 0], [0.5, 0.5], [0.75, 0.25], [0, 1]]
    assert source.members("int8_p").decisions.tolist() == [[0, 1, 1, 0]]


def test_the_positive_class_may_be_the_first_one(opened, binary):
    source = opened(binary, BINARY, positive="no", threshold=0.5)
    given = source.members("base_p_*")
    assert given.decisions[1].tolist() == [1, 0, 1, 0]
    assert given.probabilities[1].tolist() == [[0, 1], [0.5, 0.5], [0.25, 0.75], [1, 0]]


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
@pytest.mark.parametrize("threshold", [0.1, 0.7])
def test_the_threshold_is_inclusive_at_every_precision(opened, binary, kind, threshold):
    columns = ["base_p_2", "base_p_10", "int8_p"]
    binary[columns] = np.full((4, 3), threshold, kind)
    source = opened(binary, BINARY, positive="yes", threshold=threshold)
    assert source.members("int8_p").decisions.tolist() == [[1, 1, 1, 1]]
    above = opened(binary, BINARY, positive="yes", threshold=threshold + 0.001)
    assert above.members("int8_p").decisions.tolist() == [[0, 0, 0, 0]]


def test_what_is_no_probability_is_refused_with_column_and_row(opened, binary, complaint):
    binary.loc[[1, 3], "base_p_2"] = [1.5, -0.1]
    binary.loc[0, "int8_p"] = np.nan
    text = complaint(opened(binary, BINARY, positive="yes", threshold=0.5).load)
    assert 'column base_p_2: rows 2, 4: "1.5", "-0.1" is no probability' in text
    assert 'column int8_p: row 1: "nan" is no probability' in text


def test_text_is_no_probability(opened, binary, complaint):
    binary["int8_p"] = binary["label"]
    assert "column int8_p: holds no numbers" in complaint(opened(binary, BINARY, positive="yes", threshold=0.5).load)


def test_a_threshold_is_for_two_classes(opened, binary, complaint):
    binary.loc[0, "label"] = "maybe"
    text = complaint(opened(binary, BINARY, positive="yes", threshold=0.5).load)
    assert "data.threshold: is for two classes, and there are 3" in text


def test_of_several_classes_the_largest_decides_and_of_equals_the_first(opened, three):
    source = opened(three, CLASSES)
    assert source.load().classes == ("cat", "dog", "emu")
    given = source.members("base_*_p_{class}")
    assert given.members == ("0",)
    assert given.decisions.tolist() == [[0, 0, 1]]
    assert given.probabilities[0].tolist() == [[0.5, 0.25, 0.25], [0.5, 0.5, 0], [0, 0.5, 0.5]]
    assert source.members("int8_*").decisions.tolist() == [[0, 1, 1]]


def test_the_declared_order_of_classes_is_that_of_probabilities(opened, three):
    given = opened(three, CLASSES, classes=["emu", "dog", "cat"]).members("base_*_p_{class}")
    assert given.decisions.tolist() == [[2, 1, 0]]
    assert given.probabilities[0, 2].tolist() == [0.5, 0.5, 0]


def test_a_column_of_every_class_may_have_a_threshold_too(opened, binary):
    frame = binary[["label", "sex"]].assign(a_no=[0.4, 0.6, 0.75, 0.7], a_yes=[0.6, 0.4, 0.25, 0.3])
    tables = {"model": {"predictions": "a_{class}"}, "compression": [{"method": "float16"}]}
    decided = opened(frame, tables, positive="yes", threshold=0.3).members("a_{class}").decisions
    assert decided.tolist() == [[1, 1, 0, 1]]


def test_numeric_classes_are_found_by_their_text(opened, three):
    frame = three.rename(columns=lambda name: name.replace("cat", "0").replace("dog", "1").replace("emu", "2"))
    frame["label"], frame["int8_0"] = [0, 1, 1], [0, 1, 2]
    source = opened(frame, CLASSES)
    assert source.load().classes == (0, 1, 2)
    assert source.members("base_*_p_{class}").decisions.tolist() == [[0, 0, 1]]


def test_a_class_without_a_column_is_named(opened, three, complaint):
    text = complaint(opened(three.drop(columns="base_0_p_emu"), CLASSES).load)
    assert '"base_*_p_{class}" finds no column of class "emu"' in text


def test_a_member_that_lacks_a_class_is_named(opened, three, complaint):
    text = complaint(opened(three.assign(base_1_p_cat=0.5, base_1_p_dog=0.5), CLASSES).load)
    assert 'finds no column of member "1" and class "emu"' in text


def test_shares_that_do_not_add_up_decide_and_are_not_kept(opened, three):
    source = opened(three.assign(base_0_p_cat=[0.9, 0.9, 0.9]), CLASSES)
    given = source.members("base_*_p_{class}")
    assert given.decisions.tolist() == [[0, 0, 0]]
    assert given.probabilities is None
    assert "do not add up to 1" in source.load().warnings[0]


def test_probabilities_that_nobody_declared_are_told_apart_from_decisions(opened, complaint):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"label": rng.integers(0, 2, 12_000), "sex": "f", "base_p_0": rng.random(12_000)})
    frame["int8_p"] = frame["label"]
    text = complaint(opened(frame, BINARY).load)
    assert "column base_p_0: 12,000 distinct values are no classes" in text
    assert "declare data.threshold" in text
