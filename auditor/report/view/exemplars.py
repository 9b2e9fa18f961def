"""Section about exemplars: which examples are decided otherwise, whose they are, and how much of it is chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.measure import MANY_GROUPS
from auditor.records import EVERYBODY
from auditor.report.view import words
from auditor.report.view.blocks import Cell, Column, Dots, Figure, Mark, Prose, Section, Table
from auditor.report.view.class_tests import dealt_in_words
from auditor.report.view.exemplar_details import change_tables, odds_table, p_cell, top_table
from auditor.report.view.rates import PANELS, ROWS_DRAWN, ROWS_LISTED
from auditor.report.view.verdicts import chunks
from auditor.text import clean

if TYPE_CHECKING:
    from auditor.records import ExemplarGroup, Exemplars, GroupKey, Label
    from auditor.report.view.blocks import Block
    from auditor.report.view.numbers import Numbers

_TABLE_VARIANTS = 5
_ON_PAPER = 8


def exemplar_section(numbers: Numbers) -> Section:
    """Tell which share of whose examples the variants decide otherwise than the baseline."""
    title, question = "Exemplars (PIEs)", "Which examples are decided otherwise, and whose are they?"
    found = numbers.result.exemplars
    blocks: list[Block] = [
        Prose(
            paragraphs=(
                (
                    "An exemplar is a test example on which the most frequent decision of the variant's models differs "
                    "from that of the baseline's (ties go to the class that stands last). No label is needed for it. "
                    "Two populations of one recipe differ in some examples too, the more the smaller they are: a count "
                    "is not all due to compression. So it stands beside what chance gives."
                ),
            )
        )
    ]
    if found:
        if len(numbers.groups) >= MANY_GROUPS:
            blocks.append(Prose(paragraphs=(f"With more than {MANY_GROUPS} groups, intersections are left out.",)))
        groups = _groups_in(found)
        blocks += [_exemplar_counts(found), _chance_table(found), _exemplar_figure(found, groups)]
        for part in chunks(_names(found), _TABLE_VARIANTS):
            shown = tuple(one for one in found if one.variant in part)
            blocks += [_exemplar_table(shown, part, groups), *odds_table(shown)]
        blocks += [*change_tables(found), *top_table(found, numbers.result.thumbnails)]
    else:
        blocks.append(Prose(paragraphs=("No exemplars were sought.",)))
    return Section(id="exemplars", title=title, question=question, blocks=tuple(blocks))


def _names(found: tuple[Exemplars, ...]) -> tuple[str, ...]:
    return tuple(one.variant for one in found)


def _pair(accuracy: tuple[float, float] | None) -> Cell:
    if accuracy is None:
        return Cell(text="undefined", detail="there are none", tone="undefined")
    return Cell(text=f"{words.rate(accuracy[0])} → {words.rate(accuracy[1])}")


def _exemplar_counts(found: tuple[Exemplars, ...]) -> Table:
    headings = ("Variant", "Exemplars", "Share", "Accuracy on them", "Accuracy off them", "Accuracy on all")
    return Table(
        caption="How many exemplars there are, and accuracy from baseline to variant on and off them",
        columns=tuple(Column(heading=heading, numeric=place > 0) for place, heading in enumerate(headings)),
        rows=tuple(
            (
                Cell(text=words.name(one.variant)),
                Cell(text=f"{one.count:,}"),
                Cell(text=words.rate(one.rate, 2)),
                _pair(one.accuracy_on),
                _pair(one.accuracy_off),
                _pair(one.accuracy_all),
            )
            for one in found
        ),
    )


def _chance_table(found: tuple[Exemplars, ...]) -> Table:
    """Set what was observed beside what two populations of one recipe give."""
    headings = ("Variant", "Baseline against variant", "Within baseline", "Within variant", "Excess, points", "p")
    told = dealt_in_words({one.variant: one.deals for one in found})
    return Table(
        caption="How much of it is chance: share of exemplars between halves of populations, and excess disagreement",
        columns=tuple(Column(heading=heading, numeric=place > 0) for place, heading in enumerate(headings)),
        rows=tuple((Cell(text=words.name(one.variant)), *_half_cells(one), *_excess_cells(one)) for one in found),
        note="Halves: each population is cut in two at random, many times, so that the three shares are of equal "
        "numbers of models; the two within come of seeds alone. Halves differ more than whole populations do. "
        "Excess: how much more often a model of the variant disagrees with one of the baseline than two models of one "
        "population do; about 0 if compression changes nothing beyond seeds. Its p is from deals of the models"
        + (f" ({told})" if told else "")
        + ". A small p says that decisions changed, not that it is harm.",
    )


def _half_cells(one: Exemplars) -> tuple[Cell, ...]:
    if one.halves is None:
        return (Cell(text="undefined", detail=clean(one.halves_undefined or "", 200), tone="undefined"),) * 3
    return tuple(Cell(text=words.rate(x, 2)) for x in (one.halves.between, one.halves.baseline, one.halves.variant))


def _excess_cells(one: Exemplars) -> tuple[Cell, ...]:
    reason = clean(one.excess_undefined or "", 200)
    if one.excess is None:
        return (Cell(text="undefined", detail=reason, tone="undefined"), Cell(text="undefined", tone="undefined"))
    return Cell(text=words.points(one.excess, 2)), p_cell(one.p, reason)


def _by_place(one: Exemplars) -> dict[tuple[GroupKey, Label | None], ExemplarGroup]:
    return {(row.group, row.label): row for row in one.by_group}


def _groups_in(found: tuple[Exemplars, ...]) -> tuple[tuple[GroupKey, Label | None], ...]:
    """Order groups, and classes of everybody, by the most over-indexing that any variant shows."""
    rows = [row for one in found for row in one.by_group if row.label is None or row.group == EVERYBODY]
    most: dict[tuple[GroupKey, Label | None], float] = {}
    for row in rows:
        if row.group or row.label is not None:
            place = row.group, row.label
            most[place] = max(most.get(place, 0.0), row.over_indexing or 0.0)
    return tuple(sorted(most, key=lambda place: -most[place]))


def _place_name(place: tuple[GroupKey, Label | None]) -> str:
    group, label = place
    return words.group(group) if label is None else f"labelled {words.quoted(label)}"


def _most_over_indexed(
    rows: dict[tuple[GroupKey, Label | None], ExemplarGroup], places: tuple[tuple[GroupKey, Label | None], ...]
) -> tuple[GroupKey, Label | None]:
    return max(places, key=lambda place: (rows[place].over_indexing or 0.0) if place in rows else 0.0)


def _exemplar_figure(found: tuple[Exemplars, ...], places: tuple[tuple[GroupKey, Label | None], ...]) -> Figure:
    panels = []
    for one in found[:PANELS]:
        rows = _by_place(one)
        marks = []
        for place in places[:ROWS_DRAWN]:
            row = rows.get(place)
            rate = None if row is None or row.rate is None else 100 * row.rate
            marks.append(Mark(label=_place_name(place), value=rate, small=row is not None and row.n < 100))
        alt = (
            f"Share of exemplars by group with {words.name(one.variant)}: {words.rate(one.rate, 2)} of everybody. "
            f"Most over-indexed group: {_place_name(_most_over_indexed(rows, places))}."
            if one.count and places
            else f"{words.name(one.variant)} has no exemplars."
        )
        panels.append(Dots(title=words.name(one.variant), alt=alt, marks=tuple(marks), zero=100 * one.rate))
    hidden = [f"{len(places) - ROWS_DRAWN} more groups are not drawn."] if len(places) > ROWS_DRAWN else []
    hidden += [f"{len(found) - PANELS} more variants are in the table."] if len(found) > PANELS else []
    return Figure(
        caption="Share of exemplars by group",
        axis="%",
        panels=tuple(panels),
        note=" ".join(["Vertical line: everybody. Hollow: fewer than 100 examples.", *hidden]),
    )


def _exemplar_table(
    found: tuple[Exemplars, ...], variants: tuple[str, ...], places: tuple[tuple[GroupKey, Label | None], ...]
) -> Table:
    shown = {one.variant: _by_place(one) for one in found}
    rows = []
    for place in places[:ROWS_LISTED]:
        own = [shown[variant].get(place) for variant in variants]
        n = next((row.n for row in own if row is not None), 0)
        rows.append((Cell(text=_place_name(place)), Cell(text=f"{n:,}"), *map(_exemplar_cell, own)))
    left = len(places) - ROWS_LISTED
    return Table(
        on_paper=_ON_PAPER,
        caption="Exemplars by group: share of the group, how many, and over-indexing",
        columns=(
            Column(heading="Group"),
            *(Column(heading=heading, numeric=True) for heading in ("n", *map(words.name, variants))),
        ),
        rows=tuple(rows),
        note="Over-indexing (×): the group's share among exemplars over its share of the test set, with score limits "
        "given these models: how it would be with other models, they do not say. Each limit holds at the audit's "
        "confidence by itself, without a correction for how many there are, and chance exemplars are counted too."
        + (f" {left:,} more groups are in result.json." if left > 0 else ""),
    )


def _exemplar_cell(row: ExemplarGroup | None) -> Cell:
    if row is None or row.rate is None:
        return Cell(text="undefined", tone="undefined")
    reason = clean(row.over_indexing_undefined or "", 120)
    if row.over_indexing is None:
        return Cell(text=words.rate(row.rate), detail=f"{row.count:,}, {reason}")
    limits = (
        f" [{row.over_indexing_low:.2f},\N{NO-BREAK SPACE}{row.over_indexing_high:.2f}]"
        if row.over_indexing_low is not None
        else ""
    )
    return Cell(text=words.rate(row.rate), detail=f"{row.count:,}, ×{row.over_indexing:.2f}{limits}")
