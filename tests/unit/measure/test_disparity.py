"""Disparities against Fairlearn, member by member; and where they differ from it on purpose."""

from __future__ import annotations

import numpy as np
import pytest
from fairlearn import metrics as fairlearn
from handmade import dataset, described, population, the

NAMES = [
    f"{name}_{kind}"
    for name in ("demographic_parity", "equalized_odds", "equal_opportunity")
    for kind in ("difference", "ratio")
]
RNG = np.random.default_rng(20260302)
N = 500
LABELS = RNG.integers(0, 2, N)
TEAM = [("a", "b", "c")[i] for i in RNG.integers(0, 3, N)]
TOWN = [("x", "y")[i] for i in RNG.integers(0, 2, N)]
BASE = np.where(RNG.random((3, N)) < 0.9, LABELS, 1 - LABELS)
VARIANT = np.where(RNG.random((4, N)) < np.where(np.array(TEAM) == "a", 0.6, 0.85), LABELS, 1 - LABELS)
DATA = dataset(LABELS, attributes={"team": TEAM, "town": TOWN})
FOUND = described(DATA, population("v", VARIANT), population("baseline", BASE))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("family", "features"), [("team", TEAM), ("town", TOWN)])
def test_a_disparity_is_the_mean_over_members_of_what_fairlearn_says(name, family, features) -> None:
    oracle = getattr(fairlearn, name)
    before, after = (
        np.mean([oracle(LABELS, d, sensitive_features=features) for d in decisions]) for decisions in (BASE, VARIANT)
    )
    found = the(FOUND, name, family=family)
    assert (found.before, found.after, found.value) == pytest.approx((before, after, after - before), rel=1e-9)
    assert (found.n, found.remark, found.label) == (N, "", "yes")


def test_a_group_without_positives_is_left_out_where_fairlearn_takes_its_recall_for_0() -> None:
    labels = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    team = ["a"] * 3 + ["b"] * 1 + ["a"] * 3 + ["b"] * 1 + ["c"] * 4
    decisions = np.array([[1, 1, 1, 1, 0, 1, 0, 0, 1, 0, 0, 0]])
    assert fairlearn.equal_opportunity_difference(labels, decisions[0], sensitive_features=team) == 1
    assert fairlearn.equalized_odds_ratio(labels, decisions[0], sensitive_features=team) == 0
    data, both = dataset(labels, team), (population("v", decisions), population("baseline", decisions))
    found = described(data, *both, min_group=1)
    ours = the(found, "equal_opportunity_difference", family="team")
    assert ours.after == 0
    assert ours.n == 8
    # its false positive rate is known, so equalised odds hold that and miss the other
    odds = the(found, "equalized_odds_difference", family="team")
    assert (odds.after, odds.n) == (pytest.approx(1 / 3), 12)
    left_out = "left out, with fewer than 1 examples in a denominator: c"
    assert ours.remark == odds.remark == left_out


def test_a_ratio_of_rates_that_are_all_0_is_undefined_where_fairlearn_has_a_number() -> None:
    labels, team, never = np.array([1, 0] * 10), ["a", "a", "b", "b"] * 5, np.zeros((1, 20), int)
    theirs = fairlearn.demographic_parity_ratio(labels, never[0], sensitive_features=team)
    assert theirs == 0 or np.isnan(theirs)
    found = described(dataset(labels, team), population("v", never), population("baseline", [labels]))
    ours = the(found, "demographic_parity_ratio", family="team")
    assert (ours.before, ours.after, ours.value) == (1, None, None)
    assert ours.undefined == "a member's rate is 0 in every group"
    assert the(found, "demographic_parity_difference", family="team").value == 0


def test_a_group_under_the_smallest_size_is_left_out_and_told() -> None:
    # c has 3 examples, on which the models are extreme
    labels = np.array([1, 0] * 20 + [1, 1, 0])
    team = ["a", "a", "b", "b"] * 10 + ["c"] * 3
    decisions = np.append(labels[:40], [0, 0, 1])[None]
    data, both = dataset(labels, team), (population("v", decisions), population("baseline", decisions))
    found = the(described(data, *both, min_group=4), "equalized_odds_difference", family="team")
    assert found.after == 0
    assert found.remark == "left out, with fewer than 4 examples in a denominator: c"
    assert the(described(data, *both, min_group=1), "equalized_odds_difference", family="team").after == 1


def test_a_family_of_one_group_has_no_disparity() -> None:
    both = (population("v", VARIANT), population("baseline", BASE))
    found = the(described(dataset(LABELS), *both), "demographic_parity_difference")
    assert found.value is None
    assert found.undefined == "fewer than two groups have the examples that are needed"
