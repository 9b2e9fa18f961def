"""The decisions as Parquet."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import numpy as np
import pandas as pd
from handmade import dataset, population

from auditor.report import predictions_table
from auditor.report.predictions_table import predictions_parquet


def read(data, made):
    return pd.read_parquet(BytesIO(predictions_parquet(data, made)))


def test_members_keep_their_number_and_decisions_are_in_the_labels_own_values():
    made = population("v", [[0, 1, 1], [1, 1, 0]])
    made = replace(made, predictions=replace(made.predictions, members=(0, 3)))
    table = read(dataset([0, 1, 1], ["a", "b", "a"]), made)
    assert list(table.columns) == ["example", "label", "team", "member_0", "member_3"]
    assert list(table["member_3"]) == ["yes", "yes", "no"]
    assert list(table["label"]) == ["no", "yes", "yes"]
    assert list(table["team"]) == ["a", "b", "a"]


def test_labels_that_are_numbers_stay_numbers():
    table = read(dataset([0, 1], classes=(-1, 1)), population("v", [[1, 1]]))
    assert list(table["label"]) == [-1, 1]
    assert table["label"].dtype.kind == "i"


def test_probabilities_have_a_column_a_class():
    made = population("v", [[0, 1]])
    likely = np.array([[[0.75, 0.25], [0.125, 0.875]]], np.float32)
    made = replace(made, predictions=replace(made.predictions, probabilities=likely))
    table = read(dataset([0, 1]), made)
    assert list(table["member_0_p_yes"]) == [0.25, 0.875]


def test_the_bytes_are_the_same_every_time():
    data, made = dataset([0, 1, 1]), population("v", [[0, 1, 1]])
    assert predictions_parquet(data, made) == predictions_parquet(data, made)


def test_many_rows_are_written_in_parts_that_read_as_one(monkeypatch):
    data = dataset([0, 1, 1, 0, 1], ["a", "b", "a", "c", "b"])
    likely = np.linspace(0, 1, 10, dtype=np.float32).reshape(1, 5, 2)
    made = population("v", [[0, 1, 1, 1, 0]], probabilities=likely)
    whole = read(data, made)
    monkeypatch.setattr(predictions_table, "ROWS_AT_ONCE", 2)
    pd.testing.assert_frame_equal(read(data, made), whole)
