"""What a sample can show at all, against the bounds that judge."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from handmade import dataset, one, population

from auditor.measure.power import examples_for, needed, smallest_limit
from auditor.records import Bound, Estimate, Term


@pytest.mark.parametrize("n", [2, 19, 175, 590, 3000])
def test_the_smallest_limit_is_the_bound_of_an_audit_in_which_nothing_changes(n):
    same = np.ones((1, n), int)
    found = one(
        dataset(np.ones(n, int)),
        population("v", same, claim="artifact", paired=True, digests=["a"]),
        population("baseline", same, claim="artifact", digests=["b"]),
        "recall",
        "change",
        label=1,
    )
    assert smallest_limit(n, 0.95) == pytest.approx(min(-found.low, 1) if -found.low < 1 else smallest_limit(n, 0.95))
    assert found.low == pytest.approx(max(-1, -smallest_limit(n, 0.95)))


def test_one_example_excludes_nothing():
    assert smallest_limit(1, 0.95) == 1.0
    assert smallest_limit(0, 0.95) == 1.0


@pytest.mark.parametrize("limit", [0.005, 0.02, 0.05])
def test_the_fewest_examples_are_enough_and_one_fewer_is_not(limit):
    n = examples_for(limit, 0.95)
    assert smallest_limit(n, 0.95) <= limit < smallest_limit(n - 1, 0.95)
    assert n >= math.log(0.05) / math.log(1 - limit)


def estimate(terms, *, value=-0.01, compare="change", n=500):
    bound = Bound(center=value, terms=terms)
    return Estimate(
        variant="v", metric="recall", label="yes", group=(), compare=compare, value=value, low=None, high=None, n=n,
        members=10, claim="recipe", method="sum of terms", lower=bound, upper=bound,
    )  # fmt: skip


def audit(n, n_ref, members, rng):
    """A real estimate where decisions flip both ways at random, for all members alike."""
    team = ["a"] * n_ref + ["b"] * n
    sides = [np.repeat((rng.random((1, n + n_ref)) < 0.95).astype(int), members, axis=0) for _ in range(2)]
    return one(
        dataset(np.ones(n + n_ref, int), team),
        population("v", sides[0]),
        population("baseline", sides[1]),
        "recall",
        "disparity_change",
        label=1,
        group=2,
    )


def test_what_is_needed_for_a_gap_is_about_what_the_bound_at_that_size_needs():
    found = audit(150, 4000, 5, np.random.default_rng(1))
    what = needed(found, -0.03, -1, 0.95)
    assert what.members == 5
    assert what.examples > 150
    bounds = [audit(what.examples, 4000, 5, np.random.default_rng(seed)) for seed in range(20)]
    margins = [found.low - found.value for found in bounds]
    # four in five estimates of 0 fall short of it by less than 0.84 of their standard deviation
    room = 0.84 * np.std([found.value for found in bounds])
    assert np.mean(margins) - room == pytest.approx(-0.03, abs=0.006)


def file_pair(n, rng):
    """A file that decides 6% of the examples otherwise, as often for the better as for the worse."""
    before = rng.random((1, n)) < 0.5
    after = before ^ (rng.random((1, n)) < 0.06)
    pair = (
        population("v", after.astype(int), claim="artifact", paired=True),
        population("baseline", before.astype(int), claim="artifact"),
    )
    return one(dataset(np.ones(n, int)), *pair, "recall", "change", label=1)


def test_at_the_number_that_is_needed_four_audits_in_five_pass_if_there_is_no_harm():
    rng = np.random.default_rng(3)
    sizes = [needed(file_pair(400, rng), -0.02, -1, 0.95).examples for _ in range(20)]
    passed = [file_pair(size, rng).low >= -0.02 for size in sizes for _ in range(20)]
    assert np.mean(passed) == pytest.approx(0.8, abs=0.06)


def test_where_nothing_changes_the_need_is_the_fewest_examples_at_all():
    n = 19
    same = np.ones((1, n), int)
    pair = (population("v", same, claim="artifact", paired=True), population("baseline", same, claim="artifact"))
    found = one(dataset(np.ones(n, int)), *pair, "recall", "change", label=1)
    assert needed(found, -0.02, -1, 0.95).examples == examples_for(0.02, 0.95)


def test_clusters_are_what_is_needed_more_of():
    n, cluster = 1000, np.repeat(np.arange(50), 20)
    rng = np.random.default_rng(2)
    lost = (rng.random(50) < 0.1)[cluster].astype(int)
    pair = (
        population("v", [1 - lost], claim="artifact", paired=True),
        population("baseline", [np.roll(1 - lost, 20)], claim="artifact"),
    )
    found = one(dataset(np.ones(n, int), cluster=cluster), *pair, "recall", "change", label=1)
    what = needed(found, -0.05, -1, 0.95)
    assert what.examples > 2 * n
    assert what.examples % 20 == 0


def test_more_examples_settle_a_case_whose_members_agree():
    what = needed(estimate((Term(source="examples", variance=2e-4, df=499),)), -0.02, -1, 0.95)
    assert what.members == 10
    assert 500 < what.examples < 2000


def test_members_that_differ_too_much_must_become_more():
    terms = (Term(source="examples", variance=1e-5, df=499), Term(source="members", variance=4e-4, df=9))
    what = needed(estimate(terms), -0.02, -1, 0.95)
    assert 10 < what.members < 150
    assert what.examples == 500


def test_where_both_must_be_more_neither_is_asked_for_without_end():
    terms = (Term(source="examples", variance=4e-4, df=499), Term(source="members", variance=4e-4, df=9))
    what = needed(estimate(terms), -0.02, -1, 0.95)
    assert 10 < what.members < 200
    assert 500 < what.examples < 500 * 40


def test_a_rate_that_is_estimated_beyond_its_limit_cannot_be_settled():
    what = needed(estimate((Term(source="examples", variance=1e-4, df=99),), value=0.4, compare="value"), 0.5, -1, 0.95)
    assert (what.examples, what.members) == (None, None)


def test_where_the_other_group_is_the_small_one_it_is_what_must_grow():
    terms = (Term(source="examples", variance=1e-6, df=4999), Term(source="examples", variance=4e-4, df=99))
    found = replace(estimate(terms, compare="disparity_change", n=5000), against=(("team", "c"),))
    what = needed(found, -0.03, -1, 0.95)
    assert what.examples == 5000
    assert 1.5 < what.others < 10
    shift = 1.5 / (100 * what.others + 1.5) + 1.5 / 5001.5
    reach = (1.65 + 0.84) * math.sqrt(1e-6 + 4e-4 / what.others)
    assert shift + reach == pytest.approx(0.03, abs=0.006)


def test_where_both_groups_are_small_both_must_grow():
    terms = (Term(source="examples", variance=4e-4, df=99), Term(source="examples", variance=4e-4, df=99))
    what = needed(estimate(terms, compare="disparity_change", n=100), -0.02, -1, 0.95)
    assert what.others > 2
    assert what.examples == pytest.approx(100 * what.others)
