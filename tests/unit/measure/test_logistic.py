"""Logistic regression against statsmodels, on rows that stand for many examples."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.discrete.discrete_model import Logit

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
        assert ours.converged
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
    assert ours.coefficients[2] == pytest.approx(theirs.params[1], rel=1e-4)


def test_sums_in_parts_are_the_same(monkeypatch):
    whole = fit_logistic(CHOSEN, DESIGN, ONES, None)
    monkeypatch.setattr(logistic, "ROWS_AT_ONCE", 300)
    parts = fit_logistic(CHOSEN, DESIGN, ONES, None)
    assert parts.coefficients == pytest.approx(whole.coefficients, rel=1e-12)
