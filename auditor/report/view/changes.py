"""The section about changes by group: a map of all, the worst drawn with their intervals, and tables."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.measure.power import examples_for
from auditor.records import BASELINE, EVERYBODY
from auditor.report.view import words
from auditor.report.view.blocks import Cell, Column, Dots, Figure, Mark, Prose, Section, Table
from auditor.report.view.further import normalised_tables
from auditor.report.view.heat import Rows, heat_map
from auditor.report.view.numbers import subject
from auditor.report.view.rates import ROWS_DRAWN, ROWS_LISTED, is_by_group, labels_shown, mark, value_cell
from auditor.report.view.verdicts import chunks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.records import Estimate, Label
    from auditor.report.view.blocks import Block
    from auditor.report.view.numbers import Numbers, Subject

_DRAWN = 2
"""Variants drawn with their intervals; the map and the tables hold them all."""
_TABLE_VARIANTS = 5
_ON_PAPER = 8
"""Groups in a table on paper; the map and the figure above it hold more."""
_FROM = (
    "“From”: what that variant's own baseline models have, which are not all of them; the interval of a file is over "
    "examples alone."
)
_OTHER_WAY = "The false negative rate is 1 − recall: it changes by as much, the other way."
_SMALL = 100
"""Below so many examples a group counts as small where no limit says what is."""


def change_section(numbers: Numbers) -> Section:
    """Show how recall, false negative and false positive rates changed in every group."""
    blocks: list[Block] = []
    first: list[tuple[str, ...]] = []
    of_classes = _is_by_class(numbers)
    for label in (None,) if of_classes else labels_shown(numbers):
        for metric in ("recall", "fpr"):
            rows = _rows(numbers, metric, label)
            if not rows.places:
                continue
            ranked = _most_harmful(numbers, rows)
            parts = _parts(numbers.variants, ranked)
            first = first or parts
            if metric == "recall" and len(rows.places) > 1:
                blocks.append(heat_map(numbers, rows))
            blocks.append(_change_figure(numbers, rows, ranked[:_DRAWN]))
            blocks += [_change_table(numbers, rows, part, parts) for part in parts]
    blocks += normalised_tables(numbers, first or chunks(numbers.variants, _TABLE_VARIANTS))
    if not blocks:
        blocks.append(Prose(paragraphs=("No change of recall or of error rates was measured.",)))
    question = "Whose rates did compression change, by how much, and how sure is that?"
    by = "by class" if of_classes else "by group" if numbers.groups else "from the baseline"
    title = f"Change {by}"
    return Section(id="changes", title=title, question=question, blocks=tuple(blocks))


def _is_by_class(numbers: Numbers) -> bool:
    """Tell whether classes are what can be compared: all were measured, and none of them in groups."""
    if numbers.result.data.positive is not None:
        return False
    return not any(is_by_group(numbers, "recall", label) for label in labels_shown(numbers))


def _rows(numbers: Numbers, metric: str, label: Label | None) -> Rows:
    """Order groups, or classes, by the most that any variant harmed them; those without a number last."""
    places = (
        [(one, EVERYBODY) for one in numbers.result.data.classes]
        if label is None
        else [(label, group) for group in (EVERYBODY, *numbers.groups)]
    )
    harms = {place: _most_harm(numbers, (metric, *place)) for place in places}
    known = [place for place, harm in harms.items() if harm is not None]
    return Rows(metric=metric, label=label, places=tuple(sorted(known, key=lambda place: -(harms[place] or 0.0))))


def _most_harm(numbers: Numbers, about: Subject) -> float | None:
    found = [numbers.get(variant, about, "change") for variant in numbers.variants]
    sign = 1 if about[0] in words.BAD_WHEN_HIGH else -1
    values = [-math.inf if e.value is None else sign * e.value for e in found if e is not None]
    return max(values, default=None)


def _limits(numbers: Numbers, variant: str, rows: Rows) -> tuple[float, ...]:
    gates = numbers.result.gates
    own = (
        gate
        for gate in gates
        if gate.metric == rows.metric and gate.compare == "change" and variant in gate.variants
        if any(one == rows.label or rows.label is None for one, *_ in gate.targets)
    )
    return tuple(sorted({limit for gate in own for limit in (gate.min, gate.max) if limit is not None}))


def _smallest(numbers: Numbers, limits: Iterable[float]) -> int:
    """Count the examples that a PASS needs even if nothing changed."""
    edges = [abs(limit) for limit in limits if 0 < abs(limit) < 1]
    if not edges:
        return _SMALL
    return examples_for(min(edges), numbers.confidence)


def _most_harmful(numbers: Numbers, rows: Rows) -> tuple[str, ...]:
    """Order the variants: those with the largest harm that an interval shows, then those with the largest estimated."""

    def harm(variant: str) -> tuple[float, float]:
        found = [numbers.get(variant, (rows.metric, *place), "change") for place in rows.places]
        known = [e for e in found if e is not None]
        if rows.metric in words.BAD_WHEN_HIGH:
            shown, seen = [e.low for e in known], [e.value for e in known]
        else:
            shown, seen = [_other_way(e.high) for e in known], [_other_way(e.value) for e in known]
        return max(_largest(shown), 0.0), _largest(seen)

    return tuple(sorted(numbers.variants, key=harm, reverse=True))


def _parts(variants: tuple[str, ...], ranked: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Cut the variants into tables that fit a page, first those that rank first; each part keeps the order declared.

    Paper has room for the first part alone.
    """
    first = tuple(v for v in variants if v in ranked[:_TABLE_VARIANTS])
    return [first, *chunks(tuple(v for v in variants if v not in first), _TABLE_VARIANTS)]


def _other_way(x: float | None) -> float | None:
    return None if x is None else -x


def _largest(found: Iterable[float | None]) -> float:
    return max((x for x in found if x is not None), default=-math.inf)


def _change_figure(numbers: Numbers, rows: Rows, variants: tuple[str, ...]) -> Figure:
    limits = {variant: _limits(numbers, variant, rows) for variant in variants}
    needed = _smallest(numbers, (limit for own in limits.values() for limit in own))
    panels = []
    for variant in variants:
        marks = _change_marks(numbers, variant, rows, needed)
        edges = tuple(100 * limit for limit in limits[variant])
        alt = _change_alt(rows, variant, marks)
        panels.append(Dots(title=words.name(variant), alt=alt, marks=marks, limits=edges))
    hidden = len(rows.places) - ROWS_DRAWN
    others = len(numbers.variants) - len(variants)
    notes = [
        f"Drawn are the {len(variants)} variants with the largest harm that an interval shows, else estimated; the "
        f"tables hold all {len(numbers.variants)}."
        if others
        else "",
        f"Hollow: fewer than {needed} examples"
        + (", too few to show that even an unchanged variant keeps the limit." if any(limits.values()) else "."),
        "Dashed: the limit." if any(limits.values()) else "No gate limits this change.",
        f"{rows.count(hidden, 'more ')}, less harmed or undefined, are not drawn." if hidden > 0 else "",
    ]
    note = " ".join(note for note in notes if note)
    return Figure(
        caption=f"Change of {rows.name} from the baseline" + (f", by {rows.kind}" if len(rows.places) > 1 else ""),
        axis="points",
        panels=tuple(panels),
        note=note,
    )


def _change_marks(numbers: Numbers, variant: str, rows: Rows, needed: int) -> tuple[Mark, ...]:
    marks = []
    for place in rows.places[:ROWS_DRAWN]:
        estimate = numbers.get(variant, (rows.metric, *place), "change")
        label = rows.called(place)
        marks.append(mark(label, estimate, small=estimate.n < needed) if estimate else Mark(label=label, value=None))
    return tuple(marks)


def _change_alt(rows: Rows, variant: str, marks: tuple[Mark, ...]) -> str:
    known = [m for m in marks if m.value is not None]
    if not known:
        return f"Change of {rows.name} with {words.name(variant)}: undefined in every {rows.kind}."
    low, high = (pick(known, key=lambda m: m.value or 0.0) for pick in (min, max))
    return (
        f"Change of {rows.name} with {words.name(variant)} in {rows.count(len(known))}, from "
        f"{words.points((low.value or 0) / 100)} points ({low.label}) to "
        f"{words.points((high.value or 0) / 100)} points ({high.label})."
    )


def _change_table(numbers: Numbers, rows: Rows, variants: tuple[str, ...], parts: list[tuple[str, ...]]) -> Table:
    """Set some variants' changes out by group; `parts` are the variants of all tables of this rate."""
    lines, everything = [], []
    whole = numbers.compared_members(BASELINE)
    own = [variant for variant in variants if numbers.compared_members(variant) < whole]
    for place in rows.places[:ROWS_LISTED]:
        about = (rows.metric, *place)
        found = [numbers.get(variant, about, "change") for variant in variants]
        n = next((e.n for e in found if e is not None), None)
        size = Cell(text="–" if n is None else f"{n:,}")
        base = value_cell(numbers.get(BASELINE, about, "value"))
        changes = (_change_cell(numbers, e, own) for e in found)
        lines.append((Cell(text=rows.called(place)), size, Cell(text=base.text, tone=base.tone), *changes))
        everything += found
    is_first = variants == parts[0]
    whose = "" if len(parts) == 1 else "; the variants with the largest harm" if is_first else "; further variants"
    headings = ("n", "baseline", *map(words.name, variants))
    left = len(rows.places) - ROWS_LISTED
    notes = (
        "The false negative rate is 1 − recall: it changes by as much, the other way."
        if rows.metric == "recall"
        else "",
        _FROM if own else "",
        words.why_undefined(everything),
        f"{rows.count(left, 'more ')}, less harmed, are in result.json." if left > 0 else "",
    )
    return Table(
        on_paper=_ON_PAPER if is_first else 0,
        caption=f"Change of {rows.name} in points, with its interval; beside it the baseline's own rate{whose}",
        columns=(Column(heading=rows.kind.title()), *(Column(heading=heading, numeric=True) for heading in headings)),
        rows=tuple(lines),
        note=" ".join(note for note in notes if note),
    )


def _change_cell(numbers: Numbers, estimate: Estimate | None, own: list[str]) -> Cell:
    """Show a change; where it is from baseline models of the variant's own, what it is from."""
    cell = value_cell(estimate)
    if estimate is None or estimate.variant not in own:
        return cell
    before = numbers.before(estimate.variant, subject(estimate))
    return cell if before is None else replace(cell, detail=f"{cell.detail} from {words.rate(before)}".strip())
