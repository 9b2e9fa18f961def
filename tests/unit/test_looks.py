"""Judging again by another plan is a further look; repeating a plan is none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from handmade import dataset, population

from auditor.errors import IncompleteError
from auditor.gates import resolve_gates
from auditor.looks import record_looks
from auditor.spec import GateTable

DATA = dataset([0, 1, 1, 0], ["a", "b", "a", "b"])
BASE = population("baseline", [[0, 1, 1, 0]] * 2)
VARIANT = population("v", [[0, 1, 0, 0]] * 2)


def gates(**keys):
    table = GateTable.model_validate({"metric": "recall", "min": -0.02} | keys)
    return resolve_gates([table], DATA, ("v",), {}, "audit.toml")


def look(folder, *, data=DATA, variant=VARIANT, seed=0, **keys):
    """Earlier looks at the one gate; 0 where there are none."""
    found = record_looks(folder, data, gates(**keys), (BASE, variant), seed=seed)
    return found[0].earlier if found else 0


def test_the_first_look_and_its_repetition_are_no_further_looks(tmp_path):
    assert look(tmp_path) == 0
    assert look(tmp_path) == 0


@pytest.mark.parametrize(
    "changed",
    [
        {"variant": replace(VARIANT, asked=9)},
        {"seed": 1},
        {"min": -0.05},
        {"data": replace(DATA, digest="1" * 64)},
    ],
    ids=["members", "seed", "limit", "examples"],
)
def test_another_plan_for_the_same_question_is_a_further_look(tmp_path, changed):
    look(tmp_path)
    assert look(tmp_path, **changed) == 1
    assert look(tmp_path) == 0, "what was judged first stays the first"
    assert look(tmp_path, **changed) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"metric": "fpr", "max": 0.02, "min": None},
        {"variant": replace(VARIANT, asked_for={"sparsity": 0.9})},
        {"data": replace(DATA, source="another table")},
    ],
    ids=["metric", "recipe", "data"],
)
def test_another_question_is_no_further_look(tmp_path, changed):
    look(tmp_path)
    assert look(tmp_path, **changed) == 0


def test_looks_are_counted_in_the_order_in_which_they_were_taken(tmp_path):
    assert [look(tmp_path, seed=seed) for seed in (5, 6, 7)] == [0, 1, 2]


def test_a_file_that_cannot_be_read_has_been_a_look(tmp_path):
    look(tmp_path)
    (file,) = tmp_path.glob("*.json")
    file.write_text("{", encoding="utf-8")
    assert look(tmp_path) == 1


def test_looks_that_cannot_be_written_down_stop_the_audit(tmp_path):
    place = tmp_path / "store"
    place.write_text("a file, no folder", encoding="utf-8")
    with pytest.raises(IncompleteError, match="earlier judgements cannot be written down"):
        look(place)
