"""Panels of a figure as SVG: readable in black and white, without a script, the same bytes for the same panel."""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import cache
from typing import TYPE_CHECKING, Any

from auditor.errors import OutputError
from auditor.report import draw
from auditor.report.programs import started
from auditor.report.view.blocks import Dots, Figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.report.view.blocks import Lines, Mark

    Pictures = dict[tuple[Dots | Lines, Figure], str]
    """A panel of a figure, as SVG."""
    Chart = Any
    """Altair's classes share no type that is useful here."""

FONT = "DejaVu Sans, Verdana, sans-serif"
INK, QUIET, RULE, ACCENT, SECOND = "#1d2733", "#5b6673", "#d5dae0", "#0b5394", "#b45309"
PLOT_WIDTH, LABEL_WIDTH, ROW_HEIGHT, LINES_HEIGHT = 180, 150, 17, 190
SURELY_SHORT = 15
"""Characters that fit into `LABEL_WIDTH`, whichever they are."""
RENDERERS = 2
"""Processes that draw at one time."""
TIME_LIMIT = 120
"""Seconds for all pictures of a report; a hundred take about ten."""
ROUND, SQUARE = "circle", "square"
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
_ROWS, _ZERO, _LIMITS = "rows", "zero", "limits"
"""Names of data within a specification: layers share them, so that copying a layer does not copy them."""


def pictures(figures: Sequence[Figure]) -> Pictures:
    """Draw every panel of every figure, as SVG.

    Raises:
        OutputError: the renderer failed, or took longer than the time limit.
    """
    panels = [(panel, figure) for figure in figures for panel in figure.panels]
    share = -(-len(panels) // RENDERERS) or 1
    parts = [panels[start : start + share] for start in range(0, len(panels), share)]
    with ExitStack() as held, ThreadPoolExecutor(RENDERERS) as waiting:
        renderers = [held.enter_context(started(draw.__file__)) for _ in parts]
        # the first part is drawn while the next is still being specified
        drawn = [
            waiting.submit(_render, renderer, [specification(*one) for one in part])
            for renderer, part in zip(renderers, parts, strict=True)
        ]
        return dict(zip(panels, (svg for part in drawn for svg in part.result()), strict=True))


def _render(renderer: subprocess.Popen[bytes], specifications: list[str]) -> list[str]:
    try:
        made, said = renderer.communicate(json.dumps(specifications).encode(), timeout=TIME_LIMIT)
        svgs: list[str] = json.loads(made)
    except subprocess.TimeoutExpired:
        raise OutputError(f"the figures were not drawn within {TIME_LIMIT} seconds") from None
    except ValueError as error:
        lines = said.decode(errors="replace").strip().splitlines()
        raise OutputError(f"the figures could not be drawn: {lines[-1] if lines else error}") from None
    return svgs


def specification(panel: Dots | Lines, figure: Figure) -> str:
    """Give a panel as a Vega-Lite specification in JSON."""
    if isinstance(panel, Dots):
        drawn = _dots(_common_span(figure), figure.axis, len(panel.marks)) | {"datasets": _dot_rows(panel)}
    else:
        chart, rows = _lines(panel, figure.axis)
        drawn = chart.to_dict(validate=False) | {"datasets": {_ROWS: rows}}
    return json.dumps(drawn | {"config": CONFIG}, sort_keys=True)


def _common_span(figure: Figure) -> tuple[float, float]:
    """Give one axis to all panels of a figure, so that they can be compared."""
    panels = [panel for panel in figure.panels if isinstance(panel, Dots)]
    fixed = [at for p in panels for at in (*p.limits, *([] if p.zero is None else [p.zero]))]
    return _span([m for panel in panels for m in panel.marks], fixed)


def _span(marks: Sequence[Mark], others: Sequence[float]) -> tuple[float, float]:
    """Give an axis that holds everything that is drawn, with a little room."""
    ends = [x for m in marks for x in (m.value, m.low, m.high) if x is not None] + list(others)
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    room = max((high - low) * 0.04, 0.2)
    return low - room, high + room


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


def _dot_rows(panel: Dots) -> dict[str, list[Row]]:
    """Give what a panel of dots shows: the rows of groups, the line of no change, the limits."""
    named = [(f"{place:04}", mark) for place, mark in enumerate(panel.marks)]
    return {
        _ROWS: [{"row": row, "label": mark.label, **_ends(mark), "small": mark.small} for row, mark in named],
        _ZERO: [] if panel.zero is None else [{"value": panel.zero}],
        _LIMITS: [{"value": limit} for limit in panel.limits],
    }


def _ends(mark: Mark) -> dict[str, float | None]:
    """Give an interval's ends; without an interval a line of no length."""
    whole = mark.low is not None and mark.high is not None
    low, high = (mark.low, mark.high) if whole else (mark.value, mark.value)
    return {"value": mark.value, "low": low, "high": high}


def _rule(data: str, *, dash: list[int], color: str) -> Chart:
    import altair as alt

    return alt.Chart(alt.NamedData(data)).mark_rule(strokeDash=dash, color=color, strokeWidth=1.2).encode(x="value:Q")


def _labels(marks: Sequence[Mark]) -> str:
    """Give the expression that names a variant by its place.

    The space in front is cut off again: Vega refuses a text that is also the name of something that every object has,
    such as "constructor", which may be somebody's name for a variant.
    """
    names = json.dumps({f"{place:04}": f" {mark.label}" for place, mark in enumerate(marks)})
    return f"slice(({names})[datum.value], 1)"


def _lines(panel: Lines, axis: str) -> tuple[Chart, list[Row]]:
    """Draw quantities over the variants, told apart by colour, shape and dash; what is undefined leaves a gap."""
    import altair as alt

    names = [line.name for line in panel.lines]
    rows = [
        {"place": f"{place:04}", "line": line.name, **_ends(m)}
        for line in panel.lines
        for place, m in enumerate(line.marks)
    ]
    labels = _labels(panel.lines[0].marks)
    domain = _span([m for line in panel.lines for m in line.marks], [])
    places = sorted({str(row["place"]) for row in rows})
    x = (
        alt.X("place:O")
        .scale(domain=places, padding=0.4)
        .axis(title=None, labelExpr=labels, labelAngle=-35, labelLimit=90, grid=False)
    )
    y = alt.Y("value:Q").scale(domain=domain, nice=False, zero=False).axis(title=axis, tickCount=6)
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
