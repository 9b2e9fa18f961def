"""What the sections on class tests and exemplars say, in words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from adult_result import adult

from auditor.report.view import view
from auditor.report.view.blocks import Figure, Prose, Table
from auditor.report.view.panels import Ranked, Shifts


def section(result, name):
    shown = view(result, digest="a" * 64)
    (found,) = [one for one in shown.sections if one.id == name]
    return found


def table(found, caption):
    (one,) = [b for b in found.blocks if isinstance(b, Table) and caption in b.caption]
    return one


def texts(row):
    return [cell.text for cell in row]


def prose(found):
    return " ".join(p for block in found.blocks if isinstance(block, Prose) for p in block.paragraphs)


def figures(found):
    return [block for block in found.blocks if isinstance(block, Figure)]


def discovering(how, **values):
    """The section under another correction; `values` replace those of every test."""
    result = adult()
    definition = {**result.definition, "statistics": {**result.definition["statistics"], "discovery": how}}
    tests = tuple(replace(test, **values) for test in result.class_tests)
    return section(replace(result, definition=definition, class_tests=tests), "class-test")


def test_counts_stand_beside_what_chance_gives() -> None:
    counts = table(section(adult(), "class-test"), "How many tests")
    assert [column.heading for column in counts.columns][4:] == [
        "p ≤ 0.05",
        "By chance",
        "after Holm",
        "after BH",
        "after max-T",
        "Lose (mean)",
        "Gain (mean)",
    ]
    rows = {(texts(row)[0], texts(row)[1]): texts(row)[2:] for row in counts.rows}
    assert rows["pruned-0.98", "groups"] == ["10", "1", "10", "0.5", "10", "10", "10", "10 (−2.2)", "0"]
    assert rows["pruned-0.5", "classes, published"][3] == "0.1"


@pytest.mark.parametrize(("how", "p"), [("holm", "p_holm"), ("bh", "p_bh"), ("max_t", "p_max_t")])
def test_the_declared_correction_marks_what_is_discovered(how, p) -> None:
    found = table(discovering(how), "Tests, the largest")
    by_chosen = table(discovering(how, **{p: 0.9}), "Tests, the largest")
    assert "loss" in {row[2].text for row in found.rows}
    assert {row[2].text for row in by_chosen.rows} == {"–"}
    assert (
        "after " + {"holm": "Holm", "bh": "BH", "max_t": "max-T"}[how] in table(discovering(how), "How many tests").note
    )


def test_tests_of_all_variants_stand_in_one_table_with_the_largest_discovered_loss_first() -> None:
    rows = table(section(adult(), "class-test"), "Tests, the largest").rows
    losses = [float(row[3].text.replace("−", "-")) for row in rows if row[2].text == "loss"]
    assert losses == sorted(losses)
    assert [row[2].text for row in rows[: len(losses)]] == ["loss"] * len(losses)
    assert {row[1].text for row in rows} == {test.variant for test in adult().class_tests}


def test_a_class_is_marked_in_the_picture_only_where_it_is_discovered() -> None:
    found = discovering("bh", p_bh=0.9)
    for shown, any_found in ((section(adult(), "class-test"), True), (found, False)):
        (figure,) = figures(shown)
        assert all(isinstance(panel, Shifts) for panel in figure.panels)
        assert any(mark.found for panel in figure.panels for mark in panel.marks) is any_found
        assert all(mark.value is None or not hasattr(mark, "low") for panel in figure.panels for mark in panel.marks)
    assert all(": 0 lose, 0 gain" in panel.title for panel in figure.panels)


def many_classes(shifts, p=0.001):
    """One variant's tests of as many classes, all of one p."""
    (template,) = {
        t for t in adult().class_tests if (t.variant, t.label, t.published) == ("int8", ">50K", False) and not t.group
    }
    tests = tuple(
        replace(template, label=f"n{place}", shift=shift, p=p, p_holm=p, p_bh=p, p_max_t=p)
        for place, shift in enumerate(shifts)
    )
    return section(replace(adult(), class_tests=tests), "class-test")


def test_many_classes_are_one_curve_with_the_extremes_named() -> None:
    found = many_classes([0.01 * place for place in range(-10, 30)])
    (panel,) = figures(found)[0].panels
    assert isinstance(panel, Ranked)
    assert [value for value, _ in panel.values] == sorted(value for value, _ in panel.values)
    assert panel.lowest[:2] == ("lowest:", "n0 −10.0")
    assert panel.highest[:2] == ("highest:", "n39 +29.0")
    assert panel.title == "int8: 10 lose, 30 gain"
    assert panel.alt == "int8: 10 lose, 30 gain of 40. Shifts from −10.0 points (“n0”) to +29.0 points (“n39”)."


def test_a_class_without_a_shift_is_not_on_the_curve() -> None:
    (panel,) = figures(many_classes([0.01] * 19 + [None]))[0].panels
    assert len(panel.values) == 19


@pytest.mark.parametrize(
    ("shifts", "said"), [([-0.2, *[0.01] * 15], True), ([-0.001, *[0.01] * 15], False), ([0.01, *[-0.2] * 15], False)]
)
def test_fewer_but_larger_losses_are_said_to_be_as_in_the_paper(shifts, said) -> None:
    assert ("fewer classes lose than gain, but the losses are larger: int8." in prose(many_classes(shifts))) is said
    assert "fewer classes lose" not in prose(many_classes(shifts, p=0.5))


def test_power_and_deals_are_told_once_for_variants_that_are_alike() -> None:
    found = section(adult(), "class-test")
    assert "1.33 (pruned-0.5, pruned-0.9, pruned-0.98 and pruned-0.995) and 1.00 (int8)" in prose(found)
    said = table(found, "How many tests").note
    assert "pruned-0.995: 1,000 random deals, so no p is below 0.001; int8: all 512 swaps within pairs" in said


def test_without_deals_the_number_is_undefined_and_the_reason_stands_below_the_table() -> None:
    result = adult()
    why = "a given file is no sample of models: there is nothing to deal"
    families = tuple(
        replace(f, expected=None, detectable=None, deals=None, undefined=why) for f in result.class_test_families
    )
    found = section(replace(result, class_test_families=families), "class-test")
    counts = table(found, "How many tests")
    assert (counts.rows[0][5].text, counts.rows[0][5].tone) == ("undefined", "undefined")
    assert counts.note.endswith(f" By chance undefined: {why}.")
    assert "four times in five" not in prose(found)
    assert "come from deals" not in counts.note


def test_the_rate_stands_beside_its_chance_level_and_the_excess() -> None:
    chance = table(section(adult(), "exemplars"), "how much of it is chance")
    row = next(texts(row) for row in chance.rows if row[0].text == "pruned-0.98")
    assert row[1:7] == ["195\N{NO-BREAK SPACE}(1.20%)", "1.50%", "0.50%", "0.70%", "+0.60", "< 0.001"]
    assert [text.replace("\N{NO-BREAK SPACE}", " ") for text in row[7:]] == ["55.0% → 45.0%", "85.7% → 85.1%"]
    assert "not that it is harm" in chance.note


def test_variants_stand_by_their_excess_and_those_without_one_last() -> None:
    result = adult()
    last = result.exemplars[-1]
    unknown = replace(result, exemplars=(replace(last, excess=None), *result.exemplars[:-1]))
    assert table(section(result, "exemplars"), "how much of it").rows[0][0].text == last.variant
    assert table(section(unknown, "exemplars"), "how much of it").rows[-1][0].text == last.variant


def test_the_picture_holds_the_numbers_of_the_table() -> None:
    chance, accuracy = figures(section(adult(), "exemplars"))[0].panels
    row = next(row for row in chance.rows if row.label == "pruned-0.98")
    assert (row.first, row.second, row.whole) == pytest.approx((0.6, 1.5, 1.2))
    row = next(row for row in accuracy.rows if row.label == "pruned-0.98")
    assert (row.first, row.second) == pytest.approx((55.0, 45.0))
    none = next(row for row in accuracy.rows if row.label == "pruned-0.5")
    assert (none.first, none.second, none.missing) == (None, None, "no exemplars")


def without_chance(result):
    why = "the baseline is one given model: there is nothing to deal"
    bare = tuple(
        replace(
            e, halves=None, halves_undefined=why, excess=None, p=None, excess_undefined=why, deals=None, expected=None
        )
        for e in result.exemplars
    )
    return section(replace(result, exemplars=bare), "exemplars"), why


def test_an_undefined_chance_level_is_seen() -> None:
    found, why = without_chance(adult())
    chance = table(found, "how much of it is chance")
    assert texts(chance.rows[0])[2:7] == ["undefined"] * 5
    assert chance.note.endswith(f"Undefined: {why}.")
    figure = figures(found)[0]
    for row in figure.panels[0].rows:
        assert (row.first, row.second, row.missing) == (None, None, "chance undefined")
        assert row.whole is not None
    assert "Chance undefined for 5 variants" in figure.note
    assert "chance undefined" in figure.panels[0].alt


def test_over_indexing_has_limits_or_a_reason() -> None:
    shown = table(section(adult(), "exemplars"), "Exemplars by group")
    rows = {(row[0].text, row[1].text): texts(row) for row in shown.rows}
    assert rows["Male (sex)", "pruned-0.98"][3:5] == [
        "156 (1.4%)",
        "×1.20\N{NO-BREAK SPACE}[0.96,\N{NO-BREAK SPACE}1.50]",
    ]
    assert rows["Male (sex)", "pruned-0.5"][3:5] == ["0 (0.0%)", "undefined"]
    assert "Undefined, or without limits: " in shown.note
    assert "there are no exemplars" in shown.note


def test_groups_stand_by_the_lower_limit_of_over_indexing_and_the_undefined_last() -> None:
    rows = table(section(adult(), "exemplars"), "Exemplars by group").rows
    lows = [row[4].text.partition("[")[2].partition(",")[0] for row in rows]
    known = [float(low) for low in lows if low]
    assert known == sorted(known, reverse=True)
    assert lows[: len(known)] == [low for low in lows if low]


def test_over_indexing_is_drawn_with_the_limits_that_were_computed_and_no_others() -> None:
    result = adult()
    figure = figures(section(result, "exemplars"))[1]
    first = figure.panels[0]
    own = {row.group: row for one in result.exemplars for row in one.by_group if one.variant == "int8"}
    by_name = {mark.label: mark for mark in first.marks}
    male = own[("sex", "Male"),]
    assert first.title.startswith("int8, ")
    assert (by_name["Male"].value, by_name["Male"].low, by_name["Male"].high) == (
        male.over_indexing,
        male.over_indexing_low,
        male.over_indexing_high,
    )
    bare = tuple(
        replace(e, by_group=tuple(replace(r, over_indexing_low=None, over_indexing_high=None) for r in e.by_group))
        for e in result.exemplars
    )
    marks = figures(section(replace(result, exemplars=bare), "exemplars"))[1].panels[0].marks
    assert {(mark.low, mark.high) for mark in marks} == {(None, None)}
    assert any(mark.value is not None for mark in marks)


def test_small_groups_are_hollow() -> None:
    result = adult()
    shrunk = tuple(
        replace(e, by_group=tuple(replace(r, n=99) if r.group == (("sex", "Male"),) else r for r in e.by_group))
        for e in result.exemplars
    )
    marks = figures(section(replace(result, exemplars=shrunk), "exemplars"))[1].panels[0].marks
    assert "Male" in {mark.label for mark in marks if mark.small}
    assert "Male" not in {mark.label for mark in figures(section(result, "exemplars"))[1].panels[0].marks if mark.small}


def test_changed_decisions_are_listed_by_excess_with_everybody_first() -> None:
    changes = table(section(adult(), "exemplars"), "Changed decisions")
    everybody, groups = changes.rows[:5], changes.rows[5:]
    assert {row[0].text for row in everybody} == {"everybody"}
    assert {texts(row)[-1] for row in everybody} == {"–"}
    assert "everybody" not in {row[0].text for row in groups}
    excess = [float(texts(row)[5]) for row in groups]
    assert excess == sorted(excess, reverse=True)
    assert len(groups) == 5 * 10


def test_odds_ratios_stand_with_and_without_the_margin() -> None:
    shown = table(section(adult(), "exemplars"), "Exemplars by group")
    rows = {(row[0].text, row[1].text): texts(row) for row in shown.rows}
    assert [text.replace("\N{NO-BREAK SPACE}", " ") for text in rows["Female (sex)", "pruned-0.98"][5:]] == [
        "0.50 [0.40, 0.62]",
        "0.70 [0.60, 0.82]",
    ]
    assert "Male (sex)" in shown.note
    assert rows["Male (sex)", "pruned-0.98"][5:] == ["–", "–"]
    (native,) = {tuple(row[5:]) for name, row in rows.items() if name[0].startswith("Amer-Indian-Eskimo (")}
    assert native[0] == "undefined"
    assert "exemplars are all of one group" in shown.note


def test_twelve_exemplars_to_look_at_are_listed_of_the_variant_that_has_most() -> None:
    top = table(section(adult(), "exemplars"), "to look at first")
    assert top.caption.startswith("int8")
    assert len(top.rows) == 12
    assert texts(top.rows[0]) == ["row 0", "“>50K”", "Female, 30-44 and White", "“>50K”", "“<=50K”", "1.40"]
    assert top.rows[0][3].detail == "90% of its models"


def test_a_hostile_example_name_is_cleaned() -> None:
    result = adult()
    last = result.exemplars[-1]
    bad = replace(last.top[0], example="\x1b[31m" + "x" * 500)
    hostile = replace(result, exemplars=(*result.exemplars[:-1], replace(last, top=(bad, *last.top[1:]))))
    shown = table(section(hostile, "exemplars"), "to look at first").rows[0][0].text
    assert "\x1b" not in shown
    assert len(shown) < 100
