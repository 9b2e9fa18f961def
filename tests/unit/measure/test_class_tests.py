"""The class test against scipy, and its corrections against statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from handmade import dataset, population, setting
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestIndPower, TTestPower

from auditor.measure.class_tests import compare_classes
from auditor.measure.dealt_t import compare_means
from auditor.measure.detectable import detectable_shift
from auditor.measure.multiplicity import benjamini_hochberg, holm
from auditor.measure.permutation import deal

RNG = np.random.default_rng(3)
N, K = 300, 6
LABELS = RNG.integers(0, 3, N)
TEAM = [("a", "b")[i] for i in RNG.integers(0, 2, N)]
DATA = dataset(LABELS, TEAM, classes=("p", "q", "r"))


def decide(share, members=K):
    return np.where(RNG.random((members, N)) < share, LABELS, (LABELS + 1) % 3)


BASE, VARIANT = decide(0.9), decide(0.8)


def recalls(decisions, c, team=None):
    own = (c == LABELS) & np.array([team in {None, t} for t in TEAM])
    return (decisions[:, own] == c).mean(axis=1)


def accuracies(decisions):
    return (decisions == LABELS).mean(axis=1)


def compare(data, variant, base, labels, **options):
    audited = setting(data, variant, base, **options)
    return compare_classes(audited, labels, deal(audited, 199, np.random.default_rng(0)))


def found(tests, *, published, label, group=()):
    (one,) = [t for t in tests if t.published is published and t.label == label and t.group == group]
    return one


@pytest.mark.parametrize("c", [0, 1, 2])
@pytest.mark.parametrize("team", [None, "b"])
def test_the_published_version_subtracts_the_populations_mean_accuracy(c, team):
    tests, _ = compare(DATA, population("v", VARIANT), population("baseline", BASE), (0, 1, 2))
    y = recalls(VARIANT, c, team) - accuracies(VARIANT).mean()
    x = recalls(BASE, c, team) - accuracies(BASE).mean()
    one = found(tests, published=True, label="pqr"[c], group=(("team", team),) if team else ())
    assert one.p == pytest.approx(stats.ttest_ind(y, x, equal_var=False).pvalue, rel=1e-9)
    assert one.shift == pytest.approx(y.mean() - x.mean())


@pytest.mark.parametrize("paired", [False, True])
def test_the_default_version_subtracts_each_members_own_accuracy(paired):
    tests, _ = compare(DATA, population("v", VARIANT, paired=paired), population("baseline", BASE), (0, 1, 2))
    y, x = recalls(VARIANT, 1) - accuracies(VARIANT), recalls(BASE, 1) - accuracies(BASE)
    expected = stats.ttest_rel(y, x) if paired else stats.ttest_ind(y, x, equal_var=False)
    assert found(tests, published=False, label="q").p == pytest.approx(expected.pvalue, rel=1e-9)


def test_corrections_are_within_a_versions_classes_and_within_its_groups():
    tests, _ = compare(DATA, population("v", VARIANT), population("baseline", BASE), (0, 1, 2))
    for published in (True, False):
        for everybody in (True, False):
            family = [t for t in tests if t.published is published and (t.group == ()) is everybody]
            assert len(family) == (3 if everybody else 6)
            expected = multipletests([t.p for t in family], method="holm")[1]
            assert [t.p_holm for t in family] == pytest.approx(list(expected))


def test_without_variation_between_members_there_is_no_test():
    same = np.repeat(BASE[:1], 3, axis=0)
    for variant, paired in ((same, False), (BASE[:3], True)):
        base = population("baseline", same if not paired else BASE[:3])
        tests, _ = compare(DATA, population("v", variant, paired=paired), base, (0,))
        assert {t.p for t in tests} == {None}
        assert {t.undefined for t in tests} == {"no variation between members"}


def test_one_member_is_no_population():
    tests, _ = compare(DATA, population("v", VARIANT[:1], claim="artifact"), population("baseline", BASE[:1]), (0,))
    assert {t.undefined for t in tests} == {"a given file is no sample of models: there is nothing to deal"}
    alone, _ = compare(DATA, population("v", VARIANT[:1]), population("baseline", BASE), (0,))
    assert {t.undefined for t in alone} == {"needs two finished members that differ, of baseline and of variant"}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("ours", "method"), [(holm, "holm"), (benjamini_hochberg, "fdr_bh")])
def test_corrections_agree_with_statsmodels(ours, method, seed):
    p = np.random.default_rng(seed).random(17) ** 3
    p[3] = p[5]
    assert ours(p) == pytest.approx(multipletests(p, method=method)[1], rel=1e-12)
    assert len(ours([])) == 0


def relative(decisions, members, c, *, published):
    own = recalls(decisions[members], c)
    return own - (accuracies(decisions[members]).mean() if published else accuracies(decisions[members]))


@pytest.mark.parametrize("published", [False, True])
@pytest.mark.parametrize("paired", [False, True])
def test_max_t_and_what_chance_gives_are_those_of_a_loop_over_all_deals(published, paired):
    base, variant = BASE[:4], VARIANT[:4]
    tests, families = compare(
        DATA, population("v", variant, paired=paired), population("baseline", base), (0, 1, 2), min_group=2
    )
    members = np.concatenate([base, variant])
    dealing = deal(
        setting(DATA, population("v", variant, paired=paired), population("baseline", base)), 9, np.random.default_rng()
    )
    t, p = np.empty((len(dealing.of_variant), 3)), np.empty((len(dealing.of_variant), 3))
    for d, row in enumerate(dealing.of_variant):
        order = [k if row[k + 4] else k + 4 for k in range(4)], [k + 4 if row[k + 4] else k for k in range(4)]
        theirs, ours = order if paired else (np.flatnonzero(~row), np.flatnonzero(row))
        for c in range(3):
            y, x = (relative(members, side, c, published=published) for side in (ours, theirs))
            one = stats.ttest_rel(y, x) if paired else stats.ttest_ind(y, x, equal_var=False)
            t[d, c], p[d, c] = abs(one.statistic), one.pvalue
    order, expected, worst = np.argsort(-t[0]), {}, 0.0
    for place, c in enumerate(order):
        worst = max(worst, (t[:, order[place:]].max(axis=1) >= t[0, c] - 1e-9).mean())
        expected[c] = worst
    classes = [x for x in tests if x.published is published and x.group == ()]
    assert [x.p for x in classes] == pytest.approx(list(p[0]), rel=1e-9)
    assert [x.p_max_t for x in classes] == pytest.approx([expected[c] for c in range(3)])
    (family,) = [f for f in families if f.published is published and f.about == "classes"]
    assert family.expected == pytest.approx((p <= 0.05).sum(axis=1).mean())
    assert family.tested == 3
    assert family.deals.enumerated


@pytest.mark.parametrize(("paired", "k"), [(False, 5), (True, 8)])
def test_max_t_is_valid_where_nothing_changed(paired, k):
    generator, runs = np.random.default_rng(2), 1500
    empty = np.zeros((k, 1), int)
    dealing = deal(
        setting(dataset([0]), population("v", empty, paired=paired), population("baseline", empty), min_group=2),
        99,
        generator,
    )
    smallest = np.empty(runs)
    for run in range(runs):
        # skewed, correlated between places, and few different values, as recalls of small classes are
        members = np.round(generator.gamma(1, 1, (2 * k, 6)) + generator.gamma(1, 1, (2 * k, 1)), 1)
        smallest[run] = np.nanmin([*compare_means(members, members, dealing).p_max_t, 1.0])
    for level in (0.01, 0.05, 0.1):
        assert (smallest <= level).mean() <= level + 3 * np.sqrt(level * (1 - level) / runs)
    assert (smallest <= 0.1).mean() > 0.05


def test_a_class_that_moves_apart_is_found_by_max_t():
    labels = np.repeat([0, 1, 2], 200)
    wrong = np.array([0.1, 0.1, 0.1]), np.array([0.1, 0.1, 0.4])
    base, variant = (np.where(RNG.random((8, 600)) < share[labels], (labels + 1) % 3, labels) for share in wrong)
    tests, _ = compare(
        dataset(labels, classes=("p", "q", "r")), population("v", variant), population("baseline", base), ()
    )
    assert found(tests, published=False, label="r").p_max_t <= 0.01
    assert found(tests, published=False, label="r").shift < -0.1


def test_min_group_counts_clusters_where_there_are_any():
    cluster = np.where(LABELS == 0, np.arange(N) // 100, np.arange(N))
    data = dataset(LABELS, TEAM, classes=("p", "q", "r"), cluster=cluster)
    tests, _ = compare(data, population("v", VARIANT), population("baseline", BASE), (0, 1, 2), min_group=10)
    few = found(tests, published=False, label="p")
    assert (few.p, few.shift) == (None, None)
    assert few.undefined == f"{len(set(cluster[LABELS == 0]))} clusters, of the 10 that are needed"
    assert found(tests, published=False, label="q").p is not None


def test_a_class_that_is_not_in_the_test_set_is_undefined_and_leaves_the_others_alone():
    more = dataset(LABELS, TEAM, classes=("p", "q", "r", "none"))
    pair = population("v", VARIANT), population("baseline", BASE)
    tests, families = compare(more, *pair, (0, 1, 2, 3))
    none = found(tests, published=False, label="none")
    assert (none.p, none.p_max_t, none.shift) == (None, None, None)
    assert none.undefined == "0 examples, of the 2 that are needed"
    without, _ = compare(DATA, *pair, (0, 1, 2))
    assert found(tests, published=False, label="q") == found(without, published=False, label="q")
    assert families[0].tested == 3


@pytest.mark.parametrize(
    ("paired", "table"),
    [
        (False, {3: 3.07, 5: 2.02, 10: 1.33, 20: 0.91, 30: 0.74}),
        (True, {3: 3.26, 5: 1.68, 10: 1.00, 20: 0.66, 30: 0.53}),
    ],
)
def test_the_detectable_shift_is_that_of_the_noncentral_t(paired, table):
    for k, shift in table.items():
        assert detectable_shift(k, k, paired=paired) == pytest.approx(shift, abs=0.006)
        solved = (
            TTestPower().solve_power(nobs=k, alpha=0.05, power=0.8)
            if paired
            else TTestIndPower().solve_power(nobs1=k, alpha=0.05, power=0.8)
        )
        assert detectable_shift(k, k, paired=paired) == pytest.approx(solved, rel=1e-4)
    assert detectable_shift(1, 5, paired=False) is None


def test_the_detectable_shift_of_unequal_sizes_lies_between():
    assert detectable_shift(10, 10, paired=False) < detectable_shift(5, 10, paired=False)
    assert detectable_shift(5, 10, paired=False) < detectable_shift(5, 5, paired=False)


def test_the_detectable_shift_is_known_for_every_size_and_falls():
    shifts = [detectable_shift(k, k, paired=True) for k in (*range(2, 61), 1000)]
    assert shifts == sorted(shifts, reverse=True)
    assert all(detectable_shift(k, m, paired=False) > 0 for k in range(2, 40, 3) for m in range(2, 90, 7))
