"""Panels, as `figures` describes them, as Vega-Lite and as SVG: one module a kind.

Nothing here imports anything of the package around it, whose import takes longer than drawing; what is read are the
panels alone. Pictures are readable in black and white, without a script, the same bytes for the same panel.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from . import dots, grid, lines, pairs, points, ratios, shifts
from .style import CONFIG

if TYPE_CHECKING:
    from collections.abc import Callable

    from .style import Row

KINDS: dict[str, Callable[[Row], Row]] = {
    "dots": dots.drawn,
    "grid": grid.drawn,
    "lines": lines.drawn,
    "points": points.drawn,
    "pairs": pairs.drawn,
    "ratios": ratios.drawn,
    "shifts": shifts.few,
    "ranked": shifts.ranked,
}
"""What makes a panel of a kind into Vega-Lite."""
_MARK = {"label": "", "value": 0.0, "low": None, "high": None, "small": False}
_AXES = {"axis": "", "domain": [0.0, 1.0], "limits": []}
FIRST: tuple[Row, ...] = (
    {"kind": "dots", "zero": 0.0, "marks": [_MARK], **_AXES},
    {
        "kind": "grid",
        "reach": 1.0,
        "columns": [""],
        "rows": [{"label": "", "tiles": [{"text": "", "value": 0.0, "sure": True}]}],
    },
    {"kind": "lines", "lines": [{"name": "", "marks": [_MARK]}], "levels": None, **_AXES},
    {
        "kind": "points",
        "log": True,
        "sizes": [1.0, 2.0],
        "across": "",
        "before": None,
        "spots": [{"size": 1.0, "mark": _MARK, "verdict": "open"}],
        **_AXES,
    },
    {
        "kind": "pairs",
        "names": ["of one", "of the other"],
        "whole": "",
        "rows": [{"label": "", "first": 0.0, "second": 1.0, "whole": None, "missing": ""}],
        **_AXES,
    },
    {"kind": "ratios", "marks": [_MARK | {"value": 1.0}], **_AXES, "domain": [0.5, 2.0]},
    {"kind": "shifts", "marks": [{"label": "", "value": 0.0, "found": False}], **_AXES},
    {"kind": "ranked", "values": [[0.0, True]], "lowest": [], "highest": [], **_AXES},
)
"""A small panel of every kind: the first pictures take a second longer, and can be drawn before they are wanted."""


def specification(panel: Row) -> str:
    """Give a panel as a Vega-Lite specification in JSON."""
    return json.dumps(KINDS[panel["kind"]](panel) | {"config": CONFIG}, sort_keys=True)


def draw(panels: list[Row]) -> list[str]:
    """Draw each panel, as SVG; nothing outside it is read."""
    import vl_convert

    return [vl_convert.vegalite_to_svg(specification(panel), allowed_base_urls=[]) for panel in panels]
