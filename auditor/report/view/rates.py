"""The section about accuracy against the worst group, and how rates are set, wherever they stand."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from auditor.fixed_sequence import families
from auditor.records import BASELINE, EVERYBODY
from auditor.report.view import words
from auditor.report.view.blocks import Cell, Column, Figure, Limit, Line, Lines, Mark, Section, Table
from auditor.report.view.further import listed_once
from auditor.report.view.levels import levels
from auditor.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.records import Estimate, Extreme, Label
    from auditor.report.view.blocks import Block, Levels
    from auditor.report.view.numbers import Numbers, Subject

PANELS = 6
"""Variants drawn; the tables hold them all."""
ROWS_DRAWN = 12
"""Groups drawn in a panel, those first that the figure is about; the tables list more."""
ROWS_LISTED = 60
_FAMILIES, _SIDE_BY_SIDE = 3, 12
"""Families of levels with panels of their own, and variants in a panel of others."""
_TABLE_VARIANTS = 5
_CLASSES_SHOWN = 3
_REASONS = 12
_NOTE = (
    "The lowest of many noisy rates lies below the truth: this is description, and is not judged. Bars are intervals; "
    "which group is worst may differ from variant to variant and stands in the table."
)
_LEVELS_NOTE = (
    "Levels of one recipe stand where they are on the axis, as the baseline does, or left of it where it has no level."
)


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
    subjects: list[Subject] = [("accuracy", None, EVERYBODY)]
    subjects += [("recall", label, EVERYBODY) for label in labels_shown(numbers)]
    subjects = [s for s in subjects if any(numbers.get(v, s, "value") for v in _all(numbers))]
    blocks: tuple[Block, ...] = (
        _worst_figure(numbers, subjects),
        *(_worst_table(numbers, metric, label) for metric, label, _ in subjects),
        *(table for metric, label, _ in subjects if (table := _spread_table(numbers, metric, label)) is not None),
    )
    question = "Does a good average hide a group that is not well served?"
    return Section(id="overall", title="Accuracy against the worst group", question=question, blocks=blocks)


def _all(numbers: Numbers) -> tuple[str, ...]:
    return (BASELINE, *numbers.variants)


def _worst(numbers: Numbers, variant: str, metric: str, label: Label | None) -> Estimate | None:
    own = (numbers.get(variant, (metric, label, group), "value") for group in numbers.groups)
    known = [e for e in own if e is not None and e.value is not None]
    return min(known, key=lambda e: e.value or 0.0, default=None)


def _worst_figure(numbers: Numbers, subjects: list[Subject]) -> Figure:
    """Draw one panel a family of levels and quantity, and further ones of the variants that are of no family."""
    drawn = families(numbers.result.variants)[:_FAMILIES]
    levelled = [(tuple(variant.name for variant in family), levels(family)) for family in drawn]
    others = tuple(v for v in numbers.variants if not any(v in own for own, _ in levelled))
    parts = ceil(len(others) / _SIDE_BY_SIDE)
    apart = [others[part * len(others) // parts : (part + 1) * len(others) // parts] for part in range(parts)]
    strips = [*levelled, *((own, None) for own in apart)] or [((), None)]
    limited = any(_limits(numbers, subject, numbers.variants) for subject in subjects)
    notes = (
        _NOTE,
        _LEVELS_NOTE if levelled else "",
        "Others stand side by side, in no order and without a line." if levelled and others else "",
        "Dotted: the limits of deciding gates on the rate itself, with whom they are for." if limited else "",
    )
    return Figure(
        caption=f"Everybody, and the group that is worst off, by {'level of compression' if levelled else 'variant'}",
        axis="%",
        panels=tuple(_worst_panel(numbers, subject, *strip) for strip in strips for subject in subjects),
        note=" ".join(note for note in notes if note),
    )


def _worst_panel(numbers: Numbers, subject: Subject, variants: tuple[str, ...], axis: Levels | None) -> Lines:
    """Draw the baseline and some variants, for everybody and the worst group."""
    name, shown = words.metric(*subject[:2]), (BASELINE, *variants)
    everybody = [numbers.get(v, subject, "value") for v in shown]
    worst = [_worst(numbers, v, *subject[:2]) for v in shown]
    lines = (
        Line(name="everybody", marks=_variant_marks(shown, everybody)),
        Line(name="worst group", marks=_variant_marks(shown, worst)),
    )
    said = " ".join(
        f"{words.name(e.variant)}: worst is {words.group_of(e.group)} at {words.value(e)}."
        for e in dict.fromkeys((worst[0], worst[-1]))
        if e is not None
    )
    limits = _limits(numbers, subject, variants)
    said += "".join(f" Limit for {limit.label}: {words.rate(limit.value / 100)}." for limit in limits)
    across = "by variant" if axis is None else f"by {axis.name}, from {axis.labels[0]} to {axis.labels[-1]}"
    return Lines(
        title=f"{name}: {_from_to(variants)}" if variants else name,
        alt=f"{name} {across}, for everybody and the worst group. {said}",
        lines=lines,
        quantity=name,
        levels=axis,
        limits=limits,
    )


def _from_to(variants: tuple[str, ...]) -> str:
    return " to ".join(words.name(variant) for variant in dict.fromkeys((variants[0], variants[-1])))


def _limits(numbers: Numbers, subject: Subject, variants: tuple[str, ...]) -> tuple[Limit, ...]:
    """Give the limits of deciding gates on a rate itself: a limit on its change is no line on this axis."""
    found: dict[tuple[float, str], None] = {}
    for gate in numbers.result.gates:
        on = {group == EVERYBODY for label, group, _ in gate.targets if label == subject[1]}
        is_judged = gate.severity == "error" and any(v in gate.variants for v in variants)
        if on and is_judged and (gate.metric, gate.compare) == (subject[0], "value"):
            whose = "all" if len(on) > 1 else "everybody" if on == {True} else "groups"
            found |= {(100 * limit, whose): None for limit in (gate.min, gate.max) if limit is not None}
    return tuple(Limit(value=value, label=label) for value, label in found)


def _variant_marks(variants: tuple[str, ...], found: list[Estimate | None]) -> tuple[Mark, ...]:
    pairs = zip(variants, found, strict=True)
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
        on_paper=0,
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
