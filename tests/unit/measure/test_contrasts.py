"""Bounds of gaps, ratios and precision against formulas written out example by example, and their p against both."""

from __future__ import annotations

import numpy as np
import pytest
from handmade import dataset, one, population
from scipy import optimize, stats

from auditor.measure.contrasts import TermArrays, member_term
from auditor.measure.intervals import end_of, further_member, p_beyond
from auditor.measure.spread import allow_for_skewness, between_members
from auditor.records import Bound, Term

RNG = np.random.default_rng(11)
N, A, B = 260, slice(0, 150), slice(150, 260)
LABELS = np.ones(N, int)
TEAM = ["a"] * 150 + ["b"] * 110
BASE = (RNG.random((5, N)) < 0.8).astype(int)
VARIANT = (RNG.random((4, N)) < 0.7).astype(int)
DATA = dataset(LABELS, TEAM)
T = stats.t.ppf


def found(compare, *, paired=False, metric="recall", group=2, **options):
    base = BASE[:4] if paired else BASE
    pair = (population("v", VARIANT, paired=paired), population("baseline", base))
    return one(DATA, *pair, metric, compare, label=1, group=group, **options)


def with_pseudo(a, extreme):
    """Mean with 1.5 pseudo-examples at an extreme, and the variance of the mean at weights c: a function of c."""
    size = a.shape[1] + 1.5
    mean = (a.sum(axis=1) + 1.5 * np.array(extreme)) / size

    def variance(c):
        own = np.array(c) @ a
        spread = (own**2).sum() + 1.5 * (np.array(c) @ extreme) ** 2 - size * (np.array(c) @ mean) ** 2
        return spread / ((size - 1) * size)

    return mean, variance


def lower_end(*, change, paired):
    """Solve the contrast of a ratio, or of its change, for the limit that it touches, from the formulas alone."""
    votes = np.stack([VARIANT.mean(axis=0), (BASE[:4] if paired else BASE).mean(axis=0)])
    own, own_variance = with_pseudo(votes[:, B], (0.0, 1.0))
    other, other_variance = with_pseudo(votes[:, A], (1.0, 0.0))
    v, b = [(m[:, B].mean(axis=1), m[:, A].mean(axis=1)) for m in (VARIANT, BASE[:4] if paired else BASE)]

    def room(L):
        if change:
            here, there = (other[1], -other[0]), (-own[1] - L * other[1], own[0] - L * other[0])
            center = own[0] * other[1] - own[1] * other[0] - L * other[0] * other[1]
        else:
            here, there = (1.0, 0.0), (-L, 0.0)
            center = own[0] - L * other[0]
        parts = here[0] * v[0] + there[0] * v[1], here[1] * b[0] + there[1] * b[1]
        spread = T(0.95, 109) ** 2 * own_variance(here) + T(0.95, 149) ** 2 * other_variance(there)
        if paired and change:
            spread += T(0.95, 3) ** 2 * (parts[0] + parts[1]).var(ddof=1) / 4
        else:
            spread += T(0.95, 3) ** 2 * parts[0].var(ddof=1) / 4
            spread += T(0.95, 4) ** 2 * parts[1].var(ddof=1) / 5 if change else 0.0
        return center - np.sqrt(spread)

    return optimize.brentq(room, -2.0, float(own[0] / other[0]), xtol=1e-14)


@pytest.mark.parametrize("change", [False, True])
@pytest.mark.parametrize("paired", [False, True])
def test_the_end_of_a_ratio_is_where_its_linear_contrast_touches(change, paired):
    estimate = found("ratio_change" if change else "ratio", paired=paired)
    assert estimate.low == pytest.approx(lower_end(change=change, paired=paired), abs=1e-10)
    assert estimate.low < estimate.value < estimate.high


@pytest.mark.parametrize("compare", ["ratio", "ratio_change", "to_overall_change", "disparity"])
@pytest.mark.parametrize(("side", "end"), [(-1, "low"), (1, "high")])
def test_p_at_an_end_is_the_level_of_the_end(compare, side, end):
    estimate = found(compare)
    bound = estimate.lower if side < 0 else estimate.upper
    assert p_beyond(bound, side, getattr(estimate, end)) == pytest.approx(0.05, rel=1e-6)
    assert end_of(bound, side, 0.8) == pytest.approx(end_of(bound, side, 0.8))
    assert p_beyond(bound, side, end_of(bound, side, 0.8)) == pytest.approx(0.2, rel=1e-6)


def test_a_ratio_of_groups_that_swap_is_its_inverse():
    swapped = dataset(LABELS, TEAM)
    swapped = type(swapped)(
        **{f: getattr(swapped, f) for f in swapped.__slots__ if f != "groups"},
        groups=type(DATA.groups)(
            names=DATA.groups.names,
            membership=DATA.groups.membership,
            cell_of=DATA.groups.cell_of,
            reference=np.array([-1, 2, 2]),
        ),
    )
    pair = (population("v", VARIANT), population("baseline", BASE))
    inverse = one(swapped, *pair, "recall", "ratio", label=1, group=1)
    plain = found("ratio")
    assert (inverse.low, inverse.high) == pytest.approx((1 / plain.high, 1 / plain.low), rel=1e-9)


def test_the_difference_to_everybody_weighs_those_who_are_outside():
    estimate = found("to_overall_change")
    outside = 150 / N
    a = np.stack([VARIANT.mean(axis=0), BASE.mean(axis=0)])
    (mean, variance), (mean_out, variance_out) = with_pseudo(a[:, B], (0.0, 1.0)), with_pseudo(a[:, A], (1.0, 0.0))
    center = outside * (mean[0] - mean[1] - mean_out[0] + mean_out[1])
    gaps = [m[:, B].mean(axis=1) - m.mean(axis=1) for m in (VARIANT, BASE)]
    spread = T(0.95, 109) ** 2 * variance((outside, -outside)) + T(0.95, 149) ** 2 * variance_out((outside, -outside))
    spread += sum(T(0.95, len(g) - 1) ** 2 * g.var(ddof=1) / len(g) for g in gaps)
    assert estimate.low == pytest.approx(center - np.sqrt(spread), rel=1e-10)
    assert estimate.value == pytest.approx(gaps[0].mean() - gaps[1].mean())


def test_a_ratio_to_a_rate_that_may_be_0_has_no_upper_end():
    labels, team = np.ones(40, int), ["a"] * 20 + ["b"] * 20
    rare = np.zeros((3, 40), int)
    rare[0, 0] = rare[1, 25] = rare[2, 26] = 1
    pair = (population("v", rare), population("baseline", rare))
    estimate = one(dataset(labels, team), *pair, "selection_rate", "ratio", label=1, group=2)
    assert estimate.value == pytest.approx(2.0)
    assert (estimate.low, estimate.high) == (0.0, None)


def test_precision_is_a_mean_over_members_and_its_bound_covers():
    rng = np.random.default_rng(5)
    truth, covered = 0.7, 0
    for _ in range(300):
        labels = rng.integers(0, 2, 400)
        share = np.where(labels == 1, 0.35, 0.15)
        decisions = (rng.random((1, 400)) < share).astype(int)
        pair = (population("v", decisions, claim="artifact"), population("baseline", decisions, claim="artifact"))
        estimate = one(dataset(labels), *pair, "precision", "value", label=1)
        assert estimate.value == pytest.approx(labels[decisions[0] == 1].mean())
        covered += estimate.low <= truth
    assert covered >= 300 * 0.95 - 3 * np.sqrt(300 * 0.05 * 0.95)


def test_precision_of_a_population_holds_its_own_value():
    labels = RNG.integers(0, 2, N)
    decisions = np.where(RNG.random((4, N)) < 0.8, labels, 1 - labels)
    pair = (population("v", decisions), population("baseline", BASE))
    estimate = one(dataset(labels), *pair, "precision", "change", label=1)
    each = [np.mean([labels[m == 1].mean() for m in side]) for side in (decisions, BASE)]
    assert estimate.value == pytest.approx(each[0] - each[1])
    assert estimate.low < estimate.value < estimate.high


def test_one_further_model_varies_by_itself():
    members = Term(source="members", variance=2e-5, df=4)
    bound = Bound(center=0.0, terms=(Term(source="examples", variance=1e-5, df=99), members))
    between = 5 * 2e-5
    wide = T(0.95, 99) ** 2 * 1e-5 + T(0.95, 4) ** 2 * (2e-5 + between)
    assert end_of(further_member(bound), -1, 0.95) == pytest.approx(-np.sqrt(wide))


def test_the_spread_between_members_is_found_on_the_probit_scale():
    rng = np.random.default_rng(3)
    rates = stats.norm.cdf(1.0 + 0.2 * rng.standard_normal((4000, 1, 1)))
    n = 500
    seen = rng.binomial(n, rates) / n
    within = (seen * (1 - seen)).mean(axis=0) / n
    assert between_members(seen, seen, within, np.arange(4000))[0, 0] == pytest.approx(0.2, abs=0.01)
    assert np.isnan(between_members(seen[:1], seen[:1], within, np.arange(1))[0, 0])
    assert between_members(np.ones((3, 1, 1)), np.ones((3, 1, 1)), np.zeros((1, 1)), np.arange(3))[0, 0] == 0


def members_term(variance, K=10):
    one = np.array([variance])
    return TermArrays(
        source="members", variance=one, covariance=0 * one, variance_below=0 * one, df=np.array([K - 1.0])
    )


def widening(score, s, K=10):
    """By what variance grows, for a normal score beyond one half and a standard deviation on the probit scale."""
    t = T(0.95, K - 1)
    return (1 + max(score, 0.0) * s * (2 * t**2 + 1) / (t * np.sqrt(K))) ** 2


@pytest.mark.parametrize(("rate", "wide", "narrow"), [(0.95, -1, 1), (0.05, 1, -1)])
def test_skewness_widens_the_end_that_large_steps_lie_on(rate, wide, narrow):
    terms, rates = (members_term(1e-5),), (np.full((10, 1), rate),) * 2
    z = abs(stats.norm.ppf(rate))
    factor = widening(z, np.sqrt(1e-4) / stats.norm.pdf(z))
    (found,) = allow_for_skewness(terms, rates, wide)
    assert found.variance[0] == pytest.approx(1e-5 * factor)
    (found,) = allow_for_skewness(terms, rates, narrow)
    assert found.variance[0] == 1e-5


def test_skewness_of_a_baseline_is_set_off_only_as_far_as_it_varies_itself():
    density, score = stats.norm.pdf, stats.norm.ppf
    rates = (np.full((10, 1), 0.9), np.full((10, 1), 0.95))
    s = np.array([0.2, 0.1])
    pair = tuple(members_term((x * density(score(rate))) ** 2 / 10) for x, rate in zip(s, (0.9, 0.95), strict=True))
    ours, theirs = allow_for_skewness(pair, rates, -1)
    against = score(0.95) * (density(score(0.95)) / density(score(0.9))) ** 3 * (0.1 / 0.2) ** 4
    assert ours.variance[0] == pytest.approx(pair[0].variance[0] * widening(score(0.9) - against, 0.2))
    assert theirs.variance[0] == pytest.approx(pair[1].variance[0])
    # at the other end only the baseline's own large steps could count, and the variant's are larger
    ours, theirs = allow_for_skewness(pair, rates, 1)
    assert theirs.variance[0] == pytest.approx(pair[1].variance[0])
    assert ours.variance[0] == pytest.approx(pair[0].variance[0])


def test_what_is_skewed_the_same_way_is_not_counted_twice():
    rates = (np.full((10, 1), 0.9), np.full((10, 1), 0.2))
    pair = (members_term(1e-4), members_term(1e-4))
    together = allow_for_skewness(pair, rates, -1)
    (ours,) = allow_for_skewness(pair[:1], rates, -1)
    assert together[0].variance[0] == pytest.approx(ours.variance[0])
    assert together[1].variance[0] > 1e-4


def test_a_baseline_that_does_not_vary_sets_nothing_off():
    rates = (np.full((10, 1), 0.95), np.full((10, 1), 0.97))
    ours, theirs = allow_for_skewness((members_term(1e-5), members_term(0.0)), rates, -1)
    (alone,) = allow_for_skewness((members_term(1e-5),), rates, -1)
    assert ours.variance[0] == pytest.approx(alone.variance[0])
    assert theirs.variance[0] == 0


def test_copies_in_blocks_make_the_variance_of_a_mean_of_unequal_weights():
    values = np.array([[0.1], [0.1], [0.1], [0.2], [0.4]])
    term = member_term("members", (values, 0 * values), np.array([0, 0, 0, 1, 2]))
    shares = (0.6**2) + 2 * 0.2**2
    assert term.variance[0] == pytest.approx(max(np.var([0.1, 0.2, 0.4], ddof=1), values.var(ddof=1)) * shares)
    assert term.df[0] == pytest.approx(1 / shares - 1)
