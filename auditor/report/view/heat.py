"""The map of all groups and variants: how a rate changed, at a glance."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING, Literal

from auditor.records import EVERYBODY, Verdict
from auditor.report.view import words
from auditor.report.view.blocks import SYMBOLS, Figure, Grid, Tile
from auditor.report.view.rates import ROWS_LISTED
from auditor.report.view.verdicts import chunks

if TYPE_CHECKING:
    from auditor.records import Estimate, GroupKey, Label
    from auditor.report.view.numbers import Numbers

_ROWS, _COLUMNS = 14, 12
"""Groups and variants in a panel; further variants have a panel of their own, further groups are in the tables."""
_NOT_MEASURED = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What the rows of figures and tables about one rate are: the groups of a class, or all classes of everybody."""

    metric: str
    label: Label | None
    """Of every row; None where each row is of a class of its own."""
    places: tuple[tuple[Label, GroupKey], ...]

    @property
    def kind(self) -> Literal["class", "group"]:
        """What a row is."""
        return "class" if self.label is None else "group"

    @property
    def name(self) -> str:
        """The rate, in words."""
        return words.metric(self.metric, self.label)

    def count(self, number: int, which: str = "") -> str:
        """Count rows, such as "3 more groups"."""
        return words.plural(number, f"{which}{self.kind}", f"{which}classes" if self.label is None else "")

    def called(self, place: tuple[Label, GroupKey]) -> str:
        """Name a row."""
        return words.quoted(place[0]) if self.label is None else words.group(place[1])


def heat_map(numbers: Numbers, rows: Rows) -> Figure:
    """Set the change of a rate for everybody, and for each group in the order given, against the variants."""
    first = [place for place in rows.places if rows.label is not None and place[1] == EVERYBODY]
    others = [place for place in rows.places if place not in first]
    shown = replace(rows, places=(*first, *others[: _ROWS - len(first)]))
    parts = ceil(len(numbers.variants) / _COLUMNS)
    width = ceil(len(numbers.variants) / max(parts, 1))
    hidden = len(rows.places) - len(shown.places)
    where = "tables and in result.json" if len(rows.places) > ROWS_LISTED else "tables"
    more = f" {rows.count(hidden, 'more ')}, less harmed or undefined, stand in the {where}." if hidden else ""
    order = "everybody, then the groups, largest estimated harm first" if first else "largest estimated harm first"
    return Figure(
        caption=f"Change of {rows.name} from the baseline in points: {order}",
        axis="points",
        panels=tuple(_panel(numbers, shown, part) for part in chunks(numbers.variants, max(width, 1))),
        note=_note(numbers.confidence) + more,
    )


def _note(confidence: float) -> str:
    each, both = words.rate(confidence, 0), words.rate(2 * (1 - confidence), 0)
    return (
        "Orange is a fall, blue with a small triangle a rise, deeper with the logarithm of 1 + points. Framed and "
        "bold: the interval excludes 0, without a correction for how many there are. Each end holds at "
        f"{each} by itself: of unchanged numbers up to {both} would be framed. "
        f"{SYMBOLS[Verdict.UNDEFINED]}: undefined."
    )


def _panel(numbers: Numbers, rows: Rows, variants: tuple[str, ...]) -> Grid:
    found = {(v, place): numbers.get(v, (rows.metric, *place), "change") for place in rows.places for v in variants}
    ends = f"{words.name(variants[0])} to {words.name(variants[-1])}"
    return Grid(
        title=ends if len(variants) < len(numbers.variants) else "",
        alt=_alt(rows, [e for e in found.values() if e is not None], len(variants)),
        columns=tuple(map(words.name, variants)),
        rows=tuple((rows.called(place), tuple(_tile(found[v, place]) for v in variants)) for place in rows.places),
    )


def _tile(estimate: Estimate | None) -> Tile:
    if estimate is None:
        return Tile(text=_NOT_MEASURED, value=None)
    if estimate.value is None:
        return Tile(text=SYMBOLS[Verdict.UNDEFINED], value=None)
    return Tile(text=words.points(estimate.value), value=100 * estimate.value, sure=_excludes_zero(estimate))


def _excludes_zero(estimate: Estimate) -> bool:
    return (estimate.low is not None and estimate.low > 0) or (estimate.high is not None and estimate.high < 0)


def _alt(rows: Rows, found: list[Estimate], variants: int) -> str:
    size = f"Change of {rows.name}, {words.plural(len(rows.places), 'row')} by {words.plural(variants, 'variant')}"
    known = [e for e in found if e.value is not None]
    if not known:
        return f"{size}: undefined everywhere."
    ends = (pick(known, key=lambda e: e.value or 0.0) for pick in (min, max))
    least, most = (f"{words.value(e)} points, {_whose(rows, e)} with {words.name(e.variant)}" for e in ends)
    sure = sum(map(_excludes_zero, known))
    return f"{size}: from {least}, to {most}. {sure} of {len(known)} intervals exclude 0."


def _whose(rows: Rows, estimate: Estimate) -> str:
    return words.group_of(estimate.group) if rows.label is not None else words.quoted(estimate.label)
