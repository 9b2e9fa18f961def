"""A program of its own: charts in, pictures out, so that a stuck renderer can be ended without harm.

Reads a JSON list of Vega-Lite specifications from standard input and writes a JSON list of SVG texts.
"""

from __future__ import annotations

import json
import sys


def draw(specifications: list[str]) -> list[str]:
    """Draw each specification; nothing outside it is read."""
    import vl_convert

    return [vl_convert.vegalite_to_svg(one, allowed_base_urls=[]) for one in specifications]


if __name__ == "__main__":
    # The first picture takes half a second longer: it is drawn while the charts are still being specified.
    draw(['{"mark": "point", "data": {"values": []}}'])
    json.dump(draw(json.load(sys.stdin)), sys.stdout)
