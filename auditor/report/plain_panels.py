"""Panels about exemplars and class tests as Vega-Lite specifications, written out: `draw` only draws them.

Names from outside are values of data, never keys of a scale or parts of an expression.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auditor.report.drawing.style import ACCENT, INK, LABEL_WIDTH, PLOT_WIDTH, QUIET, ROUND, ROW_HEIGHT, SECOND, SQUARE
from auditor.report.view.panels import Pair, Pairs, Ranked, Ratios, Shifts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from auditor.report.view.blocks import Figure, Mark

    Spec = dict[str, Any]

FARTHEST = 32.0
"""A ratio further below 1 than this is set at the edge of its axis: a logarithm has no place for 0."""
RANKED_HEIGHT, RANKED_LEFT = 190, 46
LEGEND_HEIGHT = 24
_Y: Spec = {"field": "row", "type": "ordinal", "axis": None}


def plain(panel: Pairs | Ratios | Shifts | Ranked, figure: Figure) -> Spec:
    """Give a panel of a figure as a specification."""
    if isinstance(panel, Pairs):
        return _pairs(panel, figure.axis)
    if isinstance(panel, Ratios):
        every = [mark for other in figure.panels if isinstance(other, Ratios) for mark in other.marks]
        return _ratios(panel, _ratio_span(every), figure.axis)
    if isinstance(panel, Shifts):
        found = [m.value for p in figure.panels if isinstance(p, Shifts) for m in p.marks]
        return _shifts(panel, _span([0.0, *found]), figure.axis)
    found = [value for p in figure.panels if isinstance(p, Ranked) for value, _ in p.values]
    return _ranked(panel, _span([0.0, *found]), figure.axis)


def _span(found: Iterable[float | None]) -> tuple[float, float]:
    """Give an axis that holds everything that is drawn, with a little room."""
    known = [x for x in found if x is not None] or [0.0]
    room = max((max(known) - min(known)) * 0.05, 0.1)
    return min(known) - room, max(known) + room


def _data(rows: list[Spec]) -> Spec:
    return {"values": rows}


def _scale(domain: tuple[float, float], kind: str = "linear") -> Spec:
    return {"type": kind, "domain": list(domain), "nice": False, "zero": False}


def _x(domain: tuple[float, float], axis: str) -> Spec:
    shown = {"title": axis, "tickCount": 5, "grid": False}
    return {"field": "value", "type": "quantitative", "scale": _scale(domain), "axis": shown}


def _labels(rows: Sequence[str]) -> Spec:
    """Write the rows' names left of the plot."""
    return {
        "data": _data([{"row": place, "label": label} for place, label in enumerate(rows)]),
        "mark": {"type": "text", "align": "right", "fontSize": 10, "color": INK, "limit": LABEL_WIDTH},
        "encoding": {"text": {"field": "label"}, "x": {"value": -6}, "y": _Y},
    }


def _words(rows: list[Spec]) -> Spec:
    """Write into the plot why there is no mark: {row, text}."""
    return {
        "data": _data(rows),
        "mark": {"type": "text", "align": "left", "fontStyle": "italic", "fontSize": 10, "color": QUIET},
        "encoding": {"text": {"field": "text"}, "x": {"value": 2}, "y": _Y},
    }


def _upright(value: float, color: str = QUIET) -> Spec:
    return {
        "data": _data([{"value": value}]),
        "mark": {"type": "rule", "color": color, "strokeWidth": 1.2},
        "encoding": {"x": {"field": "value", "type": "quantitative"}},
    }


def _by_rows(layers: list[Spec], rows: int, top: int = 4) -> Spec:
    """Put layers that share rows together, at the size of every other plot with rows."""
    return {
        "layer": layers,
        "width": PLOT_WIDTH,
        "height": ROW_HEIGHT * max(rows, 1),
        "autosize": "none",
        "padding": {"left": LABEL_WIDTH + 6, "right": 8, "top": top, "bottom": 36},
    }


# ---------------------------------------------------------------------------------------------------------------- pairs


def _pairs(panel: Pairs, axis: str) -> Spec:
    """Specify two numbers a row, a square and a circle, joined; a stroke where there is a third."""
    found = [x for row in panel.rows for x in (row.first, row.second, row.whole)]
    low, high = _span([0.0, *found] if panel.from_zero else found)
    domain = (0.0, high) if panel.from_zero else (low, high)
    names = [*([panel.whole] if panel.whole else []), *panel.names]
    marks = [mark for place, row in enumerate(panel.rows) for mark in _pair_marks(place, row, panel)]
    names = [name for name in names if any(mark["name"] == name for mark in marks)]
    looks = {panel.whole: ("stroke", QUIET), panel.names[0]: (SQUARE, SECOND), panel.names[1]: (ROUND, ACCENT)}
    joined = [
        {"row": place, "value": row.first, "end": row.second}
        for place, row in enumerate(panel.rows)
        if row.first is not None and row.second is not None
    ]
    legend = {"orient": "none", "legendX": -LABEL_WIDTH, "legendY": -LEGEND_HEIGHT, "direction": "horizontal"}
    key = {"field": "name", "type": "nominal", "legend": legend | {"columnPadding": 8, "title": None}}
    layers = [
        _labels([row.label for row in panel.rows]),
        {
            "data": _data(joined),
            "mark": {"type": "rule", "strokeWidth": 1.6, "color": QUIET},
            "encoding": {"x": _x(domain, axis), "x2": {"field": "end"}, "y": _Y},
        },
        {
            "data": _data(marks),
            "mark": {"type": "point", "filled": False, "size": 46, "strokeWidth": 1.8, "opacity": 1},
            "encoding": {
                "x": _x(domain, axis),
                "y": _Y,
                "color": key | {"scale": {"domain": names, "range": [looks[name][1] for name in names]}},
                "shape": key | {"scale": {"domain": names, "range": [looks[name][0] for name in names]}},
            },
        },
        *_missing(panel.rows, domain),
    ]
    return _by_rows(layers, len(panel.rows), LEGEND_HEIGHT + 6)


def _pair_marks(place: int, row: Pair, panel: Pairs) -> list[Spec]:
    numbers = ((panel.whole, row.whole), (panel.names[0], row.first), (panel.names[1], row.second))
    return [{"row": place, "name": name, "value": value} for name, value in numbers if value is not None]


def _missing(rows: Sequence[Pair], domain: tuple[float, float]) -> list[Spec]:
    """Say on the emptier side of the row that a pair is undefined."""
    middle = sum(domain) / 2
    layers = []
    for align, at, is_right in (("right", PLOT_WIDTH - 2, True), ("left", 2, False)):
        own = [
            {"row": place, "text": row.missing}
            for place, row in enumerate(rows)
            if row.missing and (row.first is None or row.second is None)
            if ((row.whole or 0.0) < middle) is is_right
        ]
        layer = _words(own)
        layer["mark"] |= {"align": align}
        layer["encoding"] |= {"x": {"value": at}}
        layers.append(layer)
    return layers


# --------------------------------------------------------------------------------------------------------------- ratios


def _ratio_span(marks: Sequence[Mark]) -> tuple[float, float]:
    ends = [x for m in marks for x in (m.value, m.low, m.high) if x] + [0.8, 1.25]
    return max(min(ends), 1 / FARTHEST) / 1.1, max(ends) * 1.1


def _ratios(panel: Ratios, domain: tuple[float, float], axis: str) -> Spec:
    """Specify multiples with their intervals; what is left of the axis is a triangle at its edge."""
    rows = [_ratio_mark(place, mark, domain[0]) for place, mark in enumerate(panel.marks) if mark.value is not None]
    ticks = [tick for power in range(-5, 12) if domain[0] <= (tick := 2.0**power) <= domain[1]]
    x = {
        "field": "value",
        "type": "quantitative",
        "scale": _scale(domain, "log"),
        "axis": {"title": axis, "values": ticks, "format": "~g", "grid": False},
    }
    undefined = [{"row": place, "text": "undefined"} for place, mark in enumerate(panel.marks) if mark.value is None]
    layers = [
        _upright(1.0),
        _labels([mark.label for mark in panel.marks]),
        {
            "data": _data([row for row in rows if "low" in row]),
            "mark": {"type": "rule", "strokeWidth": 1.6, "color": ACCENT},
            "encoding": {"x": x | {"field": "low"}, "x2": {"field": "high"}, "y": _Y},
        },
        {
            "data": _data(rows),
            "mark": {"type": "point", "size": 42, "strokeWidth": 1.6, "color": ACCENT, "opacity": 1},
            "encoding": {
                "x": x,
                "y": _Y,
                "fill": {"field": "fill", "type": "nominal", "scale": None},
                "shape": {"field": "shape", "type": "nominal", "scale": None},
            },
        },
        _words(undefined),
    ]
    return _by_rows(layers, len(panel.marks))


def _ratio_mark(place: int, mark: Mark, edge: float) -> Spec:
    """Place a ratio and its limits; what is below the edge is set on it."""
    value = mark.value or 0.0
    row: Spec = {"row": place, "value": max(value, edge), "fill": "white" if mark.small else ACCENT}
    if mark.low is not None and mark.high is not None:
        row |= {"low": max(mark.low, edge), "high": max(mark.high, edge)}
    return row | {"shape": ROUND if value >= edge else "triangle-left"}


# --------------------------------------------------------------------------------------------------------------- shifts


def _looks(value: float, *, found: bool) -> Spec:
    """Give colour and shape: a discovered loss points down, a discovered gain up, the rest is a hollow circle."""
    if not found:
        return {"value": value, "color": QUIET, "fill": "white", "shape": ROUND}
    color, shape = (SECOND, "triangle-down") if value < 0 else (ACCENT, "triangle-up")
    return {"value": value, "color": color, "fill": color, "shape": shape}


def _looked(encoding: Spec) -> Spec:
    given = {key: {"field": key, "type": "nominal", "scale": None} for key in ("fill", "shape")}
    return encoding | given | {"stroke": {"field": "color", "type": "nominal", "scale": None}}


def _shifts(panel: Shifts, domain: tuple[float, float], axis: str) -> Spec:
    """Specify one row a class: a line from no change to its mark."""
    rows = [
        {"row": place} | _looks(mark.value, found=mark.found)
        for place, mark in enumerate(panel.marks)
        if mark.value is not None
    ]
    undefined = [{"row": place, "text": "undefined"} for place, mark in enumerate(panel.marks) if mark.value is None]
    line = {"x": _x(domain, axis), "x2": {"datum": 0}, "y": _Y}
    layers = [
        _upright(0.0),
        _labels([mark.label for mark in panel.marks]),
        {"data": _data(rows), "mark": {"type": "rule", "strokeWidth": 1.4, "color": QUIET}, "encoding": line},
        {
            "data": _data(rows),
            "mark": {"type": "point", "size": 52, "strokeWidth": 1.4, "opacity": 1},
            "encoding": _looked({"x": _x(domain, axis), "y": _Y}),
        },
        _words(undefined),
    ]
    return _by_rows(layers, len(panel.marks))


def _ranked(panel: Ranked, domain: tuple[float, float], axis: str) -> Spec:
    """Specify a curve of all shifts by rank: one path, however many there are, and a mark for each discovery."""
    count = len(panel.values)
    curve = [{"rank": rank, "value": round(value, 3)} for rank, (value, _) in enumerate(panel.values, 1)]
    found = [
        point | _looks(point["value"], found=True)
        for point, (_, found) in zip(curve, panel.values, strict=True)
        if found
    ]
    across = {"title": f"{count:,} classes, lowest first", "tickCount": 5, "grid": False}
    x = {"field": "rank", "type": "quantitative", "scale": _scale((1 - count * 0.02, count * 1.02)), "axis": across}
    up = {"title": axis, "tickCount": 6}
    y = {"field": "value", "type": "quantitative", "scale": _scale(domain), "axis": up}
    level = {
        "data": _data([{"value": 0}]),
        "mark": {"type": "rule", "color": QUIET, "strokeWidth": 1.2},
        "encoding": {"y": y},
    }
    width = PLOT_WIDTH + LABEL_WIDTH - RANKED_LEFT
    layers = [
        level,
        {
            "data": _data(curve),
            "mark": {"type": "line", "color": QUIET, "strokeWidth": 1.6},
            "encoding": {"x": x, "y": y},
        },
        {
            "data": _data(found),
            # a thousand of them: what each is, for readers of the picture's own text, would be most of its bytes
            "mark": {"type": "point", "size": 26, "strokeWidth": 0.6, "opacity": 1, "aria": False},
            "encoding": _looked({"x": x, "y": y}),
        },
        _corner(panel.highest, 4, "left", 6),
        _corner(panel.lowest, width - 4, "right", RANKED_HEIGHT - 13 * len(panel.lowest) + 4),
    ]
    padding = {"left": RANKED_LEFT, "right": 8, "top": 6, "bottom": 40}
    return {"layer": layers, "width": width, "height": RANKED_HEIGHT, "autosize": "none", "padding": padding}


def _corner(lines: Sequence[str], x: int, align: str, top: int) -> Spec:
    """Write lines into a corner that a curve from low to high leaves empty."""
    return {
        "data": _data([{"text": line, "at": top + 13 * place} for place, line in enumerate(lines)]),
        "mark": {"type": "text", "align": align, "fontSize": 10, "color": INK, "limit": 150, "baseline": "middle"},
        "encoding": {
            "text": {"field": "text"},
            "x": {"value": x},
            "y": {"field": "at", "type": "quantitative", "scale": None},
        },
    }
