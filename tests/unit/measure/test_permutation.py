"""Deals and swaps of members, against exact enumeration."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from handmade import dataset, population, setting

from auditor.measure.multiplicity import max_t
from auditor.measure.permutation import count_deals, deal, no_deals, p_values

LABELS = [0, 1, 0, 1]


def dealt(k_baseline, k_variant, *, paired=False, permutations=199, seed=0, **options):
    decisions = np.zeros((k_variant, 4), int), np.zeros((k_baseline, 4), int)
    variant = population("v", decisions[0], paired=paired, **options)
    found = setting(dataset(LABELS), variant, population("baseline", decisions[1]))
    return deal(found, permutations, np.random.default_rng(seed)), found


@pytest.mark.parametrize(
    ("sizes", "paired", "smallest"),
    [((3, 3), False, 0.10), ((3, 3), True, 0.25), ((5, 5), True, 0.0625), ((2, 3), False, 0.1), ((2, 2), False, 1 / 3)],
)
def test_few_deals_are_all_made_and_the_smallest_p_is_told(sizes, paired, smallest):
    made, _ = dealt(*sizes, paired=paired)
    assert made.enumerated
    assert made.told.smallest_p == pytest.approx(smallest)
    assert made.told.count == len(made.of_variant) == count_deals(*sizes, paired=paired)


@pytest.mark.parametrize("sizes", [(3, 3), (4, 4), (2, 4), (5, 3)])
def test_the_listed_deals_are_those_that_differ_and_the_observed_one_comes_first(sizes):
    made, _ = dealt(*sizes)
    members = sum(sizes)
    everything = {frozenset(chosen) for chosen in combinations(range(members), sizes[1])}
    listed = [frozenset(np.flatnonzero(row)) for row in made.of_variant]
    assert listed[0] == set(range(sizes[0], members))
    mirrored = [frozenset(range(members)) - one for one in listed] if sizes[0] == sizes[1] else []
    assert len(set(listed)) == len(listed)
    assert {*listed, *mirrored} == everything
    assert not set(listed) & set(mirrored)


def test_the_listed_swaps_are_all_up_to_swapping_every_pair():
    made, _ = dealt(4, 4, paired=True)
    swapped = {tuple(row[:4]) for row in made.of_variant}
    assert np.array_equal(made.of_variant[:, 4:], ~made.of_variant[:, :4])
    assert not made.of_variant[0, :4].any()
    assert {*swapped, *(tuple(~np.array(row)) for row in swapped)} == set(product((False, True), repeat=4))
    assert len(swapped) == 8


@pytest.mark.parametrize("paired", [False, True])
def test_many_deals_are_drawn_from_the_generator_beside_the_observed_one(paired):
    made, _ = dealt(12, 12, paired=paired, permutations=299)
    assert not made.enumerated
    assert made.told.count == 299
    assert made.told.smallest_p == pytest.approx(1 / 300)
    assert made.of_variant.shape == (300, 24)
    assert (made.of_variant.sum(axis=1) == 12).all()
    assert list(made.of_variant[0]) == [False] * 12 + [True] * 12
    again, other = (dealt(12, 12, paired=paired, permutations=299, seed=seed)[0] for seed in (0, 1))
    assert np.array_equal(made.of_variant, again.of_variant)
    assert not np.array_equal(made.of_variant, other.of_variant)
    # every member is dealt to the variant about half of the time
    assert np.abs(made.of_variant[1:].mean(axis=0) - 0.5).max() < 0.12


def test_copies_of_a_member_are_dealt_once():
    made, _ = dealt(3, 3, digests=["x", "x", "y"])
    assert list(made.variant) == [0, 2]
    assert made.of_variant.shape == (count_deals(3, 2, paired=False), 5)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"claim": "artifact"}, "a given file is no sample"),
        ({"fixed_baseline": True}, "one given model"),
        ({"digests": ["x"] * 3}, "two finished members that differ"),
    ],
)
def test_where_members_are_no_sample_the_reason_is_said(options, said):
    made, found = dealt(3, 3, **options)
    assert made is None
    assert said in no_deals(found)


def test_p_counts_deals_at_least_as_extreme_and_ties():
    statistics = np.array([[2.0], [2.0 - 1e-13], [1.0], [3.0]])
    assert p_values(statistics) == pytest.approx([0.75])


def test_max_t_is_the_step_down_of_westfall_and_young():
    statistics = np.random.default_rng(0).normal(size=(60, 7))
    statistics[0] += np.arange(7) / 3
    order = sorted(range(7), key=lambda g: -statistics[0, g])
    expected, worst = {}, 0.0
    for place, g in enumerate(order):
        at_least = sum(max(row[h] for h in order[place:]) >= statistics[0, g] for row in statistics) / 60
        worst = max(worst, at_least)
        expected[g] = worst
    assert list(max_t(statistics)) == pytest.approx([expected[g] for g in range(7)])
    assert max_t(np.empty((5, 0))).shape == (0,)
