"""Collapsed members and what is measured on members."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from handmade import dataset, population

from auditor.measure.summary import has_collapsed, summarise_data, summarise_variant

RNG = np.random.default_rng(5)
LABELS = np.array([1] * 100 + [0] * 900)
DATA = dataset(LABELS, ["a", "b"] * 500)


def test_a_member_that_says_one_class_always_has_collapsed():
    assert has_collapsed(np.zeros(1000, int), DATA)


def test_a_member_at_chance_has_collapsed_and_a_poor_but_informed_one_has_not():
    assert has_collapsed(RNG.integers(0, 2, 1000), DATA)
    weak = np.where(RNG.random(1000) < np.where(LABELS == 1, 0.5, 0.1), 1, 0)
    assert not has_collapsed(weak, DATA)


def test_high_accuracy_by_the_majority_class_alone_is_chance():
    nearly = np.zeros(1000, int)
    nearly[[950, 960]] = 1
    assert (nearly == LABELS).mean() > 0.89
    assert has_collapsed(nearly, DATA)


def test_a_test_set_of_one_class_collapses_nobody():
    assert not has_collapsed(np.ones(10, int), dataset([1] * 10))


def test_what_was_measured_is_averaged_and_lists_are_the_first_members():
    made = replace(
        population("v", np.zeros((2, 1000), int)),
        measured=({"bytes": 10, "layers": ["x"], "latency_ms": 1.0}, {"bytes": 20, "layers": ["y"], "latency_ms": 2.0}),
    )
    found = summarise_variant(made, made, DATA)
    assert found.measured == {"bytes": 15.0, "layers": ["x"]}
    assert found.collapsed == 2


def test_groups_are_counted_by_class_with_their_reference():
    found = summarise_data(DATA)
    assert dict(found.groups)[(("team", "a"),)] == (450, 50)
    assert found.reference == {"team": "a"}
    assert found.positive == "yes"
    assert found.clusters is None


@pytest.mark.parametrize("clusters", [1, 10])
def test_clusters_are_counted(clusters):
    data = dataset(LABELS, cluster=np.arange(1000) % clusters)
    assert summarise_data(data).clusters == clusters
