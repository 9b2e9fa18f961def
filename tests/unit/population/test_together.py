from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny import UNCONFINED

from auditor.compress.summaries import EVENTS
from auditor.population.entry import Entry
from auditor.population.job import Job, Variant
from auditor.population.together import population_of, without_twins
from auditor.records import Failure, Population, Predictions
from auditor.sandbox import Sandbox


def population(name, digests, members=None, failures=(), **asked_for):
    members = members or tuple(range(len(digests)))
    decisions = np.array([[k] * 4 for k in members], np.int16)
    return Population(
        name=name,
        method="prune",
        claim="recipe",
        paired=False,
        fixed_baseline=False,
        asked=3,
        predictions=Predictions(members=members, decisions=decisions, digests=digests),
        failures=failures,
        asked_for=asked_for,
        measured=tuple({"bytes": k} for k in members),
        models={k: Path(f"member_{k}.tflite") for k in members},
    )


BASE = population("baseline", ("x", "y", "z"))


def test_a_file_that_is_the_baselines_has_failed_with_the_reason():
    lost = Failure(variant="b", member=0, reason="lost")
    kept, cut = without_twins([BASE, population("b", ("v", "y"), members=(1, 2), failures=(lost,))])
    assert kept is BASE
    assert (cut.predictions.members, cut.predictions.digests, cut.asked) == ((1,), ("v",), 3)
    assert cut.predictions.decisions.tolist() == [[1] * 4]
    assert cut.measured == ({"bytes": 1},)
    assert cut.models == {1: Path("member_1.tflite")}
    assert [(failure.member, failure.reason) for failure in cut.failures] == [
        (0, "lost"),
        (2, "its file is, byte by byte, that of baseline, member 1: nothing is compared"),
    ]


def test_the_baselines_file_read_otherwise_is_another_model():
    own = population("read", ("x",), preprocess={"scale": 0.1})
    assert without_twins([BASE, own])[1] is own


def test_a_variant_that_is_another_one_under_a_second_name_fails_whole():
    first, second = population("a", ("u", "v"), sparsity=0.5), population("b", ("v", "u"), sparsity=0.9)
    _, kept, cut = without_twins([BASE, first, second])
    assert kept is first
    assert cut.predictions.decisions.shape == (0, 4)
    assert [failure.reason.split(", ")[2] for failure in cut.failures] == ["that of a", "that of a"]


def test_members_that_a_variant_shares_with_another_one_stay_where_not_all_are_shared():
    first, second = population("a", ("u", "v")), population("b", ("u", "w"))
    assert without_twins([BASE, first, second]) == (BASE, first, second)


def test_that_another_calibration_changes_nothing_is_a_finding():
    chain = [{"method": "int8", "calibration": {"size": 9}}]
    pruned = population("a", ("u",), method="prune", then=["int8"]), population("b", ("u",), method="prune", then=chain)
    plain = population("c", ("v",), method="int8"), population("d", ("v",), method="int8", calibration={"size": 9})
    assert without_twins([BASE, *plain]) == (BASE, *plain)
    assert without_twins([BASE, plain[1], population("e", ("v",), **plain[1].asked_for)])[2].failures
    assert without_twins([BASE, *pruned])[2].failures  # written in two ways, which resolved recipes are not


def test_members_of_one_variant_may_be_alike():
    alike = population("a", ("u", "u"))
    assert without_twins([BASE, alike]) == (BASE, alike)


@pytest.mark.parametrize(
    ("steps", "members"),
    [([], []), ([{"method": "int8"}, {"method": "prune", "summaries": False}], []), ([{"summaries": True}], [0])],
)
def test_events_are_read_only_where_a_step_asked_for_them(tmp_path, steps, members):
    (tmp_path / EVENTS).write_bytes(b"")
    np.save(tmp_path / "decisions.npy", np.zeros(5, np.int16))
    job = Job(variant="v", member=0, definition={"start": {}, "steps": steps})
    facts = {"failure": None, "measured": {}, "seconds": 0.0, "model": None, "digest": "x"}
    entry = Entry(folder=tmp_path, sandbox=Sandbox(**UNCONFINED), **facts)
    variant = Variant(
        name="v", method="prune", claim="recipe", paired=False, fixed_baseline=False, recipe={}, jobs=(job,)
    )
    assert [*population_of(variant, {job.key: entry}, 5).events] == members


def test_a_member_is_told_with_its_file_and_one_without_a_file_is_not(tmp_path):
    np.save(tmp_path / "decisions.npy", np.zeros(5, np.int16))
    entries = [
        Entry(
            folder=tmp_path, failure=failure, measured={}, seconds=0.0, model=model, digest="x",
            sandbox=Sandbox(**UNCONFINED),
        )
        for failure, model in ((None, tmp_path / "model.keras"), (None, None), ("lost", None))
    ]  # fmt: skip
    jobs = tuple(Job(variant="v", member=k, definition={"start": {}, "seed": k}) for k in range(3))
    variant = Variant(
        name="v", method="prune", claim="recipe", paired=False, fixed_baseline=False, recipe={}, jobs=jobs
    )
    outcomes = {job.key: entry for job, entry in zip(jobs, entries, strict=True)}
    assert population_of(variant, outcomes, 5).models == {0: tmp_path / "model.keras"}
