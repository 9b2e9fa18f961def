"""What `auditor diff` answers: on the terminal, as Markdown for a pull request, or as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Group
from rich.table import Table as Grid
from rich.text import Text

from auditor.compare import exit_code
from auditor.records import Gate
from auditor.report.markdown import escaped, table_lines
from auditor.report.result_rows import finding_row, gate_row, waiver_row
from auditor.report.terminal import STYLES
from auditor.text import commandless

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from auditor.compare.changes import Change, Difference, Move, Shift
    from auditor.records import Finding
    from auditor.report.view.blocks import Cell, Table
    from auditor.report.view.difference import DifferenceView

Json = dict[str, Any]


def as_text(shown: DifferenceView) -> RenderableType:
    """Give the difference for a rich console; 80 columns are enough."""
    parts: list[RenderableType] = [
        Text.assemble((f"{shown.symbol} {shown.verdict}", STYLES[shown.tone]), f"  {shown.sentence}"),
        *(Text(f"Note: {notice}", style="yellow") for notice in shown.notices),
    ]
    for table in shown.tables:
        parts += [Text(f"\n{table.caption}", style="bold"), _grid(table)]
        parts += [Text(sentence, style="dim") for sentence in _below(table)]
    return Group(*parts)


def _grid(table: Table) -> Grid:
    grid = Grid(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1))
    for column in table.columns:
        widest = {"Was": 23, "Is": 23, "Change": 11, "Intervals": 16}.get(column.heading)
        grid.add_column(column.heading, overflow="fold", max_width=widest, ratio=None if widest else 1)
    for row in table.rows:
        grid.add_row(*map(_text, row))
    return grid


def _text(cell: Cell) -> Text:
    below = (f"\n{cell.detail}", STYLES["muted"]) if cell.detail else ""
    return Text.assemble((f"{cell.symbol} {cell.text}".strip(), STYLES[cell.tone]), below)


def _below(table: Table) -> Iterator[str]:
    if table.left:
        yield f"and {table.left:,} more: --format json has them all"
    if table.note:
        yield table.note


def as_markdown(shown: DifferenceView) -> str:
    """Give the difference for a pull request."""
    return "\n".join(_lines(shown)) + "\n"


def _lines(shown: DifferenceView) -> Iterator[str]:
    yield f"# {escaped(shown.title)}"
    yield f"\n**{shown.symbol} {shown.verdict}.** {escaped(shown.sentence)}"
    for notice in shown.notices:
        yield f"\n> **Note.** {escaped(notice)}"
    for table in shown.tables:
        yield f"\n## {escaped(table.caption)}\n"
        yield from table_lines(table, table.rows)
        for sentence in _below(table):
            yield f"\n{escaped(sentence)}"


def as_json(difference: Difference) -> str:
    """Give the whole difference, one record a line in its lists."""
    content: Json = {
        "schema": 1,
        "worse": bool(exit_code(difference)),
        "audits": [result.definition["audit"]["name"] for result in (difference.old, difference.new)],
        "data": [result.data.digest for result in (difference.old, difference.new)],
        "same_models": list(difference.models),
        "verdicts": [_shift(shift) for shift in difference.shifts],
        "estimates": [_move(move) for move in difference.moves],
        "renamed_gates": [{"old": old, "new": new} for old, new in difference.renamed],
        "gates": [_change(change) for change in difference.gates],
        "waivers": [
            {"old": old and waiver_row(old), "new": new and waiver_row(new)} for old, new in difference.waivers
        ],
        "groups": [{"group": dict(group), "old": old, "new": new} for group, old, new in difference.groups],
        "splits": [{"split": split, "old": old, "new": new} for split, old, new in difference.splits],
        "members": [
            {"variant": name, "old": old and old._asdict(), "new": new and new._asdict()}
            for name, old, new in difference.members
        ],
        "definition": [_change(change) for change in difference.definition],
        "provenance": [_change(change) for change in difference.provenance],
    }
    return commandless(json.dumps(content, indent=1, allow_nan=False)) + "\n"


def _shift(shift: Shift) -> Json:
    return {
        "change": shift.direction,
        "counts": shift.counts,
        "why": shift.why,
        "old": _finding(shift.old),
        "new": _finding(shift.new),
    }


def _finding(finding: Finding | None) -> Json | None:
    return None if finding is None else finding_row(finding, None)


def _move(move: Move) -> Json:
    keys = ("value", "low", "high", "n", "members")
    sides = {side: {key: getattr(e, key) for key in keys} for side, e in (("old", move.old), ("new", move.new))}
    return {"id": move.new.id, "intervals": move.relation, **sides}


def _change(change: Change) -> Json:
    return {"name": change.name, "old": _side(change.old), "new": _side(change.new)}


def _side(side: Any) -> Any:  # noqa: ANN401 - JSON, or a gate
    return gate_row(side) if isinstance(side, Gate) else side
