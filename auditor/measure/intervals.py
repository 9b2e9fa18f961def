"""One-sided bounds that know that test examples, and members, are samples (statistics: section 5, "Uncertainty").

Each end of an interval is centre -/+ sqrt(sum over sources of t(df)^2 variance): a quantile for each source (Banerjee
1961), not one for a pooled variance. Before the variance is taken, 1.5 pseudo-examples at the extreme of the quantity
are added on the end's side, so that a small group where nothing happened is not taken for certainty.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import optimize, special, stats

from auditor.records import Bound, Term, Verdict

if TYPE_CHECKING:
    from auditor.measure.moments import Moments
    from auditor.records import FloatArray

PSEUDO_EXAMPLES = 1.5
LEAST_LOG_P = math.log(1e-12)
"""Smaller p are not told apart."""
Side = Literal[-1, 1]
"""-1: the lower end; +1: the upper end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleEnd:
    """One end's share that comes from examples; every field is [G, J]."""

    center: FloatArray
    variance: FloatArray
    df: FloatArray


def example_end(m: Moments, extreme: float) -> ExampleEnd:
    """Take the mean of a quantity, its variance and degrees of freedom, with pseudo-examples at `extreme`.

    Without clusters the variance is (sum a^2 + 1.5 e^2 - n* mean^2) / ((n* - 1) n*) with n* = n + 1.5; with G clusters,
    of which pseudo-ones have the mean size, G*/(G* - 1) sum (A - mean m)^2 / n*^2. NaN where there is no example.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        size = m.examples / m.clusters
        n = m.examples + PSEUDO_EXAMPLES * size
        count = m.clusters + PSEUDO_EXAMPLES
        center = (m.total + PSEUDO_EXAMPLES * size * extreme) / n
        spread = m.square - 2 * center * m.cross + center**2 * m.size_square
        spread += PSEUDO_EXAMPLES * (size * (extreme - center)) ** 2
        variance = count / (count - 1) * spread / n**2
    return ExampleEnd(center=center, variance=variance, df=m.clusters - 1)


def reach(terms: tuple[Term, ...], confidence: float) -> float:
    """Tell how far a bound lies from its centre."""
    return math.sqrt(sum(_quantile(1 - confidence, term.df) ** 2 * term.variance for term in terms))


@lru_cache(maxsize=4096)
def _quantile(tail: float, df: float) -> float:
    """Student's quantile that leaves `tail` above it; few are asked for, and often."""
    return -float(special.stdtrit(df, tail))


def end_of(bound: Bound, side: Side, confidence: float) -> float:
    """Compute one end of an interval at a one-sided confidence."""
    return bound.center + side * reach(bound.terms, confidence)


def p_beyond(bound: Bound, side: Side, limit: float) -> float:
    """Give the one-sided p of "the quantity is within the limit": the level at which the bound touches the limit.

    With side -1 the quantity is within when it is at most the limit; with +1, when at least.
    """
    distance = side * (limit - bound.center)
    if not any(term.variance > 0 for term in bound.terms):
        return 0.0 if distance > 0 else 1.0
    tail = _touching(bound.terms, abs(distance))
    return tail if distance > 0 else 1 - tail


def _touching(terms: tuple[Term, ...], distance: float) -> float:
    """Solve reach(terms, 1 - p) = distance for p in (0, 1/2]."""
    if distance == 0:
        return 0.5

    def miss(log_p: float) -> float:
        tails = (special.stdtrit(term.df, math.exp(log_p)) ** 2 * term.variance for term in terms)
        return math.sqrt(sum(tails)) - distance

    if miss(LEAST_LOG_P) <= 0:
        return math.exp(LEAST_LOG_P)
    return math.exp(optimize.brentq(miss, LEAST_LOG_P, math.log(0.5), xtol=1e-13, rtol=1e-13))


def clopper_pearson(successes: int, n: int, side: Side, confidence: float) -> float:
    """Compute an exact one-sided bound of one proportion (Clopper and Pearson 1934)."""
    result = stats.binomtest(successes, n, alternative="greater" if side < 0 else "less")
    interval = result.proportion_ci(confidence, method="exact")
    return float(interval.low if side < 0 else interval.high)


def p_proportion(successes: int, n: int, side: Side, limit: float) -> float:
    """Give the exact one-sided p of "the proportion is within the limit"; sides as in `p_beyond`."""
    if not 0 <= limit <= 1:
        return 0.0 if side * (limit - 0.5) > 0 else 1.0
    return float(stats.binomtest(successes, n, limit, alternative="greater" if side < 0 else "less").pvalue)


def seeds_only(
    value: float, terms: tuple[Term, ...], limits: tuple[float | None, float | None], confidence: float
) -> Verdict | None:
    """Judge as the usual interval over members does (Welch), blind to the test set being a sample.

    None where members are no sample.
    """
    members = [term for term in terms if term.source != "examples"]
    if not members:
        return None
    variance = sum(term.variance for term in members)
    spread = sum(term.variance**2 / term.df for term in members)
    margin = 0.0 if variance == 0 else _quantile(1 - confidence, variance**2 / spread) * math.sqrt(variance)
    low, high = limits
    if (low is not None and value + margin < low) or (high is not None and value - margin > high):
        return Verdict.FAIL
    if (low is None or value - margin >= low) and (high is None or value + margin <= high):
        return Verdict.PASS
    return Verdict.INCONCLUSIVE
