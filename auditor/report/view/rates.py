"""The section about accuracy against the worst group, and how rates are set, wherever they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.records import BASELINE, EVERYBODY
from auditor.report.view import words
from auditor.report.view.blocks import Cell, Column, Figure, Line, Lines, Mark, Section, Table
from auditor.report.view.further import listed_once
from auditor.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.records import Estimate, Extreme, Label
    from auditor.report.view.blocks import Block
    from auditor.report.view.numbers import Numbers

PANELS = 6
"""Variants drawn; the tables hold them all."""
ROWS_DRAWN = 12
"""Groups drawn in a panel, those first that the figure is about; the tables list more."""
ROWS_LISTED = 60
_TABLE_VARIANTS = 5
_CLASSES_SHOWN = 3
_REASONS = 12


def labels_shown(numbers: Numbers) -> tuple[Label, ...]:
    """Choose the classes that sections by group are about: the positive one, else those that lost most recall."""
    data = numbers.result.data
    if data.positive is not None:
        return (data.positive,)
    changes = {label: _worst_change(numbers, label) for label in data.classes}
    return tuple(sorted(data.classes, key=lambda label: changes[label])[:_CLASSES_SHOWN])


def _worst_change(numbers: Numbers, label: Label) -> float:
    found = (numbers.get(variant, ("recall", label, EVERYBODY), "change") for variant in numbers.variants)
    return min((e.value for e in found if e is not None and e.value is not None), default=0.0)


# ----------------------------------------------------------------------------------------- accuracy and the worst group


def overall_section(numbers: Numbers) -> Section:
    """Set overall accuracy and recall against the group that is worst off, for every variant."""
    subjects: list[tuple[str, Label | None]] = [("accuracy", None)]
    subjects += [("recall", label) for label in labels_shown(numbers)]
    subjects = [s for s in subjects if any(numbers.get(v, (*s, EVERYBODY), "value") for v in _all(numbers))]
    blocks: tuple[Block, ...] = (
        Figure(
            caption="Everybody, and the group that is worst off, by variant",
            axis="%",
            panels=tuple(_worst_panel(numbers, *subject) for subject in subjects),
            note="The lowest of many noisy rates lies below the truth: this is description, and is not judged. "
            "Bars are intervals; which group is worst may differ from variant to variant and stands in the table.",
        ),
        *(_worst_table(numbers, *subject) for subject in subjects),
        *(table for subject in subjects if (table := _spread_table(numbers, *subject)) is not None),
    )
    question = "Does a good average hide a group that is not well served?"
    return Section(id="overall", title="Accuracy against the worst group", question=question, blocks=blocks)


def _all(numbers: Numbers) -> tuple[str, ...]:
    return (BASELINE, *numbers.variants)


def _worst(numbers: Numbers, variant: str, metric: str, label: Label | None) -> Estimate | None:
    own = (numbers.get(variant, (metric, label, group), "value") for group in numbers.groups)
    known = [e for e in own if e is not None and e.value is not None]
    return min(known, key=lambda e: e.value or 0.0, default=None)


def _worst_panel(numbers: Numbers, metric: str, label: Label | None) -> Lines:
    name = words.metric(metric, label)
    everybody = [numbers.get(v, (metric, label, EVERYBODY), "value") for v in _all(numbers)]
    worst = [_worst(numbers, v, metric, label) for v in _all(numbers)]
    lines = (
        Line(name="everybody", marks=_variant_marks(numbers, everybody)),
        Line(name="worst group", marks=_variant_marks(numbers, worst)),
    )
    ends = [e for e in (worst[0], worst[-1]) if e is not None]
    alt = f"{name} by variant, for everybody and the worst group. " + " ".join(
        f"{words.name(e.variant)}: worst is {words.group_of(e.group)} at {words.value(e)}." for e in ends
    )
    return Lines(title=name, alt=alt, lines=lines)


def _variant_marks(numbers: Numbers, found: list[Estimate | None]) -> tuple[Mark, ...]:
    pairs = zip(_all(numbers), found, strict=True)
    return tuple(mark(words.name(v), e) if e else Mark(label=words.name(v), value=None) for v, e in pairs)


def mark(label: str, estimate: Estimate, *, small: bool = False) -> Mark:
    """Place an estimate on an axis of percent or points."""
    value, low, high = (None if x is None else 100 * x for x in (estimate.value, estimate.low, estimate.high))
    return Mark(label=label, value=value, low=low, high=high, small=small)


def _worst_table(numbers: Numbers, metric: str, label: Label | None) -> Table:
    rows = []
    for variant in _all(numbers):
        own = numbers.get(variant, (metric, label, EVERYBODY), "value")
        worst = _worst(numbers, variant, metric, label)
        who = Cell(text=words.group_of(worst.group), detail=f"n = {worst.n:,}") if worst else Cell(text="none defined")
        rows.append((Cell(text=words.name(variant)), value_cell(own), who, value_cell(worst)))
    name = words.metric(metric, label)
    return Table(
        caption=f"{name[:1].upper()}{name[1:]}: everybody and the worst group",
        columns=(
            Column(heading="Variant"),
            Column(heading="Everybody", numeric=True),
            Column(heading="Worst group"),
            Column(heading="There", numeric=True),
        ),
        rows=tuple(rows),
    )


def _spread_table(numbers: Numbers, metric: str, label: Label | None) -> Table | None:
    """Show how far groups lie apart, by attribute; None where that was not described."""
    own = {(e.variant, e.family): e for e in numbers.result.extremes if (e.metric, e.label) == (metric, label)}
    families = list(dict.fromkeys(family for _, family in own))[:_TABLE_VARIANTS]
    if not families:
        return None
    rows = tuple(
        (Cell(text=words.name(v)), *(_spread_cell(own.get((v, family))) for family in families)) for v in _all(numbers)
    )
    name = words.metric(metric, label)
    why = listed_once(e.undefined for e in own.values())
    return Table(
        caption=f"{name[:1].upper()}{name[1:]}: points between the best and the worst group",
        columns=(Column(heading="Variant"), *(Column(heading=words.family(f), numeric=True) for f in families)),
        rows=rows,
        note="Intervals: examples and models drawn again together (bootstrap). Such a difference is never below 0 and "
        "lies above the truth where groups are small, as its whole interval may, also where groups are in truth alike: "
        "it is description, and is not judged. Groups with too few "
        "examples are left out." + (f" Undefined: {why}." if why else ""),
    )


def _spread_cell(extreme: Extreme | None) -> Cell:
    if extreme is None or extreme.spread is None or extreme.spread_interval is None:
        return Cell(text="undefined", tone="undefined")
    low, high = (words.points(end).lstrip("+") for end in extreme.spread_interval)
    detail = f"[{low},\N{NO-BREAK SPACE}{high}]"
    return Cell(text=words.points(extreme.spread).lstrip("+"), detail=detail)


def value_cell(estimate: Estimate | None) -> Cell:
    """Show an estimate with its interval below it."""
    if estimate is None:
        return Cell(text="not measured", tone="muted")
    if estimate.value is None:
        return Cell(text="undefined", tone="undefined")
    return Cell(text=words.value(estimate), detail=words.interval(estimate))


def why_undefined(estimates: Iterable[Estimate | None]) -> str:
    """Say why numbers of a table are undefined, each reason once; empty where none is."""
    reasons = list(
        dict.fromkeys(e.undefined or "no reason given" for e in estimates if e is not None and e.value is None)
    )
    if not reasons:
        return ""
    more = f"; and {len(reasons) - _REASONS:,} more reasons" if len(reasons) > _REASONS else ""
    return f"Undefined: {'; '.join(clean(reason, 200) for reason in reasons[:_REASONS])}{more}."
