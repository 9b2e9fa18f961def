"""Exemplars and changed decisions by group and by class, beside what chance gives (statistics: section 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from auditor.measure.disagreement import Excess, count_by_place, excess_by_place
from auditor.measure.halves import SPLITS, halves_differ, size_of_half
from auditor.measure.over_indexing import OverIndexing, over_index
from auditor.measure.permutation import no_deals
from auditor.measure.places import count_units, place_names, sum_by_place
from auditor.records import ExemplarGroup, Halves

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.measure.permutation import Dealing
    from auditor.measure.places import Units
    from auditor.measure.setting import Setting
    from auditor.records import BoolArray, FloatArray, GroupKey, IntArray, Label


@dataclass(frozen=True, slots=True, kw_only=True)
class _Places:
    """What is known of every group, then of every class of everybody: arrays are [P], NaN where undefined."""

    units: Units
    n: IntArray
    count: IntArray
    changes: FloatArray
    """[P, 3]: negative flips, positive flips, churn."""
    halves: FloatArray | None
    """[P, 3]: exemplar rates between halves: across, within the baseline, within the variant."""
    over_indexing: OverIndexing
    excess: Excess | None
    no_deals: str | None


def where_they_are(
    setting: Setting, chosen: BoolArray, dealing: Dealing | None, generator: np.random.Generator
) -> tuple[tuple[ExemplarGroup, ...], Halves | None]:
    """Give everything by place, everybody first, from who is an exemplar, `chosen` [N]; and everybody's halves."""
    data = setting.dataset
    columns = [np.ones(len(chosen)), chosen.astype(np.float64), *_changes(setting)]
    if dealing is not None and no_halves(setting, dealing) is None:
        dealt = setting.decisions_baseline[dealing.baseline], setting.decisions[dealing.variant]
        columns += list(halves_differ(*dealt, dealing, generator).T)
    sums = sum_by_place(data, columns)
    n, count = np.rint(sums[:, :2].T).astype(np.int64)
    means = np.full(sums[:, 2:].shape, np.nan)
    np.divide(sums[:, 2:], n[:, None], out=means, where=n[:, None] > 0)
    units = count_units(data, setting.total)
    places = _Places(
        units=units,
        n=n,
        count=count,
        changes=means[:, :3],
        halves=means[:, 3:] if len(columns) > 5 else None,
        over_indexing=over_index(count, n, confidence=setting.confidence),
        excess=None if dealing is None else _excess(setting, n, units, dealing),
        no_deals=no_deals(setting),
    )
    names = place_names(data)
    rows = tuple(_row(setting, places, i, name) for i, name in enumerate(names))
    return rows, None if places.halves is None or dealing is None else _halves(places.halves[0], dealing)


def _changes(setting: Setting) -> Iterator[FloatArray]:
    """Give negative flips, positive flips and churn on each example, [N] each: means over pairs of members.

    Paired: member k with baseline member k. Unpaired: every member with every member of the baseline, which vote shares
    give without a loop.
    """
    labels = setting.dataset.labels
    if setting.population.paired:
        right, right_before = setting.decisions == labels, setting.decisions_baseline == labels
        yield (right_before & ~right).mean(axis=0)
        yield (~right_before & right).mean(axis=0)
        yield (setting.decisions != setting.decisions_baseline).mean(axis=0)
        return
    here = np.arange(len(labels))
    right, right_before = setting.votes[here, labels], setting.votes_baseline[here, labels]
    agree = np.einsum("nc,nc->n", setting.votes, setting.votes_baseline)
    # shares of votes add up to 1 but for rounding
    yield np.maximum(right_before * (1 - right), 0.0)
    yield np.maximum((1 - right_before) * right, 0.0)
    yield np.maximum(1 - agree, 0.0)


def _excess(setting: Setting, n: IntArray, units: Units, dealing: Dealing) -> Excess:
    """Test the excess of every place that is large enough: everybody alone, all groups together, all classes."""
    decisions = np.concatenate([setting.decisions_baseline[dealing.baseline], setting.decisions[dealing.variant]])
    groups, place = len(setting.dataset.groups.names), np.arange(len(n))
    enough = units.of_places >= setting.min_group
    families = [place[enough & family] for family in (place == 0, (place > 0) & (place < groups), place >= groups)]
    return excess_by_place(count_by_place(setting.dataset, decisions), n, dealing, families)


def no_halves(setting: Setting, dealing: Dealing | None) -> str | None:
    """Say why populations cannot be halved; None where they can."""
    if dealing is None:
        return no_deals(setting)
    return None if size_of_half(dealing) >= 2 else "halves need four finished members of baseline and of variant"


def _halves(rates: FloatArray, dealing: Dealing) -> Halves:
    between, baseline, variant = rates.tolist()
    return Halves(members=size_of_half(dealing), splits=SPLITS, between=between, baseline=baseline, variant=variant)


def _row(setting: Setting, places: _Places, i: int, name: tuple[GroupKey, Label | None]) -> ExemplarGroup:
    """Put together one row; what its examples are too few for is None."""
    n, units = int(places.n[i]), int(places.units.of_places[i])
    small = places.units.too_few(units, setting.min_group)
    negative, positive, churn = (None if small else _known(x) for x in places.changes[i])
    halves = None if small or places.halves is None else places.halves[i]
    over, low, high, no_over = _over_indexing(setting, places, i, small)
    excess, p, p_max_t, no_excess = _excess_of(places, i, small)
    return ExemplarGroup(
        group=name[0],
        label=name[1],
        n=n,
        count=int(places.count[i]),
        rate=int(places.count[i]) / n if n else None,
        over_indexing=over,
        over_indexing_low=low,
        over_indexing_high=high,
        over_indexing_undefined=no_over,
        negative_flips=negative,
        positive_flips=positive,
        churn=churn,
        expected=None if halves is None else float((halves[1] + halves[2]) / 2),
        between_halves=None if halves is None else float(halves[0]),
        excess=excess,
        p=p,
        p_max_t=p_max_t,
        excess_undefined=no_excess,
        undefined=small,
    )


def _known(x: float) -> float | None:
    return None if np.isnan(x) else float(x)


def _over_indexing(
    setting: Setting, places: _Places, i: int, small: str | None
) -> tuple[float | None, float | None, float | None, str | None]:
    """Give over-indexing, its limits, and why they are missing."""
    rest = int(places.n[0] - places.n[i])
    if small:
        return None, None, None, small
    if not places.count[0]:
        return None, None, None, "there are no exemplars"
    value = _known(places.over_indexing.value[i])
    if not rest:
        return value, None, None, "there is nobody else to compare with"
    if rest < setting.min_group:
        return None, None, None, f"{rest} examples in the rest, of the {setting.min_group} that are needed"
    if setting.dataset.cluster is not None:
        return value, None, None, "examples share ids, and the limits take them as independent"
    return value, _known(places.over_indexing.low[i]), _known(places.over_indexing.high[i]), None


def _excess_of(
    places: _Places, i: int, small: str | None
) -> tuple[float | None, float | None, float | None, str | None]:
    """Give excess, its p, the corrected p, and why they are missing."""
    if places.excess is None or small:
        return None, None, None, places.no_deals or small
    value, p, p_max_t = (_known(x[i]) for x in (places.excess.value, places.excess.p, places.excess.p_max_t))
    return value, p, p_max_t, "all deals give the same" if p is None else None
