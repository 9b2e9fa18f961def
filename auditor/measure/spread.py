"""How much members differ beyond what a finite test set makes: the assumption that bounds over members rest on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from auditor.measure.intervals import quantiles

if TYPE_CHECKING:
    from auditor.measure.contrasts import TermArrays
    from auditor.measure.intervals import Side
    from auditor.records import FloatArray, IntArray

LIMIT = 0.3
"""Standard deviation on the probit scale up to which a PASS may rest on Student's quantiles: see tests/calibration."""
USUAL_TAIL = 0.05
"""The tail at which skewness is allowed for."""


def between_members(parts: FloatArray, rates: FloatArray, within: FloatArray | float, firsts: IntArray) -> FloatArray:
    """Estimate the standard deviation between members on the probit scale, [G, J].

    Args:
        parts: [K, G, J], what members add to a contrast: their rates, or the differences of pairs.
        rates: [K, G, J], the rates, whose mean says how a step on the probit scale moves a rate.
        within: [G, J], the part of the variance of `parts` that examples alone make.
        firsts: places of members that are no copies of others.
    """
    if len(firsts) < 2:
        return np.full(parts.shape[1:], np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        excess = np.maximum(parts[firsts].var(axis=0, ddof=1) - within, 0.0)
        return np.where(excess > 0, np.sqrt(excess) / _density(special.ndtri(rates.mean(axis=0))), 0.0)


def _density(z: FloatArray) -> FloatArray:
    """How much a rate moves with a step on the probit scale, where its normal score is z."""
    return np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)


def _scores(rates: FloatArray) -> FloatArray:
    """Normal scores of mean rates, [P]; never infinite."""
    return special.ndtri(np.clip(rates.mean(axis=0), 1e-6, 1 - 1e-6))


def allow_for_skewness(term: TermArrays, rates: FloatArray, side: Side, others: FloatArray | None = None) -> TermArrays:
    """Widen the term of members, [P], where what they add is skewed towards the end that is computed.

    Member effects that are symmetric on the probit scale make rates skewed: near 1, a fall is larger than a rise, and
    the fewer large falls a population happens to hold, the smaller its mean and its variance look at once. Student's
    bound then covers too little. With s the standard deviation on the probit scale and z the rate's normal score,
    skewness is about 3 z s, and the first correction of a t bound is skewness (2 t^2 + 1) / (6 sqrt K) (Johnson 1978,
    Hall 1992); simulation asks for twice that (tests/calibration).

    Args:
        term: of members.
        rates: [K, P], the variant's rates.
        side: the end: the lower one is widened where rates are above one half, the upper one where they are below.
        others: [K0, P], rates of a baseline that has members of its own. They are skewed too, and their difference to
            the variant's less so: of third moments 3 z s^4 density^3 the difference is left, for one s.
    """
    z = _scores(rates)
    against = np.zeros_like(z)
    if others is not None:
        other = _scores(others)
        against = other * (_density(other) / _density(z)) ** 3
    outwards = np.maximum(-side * (z - against), 0.0)
    members = term.df + 1
    s = np.sqrt(term.variance * members) / _density(z)
    t = quantiles(term.df, USUAL_TAIL)
    factor = (1 + outwards * s * (2 * t**2 + 1) / (t * np.sqrt(members))) ** 2
    return replace(
        term,
        variance=term.variance * factor,
        covariance=term.covariance * factor,
        variance_below=term.variance_below * factor,
    )
