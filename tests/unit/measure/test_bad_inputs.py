"""What no plan foresaw: every number is then right or undefined with a reason, and NumPy warns of nothing."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from handmade import dataset, population

from auditor.measure import measure

N = 40
RNG = np.random.default_rng(6)
LABELS = RNG.integers(0, 3, N)
TEAM = ["a", "b"] * 20
CLASSES = ("p", "q", "r")


def members(count, share=0.7):
    return np.where(RNG.random((count, N)) < share, LABELS, (LABELS + 1) % 3)


CASES = {
    "one member": (members(1), members(1), {}),
    "one member of many": (members(1), members(6), {}),
    "two members": (members(2), members(2), {}),
    "two pairs": (members(2), members(2), {"paired": True}),
    "identical members": (members(1).repeat(6, axis=0), members(1).repeat(6, axis=0), {}),
    "copies of one file": (members(1).repeat(4, axis=0), members(4), {"digests": ["x"] * 4}),
    "nothing changed": ((same := members(5)), same, {"paired": True}),
    "all predictions equal": (np.ones((5, N), int), np.ones((5, N), int), {}),
    "collapsed": (np.zeros((5, N), int), members(5), {}),
    "perfect": (np.tile(LABELS, (5, 1)), np.tile(LABELS, (5, 1)), {}),
    "ties everywhere": (np.stack([LABELS, (LABELS + 1) % 3] * 3), np.stack([(LABELS + 2) % 3, LABELS] * 3), {}),
    "chance": (RNG.integers(0, 3, (6, N)), RNG.integers(0, 3, (5, N)), {}),
    "a given file": (members(1), members(1), {"claim": "artifact"}),
    "a given baseline": (members(4), members(1), {"fixed_baseline": True}),
}
DATA = {
    "plain": dataset(LABELS, TEAM, classes=CLASSES),
    "a class that is absent": dataset(LABELS, TEAM, classes=(*CLASSES, "none")),
    "a group of one": dataset(LABELS, ["c", *TEAM[1:]], classes=CLASSES),
    "groups of one": dataset(LABELS, [f"g{i}" for i in range(N)], classes=CLASSES),
    "one cluster": dataset(LABELS, TEAM, classes=CLASSES, cluster=np.zeros(N, int)),
    "clusters across groups": dataset(LABELS, TEAM, classes=CLASSES, cluster=np.arange(N) // 4),
    "one group": dataset(LABELS, ["a"] * N, classes=CLASSES),
}


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("case", CASES)
def test_numbers_are_finite_or_undefined_with_a_reason(case, data):
    variant, base, options = CASES[case]
    found = measure(
        DATA[data],
        (population("baseline", base), population("v", variant, **options)),
        (),
        confidence=0.95,
        min_group=3,
        permutations=99,
    )
    (exemplars,) = found.exemplars
    for test in found.class_tests:
        assert (test.p is None) == (test.p_max_t is None) == (test.p_holm is None) == (test.undefined is not None)
    for family in found.class_test_families:
        assert (family.expected is None) == (family.deals is None) == (family.undefined is not None)
    assert (exemplars.halves is None) == (exemplars.halves_undefined is not None)
    for row in exemplars.by_group:
        assert (row.churn is None) == (row.undefined is not None)
        assert (row.p is None) == (row.excess_undefined is not None)
        assert (row.over_indexing_low is None) == (row.over_indexing_undefined is not None)
    for ratio in exemplars.odds_ratios:
        assert (ratio.value is None) == (ratio.undefined is not None)
    for record in (exemplars, *found.class_tests, *found.class_test_families):
        assert_finite(asdict(record))


def assert_finite(value):
    if isinstance(value, dict | tuple | list):
        for one in value.values() if isinstance(value, dict) else value:
            assert_finite(one)
    elif isinstance(value, float):
        assert np.isfinite(value)


def test_seeds_change_random_deals_and_nothing_else_does():
    base, variant = members(8), members(8, 0.6)
    audited = population("baseline", base), population("v", variant)

    def p(seed, populations=audited):
        found = measure(DATA["plain"], populations, (), confidence=0.95, min_group=3, seed=seed, permutations=99)
        return next(e for e in found.exemplars if e.variant == "v")

    assert p(1) == p(1)
    assert p(1) == p(1, (audited[0], population("w", members(8)), audited[1]))
    assert p(1) != p(2)
    assert p(1).count == p(2).count
