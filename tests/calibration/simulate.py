"""Simulated audits: crossed probit data whose true harm is known, judged by the functions that judge real ones.

A model decides rightly where mean + example + member + interaction > 0, all normal. The true rate is then a value of
the normal distribution function; no quadrature is needed. R is runs, K members, n examples. Runs take the place of
groups, so that one table of the accuracy holds them all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from types import SimpleNamespace
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import special

from auditor.measure.counts import MemberCounts
from auditor.measure.intervals import quantiles, widened
from auditor.measure.moments import Moments
from auditor.measure.spread import LIMIT as SPREAD_LIMIT
from auditor.measure.tables import RateTable

if TYPE_CHECKING:
    from auditor.measure.contrasts import BoundArrays

LEVEL = 0.05
CLUSTER_SIZE = 5
LARGE_CLUSTER = 0.2
"""Share of the examples in one cluster, where clusters are unequal."""
ICC = 0.1
LOTTERY_SHARE, LOTTERY_LOSS = 0.1, 0.2
AT_ONCE = 2_000_000
"""Decisions simulated at one time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One setting of the simulation."""

    design: Literal["artifact", "given", "paired", "unpaired"]
    """Given: one baseline file, and members of the variant alone."""
    n: int
    K: int
    rate: float
    """Of the baseline."""
    harm: float
    """True fall of the rate, or of its gap to the other group."""
    sd: float
    """Between members, on the probit scale: of each population where unpaired, of the differences where paired."""
    churn: bool
    """Whether flips go both ways: then a new training or compression decides anew on examples that are close."""
    kind: Literal["plain", "clusters", "unequal clusters", "unequal spreads", "gap", "lottery"] = "plain"
    sd_baseline: float | None = None
    """Between the baseline's members, where it differs."""
    other: float | None = None
    """Rate of the other group, of as many examples, where a gap is judged; member effects correlate by one half."""


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


Decisions = tuple[np.ndarray, np.ndarray]
"""Of variant and baseline, [R, K, n] each; right or wrong."""


def simulate(cell: Cell, runs: int, rng: np.random.Generator) -> Judged:
    """Simulate and judge one cell."""
    at_once = max(1, AT_ONCE // (cell.n * cell.K))
    parts = [judge(draw(cell, min(at_once, runs - start), rng), cell) for start in range(0, runs, at_once)]
    return Judged(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in Judged.__slots__})


def draw(cell: Cell, R: int, rng: np.random.Generator) -> list[Decisions]:
    """Draw the decisions in each group that is compared."""
    if cell.kind != "gap":
        return [decide(cell, R, rng, member_effects(cell, R, rng))]
    shared, *own = (member_effects(cell, R, rng) for _ in range(3))
    effects = [tuple(np.float32(np.sqrt(0.5)) * (x + y) for x, y in zip(shared, one, strict=True)) for one in own]
    cells = (cell, replace(cell, rate=cell.other, harm=0.0))
    return [decide(one, R, rng, effect) for one, effect in zip(cells, effects, strict=True)]


def decide(cell: Cell, R: int, rng: np.random.Generator, effects: tuple) -> Decisions:
    """Draw decisions of variant and baseline; `effects` are those of members, [R, K, 1] each."""
    shared = 0.5 if cell.churn else 0.95
    example = example_effects(cell, R, rng) * np.float32(np.sqrt(shared))
    size = (R, cell.K, cell.n)
    files = (R, 1 if cell.design == "given" else cell.K, cell.n)
    close = rng.standard_normal(files, dtype=np.float32) * np.float32(np.sqrt(1 - shared))
    m, d = effects
    base = threshold(cell.rate, 0.0 if cell.design in {"artifact", "given"} else sd_baseline(cell))
    base = base + example + close + m > 0
    if cell.design == "unpaired" or cell.churn:
        again = rng.standard_normal(size, dtype=np.float32) * np.float32(np.sqrt(1 - shared))
        # a compressed copy of a model still agrees with it on most close examples
        close = again if cell.design == "unpaired" else np.float32(0.9) * close + np.float32(np.sqrt(0.19)) * again
    own = m + d if cell.design == "paired" else d
    spread = {"artifact": 0.0, "paired": np.sqrt(2) * cell.sd}.get(cell.design, cell.sd)
    return variant_level(cell, R, spread, rng) + example + close + own > 0, base


def sd_baseline(cell: Cell) -> float:
    """Give the standard deviation between the baseline's members."""
    return cell.sd if cell.sd_baseline is None else cell.sd_baseline


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


def sizes(cell: Cell) -> np.ndarray:
    """Give the number of examples in each cluster; one each without clusters."""
    if cell.kind == "clusters":
        return np.full(cell.n // CLUSTER_SIZE, CLUSTER_SIZE)
    if cell.kind == "unequal clusters":
        large = int(LARGE_CLUSTER * cell.n)
        return np.array([large, *np.full((cell.n - large) // CLUSTER_SIZE, CLUSTER_SIZE)])
    return np.ones(cell.n, int)


def example_effects(cell: Cell, R: int, rng: np.random.Generator) -> np.ndarray:
    """Draw the examples' own effects, [R, 1, n], of variance 1; those of one cluster go together."""
    own = rng.standard_normal((R, 1, cell.n), dtype=np.float32)
    if "clusters" not in cell.kind:
        return own
    clusters = sizes(cell)
    common = np.repeat(rng.standard_normal((R, 1, len(clusters)), dtype=np.float32), clusters, axis=2)
    return np.float32(np.sqrt(ICC)) * common + np.float32(np.sqrt(1 - ICC)) * own


def member_effects(cell: Cell, R: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw effects of baseline members, and of the variant's or of their differences, [R, K, 1] each."""
    if cell.design == "artifact":
        return np.zeros((R, 1, 1), np.float32), np.zeros((R, 1, 1), np.float32)
    sds = (0.0 if cell.design == "given" else sd_baseline(cell), cell.sd)
    members = (1 if cell.design == "given" else cell.K, cell.K)
    return tuple(
        np.float32(sd) * rng.standard_normal((R, size, 1), dtype=np.float32)
        for sd, size in zip(sds, members, strict=True)
    )


def judge(groups: list[Decisions], cell: Cell) -> Judged:
    """Bound the change of the rate, or of the gap, as an audit does."""
    audit = Audit(groups, cell)
    low, high = audit.bounds
    change = audit.change
    return Judged(
        harm=-change,
        upper=-low.end(-1, 1 - LEVEL),
        lower=-high.end(1, 1 - LEVEL),
        wild=audit.spread > SPREAD_LIMIT,
        wide_upper=-widened(low).end(-1, 1 - LEVEL),
        seeds_upper=-change + seeds(audit.of_members, cell.design),
    )


class Audit:
    """One table of the accuracy, whose groups are runs; where a gap is judged, the other group of each run after."""

    def __init__(self, groups: list[Decisions], cell: Cell) -> None:
        decisions = [np.concatenate(side) for side in zip(*groups, strict=True)]
        clusters = sizes(cell)
        counts = [side.sum(axis=2).T[:, :, None] for side in decisions]
        setting = SimpleNamespace(
            ours=MemberCounts(correct=counts[0], decided=counts[0]),
            theirs=MemberCounts(correct=counts[1], decided=counts[1]),
            total=np.full((len(decisions[0]), 1), cell.n),
            dataset=SimpleNamespace(cluster=clusters if "clusters" in cell.kind else None),
            population=SimpleNamespace(paired=cell.design == "paired"),
            is_sampled=cell.design != "artifact",
            baseline_is_sampled=cell.design in {"paired", "unpaired"},
            blocks=np.arange(cell.K),
            blocks_baseline=np.arange(len(counts[1])),
            blocks_of_pairs=np.arange(cell.K),
            firsts=np.arange(cell.K),
            firsts_baseline=np.arange(len(counts[1])),
        )
        votes = [side.mean(axis=1, dtype=np.float64) for side in decisions]
        self.table = RateTable(setting, "accuracy", sums(votes, clusters))
        R = len(groups[0][0])
        self.compare = "change" if len(groups) == 1 else "disparity_change"
        self.places = (np.arange(R), np.zeros(R, int), np.arange(R) + R)
        self.is_sampled = setting.is_sampled

    @cached_property
    def bounds(self) -> tuple[BoundArrays, BoundArrays]:
        """Lower and upper end."""
        lower, upper = (self.table.bounds(self.compare, *self.places, side) for side in (-1, 1))
        return lower, upper

    @property
    def change(self) -> np.ndarray:
        """The estimate, [R]."""
        g, j, other = self.places
        return self.table.value(self.compare, g, j, other)

    @property
    def spread(self) -> np.ndarray:
        """Between members, [R]."""
        g, j, other = self.places
        return self.table.spread(self.compare, g, j, other) if self.is_sampled else np.zeros(len(g))

    @property
    def of_members(self) -> list[np.ndarray]:
        """What the variant's and the baseline's members have, [K, R] each: their rates, or gaps."""
        g, _, other = self.places
        rates = [side[:, :, 0] for side in (self.table.ours, self.table.theirs)]
        return rates if self.compare == "change" else [one[:, g] - one[:, other] for one in rates]


def sums(votes: list[np.ndarray], clusters: np.ndarray) -> Moments:
    """Add up vote shares [R, n] by run and cluster."""
    starts = np.concatenate([[0], np.cumsum(clusters)[:-1]])
    A = np.stack([np.add.reduceat(one, starts, axis=1) for one in votes])
    ones = np.ones((A.shape[1], 1))
    return Moments(
        examples=clusters.sum() * ones,
        clusters=len(clusters) * ones,
        total=A.sum(axis=2)[..., None],
        square=np.einsum("qrc,src->qsr", A, A)[..., None],
        cross=(A @ clusters)[..., None],
        size_square=(clusters**2).sum() * ones,
    )


def seeds(rates: list[np.ndarray], design: str) -> np.ndarray:
    """Give the reach of the usual interval over members alone: t of one population or of pairs, or Welch's.

    NaN for an artifact.
    """
    K, R = rates[0].shape
    if design == "artifact":
        return np.full(R, np.nan)
    if design in {"given", "paired"}:
        variance = (rates[0] - rates[1]).var(axis=0, ddof=1) / K
        return quantiles(np.full(R, K - 1.0), LEVEL) * np.sqrt(variance)
    parts = np.stack([one.var(axis=0, ddof=1) / K for one in rates])
    total = parts.sum(axis=0)
    df = np.where(total > 0, total**2 * (K - 1) / np.maximum((parts**2).sum(axis=0), 1e-300), 1.0)
    return quantiles(df, LEVEL) * np.sqrt(total)
