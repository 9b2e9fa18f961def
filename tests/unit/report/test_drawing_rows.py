"""Pictures of exemplars and class tests, as they are drawn."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from hostile_names import HOSTILE

from auditor.report import drawing, figures
from auditor.report.drawing.style import ACCENT, SECOND
from auditor.report.view.blocks import Figure, Mark
from auditor.report.view.panels import Pair, Pairs, Ranked, Ratios, Shift, Shifts
from auditor.text import clean


def svg_of(*panels):
    figure = Figure(caption="", axis="%", panels=panels)
    return drawing.draw([figures.described(panel, figure) for panel in panels])


def texts_of(svg):
    return [element.text or "" for element in ET.fromstring(svg).iter() if element.tag.endswith("}text")]  # noqa: S314


def points_of(svg):
    return re.findall(r'aria-roledescription="point"[^>]*>', svg)


def rules_of(svg):
    """How wide each line among the marks is."""
    return [float(x) for x in re.findall(r'aria-roledescription="rule mark"[^>]* x2="(-?[\d.]+)"', svg)]


def marked_of(svg):
    """The triangles of a curve, which have no words of their own."""
    return re.findall(rf'<path transform[^>]*fill="(?:{SECOND}|{ACCENT})"', svg)


def pairs_of(*rows, **keys):
    return Pairs(title="", alt="", names=("by chance", "observed"), rows=rows, whole="whole", **keys)


def test_a_pair_is_a_square_and_a_circle_joined_and_a_third_number_a_stroke() -> None:
    (svg,) = svg_of(pairs_of(Pair(label="pruned", first=1.0, second=3.0, whole=2.0)))
    assert len(points_of(svg)) == 3
    assert {"pruned", "by chance", "observed", "whole"} <= set(texts_of(svg))
    (length,) = rules_of(svg)
    assert length > 0


def test_an_undefined_pair_is_a_word_and_no_mark_at_0() -> None:
    missing = Pair(label="pruned", first=None, second=None, whole=2.0, missing="chance undefined")
    (svg,) = svg_of(pairs_of(missing))
    assert len(points_of(svg)) == 1
    texts = texts_of(svg)
    assert "chance undefined" in texts
    # the legend names what is drawn
    assert "by chance" not in texts
    assert "whole" in texts


def test_shares_begin_at_0_and_accuracies_where_they_are() -> None:
    rows = (Pair(label="a", first=40.0, second=60.0),)
    from_zero, free = (svg_of(pairs_of(*rows, from_zero=begin))[0] for begin in (True, False))
    assert "0" in texts_of(from_zero)
    assert "0" not in texts_of(free)


def ratios_of(*marks):
    return Ratios(title="", alt="", marks=tuple(Mark(label=f"group {n}", **mark) for n, mark in enumerate(marks)))


def test_a_ratio_of_0_is_a_triangle_at_the_edge_and_not_left_out() -> None:
    (svg,) = svg_of(ratios_of({"value": 0.0, "low": 0.0, "high": 0.5}, {"value": 2.0, "low": 1.0, "high": 4.0}))
    zero, two = (re.search(r'd="([^"]*)"', point).group(1) for point in points_of(svg))
    assert zero.count("A") == 0
    assert two.count("A") > 0
    assert "undefined" not in texts_of(svg)


def test_as_much_more_and_as_much_less_lie_as_far_from_1() -> None:
    (svg,) = svg_of(ratios_of({"value": 0.5}, {"value": 1.0}, {"value": 2.0}))
    half, one, two = (float(re.search(r"translate\(([\d.]+)", point).group(1)) for point in points_of(svg))
    assert two - one == pytest.approx(one - half, abs=0.1)


def test_an_interval_that_was_not_computed_is_not_drawn() -> None:
    (svg,) = svg_of(ratios_of({"value": 1.5}, {"value": 1.5, "low": 1.2, "high": 2.0}, {"value": None}))
    at_1, interval = rules_of(svg)
    assert at_1 == 0
    assert interval > 0
    assert texts_of(svg).count("undefined") == 1


def test_panels_of_ratios_share_their_axis() -> None:
    few, many = ratios_of({"value": 1.5}), ratios_of({"value": 20.0})
    (with_many, _), (alone,) = svg_of(few, many), svg_of(few)
    assert with_many != alone
    assert "16" in texts_of(with_many)


@pytest.mark.parametrize(("small", "fill"), [(True, "white"), (False, ACCENT)])
def test_a_small_group_is_hollow(small, fill) -> None:
    (svg,) = svg_of(ratios_of({"value": 1.5, "small": small}))
    assert f'fill="{fill}"' in points_of(svg)[0]


def test_losses_and_gains_are_told_apart_by_shape_and_what_is_not_discovered_is_hollow() -> None:
    marks = ((-2.0, True), (-1.0, False), (1.0, True), (None, False))
    panel = Shifts(
        title="", alt="", marks=tuple(Shift(label=f"n{n}", value=v, found=f) for n, (v, f) in enumerate(marks))
    )
    (svg,) = svg_of(panel)
    loss, open_, gain = points_of(svg)
    paths = {re.search(r'd="([^"]*)"', point).group(1) for point in (loss, open_, gain)}
    assert len(paths) == 3
    assert f'fill="{SECOND}"' in loss
    assert 'fill="white"' in open_
    assert f'fill="{ACCENT}"' in gain
    assert texts_of(svg).count("undefined") == 1


def ranked_of(count, found=lambda _: True):
    values = tuple((place - count / 2, found(place)) for place in range(count))
    return Ranked(title="", alt="", values=values, lowest=("lowest:", "n1"), highest=("highest:", "n2"))


def test_a_curve_of_classes_marks_the_discovered_ones_and_names_the_extremes() -> None:
    (svg,) = svg_of(ranked_of(40, lambda place: place < 3))
    assert len(marked_of(svg)) == 3
    assert {"lowest:", "n1", "highest:", "n2", "40 classes, lowest first"} <= set(texts_of(svg))


def test_a_thousand_discovered_classes_stay_small() -> None:
    (svg,) = svg_of(ranked_of(1000))
    assert len(marked_of(svg)) == 1000
    assert len(svg) < 250_000


@pytest.mark.parametrize("name", [*HOSTILE[:6], "constructor", "__proto__", "toString"])
def test_any_name_is_text(name) -> None:
    label = clean(name)
    panels = (
        pairs_of(Pair(label=label, first=1.0, second=2.0)),
        Ratios(title="", alt="", marks=(Mark(label=label, value=1.0),)),
        Shifts(title="", alt="", marks=(Shift(label=label, value=1.0, found=True),)),
        Ranked(title="", alt="", values=((1.0, True), (2.0, True)), lowest=(label,), highest=()),
    )
    for svg in svg_of(*panels):
        assert sum(label[:10] in text for text in texts_of(svg)) == 1
