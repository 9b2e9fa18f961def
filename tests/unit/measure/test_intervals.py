"""Bounds against the formulas written out for one group, example by example, and against scipy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from handmade import dataset, one, population
from scipy import stats

from auditor.measure.intervals import clopper_pearson, end_of, p_beyond, p_proportion, seeds_only
from auditor.records import Bound, Term, Verdict

RNG = np.random.default_rng(7)
N = 200
LABELS = np.ones(N, int)
TEAM = ["a"] * 120 + ["b"] * 80
BASE = (RNG.random((5, N)) < 0.8).astype(int)
VARIANT = (RNG.random((4, N)) < 0.7).astype(int)
T = stats.t.ppf


def examples_by_hand(harm):
    """Centre and variance with 1.5 pseudo-examples at full harm, 1."""
    n = len(harm)
    size = n + 1.5
    mean = (harm.sum() + 1.5) / size
    return mean, ((harm**2).sum() + 1.5 - size * mean**2) / ((size - 1) * size)


def member_variance(decisions):
    return decisions.mean(axis=1).var(ddof=1) / len(decisions)


def skewed(variance, rate, K=4, *, fall=True, against=None):
    """Variance over K members, allowing for skewness towards a fall from a rate above one half, or towards a rise.

    `against` is the variance, the rate and the number of members of a baseline that is skewed too.
    """
    t = T(0.95, K - 1)
    score, s = probit(variance, rate, K)
    z = score
    if against is not None:
        other, other_s = probit(*against)
        cubes = (stats.norm.pdf(other) / stats.norm.pdf(score)) ** 3
        z = score - other * cubes * min(1.0, other_s / s) ** 4
    z = max(z if fall else -z, 0.0)
    return variance * (1 + z * s * (2 * t**2 + 1) / (t * np.sqrt(K))) ** 2


def probit(variance, rate, K):
    """Score of a rate, and standard deviation between members on its scale."""
    score = stats.norm.ppf(rate)
    return score, np.sqrt(variance * K) / stats.norm.pdf(score)


def test_an_unpaired_change_has_a_quantile_for_each_source():
    found = one(
        dataset(LABELS, TEAM), population("v", VARIANT), population("baseline", BASE), "recall", "change", label=1
    )
    harm = BASE.mean(axis=0) - VARIANT.mean(axis=0)
    center, variance = examples_by_hand(harm)
    ours = (member_variance(VARIANT), VARIANT.mean(), 4)
    theirs = (member_variance(BASE), BASE.mean(), 5)
    members, baseline = skewed(*ours, against=theirs), skewed(*theirs, against=ours, fall=False)
    assert members > member_variance(VARIANT)
    spread = T(0.95, N - 1) ** 2 * variance + T(0.95, 3) ** 2 * members + T(0.95, 4) ** 2 * baseline
    assert -found.low == pytest.approx(center + np.sqrt(spread), rel=1e-12)
    center, variance = examples_by_hand(-harm)
    members, baseline = skewed(*ours, against=theirs, fall=False), skewed(*theirs, against=ours)
    spread = T(0.95, N - 1) ** 2 * variance + T(0.95, 3) ** 2 * members + T(0.95, 4) ** 2 * baseline
    assert found.high == pytest.approx(center + np.sqrt(spread), rel=1e-12)
    assert found.low < found.value < found.high


def test_a_paired_change_takes_the_variance_of_the_differences_of_pairs():
    base = BASE[:4]
    found = one(
        dataset(LABELS),
        population("v", VARIANT, paired=True),
        population("baseline", base),
        "recall",
        "change",
        label=1,
    )
    center, variance = examples_by_hand(base.mean(axis=0) - VARIANT.mean(axis=0))
    pairs = skewed((VARIANT.mean(axis=1) - base.mean(axis=1)).var(ddof=1) / 4, VARIANT.mean())
    assert -found.low == pytest.approx(
        center + np.sqrt(T(0.95, N - 1) ** 2 * variance + T(0.95, 3) ** 2 * pairs), rel=1e-12
    )


def test_pairs_are_of_members_where_both_finished():
    variant = population("v", VARIANT, paired=True)
    base = population("baseline", BASE[:4])
    whole = one(dataset(LABELS), variant, base, "recall", "change", label=1)
    lost = replace(
        base,
        predictions=replace(base.predictions, members=(0, 1, 3), decisions=BASE[[0, 1, 3]], digests=("p", "q", "r")),
    )
    found = one(dataset(LABELS), variant, lost, "recall", "change", label=1)
    assert found.members == 3
    assert found.value == pytest.approx(VARIANT[[0, 1, 3]].mean() - BASE[[0, 1, 3]].mean())
    assert found.value != whole.value


def test_one_given_baseline_leaves_only_the_variants_members_sampled():
    found = one(
        dataset(LABELS),
        population("v", VARIANT, paired=True, fixed_baseline=True),
        population("baseline", np.repeat(BASE[:1], 4, axis=0), digests=list("abcd")),
        "recall",
        "change",
        label=1,
    )
    center, variance = examples_by_hand(BASE[0] - VARIANT.mean(axis=0))
    members = skewed(member_variance(VARIANT), VARIANT.mean())
    spread = T(0.95, N - 1) ** 2 * variance + T(0.95, 3) ** 2 * members
    assert -found.low == pytest.approx(center + np.sqrt(spread), rel=1e-12)


def test_an_artifact_has_no_member_variance():
    found = one(
        dataset(LABELS),
        population("v", VARIANT[:1], paired=True, fixed_baseline=True, claim="artifact"),
        population("baseline", BASE[:1], claim="artifact"),
        "recall",
        "change",
        label=1,
    )
    center, variance = examples_by_hand((BASE[0] - VARIANT[0]).astype(float))
    assert -found.low == pytest.approx(center + T(0.95, N - 1) * np.sqrt(variance), rel=1e-12)


def test_a_change_of_disparity_adds_examples_and_takes_members_by_their_own_gap():
    data = dataset(LABELS, TEAM)
    found = one(
        data, population("v", VARIANT), population("baseline", BASE), "recall", "disparity_change", label=1, group=2
    )
    a, b = slice(0, 120), slice(120, N)
    harm = BASE.mean(axis=0) - VARIANT.mean(axis=0)
    center_b, variance_b = examples_by_hand(harm[b])
    center_a, variance_a = examples_by_hand(-harm[a])
    gaps = [m[:, b].mean(axis=1) - m[:, a].mean(axis=1) for m in (VARIANT, BASE)]
    spread = T(0.95, 79) ** 2 * variance_b + T(0.95, 119) ** 2 * variance_a
    spread += sum(T(0.95, len(g) - 1) ** 2 * g.var(ddof=1) / len(g) for g in gaps)
    assert -found.low == pytest.approx(center_b + center_a + np.sqrt(spread), rel=1e-12)


def test_clusters_add_up_before_they_are_squared():
    cluster = np.repeat(np.arange(40), 5)
    data = dataset(LABELS, cluster=cluster)
    found = one(
        data,
        population("v", VARIANT[:1], paired=True, claim="artifact"),
        population("baseline", BASE[:1], claim="artifact"),
        "recall",
        "change",
        label=1,
    )
    harm = (BASE[0] - VARIANT[0]).astype(float)
    n, size = N + 1.5 * 5, 5
    center = (harm.sum() + 1.5 * size) / n
    sums = harm.reshape(40, 5).sum(axis=1)
    spread = ((sums - size * center) ** 2).sum() + 1.5 * (size - size * center) ** 2
    variance = 41.5 / 40.5 * spread / n**2
    assert -found.low == pytest.approx(center + T(0.95, 39) * np.sqrt(variance), rel=1e-12)


def test_clusters_of_one_example_change_nothing():
    pair = (population("v", VARIANT), population("baseline", BASE))
    alone = one(dataset(LABELS, TEAM), *pair, "recall", "change", label=1, group=2)
    clustered = one(dataset(LABELS, TEAM, cluster=np.arange(N)), *pair, "recall", "change", label=1, group=2)
    assert clustered.low == pytest.approx(alone.low, rel=1e-12)
    assert clustered.high == pytest.approx(alone.high, rel=1e-12)


def test_no_change_in_a_small_group_is_no_certainty():
    base = population("baseline", np.ones((3, 12), int), digests=list("abc"))
    variant = population("v", np.ones((3, 12), int), digests=list("def"))
    found = one(dataset(np.ones(12, int)), variant, base, "recall", "change", label=1)
    assert found.value == 0
    assert found.low < -0.2


def test_copies_of_a_member_stay_in_the_mean_but_are_no_evidence_of_how_members_vary():
    copies = VARIANT[[0, 0, 1, 0]]
    found = one(
        dataset(LABELS),
        population("v", copies, digests=["x", "x", "y", "x"]),
        population("baseline", BASE),
        "recall",
        "change",
        label=1,
    )
    assert found.members == 2
    assert found.value == pytest.approx(copies.mean() - BASE.mean())
    (term,) = [t for t in found.lower.terms if t.source == "members"]
    # three of four members are one: two blocks with weights 3/4 and 1/4
    weight = 0.75**2 + 0.25**2
    assert term.df == pytest.approx(1 / weight - 1)
    assert term.variance >= VARIANT[:2].mean(axis=1).var(ddof=1) * weight - 1e-15


def test_members_that_happen_to_agree_do_not_hide_a_loss():
    base = np.vstack([np.ones((16, N), int), BASE[:4]])
    variant = (RNG.random((20, N)) < 0.9).astype(int)
    given = population("baseline", base, digests=["same"] * 16 + list("abcd"))
    found = one(dataset(LABELS), population("v", variant), given, "recall", "change", label=1)
    assert found.value == pytest.approx(variant.mean() - base.mean())
    assert found.low < found.value


def pairs(variant, baseline):
    """The recall's change from pairs of files with these digests."""
    return one(
        dataset(LABELS),
        population("v", VARIANT, paired=True, digests=list(variant)),
        population("baseline", BASE[:4], digests=list(baseline)),
        "recall",
        "change",
        label=1,
    )


def test_pairs_that_share_a_file_are_no_evidence_apart_from_one_another():
    assert pairs("wxyz", "abcd").members == 4
    assert pairs("wxyz", "aabb").members == 2
    assert pairs("wwyz", "abbd").members == 2
    assert "two finished members" in pairs("wxyz", "aaaa").undefined
    assert "two finished members" in pairs("wwyy", "abba").undefined


def test_one_cluster_that_is_most_of_the_data_is_little_evidence():
    cluster = np.array([0] * 100 + list(range(1, 101)))
    pair = (
        population("v", VARIANT[:1], paired=True, claim="artifact"),
        population("baseline", BASE[:1], claim="artifact"),
    )
    found = one(dataset(LABELS, cluster=cluster), *pair, "recall", "change", label=1)
    (term,) = found.lower.terms
    effective = N**2 / (100**2 + 100)
    assert term.df == pytest.approx(effective - 1)
    harm, m = (BASE[0] - VARIANT[0]).astype(float), np.bincount(cluster)
    size = N / 101
    n = N + 1.5 * size
    center = (harm.sum() + 1.5 * size) / n
    spread = ((np.bincount(cluster, harm) - m * center) ** 2).sum() + 1.5 * (size - size * center) ** 2
    assert term.variance == pytest.approx(spread / (n**2 - (m**2).sum() - 1.5 * size**2))
    small = one(dataset(LABELS, cluster=cluster), *pair, "recall", "change", label=1, min_group=5)
    assert "3 effective clusters" in small.undefined


def test_a_variant_without_a_finished_member_is_undefined_and_stops_nothing():
    none = population("v", np.zeros((0, N), int))
    data = dataset(LABELS, TEAM)
    found = one(data, none, population("baseline", BASE), "recall", "change", label=1, group=1)
    assert (found.value, found.undefined) == (None, "no member finished")


def test_a_recipe_claim_from_one_member_is_undefined():
    found = one(
        dataset(LABELS), population("v", VARIANT[:1]), population("baseline", BASE), "recall", "change", label=1
    )
    assert found.value is None
    assert "two finished members" in found.undefined


def test_one_models_own_rate_has_the_exact_interval():
    found = one(
        dataset(LABELS),
        population("v", VARIANT[:1], claim="artifact"),
        population("baseline", BASE[:1], claim="artifact"),
        "recall",
        "value",
        label=1,
    )
    exact = stats.binomtest(int(VARIANT[0].sum()), N).proportion_ci(0.9, method="exact")
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high), rel=1e-12)
    assert found.method == "clopper-pearson"


@pytest.mark.parametrize("successes", [0, 3, 20])
@pytest.mark.parametrize("side", [-1, 1])
def test_an_exact_bound_and_its_p_agree(successes, side):
    bound = clopper_pearson(successes, 20, side, 0.95)
    if 0 < bound < 1:
        assert p_proportion(successes, 20, side, bound) == pytest.approx(0.05, rel=1e-6)


@pytest.mark.parametrize(("side", "alternative"), [(-1, "greater"), (1, "less")])
@pytest.mark.parametrize("limit", [0.0, 1e-6, 0.02, 0.5, 0.97, 1.0])
def test_the_p_of_a_proportion_is_the_binomial_tests(side, alternative, limit):
    for n in (1, 7, 50, 20_000):
        for successes in {0, 1, n // 3, n - 1, n}:
            exact = stats.binomtest(successes, n, limit, alternative=alternative).pvalue
            assert p_proportion(successes, n, side, limit) == pytest.approx(exact, rel=1e-9, abs=1e-300)


BOUND = Bound(
    center=0.03,
    terms=(
        Term(source="examples", variance=1e-4, df=99),
        Term(source="members", variance=4e-5, df=4),
        Term(source="baseline members", variance=2e-5, df=9),
    ),
)


@pytest.mark.parametrize("confidence", [0.6, 0.9, 0.95, 0.999])
@pytest.mark.parametrize("side", [-1, 1])
def test_p_is_the_level_at_which_the_bound_touches_the_limit(confidence, side):
    limit = end_of(BOUND, side, confidence)
    assert p_beyond(BOUND, side, limit) == pytest.approx(1 - confidence, rel=1e-8)
    mirrored = 2 * BOUND.center - limit
    assert p_beyond(BOUND, side, mirrored) == pytest.approx(confidence, rel=1e-8)


def test_p_with_one_source_is_students():
    bound = Bound(center=0.05, terms=(Term(source="examples", variance=4e-4, df=30),))
    assert p_beyond(bound, -1, 0.02) == pytest.approx(stats.t.sf(0.03 / 0.02, 30), rel=1e-9)
    assert p_beyond(bound, -1, 0.05) == pytest.approx(0.5)


def test_the_seeds_only_interval_is_welchs_and_passes_what_the_whole_one_does_not():
    terms = (
        Term(source="examples", variance=9e-4, df=50),
        Term(source="members", variance=1e-6, df=9),
        Term(source="baseline members", variance=1e-6, df=9),
    )
    bound = Bound(center=-0.01, terms=terms)
    assert seeds_only(bound, -0.01, (-0.02, None), 0.95) is Verdict.PASS
    assert end_of(bound, -1, 0.95) < -0.02
    assert seeds_only(bound, -0.03, (-0.02, None), 0.95) is Verdict.FAIL
    assert seeds_only(bound, -0.021, (-0.02, None), 0.95) is Verdict.INCONCLUSIVE
    assert seeds_only(replace(bound, terms=terms[:1]), -0.01, (-0.02, None), 0.95) is None
