"""The worst group and the spread between groups: not smooth, so described by a bootstrap and never judged.

Examples (clusters, where there are any) and members are drawn again together, with multinomial weights (Efron and
Tibshirani 1993). The least of many noisy rates lies below the truth and their spread above it, in the data as in every
draw: an interval here says how much the numbers move, not where the truth lies.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING

import numpy as np

from auditor.measure.counts import number_alike
from auditor.measure.rates import RATES, denominators, inside
from auditor.records import Extreme, family_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.measure.setting import Setting
    from auditor.records import BoolArray, Dataset, FloatArray, IntArray, Label

DRAWS = 500
DRAWS_AT_ONCE = 50
WEIGHTS_AT_ONCE = 2**24
"""Weights that are held at one time: bounds the memory of many kinds of examples."""
MANY = 2**20
"""Beyond so many examples, drawing them one by one takes minutes."""
KINDS_ARE_FEWER = 16
"""So many times fewer than examples must kinds be for it to pay to draw those."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kinds:
    """Examples of one cell and class that all members decide alike: no draw tells them apart, so they add up."""

    kind_of: IntArray
    """[N]."""
    first: IntArray
    """[T]: an example of each kind."""


def describe_extremes(setting: Setting, rates: Sequence[tuple[str, int | None]], seed: int) -> tuple[Extreme, ...]:
    """Give the worst rate and the spread of every attribute and intersection; `rates` are metrics with their class.

    Higher is better for all of them. Groups with fewer than `min_group` examples in the denominator are left out.
    Examples are drawn from the seed, the same for all variants, and members from it afresh.
    """
    if not setting.members or not rates:
        return ()
    K = len(setting.decisions)
    members = np.ones((1 + DRAWS, K))
    if setting.is_sampled:
        members[1:] = list(_drawn(K, np.random.default_rng(seed)))
    kinds = _kinds(setting)
    hits = [_hits(setting, metric, label, kinds.first) for metric, label in rates]
    drawn: list[list[FloatArray]] = [[] for _ in rates]
    place = 0
    for weights in _weights(setting.dataset, kinds, np.random.default_rng(seed)):
        chosen = members[place : place + len(weights)] / K
        place += len(weights)
        for rows, (own, among) in zip(drawn, hits, strict=True):
            rows.append(_rates(setting, own, among, kinds.first, weights, chosen))
    found: list[Extreme] = []
    for (metric, label), rows in zip(rates, drawn, strict=True):
        found += _of_rate(setting, (metric, label), np.concatenate(rows))
    return tuple(found)


def _drawn(size: int, generator: np.random.Generator) -> Iterator[IntArray]:
    """Count how often each of `size` is drawn in as many draws with replacement, [size], B times."""
    for _ in range(DRAWS):
        yield np.bincount(generator.integers(0, size, size), minlength=size)


def _kinds(s: Setting) -> _Kinds:
    groups, C = s.dataset.groups, len(s.dataset.classes)
    columns = [(groups.cell_of, groups.membership.shape[1]), (s.dataset.labels, C), *((own, C) for own in s.decisions)]
    first, kind_of = number_alike(columns)
    return _Kinds(kind_of=kind_of.astype(np.min_scalar_type(len(first))), first=first)


def _weights(data: Dataset, kinds: _Kinds, generator: np.random.Generator) -> Iterator[FloatArray]:
    """Draw weights of all kinds, a few draws at a time, [draws, T]; the first draw is the data as they are."""
    T = len(kinds.first)
    step = max(1, min(DRAWS_AT_ONCE, WEIGHTS_AT_ONCE // T))
    drawn = chain([np.bincount(kinds.kind_of, minlength=T)], _weights_drawn(data, kinds, generator))
    while rows := list(islice(drawn, step)):
        yield np.array(rows, np.float64)


def _weights_drawn(data: Dataset, kinds: _Kinds, generator: np.random.Generator) -> Iterator[IntArray | FloatArray]:
    """Draw examples, or clusters whole; of very many examples, how many of each kind are drawn, which is the same."""
    T, N = len(kinds.first), len(data.labels)
    if data.cluster is None and max(MANY, KINDS_ARE_FEWER * T) < N:
        shares = np.bincount(kinds.kind_of, minlength=T) / N
        yield from (generator.multinomial(N, shares) for _ in range(DRAWS))
    elif data.cluster is None:
        for _ in range(DRAWS):
            yield np.bincount(kinds.kind_of[generator.integers(0, N, N)], minlength=T)
    else:
        for clusters in _drawn(int(data.cluster.max()) + 1, generator):
            yield np.bincount(kinds.kind_of, weights=clusters[data.cluster], minlength=T)


def _hits(s: Setting, metric: str, label: int | None, chosen: IntArray) -> tuple[BoolArray, BoolArray]:
    """Give each member's hits on some examples, [K, T], and who of them is in the denominator, [T]."""
    labels, decisions = s.dataset.labels[chosen], s.decisions[:, chosen]
    if label is None:
        return decisions == labels, np.ones(len(labels), bool)
    return decisions == label, inside(RATES[metric], labels, len(s.dataset.classes))[:, label]


def _rates(
    s: Setting, hits: BoolArray, among: BoolArray, first: IntArray, weights: FloatArray, members: FloatArray
) -> FloatArray:
    """Compute the rate of every group in some draws, [draws, G]; NaN where a draw holds nobody of the group."""
    groups = s.dataset.groups
    belongs = groups.membership[:, groups.cell_of[first[among]]].T.astype(np.float64)
    own = weights[:, among]
    shares = (own * (members @ hits[:, among].astype(np.float64))) @ belongs
    sizes = own @ belongs
    out = np.full(shares.shape, np.nan)
    np.divide(shares, sizes, out=out, where=sizes > 0)
    return out


def _of_rate(s: Setting, rate: tuple[str, int | None], drawn: FloatArray) -> Iterator[Extreme]:
    names = s.dataset.groups.names
    sizes = denominators(RATES[rate[0]], s.total)[:, rate[1] or 0]
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
