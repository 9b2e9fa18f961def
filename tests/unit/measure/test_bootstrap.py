"""The worst group and the spread: against a plain loop of draws, and where there is nothing to compare."""

from __future__ import annotations

import numpy as np
import pytest
from handmade import dataset, population, setting

from auditor.measure import bootstrap
from auditor.measure.bootstrap import describe_extremes

RNG = np.random.default_rng(2)
N = 300
LABELS = RNG.integers(0, 2, N)
TEAM = ["a"] * 150 + ["b"] * 120 + ["c"] * 30
DECISIONS = np.where(RNG.random((4, N)) < np.where(np.arange(N) < 150, 0.9, 0.7), LABELS, 1 - LABELS)


def described(decisions=DECISIONS, team=TEAM, **options):
    variant = population("v", decisions)
    made = setting(dataset(LABELS, team), variant, variant, **options)
    return extremes(made, ("accuracy", None), ("recall", 1))


def extremes(made, *rates):
    return describe_extremes(made, rates, 0)


def test_the_worst_group_and_the_spread_are_those_of_the_rates():
    accuracy, recall = described()
    right = {t: (DECISIONS == LABELS)[:, np.array(TEAM) == t].mean() for t in "abc"}
    assert accuracy.worst == pytest.approx(min(right.values()), rel=1e-6)
    assert dict(accuracy.worst_group)["team"] == min(right, key=right.get)
    assert accuracy.spread == pytest.approx(max(right.values()) - min(right.values()), rel=1e-5)
    positives = {t: (DECISIONS == 1)[:, (np.array(TEAM) == t) & (LABELS == 1)].mean() for t in "abc"}
    assert recall.worst == pytest.approx(min(positives.values()), rel=1e-6)


def test_intervals_are_quantiles_over_draws_of_examples_and_members_together(monkeypatch):
    monkeypatch.setattr(bootstrap, "DRAWS", 40)
    (accuracy, _) = described()
    rng, again = np.random.default_rng(0), np.random.default_rng(0)
    examples = [np.bincount(rng.integers(0, N, N), minlength=N) for _ in range(40)]
    members = [np.bincount(again.integers(0, 4, 4), minlength=4) for _ in range(40)]
    least = []
    for w, m in zip(examples, members, strict=True):
        right = (m[:, None] * (DECISIONS == LABELS)).sum(axis=0) / 4
        least.append(min((w * right)[np.array(TEAM) == t].sum() / w[np.array(TEAM) == t].sum() for t in "abc"))
    assert accuracy.worst_interval == pytest.approx(tuple(np.quantile(least, (0.05, 0.95))), rel=1e-5)


def test_drawing_kinds_is_drawing_examples(monkeypatch):
    """Of one distribution: quantiles of as many draws agree but for the draws' own noise."""
    monkeypatch.setattr(bootstrap, "DRAWS", 4000)
    alone = described(min_group=50)
    monkeypatch.setattr(bootstrap, "MANY", 0)
    monkeypatch.setattr(bootstrap, "KINDS_ARE_FEWER", 0)
    for one, other in zip(alone, described(min_group=50), strict=True):
        assert other.spread_interval != one.spread_interval
        assert other.worst_interval == pytest.approx(one.worst_interval, abs=0.01)
        assert other.spread_interval == pytest.approx(one.spread_interval, abs=0.01)


def test_the_same_seed_gives_the_same_interval():
    assert described() == described()


def test_one_group_has_no_spread():
    (accuracy, _) = described(team=["a"] * N)
    assert accuracy.spread is None
    assert accuracy.undefined == "1 groups of team have at least 2 examples: two are needed"


def test_small_groups_are_left_out():
    (accuracy, _) = described(min_group=100)
    assert accuracy.groups == 2


def test_one_model_has_no_members_to_draw_and_no_warning():
    one = population("v", DECISIONS[:1], claim="artifact")
    made = setting(dataset(LABELS, TEAM), one, one)
    (accuracy,) = extremes(made, ("accuracy", None))
    assert accuracy.worst_interval[0] <= accuracy.worst <= accuracy.worst_interval[1]


def test_clusters_are_drawn_whole():
    whole = np.repeat(np.arange(30), 10)
    labels, same = np.repeat(LABELS[::10], 10), np.repeat(DECISIONS[:1, ::10], 10, axis=1)
    variant = population("v", same, claim="artifact")
    team = ["a"] * 150 + ["b"] * 150
    alone = setting(dataset(labels, team), variant, variant)
    together = setting(dataset(labels, team, cluster=whole), variant, variant)
    widths = [np.ptp(extremes(s, ("accuracy", None))[0].worst_interval) for s in (alone, together)]
    assert widths[1] > 2 * widths[0]
