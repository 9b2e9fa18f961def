"""Every comparison as a contrast of means, by one code path (statistics: section 5, "Uncertainty").

A comparison with value q is judged at a limit L by the contrast N - L D, which is 0 where q = L: for a rate, a change
or a gap N is a sum of means and D is 1; for a ratio N and D are the rates themselves, and for a change of a ratio
products of them, linearised. v is the variant's rate, b the baseline's, in the group's own examples and in those of the
other. P is comparisons, K members.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from auditor.measure.intervals import quantiles, touching

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.measure.intervals import Side
    from auditor.records import Compare, FloatArray, IntArray

TWO_GROUPS = frozenset({"disparity", "disparity_change", "ratio", "ratio_change", "to_overall", "to_overall_change"})
VERSUS_BASELINE = frozenset({"change", "disparity_change", "ratio_change", "to_overall_change"})
RATIOS = frozenset({"ratio", "ratio_change"})
Source = Literal["examples", "members", "baseline members"]
Pair = tuple["FloatArray | float", "FloatArray | float"]
"""Of v and of b."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """How the means of one group enter a contrast."""

    numerator: Pair
    denominator: Pair = (0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """N and D of comparisons, and how each group's means enter them."""

    numerator: FloatArray
    """[P]."""
    denominator: FloatArray
    """[P]."""
    groups: tuple[Weights, ...]
    """The group's own, and where there are two groups the other's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TermArrays:
    """One source of variance, for many comparisons; see `auditor.records.Term`. All are [P]."""

    source: Source
    variance: FloatArray
    covariance: FloatArray
    variance_below: FloatArray
    df: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundArrays:
    """One end of many intervals; see `auditor.records.Bound`."""

    center: FloatArray
    """[P]."""
    below: FloatArray
    """[P]."""
    terms: tuple[TermArrays, ...]

    def end(self, side: Side, confidence: float) -> FloatArray:
        """Compute the ends, [P]; NaN where they are open."""
        weights = [quantiles(term.df, 1 - confidence) ** 2 for term in self.terms]
        A, C, B = (
            sum((w * getattr(t, name) for w, t in zip(weights, self.terms, strict=True)), np.zeros(len(self.center)))
            for name in ("variance", "covariance", "variance_below")
        )
        return touching(self.center, self.below, A, C, B, side=side)


def contrast(
    compare: Compare, own: FloatArray, other: FloatArray | None, outside: FloatArray | float = 1.0
) -> Contrast:
    """Set up comparisons from means [2, P] of v and b, in the group and in the other.

    For the difference to everybody the other is whoever is not in the group, and `outside` is their share: the group's
    rate less everybody's is that share of the difference to the others, and the two do not overlap.
    """
    (v, b), one = own, np.ones(own.shape[1])
    if other is None:
        weights: Pair = (1.0, -1.0) if compare in VERSUS_BASELINE else (1.0, 0.0)
        return Contrast(numerator=_mean(weights, own), denominator=one, groups=(Weights(numerator=weights),))
    if compare not in RATIOS:
        versus = -1.0 if compare in VERSUS_BASELINE else 0.0
        there, here = (-outside, -outside * versus), (outside, outside * versus)
        numerator = _mean(here, own) + _mean(there, other)
        return Contrast(
            numerator=numerator, denominator=one, groups=(Weights(numerator=here), Weights(numerator=there))
        )
    v_other, b_other = other
    if compare == "ratio":
        below = Weights(numerator=(0.0, 0.0), denominator=(1.0, 0.0))
        return Contrast(numerator=v, denominator=v_other, groups=(Weights(numerator=(1.0, 0.0)), below))
    return Contrast(
        numerator=v * b_other - b * v_other,
        denominator=v_other * b_other,
        groups=(Weights(numerator=(b_other, -v_other)), Weights(numerator=(-b, v), denominator=(b_other, v_other))),
    )


def _mean(weights: Pair, means: FloatArray) -> FloatArray:
    return weights[0] * means[0] + weights[1] * means[1]


def example_term(weights: Weights, covariance: FloatArray, df: FloatArray) -> TermArrays:
    """Give the variance that the examples of one group make, from the covariance [2, 2, P] of its means."""

    def product(left: Pair, right: Pair) -> FloatArray:
        return sum(
            (x * y * covariance[q, r] for q, x in enumerate(left) for r, y in enumerate(right)), np.zeros(len(df))
        )

    n, d = weights.numerator, weights.denominator
    return TermArrays(
        source="examples", variance=product(n, n), covariance=product(n, d), variance_below=product(d, d), df=df
    )


def member_parts(groups: Sequence[Weights], rates: Sequence[FloatArray], which: int) -> tuple[FloatArray, FloatArray]:
    """Give what each member adds to N and to D, [K, P] each, from its rates [K, P] in each group.

    `which` is 0 for members of the variant, 1 for those of the baseline.
    """
    zero = np.zeros_like(rates[0])
    numerator = sum((w.numerator[which] * r for w, r in zip(groups, rates, strict=True)), zero)
    denominator = sum((w.denominator[which] * r for w, r in zip(groups, rates, strict=True)), zero)
    return numerator, denominator


def member_term(source: Source, parts: tuple[FloatArray, FloatArray], blocks: IntArray) -> TermArrays:
    """Give the variance that members make, where those of one block are no evidence apart from one another.

    Copies stay in every mean. The mean is then one of blocks with weights w = size / K, whose variance is that between
    blocks times sum w^2; 1 / sum w^2 blocks of one size would do as much. Blocks cannot make the others look alike: of
    the variance between blocks and that between all members, the larger is taken. NaN for fewer than two blocks.
    """
    P, sizes = parts[0].shape[1], np.bincount(blocks)
    if len(sizes) < 2:
        nan = np.full(P, np.nan)
        return TermArrays(source=source, variance=nan, covariance=nan, variance_below=nan, df=np.zeros(P))
    shares = float(((sizes / len(blocks)) ** 2).sum())
    means = tuple(np.stack([part[blocks == block].mean(axis=0) for block in range(len(sizes))]) for part in parts)
    everyone, distinct = _variances(*parts), _variances(*means)
    choice = everyone[0] + everyone[2] > distinct[0] + distinct[2]
    variance, covariance, below = np.where(choice, everyone, distinct) * shares
    df = np.full(P, 1 / shares - 1)
    return TermArrays(source=source, variance=variance, covariance=covariance, variance_below=below, df=df)


def _variances(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Variance of N, covariance, and variance of D over members, [3, P]."""
    n, d = numerator - numerator.mean(axis=0), denominator - denominator.mean(axis=0)
    return np.stack([(n * n).sum(axis=0), (n * d).sum(axis=0), (d * d).sum(axis=0)]) / (len(n) - 1)
