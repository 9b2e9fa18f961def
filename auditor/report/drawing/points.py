"""Sizes against what they cost."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

from .labels import LIMIT, placed
from .style import ACCENT, INK, LIMITS, QUIET, ROUND, ROWS, SECOND, ZERO, Row, ends, rule

if TYPE_CHECKING:
    from .labels import Box

_WIDTH, _HEIGHT, _TALL = 460, 165, 230
_FEW = 8
"""So many points are legible on the lower plot."""
_RIGHT = LIMIT + 6
"""Room right of the plot, for names too."""
_BEFORE = "before"


def drawn(panel: Row) -> Row:
    """Give a panel as Vega-Lite: filled circles pass, crosses fail, hollow circles are undecided."""
    import altair as alt

    across = alt.Scale(type="log" if panel["log"] else "linear", domain=panel["sizes"], nice=False, zero=False)
    up = alt.Scale(domain=panel["domain"], nice=False, zero=False)
    x = alt.X("size:Q").scale(across).axis(title=panel["across"], format="~s", tickCount=6, grid=False)
    y = alt.Y("value:Q").scale(up).axis(title=panel["axis"], tickCount=6)
    every = alt.Chart(alt.NamedData(ROWS))
    own = {verdict: every.transform_filter(alt.datum.verdict == verdict) for verdict in ("pass", "fail", "open")}
    ring: Row = {"filled": True, "opacity": 1, "stroke": ACCENT, "strokeWidth": 1.6, "size": 56, "shape": ROUND}
    before = alt.Chart(alt.NamedData(_BEFORE)).encode(x=alt.X("size:Q").scale(across))
    left, top = alt.X("left:Q").scale(None), alt.Y("top:Q").scale(None)
    layers = (
        rule(ZERO, "y", dash=[1, 0], color=QUIET),
        rule(LIMITS, "y", dash=[5, 3], color=SECOND),
        before.mark_rule(strokeDash=[1, 3], color=QUIET, strokeWidth=1.4),
        before.mark_text(text="baseline", align="left", fontSize=10, color=QUIET).encode(y=alt.value(-6)),
        every.mark_rule(strokeWidth=1.2, color=ACCENT, opacity=0.7).encode(x=x, y=alt.Y("low:Q"), y2="high:Q"),
        every.transform_filter("datum.led")
        .mark_rule(strokeWidth=0.8, color=QUIET)
        .encode(x=alt.X("from_x:Q").scale(None), x2="to_x:Q", y=alt.Y("from_y:Q").scale(None), y2="to_y:Q"),
        own["pass"].mark_point(**ring, fill=ACCENT).encode(x=x, y=y),
        own["open"].mark_point(**ring, fill="white").encode(x=x, y=y),
        own["fail"].mark_point(filled=True, opacity=1, fill=SECOND, size=90, shape="cross", angle=45).encode(x=x, y=y),
        every.mark_text(baseline="middle", fontSize=10, color=INK, limit=LIMIT).encode(text="label:N", x=left, y=top),
    )
    chart: Row = alt.layer(*layers, width=_WIDTH, height=_height(panel)).to_dict(validate=False)
    padding = {"left": 60, "right": _RIGHT, "top": 20, "bottom": 40}
    return chart | {"autosize": "none", "padding": padding, "datasets": _rows(panel)}


def _height(panel: Row) -> int:
    return _HEIGHT if len(panel["spots"]) <= _FEW else _TALL


def _rows(panel: Row) -> dict[str, list[Row]]:
    """Give what is shown: the variants, no change, the limits, the baseline's size."""
    marks = [ends(spot["mark"]) for spot in panel["spots"]]
    at = [(_x(panel, spot["size"]), _y(panel, mark["value"])) for spot, mark in zip(panel["spots"], marks, strict=True)]
    bars = [(x - 1, _y(panel, m["high"]), x + 1, _y(panel, m["low"])) for (x, _), m in zip(at, marks, strict=True)]
    levels = [_y(panel, value) for value in (0.0, *panel["limits"])]
    across: list[Box] = [(0, y - 1, _WIDTH, y + 1) for y in levels]
    texts = [spot["mark"]["label"] for spot in panel["spots"]]
    room = (0, 0, _WIDTH + _RIGHT, _height(panel))
    named = placed(at, texts, [*bars, *across], room)
    rows = [
        {
            "size": spot["size"],
            "label": spot["mark"]["label"],
            "verdict": spot["verdict"],
            **mark,
            "left": label.x,
            "top": label.y,
            "led": label.leader is not None,
            **_leader(point, label.leader or point),
        }
        for spot, mark, point, label in zip(panel["spots"], marks, at, named, strict=True)
    ]
    return {
        ROWS: rows,
        ZERO: [{"value": 0.0}],
        LIMITS: [{"value": limit} for limit in panel["limits"]],
        _BEFORE: [] if panel["before"] is None else [{"size": panel["before"]}],
    }


def _leader(point: tuple[float, float], to: tuple[float, float]) -> dict[str, float]:
    return {"from_x": point[0], "from_y": point[1], "to_x": to[0], "to_y": to[1]}


def _x(panel: Row, size: float) -> float:
    """Place a size where the scale does, in pixels from the left."""
    low, high = panel["sizes"]
    return float(_WIDTH * (log(size / low) / log(high / low) if panel["log"] else (size - low) / (high - low)))


def _y(panel: Row, value: float) -> float:
    """Place a value where the scale does, in pixels from the top."""
    low, high = panel["domain"]
    return float(_height(panel) * (high - value) / (high - low))
