"""What must hold of description for any decisions: order does not matter, nothing comes of nothing, no NaN."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest
from handmade import dataset, described, population
from hypothesis import given, settings
from hypothesis import strategies as st

PAIR_ALONE = {"cev": 0.0, "sde": 0.0, "recall_distortion": 1.0}
"""What is not a change, and its value where nothing changed."""


@st.composite
def audits(draw):
    """Labels, teams, decisions and probabilities of a baseline and of a variant."""
    n, classes = draw(st.integers(4, 30)), draw(st.integers(2, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    labels, teams = rng.integers(0, classes, n), rng.choice(list("abc"), n)
    cluster = rng.integers(0, n, n) if draw(st.booleans()) else None
    sides = []
    for members in (draw(st.integers(1, 3)), draw(st.integers(1, 3))):
        outputs = rng.dirichlet(np.full(classes, 0.5), (members, n))
        sides.append((outputs.argmax(axis=2), outputs))
    return labels, teams, cluster, sides


def numbers(audit, order, min_group):
    """All descriptions, by what they are about."""
    labels, teams, cluster, sides = audit
    classes = "xyz"[: sides[0][1].shape[2]]
    first = {team: teams.tolist().index(team) for team in teams}
    order = sorted(order, key=lambda i: first[teams[i]])  # groups are listed in one order
    data = dataset(
        labels[order], teams[order].tolist(), classes=classes, cluster=None if cluster is None else cluster[order]
    )
    base, variant = (
        population(name, decided[:, order], probabilities=outputs[:, order])
        for name, (decided, outputs) in zip(("baseline", "v"), sides, strict=True)
    )
    found = described(data, variant, base, min_group=min_group)
    by_subject = {(d.measure, d.label, d.group, d.family): d for d in found}
    assert len(by_subject) == len(found)
    return by_subject


@settings(max_examples=60, deadline=None)
@given(audits(), st.randoms(), st.integers(1, 5))
def test_the_order_of_examples_does_not_matter_and_every_number_is_one_or_has_a_reason(audit, random, min_group):
    order = list(range(len(audit[0])))
    straight = numbers(audit, order, min_group)
    random.shuffle(order)
    shuffled = numbers(audit, order, min_group)
    assert straight.keys() == shuffled.keys()
    for subject, d in straight.items():
        assert (d.value is None) == bool(d.undefined)
        assert all(x is None or math.isfinite(x) for x in (d.before, d.after, d.value))
        if d.measure != "recall_distortion":  # of classes that are nearly alike any slope may come
            assert d.value == pytest.approx(shuffled[subject].value, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(audits(), st.integers(1, 5))
def test_of_nothing_comes_nothing(audit, min_group):
    labels, teams, cluster, (side, _) = audit
    for d in numbers((labels, teams, cluster, (side, side)), range(len(labels)), min_group).values():
        assert d.before == d.after
        assert d.value is None or d.value == pytest.approx(PAIR_ALONE.get(d.measure, 0.0), abs=1e-9)


def test_a_thousand_classes_and_eight_hundred_groups_take_little_memory():
    rng = np.random.default_rng(5)
    labels, teams = rng.integers(0, 1000, 4000), [f"t{i}" for i in rng.integers(0, 800, 4000)]
    data = dataset(labels, teams, classes=tuple(range(1000)))
    both = [population(name, np.where(rng.random((3, 4000)) < 0.7, labels, 0)) for name in ("v", "baseline")]
    counted = 8 * 2 * 2 * 3 * 801 * 1000  # correct and decided of both, which all measures share
    tracemalloc.start()
    try:
        found = described(data, *both)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(found) < 10_000
    assert peak < 2.5 * counted
