"""The worst group and the spread between groups: not smooth, so described by a bootstrap and never judged.

Examples (clusters, where there are any) and members are drawn again together, with multinomial weights (Efron and
Tibshirani 1993). The least of many noisy rates lies below the truth and their spread above it, in the data as in every
draw: an interval here says how much the numbers move, not where the truth lies.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cmp_to_key
from itertools import chain, islice
from typing import TYPE_CHECKING

import numpy as np

from auditor.measure.counts import number_alike
from auditor.measure.places import count_units_among
from auditor.measure.rates import RATES, inside
from auditor.records import Extreme, family_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.measure.setting import Setting
    from auditor.records import BoolArray, Dataset, FloatArray, GroupKey, IntArray, Label

DRAWS = 500
DRAWS_AT_ONCE = 50
WEIGHTS_AT_ONCE = 2**24
"""Weights that are held at one time: bounds the memory of many kinds of examples."""
MANY = 2**20
"""Beyond so many examples, drawing them one by one takes minutes."""
KINDS_ARE_FEWER = 16
"""So many times fewer than examples must kinds be for it to pay to draw those."""
WHOLE = 0.9
"""Share of the draws that must hold every group for their quantiles to say anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kinds:
    """Examples of one cell and class that all members decide alike: no draw tells them apart, so they add up."""

    kind_of: IntArray
    """[N]."""
    first: IntArray
    """[T]: an example of each kind; sorted by cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hits:
    """One rate, by the T kinds in its denominator."""

    among: BoolArray
    """[kind]: which these are."""
    hits: BoolArray
    """[K, T]: each member's."""
    starts: IntArray
    """[cell]: the first kind of each cell that has any."""
    membership: FloatArray
    """[cell, G]: whether it belongs to the group."""


def describe_extremes(setting: Setting, rates: Sequence[tuple[str, int | None]], seed: int) -> tuple[Extreme, ...]:
    """Give the worst rate and the spread of every attribute and intersection; `rates` are metrics with their class.

    Higher is better for all of them. Groups with fewer than `min_group` examples (clusters, where there are any) in the
    denominator are left out. Both examples and members are drawn from the seed, whatever order members stand in. The
    same examples are drawn for all variants, but where there are very many: kinds are then drawn, which are a variant's
    own.
    """
    if not setting.members or not rates:
        return ()
    K, order = len(setting.decisions), _order(setting.decisions)
    members = np.ones((1 + DRAWS, K))
    if setting.is_sampled:
        # by a stream of their own: where there are as many examples, they would be drawn alike
        members[1:, order] = list(_drawn(K, np.random.default_rng([seed, 1])))
    kinds = _kinds(setting, order)
    hits = [_hits(setting, metric, label, kinds.first) for metric, label in rates]
    drawn: list[list[FloatArray]] = [[] for _ in rates]
    place = 0
    for weights in _weights(setting.dataset, kinds, np.random.default_rng(seed)):
        chosen = members[place : place + len(weights)] / K
        place += len(weights)
        for rows, own in zip(drawn, hits, strict=True):
            rows.append(_rates(own, weights, chosen))
    found: list[Extreme] = []
    for (metric, label), rows in zip(rates, drawn, strict=True):
        found += _of_rate(setting, (metric, label), np.concatenate(rows))
    return tuple(found)


def _order(decisions: IntArray) -> list[int]:
    """Order members, [K], by what they decide on the first example that tells them apart."""

    def compare(one: int, other: int) -> int:
        place = int(np.argmax(decisions[one] != decisions[other]))
        return int(decisions[one, place]) - int(decisions[other, place])

    return sorted(range(len(decisions)), key=cmp_to_key(compare))


def _drawn(size: int, generator: np.random.Generator) -> Iterator[IntArray]:
    """Count how often each of `size` is drawn in as many draws with replacement, [size], B times."""
    for _ in range(DRAWS):
        yield np.bincount(generator.integers(0, size, size), minlength=size)


def _kinds(s: Setting, order: Sequence[int]) -> _Kinds:
    groups, C = s.dataset.groups, len(s.dataset.classes)
    known = [(groups.cell_of, groups.membership.shape[1]), (s.dataset.labels, C)]
    first, kind_of = number_alike([*known, *((s.decisions[k], C) for k in order)])
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


def _denominator(s: Setting, metric: str, label: int | None, labels: IntArray) -> BoolArray:
    """Tell which of some examples, of these classes, are in a rate's denominator."""
    if label is None:
        return np.ones(len(labels), bool)
    return inside(RATES[metric], labels, len(s.dataset.classes))[:, label]


def _hits(s: Setting, metric: str, label: int | None, first: IntArray) -> _Hits:
    groups, labels = s.dataset.groups, s.dataset.labels[first]
    among = _denominator(s, metric, label, labels)
    decisions = s.decisions[:, first[among]]
    cells, starts = np.unique(groups.cell_of[first[among]], return_index=True)
    return _Hits(
        among=among,
        hits=decisions == (labels[among] if label is None else label),
        starts=starts,
        membership=groups.membership[:, cells].T.astype(np.float64),
    )


def _rates(rate: _Hits, weights: FloatArray, members: FloatArray) -> FloatArray:
    """Compute the rate of every group in some draws, [draws, G]; NaN where a draw holds nobody of the group."""
    own = weights if rate.among.all() else weights[:, rate.among]
    right = members @ rate.hits.astype(np.float64)
    right *= own
    shares, sizes = (np.add.reduceat(x, rate.starts, axis=1) @ rate.membership for x in (right, own))
    out = np.full(shares.shape, np.nan)
    np.divide(shares, sizes, out=out, where=sizes > 0)
    return out


def _of_rate(s: Setting, rate: tuple[str, int | None], drawn: FloatArray) -> Iterator[Extreme]:
    names = s.dataset.groups.names
    sizes = count_units_among(s.dataset, _denominator(s, *rate, s.dataset.labels))
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
    # a draw without anybody of a small group has no extreme of all groups, and is left out
    whole = drawn[~np.isnan(drawn).any(axis=1)]
    worst_group: GroupKey | None = None
    worst = worst_interval = spread = spread_interval = None
    undefined = _undefined(s, family, groups, len(whole) - 1)
    if not undefined:
        least = whole.min(axis=1)
        spreads = whole.max(axis=1) - least
        tails = ((1 - s.confidence), s.confidence)
        worst_group = s.dataset.groups.names[groups[int(np.argmin(drawn[0]))]]
        worst, worst_interval = float(least[0]), _pair(np.quantile(least[1:], tails))
        spread, spread_interval = float(spreads[0]), _pair(np.quantile(spreads[1:], tails))
    return Extreme(
        variant=s.population.name,
        metric=metric,
        label=label,
        family=family,
        worst_group=worst_group,
        worst=worst,
        worst_interval=worst_interval,
        spread=spread,
        spread_interval=spread_interval,
        groups=len(groups),
        undefined=undefined,
    )


def _undefined(s: Setting, family: str, groups: list[int], whole: int) -> str | None:
    """Say why there are no extremes of some groups; `whole` draws hold every one of them."""
    if len(groups) < 2:
        unit = "examples" if s.dataset.cluster is None else "clusters"
        return f"{len(groups)} groups of {family} have at least {s.min_group} {unit}: two are needed"
    return None if whole >= WHOLE * DRAWS else f"{whole} of {DRAWS} draws hold every group"


def _pair(ends: FloatArray | IntArray) -> tuple[float, float]:
    return float(ends[0]), float(ends[1])
