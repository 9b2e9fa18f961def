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
    yield from head(view)
    if view.gates is not None:
        yield "\n## Gates\n"
        yield from table_lines(view.gates, view.gates.rows)
        yield f"\n{escaped(view.gates.note)}"
        for row, found in zip(view.gates.rows, view.comparisons, strict=True):
            yield from not_passing(row[0].text, found)
    yield "\n## Audited\n"
    for key, text in view.facts.pairs:
        yield f"- {escaped(key)}: {escaped(text)}"
    yield f"\n{escaped(view.digest_line)}. Everything else is in the report and in result.json."


def head(view: View) -> Iterator[str]:
    """Write what page one begins with, below its heading: the verdict, the notices, who is hurt and by how much."""
    yield f"\n**{view.symbol} {view.verdict}.** {escaped(view.verdict_sentence)}"
    for notice in view.notices:
        yield f"\n> **Note.** {escaped(notice)}"
    yield f"\n**{escaped(view.headline.kicker)}.** {escaped(view.headline.sentence)}\n"
    for sentence in view.headline.support:
        yield f"- {escaped(sentence)}"


def not_passing(name: str, found: Table, heading: str = "###") -> Iterator[str]:
    """Write the comparisons of a gate that do not pass, under a heading."""
    if found.rows:
        yield f"\n{heading} {escaped(name)}: what does not pass\n"
        yield from table_lines(found, found.rows[:_ROWS])
    left = max(len(found.rows) - _ROWS, 0) + found.left
    if left:
        yield f"\nand {left:,} more"


def table_lines(shown: Table, rows: tuple[tuple[Cell, ...], ...]) -> Iterator[str]:
    """Write rows of a table under its headings."""
    yield "| " + " | ".join(escaped(column.heading) for column in shown.columns) + " |"
    yield "|" + "|".join("---:" if column.numeric else "---" for column in shown.columns) + "|"
    for row in rows:
        yield "| " + " | ".join(map(_cell, row)) + " |"


def _cell(cell: Cell) -> str:
    text = f"{cell.symbol} {escaped(cell.text)}".strip()
    return f"{text}<br>{escaped(cell.detail)}" if cell.detail else text
