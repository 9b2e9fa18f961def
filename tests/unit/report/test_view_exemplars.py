"""What the sections on class tests and exemplars say, in words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from adult_result import adult

from auditor.report.view import view
from auditor.report.view.blocks import Prose, Table


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


def discovering(how):
    result = adult()
    definition = {**result.definition, "statistics": {**result.definition["statistics"], "discovery": how}}
    return section(replace(result, definition=definition), "class-test")


def test_counts_stand_beside_what_chance_gives() -> None:
    counts = table(section(adult(), "class-test"), "How many tests")
    assert [column.heading for column in counts.columns][4:] == [
        "p ≤ 0.05",
        "By chance",
        "after Holm",
        "after BH",
        "after max-T",
    ]
    rows = {(texts(row)[0], texts(row)[1]): texts(row)[2:] for row in counts.rows}
    assert rows["pruned-0.98", "groups, per member"] == ["10", "1", "10", "0.5", "10", "10", "10"]
    assert rows["pruned-0.5", "classes, published"][3] == "0.1"


@pytest.mark.parametrize(("how", "place"), [("holm", 3), ("bh", 4), ("max_t", 5)])
def test_the_declared_correction_marks_what_is_discovered(how, place) -> None:
    found = discovering(how)
    for row in table(found, "pruned-0.98: tests").rows:
        assert [i for i, cell in enumerate(row) if cell.detail == "discovered"] == [place]
    assert all(cell.detail == "" for row in table(found, "int8: tests").rows for cell in row)
    assert "after " + {"holm": "Holm", "bh": "BH", "max_t": "max-T"}[how] in table(found, "How many tests").note


def test_power_and_deals_are_told_once_for_variants_that_are_alike() -> None:
    said = prose(section(adult(), "class-test"))
    assert "1.33 (pruned-0.5, pruned-0.9, pruned-0.98 and pruned-0.995) and 1.00 (int8)" in said
    assert "pruned-0.995: 1,000 random deals, so no p is below 0.001; int8: all 512 swaps within pairs" in said


def test_without_deals_the_reason_stands_where_the_number_would() -> None:
    result = adult()
    why = "a given file is no sample of models: there is nothing to deal"
    families = tuple(
        replace(f, expected=None, detectable=None, deals=None, undefined=why) for f in result.class_test_families
    )
    found = section(replace(result, class_test_families=families), "class-test")
    cell = table(found, "How many tests").rows[0][5]
    assert (cell.text, cell.detail, cell.tone) == ("undefined", why, "undefined")
    assert "four times in five" not in prose(found)
    assert "deals" not in prose(found)


def test_the_rate_stands_beside_its_chance_level_and_the_excess() -> None:
    chance = table(section(adult(), "exemplars"), "How much of it is chance")
    row = next(texts(row) for row in chance.rows if row[0].text == "pruned-0.98")
    assert row == ["pruned-0.98", "1.50%", "0.50%", "0.70%", "+0.60", "< 0.001"]
    assert "not that it is harm" in chance.note


def test_an_undefined_chance_level_is_seen() -> None:
    result = adult()
    why = "the baseline is one given model: there is nothing to deal"
    bare = tuple(
        replace(
            e, halves=None, halves_undefined=why, excess=None, p=None, excess_undefined=why, deals=None, expected=None
        )
        for e in result.exemplars
    )
    chance = table(section(replace(result, exemplars=bare), "exemplars"), "How much of it is chance")
    assert texts(chance.rows[0])[1:] == ["undefined"] * 5
    assert chance.rows[0][1].detail == chance.rows[0][4].detail == why


def test_over_indexing_has_limits_or_a_reason() -> None:
    shown = table(section(adult(), "exemplars"), "Exemplars by group")
    rows = {row[0].text: row for row in shown.rows}
    assert rows["Male"][4].detail == "156, ×1.20 [0.96,\N{NO-BREAK SPACE}1.50]"
    assert rows["Male"][2].detail == "0, there are no exemplars"
    why = "45 examples, of the 50 that are needed"
    result = adult()
    bare = tuple(
        replace(
            e,
            by_group=tuple(
                replace(
                    r, over_indexing=None, over_indexing_low=None, over_indexing_high=None, over_indexing_undefined=why
                )
                for r in e.by_group
            ),
        )
        for e in result.exemplars
    )
    small = table(section(replace(result, exemplars=bare), "exemplars"), "Exemplars by group").rows[0][4]
    assert small.detail.endswith(why)


def test_changed_decisions_are_listed_by_excess_with_everybody_first() -> None:
    changes = table(section(adult(), "exemplars"), "pruned-0.98: changed decisions")
    assert changes.rows[0][0].text == "everybody"
    assert texts(changes.rows[0])[-1] == "–"
    excess = [float(texts(row)[4]) for row in changes.rows[1:]]
    assert excess == sorted(excess, reverse=True)
    assert (len(changes.rows), changes.on_paper) == (11, 4)


def test_odds_ratios_stand_with_and_without_the_margin() -> None:
    odds = table(section(adult(), "exemplars"), "Odds of being an exemplar")
    female = next(row for row in odds.rows if row[0].text == "Female (sex)")
    assert female[0].detail == "against Male"
    assert (female[3].text, female[3].detail) == (
        "0.50 [0.40,\N{NO-BREAK SPACE}0.62]",
        "given the margin: 0.70 [0.60,\N{NO-BREAK SPACE}0.82]",
    )
    without = next(row for row in odds.rows if row[0].text.startswith("Amer-Indian"))
    assert (without[1].text, without[1].detail) == ("undefined", "exemplars are all of one group")


def test_why_odds_are_undefined_given_the_margin_alone_is_said_once() -> None:
    result = adult()
    assert "Undefined given" not in table(section(result, "exemplars"), "Odds of being an exemplar").note
    found = tuple(
        replace(
            one,
            odds_ratios=tuple(
                replace(o, value=None, undefined="no margin") if o.given_margin else o for o in one.odds_ratios
            ),
        )
        for one in result.exemplars
    )
    odds = table(section(replace(result, exemplars=found), "exemplars"), "Odds of being an exemplar")
    assert odds.note.endswith("Undefined given the margin: no margin.")


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
