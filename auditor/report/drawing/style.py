"""What all pictures share: colours, sizes, names of data, and marks that more than one kind has."""

from __future__ import annotations

from typing import Any

Chart = Any
"""Altair's classes share no type that is useful here."""
Row = dict[str, Any]

FONT = "DejaVu Sans, Verdana, sans-serif"
INK, QUIET, RULE, ACCENT, SECOND = "#1d2733", "#5b6673", "#d5dae0", "#0b5394", "#b45309"
LABEL_WIDTH, PLOT_WIDTH, ROW_HEIGHT = 150, 180, 17
"""Of plots with a row for each group or variant."""
SURELY_SHORT = 15
"""Characters that fit into `LABEL_WIDTH`, whichever they are."""
ROUND, SQUARE = "circle", "square"
CONFIG = {
    "font": FONT,
    "background": "white",
    "padding": 4,
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK,
        "labelFontSize": 10,
        "titleColor": QUIET,
        "titleFontSize": 10,
        "titleFontWeight": "normal",
        "domainColor": RULE,
        "tickColor": RULE,
        "gridColor": "#eceff2",
    },
}
ROWS, ZERO, LIMITS = "rows", "zero", "limits"
"""Names of data within a specification: layers share them, so that copying a layer does not copy them."""


def ends(mark: Row) -> Row:
    """Give an interval's ends; without an interval a line of no length."""
    whole = mark["low"] is not None and mark["high"] is not None
    low, high = (mark["low"], mark["high"]) if whole else (mark["value"], mark["value"])
    return {"value": mark["value"], "low": low, "high": high}


def rule(data: str, channel: str, *, dash: list[int], color: str) -> Chart:
    """Draw a line at each value of some data, at right angles to the axis `channel`: "x" or "y"."""
    import altair as alt

    mark = alt.Chart(alt.NamedData(data)).mark_rule(strokeDash=dash, color=color, strokeWidth=1.2)
    return mark.encode(**{channel: "value:Q"})


def names(every: Chart) -> Chart:
    """Write the groups' names left of the plot; only those that may be too long are measured, which takes time."""
    import altair as alt

    limit = alt.expr(f"length(datum.label) > {SURELY_SHORT} ? {LABEL_WIDTH} : 0")
    return every.mark_text(align="right", fontSize=10, color=INK, limit=limit)
