"""summary.md: what a pull request or a job's page shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.report.view.blocks import Cell, Table, View

_SPECIAL = re.compile(r"([\\`*_{}\[\]#|~!@$])")
_ROWS = 12
"""Comparisons listed for each gate."""


def markdown(view: View) -> str:
    """Write page one of the report, and the comparisons of each gate that do not pass."""
    return "\n".join(_lines(view)) + "\n"


def escaped(text: str) -> str:
    """Make a text stand for itself: no markup, no link, no mention."""
    plain = _SPECIAL.sub(r"\\\1", text.replace("&", "&amp;")).replace("<", "&lt;").replace(">", "&gt;")
    return plain.replace("://", r"\://").replace("www.", r"www\.")


def _lines(view: View) -> Iterator[str]:
    yield f"# {escaped(view.title)}"
    yield f"\n**{view.symbol} {view.verdict}.** {escaped(view.verdict_sentence)}"
    for notice in view.notices:
        yield f"\n> **Note.** {escaped(notice)}"
    yield f"\n**{escaped(view.headline.kicker)}.** {escaped(view.headline.sentence)}\n"
    for sentence in view.headline.support:
        yield f"- {escaped(sentence)}"
    if view.gates is not None:
        yield "\n## Gates\n"
        yield from table_lines(view.gates, view.gates.rows)
        yield f"\n{escaped(view.gates.note)}"
        for row, table in zip(view.gates.rows, view.comparisons, strict=True):
            yield from _open(row[0].text, table)
    yield "\n## Audited\n"
    for key, text in view.facts.pairs:
        yield f"- {escaped(key)}: {escaped(text)}"
    yield f"\n{escaped(view.digest_line)}. Everything else is in the report and in result.json."


def _open(name: str, table: Table) -> Iterator[str]:
    if table.rows:
        yield f"\n### {escaped(name)}: what does not pass\n"
        yield from table_lines(table, table.rows[:_ROWS])
    left = max(len(table.rows) - _ROWS, 0) + table.left
    if left:
        yield f"\nand {left:,} more"


def table_lines(table: Table, rows: tuple[tuple[Cell, ...], ...]) -> Iterator[str]:
    """Write rows of a table, a line each."""
    yield "| " + " | ".join(escaped(column.heading) for column in table.columns) + " |"
    yield "|" + "|".join("---:" if column.numeric else "---" for column in table.columns) + "|"
    for row in rows:
        yield "| " + " | ".join(map(_cell, row)) + " |"


def _cell(cell: Cell) -> str:
    text = f"{cell.symbol} {escaped(cell.text)}".strip()
    return f"{text}<br>{escaped(cell.detail)}" if cell.detail else text
