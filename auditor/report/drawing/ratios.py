"""Multiples with their intervals, on a logarithmic axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .rows import Y, by_rows, data, labels, scale, upright, words
from .style import ACCENT, ROUND

if TYPE_CHECKING:
    from .style import Row


def drawn(panel: Row) -> Row:
    """Give a panel as Vega-Lite; what is left of the axis is a triangle at its edge."""
    domain, marks = panel["domain"], panel["marks"]
    rows = [_placed(place, mark, domain[0]) for place, mark in enumerate(marks) if mark["value"] is not None]
    ticks = [tick for power in range(-5, 12) if domain[0] <= (tick := 2.0**power) <= domain[1]]
    x = {
        "field": "value",
        "type": "quantitative",
        "scale": scale(domain, "log"),
        "axis": {"title": panel["axis"], "values": ticks, "format": "~g", "grid": False},
    }
    undefined = [{"row": place, "text": "undefined"} for place, mark in enumerate(marks) if mark["value"] is None]
    layers = [
        upright(1.0),
        labels([mark["label"] for mark in marks]),
        {
            "data": data([row for row in rows if "low" in row]),
            "mark": {"type": "rule", "strokeWidth": 1.6, "color": ACCENT},
            "encoding": {"x": x | {"field": "low"}, "x2": {"field": "high"}, "y": Y},
        },
        {
            "data": data(rows),
            "mark": {"type": "point", "size": 42, "strokeWidth": 1.6, "color": ACCENT, "opacity": 1},
            "encoding": {
                "x": x,
                "y": Y,
                "fill": {"field": "fill", "type": "nominal", "scale": None},
                "shape": {"field": "shape", "type": "nominal", "scale": None},
            },
        },
        words(undefined),
    ]
    return by_rows(layers, len(marks))


def _placed(place: int, mark: Row, edge: float) -> Row:
    """Place a ratio and its limits; what is below the edge is set on it."""
    value, low, high = mark["value"], mark["low"], mark["high"]
    row: Row = {"row": place, "value": max(value, edge), "fill": "white" if mark["small"] else ACCENT}
    if low is not None and high is not None:
        row |= {"low": max(low, edge), "high": max(high, edge)}
    return row | {"shape": ROUND if value >= edge else "triangle-left"}
