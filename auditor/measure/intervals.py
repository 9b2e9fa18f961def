"""One-sided bounds that know that test examples, and members, are samples (statistics: section 5, "Uncertainty").

Each end of an interval is where a contrast, centre - limit x below, lies sqrt(sum over sources of t(df)^2 variance)
from 0: a quantile for each source (Banerjee 1961), not one for a pooled variance. For a plain number `below` is 1, and
the end is centre -/+ that root. Before the variance is taken, 1.5 pseudo-examples at the extreme of the quantity are
added on the end's side, so that a small group where nothing happened is not taken for certainty.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import optimize, special

from auditor.records import Bound, Term, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.measure.moments import Moments
    from auditor.records import FloatArray, IntArray

PSEUDO_EXAMPLES = 1.5
WIDENING = 2.0
"""How much further members reach where they differ more than the method is known to bear."""
LEAST_LOG_P = math.log(1e-12)
"""Smaller p are not told apart."""
Side = Literal[-1, 1]
"""-1: the lower end; +1: the upper end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleEnd:
    """One end's share that comes from examples: of Q quantities, by group and class."""

    mean: FloatArray
    """[Q, G, J], with the pseudo-examples."""
    covariance: FloatArray
    """[Q, Q, G, J]: of the means."""
    df: FloatArray
    """[G, J]."""


def example_end(m: Moments, extreme: Sequence[float]) -> ExampleEnd:
    """Take the means of quantities, their covariance and degrees of freedom, with pseudo-examples at `extreme` [Q].

    Without clusters a variance is (sum a^2 + 1.5 e^2 - n* mean^2) / ((n* - 1) n*) with n* = n + 1.5; with G clusters,
    of which pseudo-ones have the mean size, sum (A - mean m)^2 / n*^2 / (1 - sum m^2 / n*^2), which for clusters of one
    size is G*/(G* - 1) times: a cluster that is most of the data draws the mean to itself and hides its own deviation.
    Degrees of freedom are those of as many clusters of one size as would be as much evidence. NaN without examples.
    """
    e = np.array(extreme, float)[:, None, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        size = m.examples / m.clusters
        n = m.examples + PSEUDO_EXAMPLES * size
        sizes = m.size_square + PSEUDO_EXAMPLES * size**2
        mean = (m.total + PSEUDO_EXAMPLES * size * e) / n
        spread = m.square - mean[:, None] * m.cross[None] - m.cross[:, None] * mean[None]
        spread += mean[:, None] * mean[None] * m.size_square
        spread += PSEUDO_EXAMPLES * size**2 * (e - mean)[:, None] * (e - mean)[None]
        covariance = spread / (n**2 - sizes)
    return ExampleEnd(mean=mean, covariance=covariance, df=effective_clusters(m) - 1)


def effective_clusters(m: Moments) -> FloatArray:
    """Count the clusters of one size that would be as much evidence, n^2 / sum m^2, [G, J]; examples stand alone."""
    return np.divide(m.examples**2, m.size_square, out=np.zeros_like(m.examples), where=m.size_square > 0)


def variance_at(term: Term, limit: float) -> float:
    """Give a term's variance of the contrast that is 0 where the quantity is at the limit."""
    return term.variance - 2 * limit * term.covariance + limit**2 * term.variance_below


def reach(terms: tuple[Term, ...], confidence: float) -> float:
    """Tell how far a plain number must lie from its limit for that to be shown."""
    return math.sqrt(sum(_quantile(1 - confidence, term.df) ** 2 * term.variance for term in terms))


@lru_cache(maxsize=4096)
def _quantile(tail: float, df: float) -> float:
    """Student's quantile that leaves `tail` above it; few are asked for, and often."""
    return float(quantiles(np.asarray(df), tail))


def quantiles(df: FloatArray, tail: float) -> FloatArray:
    """Give Student's quantiles that leave `tail` above them."""
    return -special.stdtrit(df, tail)


def end_of(bound: Bound, side: Side, confidence: float) -> float | None:
    """Compute one end of an interval at a one-sided confidence; None where it is open."""
    weights = [(_quantile(1 - confidence, term.df) ** 2, term) for term in bound.terms]
    squares = (sum(w * getattr(t, name) for w, t in weights) for name in ("variance", "covariance", "variance_below"))
    end = float(touching(np.asarray(bound.center), np.asarray(bound.below), *map(np.asarray, squares), side=side))
    return None if math.isnan(end) else end


def touching(
    center: FloatArray, below: FloatArray, A: FloatArray, C: FloatArray, B: FloatArray, *, side: Side
) -> FloatArray:
    """Give the value L at which a contrast touches its reach, (center - L below)^2 = A - 2 L C + L^2 B; NaN where open.

    For a plain number that is center -/+ sqrt(A); for a ratio the end of Fieller's set (1954), which is open where the
    denominator is not shown to differ from 0. All arrays have one shape.
    """
    # the upper end is the lower end of the mirrored contrast
    center, C = -side * center, -side * C
    bend, slope, level = below**2 - B, center * below - C, center**2 - A
    root = np.sqrt(np.maximum(below**2 * A - 2 * below * center * C + center**2 * B - (A * B - C**2), 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        end = np.where(bend > 0, (slope - root) / bend, level / (slope + root))
    return np.where((bend > 0) | ((level > 0) & (center > 0)), -side * end, np.nan)


def p_beyond(bound: Bound, side: Side, limit: float) -> float:
    """Give the one-sided p of "the quantity is within the limit": the level at which the bound touches the limit.

    With side -1 the quantity is within when it is at most the limit; with +1, when at least.
    """
    distance = side * (limit * bound.below - bound.center)
    terms = [(variance, term.df) for term in bound.terms if (variance := variance_at(term, limit)) > 0]
    if any(df <= 0 for _, df in terms):
        return 1.0  # nothing is known of how such a source varies
    if not terms:
        return 0.0 if distance > 0 else 1.0
    tail = _touching(terms, abs(distance))
    return tail if distance > 0 else 1 - tail


def _touching(terms: list[tuple[float, float]], distance: float) -> float:
    """Solve sqrt(sum of t(df)^2 variance) = distance for the tail p in (0, 1/2]; terms are variances with their df."""
    if distance == 0:
        return 0.5

    def miss(log_p: float) -> float:
        tails = (special.stdtrit(df, math.exp(log_p)) ** 2 * variance for variance, df in terms)
        return math.sqrt(sum(tails)) - distance

    if miss(LEAST_LOG_P) <= 0:
        return math.exp(LEAST_LOG_P)
    return math.exp(optimize.brentq(miss, LEAST_LOG_P, math.log(0.5), xtol=1e-13, rtol=1e-13))


def further_member(bound: Bound) -> Bound:
    """Give the bound for one further member of the variant, which a claim about a recipe does not cover.

    Its variance is that of the mean and that between members: K + 1 times the former.
    """
    terms = tuple(_one_more(term) if term.source == "members" else term for term in bound.terms)
    return replace(bound, terms=terms)


def widened(bound: Bound) -> Bound:
    """Give the bound with twice the reach over members: for those that differ more than the method is known to bear."""
    terms = (term if term.source == "examples" else _scaled(term, WIDENING**2) for term in bound.terms)
    return replace(bound, terms=tuple(terms))


def _one_more(term: Term) -> Term:
    return _scaled(term, term.df + 2)


def _scaled(term: Term, factor: float) -> Term:
    return replace(
        term,
        variance=term.variance * factor,
        covariance=term.covariance * factor,
        variance_below=term.variance_below * factor,
    )


def clopper_pearson(successes: FloatArray, n: FloatArray | IntArray, side: Side, confidence: float) -> FloatArray:
    """Compute exact one-sided bounds of proportions (Clopper and Pearson 1934)."""
    if side > 0:
        return 1 - clopper_pearson(n - successes, n, -1, confidence)
    some = np.maximum(successes, 1)
    return np.where(successes > 0, special.betaincinv(some, n - some + 1, 1 - confidence), 0.0)


def p_proportion(successes: int, n: int, side: Side, limit: float) -> float:
    """Give the exact one-sided p of "the proportion is within the limit"; sides as in `p_beyond`."""
    if not 0 <= limit <= 1:
        return 0.0 if side * (limit - 0.5) > 0 else 1.0
    return float(special.bdtrc(successes - 1, n, limit) if side < 0 else special.bdtr(successes, n, limit))


def seeds_only(
    bound: Bound, value: float, limits: tuple[float | None, float | None], confidence: float
) -> Verdict | None:
    """Judge as the usual interval over members does (Welch), blind to the test set being a sample.

    None where members are no sample. `limits` are the least and the greatest value that are allowed.
    """
    members = tuple(term for term in bound.terms if term.source != "examples")
    if not members:
        return None
    pairs = [(side, limit) for side, limit in zip((1, -1), limits, strict=True) if limit is not None]
    room = [side * (value - limit) * bound.below for side, limit in pairs]
    margins = [_welch(members, limit, confidence) for _, limit in pairs]
    if any(-own > margin for own, margin in zip(room, margins, strict=True)):
        return Verdict.FAIL
    if all(own >= margin for own, margin in zip(room, margins, strict=True)):
        return Verdict.PASS
    return Verdict.INCONCLUSIVE


def _welch(members: tuple[Term, ...], limit: float, confidence: float) -> float:
    """Give the reach over members alone, with Satterthwaite's degrees of freedom."""
    parts = [(variance_at(term, limit), term.df) for term in members]
    variance = sum(own for own, _ in parts)
    if variance <= 0:
        return 0.0
    return _quantile(1 - confidence, variance**2 / sum(own**2 / df for own, df in parts)) * math.sqrt(variance)
