"""Two numbers a row, a square and a circle, joined; a stroke where there is a third."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .rows import Y, by_rows, data, labels, words, x
from .style import ACCENT, LABEL_WIDTH, PLOT_WIDTH, QUIET, ROUND, SECOND, SQUARE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .style import Row

LEGEND_HEIGHT = 24


def drawn(panel: Row) -> Row:
    """Give a panel as Vega-Lite."""
    domain, rows = panel["domain"], panel["rows"]
    first, second = panel["names"]
    names = [*([panel["whole"]] if panel["whole"] else []), first, second]
    marks = [mark for place, row in enumerate(rows) for mark in _marks(place, row, panel)]
    names = [name for name in names if any(mark["name"] == name for mark in marks)]
    looks = {panel["whole"]: ("stroke", QUIET), first: (SQUARE, SECOND), second: (ROUND, ACCENT)}
    joined = [
        {"row": place, "value": row["first"], "end": row["second"]}
        for place, row in enumerate(rows)
        if row["first"] is not None and row["second"] is not None
    ]
    legend = {"orient": "none", "legendX": -LABEL_WIDTH, "legendY": -LEGEND_HEIGHT, "direction": "horizontal"}
    key = {"field": "name", "type": "nominal", "legend": legend | {"columnPadding": 8, "title": None}}
    layers = [
        labels([row["label"] for row in rows]),
        {
            "data": data(joined),
            "mark": {"type": "rule", "strokeWidth": 1.6, "color": QUIET},
            "encoding": {"x": x(domain, panel["axis"]), "x2": {"field": "end"}, "y": Y},
        },
        {
            "data": data(marks),
            "mark": {"type": "point", "filled": False, "size": 46, "strokeWidth": 1.8, "opacity": 1},
            "encoding": {
                "x": x(domain, panel["axis"]),
                "y": Y,
                "color": key | {"scale": {"domain": names, "range": [looks[name][1] for name in names]}},
                "shape": key | {"scale": {"domain": names, "range": [looks[name][0] for name in names]}},
            },
        },
        *_missing(rows, domain),
    ]
    return by_rows(layers, len(rows), LEGEND_HEIGHT + 6)


def _marks(place: int, row: Row, panel: Row) -> list[Row]:
    first, second = panel["names"]
    numbers = ((panel["whole"], row["whole"]), (first, row["first"]), (second, row["second"]))
    return [{"row": place, "name": name, "value": value} for name, value in numbers if value is not None]


def _missing(rows: Sequence[Row], domain: tuple[float, float]) -> list[Row]:
    """Say on the emptier side of the row that a pair is undefined."""
    middle = sum(domain) / 2
    layers = []
    for align, at, is_right in (("right", PLOT_WIDTH - 2, True), ("left", 2, False)):
        own = [
            {"row": place, "text": row["missing"]}
            for place, row in enumerate(rows)
            if row["missing"] and (row["first"] is None or row["second"] is None)
            if ((row["whole"] or 0.0) < middle) is is_right
        ]
        layer = words(own)
        layer["mark"] |= {"align": align}
        layer["encoding"] |= {"x": {"value": at}}
        layers.append(layer)
    return layers
