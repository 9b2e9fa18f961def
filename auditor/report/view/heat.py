"""The map of all groups and variants: how a rate changed, at a glance."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from auditor.records import EVERYBODY, Verdict
from auditor.report.view import words
from auditor.report.view.blocks import SYMBOLS, Figure, Grid, Tile
from auditor.report.view.verdicts import chunks

if TYPE_CHECKING:
    from auditor.records import Estimate, GroupKey, Label
    from auditor.report.view.numbers import Numbers

_ROWS, _COLUMNS = 14, 12
"""Groups and variants in a panel; further variants have a panel of their own, further groups are in the tables."""
_NOT_MEASURED = "–"


def heat_map(numbers: Numbers, metric: str, label: Label, groups: tuple[GroupKey, ...]) -> Figure:
    """Set the change of a rate for everybody, and for each group in the order given, against the variants."""
    others = [group for group in groups if group != EVERYBODY]
    shown = (EVERYBODY, *others[: _ROWS - 1])
    parts = ceil(len(numbers.variants) / _COLUMNS)
    width = ceil(len(numbers.variants) / max(parts, 1))
    hidden = len(others) + 1 - len(shown)
    more = f" {words.plural(hidden, 'more group')}, less harmed or undefined, stand in the tables." if hidden else ""
    return Figure(
        caption=f"Change of {words.metric(metric, label)} from the baseline in points: everybody, then the groups, "
        "largest estimated harm first",
        axis="points",
        panels=tuple(_panel(numbers, (metric, label), shown, part) for part in chunks(numbers.variants, max(width, 1))),
        note=_note(numbers.confidence) + more,
    )


def _note(confidence: float) -> str:
    each, both = words.rate(confidence, 0), words.rate(2 * (1 - confidence), 0)
    return (
        "Orange is a fall, blue a rise, deeper with the logarithm of 1 + points. Framed and bold: the interval "
        "excludes 0, without a correction for how many there are. Each end holds at "
        f"{each} by itself: of unchanged numbers up to {both} would be framed. "
        f"{SYMBOLS[Verdict.UNDEFINED]}: undefined."
    )


def _panel(numbers: Numbers, rate: tuple[str, Label], groups: tuple[GroupKey, ...], variants: tuple[str, ...]) -> Grid:
    found = {(v, group): numbers.get(v, (*rate, group), "change") for group in groups for v in variants}
    ends = f"{words.name(variants[0])} to {words.name(variants[-1])}"
    return Grid(
        title=ends if len(variants) < len(numbers.variants) else "",
        alt=_alt(words.metric(*rate), [e for e in found.values() if e is not None], len(groups), len(variants)),
        columns=tuple(map(words.name, variants)),
        rows=tuple((words.group(group), tuple(_tile(found[v, group]) for v in variants)) for group in groups),
    )


def _tile(estimate: Estimate | None) -> Tile:
    if estimate is None:
        return Tile(text=_NOT_MEASURED, value=None)
    if estimate.value is None:
        return Tile(text=SYMBOLS[Verdict.UNDEFINED], value=None)
    return Tile(text=words.points(estimate.value), value=100 * estimate.value, sure=_excludes_zero(estimate))


def _excludes_zero(estimate: Estimate) -> bool:
    return (estimate.low is not None and estimate.low > 0) or (estimate.high is not None and estimate.high < 0)


def _alt(name: str, found: list[Estimate], groups: int, variants: int) -> str:
    size = f"Change of {name}, {words.plural(groups, 'row')} by {words.plural(variants, 'variant')}"
    known = [e for e in found if e.value is not None]
    if not known:
        return f"{size}: undefined everywhere."
    ends = (pick(known, key=lambda e: e.value or 0.0) for pick in (min, max))
    least, most = (f"{words.value(e)} points, {words.group_of(e.group)} with {words.name(e.variant)}" for e in ends)
    sure = sum(map(_excludes_zero, known))
    return f"{size}: from {least}, to {most}. {sure} of {len(known)} intervals exclude 0."
