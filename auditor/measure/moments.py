"""Sums over examples that variances need, by group, from vote shares in one pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from auditor.measure.counts import sum_over_groups

if TYPE_CHECKING:
    from auditor.records import BoolArray, FloatArray, Groups, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Of a quantity a[i] over the examples of a denominator, by group and class; every field is [G, J].

    A cluster's A is its sum of a, its m its number of examples; without clusters every example is one, with m = 1.
    """

    examples: FloatArray
    clusters: FloatArray
    total: FloatArray
    """Sum of A."""
    square: FloatArray
    """Sum of A squared."""
    cross: FloatArray
    """Sum of A m."""
    size_square: FloatArray
    """Sum of m squared."""


def moments(a: FloatArray, inside: BoolArray, groups: Groups, cluster: IntArray | None) -> Moments:
    """Add up a [N, J] over the examples that are inside [N, J] their denominator, by group."""
    a = np.where(inside, a, 0.0)
    if cluster is not None:
        return _clustered(a, inside, groups, cluster)
    n, total, square = np.split(_by_group(np.hstack([inside.astype(np.float64), a, a * a]), groups), 3, axis=1)
    return Moments(examples=n, clusters=n, total=total, square=square, cross=total, size_square=n)


def _by_group(x: FloatArray, groups: Groups) -> FloatArray:
    cells = groups.membership.shape[1]
    columns = [np.bincount(groups.cell_of, weights=column, minlength=cells) for column in x.T]
    return sum_over_groups(groups.membership, np.stack(columns, axis=1))


def _clustered(a: FloatArray, inside: BoolArray, groups: Groups, cluster: IntArray) -> Moments:
    """A cluster may spread over cells, so its sums must be had group by group."""
    known = int(cluster.max()) + 1
    sums = np.empty((6, len(groups.names), a.shape[1]))
    for g, row in enumerate(groups.membership):
        here = row[groups.cell_of]
        for j in range(a.shape[1]):
            chosen = here & inside[:, j]
            A = np.bincount(cluster[chosen], weights=a[chosen, j], minlength=known)
            m = np.bincount(cluster[chosen], minlength=known)
            sums[:, g, j] = m.sum(), (m > 0).sum(), A.sum(), (A * A).sum(), (A * m).sum(), (m * m).sum()
    examples, clusters, total, square, cross, size_square = sums
    return Moments(
        examples=examples, clusters=clusters, total=total, square=square, cross=cross, size_square=size_square
    )
