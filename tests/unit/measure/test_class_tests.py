"""The class test against scipy, and its corrections against statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from handmade import dataset, population, setting
from scipy import stats
from statsmodels.stats.multitest import multipletests

from auditor.measure.class_tests import compare_classes
from auditor.measure.multiplicity import benjamini_hochberg, holm

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


def found(tests, *, published, label, group=()):
    (one,) = [t for t in tests if t.published is published and t.label == label and t.group == group]
    return one


@pytest.mark.parametrize("c", [0, 1, 2])
@pytest.mark.parametrize("team", [None, "b"])
def test_the_published_version_subtracts_the_populations_mean_accuracy(c, team):
    tests = compare_classes(setting(DATA, population("v", VARIANT), population("baseline", BASE)), (0, 1, 2))
    y = recalls(VARIANT, c, team) - accuracies(VARIANT).mean()
    x = recalls(BASE, c, team) - accuracies(BASE).mean()
    one = found(tests, published=True, label="pqr"[c], group=(("team", team),) if team else ())
    assert one.p == pytest.approx(stats.ttest_ind(y, x, equal_var=False).pvalue, rel=1e-9)
    assert one.shift == pytest.approx(y.mean() - x.mean())


@pytest.mark.parametrize("paired", [False, True])
def test_the_default_version_subtracts_each_members_own_accuracy(paired):
    tests = compare_classes(
        setting(DATA, population("v", VARIANT, paired=paired), population("baseline", BASE)), (0, 1, 2)
    )
    y, x = recalls(VARIANT, 1) - accuracies(VARIANT), recalls(BASE, 1) - accuracies(BASE)
    expected = stats.ttest_rel(y, x) if paired else stats.ttest_ind(y, x, equal_var=False)
    assert found(tests, published=False, label="q").p == pytest.approx(expected.pvalue, rel=1e-9)


def test_corrections_are_within_a_versions_classes_and_within_its_groups():
    tests = compare_classes(setting(DATA, population("v", VARIANT), population("baseline", BASE)), (0, 1, 2))
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
        tests = compare_classes(setting(DATA, population("v", variant, paired=paired), base), (0,))
        assert {t.p for t in tests} == {None}
        assert {t.undefined for t in tests} == {"no variation between members"}


def test_one_member_is_no_population():
    tests = compare_classes(
        setting(DATA, population("v", VARIANT[:1], claim="artifact"), population("baseline", BASE[:1])), (0,)
    )
    assert {t.undefined for t in tests} == {"needs two finished members of baseline and variant"}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("ours", "method"), [(holm, "holm"), (benjamini_hochberg, "fdr_bh")])
def test_corrections_agree_with_statsmodels(ours, method, seed):
    p = np.random.default_rng(seed).random(17) ** 3
    p[3] = p[5]
    assert ours(p) == pytest.approx(multipletests(p, method=method)[1], rel=1e-12)
    assert len(ours([])) == 0
