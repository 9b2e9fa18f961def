"""What must hold for any decisions: order does not matter, nothing comes of nothing, less data never helps."""

from __future__ import annotations

import numpy as np
import pytest
from handmade import dataset, one, population, setting
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.measure.exemplars import find_exemplars

SIZES = st.tuples(st.integers(6, 40), st.integers(2, 4), st.integers(2, 4))


@st.composite
def audits(draw):
    """Labels, teams, decisions of a baseline and of a variant, paired or not."""
    n, k, k0 = draw(SIZES)
    bits = st.integers(0, 1)
    paired = draw(st.booleans())
    members = k if paired else k0
    labels = draw(st.lists(bits, min_size=n, max_size=n).filter(lambda y: sum(y) >= 2))
    teams = draw(st.lists(st.sampled_from("ab"), min_size=n, max_size=n))
    rows = st.lists(bits, min_size=n, max_size=n)
    base = draw(st.lists(rows, min_size=members, max_size=members))
    variant = draw(st.lists(rows, min_size=k, max_size=k))
    return np.array(labels), teams, np.array(base), np.array(variant), paired


def numbers(labels, teams, base, variant, paired, *, metric="recall", label=1):
    """Value and both ends of a change for everybody and for both teams, and of the change of the gap."""
    order = sorted(range(len(labels)), key=lambda i: teams[i] != "a")
    labels, base, variant = labels[order], base[:, order], variant[:, order]
    data = dataset(labels, [teams[i] for i in order])
    pair = (population("v", variant, paired=paired), population("baseline", base))
    found = []
    for g in range(len(data.groups.names)):
        for compare in ("change", "disparity_change") if g > 1 else ("change",):
            e = one(data, *pair, metric, compare, label=label, group=g, min_group=2)
            found.append((e.value, e.low, e.high))
    return found


def same(left, right):
    """Equal but for rounding; undefined only with undefined."""
    return all(
        (a is None and b is None) or a == pytest.approx(b, abs=1e-9)
        for pair in zip(left, right, strict=True)
        for a, b in zip(*pair, strict=True)
    )


@settings(max_examples=60, deadline=None)
@given(audits(), st.randoms())
def test_the_order_of_examples_does_not_matter(audit, random):
    labels, teams, base, variant, paired = audit
    order = list(range(len(labels)))
    random.shuffle(order)
    shuffled = (labels[order], [teams[i] for i in order], base[:, order], variant[:, order], paired)
    assert same(numbers(*audit), numbers(*shuffled))


@settings(max_examples=60, deadline=None)
@given(audits(), st.randoms())
def test_the_order_of_members_does_not_matter_where_pairs_stay_together(audit, random):
    labels, teams, base, variant, paired = audit
    order = list(range(len(variant)))
    random.shuffle(order)
    moved = (labels, teams, base[order] if paired else base[::-1], variant[order], paired)
    assert same(numbers(*audit), numbers(*moved))


@settings(max_examples=60, deadline=None)
@given(audits())
def test_swapping_the_classes_swaps_false_positive_and_false_negative_rates(audit):
    labels, teams, base, variant, paired = audit
    swapped = (1 - labels, teams, 1 - base, 1 - variant, paired)
    assert same(numbers(*audit, metric="fnr", label=1), numbers(*swapped, metric="fpr", label=1)) or any(
        value is None for value, *_ in numbers(*audit, metric="fnr", label=1)
    )
    assert same(numbers(*audit, metric="recall", label=1), numbers(*swapped, metric="recall", label=0))


@settings(max_examples=60, deadline=None)
@given(audits())
def test_a_rate_and_its_complement_change_alike_with_opposite_signs(audit):
    mirrored = [
        tuple(None if x is None else -x for x in (value, high, low))
        for value, low, high in numbers(*audit, metric="fnr")
    ]
    assert same(numbers(*audit, metric="recall"), mirrored)


@settings(max_examples=60, deadline=None)
@given(audits())
def test_identical_populations_give_no_change_and_no_exemplar_but_no_certainty_either(audit):
    labels, teams, base, _, _ = audit
    data = dataset(labels, teams)
    same_again = population("v", base, paired=True)
    found = one(data, same_again, population("baseline", base), "recall", "change", label=1)
    assert found.value == 0
    assert found.low < 0 < found.high
    exemplars = find_exemplars(setting(data, same_again, population("baseline", base)), None, np.random.default_rng(0))
    assert exemplars.count == 0


@settings(max_examples=60, deadline=None)
@given(audits())
def test_an_interval_holds_its_estimate(audit):
    for value, low, high in numbers(*audit):
        assert value is None or low <= value + 1e-12
        assert value is None or value <= high + 1e-12


def test_fewer_examples_do_not_pass_a_harmful_variant_more_often():
    rng = np.random.default_rng(11)
    passes = dict.fromkeys((40, 160, 640), 0)
    for n in passes:
        for _ in range(200):
            base = np.ones((3, n), int)
            variant = np.where(rng.random((3, n)) < 0.06, 0, 1)
            pair = (population("v", variant), population("baseline", base, digests=list("abc")))
            passes[n] += one(dataset(np.ones(n, int)), *pair, "recall", "change", label=1).low >= -0.05
    assert passes[40] <= passes[160] + 10
    assert passes[160] <= 20
    assert passes[640] <= 10
