"""The table of gates that a run ends with: 80 columns are enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from auditor.report.view.blocks import Cell, Tone, View

STYLES: dict[Tone, str] = {
    "": "",
    "pass": "green",
    "fail": "bold red",
    "open": "yellow",
    "undefined": "magenta",
    "muted": "dim",
}
ROWS = 4
"""Comparisons shown below each gate."""
EVERY_ROW = 10_000
"""With `--verbose`, all that the view holds."""


def summary(view: View, *, rows: int = ROWS) -> RenderableType:
    """Give the verdict, the finding and the gates with so many of their worst comparisons, for a rich console."""
    parts: list[RenderableType] = [
        Text.assemble((f"{view.symbol} {view.verdict}", STYLES[view.tone]), f"  {view.verdict_sentence}"),
        *(Text(f"Note: {notice}", style="yellow") for notice in view.notices),
        Text(f"\n{view.headline.sentence}"),
        *(Text(f"  {sentence}", style="dim") for sentence in view.headline.support),
    ]
    if view.gates is not None:
        parts += [Text(), _gates(view, rows)]
    return Group(*parts)


def _gates(view: View, rows: int) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1))
    table.add_column("Verdict", no_wrap=True)
    table.add_column("Gate, and whom it is about", ratio=1, overflow="fold")
    table.add_column("Estimate", justify="right", overflow="fold")
    table.add_column("Limit", justify="right", overflow="fold")
    gates = view.gates
    assert gates is not None  # noqa: S101 - the caller asked
    for row, comparisons in zip(gates.rows, view.comparisons, strict=True):
        name, verdict, limit = row[:3]
        table.add_row(_verdict(verdict), Text(name.text, style="bold"), Text(), Text(limit.text))
        for own, who, n, estimate, *_ in comparisons.rows[:rows]:
            about = Text(f"{who.text}, {who.detail}, n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{n.text}")
            table.add_row(_verdict(own), about, Text(f"{estimate.text}\n{estimate.detail}".strip()), Text())
        hidden = max(len(comparisons.rows) - rows, 0)
        if left := hidden + comparisons.left:
            hint = f" (-v shows {'them' if hidden == left else f'{hidden:,} of them'})" if hidden else ""
            table.add_row(Text(), Text(f"and {left:,} more that do not pass{hint}", style="dim"))
    return table


def _verdict(cell: Cell) -> Text:
    return Text(f"{cell.symbol} {cell.text}\n  {cell.detail}".strip(), style=STYLES[cell.tone])
