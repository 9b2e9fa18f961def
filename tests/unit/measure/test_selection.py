"""Selection tables against numbers that are known, scipy and statsmodels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from handmade import dataset, population, setting
from scipy import stats
from statsmodels.stats.proportion import proportions_ztest

from auditor.measure.ground import survey
from auditor.measure.selection import Count, fisher_exact, one_more_crosses, selection_table, selections


def count(name, selected, applicants, small=None):
    return Count(group=(("sex", name),), applicants=applicants, selected=selected, small=small)


def table(*counts, everybody=None):
    return selection_table("sex", counts, everybody or sum(c.applicants for c in counts))


def made(decisions, data, *, claim="artifact", min_group=2, **options):
    variant = population("v", decisions, claim=claim, **options)
    one = setting(data, variant, variant, min_group=min_group)
    return selections(one, survey(data, variant, one.total, min_group=min_group))


def test_the_impact_ratio_is_on_unrounded_rates() -> None:
    group, reference = table(count("F", 170, 390), count("M", 412, 797)).rows
    assert f"{group.impact_ratio:.2f}" == "0.84"
    assert f"{round(170 / 390, 2) / round(412 / 797, 2):.2f}" == "0.85"
    assert group.local_law_ratio == group.impact_ratio
    assert reference.impact_ratio == 1
    assert (reference.z, reference.p, reference.fisher_p, reference.one_more_crosses) == (None,) * 4


@pytest.mark.parametrize(("own", "other"), [((170, 390), (412, 797)), ((0, 12), (9, 20)), ((3, 9), (20, 20))])
def test_both_tests_agree_with_statsmodels_and_scipy(own, other) -> None:
    row = table(count("F", *own), count("M", *other)).rows[0]
    z, p = proportions_ztest([own[0], other[0]], [own[1], other[1]])
    assert (row.z, row.p) == pytest.approx((z, p), rel=1e-9)
    exact = stats.fisher_exact([[own[0], own[1] - own[0]], [other[0], other[1] - other[0]]])[1]
    assert row.fisher_p == pytest.approx(exact, rel=1e-9)
    assert row.z < 0


def test_fishers_p_is_scipys_on_every_small_table_and_on_large_ones() -> None:
    rng = np.random.default_rng(9)
    small = [(a, 5, b, 7) for a in range(6) for b in range(8)]
    large = [(int(rng.binomial(n, 0.4)), n, int(rng.binomial(m, 0.5)), m) for n, m in ((400, 390), (9000, 7000))]
    for a, n, b, m in [*small, *large, (4, 8, 4, 8), (0, 1, 1, 1)]:
        expected = stats.fisher_exact([[a, n - a], [b, m - b]])[1]
        assert fisher_exact(count("F", a, n), count("M", b, m)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("own", "other", "crosses"),
    [
        ((7, 20), (10, 20), True),  # .70; 8 against 9 is .89
        ((39, 100), (50, 100), True),  # .78; 40 against 49 is .82
        ((30, 100), (50, 100), False),
        ((8, 20), (10, 20), True),  # exactly .80; 7 against 11 is .64
        ((40, 100), (50, 100), True),
        ((50, 100), (50, 100), False),
        ((0, 10), (1, 10), True),  # 1 against 0
        ((0, 10), (0, 10), None),  # there is none to move
        ((10, 10), (10, 10), None),
    ],
)
def test_one_selection_moved_crosses_four_fifths_or_does_not(own, other, crosses) -> None:
    assert one_more_crosses(count("F", *own), count("M", *other)) is crosses


def test_four_fifths_exactly_is_not_under_whatever_the_rounding() -> None:
    # 0.28 / 0.35 is 0.7999999999999999 in floating point, and no less than 4/5
    assert 28 / 100 / (35 / 100) != 0.8
    row = table(count("F", 28, 100), count("M", 35, 100)).rows[0]
    assert row.one_more_crosses  # 27 against 36: it was not under, and is now


def test_a_small_group_is_no_reference_and_has_counts_and_no_ratio() -> None:
    found = table(count("F", 40, 100), count("M", 50, 100), count("X", 3, 3, small="3 examples"))
    assert found.reference == (("sex", "M"),)
    small = found.rows[2]
    assert (small.applicants, small.selected, small.rate) == (3, 3, 1)
    assert (small.impact_ratio, small.z, small.undefined) == (None, None, "3 examples")


def test_categories_under_two_percent_show_counts_and_have_no_local_law_ratio() -> None:
    found = table(count("F", 400, 1000), count("M", 500, 1000), count("X", 30, 40), count("Y", 30, 41))
    assert (found.reference, found.local_law_reference) == ((("sex", "X"),), (("sex", "M"),))
    x, y = found.rows[2:]
    assert (x.local_law_ratio, y.local_law_ratio) == (None, None)
    assert x.local_law_undefined == "the category is under 2% of the data"
    assert x.impact_ratio == 1
    just = table(count("F", 400, 1000), count("M", 500, 960), count("X", 30, 40)).rows[2]  # 40 of 2,000
    assert just.local_law_ratio == 1


def test_those_of_unknown_category_are_counted_and_in_no_ratio() -> None:
    found = table(count("F", 40, 100), count("M", 50, 100), count("(missing)", 30, 30))
    assert (found.unknown, found.reference) == (30, (("sex", "M"),))
    assert (found.rows[2].impact_ratio, found.rows[2].local_law_ratio) == (None, None)
    assert found.rows[2].undefined == found.rows[2].local_law_undefined == "the category is not recorded"


def test_where_nobody_or_everybody_is_selected_the_ratio_or_z_is_undefined() -> None:
    nobody = table(count("F", 0, 50), count("M", 0, 60))
    assert {row.impact_ratio for row in nobody.rows} == {row.local_law_ratio for row in nobody.rows} == {None}
    assert nobody.rows[0].undefined == nobody.rows[0].local_law_undefined == "nobody is selected in any group"
    everybody = table(count("F", 50, 50), count("M", 60, 60))
    assert everybody.rows[1].impact_ratio == 1
    assert (everybody.rows[1].z, everybody.rows[1].fisher_p) == (None, 1)
    assert everybody.rows[1].undefined == "everybody is selected in both groups: z is undefined"


def test_the_table_of_one_model_holds_its_decisions_by_group() -> None:
    rng = np.random.default_rng(4)
    labels, decided = rng.integers(0, 2, (2, 200))
    sex, race = rng.choice(["F", "M"], 200), rng.choice(["p", "q", "r"], 200)
    data = dataset(labels, attributes={"sex": sex.tolist(), "race": race.tolist()})
    found = made([decided], data)
    assert (found.label, found.undefined) == ("yes", None)
    assert [one.family for one in found.tables] == ["sex", "race"]
    for one, values in zip(found.tables, (sex, race), strict=True):
        for row in one.rows:
            chosen = values == row.group[0][1]
            assert (row.applicants, row.selected) == (chosen.sum(), decided[chosen].sum())


def test_a_population_of_models_has_no_table_and_the_reason_is_said() -> None:
    data = dataset([0, 1] * 20, ["a", "a", "b", "b"] * 10)
    many = made([[0, 1] * 20, [1, 0] * 20], data, claim="recipe")
    assert many.tables == ()
    assert many.undefined.startswith("a population of models has no whole number of selected")
    assert made([[0, 1] * 20] * 2, data, digests=["same"] * 2).tables
    assert made(np.zeros((0, 40), int), data).undefined == "no member finished"
    unnamed = made([[0, 1] * 20], replace(data, positive=None))
    assert (unnamed.label, unnamed.tables, unnamed.undefined) == (None, (), "no positive class is declared")
