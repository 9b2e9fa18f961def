"""A heat map with its numbers."""

from __future__ import annotations

from functools import cache

from .style import INK, LABEL_WIDTH, QUIET, ROWS, RULE, Row, names

LOWER, NEUTRAL, HIGHER, UNKNOWN = "#f0963c", "#ffffff", "#62a8de", "#eceff2"
"""Orange and blue are told apart without a sense of red and green; black letters are read on each."""
_WIDTH, _TILE_WIDTHS, _TILE_HEIGHT, _NAME_RISE, _NAME_REACH = 500, (42, 92), 19, 72, 80
_COLUMNS, _TILES = "columns", "tiles"


def drawn(panel: Row) -> Row:
    """Give a panel as Vega-Lite."""
    return _specified(len(panel["columns"]), len(panel["rows"]), panel["reach"]) | {"datasets": _rows(panel)}


@cache
def _specified(columns: int, rows: int, reach: float) -> Row:
    """Specify a heat map, symmetric about 0, with its numbers; what is sure has a frame and bold type.

    The colour deepens with the logarithm of 1 + points: one large change must not bleach all others. In black and
    white falls and rises are as dark: a rise has a triangle too.
    """
    import altair as alt

    widest = min(max(_WIDTH // max(columns, 1), _TILE_WIDTHS[0]), _TILE_WIDTHS[1])
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
    rise = known.transform_filter("datum.text[0] === '+'")
    corner: Row = {"xOffset": widest / 2 - 7, "yOffset": 4 - _TILE_HEIGHT / 2}
    layers = (
        known.mark_rect(stroke=RULE, strokeWidth=1).encode(color=fill),
        unknown.mark_rect(stroke=QUIET, strokeWidth=1, strokeDash=[2, 2], color=UNKNOWN),
        sure.mark_rect(filled=False, stroke=INK, strokeWidth=2, width={"band": 0.94}, height={"band": 0.84}),
        rise.mark_point(shape="triangle-up", size=20, filled=True, color=INK, opacity=1, aria=False, **corner),
        known.transform_filter("!datum.sure").mark_text(fontSize=10, color=INK).encode(text="text:N"),
        sure.mark_text(fontSize=10, color=INK, fontWeight="bold").encode(text="text:N"),
        unknown.mark_text(fontSize=10, color=QUIET).encode(text="text:N"),
        names(alt.Chart(alt.NamedData(ROWS))).encode(text="label:N", x=alt.value(-6), y=y),
        alt.Chart(alt.NamedData(_COLUMNS))
        .mark_text(align="left", baseline="middle", angle=318, fontSize=10, color=INK, limit=100)
        .encode(text="label:N", x=x, y=alt.value(-7)),
    )
    chart: Row = alt.layer(*layers, width=widest * columns, height=_TILE_HEIGHT * rows).to_dict(validate=False)
    return chart | {
        "autosize": "none",
        "padding": {"left": LABEL_WIDTH + 6, "right": _NAME_REACH, "top": _NAME_RISE, "bottom": 4},
    }


def _places(count: int) -> list[str]:
    """Name places in their order: names from outside are never keys of a scale."""
    return [f"{place:04}" for place in range(count)]


def _rows(panel: Row) -> dict[str, list[Row]]:
    """Give what is shown: the cells, and the names beside and above them."""
    rows, columns = _places(len(panel["rows"])), _places(len(panel["columns"]))
    return {
        _TILES: [
            {"row": place, "column": column, **tile}
            for place, row in zip(rows, panel["rows"], strict=True)
            for column, tile in zip(columns, row["tiles"], strict=True)
        ],
        ROWS: [{"row": place, "label": row["label"]} for place, row in zip(rows, panel["rows"], strict=True)],
        _COLUMNS: [{"column": c, "label": label} for c, label in zip(columns, panel["columns"], strict=True)],
    }
