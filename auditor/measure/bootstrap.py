"""The worst group and the spread between groups: not smooth, so described by a bootstrap and never judged.

Examples (clusters, where there are any) and members are drawn again together, with multinomial weights (Efron and
Tibshirani 1993). The least of many noisy rates lies below the truth and their spread above it, in the data as in every
draw: an interval here says how much the numbers move, not where the truth lies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from auditor.measure.rates import RATES, inside
from auditor.records import Extreme, family_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.measure.setting import Setting
    from auditor.records import BoolArray, Dataset, FloatArray, IntArray, Label

DRAWS = 500
DRAWS_AT_ONCE = 50


def draw_examples(dataset: Dataset, generator: np.random.Generator) -> FloatArray:
    """Draw weights of examples, [1 + B, N], that all variants share; the first row is the data as they are."""
    unit = np.arange(len(dataset.labels)) if dataset.cluster is None else dataset.cluster
    return _drawn(int(unit.max()) + 1, generator)[:, unit]


def describe_extremes(
    setting: Setting, rates: Sequence[tuple[str, int | None]], examples: FloatArray, generator: np.random.Generator
) -> tuple[Extreme, ...]:
    """Give the worst rate and the spread of every attribute and intersection; `rates` are metrics with their class.

    Higher is better for all of them. Groups with fewer than `min_group` examples in the denominator are left out.
    `examples` are the weights that `draw_examples` made; members are drawn here.
    """
    if not setting.members:
        return ()
    K = len(setting.decisions)
    members = _drawn(K, generator) if setting.is_sampled else np.ones((1 + DRAWS, K), np.float32)
    found: list[Extreme] = []
    for metric, label in rates:
        hits, among = _hits(setting, metric, label)
        found += _of_rate(setting, (metric, label), _rates(setting, hits, among, examples, members / K), among)
    return tuple(found)


def _drawn(size: int, generator: np.random.Generator) -> FloatArray:
    """Count how often each of `size` is drawn in as many draws with replacement, [1 + B, size]."""
    counts = [np.bincount(generator.integers(0, size, size), minlength=size) for _ in range(DRAWS)]
    return np.vstack([np.ones(size), *counts]).astype(np.float32)


def _hits(s: Setting, metric: str, label: int | None) -> tuple[BoolArray, BoolArray]:
    """Give each member's hits [K, N], and who is in the denominator [N]."""
    labels = s.dataset.labels
    if label is None:
        return s.decisions == labels, np.ones(len(labels), bool)
    return s.decisions == label, inside(RATES[metric], labels, len(s.dataset.classes))[:, label]


def _rates(s: Setting, hits: BoolArray, among: BoolArray, examples: FloatArray, members: FloatArray) -> FloatArray:
    """Compute the rate of every group in every draw, [1 + B, G]; NaN where a draw holds nobody of the group."""
    groups = s.dataset.groups
    belongs = groups.membership[:, groups.cell_of][:, among].T.astype(np.float32)
    own = hits[:, among].astype(np.float32)
    parts = []
    for start in range(0, len(examples), DRAWS_AT_ONCE):
        rows = slice(start, start + DRAWS_AT_ONCE)
        weights = examples[rows][:, among]
        shares = (weights * (members[rows] @ own)) @ belongs
        sizes = weights @ belongs
        out = np.full(shares.shape, np.nan)
        np.divide(shares, sizes, out=out, where=sizes > 0)
        parts.append(out)
    return np.concatenate(parts)


def _of_rate(s: Setting, rate: tuple[str, int | None], drawn: FloatArray, among: BoolArray) -> Iterator[Extreme]:
    names = s.dataset.groups.names
    sizes = np.array([np.count_nonzero(row[s.dataset.groups.cell_of] & among) for row in s.dataset.groups.membership])
    families: dict[str, list[int]] = {}
    for g, name in enumerate(names):
        if name:
            families.setdefault(family_name(name), []).append(g)
    label: Label | None = None if rate[1] is None else s.dataset.classes[rate[1]]
    for family, groups in families.items():
        kept = [g for g in groups if sizes[g] >= s.min_group]
        yield _extreme(s, rate[0], label, family, kept, drawn[:, kept])


def _extreme(
    s: Setting, metric: str, label: Label | None, family: str, groups: list[int], drawn: FloatArray
) -> Extreme:
    few = len(groups) < 2
    # a draw without anybody of a small group has no extreme of all groups, and is left out
    whole = drawn[~np.isnan(drawn).any(axis=1)] if not few else drawn[:0]
    least = whole.min(axis=1) if not few else whole
    spread = whole.max(axis=1) - least if not few else whole
    tails = ((1 - s.confidence), s.confidence)
    names = s.dataset.groups.names
    return Extreme(
        variant=s.population.name,
        metric=metric,
        label=label,
        family=family,
        worst_group=None if few else names[groups[int(np.argmin(drawn[0]))]],
        worst=None if few else float(least[0]),
        worst_interval=None if few else _pair(np.quantile(least[1:], tails)),
        spread=None if few else float(spread[0]),
        spread_interval=None if few else _pair(np.quantile(spread[1:], tails)),
        groups=len(groups),
        undefined=f"{len(groups)} groups of {family} have at least {s.min_group} examples: two are needed"
        if few
        else None,
    )


def _pair(ends: FloatArray | IntArray) -> tuple[float, float]:
    return float(ends[0]), float(ends[1])
