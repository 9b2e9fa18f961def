from __future__ import annotations

from dataclasses import replace

import pytest
from adult_result import CHANGES, POSITIVE, adult

from auditor.records import EVERYBODY
from auditor.report.view.blocks import Grid
from auditor.report.view.changes import change_section
from auditor.report.view.heat import Rows, heat_map
from auditor.report.view.numbers import index

FEMALE, WORST = (("sex", "Female"),), "pruned-0.995"
NATIVE = (("race", "Amer-Indian-Eskimo"),)
GROUPS = (EVERYBODY, FEMALE, NATIVE)


@pytest.fixture(scope="module")
def result():
    return adult()


def mapped(result, groups=GROUPS):
    return heat_map(index(result), Rows(metric="recall", label=POSITIVE, places=tuple((POSITIVE, g) for g in groups)))


def changed(result, group, **values):
    """Change what is said of one group's recall with the worst variant."""
    about = (WORST, "recall", POSITIVE, group, "change")
    return replace(
        result,
        estimates=tuple(
            replace(e, **values) if (e.variant, e.metric, e.label, e.group, e.compare) == about else e
            for e in result.estimates
        ),
    )


def tile(figure, group, variant=WORST):
    (panel,) = figure.panels
    return dict(panel.rows)[group][panel.columns.index(variant)]


def test_the_map_stands_first_and_shows_all_variants_and_everybody_on_top(result) -> None:
    figure = change_section(index(result)).blocks[0]
    (panel,) = figure.panels
    assert isinstance(panel, Grid)
    assert panel.columns == tuple(CHANGES)
    assert panel.rows[0][0] == "everybody"
    assert len(panel.rows) == 14
    assert "8 more groups, less harmed or undefined, stand in the tables." in figure.note
    worst = [min(tile.value for tile in tiles if tile.value is not None) for _, tiles in panel.rows[1:]]
    assert worst == sorted(worst)


@pytest.mark.parametrize(
    ("low", "high", "sure"),
    [(-0.12, -0.01, True), (0.01, 0.12, True), (-0.12, 0.0, False), (-0.1, 0.1, False), (None, -0.01, True)],
)
def test_a_change_is_sure_where_its_interval_excludes_0(result, low, high, sure) -> None:
    assert tile(mapped(changed(result, FEMALE, low=low, high=high)), "Female").sure is sure


def test_how_many_would_be_framed_by_chance_is_said(result) -> None:
    assert "Each end holds at 95% by itself: of unchanged numbers up to 10% would be framed." in mapped(result).note


def test_the_undefined_and_the_unmeasured_are_no_numbers(result) -> None:
    assert (tile(mapped(result), "Amer-Indian-Eskimo").text, tile(mapped(result), "Amer-Indian-Eskimo").value) == (
        "∅", None,
    )  # fmt: skip
    few = replace(result, estimates=tuple(e for e in result.estimates if (e.variant, e.group) != (WORST, FEMALE)))
    assert (tile(mapped(few), "Female").text, tile(mapped(few), "Female").value) == ("–", None)


def test_the_map_is_told_in_words(result) -> None:
    (panel,) = mapped(result).panels
    assert panel.alt.startswith("Change of recall of “>50K”, 3 rows by 5 variants: from −10.7 points, Female (sex)")
    assert panel.alt.endswith("of 10 intervals exclude 0.")
    (empty,) = mapped(result, (EVERYBODY, NATIVE)).panels
    assert "everybody" in empty.alt


def test_many_variants_have_panels_of_even_width(result) -> None:
    names = [f"variant {n}" for n in range(25)]
    model = result.variants[1]
    many = replace(result, variants=(result.variants[0], *(replace(model, name=name) for name in names)))
    panels = mapped(many).panels
    assert [len(panel.columns) for panel in panels] == [9, 9, 7]
    assert panels[1].title == "variant 9 to variant 17"
    assert sum((panel.columns for panel in panels), ()) == tuple(names)
