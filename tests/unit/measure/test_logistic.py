"""Logistic regression against statsmodels, on rows that stand for many examples."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special
from statsmodels.discrete.discrete_model import Logit
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM

from auditor.measure import logistic
from auditor.measure.logistic import fit_logistic

N = 2000
RNG = np.random.default_rng(4)
DESIGN = np.stack([np.ones(N), RNG.integers(0, 2, N), RNG.integers(0, 5, N) / 4], axis=1)
CHOSEN = RNG.random(N) < 0.1 + 0.1 * DESIGN[:, 1] + 0.2 * DESIGN[:, 2]
ONES = np.ones(N, int)


def collapsed():
    rows, n = np.unique(np.column_stack([DESIGN, CHOSEN]), axis=0, return_counts=True)
    return rows[:, -1] == 1, rows[:, :-1], n


def test_rows_with_counts_fit_as_every_example_alone_does():
    theirs = Logit(CHOSEN.astype(float), DESIGN).fit(disp=0, tol=1e-10)
    for chosen, design, n in (collapsed(), (CHOSEN, DESIGN, ONES)):
        ours = fit_logistic(chosen, design, n, None)
        assert ours.settled.all()
        assert ours.coefficients == pytest.approx(theirs.params, rel=1e-8)
        assert ours.errors == pytest.approx(theirs.bse, rel=1e-8)
        assert np.array_equal(ours.robust, ours.errors)


def test_clusters_give_the_robust_errors_of_statsmodels():
    cluster = np.arange(N) // 7
    theirs = Logit(CHOSEN.astype(float), DESIGN).fit(disp=0, cov_type="cluster", cov_kwds={"groups": cluster})
    assert fit_logistic(CHOSEN, DESIGN, ONES, cluster).robust == pytest.approx(theirs.bse, rel=1e-6)


def test_a_column_without_a_limit_is_known_by_its_error_and_leaves_the_others_theirs():
    chosen = CHOSEN & (DESIGN[:, 1] == 1)
    ours = fit_logistic(chosen, DESIGN, ONES, None)
    rest = DESIGN[:, 1] == 1
    theirs = Logit(chosen[rest].astype(float), DESIGN[rest][:, [0, 2]]).fit(disp=0)
    assert ours.errors[1] > 20
    assert ours.settled[2]
    assert ours.coefficients[2] == pytest.approx(theirs.params[1], rel=1e-4)


def test_sums_in_parts_are_the_same(monkeypatch):
    whole = fit_logistic(CHOSEN, DESIGN, ONES, None)
    monkeypatch.setattr(logistic, "ROWS_AT_ONCE", 300)
    parts = fit_logistic(CHOSEN, DESIGN, ONES, None)
    assert parts.coefficients == pytest.approx(whole.coefficients, rel=1e-12)


def fit_table(design, n, k):
    """Fit rows that hold k exemplars of n examples."""
    chosen, both = np.repeat([True, False], len(n)), np.concatenate([k, n - k])
    return fit_logistic(chosen, np.tile(design, (2, 1)), both, None)


def test_a_group_far_above_the_rest_has_the_odds_ratio_of_its_table():
    ours = fit_table(np.array([[1.0, 0], [1, 1]]), np.array([9900, 100]), np.array([20, 10]))
    assert ours.settled.all()
    assert np.exp(ours.coefficients[1]) == pytest.approx((10 / 90) / (20 / 9880), rel=1e-9)
    assert ours.errors[1] == pytest.approx(np.sqrt(1 / 20 + 1 / 9880 + 1 / 10 + 1 / 90), rel=1e-9)


def test_hard_tables_fit_as_in_statsmodels():
    """Few exemplars, and groups whose odds are up to e^6 times the others'."""
    rng, compared = np.random.default_rng(8), 0
    design = np.array([[1.0, a == 1, a == 2, s] for a in range(3) for s in range(2)])
    for _ in range(200):
        n = rng.integers(20, 5000, 6) // rng.choice([1, 10], 6)
        k = rng.binomial(n, special.expit(design @ [rng.uniform(-8, -3), *rng.uniform(-1, 6, 3)]))
        if not all(0 < k[own].sum() < n[own].sum() for own in (design > 0).T[1:]) or not k[design[:, 3] == 0].sum():
            continue
        if not k[:2].sum():
            continue
        theirs = GLM(np.column_stack([k, n - k]), design, family=Binomial()).fit(tol=1e-12)
        if theirs.bse.max() > 10:
            continue
        ours, compared = fit_table(design, n, k), compared + 1
        assert ours.settled.all()
        assert ours.coefficients == pytest.approx(theirs.params, rel=1e-6, abs=1e-6)
        assert ours.errors == pytest.approx(theirs.bse, rel=1e-5)
    assert compared > 100


def test_a_fit_that_is_stopped_early_has_not_settled(monkeypatch):
    monkeypatch.setattr(logistic, "STEPS", 2)
    assert not fit_logistic(CHOSEN, DESIGN, ONES, None).settled.any()


def test_no_more_clusters_than_columns_leave_no_robust_errors():
    for clusters in (1, 3):
        ours = fit_logistic(CHOSEN, DESIGN, ONES, np.arange(N) % clusters)
        assert np.isinf(ours.robust).all()
        assert np.isfinite(ours.errors).all()
    assert np.isfinite(fit_logistic(CHOSEN, DESIGN, ONES, np.arange(N) % 4).robust).all()
