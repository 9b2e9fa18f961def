"""The section about accuracy against the worst group, and how rates are set, wherever they stand."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Literal

from auditor.fixed_sequence import families
from auditor.records import BASELINE, EVERYBODY
from auditor.report.view import words
from auditor.report.view.blocks import Cell, Column, Figure, Limit, Line, Lines, Mark, Section, Table
from auditor.report.view.further import listed_once
from auditor.report.view.levels import levels

if TYPE_CHECKING:
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
_NOTE = (
    "The lowest of many noisy rates lies below the truth: this is description, and is not judged. Bars are intervals; "
    "which {kind} is worst may differ from variant to variant and stands in the table."
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
    """Set overall accuracy and recall against the group or class that is worst off, for every variant."""
    kind = _kind(numbers, "accuracy", None)
    subjects: list[Subject] = [("accuracy", None, EVERYBODY)]
    if kind != "class":
        subjects += [("recall", label, EVERYBODY) for label in labels_shown(numbers)]
    subjects = [s for s in subjects if any(numbers.get(v, s, "value") for v in _all(numbers))]
    blocks: tuple[Block, ...] = (
        _worst_figure(numbers, subjects),
        *(_worst_table(numbers, metric, label) for metric, label, _ in subjects),
        *(table for metric, label, _ in subjects if (table := _spread_table(numbers, metric, label)) is not None),
    )
    question = f"Does a good average hide a {kind} that is not well served?" if kind else "How often is it right?"
    title = f"Accuracy against the worst {kind}" if kind else "Accuracy"
    return Section(id="overall", title=title, question=question, blocks=blocks)


Kind = Literal["group", "class", ""]
"""Of what the worst is sought; of nothing where only everybody's number was measured."""


def is_by_group(numbers: Numbers, metric: str, label: Label | None) -> bool:
    """Tell whether a rate was measured in any group: that of a class is not where there are many classes."""
    return any(numbers.get(v, (metric, label, group), "value") for v in _all(numbers) for group in numbers.groups)


def _kind(numbers: Numbers, metric: str, label: Label | None) -> Kind:
    """Seek the worst of the groups; of all classes, beside overall accuracy, where no attribute was audited.

    Where one class is the positive one, recall of all classes is not known, and none of them is the worst.
    """
    if is_by_group(numbers, metric, label):
        return "group"
    of_classes = metric == "accuracy" and not numbers.groups and numbers.result.data.positive is None
    return "class" if of_classes else ""


def who(estimate: Estimate) -> str:
    """Name the group that is worst off, or the class, whose numbers are everybody's."""
    return words.quoted(estimate.label) if estimate.group == EVERYBODY else words.group_of(estimate.group)


def _all(numbers: Numbers) -> tuple[str, ...]:
    return (BASELINE, *numbers.variants)


def _worst(numbers: Numbers, variant: str, metric: str, label: Label | None) -> Estimate | None:
    """Find the group of the lowest rate; the class of the lowest recall where there are no groups."""
    about: list[Subject] = [(metric, label, group) for group in numbers.groups]
    if _kind(numbers, metric, label) == "class":
        about = [("recall", one, EVERYBODY) for one in numbers.result.data.classes]
    own = (numbers.get(variant, subject, "value") for subject in about)
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
    kinds = {_kind(numbers, *subject[:2]) for subject in subjects}
    kind: Kind = "group" if "group" in kinds else "class" if "class" in kinds else ""
    notes = (
        _NOTE.format(kind=kind) if kind else "Bars are intervals.",
        _LEVELS_NOTE if levelled else "",
        "Others stand side by side, in no order and without a line." if levelled and others else "",
        "Dotted: the limits of deciding gates on the rate itself, with whom they are for." if limited else "",
    )
    worst = {
        "group": ", and the group that is worst off",
        "class": ", and recall of the class that is worst off",
    }
    return Figure(
        caption=f"Everybody{worst.get(kind, '')}, by {'level of compression' if levelled else 'variant'}",
        axis="%",
        panels=tuple(_worst_panel(numbers, subject, *strip) for strip in strips for subject in subjects),
        note=" ".join(note for note in notes if note),
    )


def _worst_panel(numbers: Numbers, subject: Subject, variants: tuple[str, ...], axis: Levels | None) -> Lines:
    """Draw the baseline and some variants, for everybody and whoever is worst off."""
    name, shown, kind = words.metric(*subject[:2]), (BASELINE, *variants), _kind(numbers, *subject[:2])
    everybody = [numbers.get(v, subject, "value") for v in shown]
    worst = [_worst(numbers, v, *subject[:2]) for v in shown]
    lines = [Line(name="everybody", marks=_variant_marks(shown, everybody))]
    if kind:
        lines.append(Line(name=f"worst {kind}", marks=_variant_marks(shown, worst)))
    said = " ".join(
        f"{words.name(e.variant)}: worst is {who(e)} at {words.value(e)}."
        for e in dict.fromkeys((worst[0], worst[-1]))
        if e is not None
    )
    limits = _limits(numbers, subject, variants)
    said += "".join(f" Limit for {limit.label}: {words.rate(limit.value / 100)}." for limit in limits)
    across = "by variant" if axis is None else f"by {axis.name}, from {axis.labels[0]} to {axis.labels[-1]}"
    return Lines(
        title=f"{name}: {_from_to(variants)}" if variants else name,
        alt=f"{name} {across}, for everybody{f' and the worst {kind}' if kind else ''}. {said}",
        lines=tuple(lines),
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
    rows, kind, everything = [], _kind(numbers, metric, label), []
    for variant in _all(numbers):
        own = numbers.get(variant, (metric, label, EVERYBODY), "value")
        worst = _worst(numbers, variant, metric, label)
        rows.append((Cell(text=words.name(variant)), value_cell(own), *(worst_cells(worst) if kind else ())))
        everything.append(own)
    name = words.metric(metric, label)
    there = (Column(heading=f"Worst {kind}"), Column(heading="There" if kind == "group" else "Recall", numeric=True))
    return Table(
        caption=f"{name[:1].upper()}{name[1:]}: everybody{f' and the worst {kind}' if kind else ''}",
        columns=(Column(heading="Variant"), Column(heading="Everybody", numeric=True), *(there if kind else ())),
        rows=tuple(rows),
        note=words.why_undefined(everything),
    )


def worst_cells(worst: Estimate | None) -> tuple[Cell, Cell]:
    """Name who is worst off, and give the number there; None where it is undefined for all."""
    if worst is None:
        return Cell(text="none defined"), Cell(text="undefined", tone="undefined")
    return Cell(text=who(worst), detail=f"n = {worst.n:,}"), value_cell(worst)


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
        note=f"Intervals: {_drawn_again(numbers)} (bootstrap). Such a difference is never below 0 and lies above "
        "the truth where groups are small, as its whole interval may, also where groups are in truth alike: it is "
        "description, and is not judged. Groups with too few examples are left out."
        + (f" Undefined: {why}." if why else ""),
    )


def _drawn_again(numbers: Numbers) -> str:
    """Say of what the intervals of a spread are; of one model there is no other to draw."""
    alone = [words.name(v.name) for v in numbers.result.variants if v.finished == 1]
    if len(alone) == len(numbers.result.variants):
        return "examples drawn again, of one model: how far others of its recipe would differ, they do not say"
    models = "examples and models drawn again together"
    return f"{models}; examples alone for {words.listed(alone)}, of one model" if alone else models


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
