from __future__ import annotations

import numpy as np

from auditor.population.together import without_twins
from auditor.records import Failure, Population, Predictions


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
