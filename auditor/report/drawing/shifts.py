"""How far classes moved: a row each, or a curve of all by rank."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .rows import Y, by_rows, data, labels, scale, upright, words, x
from .style import ACCENT, INK, LABEL_WIDTH, PLOT_WIDTH, QUIET, ROUND, SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .style import Row

RANKED_HEIGHT, RANKED_LEFT = 190, 46


def _looks(value: float, *, found: bool) -> Row:
    """Give colour and shape: a discovered loss points down, a discovered gain up, the rest is a hollow circle."""
    if not found:
        return {"value": value, "color": QUIET, "fill": "white", "shape": ROUND}
    color, shape = (SECOND, "triangle-down") if value < 0 else (ACCENT, "triangle-up")
    return {"value": value, "color": color, "fill": color, "shape": shape}


def _looked(encoding: Row) -> Row:
    given = {key: {"field": key, "type": "nominal", "scale": None} for key in ("fill", "shape")}
    return encoding | given | {"stroke": {"field": "color", "type": "nominal", "scale": None}}


def few(panel: Row) -> Row:
    """Give a row a class as Vega-Lite: a line from no change to its mark."""
    domain, marks = panel["domain"], panel["marks"]
    rows = [
        {"row": place} | _looks(mark["value"], found=mark["found"])
        for place, mark in enumerate(marks)
        if mark["value"] is not None
    ]
    undefined = [{"row": place, "text": "undefined"} for place, mark in enumerate(marks) if mark["value"] is None]
    line = {"x": x(domain, panel["axis"]), "x2": {"datum": 0}, "y": Y}
    layers = [
        upright(0.0),
        labels([mark["label"] for mark in marks]),
        {"data": data(rows), "mark": {"type": "rule", "strokeWidth": 1.4, "color": QUIET}, "encoding": line},
        {
            "data": data(rows),
            "mark": {"type": "point", "size": 52, "strokeWidth": 1.4, "opacity": 1},
            "encoding": _looked({"x": x(domain, panel["axis"]), "y": Y}),
        },
        words(undefined),
    ]
    return by_rows(layers, len(marks))


def ranked(panel: Row) -> Row:
    """Give all shifts by rank as Vega-Lite: one path, however many there are, and a mark for each discovery."""
    domain, values = panel["domain"], panel["values"]
    count = len(values)
    curve = [{"rank": rank, "value": round(value, 3)} for rank, (value, _) in enumerate(values, 1)]
    found = [
        point | _looks(point["value"], found=True) for point, (_, found) in zip(curve, values, strict=True) if found
    ]
    across = {"title": f"{count:,} classes, lowest first", "tickCount": 5, "grid": False}
    x = {"field": "rank", "type": "quantitative", "scale": scale((1 - count * 0.02, count * 1.02)), "axis": across}
    up = {"title": panel["axis"], "tickCount": 6}
    y = {"field": "value", "type": "quantitative", "scale": scale(domain), "axis": up}
    level = {
        "data": data([{"value": 0}]),
        "mark": {"type": "rule", "color": QUIET, "strokeWidth": 1.2},
        "encoding": {"y": y},
    }
    width = PLOT_WIDTH + LABEL_WIDTH - RANKED_LEFT
    layers = [
        level,
        {
            "data": data(curve),
            "mark": {"type": "line", "color": QUIET, "strokeWidth": 1.6},
            "encoding": {"x": x, "y": y},
        },
        {
            "data": data(found),
            # a thousand of them: what each is, for readers of the picture's own text, would be most of its bytes
            "mark": {"type": "point", "size": 26, "strokeWidth": 0.6, "opacity": 1, "aria": False},
            "encoding": _looked({"x": x, "y": y}),
        },
        _corner(panel["highest"], 4, "left", 6),
        _corner(panel["lowest"], width - 4, "right", RANKED_HEIGHT - 13 * len(panel["lowest"]) + 4),
    ]
    padding = {"left": RANKED_LEFT, "right": 8, "top": 6, "bottom": 40}
    return {"layer": layers, "width": width, "height": RANKED_HEIGHT, "autosize": "none", "padding": padding}


def _corner(lines: Sequence[str], x: int, align: str, top: int) -> Row:
    """Write lines into a corner that a curve from low to high leaves empty."""
    return {
        "data": data([{"text": line, "at": top + 13 * place} for place, line in enumerate(lines)]),
        "mark": {"type": "text", "align": align, "fontSize": 10, "color": INK, "limit": 150, "baseline": "middle"},
        "encoding": {
            "text": {"field": "text"},
            "x": {"value": x},
            "y": {"field": "at", "type": "quantitative", "scale": None},
        },
    }
