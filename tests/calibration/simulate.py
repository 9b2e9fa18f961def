"""Simulated audits: crossed probit data whose true harm is known, judged by the functions that judge real ones.

A model decides rightly where mean + example + member + interaction > 0, all normal. The true rate is then a value of
the normal distribution function; no quadrature is needed. R is runs, K members, n examples.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import special

from auditor.measure.contrasts import BoundArrays, contrast, example_term, member_parts, member_term
from auditor.measure.intervals import WIDENING, example_end, quantiles
from auditor.measure.moments import Moments
from auditor.measure.spread import LIMIT as SPREAD_LIMIT
from auditor.measure.spread import allow_for_skewness, between_members
from auditor.measure.tables import EXTREMES

LEVEL = 0.05
CLUSTER_SIZE = 5
ICC = 0.1
LOTTERY_SHARE, LOTTERY_LOSS = 0.1, 0.2
AT_ONCE = 2_000_000
"""Decisions simulated at one time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One setting of the simulation."""

    design: Literal["artifact", "paired", "unpaired"]
    n: int
    K: int
    rate: float
    """Of the baseline."""
    harm: float
    """True fall of the rate."""
    sd: float
    """Between members, on the probit scale: of each population where unpaired, of the differences where paired."""
    churn: bool
    """Whether flips go both ways: then a new training or compression decides anew on examples that are close."""
    kind: Literal["plain", "clusters", "lottery"] = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the runs of one cell gave; every field is [R]."""

    harm: np.ndarray
    """Estimated."""
    upper: np.ndarray
    """PASS bound of the harm at 95%."""
    lower: np.ndarray
    """FAIL bound of the harm at 95%."""
    wild: np.ndarray
    """Whether members differ beyond what the method is known to bear."""
    wide_upper: np.ndarray
    """PASS bound with twice the reach over members: what a PASS must hold where they are wild."""
    seeds_upper: np.ndarray
    """Bound of the usual interval over members alone; NaN for an artifact."""
    bounds: tuple[BoundArrays, BoundArrays]
    """Lower and upper end of the change, for other levels."""


def simulate(cell: Cell, runs: int, rng: np.random.Generator) -> Judged:
    """Simulate and judge one cell."""
    at_once = max(1, AT_ONCE // (cell.n * cell.K))
    parts = [judge(*decide(cell, min(at_once, runs - start), rng), cell) for start in range(0, runs, at_once)]
    if len(parts) == 1:
        return parts[0]
    names = ("harm", "upper", "lower", "wild", "wide_upper", "seeds_upper")
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return Judged(**joined, bounds=parts[0].bounds)


def decide(cell: Cell, R: int, rng: np.random.Generator, effects: tuple | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Draw decisions of variant and baseline, [R, K, n] each; `effects` of members may be given, [R, K, 1] each."""
    shared = 0.5 if cell.churn else 0.95
    example = example_effects(cell, R, rng) * np.float32(np.sqrt(shared))
    size = (R, cell.K, cell.n)
    close = rng.standard_normal(size, dtype=np.float32) * np.float32(np.sqrt(1 - shared))
    m, d = effects or member_effects(cell, R, rng)
    base = threshold(cell.rate, cell.sd if cell.design != "artifact" else 0.0) + example + close + m > 0
    if cell.design == "unpaired" or cell.churn:
        again = rng.standard_normal(size, dtype=np.float32) * np.float32(np.sqrt(1 - shared))
        # a compressed copy of a model still agrees with it on most close examples
        close = again if cell.design == "unpaired" else np.float32(0.9) * close + np.float32(np.sqrt(0.19)) * again
    own = m + d if cell.design == "paired" else d
    spread = {"artifact": 0.0, "paired": np.sqrt(2) * cell.sd, "unpaired": cell.sd}[cell.design]
    return variant_level(cell, R, spread, rng) + example + close + own > 0, base


def variant_level(cell: Cell, R: int, spread: float, rng: np.random.Generator) -> np.ndarray:
    """Give the latent mean of each of the variant's members, [R, K, 1] or a scalar; a lottery strikes some of them."""
    if cell.kind != "lottery":
        return np.float32(threshold(cell.rate - cell.harm, spread))
    struck = rng.random((R, cell.K, 1)) < LOTTERY_SHARE
    return np.where(struck, threshold(cell.rate - LOTTERY_LOSS, spread), threshold(cell.rate, spread)).astype(
        np.float32
    )


def threshold(rate: float, spread: float) -> np.float32:
    """Give the latent mean at which a rate is true, when member effects have a standard deviation."""
    return np.float32(special.ndtri(rate) * np.sqrt(1 + spread**2))


def example_effects(cell: Cell, R: int, rng: np.random.Generator) -> np.ndarray:
    """Draw the examples' own effects, [R, 1, n], of variance 1; those of one cluster go together."""
    own = rng.standard_normal((R, 1, cell.n), dtype=np.float32)
    if cell.kind != "clusters":
        return own
    common = np.repeat(rng.standard_normal((R, 1, cell.n // CLUSTER_SIZE), dtype=np.float32), CLUSTER_SIZE, axis=2)
    return np.float32(np.sqrt(ICC)) * common + np.float32(np.sqrt(1 - ICC)) * own


def member_effects(cell: Cell, R: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw effects of baseline members, and of the variant's or of their differences, [R, K, 1] each."""
    if cell.design == "artifact":
        return np.float32(0), np.float32(0)
    return tuple(np.float32(cell.sd) * rng.standard_normal((R, cell.K, 1), dtype=np.float32) for _ in range(2))


def judge(ours: np.ndarray, theirs: np.ndarray, cell: Cell) -> Judged:
    """Bound the change of the rate as an audit does, from decisions [R, K, n]."""
    rates = [side.mean(axis=2, dtype=np.float64).T for side in (ours, theirs)]
    votes = [side.mean(axis=1, dtype=np.float64) for side in (ours, theirs)]
    m = sums(votes, CLUSTER_SIZE if cell.kind == "clusters" else 1)
    bounds = tuple(bound(m, rates, cell.design, side) for side in (-1, 1))
    low, high = (one.end(side, 1 - LEVEL) for one, side in zip(bounds, (-1, 1), strict=True))
    change = rates[0].mean(axis=0) - rates[1].mean(axis=0)
    return Judged(
        harm=-change,
        upper=-low,
        lower=-high,
        wild=spread(m, rates, cell) > SPREAD_LIMIT,
        wide_upper=-widened(bounds[0]).end(-1, 1 - LEVEL),
        seeds_upper=-change + seeds(rates, cell.design),
        bounds=bounds,
    )


def sums(votes: list[np.ndarray], size: int) -> Moments:
    """Add up vote shares [R, n] by run: runs take the place of groups."""
    R, n = votes[0].shape
    A = np.stack([one.reshape(R, n // size, size).sum(axis=2) for one in votes])
    total = A.sum(axis=2)[..., None]
    square = np.einsum("qrc,src->qsr", A, A)[..., None]
    ones = np.ones((R, 1))
    return Moments(
        examples=n * ones,
        clusters=n // size * ones,
        total=total,
        square=square,
        cross=size * total,
        size_square=n * size * ones,
    )


def bound(m: Moments, rates: list[np.ndarray], design: str, side: int) -> BoundArrays:
    """Put together one end as `RateTable.bounds` does, from member rates [K, R]."""
    end = example_end(m, EXTREMES[side])
    found = contrast("change", end.mean[:, :, 0], None)
    terms = [example_term(found.groups[0], end.covariance[:, :, :, 0], end.df[:, 0])]
    everyone = np.arange(len(rates[0]))
    parts = [member_parts(found.groups, [one], which) for which, one in enumerate(rates)]
    if design == "paired":
        pairs = (parts[0][0] + parts[1][0], parts[0][1] + parts[1][1])
        terms.append(allow_for_skewness(member_term("members", pairs, everyone), rates[0], side))
    elif design == "unpaired":
        terms += [
            allow_for_skewness(member_term("members", parts[0], everyone), rates[0], side, rates[1]),
            member_term("baseline members", parts[1], everyone),
        ]
    return BoundArrays(center=found.numerator, below=found.denominator, terms=tuple(terms))


def spread(m: Moments, rates: list[np.ndarray], cell: Cell) -> np.ndarray:
    """Estimate the spread between members as `RateTable.spread` does, [R]."""
    if cell.design == "artifact":
        return np.zeros(rates[0].shape[1])
    ours, theirs = (one[:, :, None] for one in rates)
    everyone = np.arange(cell.K)
    if cell.design == "paired":
        return between_members(ours - theirs, ours, 0.0, everyone)[:, 0]
    factor = cell.K / (cell.K - 1)
    within = [
        0.0 if cell.kind == "clusters" else (m.total[q] - m.square[q, q]) / m.examples**2 * factor for q in (0, 1)
    ]
    sides = [between_members(one, one, own, everyone) for one, own in zip((ours, theirs), within, strict=True)]
    return np.maximum(*sides)[:, 0]


def widened(bounds: BoundArrays) -> BoundArrays:
    """Widen as `auditor.measure.intervals.widened` does."""
    terms = tuple(
        replace(t, variance=t.variance * (1.0 if t.source == "examples" else WIDENING**2)) for t in bounds.terms
    )
    return replace(bounds, terms=terms)


def seeds(rates: list[np.ndarray], design: str) -> np.ndarray:
    """Give the reach of the usual interval over members alone: paired t, or Welch's; NaN for an artifact."""
    K, R = rates[0].shape
    if design == "artifact":
        return np.full(R, np.nan)
    if design == "paired":
        variance = (rates[0] - rates[1]).var(axis=0, ddof=1) / K
        return quantiles(np.full(R, K - 1.0), LEVEL) * np.sqrt(variance)
    parts = np.stack([one.var(axis=0, ddof=1) / K for one in rates])
    total = parts.sum(axis=0)
    df = np.where(total > 0, total**2 * (K - 1) / np.maximum((parts**2).sum(axis=0), 1e-300), 1.0)
    return quantiles(df, LEVEL) * np.sqrt(total)
