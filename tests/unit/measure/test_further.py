"""Normalised differences, excess accuracy gaps and bias amplification against plain loops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from handmade import dataset, described, population, the

from auditor.description import MEASURES

RNG = np.random.default_rng(20260301)
N = 300
LABELS = RNG.integers(0, 2, N)
TEAM = [("a", "b", "c")[i] for i in RNG.integers(0, 3, N)]
BASE = np.where(RNG.random((3, N)) < 0.9, LABELS, 1 - LABELS)
VARIANT = np.where(RNG.random((4, N)) < 0.75, LABELS, 1 - LABELS)
DATA = dataset(LABELS, TEAM)
FOUND = described(DATA, population("v", VARIANT), population("baseline", BASE))
WITHIN = {
    "error": lambda y: np.ones_like(y, bool),
    "fpr": lambda y: y == 0,
    "fnr": lambda y: y == 1,
}
GROUPS = [(), (("team", "a"),), (("team", "b"),), (("team", "c"),)]


def members_of(group):
    return np.array([not group or team == group[0][1] for team in TEAM])


@pytest.mark.parametrize("metric", WITHIN)
@pytest.mark.parametrize("group", GROUPS)
def test_a_normalised_difference_is_percent_of_the_baselines_errors_with_both_counts(metric, group) -> None:
    chosen = members_of(group) & WITHIN[metric](LABELS)
    before, after = (np.mean([(d != LABELS)[chosen].sum() for d in decisions]) for decisions in (BASE, VARIANT))
    found = the(FOUND, f"normalised_difference_{metric}", group=group)
    assert (found.n, found.label) == (chosen.sum(), None if metric == "error" else "yes")
    assert (found.before, found.after) == pytest.approx((before, after), rel=1e-12)
    assert found.value == pytest.approx(100 * (after - before) / before, rel=1e-12)


def test_a_normalised_difference_from_no_errors_is_undefined_and_keeps_its_counts() -> None:
    found = the(
        described(DATA, population("v", VARIANT), population("baseline", [LABELS, LABELS])),
        "normalised_difference_error",
        group=(),
    )
    assert (found.before, found.value) == (0, None)
    assert found.after > 0
    assert found.undefined == "the baseline makes no such error"


def test_a_group_under_the_smallest_size_is_undefined_and_says_how_small_it_is() -> None:
    data = dataset([1, 1, 1, 0] * 10, ["a"] * 36 + ["b"] * 4)
    decisions = [[1, 0] * 20, [0, 1] * 20]
    found = described(data, population("v", decisions), population("baseline", decisions), min_group=3)
    small = the(found, "normalised_difference_fpr", group=(("team", "b"),))
    assert small.value is None
    assert small.undefined == "1 examples in b, of the 3 that are needed"
    assert the(found, "normalised_difference_fnr", group=(("team", "b"),)).value is not None


def test_groups_are_counted_in_clusters_where_there_are_any() -> None:
    # b: 12 examples of 2 people, of whom one has no example without the positive class
    labels = [1, 0] * 20 + [1] * 6 + [1, 1, 1, 0, 0, 0]
    cluster = [*range(40), *[40] * 6, *[41] * 6]
    data = dataset(labels, ["a"] * 40 + ["b"] * 12, cluster=cluster)
    decisions = np.array([[1, 0, 0, 1] * 13, [0, 1, 1, 0] * 13])
    found = described(data, population("v", decisions), population("baseline", decisions), min_group=3)
    b = (("team", "b"),)
    assert the(found, "excess_accuracy_gap", group=b).undefined == "2 clusters in b, of the 3 that are needed"
    assert the(found, "normalised_difference_fnr", group=b).undefined.startswith("2 clusters")
    assert the(found, "normalised_difference_fpr", group=b).undefined.startswith("1 clusters")
    assert the(found, "normalised_difference_fpr", group=()).value == 0


def test_clusters_in_a_denominator_agree_with_a_plain_loop() -> None:
    from auditor.measure.counts import count_labels
    from auditor.measure.ground import survey

    labels, cluster = RNG.integers(0, 4, N), RNG.integers(0, 70, N)
    data = dataset(labels, TEAM, classes="pqrs", cluster=cluster)
    total = count_labels(labels, data.groups, 4)
    ground = survey(data, population("baseline", labels), total, min_group=2)
    for g, group in enumerate(data.groups.names):
        chosen = members_of(group)
        assert ground.size("accuracy")[g, 0] == len(set(cluster[chosen]))
        for c in range(4):
            assert ground.size("fnr")[g, c] == len(set(cluster[chosen & (labels == c)]))
            assert ground.size("fpr")[g, c] == len(set(cluster[chosen & (labels != c)]))


@pytest.mark.parametrize("group", GROUPS[1:])
def test_an_excess_accuracy_gap_is_what_a_group_loses_beyond_everybody(group) -> None:
    def accuracy(decisions, chosen):
        return np.mean([(d == LABELS)[chosen].mean() for d in decisions])

    chosen, everybody = members_of(group), np.ones(N, bool)
    expected = (accuracy(BASE, chosen) - accuracy(VARIANT, chosen)) - (
        accuracy(BASE, everybody) - accuracy(VARIANT, everybody)
    )
    assert the(FOUND, "excess_accuracy_gap", group=group).value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("group", GROUPS[1:])
def test_bias_amplification_is_the_share_of_predicted_less_the_share_of_true_positives(group) -> None:
    chosen = members_of(group)
    true = (LABELS[chosen] == 1).sum() / (LABELS == 1).sum()
    before, after = (np.mean([d[chosen].sum() / d.sum() for d in decisions]) - true for decisions in (BASE, VARIANT))
    found = the(FOUND, "bias_amplification", group=group)
    assert (found.before, found.after) == pytest.approx((before, after), rel=1e-12)
    assert found.value == pytest.approx(after - before, rel=1e-12)


def test_a_member_that_decides_for_nobody_has_no_bias_amplification() -> None:
    found = described(DATA, population("v", [LABELS, LABELS * 0]), population("baseline", BASE))
    one = the(found, "bias_amplification", group=(("team", "a"),))
    assert one.before is not None
    assert one.value is None
    assert "a member of the variant decides for the positive class never" in one.undefined


def test_without_a_positive_class_what_is_about_it_is_undefined_once() -> None:
    found = described(replace(DATA, positive=None), population("v", VARIANT), population("baseline", BASE))
    about = [d for d in found if d.undefined == "no positive class is declared"]
    assert {d.measure for d in about} == {
        *(m for m in MEASURES if m.startswith(("demographic", "equal"))),
        "bias_amplification",
    }
    assert len(about) == 7
    assert the(found, "normalised_difference_fpr", group=(), label="no").value is not None


def test_pairs_are_compared_where_both_members_finished() -> None:
    base = population("baseline", [LABELS, 1 - LABELS])
    # member 1 of the variant did not finish: member 0 of the baseline alone is compared
    variant = population("v", [1 - LABELS, LABELS], paired=True)
    short = replace(variant.predictions, members=(0,), decisions=variant.predictions.decisions[:1], digests=("v-0",))
    found = described(DATA, replace(variant, predictions=short), base)
    assert the(found, "normalised_difference_error", group=()).before == 0
    assert the(found, "excess_accuracy_gap", group=GROUPS[1]).before == 1


def test_without_a_finished_member_every_measure_is_undefined_with_the_reason() -> None:
    variant = population("v", np.zeros((0, N), int))
    found = described(DATA, variant, population("baseline", BASE))
    assert [d.measure for d in found] == list(MEASURES)
    assert {d.undefined for d in found} == {"no member finished"}


@pytest.mark.parametrize(
    ("base", "variant"),
    [
        (BASE, BASE),
        (BASE, np.zeros((2, N), int)),
        (np.ones((1, N), int), BASE),
        ([LABELS], [LABELS]),
        ([1 - LABELS], [LABELS]),
        (BASE[:1], VARIANT[:1]),
    ],
)
@pytest.mark.parametrize("labels", [LABELS, np.zeros(N, int), np.ones(N, int), np.arange(N) == 0])
@pytest.mark.parametrize("min_group", [0, 1, 10])
def test_extreme_members_and_labels_give_a_number_or_a_reason(base, variant, labels, min_group) -> None:
    data = dataset(np.asarray(labels, int), ["lone", *TEAM[1:]])
    found = described(data, population("v", variant), population("baseline", base), min_group=min_group)
    assert {d.measure for d in found} == set(MEASURES)
    for d in found:
        assert (d.value is None) == (d.undefined is not None)
        assert all(x is None or np.isfinite(x) for x in (d.before, d.after, d.value))


def test_a_class_that_no_test_example_has_is_undefined_and_the_others_are_not() -> None:
    labels = np.where(LABELS, 2, 0)
    data = dataset(labels, TEAM, classes=("p", "q", "r"))
    decisions = np.where(RNG.random((2, N)) < 0.8, labels, 1)
    found = described(data, population("v", decisions), population("baseline", decisions))
    absent = the(found, "normalised_difference_fnr", label="q")
    assert (absent.before, absent.value) == (None, None)
    assert "0 examples" in absent.undefined
    assert the(found, "normalised_difference_fnr", label="r").value == 0
    assert the(found, "normalised_difference_fpr", label="q").value == 0


def test_many_classes_are_described_for_everybody_alone() -> None:
    labels = RNG.integers(0, 3, N)
    data = dataset(labels, TEAM, classes=("p", "q", "r"))
    found = described(data, population("v", BASE), population("baseline", BASE))
    assert {d.group for d in found if d.label is not None} == {()}
    assert len([d for d in found if d.measure == "normalised_difference_error"]) == 4
