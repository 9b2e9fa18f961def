"""Every number as rate x gap x contrast: read off tables of rates, many comparisons at once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from auditor.measure.contrasts import RATIOS, VERSUS_BASELINE, BoundArrays
from auditor.measure.intervals import clopper_pearson
from auditor.measure.tables import rate_tables
from auditor.records import Bound, Estimate, Term, group_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.measure.intervals import Side
    from auditor.measure.setting import Setting
    from auditor.measure.tables import RateTable
    from auditor.records import Compare, FloatArray, IntArray

SIDES: tuple[Side, Side] = (-1, 1)
RANGES: dict[Compare, tuple[float, float]] = {
    "value": (0.0, 1.0),
    "change": (-1.0, 1.0),
    "disparity": (-1.0, 1.0),
    "disparity_change": (-2.0, 2.0),
    "to_overall": (-1.0, 1.0),
    "to_overall_change": (-2.0, 2.0),
    "ratio": (0.0, math.inf),
    "ratio_change": (-math.inf, math.inf),
}
"""What a rate, its change, its gap and its ratio can be: no bound lies beyond."""

Target = tuple[str, int | None, int, "Compare", int]
"""What is wanted: metric, index of the class (None for accuracy and error), index of the group, comparison, index of
the group that a gap is to (NONE without one, or where it is to everybody)."""


def estimate(setting: Setting, targets: Iterable[Target]) -> list[Estimate]:
    """Compute the wanted numbers of one variant; comparisons with the baseline are left out for the baseline."""
    wanted = [t for t in targets if not (setting.is_baseline and t[3] in VERSUS_BASELINE)]
    batches: dict[tuple[str, Compare], list[Target]] = {}
    for target in wanted:
        batches.setdefault((target[0], target[3]), []).append(target)
    tables = rate_tables(setting, list(dict.fromkeys(metric for metric, _ in batches)))
    found: dict[Target, Estimate] = {}
    for (metric, compare), batch in batches.items():
        found |= zip(batch, _estimates(setting, tables[metric], compare, batch), strict=True)
    return [found[target] for target in wanted]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Interval:
    """What is known of one comparison that is defined."""

    value: float
    low: float | None
    high: float | None
    method: str
    lower: Bound | None
    upper: Bound | None
    spread: float | None


def _estimates(setting: Setting, table: RateTable, compare: Compare, batch: list[Target]) -> list[Estimate]:
    undefined = _undefined(setting, table, compare, batch)
    defined = [target for target, reason in zip(batch, undefined, strict=True) if reason is None]
    intervals = iter(_intervals(setting, table, compare, defined))
    return [
        _estimate(setting, table, target, reason, None if reason else next(intervals))
        for target, reason in zip(batch, undefined, strict=True)
    ]


def _indices(targets: list[Target]) -> tuple[IntArray, IntArray, IntArray]:
    """Give class (0 where the rate has none), group and the other group of each, [P]."""
    j, g, other = (np.array([target[place] or 0 for target in targets], int) for place in (1, 2, 4))
    return j, g, other


def _undefined(s: Setting, table: RateTable, compare: Compare, batch: list[Target]) -> list[str | None]:
    """Say of each comparison why it has no number; None where it has one."""
    versus = compare in VERSUS_BASELINE
    if s.members == 0:
        return ["no member finished"] * len(batch)
    distinct = [s.members] if versus else [len(np.unique(s.blocks))]
    distinct += [len(s.firsts_baseline)] if versus and s.baseline_is_sampled else []
    if s.is_sampled and min(distinct) < 2:
        return ["a claim about a recipe needs two finished members that differ"] * len(batch)
    j, g, other = _indices(batch)
    reasons: list[str | None] = [None] * len(batch)
    names, enough = s.dataset.groups.names, f"of the {s.min_group} that are needed"
    for places in (g, other):
        least = table.fewest(places, j, versus=versus)
        for i in np.flatnonzero((places >= 0) & (least < s.min_group)):
            reasons[i] = reasons[i] or f"{least[i]} {table.unit} in {group_name(names[places[i]])}, {enough}"
    if compare.startswith("to_overall"):
        left = table.fewest_outside(g, j)
        for i in np.flatnonzero(left < s.min_group):
            reasons[i] = reasons[i] or f"{left[i]} {table.unit} outside of the group, {enough}"
    if compare in RATIOS:
        for i in np.flatnonzero(table.is_zero(other, j, versus=versus)):
            reasons[i] = reasons[i] or "the rate of the reference group is 0"
    return reasons


def _intervals(s: Setting, table: RateTable, compare: Compare, targets: list[Target]) -> list[_Interval]:
    """Compute values and intervals of comparisons that are all defined."""
    if not targets:
        return []
    j, g, other = _indices(targets)
    value = table.value(compare, g, j, other)
    if compare == "value" and not s.is_sampled and s.dataset.cluster is None and not table.is_random:
        return _exact(s, value, table.n[g, j])
    spread = table.spread(compare, g, j, other) if s.is_sampled else np.full(len(value), np.nan)
    sides = [table.bounds(compare, g, j, other, side) for side in SIDES]
    least, most = RANGES[compare]
    low = np.maximum(np.nan_to_num(sides[0].end(-1, s.confidence), nan=least), least)
    high = np.minimum(np.nan_to_num(sides[1].end(1, s.confidence), nan=most), most)
    bounds = [_bounds(one) for one in sides]
    return [
        _Interval(
            value=float(value[i]),
            low=_known(low[i]),
            high=_known(high[i]),
            method="sum of terms",
            lower=bounds[0][i],
            upper=bounds[1][i],
            spread=_known(spread[i]),
        )
        for i in range(len(targets))
    ]


def _exact(s: Setting, value: FloatArray, n: IntArray) -> list[_Interval]:
    """Give one model's own rates their exact intervals."""
    successes = np.rint(value * n)
    low, high = (clopper_pearson(successes, n, side, s.confidence) for side in SIDES)
    return [
        _Interval(
            value=float(v), low=float(a), high=float(b), method="clopper-pearson", lower=None, upper=None, spread=None
        )
        for v, a, b in zip(value, low, high, strict=True)
    ]


def _known(number: float) -> float | None:
    return float(number) if math.isfinite(number) else None


def _bounds(arrays: BoundArrays) -> list[Bound]:
    """Take bounds of many comparisons apart."""
    columns = [
        zip(
            *(x.tolist() for x in (term.variance, term.df, term.covariance, term.variance_below)),
            strict=True,
        )
        for term in arrays.terms
    ]
    terms = [
        [Term(source=t.source, variance=v, df=df, covariance=c, variance_below=b) for v, df, c, b in column]
        for t, column in zip(arrays.terms, columns, strict=True)
    ]
    return [
        Bound(center=center, below=below, terms=own)
        for center, below, *own_terms in zip(arrays.center.tolist(), arrays.below.tolist(), *terms, strict=True)
        for own in [tuple(own_terms)]
    ]


def _estimate(
    s: Setting, table: RateTable, target: Target, undefined: str | None, interval: _Interval | None
) -> Estimate:
    _, label, g, compare, other = target
    names, found = s.dataset.groups.names, interval
    return Estimate(
        variant=s.population.name,
        metric=table.metric,
        label=None if label is None else s.dataset.classes[label],
        group=names[g],
        against=names[other] if other >= 0 else None,
        compare=compare,
        value=found.value if found else None,
        low=found.low if found else None,
        high=found.high if found else None,
        n=int(table.n[g, label or 0]),
        members=s.members,
        claim=s.population.claim,
        undefined=undefined,
        method=found.method if found else "none",
        lower=found.lower if found else None,
        upper=found.upper if found else None,
        spread=found.spread if found else None,
    )
