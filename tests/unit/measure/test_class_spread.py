"""CEV, SDE and recall distortion against loops and scipy's regression; ambiguity against a count by hand."""

from __future__ import annotations

import numpy as np
import pytest
from handmade import dataset, described, population, the
from scipy import stats

RNG = np.random.default_rng(20260304)
N, C = 900, 6
LABELS = RNG.integers(0, C, N)


def wrong(share, K):
    return np.where(RNG.random((K, N)) < share[LABELS], RNG.integers(0, C, (K, N)), LABELS)


BASE, VARIANT = wrong(np.linspace(0.1, 0.3, C), 3), wrong(np.linspace(0.1, 0.7, C), 4)
FOUND = described(dataset(LABELS, classes="abcdef"), population("v", VARIANT), population("baseline", BASE))


def rate(decisions, c, positive):
    chosen = (c == LABELS) if positive else (c != LABELS)
    return np.mean([((d == c) != positive)[chosen].mean() for d in decisions])


def relative(positive):
    pairs = [(rate(BASE, c, positive), rate(VARIANT, c, positive)) for c in range(C)]
    return np.array([(after - before) / before for before, after in pairs])


def test_cev_is_the_mean_squared_distance_of_relative_changes_to_their_mean() -> None:
    points = np.stack([relative(positive=False), relative(positive=True)], axis=1)
    middle = points.mean(axis=0)
    expected = np.mean([np.linalg.norm(point - middle) ** 2 for point in points])
    found = the(FOUND, "cev")
    assert found.value == pytest.approx(expected, rel=1e-9)
    assert (found.n, found.remark) == (N, "")


def test_sde_is_the_mean_distance_between_the_relative_changes() -> None:
    expected = np.mean(np.abs(relative(positive=True) - relative(positive=False)))
    assert the(FOUND, "sde").value == pytest.approx(expected, rel=1e-9)


def test_classes_in_which_the_baseline_makes_no_error_are_left_out_and_counted() -> None:
    base = np.where(LABELS == 2, 2, BASE)
    found = described(dataset(LABELS, classes="abcdef"), population("v", VARIANT), population("baseline", base))
    assert the(found, "cev").remark == "left out: 1 classes in which a rate of the baseline is 0"
    assert the(found, "cev").n == (LABELS != 2).sum()
    perfect = described(dataset(LABELS, classes="abcdef"), population("v", VARIANT), population("baseline", [LABELS]))
    none = "relative changes of both rates are known for 0 classes"
    assert the(perfect, "cev").undefined == f"{none}, of the 2 that are needed"
    assert the(perfect, "sde").undefined == f"{none}, of the 1 that are needed"


def test_recall_distortion_is_scipys_slope_of_relative_recall() -> None:
    x, y = (
        [np.mean([(d == c)[c == LABELS].mean() for d in decisions]) for c in range(C)] for decisions in (BASE, VARIANT)
    )
    before, after = (np.mean(decisions == LABELS) for decisions in (BASE, VARIANT))
    expected = stats.linregress((np.array(x) - before) / before, (np.array(y) - after) / after).slope
    assert the(FOUND, "recall_distortion").value == pytest.approx(expected, rel=1e-9)


def test_an_unchanged_variant_distorts_nothing() -> None:
    found = described(dataset(LABELS, classes="abcdef"), population("v", BASE), population("baseline", BASE))
    assert the(found, "recall_distortion").value == pytest.approx(1)
    assert the(found, "cev").value == the(found, "sde").value == 0


@pytest.mark.parametrize(
    ("base", "variant", "why"),
    [
        ([LABELS], [LABELS], "all classes have the same recall in the baseline"),
        ([(LABELS + 1) % C], [LABELS], "accuracy is 0"),
        ([LABELS], [(LABELS + 1) % C], "accuracy is 0"),
    ],
)
def test_recall_distortion_without_a_spread_or_accuracy_is_undefined(base, variant, why) -> None:
    found = described(dataset(LABELS, classes="abcdef"), population("v", variant), population("baseline", base))
    assert the(found, "recall_distortion").undefined == why


def test_small_classes_are_left_out_and_counted() -> None:
    labels = np.append(LABELS, [6])
    base, variant = (np.append(d, [[0]] * len(d), axis=1) for d in (BASE, VARIANT))
    data = dataset(labels, classes="abcdefg")
    found = described(data, population("v", variant), population("baseline", base), min_group=2)
    assert the(found, "recall_distortion").remark == "left out: 1 classes with fewer than 2 examples"
    assert the(found, "sde").remark == "left out: 1 classes with fewer than 2 examples"
    assert the(found, "sde").n == N


def test_ambiguity_and_discrepancy_are_relative_to_the_first_member() -> None:
    base = [[0, 0, 0, 0, 0], [0, 0, 0, 0, 1], [0, 0, 0, 1, 1]]
    variant = [[1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [1, 0, 1, 0, 0]]
    found = described(dataset([0, 1, 0, 1, 0]), population("v", variant), population("baseline", base))
    ambiguity, discrepancy = the(found, "ambiguity"), the(found, "discrepancy")
    assert (ambiguity.before, ambiguity.after, ambiguity.value) == pytest.approx((2 / 5, 3 / 5, 1 / 5))
    assert (discrepancy.before, discrepancy.after, discrepancy.value) == pytest.approx((2 / 5, 2 / 5, 0))


def test_copies_of_one_model_are_no_set_of_models() -> None:
    one = population("v", [[0, 1, 0, 1]] * 3, digests=["same"] * 3)
    found = the(
        described(dataset([0, 1, 0, 1]), one, population("baseline", [[0, 1, 0, 1], [1, 1, 0, 1]])), "ambiguity"
    )
    assert (found.before, found.after, found.value) == (0.25, None, None)
    assert found.undefined == "one model alone is no set of models: the variant"
