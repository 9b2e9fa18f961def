"""Judging again by another plan is a further look; repeating a plan is none."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from handmade import dataset, population

from auditor.errors import IncompleteError
from auditor.gates import resolve_gates
from auditor.judge import judge
from auditor.looks import Terms, record_looks
from auditor.measure import measure
from auditor.measure.summary import summarise_variant
from auditor.records import EarlierLook, Verdict
from auditor.spec import GateTable

DATA = dataset([0, 1, 1, 0], ["a", "b", "a", "b"])
BASE = population("baseline", [[0, 1, 1, 0]] * 2)
VARIANT = population("v", [[0, 1, 0, 0]] * 2)


def gates(variant, *tables, **keys):
    made = [GateTable.model_validate({"metric": "recall", "min": -0.02} | keys | table) for table in ({}, *tables)]
    return resolve_gates(made, DATA, (variant,), {}, "audit.toml")


def looks(folder, *tables, data=DATA, base=BASE, variant=VARIANT, terms=None, **keys):
    """Earlier looks at the last gate, as they are told."""
    both = (base, variant)
    made = gates(variant.name, *tables, **keys)
    measured = measure(data, both, made, confidence=0.95, min_group=1, permutations=1)
    summaries = [summarise_variant(one, base, data) for one in both]
    findings = judge(made, measured.estimates, summaries, confidence=0.95, minimum=None)
    plan = {"seed": 0, "training": {"epochs": 1}, "confidence": 0.95, "min_group": 1, "minimum": None} | (terms or {})
    told = record_looks(folder, data, made, findings, both, Terms(**plan))
    return next((look.earlier for look in told if look.gate == made[-1].name), ())


def look(folder, *tables, **changed):
    """Count them."""
    return len(looks(folder, *tables, **changed))


def test_the_first_look_and_its_repetition_are_no_further_looks(tmp_path):
    assert look(tmp_path) == 0
    assert look(tmp_path) == 0


@pytest.mark.parametrize(
    "changed",
    [
        {"variant": replace(VARIANT, asked=9)},
        {"terms": {"seed": 1}},
        {"terms": {"training": {"epochs": 2}}},
        {"base": replace(BASE, asked_for={"architecture": "other"})},
        {"variant": replace(VARIANT, name="v2")},
        {"terms": {"confidence": 0.9}},
        {"terms": {"min_group": 30}},
        {"terms": {"minimum": 1}},
        {"min": -0.05},
        {"decide_on": "point"},
        {"data": replace(DATA, digest="1" * 64)},
    ],
    ids=[
        "members",
        "seed",
        "training",
        "baseline",
        "name, of which seeds are made",
        "confidence",
        "smallest group",
        "fewest members",
        "limit",
        "deciding",
        "examples",
    ],
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
    assert [look(tmp_path, terms={"seed": seed}) for seed in (5, 6, 7)] == [0, 1, 2]


def test_what_was_judged_before_is_told_with_its_verdict(tmp_path):
    look(tmp_path)
    assert looks(tmp_path, terms={"seed": 1}, min=-0.9) == (
        EarlierLook(members=2, examples=4, seed=0, min=-0.02, max=None, verdict=Verdict.INCONCLUSIVE),
    )


def test_a_group_judged_alone_was_judged_among_others_before(tmp_path):
    look(tmp_path, over="team")
    assert look(tmp_path, over="overall") == 0, "everybody was not judged"
    assert look(tmp_path, over=["overall", "team"]) == 0, "each was judged, by this plan"
    assert look(tmp_path, over=["overall", "team"], min=-0.5) == 1


def test_another_name_is_no_other_question(tmp_path):
    look(tmp_path)
    assert look(tmp_path, variant=replace(VARIANT, name="v2"), terms={"seed": 1}) == 1


@pytest.mark.parametrize("method", ["predictions", "prune"])
def test_models_that_were_given_are_a_plan_and_a_seed_is_none_of_theirs(tmp_path, method):
    def given(digests):
        changed = {"method": method, "claim": "recipe" if method == "predictions" else "artifact"}
        made = [replace(one, **changed) for one in (BASE, VARIANT)]
        told = replace(made[1].predictions, digests=digests)
        return {"base": made[0], "variant": replace(made[1], predictions=told)}

    assert look(tmp_path, **given(("a", "b"))) == 0
    assert look(tmp_path, **given(("a", "b")), terms={"seed": 1}) == 0
    assert look(tmp_path, **given(("a", "c"))) == 1


def test_gates_of_one_run_are_no_looks_of_each_other(tmp_path):
    other = {"min": -0.05}
    assert look(tmp_path, other) == 0
    assert look(tmp_path, other) == 0
    assert look(tmp_path, {"min": -0.07}) == 1, "the first gate's limit is no look of its own run, the other's is"


def test_another_folder_of_the_data_is_no_other_question(tmp_path):
    look(tmp_path, data=replace(DATA, source="table: here/people.csv"))
    assert look(tmp_path, data=replace(DATA, source="table: /there/people.csv"), terms={"seed": 1}) == 1


def broken(**keys):
    """A file of one look with something odd in it."""
    nothing = dict.fromkeys(("members", "examples", "seed", "min", "max", "verdict"))
    told = nothing | {key: value for key, value in keys.items() if key in nothing}
    kept = {"plan": "p", "run": "r", "targets": None} | {k: v for k, v in keys.items() if k not in nothing}
    return json.dumps([kept | {"told": told}])


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[" * 100_000,
        "[0]",
        broken(targets=0),
        broken(members="x"),
        broken(members=-1),
        broken(min=float("nan")),
        broken(verdict="\x1b[31mhi"),
        broken(more=1),
    ],
    ids=range(9),
)
def test_a_file_that_cannot_be_read_has_been_a_look(tmp_path, text):
    look(tmp_path)
    (file,) = tmp_path.glob("*.json")
    file.write_text(text, encoding="utf-8")
    assert looks(tmp_path) == (EarlierLook(members=None, examples=None, seed=None, min=None, max=None, verdict=None),)
    assert look(tmp_path) == 1


def test_looks_that_cannot_be_written_down_stop_the_audit(tmp_path):
    place = tmp_path / "store"
    place.write_text("a file, no folder", encoding="utf-8")
    with pytest.raises(IncompleteError, match="earlier judgements cannot be written down"):
        look(place)
