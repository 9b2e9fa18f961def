"""A program of its own: panels in, pictures out, so that a stuck renderer can be ended without harm.

Reads a JSON list of panels, as `figures` describes them, from standard input and writes a JSON list of SVG texts:
readable in black and white, without a script, the same bytes for the same panel. It imports Altair, which takes a
second, while its input is still being made; nothing of it is read but the panels.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    Chart = Any
    """Altair's classes share no type that is useful here."""

FONT = "DejaVu Sans, Verdana, sans-serif"
INK, QUIET, RULE, ACCENT, SECOND = "#1d2733", "#5b6673", "#d5dae0", "#0b5394", "#b45309"
PLOT_WIDTH, LABEL_WIDTH, ROW_HEIGHT, LINES_HEIGHT = 180, 150, 17, 190
SURELY_SHORT = 15
"""Characters that fit into `LABEL_WIDTH`, whichever they are."""
ROUND, SQUARE = "circle", "square"
GRID_WIDTH, TILE_WIDTHS, TILE_HEIGHT, NAME_RISE, NAME_REACH = 500, (42, 92), 19, 72, 80
POINTS_WIDTH, POINTS_HEIGHT = 460, 165
LOWER, NEUTRAL, HIGHER, UNKNOWN = "#f0963c", "#ffffff", "#62a8de", "#eceff2"
"""Orange and blue are told apart without a sense of red and green; black letters are read on each."""
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
    "legend": {
        "labelColor": INK,
        "labelFontSize": 10,
        "symbolStrokeWidth": 1.5,
        "orient": "top",
        "title": None,
        "offset": 4,
    },
}
Row = dict[str, Any]
_ROWS, _ZERO, _LIMITS, _COLUMNS, _TILES, _BEFORE = "rows", "zero", "limits", "columns", "tiles", "before"
"""Names of data within a specification: layers share them, so that copying a layer does not copy them."""


def specification(panel: Row) -> str:
    """Give a panel as a Vega-Lite specification in JSON."""
    if panel["kind"] == "dots":
        domain = tuple(panel["domain"])
        drawn = _dots(domain, panel["axis"], len(panel["marks"])) | {"datasets": _dot_rows(panel)}
    elif panel["kind"] == "grid":
        drawn = _grid(len(panel["columns"]), len(panel["rows"]), panel["reach"]) | {"datasets": _grid_rows(panel)}
    elif panel["kind"] == "points":
        drawn = _points(panel) | {"datasets": _spot_rows(panel)}
    elif panel["kind"] == "plain":
        drawn = panel["specification"]
    else:
        chart, rows = _lines(panel)
        drawn = chart.to_dict(validate=False) | {"datasets": {_ROWS: rows}}
    return json.dumps(drawn | {"config": CONFIG}, sort_keys=True)


@cache
def _dots(domain: tuple[float, float], axis: str, count: int) -> Row:
    """Specify one row a group: a dot with its interval, hollow where the group is small, a word where it is undefined.

    The data are apart: what is the same for all panels of a figure is put together once, for Altair takes its time.
    """
    import altair as alt

    y = alt.Y("row:O").axis(None)
    scale = alt.Scale(domain=domain, nice=False, zero=False)
    x = alt.X("value:Q").scale(scale).axis(title=axis, tickCount=5, grid=False)
    every = alt.Chart(alt.NamedData(_ROWS))
    known, unknown = (every.transform_filter(f"datum.value {test} null") for test in ("!==", "==="))
    fill = alt.when(alt.datum.small).then(alt.value("white")).otherwise(alt.value(ACCENT))
    layers = (
        _rule(_ZERO, dash=[1, 0], color=QUIET),
        _rule(_LIMITS, dash=[5, 3], color=SECOND),
        _names(every).encode(text="label:N", x=alt.value(-6), y=y),
        known.mark_rule(strokeWidth=1.6, color=ACCENT).encode(x=alt.X("low:Q").scale(scale), x2="high:Q", y=y),
        known.mark_point(size=42, filled=False, strokeWidth=1.6, color=ACCENT, shape=ROUND, opacity=1).encode(
            x=x, y=y, fill=fill
        ),
        unknown.mark_text(text="undefined", fontStyle="italic", fontSize=10, color=QUIET, align="left").encode(
            x=alt.value(2), y=y
        ),
    )
    chart: Row = alt.layer(*layers, width=PLOT_WIDTH, height=ROW_HEIGHT * max(count, 1)).to_dict(validate=False)
    return chart | {"autosize": "none", "padding": {"left": LABEL_WIDTH + 6, "right": 8, "top": 4, "bottom": 36}}


def _names(every: Chart) -> Chart:
    """Write the groups' names left of the plot; only those that may be too long are measured, which takes time."""
    import altair as alt

    limit = alt.expr(f"length(datum.label) > {SURELY_SHORT} ? {LABEL_WIDTH} : 0")
    return every.mark_text(align="right", fontSize=10, color=INK, limit=limit)


def _dot_rows(panel: Row) -> dict[str, list[Row]]:
    """Give what a panel of dots shows: the rows of groups, the line of no change, the limits."""
    named = [(f"{place:04}", mark) for place, mark in enumerate(panel["marks"])]
    return {
        _ROWS: [{"row": row, "label": mark["label"], **_ends(mark), "small": mark["small"]} for row, mark in named],
        _ZERO: [] if panel["zero"] is None else [{"value": panel["zero"]}],
        _LIMITS: [{"value": limit} for limit in panel["limits"]],
    }


def _ends(mark: Row) -> dict[str, float | None]:
    """Give an interval's ends; without an interval a line of no length."""
    whole = mark["low"] is not None and mark["high"] is not None
    low, high = (mark["low"], mark["high"]) if whole else (mark["value"], mark["value"])
    return {"value": mark["value"], "low": low, "high": high}


def _rule(data: str, *, dash: list[int], color: str) -> Chart:
    import altair as alt

    return alt.Chart(alt.NamedData(data)).mark_rule(strokeDash=dash, color=color, strokeWidth=1.2).encode(x="value:Q")


def _labels(marks: Sequence[Row]) -> str:
    """Give the expression that names a variant by its place.

    The space in front is cut off again: Vega refuses a text that is also the name of something that every object has,
    such as "constructor", which may be somebody's name for a variant.
    """
    names = json.dumps({f"{place:04}": f" {mark['label']}" for place, mark in enumerate(marks)})
    return f"slice(({names})[datum.value], 1)"


def _lines(panel: Row) -> tuple[Chart, list[Row]]:
    """Draw quantities over the variants, told apart by colour, shape and dash; what is undefined leaves a gap."""
    import altair as alt

    names = [line["name"] for line in panel["lines"]]
    rows = [
        {"place": f"{place:04}", "line": line["name"], **_ends(m)}
        for line in panel["lines"]
        for place, m in enumerate(line["marks"])
    ]
    labels = _labels(panel["lines"][0]["marks"])
    places = sorted({str(row["place"]) for row in rows})
    x = (
        alt.X("place:O")
        .scale(domain=places, padding=0.4)
        .axis(title=None, labelExpr=labels, labelAngle=-35, labelLimit=90, grid=False)
    )
    y = alt.Y("value:Q").scale(domain=panel["domain"], nice=False, zero=False).axis(title=panel["axis"], tickCount=6)
    legend = alt.Legend(title=None)
    color = alt.Color("line:N").scale(domain=names, range=[ACCENT, SECOND]).legend(legend)
    base = alt.Chart(alt.NamedData(_ROWS)).encode(x=x, color=color)
    dash = alt.StrokeDash("line:N").scale(domain=names, range=[[1, 0], [5, 3]]).legend(None)
    shape = alt.Shape("line:N").scale(domain=names, range=[ROUND, SQUARE]).legend(legend)
    layers = (
        base.mark_rule(strokeWidth=1.2, opacity=0.7).encode(y=alt.Y("low:Q"), y2="high:Q"),
        base.mark_line(strokeWidth=1.6).encode(y=y, strokeDash=dash),
        base.mark_point(size=48, filled=True, opacity=1).encode(y=y, shape=shape),
    )
    return alt.layer(*layers, width=PLOT_WIDTH + LABEL_WIDTH - 40, height=LINES_HEIGHT), rows


@cache
def _grid(columns: int, rows: int, reach: float) -> Row:
    """Specify a heat map, symmetric about 0, with its numbers; what is sure has a frame and bold type.

    The colour deepens with the logarithm of 1 + points: one large change must not bleach all others.
    """
    import altair as alt

    widest = min(max(GRID_WIDTH // max(columns, 1), TILE_WIDTHS[0]), TILE_WIDTHS[1])
    x = alt.X("column:O").axis(None).scale(domain=_places(columns))
    y = alt.Y("row:O").axis(None).scale(domain=_places(rows))
    deepest = max(reach, 1)
    colours = alt.Scale(
        type="symlog", constant=1, domain=[-deepest, 0, deepest], range=[LOWER, NEUTRAL, HIGHER], interpolate="rgb"
    )
    tiles = alt.Chart(alt.NamedData(_TILES)).encode(x=x, y=y)
    fill = alt.Color("value:Q").scale(colours).legend(None)
    known, unknown = (tiles.transform_filter(f"datum.value {test} null") for test in ("!==", "==="))
    sure = tiles.transform_filter("datum.sure")
    layers = (
        known.mark_rect(stroke=RULE, strokeWidth=1).encode(color=fill),
        unknown.mark_rect(stroke=QUIET, strokeWidth=1, strokeDash=[2, 2], color=UNKNOWN),
        sure.mark_rect(filled=False, stroke=INK, strokeWidth=2, width={"band": 0.94}, height={"band": 0.84}),
        known.transform_filter("!datum.sure").mark_text(fontSize=10, color=INK).encode(text="text:N"),
        sure.mark_text(fontSize=10, color=INK, fontWeight="bold").encode(text="text:N"),
        unknown.mark_text(fontSize=10, color=QUIET).encode(text="text:N"),
        _names(alt.Chart(alt.NamedData(_ROWS))).encode(text="label:N", x=alt.value(-6), y=y),
        alt.Chart(alt.NamedData(_COLUMNS))
        .mark_text(align="left", baseline="middle", angle=318, fontSize=10, color=INK, limit=100)
        .encode(text="label:N", x=x, y=alt.value(-7)),
    )
    chart: Row = alt.layer(*layers, width=widest * columns, height=TILE_HEIGHT * rows).to_dict(validate=False)
    return chart | {
        "autosize": "none",
        "padding": {"left": LABEL_WIDTH + 6, "right": NAME_REACH, "top": NAME_RISE, "bottom": 4},
    }


def _places(count: int) -> list[str]:
    """Name places in their order: names from outside are never keys of a scale."""
    return [f"{place:04}" for place in range(count)]


def _grid_rows(panel: Row) -> dict[str, list[Row]]:
    """Give what a heat map shows: its cells, and the names beside and above them."""
    rows, columns = _places(len(panel["rows"])), _places(len(panel["columns"]))
    return {
        _TILES: [
            {"row": place, "column": column, **tile}
            for place, row in zip(rows, panel["rows"], strict=True)
            for column, tile in zip(columns, row["tiles"], strict=True)
        ],
        _ROWS: [{"row": place, "label": row["label"]} for place, row in zip(rows, panel["rows"], strict=True)],
        _COLUMNS: [{"column": c, "label": label} for c, label in zip(columns, panel["columns"], strict=True)],
    }


def _points(panel: Row) -> Row:
    """Specify sizes against their cost: filled circles pass, crosses fail, hollow circles are undecided."""
    import altair as alt

    across = alt.Scale(type="log" if panel["log"] else "linear", domain=panel["sizes"], nice=False, zero=False)
    up = alt.Scale(domain=panel["domain"], nice=False, zero=False)
    x = alt.X("size:Q").scale(across).axis(title=panel["across"], format="~s", tickCount=6, grid=False)
    y = alt.Y("value:Q").scale(up).axis(title=panel["axis"], tickCount=6)
    every = alt.Chart(alt.NamedData(_ROWS))
    own = {verdict: every.transform_filter(alt.datum.verdict == verdict) for verdict in ("pass", "fail", "open")}
    ring: Row = {"filled": True, "opacity": 1, "stroke": ACCENT, "strokeWidth": 1.6, "size": 56, "shape": ROUND}
    before = alt.Chart(alt.NamedData(_BEFORE)).encode(x=alt.X("size:Q").scale(across))
    layers = (
        _level(_ZERO, dash=[1, 0], color=QUIET),
        _level(_LIMITS, dash=[5, 3], color=SECOND),
        before.mark_rule(strokeDash=[1, 3], color=QUIET, strokeWidth=1.4),
        before.mark_text(text="baseline", align="left", fontSize=10, color=QUIET).encode(y=alt.value(-6)),
        every.mark_rule(strokeWidth=1.2, color=ACCENT, opacity=0.7).encode(x=x, y=alt.Y("low:Q"), y2="high:Q"),
        own["pass"].mark_point(**ring, fill=ACCENT).encode(x=x, y=y),
        own["open"].mark_point(**ring, fill="white").encode(x=x, y=y),
        own["fail"].mark_point(filled=True, opacity=1, fill=SECOND, size=90, shape="cross", angle=45).encode(x=x, y=y),
        *(
            every.transform_filter(f"{sign}datum.above")
            .mark_text(align="left", dx=6, dy=rise, fontSize=10, color=INK, limit=110)
            .encode(text="label:N", x=x, y=y)
            for sign, rise in (("", -7), ("!", 9))
        ),
    )
    chart: Row = alt.layer(*layers, width=POINTS_WIDTH, height=POINTS_HEIGHT).to_dict(validate=False)
    return chart | {"autosize": "none", "padding": {"left": 60, "right": 116, "top": 20, "bottom": 40}}


def _level(data: str, *, dash: list[int], color: str) -> Chart:
    import altair as alt

    return alt.Chart(alt.NamedData(data)).mark_rule(strokeDash=dash, color=color, strokeWidth=1.2).encode(y="value:Q")


def _is_above(spots: Sequence[Row], spot: Row) -> bool:
    """Tell whether a name goes above its point: of two that are alike in size, the name of the higher one does."""
    others = [other for other in spots if other is not spot]
    nearest = min(others, key=lambda other: float(abs(other["size"] - spot["size"])), default=spot)
    return bool(spot["mark"]["value"] >= nearest["mark"]["value"])


def _spot_rows(panel: Row) -> dict[str, list[Row]]:
    """Give what is shown of sizes: the variants, no change, the limits, the baseline's size."""
    return {
        _ROWS: [
            {
                "above": _is_above(panel["spots"], spot),
                "size": spot["size"],
                "label": spot["mark"]["label"],
                "verdict": spot["verdict"],
                **_ends(spot["mark"]),
            }
            for spot in panel["spots"]
        ],
        _ZERO: [{"value": 0.0}],
        _LIMITS: [{"value": limit} for limit in panel["limits"]],
        _BEFORE: [] if panel["before"] is None else [{"size": panel["before"]}],
    }


def draw(panels: list[Row]) -> list[str]:
    """Draw each panel; nothing outside it is read."""
    import vl_convert

    return [vl_convert.vegalite_to_svg(specification(panel), allowed_base_urls=[]) for panel in panels]


if __name__ == "__main__":
    # The first pictures take a second longer: they are drawn while the panels are still being described.
    mark = {"label": "", "value": 0.0, "low": None, "high": None, "small": False}
    first = {"axis": "", "domain": [0.0, 1.0], "marks": [mark], "zero": 0.0, "limits": []}
    tile = {"text": "", "value": 0.0, "sure": True}
    grid = {"kind": "grid", "reach": 1.0, "columns": [""], "rows": [{"label": "", "tiles": [tile]}]}
    draw([first | {"kind": "dots"}, first | {"kind": "lines", "lines": [{"name": "", "marks": [mark]}]}, grid])
    json.dump(draw(json.load(sys.stdin)), sys.stdout)
