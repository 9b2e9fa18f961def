"""Corrections for several comparisons (statistics: section 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from auditor.measure.permutation import at_least

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.records import FloatArray


def holm(p: Sequence[float]) -> FloatArray:
    """Adjust p so that rejecting what is at most alpha keeps the family-wise error at alpha (Holm 1979)."""
    values = np.asarray(p, float)
    order = np.argsort(values)
    adjusted = np.empty(len(values))
    adjusted[order] = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    return np.minimum(adjusted, 1)


def benjamini_hochberg(p: Sequence[float]) -> FloatArray:
    """Adjust p so that rejecting what is at most alpha keeps the false discovery rate at alpha (1995)."""
    values = np.asarray(p, float)
    order = np.argsort(values)[::-1]
    adjusted = np.empty(len(values))
    adjusted[order] = np.minimum.accumulate(values[order] * len(values) / np.arange(len(values), 0, -1))
    return np.minimum(adjusted, 1)


def max_t(statistics: FloatArray) -> FloatArray:
    """Adjust p by the largest statistic of each deal, step-down (Westfall and Young 1993, algorithm 4.1), [G].

    `statistics` is [D, G], large is evidence; the first deal is what was observed. Strong control of the family-wise
    error; never larger than what the largest of all statistics (single-step) would give.
    """
    if not statistics.shape[1]:
        return np.empty(0)
    order = np.argsort(statistics[0], kind="stable")
    largest = np.maximum.accumulate(statistics[:, order], axis=1)
    p = (largest >= at_least(statistics[0, order])).mean(axis=0)
    adjusted = np.empty(len(p))
    adjusted[order] = np.maximum.accumulate(p[::-1])[::-1]
    return adjusted
