"""Limits of over-indexing: against statsmodels where it is right, against the score itself where it is not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats
from statsmodels.stats.proportion import confint_proportions_2indep

from auditor.measure.over_indexing import over_index, risk_ratio_limits


def limits(*counts, confidence=0.95):
    return tuple(float(end[0]) for end in risk_ratio_limits(*(np.array([x]) for x in counts), confidence=confidence))


@pytest.mark.parametrize(
    "counts",
    [
        (5, 40, 9, 200),
        (1, 10, 300, 1000),
        (0, 30, 4, 50),
        (3, 30, 0, 50),
        (10, 10, 3, 50),
        (30, 3000, 1, 20000),
        (1, 2, 2, 3),
    ],
)
@pytest.mark.parametrize("confidence", [0.95, 0.8])
def test_limits_of_the_risk_ratio_are_those_of_statsmodels(counts, confidence):
    with np.errstate(divide="ignore"):  # its own division, where there is no upper limit
        low, high = confint_proportions_2indep(*counts, compare="ratio", method="score", alpha=2 * (1 - confidence))
    assert limits(*counts, confidence=confidence) == pytest.approx((low, high), rel=1e-6)


def test_random_counts_agree_with_statsmodels():
    rng = np.random.default_rng(0)
    n_1, n_2 = rng.integers(5, 400, (2, 100))
    count_1, count_2 = rng.binomial(n_1 - 1, 0.1), 1 + rng.binomial(n_2 - 2, 0.1)
    found = np.stack(risk_ratio_limits(count_1, n_1, count_2, n_2, confidence=0.95), axis=1)
    expected = [
        confint_proportions_2indep(*row, compare="ratio", method="score", alpha=0.1)
        for row in np.stack([count_1, n_1, count_2, n_2], axis=1)
    ]
    assert found == pytest.approx(np.array(expected), rel=1e-5)


@pytest.mark.parametrize(("counts", "end"), [((10, 10, 50, 50), 0), ((0, 10, 50, 50), 1)])
def test_where_all_of_the_rest_are_exemplars_a_limit_is_where_the_score_rejects(counts, end):
    """All of the rest at ratio r < 1: its share is 1, the group's r, so the variance is r (1 - r) / n."""
    count, n = counts[0], counts[1]
    total, critical = counts[1] + counts[3], stats.norm.ppf(0.95)

    def beyond(r):
        return (count / n - r) / np.sqrt(r * (1 - r) / n * total / (total - 1)) - (critical if end == 0 else -critical)

    assert limits(*counts)[end] == pytest.approx(optimize.brentq(beyond, 1e-6, 1 - 1e-6), rel=1e-6)


def test_over_indexing_is_the_share_among_exemplars_over_the_share_of_the_test_set():
    count, n = np.array([40, 10, 30, 0]), np.array([1000, 100, 900, 50])
    found = over_index(count, n, confidence=0.95)
    assert found.value == pytest.approx((count / 40) / (n / 1000))
    low, high = limits(10, 100, 30, 900)
    w = 0.1
    assert found.low[1] == pytest.approx(low / (w * low + 1 - w))
    assert found.high[1] == pytest.approx(high / (w * high + 1 - w))
    assert (found.low[1:] <= found.value[1:]).all()
    assert (found.value[1:] <= found.high[1:]).all()
    assert found.low[3] == 0
    assert np.isnan(found.low[0])  # nobody else to compare with


def test_a_group_with_all_exemplars_is_limited_by_its_own_share():
    found = over_index(np.array([5, 5]), np.array([100, 20]), confidence=0.95)
    assert found.value[1] == found.high[1] == pytest.approx(5)
    assert 1 < found.low[1] < 5


def test_without_exemplars_or_examples_there_is_nothing():
    found = over_index(np.array([0, 0, 0]), np.array([10, 4, 0]), confidence=0.95)
    assert np.isnan([found.value, found.low, found.high]).all()
