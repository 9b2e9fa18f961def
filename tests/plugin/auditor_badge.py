"""A badge for a README: the verdict of an audit as a small picture."""

from collections.abc import Mapping
from html import escape

from pydantic import Field

from auditor import Finished, Reporter

COLOURS = {"pass": "#1a7f37", "fail": "#cf222e"}


class Badge(Reporter):
    label: str = Field("compression audit", max_length=40)

    def report(self, finished: Finished) -> Mapping[str, bytes]:
        verdict, colour = finished.view.verdict, COLOURS.get(finished.view.tone, "#9a6700")
        left, right = (8 * len(text) + 16 for text in (self.label, verdict))
        text = 'y="14" fill="#fff" font-family="sans-serif" font-size="12" text-anchor="middle"'
        svg = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img">'
            f"<title>{escape(self.label)}: {verdict}</title>"
            f'<rect width="{left}" height="20" fill="#444"/>'
            f'<rect x="{left}" width="{right}" height="20" fill="{colour}"/>'
            f'<text x="{left / 2}" {text}>{escape(self.label)}</text>'
            f'<text x="{left + right / 2}" {text}>{verdict}</text></svg>'
        )
        return {"badge.svg": svg.encode()}
