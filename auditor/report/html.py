"""report.html: one file that asks nothing of the network and runs no script."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

if TYPE_CHECKING:
    from auditor.report.figures import Pictures
    from auditor.report.view.blocks import Dots, Figure, Lines, View

_PACKAGE = Path(__file__).parents[1]
TEMPLATES = next(f for f in (_PACKAGE / "templates", _PACKAGE.parent / "templates") if f.is_dir())
"""Inside the package in a wheel, beside it in a checkout."""
_SIZE = re.compile(r'<svg[^>]* width="(\d+)" height="(\d+)"')


def html(view: View, drawn: Pictures) -> str:
    """Write the report, with its figures' panels as they are drawn, as HTML."""

    def picture(panel: Dots | Lines, figure: Figure) -> dict[str, str | int]:
        svg = drawn[panel, figure]
        size = _SIZE.match(svg)
        width, height = map(int, size.groups()) if size else (340, 300)
        encoded = base64.b64encode(svg.encode()).decode()
        return {"uri": f"data:image/svg+xml;base64,{encoded}", "width": width, "height": height}

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("report.html.j2").render(view=view, picture=picture)
