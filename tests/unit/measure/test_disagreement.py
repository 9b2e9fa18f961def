"""Excess disagreement: against plain loops, by exact enumeration, and its p under the null."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from handmade import dataset, population, setting

from auditor.measure.counts import vote_shares
from auditor.measure.disagreement import count_by_place, count_disagreements, excess_by_place, excess_sums, pairs_of
from auditor.measure.permutation import deal

RNG = np.random.default_rng(5)
N, C = 60, 4
LABELS = RNG.integers(0, C, N)
TEAM = [("a", "b", "c")[i] for i in RNG.integers(0, 3, N)]
DATA = dataset(LABELS, TEAM, classes=tuple("pqrs"))


def audit(k_baseline, k_variant, *, paired=False, shift=0.3, permutations=199):
    base = np.where(RNG.random((k_baseline, N)) < 0.8, LABELS, RNG.integers(0, C, (k_baseline, N)))
    variant = np.where(RNG.random((k_variant, N)) < 0.8 - shift, LABELS, RNG.integers(0, C, (k_variant, N)))
    found = setting(DATA, population("v", variant, paired=paired), population("baseline", base))
    return base, variant, deal(found, permutations, np.random.default_rng(0))


def between_minus_within(base, variant, *, paired):
    """The excess by its definition, pair of members by pair of members."""
    across = [
        (b != v).mean() for (k, b), (m, v) in product(enumerate(base), enumerate(variant)) if not paired or k != m
    ]
    within = [np.mean([(one != other).mean() for one, other in combinations(side, 2)]) for side in (base, variant)]
    return np.mean(across) - np.mean(within)


def test_disagreements_are_those_of_a_plain_loop():
    decisions = RNG.integers(0, 3, (5, N))
    groups = DATA.groups
    found = count_disagreements(decisions, groups.cell_of, groups.membership)
    for place, (a, b) in enumerate(zip(*pairs_of(5), strict=True)):
        for g in range(len(groups.names)):
            own = groups.membership[g][groups.cell_of]
            assert found[g, place] == (decisions[a] != decisions[b])[own].sum()


@pytest.mark.parametrize("paired", [False, True])
def test_the_excess_of_every_deal_is_that_of_its_definition(paired):
    base, variant, dealing = audit(3, 3 if paired else 4, paired=paired)
    members = np.concatenate([base, variant])
    disagreements = count_by_place(DATA, members)
    sums, denominator = excess_sums(disagreements, dealing)
    for d, row in enumerate(dealing.of_variant):
        if paired:
            swapped = row[:3]
            sides = np.where(swapped[:, None], variant, base), np.where(swapped[:, None], base, variant)
        else:
            sides = members[~row], members[row]
        expected = between_minus_within(*sides, paired=paired)
        assert sums[d, 0] / denominator / N == pytest.approx(expected, abs=1e-12)


def test_unpaired_excess_is_that_of_vote_shares():
    base, variant, dealing = audit(5, 4)
    p0, pv = vote_shares(base, C), vote_shares(variant, C)
    within = 5 / 4 * (1 - (p0**2).sum(axis=1)) + 4 / 3 * (1 - (pv**2).sum(axis=1))
    excess = 1 - (p0 * pv).sum(axis=1) - within / 2
    tested = excess_by_place(*everywhere(base, variant), dealing, [np.arange(1)])
    assert tested.value[0] == pytest.approx(excess.mean(), rel=1e-12)


def everywhere(base, variant):
    disagreements = count_by_place(DATA, np.concatenate([base, variant]))
    groups = DATA.groups
    sizes = [groups.membership[g][groups.cell_of].sum() for g in range(len(groups.names))]
    return disagreements, np.array([*sizes, *np.bincount(LABELS, minlength=C)])


@pytest.mark.parametrize("paired", [False, True])
def test_p_is_the_share_of_all_deals_by_exact_enumeration(paired):
    base, variant, dealing = audit(3, 3, paired=paired, shift=0.05)
    members, observed = np.concatenate([base, variant]), between_minus_within(base, variant, paired=paired)
    if paired:
        deals = [
            (np.where(np.array(s)[:, None], variant, base), np.where(np.array(s)[:, None], base, variant))
            for s in product((False, True), repeat=3)
        ]
    else:
        chosen = [np.isin(np.arange(6), c) for c in combinations(range(6), 3)]
        deals = [(members[~row], members[row]) for row in chosen]
    at_least = [between_minus_within(*sides, paired=paired) >= observed - 1e-12 for sides in deals]
    tested = excess_by_place(*everywhere(base, variant), dealing, [np.arange(1)])
    assert tested.p[0] == pytest.approx(np.mean(at_least))


def test_max_t_is_within_a_family_and_never_below_p():
    tested = excess_by_place(*everywhere(*(parts := audit(4, 4))[:2]), parts[2], [np.array([0]), np.arange(1, 4)])
    assert tested.p_max_t[0] == tested.p[0]
    assert (tested.p_max_t[1:4] >= tested.p[1:4]).all()
    assert np.isnan(tested.p[4:]).all()


def test_where_all_deals_give_the_same_there_is_no_p():
    base = np.tile(LABELS, (3, 1))
    base[:2, 0] = (LABELS[0] + 1) % C  # two members differ, in one group
    dealing = audit(3, 3)[2]
    tested = excess_by_place(*everywhere(base, np.tile(LABELS, (3, 1))), dealing, [np.arange(1, 4)])
    differs = [DATA.groups.membership[g][DATA.groups.cell_of][0] for g in range(1, 4)]
    assert [not np.isnan(p) for p in tested.p[1:4]] == differs
    assert (tested.value[1:4][~np.array(differs)] == 0).all()


def test_real_flips_that_every_member_makes_are_found():
    """Where a rate of exemplars that is permuted would find nothing: at odd K a common flip is in every deal."""
    base = np.where(RNG.random((9, N)) < 0.95, LABELS, (LABELS + 1) % C)
    variant = np.where(RNG.random((9, N)) < 0.95, LABELS, (LABELS + 1) % C)
    variant[:, :3] = (LABELS[:3] + 2) % C
    dealing = deal(setting(DATA, population("v", variant), population("baseline", base)), 999, np.random.default_rng(1))
    tested = excess_by_place(*everywhere(base, variant), dealing, [np.arange(1)])
    assert tested.value[0] == pytest.approx(3 / N, abs=0.02)
    assert tested.p[0] == pytest.approx(0.001)


def nothing_changed(generator, k, *, paired):
    """Two populations of one recipe: examples differ in difficulty, members in quality; pairs share decisions."""
    hard = generator.beta(0.5, 2, 30)

    def members():
        quality = generator.normal(0, 0.5, (k, 1))
        wrong = generator.random((k, 30)) < np.clip(hard * np.exp(quality), 0, 1)
        return np.where(wrong, generator.integers(1, 3, (k, 30)), 0)

    if not paired:
        return members(), members()
    parents = members()
    return tuple(np.where(generator.random((k, 30)) < 0.5, members(), parents) for _ in range(2))


@pytest.mark.parametrize(
    ("paired", "k", "permutations"), [(False, 5, 99), (True, 8, 99), (False, 8, 99), (True, 12, 99)]
)
def test_p_is_valid_where_nothing_changed(paired, k, permutations):
    """Exact deals and random ones: p and the smallest corrected p are at most a in a share of at most a."""
    generator, runs = np.random.default_rng(k + paired), 1500
    labels, team = np.zeros(30, int), list("abc") * 10
    data = dataset(labels, team, classes=(0, 1, 2))
    n = np.array([30, 10, 10, 10])
    single, corrected = np.empty(runs), np.empty(runs)
    for run in range(runs):
        base, variant = nothing_changed(generator, k, paired=paired)
        found = setting(data, population("v", variant, paired=paired), population("baseline", base))
        dealing = deal(found, permutations, generator)
        groups = data.groups
        counted = count_disagreements(np.concatenate([base, variant]), groups.cell_of, groups.membership)
        tested = excess_by_place(counted, n, dealing, [np.arange(1), np.arange(1, 4)])
        single[run], corrected[run] = np.nan_to_num(tested.p[0], nan=1.0), np.nanmin([*tested.p_max_t[1:], 1.0])
    for level in (0.01, 0.05, 0.1):
        most = level + 3 * np.sqrt(level * (1 - level) / runs)
        assert (single <= level).mean() <= most
        assert (corrected <= level).mean() <= most
    # nor is the test so cautious that it could find nothing
    assert (single <= 0.1).mean() > 0.05
