"""Calibration by group against the loop of Guo et al.'s own code."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from handmade import dataset, described, population, the

from auditor.measure import calibration_error
from auditor.measure.calibration_error import calibrate

RNG = np.random.default_rng(20260303)
N = 400
TEAM = [("a", "b")[i] for i in RNG.integers(0, 2, N)]


def outputs(K, C):
    probabilities = RNG.dirichlet(np.ones(C) * 0.6, size=(K, N)).astype(np.float32)
    return probabilities, probabilities.argmax(axis=2)


def loop(labels, probabilities, decided):
    """Guo et al. 2017, as published with the paper: bins (low, high], weighted by their share."""
    confidence, right = probabilities.max(axis=1), decided == labels
    edges, error = np.linspace(0, 1, 16), 0.0
    for low, high in pairwise(edges):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            error += abs(confidence[inside].astype(float).mean() - right[inside].mean()) * inside.mean()
    return error


@pytest.mark.parametrize("C", [2, 5])
def test_expected_calibration_error_is_the_mean_over_members_of_the_published_loop(C) -> None:
    labels = RNG.integers(0, C, N)
    data = dataset(labels, TEAM, classes=tuple("vwxyz"[:C]))
    sides = [outputs(2, C), outputs(3, C)]
    base, variant = (population(n, d, probabilities=p) for n, (p, d) in zip(("baseline", "v"), sides, strict=True))
    found = described(data, variant, base)
    for group in data.groups.names:
        chosen = np.array([not group or team == group[0][1] for team in TEAM])
        before, after = (
            np.mean([loop(labels[chosen], q[chosen], e[chosen]) for q, e in zip(p, d, strict=True)]) for p, d in sides
        )
        one = the(found, "expected_calibration_error", group=group)
        assert (one.before, one.after) == pytest.approx((before, after), rel=1e-9)
        assert one.value == pytest.approx(after - before, rel=1e-9)
        assert one.n == chosen.sum()


def test_a_probability_on_the_edge_of_two_bins_belongs_to_the_lower() -> None:
    probabilities = np.array([[[0.4, 0.6], [0.35, 0.65]]])  # 0.6 = 9/15; the first is right, the second is not
    one = population("v", [[1, 1]], probabilities=probabilities)
    found = the(described(dataset([1, 0]), one, one), "expected_calibration_error", group=())
    assert found.after == pytest.approx((0.4 + 0.65) / 2)


def test_members_are_calibrated_alike_however_many_are_held_at_a_time(monkeypatch) -> None:
    probabilities, decisions = outputs(5, 3)
    data = dataset(RNG.integers(0, 3, N), TEAM, classes="xyz")
    variant = population("v", decisions, probabilities=probabilities)
    together = calibrate(data, variant.predictions)
    monkeypatch.setattr(calibration_error, "CELLS_AT_ONCE", 1)
    one_by_one = calibrate(data, variant.predictions)
    assert together.error.shape == (5, 3)
    assert together.error.tolist() == one_by_one.error.tolist()
    assert together.uncertain.tolist() == one_by_one.uncertain.tolist()


def test_a_prediction_is_uncertain_where_the_positive_class_is_neither_unlikely_nor_sure() -> None:
    p = np.array([0.05, 0.2, 0.5, 0.95, 0.8, 0.03])
    probabilities = np.stack([1 - p, p], axis=1)[None]
    team = ["a", "a", "a", "b", "b", "b"]
    data = dataset([0, 1, 0, 1, 0, 1], team)
    one = population("v", (p > 0.5)[None].astype(int), probabilities=probabilities)
    found = described(data, one, one)
    assert the(found, "uncertain_share", group=()).after == pytest.approx(3 / 6)
    assert the(found, "uncertain_share", group=(("team", "a"),)).after == pytest.approx(2 / 3)
    unnamed = described(replace(data, positive=None), one, one)
    assert the(unnamed, "uncertain_share", group=()).after == pytest.approx(3 / 6)


def test_a_prediction_among_many_classes_is_uncertain_under_nine_tenths() -> None:
    probabilities = np.array([[[0.91, 0.05, 0.04], [0.85, 0.1, 0.05], [0.4, 0.3, 0.3], [0.02, 0.95, 0.03]]])
    data = dataset([0, 0, 0, 1], classes="xyz")
    one = population("v", probabilities.argmax(axis=2), probabilities=probabilities)
    assert the(described(data, one, one), "uncertain_share", group=()).after == 0.5


def test_a_prediction_is_as_certain_as_the_class_that_was_decided() -> None:
    """One output says x, thirty say y, each less: x is decided, and y is more probable."""
    probabilities = np.array([[[0.06, 0.94, 0.0]]])
    one = population("v", [[0]], probabilities=probabilities)
    found = described(dataset([1], classes="xyz"), one, one, min_group=1)
    assert the(found, "uncertain_share", group=()).after == 1
    assert the(found, "expected_calibration_error", group=()).after == pytest.approx(0.06)


def test_without_probabilities_calibration_is_undefined_once_with_the_reason() -> None:
    probabilities, decisions = outputs(2, 2)
    data = dataset(RNG.integers(0, 2, N), TEAM)
    without, with_ = population("v", decisions), population("v", decisions, probabilities=probabilities)
    found = the(described(data, without, without), "expected_calibration_error")
    assert (found.value, found.undefined) == (None, "no probabilities are kept, only decisions")
    half = the(described(data, with_, without), "uncertain_share", group=())
    assert half.after is not None
    assert (half.value, half.undefined) == (None, "the baseline: no probabilities are kept, only decisions")


def test_probabilities_that_are_no_numbers_are_undefined_and_counted() -> None:
    probabilities, decisions = outputs(3, 2)
    probabilities[1, 7] = np.nan
    one = population("v", decisions, probabilities=probabilities)
    found = the(described(dataset(RNG.integers(0, 2, N), TEAM), one, one), "expected_calibration_error")
    assert found.undefined == "probabilities of 1 of 3 members are no finite numbers"


def test_a_small_group_has_no_calibration() -> None:
    probabilities, decisions = outputs(2, 2)
    one = population("v", decisions, probabilities=probabilities)
    data = dataset(RNG.integers(0, 2, N), ["lone", *TEAM[1:]])
    found = the(described(data, one, one, min_group=2), "expected_calibration_error", group=(("team", "lone"),))
    assert (found.before, found.value) == (None, None)
    assert found.undefined == "1 examples in lone, of the 2 that are needed"


def test_pairs_are_calibrated_where_both_members_finished() -> None:
    probabilities, decisions = outputs(2, 2)
    base = population("baseline", decisions, probabilities=probabilities)
    one = replace(base.predictions, members=(1,), decisions=decisions[1:], probabilities=probabilities[1:])
    one = replace(one, digests=one.digests[1:])
    data = dataset(RNG.integers(0, 2, N), TEAM)
    found = described(data, replace(base, name="v", paired=True, predictions=one), base)
    assert the(found, "expected_calibration_error", group=()).value == 0
