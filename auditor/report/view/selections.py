"""The section of selection tables: evidence for those who know the law, no answer of law."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.report.view import words
from auditor.report.view.blocks import Bullets, Cell, Column, Prose, Section, Table
from auditor.report.view.further import ROWS, listed_once

if TYPE_CHECKING:
    from auditor.description import SelectionRow, Selections, SelectionTable
    from auditor.report.view.blocks import Block
    from auditor.report.view.numbers import Numbers

TABLES = 12
"""Tables shown; result.json holds the rest."""
_FOUR_FIFTHS = 0.8
_DEVIATIONS = 2
_UNITED_STATES = (
    "United States: a selection rate under four fifths (0.80) of that of the group selected most often is generally "
    "regarded as evidence of adverse impact; smaller differences may be evidence too where they are significant in "
    "statistical and practical terms, and larger ones may not be where numbers are small (29 CFR 1607.4(D)). Hence "
    "three columns beside the ratio: the difference in standard deviations (z; more than two is often asked for) with "
    "its p, Fisher's exact test, and whether one selection more of the group and one fewer of the other (or, from 0.80 "
    "up, the reverse) would move the ratio across 0.80."
)
_NEW_YORK = (
    "New York City (Local Law 144; 6 RCNY 5-301): the last column is the ratio to the category with the highest rate, "
    "without categories of less than 2% of the data, whose counts are shown all the same. The law asks for sex, "
    "race/ethnicity and their intersection."
)


def selection_sections(numbers: Numbers) -> tuple[Section, ...]:
    """Show the selection tables where a positive class is declared; else there is no such section."""
    result = numbers.result
    if result.data.positive is None or not result.selections:
        return ()
    label = words.quoted(result.data.positive)
    text = (
        f"Selected are those decided as {label}, out of all test examples of the group (“applicants”). The tables are "
        "evidence about these decisions on these examples. Whether a law applies, and what follows, is for people to "
        "say."
    )
    blocks: list[Block] = [Prose(paragraphs=(text,))]
    made = [(found, table) for found in result.selections for table in found.tables]
    if made:
        blocks.append(Prose(paragraphs=(_UNITED_STATES, _NEW_YORK)))
    blocks += _not_made(result.selections)
    families = list(dict.fromkeys(table.family for _, table in made))
    made.sort(key=lambda pair: families.index(pair[1].family))
    blocks += [_table(found.variant, table) for found, table in made[:TABLES]]
    if len(made) > TABLES:
        blocks.append(Prose(paragraphs=(f"{len(made) - TABLES:,} more tables are in result.json.",)))
    question = "Who is selected how often, in whole numbers?"
    return (Section(id="selections", title="Selection rates", question=question, blocks=tuple(blocks)),)


def _not_made(found: tuple[Selections, ...]) -> list[Block]:
    """Say for whom there is no table, and why, each reason once."""
    named: dict[str, list[str]] = {}
    for one in found:
        if one.undefined:
            named.setdefault(one.undefined, []).append(words.name(one.variant))
    items = tuple(f"No table for {words.listed(names)}: {listed_once([why])}." for why, names in named.items())
    return [Bullets(items=items)] if items else []


def _table(variant: str, table: SelectionTable) -> Table:
    rows = sorted(table.rows, key=lambda row: (row.impact_ratio is None, row.impact_ratio or 0.0))
    headings = (
        "Group",
        "Applicants",
        "Selected",
        "Selection rate",
        "Impact ratio",
        "z",
        "p of z",
        "Fisher p",
        "One crosses 0.80",
        "Law 144 ratio",
    )
    return Table(
        caption=f"{words.name(variant)}: selections by {words.family(table.family)}",
        columns=tuple(Column(heading=heading, numeric=place > 0) for place, heading in enumerate(headings)),
        rows=tuple(_row(row, table) for row in rows[:ROWS]),
        note=_note(table),
    )


def _row(row: SelectionRow, table: SelectionTable) -> tuple[Cell, ...]:
    role = "highest rate" if row.group == table.reference else ""
    crosses = {None: "", True: "yes", False: "no"}[row.one_more_crosses]
    is_reference = bool(role)
    return (
        Cell(text=words.group(row.group), detail=role),
        Cell(text=f"{row.applicants:,}"),
        Cell(text=f"{row.selected:,}"),
        _known("" if row.rate is None else words.rate(row.rate)),
        _known(_ratio(row.impact_ratio)),
        _z_cell(row, is_reference=is_reference),
        _test("" if row.p is None else words.p_value(row.p), is_reference=is_reference),
        _test("" if row.fisher_p is None else words.p_value(row.fisher_p), is_reference=is_reference),
        _test(crosses, is_reference=is_reference),
        _known(_ratio(row.local_law_ratio)),
    )


def _known(text: str) -> Cell:
    return Cell(text=text) if text else Cell(text="undefined", tone="undefined")


def _test(text: str, *, is_reference: bool) -> Cell:
    """Show a test's outcome; the reference is not tested against itself."""
    return Cell(text="–", tone="muted") if is_reference else _known(text)


def _ratio(ratio: float | None) -> str:
    """Write a ratio with so many decimals that one under four fifths does not look like four fifths."""
    return "" if ratio is None else words.number(ratio, "ratio", words.digits_beside((ratio,), _FOUR_FIFTHS))


def _z_cell(row: SelectionRow, *, is_reference: bool) -> Cell:
    if row.z is None:
        return _test("", is_reference=is_reference)
    beyond = f"beyond {_DEVIATIONS}" if abs(row.z) > _DEVIATIONS else ""
    return Cell(text=words.points(row.z / 100, 2), detail=beyond)


def _note(table: SelectionTable) -> str:
    left = len(table.rows) - ROWS
    undefined = listed_once(why for row in table.rows for why in (row.undefined, row.local_law_undefined))
    notes = (
        f"{table.unknown:,} of unknown category are in no ratio.",
        "" if table.local_law_reference else "No category has 2% of the data.",
        f"Undefined: {undefined}." if undefined else "",
        f"{left:,} more groups, none with a lower ratio, are in result.json." if left > 0 else "",
    )
    return " ".join(note for note in notes if note)
