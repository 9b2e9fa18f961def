"""report.html: one file that asks nothing of the network, and runs nothing but the script that sorts its tables."""

from __future__ import annotations

import base64
import re
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

if TYPE_CHECKING:
    from auditor.report.figures import Pictures
    from auditor.report.view.blocks import Figure, Panel, View

_PACKAGE = Path(__file__).parents[1]
TEMPLATES = next(f for f in (_PACKAGE / "templates", _PACKAGE.parent / "templates") if f.is_dir())
"""Inside the package in a wheel, beside it in a checkout."""
_SIZE = re.compile(r'<svg[^>]* width="(\d+)" height="(\d+)"')
_LEFTWARD = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff"
"""Blocks of the scripts that are written from right to left."""
_LEFTWARD_WORDS = re.compile(rf"[{_LEFTWARD}](?:[{_LEFTWARD}\s\-\u200c\u200d]*[{_LEFTWARD}])?")


def html(view: View, drawn: Pictures, *, paper: bool = False) -> str:
    """Write the report, with its figures' panels as they are drawn, as HTML.

    On `paper` it has no script, and only those rows that are set on paper.
    """

    def picture(panel: Panel, figure: Figure) -> dict[str, str | int]:
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
    environment.filters["isolated"] = isolated
    script = environment.get_template("report.js").render()
    return environment.get_template("report.html.j2").render(
        view=view, picture=picture, paper=paper, script_hash=_source_hash(script)
    )


def isolated(text: str) -> Markup:
    """Escape a text, and keep its right-to-left words from turning the numbers beside them."""
    return Markup(_LEFTWARD_WORDS.sub(r"<bdi>\g<0></bdi>", str(escape(text))))  # noqa: S704 - escaped in this very line


def _source_hash(script: str) -> str:
    """Name a script as a Content Security Policy does, which then lets no other run."""
    return f"sha256-{base64.b64encode(sha256(script.encode()).digest()).decode()}"
