"""Sums over examples that variances need, by group, from vote shares in one pass."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

import numpy as np

from auditor.measure.counts import sum_over_groups

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.records import BoolArray, FloatArray, Groups, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Of Q quantities over the examples of a denominator, by group and class.

    A cluster's A is its sum of a quantity, its m its number of examples; without clusters every example is one, with
    m = 1.
    """

    examples: FloatArray
    """[G, J]."""
    clusters: FloatArray
    """[G, J]."""
    total: FloatArray
    """[Q, G, J]: sum of A."""
    square: FloatArray
    """[Q, Q, G, J]: sum of products of A."""
    cross: FloatArray
    """[Q, G, J]: sum of A m."""
    size_square: FloatArray
    """[G, J]: sum of m squared."""


def moments(quantities: Sequence[FloatArray], inside: BoolArray, groups: Groups, cluster: IntArray | None) -> Moments:
    """Add up quantities, each [N, J], over the examples that are inside [N, J] their denominator, by group."""
    a = [np.where(inside, quantity, 0.0) for quantity in quantities]
    if cluster is not None:
        return _clustered(a, inside, groups, cluster)
    pairs = list(combinations_with_replacement(range(len(a)), 2))
    columns = np.hstack([inside.astype(np.float64), *a, *(a[q] * a[r] for q, r in pairs)])
    n, *sums = np.split(_by_group(columns, groups), 1 + len(a) + len(pairs), axis=1)
    total = np.stack(sums[: len(a)])
    return Moments(
        examples=n, clusters=n, total=total, square=_symmetric(sums[len(a) :], len(a)), cross=total, size_square=n
    )


def _by_group(x: FloatArray, groups: Groups) -> FloatArray:
    cells = groups.membership.shape[1]
    columns = [np.bincount(groups.cell_of, weights=column, minlength=cells) for column in x.T]
    return sum_over_groups(groups.membership, np.stack(columns, axis=1))


def _symmetric(upper: Sequence[FloatArray], size: int) -> FloatArray:
    """Lay out the upper triangle as a whole matrix, [Q, Q, …]."""
    square = np.empty((size, size, *upper[0].shape))
    for (q, r), one in zip(combinations_with_replacement(range(size), 2), upper, strict=True):
        square[q, r] = square[r, q] = one
    return square


def _clustered(a: list[FloatArray], inside: BoolArray, groups: Groups, cluster: IntArray) -> Moments:
    """A cluster may spread over cells, so its sums must be had group by group."""
    known, J = int(cluster.max()) + 1, inside.shape[1]
    sums = np.empty((len(groups.names), J, len(a) + 1, len(a) + 1))
    clusters, linear = np.empty((len(groups.names), J)), np.empty((len(groups.names), J, len(a) + 1))
    for g, row in enumerate(groups.membership):
        here = row[groups.cell_of]
        for j in range(J):
            chosen = here & inside[:, j]
            of = cluster[chosen]
            # the size m stands last, as one quantity more, so that one product of matrices gives every sum
            A = np.stack([np.bincount(of, weights=one[chosen, j], minlength=known) for one in a])
            A = np.vstack([A, np.bincount(of, minlength=known)])
            sums[g, j], linear[g, j], clusters[g, j] = A @ A.T, A.sum(axis=1), (A[-1] > 0).sum()
    square = np.moveaxis(sums, (2, 3), (0, 1))
    return Moments(
        examples=linear[:, :, -1],
        clusters=clusters,
        total=np.moveaxis(linear[:, :, :-1], 2, 0),
        square=square[:-1, :-1],
        cross=square[:-1, -1],
        size_square=square[-1, -1],
    )
