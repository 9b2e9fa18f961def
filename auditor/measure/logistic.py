"""Logistic regression by Newton's method, on rows that may stand for many examples each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from auditor.records import BoolArray, FloatArray, IntArray

STEPS = 50
TOLERANCE = 1e-8
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
    """The same, allowing for clusters where there are any."""
    converged: bool


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
        b, converged = _newton(start, y, design, weights)
        inverse = np.linalg.inv(_derivatives(b, y, design, weights)[1])
    except np.linalg.LinAlgError:
        endless = np.full(len(start), np.inf)
        return Fit(coefficients=start, errors=endless, robust=endless, converged=False)
    errors = _roots(inverse)
    robust = errors if cluster is None else _roots(_sandwich(inverse, b, y, design, cluster))
    return Fit(coefficients=b, errors=errors, robust=robust, converged=converged)


def _newton(b: FloatArray, y: FloatArray, design: FloatArray, weights: FloatArray) -> tuple[FloatArray, bool]:
    """Step until steps are small, or too many; raises LinAlgError where there is none."""
    N, ridge = weights.sum(), RIDGE * np.eye(len(b))
    for _ in range(STEPS):
        score, information = _derivatives(b, y, design, weights)
        step = np.linalg.solve(information / N + ridge, score / N)
        b = b + step
        if np.abs(step).max() <= TOLERANCE:
            return b, True
    return b, False


def _derivatives(
    b: FloatArray, y: FloatArray, design: FloatArray, weights: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Sum score, [columns], and information, [columns, columns], a few rows at a time."""
    score, information = np.zeros(len(b)), np.zeros((len(b), len(b)))
    for start in range(0, len(y), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        X, n = design[rows], weights[rows]
        p = special.expit(X @ b)
        score += X.T @ (n * (y[rows] - p))
        information += (X * (n * p * (1 - p))[:, None]).T @ X
    return score, information


def _sandwich(inverse: FloatArray, b: FloatArray, y: FloatArray, design: FloatArray, cluster: IntArray) -> FloatArray:
    """Allow for clusters in the covariance (Liang and Zeger 1986), with the factor G/(G-1) (N-1)/(N-k)."""
    known, of = np.unique(cluster, return_inverse=True)
    left = y - special.expit(design @ b)
    scores = np.stack([np.bincount(of, weights=left * column) for column in design.T])
    G, (N, k) = len(known), design.shape
    return inverse @ (scores @ scores.T) @ inverse * (G / (G - 1) * (N - 1) / (N - k))


def _roots(covariance: FloatArray) -> FloatArray:
    variances = np.diag(covariance)
    return np.where(variances >= 0, np.sqrt(np.maximum(variances, 0)), np.inf)
