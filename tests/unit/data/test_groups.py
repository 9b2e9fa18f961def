from __future__ import annotations

import time
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.data.groups import MOST_UNTESTED, bin_names, make_groups
from auditor.data.reading import Rows
from auditor.records import EVERYBODY
from auditor.spec import Attribute, Intersection


def groups(columns, *attributes, pairs=(), trained=0):
    """The first `trained` rows train, the others test."""
    frame = pd.DataFrame(columns)
    declared = [Attribute(**one) if isinstance(one, dict) else Attribute(name=one) for one in attributes]
    crossed = [Intersection(attributes=list(pair)) for pair in pairs]
    rows = Rows(frame=frame, files=(Path("people.csv"),))
    return make_groups(rows, declared, crossed, np.arange(trained), np.arange(trained, len(frame)))


def sizes(grouped):
    per_cell = np.bincount(grouped.groups.cell_of)
    return dict(zip(grouped.groups.names, (grouped.groups.membership @ per_cell).tolist(), strict=True))


def reference(grouped, key):
    return grouped.groups.names[grouped.groups.reference[grouped.groups.names.index(key)]]


def test_everybody_comes_first_and_has_no_reference():
    grouped = groups({"sex": ["b", "a", "b"]}, "sex")
    assert sizes(grouped) == {EVERYBODY: 3, (("sex", "a"),): 1, (("sex", "b"),): 2}
    assert grouped.groups.names[0] == EVERYBODY
    assert grouped.groups.reference.tolist() == [-1, 2, 2]
    assert grouped.attributes == {"sex": ("b", "a", "b")}


def test_the_majority_of_equal_groups_is_the_first_by_name():
    assert reference(groups({"sex": ["b", "a"]}, "sex"), (("sex", "b"),)) == (("sex", "a"),)


def test_the_majority_is_that_of_the_test_split():
    grouped = groups({"sex": ["a", "a", "a", "b", "b", "a"]}, "sex", trained=3)
    assert reference(grouped, (("sex", "a"),)) == (("sex", "b"),)


def test_a_declared_reference_is_taken():
    grouped = groups({"sex": ["a", "b", "b"]}, {"name": "sex", "reference": "a"})
    assert reference(grouped, (("sex", "b"),)) == (("sex", "a"),)


def test_an_unknown_reference_is_an_error_with_the_nearest_name(complaint):
    text = complaint(lambda: groups({"sex": ["Male", "Female"]}, {"name": "sex", "reference": "male"}))
    assert 'attribute sex: there is no group "male"' in text
    assert 'Did you mean "Male"?' in text


def test_a_reference_without_test_examples_is_an_error(complaint):
    text = complaint(lambda: groups({"sex": ["a", "b", "b"]}, {"name": "sex", "reference": "a"}, trained=1))
    assert 'attribute sex: nobody in the test split is in the reference group "a"' in text


def test_a_missing_value_is_a_group_of_its_own_and_the_last():
    grouped = groups({"race": ["z", None, "a", np.nan, " "]}, "race")
    assert list(sizes(grouped).items())[1:] == [
        ((("race", "a"),), 1),
        ((("race", "z"),), 1),
        ((("race", "(missing)"),), 3),
    ]


def test_whole_numbers_are_named_by_whole_bins():
    grouped = groups({"age": [29, 30, 44, 45, 59, 60, 200]}, {"name": "age", "bins": [30, 45, 60]})
    assert grouped.attributes["age"] == ("<30", "30-44", "30-44", "45-59", "45-59", "60+", "60+")
    assert [key[0][1] for key in grouped.groups.names[1:]] == ["<30", "30-44", "45-59", "60+"]


def test_a_column_of_whole_floats_with_a_gap_is_whole():
    grouped = groups({"age": [20.0, np.nan, 30.0]}, {"name": "age", "bins": [30]})
    assert grouped.attributes["age"] == ("<30", "(missing)", "30+")


def test_fractional_numbers_are_named_by_half_open_bins():
    grouped = groups({"score": [0.2, 0.5, 0.99, 1.0]}, {"name": "score", "bins": [0.5, 1]})
    assert grouped.attributes["score"] == ("<0.5", "0.5-<1", "0.5-<1", "1+")


@pytest.mark.parametrize(
    ("edges", "whole", "names"),
    [
        ([30, 31], True, ("<30", "30", "31+")),
        ([-10, 0], True, ("<-10", "-10 to -1", "0+")),
        ([29.5, 40], True, ("<29.5", "29.5-<40", "40+")),
    ],
)
def test_bins_have_plain_names(edges, whole, names):
    assert bin_names(edges, whole=whole) == names


@pytest.mark.parametrize(("bad", "shown"), [("old", "old"), (np.inf, "inf")])
def test_a_value_that_no_bin_can_hold_is_an_error_with_its_row(complaint, bad, shown):
    text = complaint(lambda: groups({"age": pd.Series([1, bad, 3], dtype=object)}, {"name": "age", "bins": [2]}))
    assert "people.csv: attribute age: row 2" in text
    assert f'"{shown}" is no number' in text


def test_numbers_written_as_text_go_into_bins():
    assert groups({"age": ["29", "30"]}, {"name": "age", "bins": [30]}).attributes["age"] == ("<30", "30+")


def test_declared_groups_keep_their_order_and_match_by_text():
    declared = {"name": "code", "groups": {"two": [2], "one": [1, "x"]}}
    grouped = groups({"code": ["1", "2", "x", "1"]}, declared)
    assert grouped.attributes["code"] == ("one", "two", "one", "one")
    assert [key[0][1] for key in grouped.groups.names[1:]] == ["two", "one"]


def test_declared_booleans_match_booleans_and_their_text():
    grouped = groups({"veteran": [True, False]}, {"name": "veteran", "groups": {"yes": [True], "no": ["False"]}})
    assert grouped.attributes["veteran"] == ("yes", "no")


def test_a_value_in_no_group_is_an_error_with_value_and_row(complaint):
    text = complaint(
        lambda: groups({"race": ["a", "b", "c", "b"]}, {"name": "race", "groups": {"A": ["a"], "C": ["c"]}})
    )
    assert 'people.csv: attribute race: rows 2, 4: "b" is in none of `groups`' in text


def test_a_value_in_two_groups_is_an_error(complaint):
    declared = {"name": "race", "groups": {"A": ["a"], "all": ["a", "b"]}}
    assert '"a" is in more than one of `groups`: "A", "all"' in complaint(
        lambda: groups({"race": ["a", "b"]}, declared)
    )


def test_a_column_of_thousands_of_values_is_no_attribute(complaint):
    assert "attribute pay: 1,001 distinct values" in complaint(lambda: groups({"pay": range(1001)}, "pay"))


def test_all_problems_are_told_at_once(complaint):
    text = complaint(
        lambda: groups(
            {"age": ["x", "1"], "race": ["a", "b"]},
            {"name": "age", "bins": [2]},
            {"name": "race", "groups": {"A": ["a"]}},
        )
    )
    assert "attribute age" in text
    assert "attribute race" in text


def test_a_group_that_only_training_has_is_there_without_examples_and_told_of():
    grouped = groups({"sex": ["x", "x", "a", "b"]}, "sex", trained=2)
    (warning,) = grouped.warnings
    assert 'Attribute sex: group "x" has 2 training examples and no test example' in warning
    # else a gate could pass because nobody of the group was tested
    place = grouped.groups.names.index((("sex", "x"),))
    assert not grouped.groups.membership[place].any()
    assert grouped.groups.membership[grouped.groups.names.index((("sex", "a"),))].tolist() == [True, False]


def test_a_declared_group_that_nobody_is_in_is_a_warning():
    grouped = groups({"age": [10, 70]}, {"name": "age", "bins": [30, 60]})
    (warning,) = grouped.warnings
    assert 'Attribute age: group "30-59" has 0 training examples and no test example' in warning


def test_intersections_follow_in_product_order_and_then_what_nobody_is_in():
    grouped = groups(
        {"sex": ["m", "f", "m", "m"], "race": ["y", "x", "x", "y"]}, "sex", "race", pairs=[("sex", "race")]
    )
    crossed = [key for key in grouped.groups.names if len(key) == 2]
    assert crossed == [
        (("sex", "f"), ("race", "x")),
        (("sex", "m"), ("race", "x")),
        (("sex", "m"), ("race", "y")),
        (("sex", "f"), ("race", "y")),
    ]
    assert sizes(grouped)[crossed[2]] == 2
    assert sizes(grouped)[crossed[3]] == 0
    assert reference(grouped, crossed[3]) == crossed[2]
    assert reference(grouped, crossed[0]) == crossed[2]


def test_combinations_without_a_test_example_are_counted_and_the_first_are_named():
    values = [str(n) for n in range(5)]
    grouped = groups({"a": values, "b": values}, "a", "b", pairs=[("a", "b")])
    (warning,) = grouped.warnings
    assert warning.startswith("Intersections: 20 combinations of groups without a test example")
    assert ": 0 × 1 (a x b); 0 × 2 (a x b); 0 × 3 (a x b); 0 × 4 (a x b); 1 × 0 (a x b); and 15 more. A gate" in warning
    # enough for a gate not to pass, and no more
    assert sum(size == 0 for size in sizes(grouped).values()) == MOST_UNTESTED


def test_a_combination_that_only_training_has_is_without_a_test_example():
    columns = {"sex": ["f", "f", "m", "m"], "race": ["y", "x", "y", "x"]}
    tested = groups(columns, "sex", "race", pairs=[("sex", "race")])
    assert not tested.warnings
    (warning,) = groups(columns, "sex", "race", pairs=[("sex", "race")], trained=1).warnings
    assert (
        "1 combination of groups without a test example, of which nothing can be said: f × y (sex x race). A" in warning
    )


def test_nobody_is_looked_for_where_a_value_is_not_recorded():
    columns = {"sex": ["f", "m", None], "race": ["x", "x", "x"]}
    grouped = groups(columns, "sex", "race", pairs=[("sex", "race")])
    assert not grouped.warnings
    columns["race"] = ["x", None, "x"]
    grouped = groups(columns, "sex", "race", pairs=[("sex", "race")])
    assert [key for key, size in sizes(grouped).items() if not size] == [(("sex", "m"), ("race", "x"))]


def test_an_intersection_of_very_many_attributes_takes_a_moment():
    rng = np.random.default_rng(0)
    columns = {f"a{number}": rng.integers(0, 2, 2_000) for number in range(40)}
    begin = time.perf_counter()
    grouped = groups(columns, *columns, pairs=[tuple(columns)])
    assert len(grouped.groups.names) == 1 + 80 + 2_000 + MOST_UNTESTED
    assert "and 1,099,511,625,771 more" in grouped.warnings[0]
    assert time.perf_counter() - begin < 5


def test_equal_intersections_are_referred_to_by_name():
    grouped = groups({"sex": ["m", "f"], "race": ["y", "x"]}, "sex", "race", pairs=[("race", "sex")])
    key = (("race", "x"), ("sex", "f"))
    assert reference(grouped, (("race", "y"), ("sex", "m"))) == key


def test_values_that_are_numbers_are_sorted_as_numbers():
    grouped = groups({"band": [10, 2, 1]}, "band")
    assert [key[0][1] for key in grouped.groups.names[1:]] == ["1", "2", "10"]


def test_arrays_are_read_only():
    grouped = groups({"sex": ["a", "b"]}, "sex")
    for array in (grouped.groups.membership, grouped.groups.cell_of, grouped.groups.reference):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


@given(
    rows=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "y", None])), min_size=2, max_size=30),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_order_of_rows_does_not_matter(rows, seed):
    order = np.random.default_rng(seed).permutation(len(rows))
    frame = pd.DataFrame(rows, columns=["p", "q"], dtype=object)
    one = groups(frame, "p", "q", pairs=[("p", "q")]).groups
    other = groups(frame.iloc[order].reset_index(drop=True), "p", "q", pairs=[("p", "q")]).groups
    assert one.names == other.names
    assert np.array_equal(one.reference, other.reference)
    assert np.array_equal(one.membership[:, one.cell_of][:, order], other.membership[:, other.cell_of])


@given(rows=st.lists(st.tuples(*[st.sampled_from("ab")] * 3), min_size=1, max_size=20))
def test_membership_says_what_the_values_say(rows):
    frame = pd.DataFrame(rows, columns=["p", "q", "r"])
    grouped = groups(frame, "p", "q", "r", pairs=[("p", "q"), ("p", "q", "r")])
    member = grouped.groups.membership[:, grouped.groups.cell_of]
    for key, of_group in zip(grouped.groups.names, member, strict=True):
        expected = [all(row[name] == value for name, value in key) for _, row in frame.iterrows()]
        assert of_group.tolist() == expected


def test_forty_attributes_and_all_their_pairs_take_seconds_at_most():
    rng = np.random.default_rng(0)
    columns = {f"a{number}": rng.integers(0, 2, 20_000) for number in range(40)}
    begin = time.perf_counter()
    grouped = groups(columns, *columns, pairs=list(combinations(columns, 2)))
    assert len(grouped.groups.names) == 1 + 80 + 780 * 4
    assert time.perf_counter() - begin < 5


def test_with_the_best_as_reference_each_other_group_is_compared_with():
    grouped = groups(
        {"age": ["a", "b", "c", "b"], "sex": ["m", "f", "m", "f"]},
        {"name": "age", "reference": "best"},
        "sex",
        pairs=[("age", "sex")],
    )
    made = grouped.groups
    others = {made.names[g]: [made.names[h] for h in made.compared_with(g)] for g in range(len(made.names))}
    a, b, c = ((("age", name),) for name in "abc")
    assert others[a] == [b, c]
    assert others[()] == []
    assert others[("sex", "m"),] == [(("sex", "f"),)]
    crossed = [name for name in made.names if len(name) == 2]
    assert others[crossed[0]] == crossed[1:], "an intersection with such an attribute has no reference either"
    assert "best" in {
        group
        for ((_, group),) in [
            name for name in groups({"age": ["best", "b"]}, {"name": "age", "reference": "best"}).groups.names if name
        ]
    }
