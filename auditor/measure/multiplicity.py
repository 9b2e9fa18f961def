"""Corrections for several comparisons (statistics: section 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

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
