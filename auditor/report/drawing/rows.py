"""What plots with a row for each group, class or variant share, written out as Vega-Lite.

Names from outside are values of data, never keys of a scale or parts of an expression.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .style import INK, LABEL_WIDTH, PLOT_WIDTH, QUIET, ROW_HEIGHT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .style import Row

Y: Row = {"field": "row", "type": "ordinal", "axis": None}


def data(rows: list[Row]) -> Row:
    """Give rows as a layer's own data."""
    return {"values": rows}


def scale(domain: tuple[float, float], kind: str = "linear") -> Row:
    """Give a scale that is as long as it is said to be."""
    return {"type": kind, "domain": list(domain), "nice": False, "zero": False}


def x(domain: tuple[float, float], axis: str) -> Row:
    """Place values from left to right."""
    shown = {"title": axis, "tickCount": 5, "grid": False}
    return {"field": "value", "type": "quantitative", "scale": scale(domain), "axis": shown}


def labels(rows: Sequence[str]) -> Row:
    """Write the rows' names left of the plot."""
    return {
        "data": data([{"row": place, "label": label} for place, label in enumerate(rows)]),
        "mark": {"type": "text", "align": "right", "fontSize": 10, "color": INK, "limit": LABEL_WIDTH},
        "encoding": {"text": {"field": "label"}, "x": {"value": -6}, "y": Y},
    }


def words(rows: list[Row]) -> Row:
    """Write into the plot why there is no mark: {row, text}."""
    return {
        "data": data(rows),
        "mark": {"type": "text", "align": "left", "fontStyle": "italic", "fontSize": 10, "color": QUIET},
        "encoding": {"text": {"field": "text"}, "x": {"value": 2}, "y": Y},
    }


def upright(value: float, color: str = QUIET) -> Row:
    """Draw a line at a value, from top to bottom."""
    return {
        "data": data([{"value": value}]),
        "mark": {"type": "rule", "color": color, "strokeWidth": 1.2},
        "encoding": {"x": {"field": "value", "type": "quantitative"}},
    }


def by_rows(layers: list[Row], rows: int, top: int = 4) -> Row:
    """Put layers that share rows together, at the size of every other plot with rows."""
    return {
        "layer": layers,
        "width": PLOT_WIDTH,
        "height": ROW_HEIGHT * max(rows, 1),
        "autosize": "none",
        "padding": {"left": LABEL_WIDTH + 6, "right": 8, "top": top, "bottom": 36},
    }
