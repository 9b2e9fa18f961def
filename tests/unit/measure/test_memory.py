"""Examples are taken a few at a time where they are many: the numbers are the same."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from handmade import dataset, population

from auditor.measure import bootstrap, counts, logistic, measure, moments

N = 500
RNG = np.random.default_rng(9)
LABELS = RNG.integers(0, 2, N)
ATTRIBUTES = {"a": RNG.choice(["x", "y"], N), "b": RNG.choice(["p", "q", "r"], N)}
BASE, VARIANT = (np.where(RNG.random((4, N)) < share, LABELS, 1 - LABELS) for share in (0.9, 0.8))


def measured(kind=int, cluster=None):
    data = dataset(LABELS, attributes=ATTRIBUTES, cluster=cluster)
    populations = [population("baseline", BASE.astype(kind)), population("v", VARIANT.astype(kind))]
    return asdict(measure(data, populations, (), confidence=0.95, min_group=10, permutations=99))


def same(one, other):
    """Equal but for rounding."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == pytest.approx(other, rel=1e-9, nan_ok=True) if isinstance(one, float) else one == other


@pytest.mark.parametrize("cluster", [None, np.arange(N) // 2])
def test_a_few_examples_at_a_time(monkeypatch, cluster):
    whole = measured(cluster=cluster)
    monkeypatch.setattr(moments, "EXAMPLES_AT_ONCE", 37)
    monkeypatch.setattr(counts, "ENTRIES_AT_ONCE", 400)
    monkeypatch.setattr(bootstrap, "WEIGHTS_AT_ONCE", 400)
    monkeypatch.setattr(logistic, "ROWS_AT_ONCE", 7)
    assert same(measured(cluster=cluster), whole)


def test_decisions_of_one_byte():
    assert same(measured(np.int8), measured())
