"""Panels of a figure as JSON, for the process that draws them, and as the pictures that it gives."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from auditor.report.view.blocks import Dots, Figure, Grid, Lines, Points
from auditor.report.view.panels import Pairs, Ranked, Ratios, Shifts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.report.painter import Painter
    from auditor.report.view.blocks import Mark, Panel

    Pictures = dict[tuple[Panel, Figure], str]
    """A panel of a figure, as SVG."""

_FAR_APART = 10
"""Largest over smallest size, beyond which an axis is logarithmic."""
_FARTHEST = 32.0
"""A ratio further below 1 than this is set at the edge of its axis: a logarithm has no place for 0."""


def pictures(figures: Sequence[Figure], painter: Painter) -> Pictures:
    """Have every panel of every figure drawn; raises OutputError where that fails."""
    panels = [(panel, figure) for figure in figures for panel in figure.panels]
    return dict(zip(panels, painter.svgs([described(*one) for one in panels]), strict=True))


def described(panel: Panel, figure: Figure) -> dict[str, Any]:
    """Describe a panel as JSON, for `draw`: the span of its axis, and what is on it."""
    if isinstance(panel, Dots):
        shown = {"kind": "dots", "domain": _common_span(figure), "zero": panel.zero, "limits": panel.limits}
        return shown | {"axis": figure.axis, "marks": [asdict(mark) for mark in panel.marks]}
    if isinstance(panel, Grid):
        rows = [{"label": label, "tiles": [asdict(tile) for tile in tiles]} for label, tiles in panel.rows]
        return {"kind": "grid", "reach": _reach(figure), "columns": panel.columns, "rows": rows}
    if isinstance(panel, Points):
        return _described_points(panel, figure)
    if isinstance(panel, Lines):
        return _described_lines(panel, figure)
    kind, domain = _domain(panel, figure)
    return {"kind": kind, "domain": domain, "axis": figure.axis, **asdict(panel)}


def _domain(panel: Pairs | Ratios | Shifts | Ranked, figure: Figure) -> tuple[str, tuple[float, float]]:
    """Name a panel's kind, and give the span of its axis: of pairs their own, for panels differ in what they are."""
    if isinstance(panel, Pairs):
        found = [x for row in panel.rows for x in (row.first, row.second, row.whole) if x is not None]
        low, high = _span([], found or [0.0])
        return "pairs", (0.0, high) if panel.from_zero else (low, high)
    if isinstance(panel, Ratios):
        return "ratios", _ratio_span([mark for p in figure.panels if isinstance(p, Ratios) for mark in p.marks])
    if isinstance(panel, Shifts):
        moved = [mark.value for p in figure.panels if isinstance(p, Shifts) for mark in p.marks]
        return "shifts", _span([], [0.0, *(value for value in moved if value is not None)])
    return "ranked", _span([], [0.0, *(value for p in figure.panels if isinstance(p, Ranked) for value, _ in p.values)])


def _described_lines(panel: Lines, figure: Figure) -> dict[str, Any]:
    """Describe quantities over variants; all panels of the figure on the same quantity have the same axis."""
    alike = [one for one in figure.panels if isinstance(one, Lines) and one.quantity == panel.quantity]
    marks = [mark for one in alike for line in one.lines for mark in line.marks]
    return {
        "kind": "lines",
        "domain": _span(marks, [limit.value for one in alike for limit in one.limits]),
        "axis": figure.axis,
        "lines": [asdict(line) for line in panel.lines],
        "levels": None if panel.levels is None else asdict(panel.levels),
        "limits": [asdict(limit) for limit in panel.limits],
    }


def _described_points(panel: Points, figure: Figure) -> dict[str, Any]:
    """Describe sizes against their cost; sizes that are far apart have a logarithmic axis."""
    sizes = [spot.size for spot in panel.spots] + ([] if panel.before is None else [panel.before])
    low, high = min(sizes), max(sizes)
    is_log = high > _FAR_APART * low
    room = 0.05 * (high - low) or 0.05 * high
    return {
        "kind": "points",
        "log": is_log,
        "sizes": (low / 1.15, high * 1.15) if is_log else (max(low - room, 0.0), high + room),
        "domain": _span([spot.mark for spot in panel.spots], [0.0, *panel.limits]),
        "axis": figure.axis,
        "across": panel.across,
        "spots": [asdict(spot) for spot in panel.spots],
        "limits": panel.limits,
        "before": panel.before,
    }


def _common_span(figure: Figure) -> tuple[float, float]:
    """Give one axis to all panels of a figure, so that they can be compared."""
    panels = [panel for panel in figure.panels if isinstance(panel, Dots)]
    fixed = [at for p in panels for at in (*p.limits, *([] if p.zero is None else [p.zero]))]
    return _span([m for panel in panels for m in panel.marks], fixed)


def _reach(figure: Figure) -> float:
    """Give the largest number of all heat maps of a figure, whichever its sign: its colour is the deepest."""
    tiles = (tile for panel in figure.panels if isinstance(panel, Grid) for _, row in panel.rows for tile in row)
    return max((abs(tile.value) for tile in tiles if tile.value is not None), default=0.0)


def _span(marks: Sequence[Mark], others: Sequence[float]) -> tuple[float, float]:
    """Give an axis that holds everything that is drawn, with a little room."""
    ends = [x for m in marks for x in (m.value, m.low, m.high) if x is not None] + list(others)
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    room = max((high - low) * 0.04, 0.2)
    return low - room, high + room


def _ratio_span(marks: Sequence[Mark]) -> tuple[float, float]:
    """Give a logarithmic axis, with a little more than nothing on either side of 1."""
    ends = [x for m in marks for x in (m.value, m.low, m.high) if x] + [0.8, 1.25]
    return max(min(ends), 1 / _FARTHEST) / 1.1, max(ends) * 1.1
