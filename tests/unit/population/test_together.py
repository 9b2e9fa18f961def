from __future__ import annotations

import numpy as np
import pytest
from tiny import UNCONFINED

from auditor.compress.summaries import EVENTS
from auditor.population.job import Job, Variant
from auditor.population.store import Entry
from auditor.population.together import population_of, without_twins
from auditor.records import Failure, Population, Predictions
from auditor.sandbox import Sandbox


def population(name, digests, members=None, failures=()):
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
        asked_for={},
        measured=tuple({"bytes": k} for k in members),
    )


def test_a_file_that_is_another_variants_too_has_failed_with_the_reason():
    lost = Failure(variant="b", member=0, reason="lost")
    first, second = population("a", ("x", "y", "z")), population("b", ("v", "y"), members=(1, 2), failures=(lost,))
    kept, cut = without_twins([first, second])
    assert kept is first
    assert (cut.predictions.members, cut.predictions.digests, cut.asked) == ((1,), ("v",), 3)
    assert cut.predictions.decisions.tolist() == [[1] * 4]
    assert cut.measured == ({"bytes": 1},)
    assert [(failure.member, failure.reason) for failure in cut.failures] == [
        (0, "lost"),
        (2, "its file is, byte by byte, that of a, member 1: nothing is compared"),
    ]


def test_a_compression_that_gives_the_baseline_back_fails_whole():
    baseline, same = population("baseline", ("x",)), population("float16", ("x",))
    assert without_twins([baseline, same])[1].predictions.decisions.shape == (0, 4)


def test_members_of_one_variant_may_be_alike():
    alike = population("a", ("x", "x"))
    assert without_twins([alike]) == (alike,)


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
