from __future__ import annotations

import json
import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from random import Random
from xml.etree import ElementTree as ET

import pytest

from auditor.report import draw, drawing, figures
from auditor.report.drawing import labels, lines
from auditor.report.view.blocks import Figure, Levels, Limit, Line, Lines, Mark, Points, Spot

ADULT = {"pruned-0.995": (4591, -13.7), "pruned-0.98": (5282, -10.1), "pruned-0.9": (8368, -1.3), "int8": (10602, -0.7)}
CELEBA = {  # gzipped bytes and points; what is near 270 kB is hard to tell apart
    "1": (44009, -12.5), "2": (54145, -10.4), "3": (106221, -29), "4": (106910, -34.6), "5": (109796, -2.1),
    "6": (200086, -10.4), "7": (210849, -20.2), "8": (217227, -1), "9": (218843, -11.5), "10": (219579, -17.7),
    "11": (253489, -5.3), "12": (253911, -6), "13": (264263, -3), "14": (264399, -34.9), "15": (277098, -1),
    "16": (277723, 0), "17": (278745, -0.2), "18": (525126, 0.2), "19": (658394, -8.3), "20": (980169, -7.3),
    "21": (1062966, -14.6),
}  # fmt: skip


def svg_of(panel) -> str:
    (svg,) = drawing.draw([figures.described(panel, Figure(caption="", axis="%", panels=(panel,)))])
    return svg


def points_of(spots) -> Points:
    made = tuple(
        Spot(size=size, mark=Mark(label=name, value=value, low=value - 4, high=value + 4), verdict="open")
        for name, (size, value) in spots.items()
    )
    return Points(title="", alt="", across="", spots=made, limits=(-2.0,), before=1.1 * max(s.size for s in made))


def many(count: int) -> dict[str, tuple[float, float]]:
    """Variants of nearly one size, and half of them of nearly one change."""
    random = Random(7)  # noqa: S311 - no secret
    return {
        f"{n}": (270e3 * random.uniform(0.99, 1.01), random.uniform(-1, 0) * (1 + 20 * (n % 2)))
        for n in range(1, count + 1)
    }


def boxes(svg: str, names) -> dict[str, labels.Box]:
    """Give where the texts of these names stand in a picture, each 6.4 pixels a letter, as figures are, and 10 high."""
    found = {}
    for mark in ET.fromstring(svg).iter():  # noqa: S314 - made here
        if mark.tag.endswith("}text") and mark.text in names and mark.get("text-anchor") == "middle":
            x, y = map(float, re.findall(r"-?[\d.]+", mark.get("transform", "")))
            half = 3.2 * len(mark.text)
            # Vega shifts the base line of a text that stands in the middle of its place by .3 of its size
            found[mark.text] = (x - half, y - 8, x + half, y + 2)
    return found


@pytest.mark.parametrize("spots", [ADULT, CELEBA, many(30)], ids=["Adult", "CelebA", "30 of one size"])
def test_no_name_of_a_point_lies_on_another(spots) -> None:
    found = boxes(svg_of(points_of(spots)), spots)
    assert found.keys() == spots.keys()
    met = [
        (one, other)
        for (one, a), (other, b) in combinations(found.items(), 2)
        if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
    ]
    assert not met


def test_no_name_lies_on_a_point_or_a_leader_or_outside_the_room() -> None:
    room = (0, 0, 200, 100)
    places = [(100.0 + n % 5, 50.0 + n // 5) for n in range(15)]
    placed = labels.placed(places, [f"{n}" for n in range(15)], [], room)
    for label in placed:
        assert labels._is_inside(label.box, room)
        assert not any(labels._meet(label.box, labels._around(x, y, 4)) for x, y in places)
        for point, other in zip(places, placed, strict=True):
            if other is not label:
                assert not any(labels._meet(label.box, part) for part in labels._along(point, other))


def test_a_name_stands_next_to_a_point_that_is_alone_and_is_led_to_one_that_is_not() -> None:
    alone, *crowd = labels.placed([(20, 20), *[(100, 50)] * 9], ["a", *"bcdefghij"], [], (0, 0, 200, 100))
    assert alone.leader is None
    assert [label.leader is None for label in crowd].count(True) >= 4
    assert [label.leader is None for label in crowd].count(False) >= 1


def test_a_name_avoids_a_line() -> None:
    free, _, _, _ = labels.placed([(50, 50)], ["name"], [], (0, 0, 100, 100))[0].box
    (label,) = labels.placed([(50, 50)], ["name"], [(free, 0, free + 60, 47)], (0, 0, 200, 100))
    assert label.box[1] >= 47


def test_without_room_a_name_is_written_all_the_same() -> None:
    (label,) = labels.placed([(5, 5)], ["name"], [], (0, 0, 10, 10))
    assert (label.leader, label.x > 5, label.y < 5) == (None, True, True)


def lines_of(*values: float | None, places=(0.0, 0.25, 1.0), joined=True, **keys) -> Lines:
    everybody = tuple(Mark(label=f"v{n}", value=v) for n, v in enumerate(values))
    worst = tuple(Mark(label=m.label, value=m.value and m.value - 1) for m in everybody)
    ticks = tuple(f"{place:g}" for place in places or ())
    axis = Levels(name="sparsity, and how", places=places, labels=ticks, joined=joined) if places else None
    both = (Line(name="everybody", marks=everybody), Line(name="worst group", marks=worst))
    return Lines(title="", alt="", lines=both, levels=axis, **keys)


def at(svg: str, role: str) -> list[float]:
    """Give how far right the marks of a role stand."""
    found = re.findall(rf'aria-roledescription="{role}"[^>]*transform="translate\(([\d.]+),', svg)
    return [float(x) for x in found]


def joined(svg: str) -> list[int]:
    """Count the points that each line joins, in all its pieces."""
    return sorted(d.count("L") for d in re.findall(r'aria-roledescription="line mark"[^>]* d="([^"]*)"', svg))


def test_levels_stand_where_they_are_on_the_axis_that_is_named() -> None:
    svg = svg_of(lines_of(90.0, 80.0, 70.0))
    first, second, third, *_ = at(svg, "point")
    assert (second - first) / (third - first) == pytest.approx(0.25, abs=0.001)
    assert ">sparsity, and how<" in svg
    assert all(f">{label}<" in svg for label in ("0", "0.25", "1", "everybody", "worst group"))
    assert joined(svg) == [2, 2]


def test_what_is_undefined_leaves_a_gap_in_the_line() -> None:
    svg = svg_of(lines_of(90.0, 85.0, None, 75.0, 70.0, places=(0.0, 0.2, 0.4, 0.6, 1.0)))
    assert len(at(svg, "point")) == 8
    assert joined(svg) == [2, 2]
    assert len(re.findall(r' d="M[^"M]*M', svg)) == 2


def test_a_baseline_without_a_level_is_not_joined() -> None:
    svg = svg_of(lines_of(90.0, 80.0, 70.0, joined=False))
    assert len(at(svg, "point")) == 6
    assert sum(joined(svg)) == 2


def test_variants_without_a_level_stand_side_by_side_and_are_not_joined() -> None:
    svg = svg_of(lines_of(90.0, 80.0, 70.0, places=None))
    first, second, third, *_ = at(svg, "point")
    assert second - first == pytest.approx(third - second, abs=0.01)
    assert not joined(svg)
    assert all(f">v{n}<" in svg for n in range(3))


def test_a_limit_says_for_whom_it_is() -> None:
    svg = svg_of(lines_of(90.0, 80.0, 70.0, limits=(Limit(value=60.0, label="groups"),)))
    assert svg.count(">groups<") == 1
    assert svg.count('stroke-dasharray="1,2"') == 1


def test_of_levels_that_lie_close_the_furthest_are_named() -> None:
    places = [0.0, 0.96, 0.98, 1.0]
    assert [label for _, label in lines._ticks(places, ["0", "a", "b", "0.995"])] == ["0.995", "", "", "0"]


def test_a_figure_of_lines_is_put_together_once_for_all_its_quantities() -> None:
    lines.specified.cache_clear()
    panels = tuple(lines_of(*values, quantity=str(values)) for values in ((9.0, 8.0, 7.0), (60.0, 50.0, 40.0)))
    shown = Figure(caption="", axis="%", panels=panels)
    drawn = {drawing.specification(figures.described(panel, shown)) for panel in panels}
    assert (len(drawn), lines.specified.cache_info().misses) == (2, 1)


def test_every_kind_is_drawn_before_it_is_wanted() -> None:
    assert {panel["kind"] for panel in drawing.FIRST} == drawing.KINDS.keys()
    assert all(svg.startswith("<svg") for svg in drawing.draw(list(drawing.FIRST)))


def test_the_program_imports_what_lies_beside_it_and_nothing_else(tmp_path) -> None:
    """Neither its own folder, which has an html.py, nor the one that it is started in become places of modules."""
    for name in ("altair", "html", "json", "drawing"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a stranger')")
    asked = json.dumps([drawing.FIRST[0]]).encode()
    program = [sys.executable, "-I", draw.__file__]
    made = subprocess.run(program, input=asked, cwd=tmp_path, capture_output=True, check=True)
    assert made.stderr == b""
    (svg,) = json.loads(made.stdout)
    assert svg == drawing.draw([drawing.FIRST[0]])[0]
    before = list(sys.path)
    try:
        assert draw.beside("drawing").KINDS.keys() == drawing.KINDS.keys()
        assert sys.path == before
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "drawing"]:
            del sys.modules[name]


def test_the_program_imports_nothing_of_the_package_around_it() -> None:
    """Its import takes longer than drawing."""
    folder = Path(drawing.__file__).parent
    assert len(list(folder.glob("*.py"))) > 5
    for file in (*folder.glob("*.py"), Path(draw.__file__)):
        assert not re.search(r"^\s*(from|import) auditor", file.read_text("utf-8"), re.MULTILINE)
