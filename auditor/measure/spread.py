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


def between_members(parts: FloatArray, rates: FloatArray, within: FloatArray, firsts: IntArray) -> FloatArray:
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


def allow_for_skewness(
    terms: tuple[TermArrays, ...], rates: tuple[FloatArray, FloatArray], side: Side
) -> tuple[TermArrays, ...]:
    """Widen the terms of members, [P] each, where what they add is skewed towards the end that is computed.

    Member effects that are symmetric on the probit scale make rates skewed: near 1, a fall is larger than a rise, and
    the fewer large falls a population happens to hold, the smaller its mean and its variance look at once. Student's
    bound then covers too little. With s the standard deviation on the probit scale and z the rate's normal score,
    skewness is about 3 z s, and the first correction of a t bound is skewness (2 t^2 + 1) / (6 sqrt K) (Johnson 1978,
    Hall 1992); simulation asks for twice that (tests/calibration). Where the baseline is a population too, its
    skewness goes the other way, and as much is set off as its spread, no larger than the other's, makes.

    Args:
        terms: of the variant's members (or of pairs), and where it is a population of its own of the baseline's.
        rates: [K, P] of the variant's members, and [K0, P] of the baseline's.
        side: the end: the lower one is widened where the variant's rates are above one half, the upper one below.
    """
    sides = [_Skewed(term, own) for term, own in zip(terms, rates, strict=False)]
    if len(sides) < 2:
        return (sides[0].widened(-side * sides[0].z),)
    ours, theirs = sides
    return (
        ours.widened(_left(-side * ours.z, -side * theirs.against(ours))),
        theirs.widened(_left(side * theirs.z, side * ours.against(theirs))),
    )


def _left(own: FloatArray, other: FloatArray) -> FloatArray:
    """Give what is left of skewness outwards where the other population's sets it off."""
    return own - np.maximum(other, 0.0)


class _Skewed:
    """The members of one population: z the normal score of their rate, s their standard deviation on that scale."""

    def __init__(self, term: TermArrays, rates: FloatArray) -> None:
        self.term, self.members = term, term.df + 1
        self.z = special.ndtri(np.clip(rates.mean(axis=0), 1e-6, 1 - 1e-6))
        self.s = np.sqrt(term.variance * self.members) / _density(self.z)

    def against(self, other: _Skewed) -> FloatArray:
        """Give the score at which the other's spread would make this one's third moment, z s^4 density^3."""
        share = np.divide(self.s, other.s, out=np.zeros_like(self.s), where=other.s > 0)
        return self.z * (_density(self.z) / _density(other.z)) ** 3 * np.minimum(share, 1.0) ** 4

    def widened(self, outwards: FloatArray) -> TermArrays:
        """Give the term with the correction for a skewness of 3 `outwards` s."""
        t = quantiles(self.term.df, USUAL_TAIL)
        allowance = np.maximum(outwards, 0.0) * self.s * (2 * t**2 + 1) / (t * np.sqrt(self.members))
        factor = (1 + allowance) ** 2
        return replace(
            self.term,
            variance=self.term.variance * factor,
            covariance=self.term.covariance * factor,
            variance_below=self.term.variance_below * factor,
        )
