"""The same tables and points as one would report them otherwise: pandas to HTML, Altair to SVG, WeasyPrint to PDF.

`python plain_report.py CONTENT.json FOLDER`; no verdicts to word, no alternative texts, no tags, and not the same bytes
each time.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import altair as alt  # noqa: TID253 - a program of its own
import pandas as pd
import weasyprint  # noqa: TID253


def picture(points: list[dict], axis: str, folder: Path) -> str:
    """Draw a figure with a facet a panel, and give it as an element."""
    base = alt.Chart(pd.DataFrame(points)).encode(y=alt.Y("label:N", sort=None).title(None), color="line:N")
    whiskers = base.mark_rule().encode(x=alt.X("low:Q").title(axis), x2="high:Q")
    chart = alt.layer(whiskers, base.mark_point(filled=True).encode(x="value:Q"))
    file = folder / "figure.svg"
    chart.properties(width=180).facet("panel:N", columns=2).save(file)
    return file.read_text(encoding="utf-8")


def main(content: str, out: str) -> None:
    """Write report.html and report.pdf into a folder."""
    told, folder = json.loads(Path(content).read_text(encoding="utf-8")), Path(out)
    parts = [f"<title>{told['title']}</title><style>body {{ font: 9pt sans-serif }} table {{ width: 100% }}</style>"]
    for table in told["tables"]:
        rows = pd.DataFrame(table["rows"], columns=table["columns"])
        parts += [f"<h3>{table['caption']}</h3>", rows.to_html(index=False, border=0)]
    parts += [f"<h3>{f['caption']}</h3>{picture(f['points'], f['axis'], folder)}" for f in told["figures"]]
    page = "\n".join(parts)
    (folder / "report.html").write_text(page, encoding="utf-8")
    weasyprint.HTML(string=page).write_pdf(folder / "report.pdf")


main(*sys.argv[1:])
