"""The worst group and the spread: against a plain loop of draws, and where there is nothing to compare."""

from __future__ import annotations

import tracemalloc

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
    rng, again = np.random.default_rng(0), np.random.default_rng([0, 1])
    examples = [np.bincount(rng.integers(0, N, N), minlength=N) for _ in range(40)]
    members = [np.bincount(again.integers(0, 4, 4), minlength=4) for _ in range(40)]
    least = []
    in_order = np.array(sorted(DECISIONS.tolist()))
    for w, m in zip(examples, members, strict=True):
        right = (m[:, None] * (in_order == LABELS)).sum(axis=0) / 4
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


SITES = np.repeat(np.arange(12), 40)


def of_sites(per_site, *, min_group):
    """Twelve groups of 40 examples each, in so many clusters."""
    rng = np.random.default_rng(5)
    variant = population("v", rng.random((4, len(SITES))) < 0.2)
    cluster = SITES * per_site + np.arange(len(SITES)) % per_site
    data = dataset(np.zeros(len(SITES), int), [f"{site:02}" for site in SITES], cluster=cluster)
    return extremes(setting(data, variant, variant, min_group=min_group), ("accuracy", None))[0]


def test_groups_are_counted_in_clusters():
    one = of_sites(1, min_group=30)
    assert (one.groups, one.worst) == (0, None)
    assert one.undefined == "0 groups of team have at least 30 clusters: two are needed"


def test_draws_that_miss_a_group_leave_no_extremes():
    """Of two clusters a group, 24 in all, hardly a draw holds one of every group; of ten, nearly every one does."""
    few, many = of_sites(2, min_group=2), of_sites(10, min_group=2)
    assert few.groups == 12
    assert few.undefined is not None
    assert few.undefined.endswith(" of 500 draws hold every group")
    assert int(few.undefined.split()[0]) < 450
    assert {few.worst_group, few.worst, few.worst_interval, few.spread, few.spread_interval} == {None}
    assert many.undefined is None
    assert many.spread_interval is not None


@pytest.mark.parametrize("many", [0, 2**20])
def test_the_order_of_members_does_not_matter(monkeypatch, many):
    monkeypatch.setattr(bootstrap, "MANY", many)
    monkeypatch.setattr(bootstrap, "KINDS_ARE_FEWER", 0)
    assert described() == described(DECISIONS[[2, 0, 3, 1]])


def test_a_rate_about_nobody_is_undefined():
    variant = population("v", DECISIONS)
    made = setting(dataset(np.zeros(N, int), TEAM), variant, variant)
    assert extremes(made, ("recall", 1))[0].undefined == "0 groups of team have at least 2 examples: two are needed"


def test_memory_does_not_grow_with_groups(monkeypatch):
    """Kinds add up by cell before they do by group."""
    monkeypatch.setattr(bootstrap, "DRAWS", 10)
    n, rng = 50_000, np.random.default_rng(6)
    cells = rng.integers(0, 200, n)
    decisions = rng.integers(0, 100, (4, n))
    peaks = []
    for groups in (2, 200):
        variant = population("v", decisions)
        data = dataset(np.zeros(n, int), list(cells % groups), classes=range(100))
        made = setting(data, variant, variant)
        tracemalloc.start()
        extremes(made, ("accuracy", None))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]
