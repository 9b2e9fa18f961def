"""Exemplars against a count by hand."""

from __future__ import annotations

import numpy as np
import pytest
from handmade import dataset, population, setting

from auditor.measure.counts import vote_shares
from auditor.measure.exemplars import find_exemplars, modal_class

LABELS = [1, 1, 1, 1, 0, 0, 0, 0]
TEAM = ["a", "a", "b", "b", "a", "a", "b", "b"]
BASE = [[1, 1, 1, 0, 0, 0, 0, 0]] * 3
VARIANT = [[1, 1, 0, 0, 0, 0, 0, 1], [1, 1, 0, 0, 0, 0, 0, 1], [0, 1, 1, 0, 0, 0, 0, 0]]


def exemplars(variant=VARIANT, base=BASE):
    return find_exemplars(setting(dataset(LABELS, TEAM), population("v", variant), population("baseline", base)))


def test_an_exemplar_is_an_example_whose_modal_decision_changes():
    found = exemplars()
    assert (found.count, found.rate) == (2, 0.25)
    by_group = {(e.group, e.label): (e.n, e.count) for e in found.by_group}
    assert by_group[((("team", "b"),), None)] == (4, 2)
    assert by_group[((("team", "a"),), None)] == (4, 0)
    assert by_group[((), "yes")] == (4, 1)
    assert by_group[((), "no")] == (4, 1)


def test_over_indexing_is_the_share_among_exemplars_over_the_share_of_the_test_set():
    shares = {e.group: e.over_indexing for e in exemplars().by_group if e.label is None}
    assert shares == {(): 1.0, (("team", "a"),): 0.0, (("team", "b"),): 2.0}


def test_accuracy_on_and_off_exemplars_is_the_mean_over_members():
    found = exemplars()
    base, variant = np.array(BASE), np.array(VARIANT)
    on = np.array([False, False, True, False, False, False, False, True])
    labels = np.array(LABELS)
    assert found.accuracy_on == pytest.approx(tuple((d[:, on] == labels[on]).mean() for d in (base, variant)))
    assert found.accuracy_off == pytest.approx(tuple((d[:, ~on] == labels[~on]).mean() for d in (base, variant)))
    assert found.accuracy_all == pytest.approx(tuple((d == labels).mean() for d in (base, variant)))


def test_identical_populations_have_no_exemplars_and_no_over_indexing():
    found = exemplars(variant=BASE)
    assert found.count == 0
    assert found.accuracy_on is None
    assert {e.over_indexing for e in found.by_group} == {None}


def test_ties_go_to_the_highest_class():
    votes = vote_shares(np.array([[0, 2, 1], [2, 1, 1]]), 3)
    assert list(modal_class(votes)) == [2, 2, 1]
