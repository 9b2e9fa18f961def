"""Logistic regression by Newton's method, on rows that may stand for many examples each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from auditor.records import BoolArray, FloatArray, IntArray

STEPS = 50
HALVINGS = 40
TOLERANCE = 1e-8
"""Largest step, and largest score in its standard deviations, at which a coefficient has settled."""
ROUNDING = 1e-12
"""Share of the likelihood's logarithm that is lost in summing it."""
RIDGE = 1e-10
"""Keeps a step possible where columns separate the outcomes and the likelihood is all but flat."""
ROWS_AT_ONCE = 2**18


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Coefficients and what is known of them, [columns]."""

    coefficients: FloatArray
    errors: FloatArray
    """Standard errors; infinite where they cannot be had."""
    robust: FloatArray
    """The same, allowing for clusters where there are any; infinite where these are too few."""
    settled: BoolArray
    """Whether steps have ended at a coefficient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Point:
    """The likelihood around some coefficients."""

    likelihood: float
    """Its logarithm."""
    score: FloatArray
    """[columns]."""
    information: FloatArray
    """[columns, columns]."""


def fit_logistic(chosen: BoolArray, design: FloatArray, n: IntArray, cluster: IntArray | None) -> Fit:
    """Fit the probability of being chosen on the columns of a design, [rows, columns].

    `n` [rows] are the examples that each row stands for; with clusters, [rows], each is one. Where columns together
    separate the chosen from others, coefficients without a limit grow with every step and the others settle: so steps
    are limited, and the size of the errors tells which is which.
    """
    y, weights = chosen.astype(np.float64), n.astype(np.float64)
    start = np.zeros(design.shape[1])
    if (design[:, 0] == 1).all():
        start[0] = special.logit(y @ weights / weights.sum())  # saves about half of the steps
    try:
        b, information, settled = _newton(start, y, design, weights)
        inverse = np.linalg.inv(information)
    except np.linalg.LinAlgError:
        endless = np.full(len(start), np.inf)
        return Fit(coefficients=start, errors=endless, robust=endless, settled=np.zeros(len(start), bool))
    errors = _roots(inverse)
    robust = errors if cluster is None else _robust(inverse, b, y, design, cluster)
    return Fit(coefficients=b, errors=errors, robust=robust, settled=settled)


def _newton(
    b: FloatArray, y: FloatArray, design: FloatArray, weights: FloatArray
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Step until steps are small, or too many; raises LinAlgError where there is none.

    Gives coefficients, the information there, and which have settled. A whole step can lead far beyond the maximum, so
    it is halved until the likelihood does not fall.
    """
    N, ridge = weights.sum(), RIDGE * np.eye(len(b))
    here = _around(b, y, design, weights)
    for _ in range(STEPS):
        step = np.linalg.solve(here.information / N + ridge, here.score / N)
        last = np.abs(step)
        there = _around(b + step, y, design, weights)
        for _ in range(HALVINGS):
            if there.likelihood >= here.likelihood - ROUNDING * abs(here.likelihood):
                break
            step = step / 2
            there = _around(b + step, y, design, weights)
        b, here = b + step, there
        if last.max() <= TOLERANCE:
            break
    flat = np.abs(here.score) <= TOLERANCE * np.sqrt(np.diag(here.information))
    return b, here.information, flat & (last <= TOLERANCE)


def _around(b: FloatArray, y: FloatArray, design: FloatArray, weights: FloatArray) -> _Point:
    """Sum the likelihood and its derivatives, a few rows at a time."""
    likelihood, score, information = 0.0, np.zeros(len(b)), np.zeros((len(b), len(b)))
    for start in range(0, len(y), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        X, n = design[rows], weights[rows]
        eta = X @ b
        p = special.expit(eta)
        likelihood += float(n @ special.log_expit(np.where(y[rows] > 0, eta, -eta)))
        score += X.T @ (n * (y[rows] - p))
        information += (X * (n * p * (1 - p))[:, None]).T @ X
    return _Point(likelihood=likelihood, score=score, information=information)


def _robust(inverse: FloatArray, b: FloatArray, y: FloatArray, design: FloatArray, cluster: IntArray) -> FloatArray:
    """Allow for clusters in the errors (Liang and Zeger 1986), with the factor G/(G-1) (N-1)/(N-k).

    Infinite where there are no more clusters, or rows, than columns: the scores of clusters add up to 0 and then span
    too little.
    """
    known, of = np.unique(cluster, return_inverse=True)
    G, (N, k) = len(known), design.shape
    if k >= min(G, N):
        return np.full(k, np.inf)
    left = y - special.expit(design @ b)
    scores = np.stack([np.bincount(of, weights=left * column) for column in design.T])
    return _roots(inverse @ (scores @ scores.T) @ inverse * (G / (G - 1) * (N - 1) / (N - k)))


def _roots(covariance: FloatArray) -> FloatArray:
    variances = np.diag(covariance)
    return np.where(variances >= 0, np.sqrt(np.maximum(variances, 0)), np.inf)
