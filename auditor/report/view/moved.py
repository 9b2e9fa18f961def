"""Sections about what moved: the class test, and the examples that are decided otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.records import EVERYBODY
from auditor.report.view import words
from auditor.report.view.blocks import Cell, Column, Dots, Figure, Mark, Prose, Section, Table
from auditor.report.view.rates import PANELS, ROWS_DRAWN, ROWS_LISTED
from auditor.report.view.verdicts import chunks
from auditor.text import clean

if TYPE_CHECKING:
    from auditor.records import ClassTest, ExemplarGroup, Exemplars, GroupKey, Label
    from auditor.report.view.blocks import Block
    from auditor.report.view.numbers import Numbers

LEVEL = 0.05
"""Of the test as published (Hooker et al. 2019)."""
_TABLE_VARIANTS = 5
_TESTS_LISTED = 4
"""Tests listed a variant; all are counted."""
_SUBJECT = tuple[str, "Label", "GroupKey"]


def test_section(numbers: Numbers) -> Section:
    """Tell which classes' and groups' recall moved apart from overall accuracy."""
    tests = numbers.result.class_tests
    title, question = "Class test", "Did a class or a group move apart from the average?"
    if not tests:
        blocks: tuple[Block, ...] = (Prose(paragraphs=("No test was made: it needs populations of models.",)),)
        return Section(id="class-test", title=title, question=question, blocks=blocks)
    return Section(
        id="class-test",
        title=title,
        question=question,
        blocks=(
            Prose(
                paragraphs=(
                    (
                        "Recall of a class (or of a group's members of a class), relative to overall accuracy, is "
                        "compared between the models of the variant and those of the baseline (t-test; Hooker et al. "
                        "2019). “Per member” relates each model to its own accuracy; “published” to its population's "
                        "mean, as in the paper. The test takes the test examples as given: it speaks of these "
                        "examples, not of others."
                    ),
                )
            ),
            _counts_table(tests),
            *_test_tables(tests),
        ),
    )


def _version(published: bool) -> str:  # noqa: FBT001 - the record's own field
    return "published" if published else "per member"


def _counts_table(tests: tuple[ClassTest, ...]) -> Table:
    kinds = list(dict.fromkeys((t.variant, bool(t.group), t.published) for t in tests))
    rows = []
    for variant, of_groups, published in kinds:
        own = [t for t in tests if (t.variant, bool(t.group), t.published) == (variant, of_groups, published)]
        known = [t for t in own if t.p is not None]
        counts = (
            sum(p is not None and p <= LEVEL for p in ps)
            for ps in ((t.p for t in known), (t.p_holm for t in known), (t.p_bh for t in known))
        )
        about = "groups" if of_groups else "classes"
        name, kind = Cell(text=words.name(variant)), Cell(text=f"{about}, {_version(published)}")
        numbers_ = (len(known), len(own) - len(known), *counts)
        rows.append((name, kind, *(Cell(text=f"{count:,}") for count in numbers_)))
    headings = ("Variant", "Tests of", "Tested", "Undefined", f"p ≤ {LEVEL}", "after Holm", "after BH")
    return Table(
        caption=f"How many tests are significant at {LEVEL}: uncorrected, and corrected for their number",
        columns=tuple(Column(heading=heading, numeric=place > 1) for place, heading in enumerate(headings)),
        rows=tuple(rows),
        note="Holm: at most a 5% chance of one false finding. BH (Benjamini and Hochberg): at most 5% of the findings "
        "are false, on average. Uncorrected counts hold findings by chance.",
    )


def _test_tables(tests: tuple[ClassTest, ...]) -> tuple[Table, ...]:
    by_subject: dict[_SUBJECT, dict[bool, ClassTest]] = {}
    for test in tests:
        by_subject.setdefault((test.variant, test.label, test.group), {})[test.published] = test
    tables = []
    for variant in dict.fromkeys(test.variant for test in tests):
        own = {subject: pair for subject, pair in by_subject.items() if subject[0] == variant}
        ordered = sorted(own, key=lambda subject: _p_of(own[subject].get(False)))
        left = len(ordered) - _TESTS_LISTED
        paired = any(test.paired for pair in own.values() for test in pair.values())
        tables.append(
            Table(
                caption=f"{words.name(variant)}: tests, smallest p first ({'paired' if paired else 'Welch'} t-test)",
                columns=tuple(
                    Column(heading=heading, numeric=place > 0)
                    for place, heading in enumerate(
                        ("Class and group", "Shift, points", "p", "Holm", "BH", "Published: shift", "p")
                    )
                ),
                rows=tuple(_test_row(subject, own[subject]) for subject in ordered[:_TESTS_LISTED]),
                note=_test_note([test for pair in own.values() for test in pair.values()], left),
            )
        )
    return tuple(tables)


def _test_note(tests: list[ClassTest], left: int) -> str:
    reasons = dict.fromkeys(clean(test.undefined or "", 200) for test in tests if test.p is None)
    notes = [f"Undefined: {'; '.join(list(reasons)[:ROWS_LISTED])}."] if reasons else []
    notes += [f"{left:,} more tests, with larger p, are in result.json."] if left > 0 else []
    return " ".join(notes)


def _p_of(test: ClassTest | None) -> float:
    return 2.0 if test is None or test.p is None else test.p


def _test_row(subject: _SUBJECT, pair: dict[bool, ClassTest]) -> tuple[Cell, ...]:
    _, label, group = subject
    own, published = pair.get(False), pair.get(True)
    who = words.quoted(label) + ("" if group == EVERYBODY else f", {words.group(group)}")
    return (
        Cell(text=who),
        _shift_cell(own),
        *(_p_cell(p) for p in ((own.p, own.p_holm, own.p_bh) if own else (None, None, None))),
        _shift_cell(published),
        _p_cell(published.p if published else None),
    )


def _shift_cell(test: ClassTest | None) -> Cell:
    if test is None:
        return Cell(text="not made", tone="muted")
    if test.shift is None:
        return Cell(text="undefined", tone="undefined")
    return Cell(text=words.points(test.shift))


def _p_cell(p: float | None) -> Cell:
    if p is None:
        return Cell(text="undefined", tone="undefined")
    return Cell(text=words.p_value(p), tone="" if p <= LEVEL else "muted")


# ------------------------------------------------------------------------------------------------------------ exemplars


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
                    "is not all due to compression."
                ),
            )
        )
    ]
    if found:
        groups = _groups_in(found)
        blocks += [_exemplar_counts(found), _exemplar_figure(found, groups)]
        blocks += [_exemplar_table(found, part, groups) for part in chunks(_names(found), _TABLE_VARIANTS)]
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
            f"Most over-indexed group: {_place_name(_most_over_indexed(one, places))}."
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


def _most_over_indexed(
    one: Exemplars, places: tuple[tuple[GroupKey, Label | None], ...]
) -> tuple[GroupKey, Label | None]:
    own = _by_place(one)
    return max(places, key=lambda place: (own[place].over_indexing or 0.0) if place in own else 0.0)


def _exemplar_table(
    found: tuple[Exemplars, ...], variants: tuple[str, ...], places: tuple[tuple[GroupKey, Label | None], ...]
) -> Table:
    shown = {one.variant: _by_place(one) for one in found if one.variant in variants}
    rows = []
    for place in places[:ROWS_LISTED]:
        own = [shown[variant].get(place) for variant in variants]
        n = next((row.n for row in own if row is not None), 0)
        rows.append((Cell(text=_place_name(place)), Cell(text=f"{n:,}"), *map(_exemplar_cell, own)))
    left = len(places) - ROWS_LISTED
    return Table(
        caption="Exemplars by group: share of the group, how many, and over-indexing",
        columns=(
            Column(heading="Group"),
            *(Column(heading=heading, numeric=True) for heading in ("n", *map(words.name, variants))),
        ),
        rows=tuple(rows),
        note="Over-indexing (×): the group's share among exemplars over its share of the test set."
        + (f" {left:,} more groups are in result.json." if left > 0 else ""),
    )


def _exemplar_cell(row: ExemplarGroup | None) -> Cell:
    if row is None or row.rate is None:
        return Cell(text="undefined", tone="undefined")
    if row.over_indexing is None:
        return Cell(text=words.rate(row.rate), detail="no exemplars")
    return Cell(text=words.rate(row.rate), detail=f"{row.count:,}, ×{row.over_indexing:.2f}")
