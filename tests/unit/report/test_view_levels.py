from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import log

import pytest
from adult_result import POSITIVE, adult, gate, with_gates

from auditor.fixed_sequence import STRENGTHS
from auditor.records import EVERYBODY
from auditor.report import figures
from auditor.report.view import levels as axes
from auditor.report.view.blocks import Figure, Lines
from auditor.report.view.levels import levels
from auditor.report.view.numbers import index
from auditor.report.view.rates import overall_section


def family(key: str, *values: float):
    """Variants of one recipe that differ in this key."""
    model = adult().variants[1]
    return [replace(model, name=f"v{value}", asked_for={"method": "m", key: value}) for value in values]


def main_figure(result) -> Figure:
    return next(block for block in overall_section(index(result)).blocks if isinstance(block, Figure))


def panels_of(result) -> tuple[Lines, ...]:
    return main_figure(result).panels


def named(panel: Lines) -> list[str]:
    return [mark.label for mark in panel.lines[0].marks]


def test_whatever_orders_variants_has_an_axis() -> None:
    assert axes._AXES.keys() == STRENGTHS.keys()


def test_levels_that_can_be_read_apart_stand_on_a_linear_axis_from_the_baseline_at_0() -> None:
    made = levels(family("sparsity", 0.5, 0.8))
    assert made.name == "sparsity"
    assert made.labels == ("0", "0.5", "0.8")
    assert made.places == pytest.approx((0, 0.625, 1))
    assert made.joined


def test_levels_that_would_lie_on_each_other_stand_on_a_logarithmic_axis_of_what_remains_that_says_so() -> None:
    made = levels(family("sparsity", 0.5, 0.9, 0.98, 0.995))
    assert made.name == "sparsity, on a logarithmic scale of what remains"
    assert made.labels == ("0", "0.5", "0.9", "0.98", "0.995")
    assert made.places == pytest.approx([log(1 / (1 - s)) / log(200) for s in (0, 0.5, 0.9, 0.98, 0.995)])


@pytest.mark.parametrize("values", [(0.98, 0.99, 1.0), (0.01, 0.02, 0.9)])
def test_an_axis_is_logarithmic_only_where_something_remains_and_it_helps(values) -> None:
    made = levels(family("sparsity", *values))
    assert made.name == "sparsity"
    assert made.places == pytest.approx([value / values[-1] for value in (0, *values)])


def test_the_baseline_keeps_all_of_the_rank() -> None:
    made = levels(family("ratio", 0.5, 0.25))
    assert made.labels == ("1", "0.5", "0.25")
    assert made.places == pytest.approx((0, 2 / 3, 1))


def test_a_baseline_without_a_level_stands_beside_the_axis_and_no_line_leads_from_it() -> None:
    made = levels(family("clusters", 256, 16, 4))
    assert made.labels == ("baseline", "256", "16", "4")
    assert made.name == "clusters, on a logarithmic scale"
    assert not made.joined
    assert made.places[0] == 0
    beside, *steps = (after - before for before, after in pairwise(made.places))
    assert steps[0] == pytest.approx(2 * steps[1])
    assert beside == pytest.approx(0.22)


def test_a_family_has_a_panel_a_quantity_and_all_others_stand_side_by_side() -> None:
    panels = panels_of(adult())
    pruned = ["baseline", "pruned-0.5", "pruned-0.9", "pruned-0.98", "pruned-0.995"]
    assert [named(panel) for panel in panels] == [pruned, pruned, ["baseline", "int8"], ["baseline", "int8"]]
    assert [panel.levels is None for panel in panels] == [False, False, True, True]
    assert [panel.title for panel in panels] == [
        "accuracy: pruned-0.5 to pruned-0.995",
        "recall of “>50K”: pruned-0.5 to pruned-0.995",
        "accuracy: int8",
        "recall of “>50K”: int8",
    ]
    assert panels[0].alt.startswith("accuracy by sparsity, on a logarithmic scale of what remains, from 0 to 0.995, ")
    assert panels[2].alt.startswith("accuracy by variant, for everybody and the worst group. baseline: worst is ")
    assert "int8: worst is" in panels[2].alt


def test_a_family_is_drawn_from_the_mildest_to_the_strongest_however_the_variants_are_ordered() -> None:
    result = adult()
    turned = replace(result, variants=(result.variants[0], *reversed(result.variants[1:])))
    assert panels_of(turned)[0] == panels_of(result)[0]


def test_variants_at_one_strength_alone_are_no_family() -> None:
    result = adult()
    kept = {"baseline", "pruned-0.98", "int8"}
    panels = panels_of(replace(result, variants=tuple(v for v in result.variants if v.name in kept)))
    assert [named(panel) for panel in panels] == [["baseline", "pruned-0.98", "int8"]] * 2
    assert all(panel.levels is None for panel in panels)


def test_a_baseline_alone_is_drawn_alone() -> None:
    result = adult()
    panels = panels_of(replace(result, variants=result.variants[:1]))
    assert [(named(panel), panel.title) for panel in panels] == [
        (["baseline"], "accuracy"),
        (["baseline"], "recall of “>50K”"),
    ]


def test_many_variants_without_a_level_are_spread_over_panels_of_which_each_has_the_baseline() -> None:
    result = adult()
    more = tuple(replace(result.variants[-1], name=f"other {n}") for n in range(24))
    shown = [named(panel) for panel in panels_of(replace(result, variants=(*result.variants, *more)))[2::2]]
    assert [len(names) for names in shown] == [9, 9, 10]
    assert [name for names in shown for name in names[1:]] == ["int8", *(v.name for v in more)]
    assert {names[0] for names in shown} == {"baseline"}


def test_panels_of_one_quantity_have_one_vertical_axis() -> None:
    shown = main_figure(adult())
    asked = [figures.described(panel, shown) for panel in shown.panels]
    assert asked[0]["domain"] == asked[2]["domain"] != asked[1]["domain"] == asked[3]["domain"]


def test_what_is_undefined_is_no_point_at_its_level() -> None:
    result = adult()
    lost = tuple(
        replace(e, value=None, low=None, high=None, undefined="too few") if e.variant == "pruned-0.9" else e
        for e in result.estimates
    )
    everybody, worst = panels_of(replace(result, estimates=lost))[0].lines
    for line in (everybody, worst):
        assert [mark.value is None for mark in line.marks] == [False, False, True, False, False]


def test_a_limit_on_the_rate_itself_is_drawn_and_a_limit_on_its_change_is_not() -> None:
    groups = tuple((POSITIVE, ((("sex", name),)), None) for name in ("Male", "Female"))
    everybody = ((POSITIVE, EVERYBODY, None),)
    result = with_gates(
        gate("own", (), targets=groups, compare="value", min=0.5, variants=("int8",)),
        gate("all", (), targets=everybody, compare="value", min=0.6),
        gate("both", (), targets=(*groups, *everybody), compare="value", min=0.4),
        gate("warned", (), targets=groups, compare="value", min=0.3, severity="warning"),
        gate("change", (), targets=groups),
    )
    accuracy, pruned, _, int8 = panels_of(result)
    assert accuracy.limits == ()
    assert [(limit.value, limit.label) for limit in pruned.limits] == [(60, "everybody"), (40, "all")]
    assert [(limit.value, limit.label) for limit in int8.limits] == [
        (50, "groups"),
        (60, "everybody"),
        (40, "all"),
    ]
    assert pruned.alt.endswith(" Limit for everybody: 60.0%. Limit for all: 40.0%.")
    assert "Dotted" in main_figure(result).note
    assert "Dotted" not in main_figure(with_gates(gate("change", (), targets=groups))).note
