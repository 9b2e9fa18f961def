from __future__ import annotations

import pandas as pd
import pytest

from auditor.data import open_source

COMPRESSED = {
    "model": {"predictions": "base_*"},
    "compression": [{"predictions": "int8_*", "name": "int8"}, {"predictions": "pruned", "name": "pruned"}],
}


@pytest.fixture
def decided():
    return pd.DataFrame(
        {
            "label": ["no", "yes", "no", "yes"],
            "sex": ["f", "m", None, "f"],
            "person": [7, 7, 8, 9],
            "base_10": ["no", "no", "no", "no"],
            "base_2": ["yes", "yes", "yes", "yes"],
            "int8_0": ["no", "yes", "no", "no"],
            "pruned": ["no", "yes", "no", "yes"],
            "remark": ["", "", "", ""],
        }
    )


@pytest.fixture
def predictions(tmp_path, make_spec):
    def make(frame, attribute=("sex",), ending="parquet", also=None, **data):
        path = tmp_path / f"decided.{ending}"
        frame.to_parquet(path, index=False) if ending == "parquet" else frame.to_csv(path, index=False)
        declared = {"source": "predictions", "path": path.name, "label": "label"} | data
        return open_source(make_spec(declared, list(attribute), **(COMPRESSED | (also or {}))), tmp_path)

    return make


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_every_row_is_a_test_example(predictions, decided, ending):
    dataset = predictions(decided, ending=ending, id="person", positive="yes").load()
    assert dataset.classes == ("no", "yes")
    assert dataset.positive == 1
    assert dataset.examples == (0, 1, 2, 3)
    assert dataset.labels.tolist() == [0, 1, 0, 1]
    assert dataset.attributes == {"sex": ("f", "m", "(missing)", "f")}
    assert dataset.cluster.tolist() == [0, 0, 1, 2]
    assert [(size.split, size.examples, size.by_class) for size in dataset.splits] == [("test", 4, (2, 2))]


def test_decisions_come_in_natural_order_of_their_columns(predictions, decided):
    given = predictions(decided).members("base_*")
    assert given.members == ("2", "10")
    assert given.decisions.tolist() == [[1, 1, 1, 1], [0, 0, 0, 0]]
    assert predictions(decided).members("pruned").decisions.tolist() == [[0, 1, 0, 1]]


def test_classes_are_those_of_labels_and_decisions(predictions, decided):
    decided.loc[0, "int8_0"] = "maybe"
    source = predictions(decided)
    assert source.load().classes == ("maybe", "no", "yes")
    assert source.load().warnings == ('No test row is of class "maybe".',)
    assert source.members("int8_*").decisions.tolist() == [[0, 2, 1, 1]]


def test_decisions_written_as_text_are_matched_to_the_labels(predictions, decided):
    columns = ["base_2", "base_10", "int8_0", "pruned"]
    decided["label"] = [0, 1, 0, 1]
    decided[columns] = (decided[columns] == "yes").astype(int).astype(str)
    source = predictions(decided)
    assert source.load().classes == (0, 1)
    assert source.members("int8_*").decisions.tolist() == [[0, 1, 0, 0]]


def test_whole_decisions_written_as_fractions_are_matched_too(predictions, decided):
    columns = ["base_2", "base_10", "int8_0", "pruned"]
    decided["label"] = [0, 1, 0, 1]
    decided[columns] = (decided[columns] == "yes").astype(float)
    assert predictions(decided).load().classes == (0, 1)


def test_a_decision_for_no_declared_class_is_an_error_with_column_and_row(predictions, decided, complaint):
    decided.loc[2, "int8_0"] = "maybe"
    text = complaint(predictions(decided, classes=["no", "yes"]).load)
    assert 'column int8_0: row 3: "maybe" is no known class' in text


def test_probabilities_are_no_decisions(predictions, decided, complaint):
    decided["label"] = [0, 1, 0, 1]
    columns = ["base_2", "base_10", "pruned"]
    decided[columns] = (decided[columns] == "yes").astype(int)
    decided["int8_0"] = [0.0, 0.25, 0.75, 1.0]
    text = complaint(predictions(decided).load)
    assert 'column int8_0: rows 2, 3: "0.25", "0.75" is no known class' in text
    assert "probabilities are no decisions" in text


def test_text_is_no_decision_where_labels_are_numbers(predictions, decided, complaint):
    decided["label"] = [0, 1, 0, 1]
    assert 'column pruned: rows 1, 2, 3, 4: "no", "yes" is no known class' in complaint(predictions(decided).load)


def test_missing_decisions_are_errors_with_column_and_rows(predictions, decided, complaint):
    decided.loc[[1, 3], "int8_0"] = None
    decided.loc[0, "base_2"] = None
    text = complaint(predictions(decided).load)
    assert "column int8_0: rows 2, 4: no decision is there" in text
    assert "column base_2: row 1: no decision is there" in text


def test_missing_labels_are_errors_with_their_rows(predictions, decided, complaint):
    decided.loc[1, "label"] = None
    assert "column label: row 2: the label is missing" in complaint(predictions(decided).load)


def test_a_pattern_without_columns_is_an_error_with_the_nearest(predictions, decided, complaint):
    text = complaint(predictions(decided.rename(columns={"int8_0": "int_0"})).load)
    assert 'predictions: no column matches "int8_*"\n    Did you mean "int_0"?' in text


def test_a_column_of_two_patterns_is_an_error(predictions, decided, complaint):
    also = {"compression": [{"predictions": "base_1*", "name": "other"}]}
    text = complaint(predictions(decided, also=also).load)
    assert 'column base_10: the patterns "base_*", "base_1*" both claim it' in text


def test_a_pattern_declared_twice_is_an_error(predictions, decided, complaint):
    also = {"compression": [{"predictions": "base_*", "name": "other"}]}
    assert "column base_2: the patterns" in complaint(predictions(decided, also=also).load)


def test_missing_columns_are_told_at_once(predictions, decided, complaint):
    text = complaint(predictions(decided, attribute=["sexx"], label="labels", id="persons").load)
    for where in ("attribute sexx", "data.label", "data.id"):
        assert f"{where}: there is no column" in text


def test_a_star_does_not_take_label_and_attributes(predictions, decided):
    frame = decided[["label", "sex", "base_2"]]
    also = {"model": {"predictions": "*"}, "compression": [{"method": "float16"}]}
    assert predictions(frame, also=also).members("*").members == ("base_2",)


def test_one_class_alone_is_an_error(predictions, decided, complaint):
    columns = ["label", "base_2", "base_10", "int8_0", "pruned"]
    decided[columns] = "no"
    assert 'all rows are of one class, "no"' in complaint(predictions(decided).load)


def test_a_declared_split_is_an_error(predictions, decided, complaint):
    assert "data.split: every row" in complaint(predictions(decided, split={"test": 0.5}).load)
    assert predictions(decided, split="all").load().examples == (0, 1, 2, 3)


def test_there_are_no_model_inputs(predictions, decided, complaint, tmp_path):
    assert "has no model inputs" in complaint(lambda: predictions(decided).materialise(tmp_path))


def test_columns_of_no_member_are_not_read(predictions, decided, tmp_path):
    source = predictions(decided, ending="csv")
    broken = (tmp_path / "decided.csv").read_bytes().replace(b"remark", b"remark,odd").replace(b"\n", b",\xff\n")
    (tmp_path / "decided.csv").write_bytes(broken.replace(b"odd,\xff", b"odd"))
    assert source.members("pruned").decisions.tolist() == [[0, 1, 0, 1]]
