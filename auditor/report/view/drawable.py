"""Figures of which no number is defined: an empty picture would look like a picture of nothing happening."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.report.view.blocks import Dots, Figure, Grid, Lines, Points, Prose
from auditor.report.view.panels import Pairs, Ranked, Ratios, Shifts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.report.view.blocks import Panel, Section


def without_empty(section: Section) -> Section:
    """Put a sentence in the place of every figure that would be empty."""
    blocks = tuple(
        Prose(paragraphs=(f"{block.caption}: nothing to draw, since every number of it is undefined.",))
        if isinstance(block, Figure) and not any(_has_number(panel) for panel in block.panels)
        else block
        for block in section.blocks
    )
    return replace(section, blocks=blocks)


def _has_number(panel: Panel) -> bool:
    return any(number is not None for number in _numbers(panel))


def _numbers(panel: Panel) -> Iterator[float | None]:
    """Give what a panel draws; None is undefined."""
    match panel:
        case Lines():
            yield from (mark.value for line in panel.lines for mark in line.marks)
        case Grid():
            yield from (tile.value for _, tiles in panel.rows for tile in tiles)
        case Points():
            yield from (spot.mark.value for spot in panel.spots)
        case Pairs():
            yield from (number for row in panel.rows for number in (row.first, row.second, row.whole))
        case Ranked():
            yield from (value for value, _ in panel.values)
        case Dots() | Ratios() | Shifts():
            yield from (mark.value for mark in panel.marks)
