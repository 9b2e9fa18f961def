"""One row a group: a dot with its interval."""

from __future__ import annotations

from functools import cache

from .style import (
    ACCENT,
    LABEL_WIDTH,
    LIMITS,
    PLOT_WIDTH,
    QUIET,
    ROUND,
    ROW_HEIGHT,
    ROWS,
    SECOND,
    ZERO,
    Row,
    ends,
    names,
    rule,
)


def drawn(panel: Row) -> Row:
    """Give a panel as Vega-Lite."""
    return specified(tuple(panel["domain"]), panel["axis"], len(panel["marks"])) | {"datasets": _rows(panel)}


@cache
def specified(domain: tuple[float, float], axis: str, count: int) -> Row:
    """Specify dots that are hollow where the group is small, and a word where a number is undefined.

    The data are apart: what is the same for all panels of a figure is put together once, for Altair takes its time.
    """
    import altair as alt

    y = alt.Y("row:O").axis(None)
    scale = alt.Scale(domain=domain, nice=False, zero=False)
    x = alt.X("value:Q").scale(scale).axis(title=axis, tickCount=5, grid=False)
    every = alt.Chart(alt.NamedData(ROWS))
    known, unknown = (every.transform_filter(f"datum.value {test} null") for test in ("!==", "==="))
    fill = alt.when(alt.datum.small).then(alt.value("white")).otherwise(alt.value(ACCENT))
    layers = (
        rule(ZERO, "x", dash=[1, 0], color=QUIET),
        rule(LIMITS, "x", dash=[5, 3], color=SECOND),
        names(every).encode(text="label:N", x=alt.value(-6), y=y),
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


def _rows(panel: Row) -> dict[str, list[Row]]:
    """Give what is shown: the rows of groups, the line of no change, the limits."""
    named = [(f"{place:04}", mark) for place, mark in enumerate(panel["marks"])]
    return {
        ROWS: [{"row": row, "label": mark["label"], **ends(mark), "small": mark["small"]} for row, mark in named],
        ZERO: [] if panel["zero"] is None else [{"value": panel["zero"]}],
        LIMITS: [{"value": limit} for limit in panel["limits"]],
    }
