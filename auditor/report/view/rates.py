"""Sections about rates: accuracy against the worst group, and changes by group."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.measure.power import examples_for
from auditor.records import BASELINE, EVERYBODY
from auditor.report.view import words
from auditor.report.view.blocks import Cell, Column, Dots, Figure, Line, Lines, Mark, Prose, Section, Table
from auditor.report.view.further import listed_once, normalised_tables
from auditor.report.view.numbers import subject
from auditor.report.view.verdicts import chunks
from auditor.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.records import Estimate, Extreme, GroupKey, Label
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
_SMALL = 100
"""Below so many examples a group counts as small where no limit says what is."""


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
        "lies above the truth where groups are small: it is description, and is not judged. Groups with too few "
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


# ----------------------------------------------------------------------------------------------------- changes by group


def change_section(numbers: Numbers) -> Section:
    """Show how recall, false negative and false positive rates changed in every group."""
    blocks: list[Block] = []
    drawn, left_out = numbers.variants[:PANELS], len(numbers.variants) - PANELS
    for label in labels_shown(numbers):
        for metric in ("recall", "fpr"):
            groups = _groups(numbers, metric, label)
            if not groups:
                continue
            blocks.append(_change_figure(numbers, metric, label, groups, drawn))
            blocks += [
                _change_table(numbers, metric, label, groups, part)
                for part in chunks(numbers.variants, _TABLE_VARIANTS)
            ]
    blocks += normalised_tables(numbers)
    if left_out > 0:
        blocks.insert(0, Prose(paragraphs=(f"The first {PANELS} variants are drawn; the tables hold all.",)))
    if not blocks:
        blocks.append(Prose(paragraphs=("No change of recall or of error rates was measured.",)))
    question = "Whose rates did compression change, by how much, and how sure is that?"
    return Section(id="changes", title="Change by group", question=question, blocks=tuple(blocks))


def _groups(numbers: Numbers, metric: str, label: Label) -> tuple[GroupKey, ...]:
    """Order the groups by the most that any variant harmed them; those without a number last."""
    harms = {group: _most_harm(numbers, metric, label, group) for group in (EVERYBODY, *numbers.groups)}
    known = [group for group, harm in harms.items() if harm is not None]
    return tuple(sorted(known, key=lambda group: -(harms[group] or 0.0)))


def _most_harm(numbers: Numbers, metric: str, label: Label, group: GroupKey) -> float | None:
    found = [numbers.get(variant, (metric, label, group), "change") for variant in numbers.variants]
    sign = 1 if metric in words.BAD_WHEN_HIGH else -1
    values = [-math.inf if e.value is None else sign * e.value for e in found if e is not None]
    return max(values, default=None)


def _limits(numbers: Numbers, variant: str, metric: str, label: Label) -> tuple[float, ...]:
    gates = numbers.result.gates
    own = (
        gate
        for gate in gates
        if gate.metric == metric and gate.compare == "change" and variant in gate.variants
        if any(one == label for one, *_ in gate.targets)
    )
    return tuple(sorted({limit for gate in own for limit in (gate.min, gate.max) if limit is not None}))


def _smallest(numbers: Numbers, limits: Iterable[float]) -> int:
    """Count the examples that a PASS needs even if nothing changed."""
    edges = [abs(limit) for limit in limits if 0 < abs(limit) < 1]
    if not edges:
        return _SMALL
    return examples_for(min(edges), numbers.confidence)


def _change_figure(
    numbers: Numbers, metric: str, label: Label, groups: tuple[GroupKey, ...], variants: tuple[str, ...]
) -> Figure:
    limits = {variant: _limits(numbers, variant, metric, label) for variant in variants}
    needed = _smallest(numbers, (limit for own in limits.values() for limit in own))
    name = words.metric(metric, label)
    panels = []
    for variant in variants:
        marks = _change_marks(numbers, variant, (metric, label), groups[:ROWS_DRAWN], needed)
        edges = tuple(100 * limit for limit in limits[variant])
        alt = _change_alt(name, variant, marks)
        panels.append(Dots(title=words.name(variant), alt=alt, marks=marks, limits=edges))
    hidden = len(groups) - ROWS_DRAWN
    notes = [
        f"Hollow: fewer than {needed} examples"
        + (", too few to show that even an unchanged variant keeps the limit." if any(limits.values()) else "."),
        "Dashed: the limit." if any(limits.values()) else "No gate limits this change.",
        f"{hidden} more groups, less harmed or undefined, are not drawn." if hidden > 0 else "",
    ]
    note = " ".join(note for note in notes if note)
    return Figure(
        caption=f"Change of {name} from the baseline, by group", axis="points", panels=tuple(panels), note=note
    )


def _change_marks(
    numbers: Numbers, variant: str, rate: tuple[str, Label], groups: tuple[GroupKey, ...], needed: int
) -> tuple[Mark, ...]:
    marks = []
    for group in groups:
        estimate = numbers.get(variant, (*rate, group), "change")
        label = words.group(group)
        marks.append(mark(label, estimate, small=estimate.n < needed) if estimate else Mark(label=label, value=None))
    return tuple(marks)


def _change_alt(name: str, variant: str, marks: tuple[Mark, ...]) -> str:
    known = [m for m in marks if m.value is not None]
    if not known:
        return f"Change of {name} with {words.name(variant)}: undefined in every group."
    low, high = (pick(known, key=lambda m: m.value or 0.0) for pick in (min, max))
    return (
        f"Change of {name} with {words.name(variant)} in {len(known)} groups, from "
        f"{words.points((low.value or 0) / 100)} points ({low.label}) to "
        f"{words.points((high.value or 0) / 100)} points ({high.label})."
    )


def _change_table(
    numbers: Numbers, metric: str, label: Label, groups: tuple[GroupKey, ...], variants: tuple[str, ...]
) -> Table:
    rows, everything = [], []
    whole = numbers.compared_members(BASELINE)
    own = [variant for variant in variants if numbers.compared_members(variant) < whole]
    for group in groups[:ROWS_LISTED]:
        found = [numbers.get(variant, (metric, label, group), "change") for variant in variants]
        n = next((e.n for e in found if e is not None), None)
        size = Cell(text="–" if n is None else f"{n:,}")
        base = value_cell(numbers.get(BASELINE, (metric, label, group), "value"))
        changes = (_change_cell(numbers, e, own) for e in found)
        rows.append((Cell(text=words.group(group)), size, Cell(text=base.text, tone=base.tone), *changes))
        everything += found
    headings = ("n", "baseline", *map(words.name, variants))
    left = len(groups) - ROWS_LISTED
    notes = (
        "The false negative rate is 1 − recall: it changes by as much, the other way." if metric == "recall" else "",
        "“From”: what that variant's own baseline models have, which are not all of them." if own else "",
        why_undefined(everything),
        f"{left:,} more groups, less harmed, are in result.json." if left > 0 else "",
    )
    return Table(
        on_paper=ROWS_DRAWN,
        caption=f"Change of {words.metric(metric, label)} in points, with its interval; beside it the baseline's own "
        "rate",
        columns=(Column(heading="Group"), *(Column(heading=heading, numeric=True) for heading in headings)),
        rows=tuple(rows),
        note=" ".join(note for note in notes if note),
    )


def _change_cell(numbers: Numbers, estimate: Estimate | None, own: list[str]) -> Cell:
    """Show a change; where it is from baseline models of the variant's own, what it is from."""
    cell = value_cell(estimate)
    if estimate is None or estimate.variant not in own:
        return cell
    before = numbers.before(estimate.variant, subject(estimate))
    return cell if before is None else replace(cell, detail=f"{cell.detail} from {words.rate(before)}".strip())
