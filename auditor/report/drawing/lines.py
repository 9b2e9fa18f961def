"""Quantities over variants: on a true axis of how far the variants go, or side by side where there is none."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from .style import ACCENT, INK, LIMITS, QUIET, ROUND, ROWS, RULE, SECOND, SQUARE, Row, ends

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_WIDTH, _HEIGHT = 290, 190
_DOMAIN = (-0.06, 1.06)
_APART = 0.009
"""Half of what two quantities of one variant stand apart, of the axis: about five pixels in all."""
_LETTER = 6.8
"""Pixels that a figure of a number takes at most."""
_TICKS, _KEYS = "ticks", "keys"
_KEY_WIDTH, _LIMIT_WIDTH = 106, 58


def drawn(panel: Row) -> Row:
    """Give a panel as Vega-Lite: quantities are told apart by colour, shape and dash; what is undefined leaves a gap.

    `levels` places the marks, from 0 at the left to 1; None sets them side by side, and joins none.
    """
    across = None if panel["levels"] is None else panel["levels"]["name"]
    chart = specified(tuple(line["name"] for line in panel["lines"]), across)
    # the first layer has the vertical axis, with which all others share theirs
    scale = {"domain": panel["domain"], "nice": False, "zero": False}
    y = {"field": "value", "type": "quantitative", "scale": scale, "axis": {"title": panel["axis"], "tickCount": 6}}
    limits = chart["layer"][0] | {"encoding": {"y": y}}
    padding = chart["padding"] | {"right": _LIMIT_WIDTH if panel["limits"] else 8}
    return chart | {"layer": [limits, *chart["layer"][1:]], "padding": padding, "datasets": _rows(panel)}


@cache
def specified(lines: tuple[str, ...], across: str | None) -> Row:
    """Specify all but the vertical axis; `across` names the axis of levels, None for names of variants.

    It is put together once for all quantities, for Altair takes its time.
    """
    import altair as alt

    place = alt.X("place:Q").scale(domain=_DOMAIN, nice=False, zero=False)
    x = place.axis(title=across, labels=False, ticks=False, grid=False, titlePadding=20)
    y = alt.Y("value:Q")
    color = alt.Color("line:N").scale(domain=lines, range=[ACCENT, SECOND]).legend(None)
    dash = alt.StrokeDash("line:N").scale(domain=lines, range=[[1, 0], [5, 3]]).legend(None)
    shape = alt.Shape("line:N").scale(domain=lines, range=[ROUND, SQUARE]).legend(None)
    base = alt.Chart(alt.NamedData(ROWS)).encode(x=x, color=color)
    ticks = alt.Chart(alt.NamedData(_TICKS)).encode(x=place)
    limits = alt.Chart(alt.NamedData(LIMITS)).encode(y=y)
    turned = {"align": "center"} if across else {"align": "right", "angle": 325, "limit": 90}
    joined = base.mark_line(strokeWidth=1.6).encode(y=y, strokeDash=dash, detail="part:N")
    keys = alt.Chart(alt.NamedData(_KEYS)).encode(y=alt.value(-14), color=color)
    left, right, middle = (alt.X(f"{end}:Q").scale(None) for end in ("left", "right", "middle"))
    sample = keys.mark_rule(strokeWidth=1.6).encode(x=left, x2="right:Q", strokeDash=dash)
    layers = (
        limits.mark_rule(strokeDash=[1, 2], color=INK, strokeWidth=1),
        limits.mark_text(align="left", dx=4, fontSize=9, color=QUIET).encode(text="label:N", x=alt.value(_WIDTH)),
        base.mark_rule(strokeWidth=1.2, opacity=0.7).encode(y=alt.Y("low:Q"), y2="high:Q"),
        *((joined, sample) if across else ()),
        base.mark_point(size=48, filled=True, opacity=1).encode(y=y, shape=shape),
        keys.mark_point(size=48, filled=True, opacity=1, aria=False).encode(x=middle, shape=shape),
        keys.mark_text(align="left", dx=6, fontSize=10).encode(x=right, text="line:N", color=alt.value(INK)),
        ticks.mark_rule(color=RULE).encode(y=alt.value(_HEIGHT), y2=alt.value(_HEIGHT + 5)),
        ticks.mark_text(baseline="top", fontSize=10, color=INK, **turned).encode(
            text="label:N", y=alt.value(_HEIGHT + 8)
        ),
    )
    chart: Row = alt.layer(*layers, width=_WIDTH, height=_HEIGHT).to_dict(validate=False)
    padding = {"left": 42, "top": 28, "bottom": 42 if across else 68}
    return chart | {"autosize": "none", "padding": padding}


def _rows(panel: Row) -> dict[str, list[Row]]:
    """Give what is shown: the marks, what stands below them, the limits, what the lines are called."""
    lines, levels = panel["lines"], panel["levels"]
    count = len(lines[0]["marks"])
    if levels is None:
        places = [(number + 0.5) / count for number in range(count)]
        ticks = list(zip(places, (mark["label"] for mark in lines[0]["marks"]), strict=True))
    else:
        places, ticks = levels["places"], list(_ticks(levels["places"], levels["labels"]))
    # the baseline is joined to what follows only where it has a place on the axis
    apart = 0 if levels is None or levels["joined"] else 1
    return {
        ROWS: [
            {
                "place": place + _APART * (2 * number - len(lines) + 1),
                "line": line["name"],
                "part": int(position >= apart),
                **ends(mark),
            }
            for number, line in enumerate(lines)
            for position, (place, mark) in enumerate(zip(places, line["marks"], strict=True))
        ],
        _TICKS: [{"place": place, "label": label} for place, label in ticks],
        LIMITS: panel["limits"],
        _KEYS: [
            {"line": line["name"], "left": left, "middle": left + 11, "right": left + 22}
            for left, line in ((_KEY_WIDTH * number, line) for number, line in enumerate(lines))
        ],
    }


def _ticks(places: Sequence[float], labels: Sequence[str]) -> Iterator[tuple[float, str]]:
    """Name levels, the furthest first, but for those whose name would touch one that stands."""
    scale = _WIDTH / (_DOMAIN[1] - _DOMAIN[0])
    free = float("inf")
    for place, label in sorted(zip(places, labels, strict=True), reverse=True):
        middle, half = place * scale, len(label) * _LETTER / 2
        is_free = middle + half <= free
        free = middle - half if is_free else free
        yield place, label if is_free else ""
