from __future__ import annotations

from dataclasses import replace

import pytest
from adult_result import POSITIVE, adult

from auditor.description import Description, Selections
from auditor.measure.selection import Count, selection_table
from auditor.report.view import view
from auditor.report.view.blocks import Prose, Table

FEMALE = (("sex", "Female"),)
NAMES = ("pruned-0.5", "pruned-0.9", "pruned-0.98", "pruned-0.995", "int8")


def section(result, name: str):
    return next((s for s in view(result, digest="a" * 64).sections if s.id == name), None)


def tables(found) -> list[Table]:
    return [block for block in found.blocks if isinstance(block, Table)]


def said(found) -> str:
    return repr(found)


def described(*descriptions: Description, **changes):
    return section(replace(adult(), descriptions=descriptions, **changes), "further")


def table(*counts, family="sex", everybody=1000) -> Selections:
    rows = [Count(group=((family, n),), applicants=a, selected=s, small=None) for n, s, a in counts]
    made = selection_table(family, rows, everybody)
    return Selections(variant="int8", label=POSITIVE, tables=(made,), undefined=None)


def selected(*found: Selections, **changes):
    return section(replace(adult(), selections=found, **changes), "selections")


@pytest.fixture(scope="module")
def further():
    return section(adult(), "further")


def difference(value, group=FEMALE, **changes) -> Description:
    keys = {"variant": "int8", "measure": "normalised_difference_fnr", "label": POSITIVE, "n": 590}
    return Description(**keys | {"group": group, "before": 302.25, "after": 351, "value": value} | changes)


def normalised(*descriptions: Description) -> list[Table]:
    found = section(replace(adult(), descriptions=descriptions), "changes")
    return [one for one in tables(found) if one.caption.startswith("Normalised difference")]


def test_a_percentage_stands_above_the_numbers_of_errors() -> None:
    row = normalised(difference(16.129))[0].rows[0]
    assert [(cell.text, cell.detail) for cell in row] == [
        ("Female (sex): false negative rate", ""),
        ("590", ""),
        *[("not measured", "")] * 4,
        ("+16.1%", "302.2 → 351"),
    ]


def test_what_is_undefined_shows_its_counts_and_the_reason() -> None:
    why = "the baseline makes no such error"
    shown = normalised(difference(None, before=0, after=3, undefined=why))[0]
    cell = shown.rows[0][-1]
    assert (cell.text, cell.detail, cell.tone) == ("undefined", "0 → 3", "undefined")
    assert f"Undefined (∅): {why}." in shown.note


def test_relative_changes_are_one_table_as_published_group_by_group_below_the_changes_with_intervals() -> None:
    male = (("sex", "Male"),)
    rates = {"error": None, "fpr": POSITIVE, "fnr": POSITIVE}
    own = [
        difference(1.0, group=group, measure=f"normalised_difference_{rate}", label=label)
        for rate, label in rates.items()
        for group in (male, (), FEMALE)
    ]
    changes = section(replace(adult(), descriptions=own), "changes")
    *_, before, shown = changes.blocks
    assert before.caption.startswith("Change of")
    names = [row[0].text.partition(": ") for row in shown.rows]
    assert [name for name, _, _ in names] == [who for who in ("everybody", "Male (sex)", "Female (sex)") for _ in rates]
    assert [rate for _, _, rate in names[:3]] == ["error rate", "false positive rate", "false negative rate"]
    assert "as published by Hooker et al. 2020" in shown.caption
    assert "no interval and is not judged" in shown.note
    assert not [one for one in tables(described(*own)) if "ormalised" in one.caption]


def test_classes_stand_by_name_where_there_are_many() -> None:
    shown = normalised(*(difference(1.0, group=(), label=label) for label in ("cat", "dog")))[0]
    assert [row[0].text for row in shown.rows] == ["“cat”: false negative rate", "“dog”: false negative rate"]


def test_tables_hold_the_twelve_worst_groups_and_count_the_others() -> None:
    keys = {"variant": "int8", "measure": "excess_accuracy_gap", "n": 590}
    many = [Description(group=(("town", f"t{i}"),), value=float(i), **keys) for i in range(30)]
    lost = Description(group=(("town", "small"),), undefined="3 examples", **keys)
    shown = tables(described(*many, lost))[0]
    assert [row[0].text for row in shown.rows] == [f"t{i} (town)" for i in range(29, 17, -1)]
    assert "19 more rows, none with a larger value, are in result.json." in shown.note


def test_all_that_is_described_is_shown_and_said_not_to_be_judged(further) -> None:
    captions = " ".join(one.caption for one in tables(further))
    for name in ("Excess accuracy gap", "Disparity", "Every variant"):
        assert name in captions
    assert "no gate is about them" in said(further)
    assert "Fairlearn" in said(further)


def test_a_disparity_shows_its_difference_ratio_and_whom_it_leaves_out(further) -> None:
    shown = next(one for one in tables(further) if one.caption.startswith("Disparity"))
    cell = next(row for row in shown.rows if row[0].text == "sex: demographic parity")[-1]
    assert (cell.text, cell.detail) == ("18.2 → 20.2", "0.76 → ∅")
    assert "Undefined ratios (∅): a member's rate is 0 in every group." in shown.note
    own = Description(
        variant="int8",
        measure="equalized_odds_difference",
        label=POSITIVE,
        family="race",
        n=9,
        undefined="too few",
        remark="left out, with fewer than 20 examples in a denominator: Other",
    )
    bare = next(one for one in tables(described(own)) if one.caption.startswith("Disparity"))
    assert bare.rows[0][-1].text == "undefined"
    assert "Left out, with fewer than 20 examples in a denominator: Other." in bare.note


def test_without_probabilities_calibration_is_one_sentence(further) -> None:
    prose = [text for block in further.blocks if isinstance(block, Prose) for text in block.paragraphs]
    assert "Calibration is undefined: no probabilities are kept, only decisions." in prose
    own = {"variant": "int8", "measure": "expected_calibration_error", "group": FEMALE, "n": 590}
    known = described(Description(before=0.051, after=0.082, value=0.031, **own))
    shown = next(one for one in tables(known) if "calibration" in one.caption)
    assert (shown.rows[0][-1].text, shown.rows[0][-1].detail) == ("5.1% → 8.2%", "+3.1")
    assert "Calibration is undefined" not in said(known)


def test_every_variant_has_one_row_of_its_own_numbers(further) -> None:
    shown = tables(further)[-1]
    assert [row[0].text for row in shown.rows] == list(NAMES)
    last = shown.rows[-2]
    assert [cell.text for cell in last[1:6]] == ["0.021", "0.113", "1.240", "8.1% → 9.4%", "3.7% → 4.9%"]
    assert last[6].detail


def test_selections_are_shown_lowest_ratio_first_with_every_test() -> None:
    found = tables(selected(table(("F", 170, 390), ("M", 412, 797), ("X", 8, 40))))[0]
    assert [row[0].text for row in found.rows] == ["X", "F", "M"]
    cells = [cell.text for cell in found.rows[1]]
    assert cells == ["F", "390", "170", "43.6%", "0.843", "−2.62", "0.009", "0.009", "no", "0.843"]
    assert found.rows[1][5].detail == "beyond 2"
    assert [cell.text for cell in found.rows[2]][5:9] == ["–"] * 4
    assert found.rows[2][0].detail == "highest rate"


def test_a_ratio_just_under_four_fifths_does_not_look_like_it() -> None:
    found = tables(selected(table(("F", 3999, 10000), ("M", 5000, 10000))))[0]
    assert found.rows[0][4].text == "0.7998"


def test_those_of_unknown_category_and_small_categories_are_told() -> None:
    found = tables(selected(table(("F", 5, 100), ("(missing)", 7, 70), ("X", 2, 3), everybody=1000)))[0]
    assert "70 of unknown category are in no ratio." in found.note
    assert "the category is not recorded" in found.note
    assert next(row for row in found.rows if row[0].text == "X")[-1].text == "undefined"


def test_a_population_has_no_table_and_the_reason_is_one_sentence() -> None:
    why = "a population of models has no whole number of selected"
    many = [Selections(variant=name, label=POSITIVE, tables=(), undefined=why) for name in NAMES[:2]]
    found = selected(*many)
    assert not tables(found)
    assert f"No table for pruned-0.5 and pruned-0.9: {why}." in said(found)
    assert "29 CFR" not in said(found)


def test_without_a_positive_class_there_is_no_section_of_selections() -> None:
    made = adult()
    none = Selections(variant="int8", label=None, tables=(), undefined="no positive class is declared")
    result = replace(made, selections=(none,), data=replace(made.data, positive=None))
    assert section(result, "selections") is None


def test_many_tables_and_groups_are_cut_and_counted() -> None:
    towns = [(f"t{i}", i, 100) for i in range(40)]
    found = selected(*(table(*towns, family=f"f{i}", everybody=4000) for i in range(20)))
    assert len(tables(found)) == 12
    assert "8 more tables are in result.json." in said(found)
    assert all(len(one.rows) == 12 for one in tables(found))
    assert "28 more groups, none with a lower ratio, are in result.json." in tables(found)[0].note


def test_selection_tables_are_evidence_and_no_answer_of_law() -> None:
    text = said(selected(table(("F", 170, 390), ("M", 412, 797))))
    assert "evidence" in text
    for word in ("complian", "lawful", "illegal"):
        assert word not in text.lower()
