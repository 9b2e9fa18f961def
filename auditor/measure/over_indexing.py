"""Which groups hold more exemplars than their share of the test set (statistics: section 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from auditor.records import FloatArray, IntArray

FARTHEST = 50.0
"""Of a risk ratio's logarithm: farther than any that counts of examples can give."""
STEPS = 80
"""Halvings of the interval: to the last digit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverIndexing:
    """Over-indexing with score limits; every field is [P], NaN where it is undefined."""

    value: FloatArray
    low: FloatArray
    high: FloatArray


def over_index(count: IntArray, n: IntArray, *, confidence: float) -> OverIndexing:
    """Compute over-indexing of places with `count` exemplars among `n` examples, [P]; the first place is everybody.

    OI = RR / (w RR + 1 - w), RR the risk ratio of the place against the rest, w its share of the examples. Its limits
    are those of RR, carried over; one-sided at `confidence` each. They take the members, and so which example is an
    exemplar, as given. Limits need examples in the place and in the rest, and an exemplar.
    """
    all_count, all_n = count[0], n[0]
    share = n / max(all_n, 1)
    value = np.full(len(n), np.nan)
    np.divide(count * all_n, n * all_count, out=value, where=(n > 0) & (all_count > 0))
    low, high = (np.full(len(n), np.nan) for _ in range(2))
    limited = (n > 0) & (n < all_n) & (all_count > 0)
    ends = risk_ratio_limits(
        count[limited], n[limited], all_count - count[limited], all_n - n[limited], confidence=confidence
    )
    for out, end in zip((low, high), ends, strict=True):
        w = share[limited]
        # 1 / (w + (1 - w) / RR): right for RR = 0 and for RR without bound
        with np.errstate(divide="ignore"):
            out[limited] = 1 / (w + (1 - w) / end)
    return OverIndexing(value=value, low=low, high=high)


def risk_ratio_limits(
    count_1: IntArray, n_1: IntArray, count_2: IntArray, n_2: IntArray, *, confidence: float
) -> tuple[FloatArray, FloatArray]:
    """Give the score limits of (count_1 / n_1) / (count_2 / n_2), one-sided at `confidence` each; 0 and inf are limits.

    Miettinen and Nurminen 1985: the risk ratios at which the score test, with variances constrained to that ratio,
    just does not reject. At least one of each two counts must be positive.
    """
    critical = float(special.ndtri(confidence))
    counts = tuple(np.asarray(x, np.float64) for x in (count_1, n_1, count_2, n_2))
    low = np.exp(_cross(counts, critical))
    high = np.exp(_cross(counts, -critical))
    return np.where(counts[0] == 0, 0.0, low), np.where(counts[2] == 0, np.inf, high)


def _cross(counts: tuple[FloatArray, ...], wanted: float) -> FloatArray:
    """Find the logarithm of the ratio at which the score, which falls, takes the wanted value: by halving."""
    low, high = np.full(counts[0].shape, -FARTHEST), np.full(counts[0].shape, FARTHEST)
    for _ in range(STEPS):
        middle = (low + high) / 2
        above = _score(counts, np.exp(middle)) > wanted
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return (low + high) / 2


def _score(counts: tuple[FloatArray, ...], ratio: FloatArray) -> FloatArray:
    """Give the score statistic of the ratio, with the correction n / (n - 1) of Miettinen and Nurminen."""
    count_1, n_1, count_2, n_2 = counts
    n = n_1 + n_2
    # the larger root of a p^2 - b p + c = 0 is no probability; c / (...) keeps the digits of the smaller
    a, b, c = n * ratio, ratio * (n_1 + count_2) + count_1 + n_2, count_1 + count_2
    p_2 = np.minimum(2 * c / (b + np.sqrt(np.maximum(b * b - 4 * a * c, 0.0))), 1.0)
    p_1 = np.minimum(p_2 * ratio, 1.0)
    variance = (p_1 * (1 - p_1) / n_1 + ratio**2 * p_2 * (1 - p_2) / n_2) * n / (n - 1)
    difference = count_1 / n_1 - ratio * count_2 / n_2
    # without variance the ratio is either fitted exactly, or excluded
    score = np.where(difference == 0, 0.0, np.copysign(np.inf, difference))
    np.divide(difference, np.sqrt(variance), out=score, where=variance > 0)
    return score
