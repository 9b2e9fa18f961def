"""Rates against a plain loop and against fairlearn."""

from __future__ import annotations

import numpy as np
import pytest
from fairlearn import metrics as fairlearn
from handmade import dataset, one, population

from auditor.measure.counts import number_alike

RNG = np.random.default_rng(20260101)
N = 400
LABELS = RNG.integers(0, 2, N)
TEAM = [("a", "b", "c")[i] for i in RNG.integers(0, 3, N)]
DECISIONS = np.where(RNG.random((3, N)) < 0.8, LABELS, 1 - LABELS)

ORACLES = {
    "accuracy": lambda y, d: (y == d).mean(),
    "error": lambda y, d: (y != d).mean(),
    "recall": fairlearn.true_positive_rate,
    "fnr": fairlearn.false_negative_rate,
    "fpr": fairlearn.false_positive_rate,
    "tnr": fairlearn.true_negative_rate,
    "selection_rate": fairlearn.selection_rate,
    "precision": lambda y, d: y[d == 1].mean(),
}


@pytest.mark.parametrize("metric", ORACLES)
@pytest.mark.parametrize("group", [0, 1, 2, 3])
def test_a_rate_is_the_mean_over_members_of_what_fairlearn_says(metric, group):
    data = dataset(LABELS, TEAM)
    base = population("baseline", DECISIONS)
    label = None if metric in {"accuracy", "error"} else 1
    found = one(data, base, base, metric, "value", label=label, group=group)
    name = data.groups.names[group]
    chosen = np.array([not name or team == name[0][1] for team in TEAM])
    expected = np.mean([ORACLES[metric](LABELS[chosen], d[chosen]) for d in DECISIONS])
    assert found.value == pytest.approx(expected, rel=1e-12)


def test_rates_of_many_classes_agree_with_a_plain_loop():
    labels = RNG.integers(0, 5, N)
    decisions = np.where(RNG.random((2, N)) < 0.7, labels, RNG.integers(0, 5, N))
    data = dataset(labels, TEAM, classes=("p", "q", "r", "s", "t"))
    base = population("baseline", decisions)
    for c in range(5):
        fpr = np.mean([(d[labels != c] == c).mean() for d in decisions])
        recall = np.mean([(d[labels == c] == c).mean() for d in decisions])
        assert one(data, base, base, "fpr", "value", label=c).value == pytest.approx(fpr, rel=1e-12)
        assert one(data, base, base, "recall", "value", label=c).value == pytest.approx(recall, rel=1e-12)


def test_a_group_without_positives_has_an_undefined_recall_and_not_0():
    data = dataset([1, 1, 0, 0, 0, 0], ["a", "a", "a", "b", "b", "b"])
    base = population("baseline", [[1, 0, 0, 0, 1, 0], [1, 1, 0, 0, 0, 0]])
    found = one(data, base, base, "recall", "value", label=1, group=2)
    assert found.value is None
    assert found.low is None
    assert "0 examples in b" in found.undefined


def test_a_group_under_the_smallest_size_is_undefined_and_says_how_small_it_is():
    data = dataset([1] * 9 + [0] * 20)
    base = population("baseline", [[1] * 29, [0] * 29])
    found = one(data, base, base, "recall", "value", label=1, min_group=10)
    assert found.value is None
    assert found.undefined == "9 examples in everybody, of the 10 that are needed"


def test_precision_of_a_class_that_a_member_never_decides_for_is_undefined():
    data = dataset([1, 0] * 10)
    base = population("baseline", [[0] * 20, [1] * 20])
    found = one(data, base, base, "precision", "value", label=1)
    assert found.value is None
    assert "0 examples that the member with fewest decides so" in found.undefined


def test_a_ratio_to_a_reference_group_with_rate_0_is_undefined():
    data = dataset([1, 0] * 10, ["a"] * 10 + ["b"] * 10)
    base = population("baseline", [[0] * 10 + [1] * 10, [0] * 10 + [1, 0] * 5])
    found = one(data, base, base, "selection_rate", "ratio", label=1, group=2)
    assert found.value is None
    assert "reference" in found.undefined


def test_comparisons_are_the_differences_and_quotients_of_values():
    data = dataset(LABELS, TEAM)
    base = population("baseline", DECISIONS)
    variant = population("v", np.where(RNG.random((4, N)) < 0.7, LABELS, 1 - LABELS))

    def value(who, g):
        return one(data, who, base, "recall", "value", label=1, group=g).value

    def found(compare, g):
        return one(data, variant, base, "recall", compare, label=1, group=g).value

    first = data.groups.reference[3]
    assert found("change", 3) == pytest.approx(value(variant, 3) - value(base, 3))
    assert found("disparity", 3) == pytest.approx(value(variant, 3) - value(variant, first))
    assert found("ratio", 3) == pytest.approx(value(variant, 3) / value(variant, first))
    gap_change = value(variant, 3) - value(variant, first) - value(base, 3) + value(base, first)
    assert found("disparity_change", 3) == pytest.approx(gap_change)
    ratio_change = value(variant, 3) / value(variant, first) - value(base, 3) / value(base, first)
    assert found("ratio_change", 3) == pytest.approx(ratio_change)
    assert found("to_overall", 3) == pytest.approx(value(variant, 3) - value(variant, 0))
    gap_change = value(variant, 3) - value(variant, 0) - value(base, 3) + value(base, 0)
    assert found("to_overall_change", 3) == pytest.approx(gap_change)


def test_a_member_that_decides_less_does_not_make_precision_sure():
    data = dataset([1, 0] * 500)
    timid = np.zeros((2, 1000), int)
    timid[:, 0] = 1
    pair = (population("v", timid), population("baseline", timid))
    found = one(data, *pair, "precision", "value", label=1, min_group=10)
    assert found.value is None
    assert found.n == 1


def test_no_examples_are_of_no_kind_however_many_columns_there_are():
    first, kind_of = number_alike([(np.zeros(0, np.int16), 32767)] * 9)
    assert (len(first), len(kind_of)) == (0, 0)
