"""The t-test of the members of two populations, on what was observed and on every deal of the members."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from auditor.measure.multiplicity import max_t

if TYPE_CHECKING:
    from auditor.measure.permutation import Dealing
    from auditor.records import FloatArray

LEVEL = 0.05
"""At which tests are counted, uncorrected: that of the class test as published (Hooker et al. 2019)."""
ROUNDING = 1e-12
"""Rates that differ by less are equal but for rounding; so are variances, as shares of all variance."""
PLACES_AT_ONCE = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """What the tests of one family say."""

    p: FloatArray
    """[P]: two-sided, of the t-test; NaN where members do not vary."""
    p_max_t: FloatArray
    """[P]: corrected by the largest of all |t| of each deal, step-down; NaN where p is."""
    expected: float
    """Mean over deals of how many p are at most 0.05."""


def compare_means(shifted: FloatArray, spread: FloatArray, dealing: Dealing) -> Tested:
    """Test every place: is the mean of `shifted` equal in baseline and variant, by the standard error of `spread`?

    Both are [M, P], over the dealt members; they differ by a constant of each population. Welch's t, or the paired t.
    Where a deal leaves no variation its t is undefined: 0 for max-T, no finding for what is expected. What was observed
    is treated alike, which keeps the deals exchangeable.
    """
    places, deals = shifted.shape[1], len(dealing.of_variant)
    t, p, counted = np.zeros((deals, places)), np.empty(places), np.zeros(deals)
    statistic = _paired_t if dealing.paired else _welch_t
    for start in range(0, places, PLACES_AT_ONCE):
        here = slice(start, start + PLACES_AT_ONCE)
        t_here, df = statistic(shifted[:, here], spread[:, here], dealing)
        p_here = 2 * special.stdtr(df, -np.abs(t_here))
        p[here], counted = p_here[0], counted + (p_here <= LEVEL).sum(axis=1)
        t[:, here] = np.nan_to_num(np.abs(t_here), nan=0.0)
    p_max_t = np.where(np.isnan(p), np.nan, max_t(t))
    return Tested(p=p, p_max_t=p_max_t, expected=float(counted.mean()))


def _welch_t(shifted: FloatArray, spread: FloatArray, dealing: Dealing) -> tuple[FloatArray, FloatArray]:
    """Give t and its degrees of freedom, [D, P]; NaN without variation (Welch 1947)."""
    ours = dealing.of_variant.astype(np.float64)
    k_variant, k_baseline = len(dealing.variant), len(dealing.baseline)
    # centred and scaled, so that no precision is lost in sums of squares
    scale = spread.std(axis=0)
    z = (spread - spread.mean(axis=0)) / np.where(scale > ROUNDING, scale, np.inf)
    sums, squares = ours @ z, ours @ (z * z)
    a = _variance(sums, squares, k_variant) / k_variant
    b = _variance(z.sum(axis=0) - sums, (z * z).sum(axis=0) - squares, k_baseline) / k_baseline
    difference = (ours @ shifted) / k_variant - ((1 - ours) @ shifted) / k_baseline
    t = _quotient(difference, scale, a + b)
    square = a * a / (k_variant - 1) + b * b / (k_baseline - 1)
    df = np.divide((a + b) ** 2, square, out=np.ones_like(square), where=~np.isnan(t))
    return t, df


def _paired_t(shifted: FloatArray, spread: FloatArray, dealing: Dealing) -> tuple[FloatArray, FloatArray]:
    """Give t, [D, P], and its degrees of freedom, [1, 1]; NaN where the differences within pairs do not vary."""
    pairs = len(dealing.variant)
    signs = np.where(dealing.of_variant[:, pairs:], 1.0, -1.0)
    differences, moved = (x[pairs:] - x[:pairs] for x in (spread, shifted))
    scale = np.sqrt((differences**2).mean(axis=0))
    z = differences / np.where(scale > ROUNDING, scale, np.inf)
    squares = np.broadcast_to((z * z).sum(axis=0), (len(signs), z.shape[1]))
    t = _quotient(signs @ moved / pairs, scale, _variance(signs @ z, squares, pairs) / pairs)
    return t, np.full((1, 1), pairs - 1.0)


def _variance(sums: FloatArray, squares: FloatArray, members: int) -> FloatArray:
    return np.maximum(squares - sums * sums / members, 0.0) / (members - 1)


def _quotient(difference: FloatArray, scale: FloatArray, variance: FloatArray) -> FloatArray:
    """Divide by the standard error; NaN where it is 0 but for rounding."""
    t = np.full(difference.shape, np.nan)
    return np.divide(difference, scale * np.sqrt(variance), out=t, where=variance > ROUNDING)
