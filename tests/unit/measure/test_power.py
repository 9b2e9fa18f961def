"""What a sample can show at all, against the bounds that judge."""

from __future__ import annotations

import math

import numpy as np
import pytest
from handmade import dataset, one, population

from auditor.measure.power import MOST, examples_for, needed, smallest_limit
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


def test_more_examples_settle_a_case_whose_members_agree():
    what = needed(estimate((Term(source="examples", variance=2e-4, df=499),)), -0.02, -1, 0.95)
    assert what.members is None
    assert 500 < what.examples < 2000


def test_members_that_differ_too_much_must_become_more():
    terms = (Term(source="examples", variance=1e-5, df=499), Term(source="members", variance=4e-4, df=9))
    what = needed(estimate(terms), -0.02, -1, 0.95)
    assert what.members > 10
    assert what.examples < MOST


def test_a_rate_that_is_estimated_beyond_its_limit_cannot_be_settled():
    what = needed(estimate((Term(source="examples", variance=1e-4, df=99),), value=0.4, compare="value"), 0.5, -1, 0.95)
    assert (what.examples, what.members) == (None, None)
