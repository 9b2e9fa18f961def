"""Sums over examples that variances need, by group, from vote shares in one pass."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, combinations_with_replacement, islice
from typing import TYPE_CHECKING

import numpy as np

from auditor.measure.counts import sum_over_groups

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from auditor.records import BoolArray, FloatArray, Groups, IntArray


COLUMNS_AT_ONCE = 512
EXAMPLES_AT_ONCE = 2**20


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Summands:
    """What is summed for one rate."""

    quantities: Sequence[FloatArray]
    """Q arrays [N, J]."""
    inside: BoolArray
    """[N, J]: whether an example is in the rate's denominator."""


def moments(wanted: Iterable[Summands], groups: Groups, cluster: IntArray | None) -> list[Moments]:
    """Add up the quantities of several rates over the examples inside their denominators, by group.

    Rates are taken one after another, so that the quantities of one need be in memory. The sum over groups is of all
    together, since it costs nearly the same for many columns as for one; but no more than COLUMNS_AT_ONCE, so that a
    thousand classes fit into memory.
    """
    if cluster is not None:
        return [_clustered(one, groups, cluster) for one in wanted]
    shapes: list[tuple[int, int]] = []
    summed = iter(list(_sums_by_group(_all_sums(wanted, groups, shapes), groups)))
    return [_lay_out(J, Q, summed) for J, Q in shapes]


def _all_sums(wanted: Iterable[Summands], groups: Groups, shapes: list[tuple[int, int]]) -> Iterator[FloatArray]:
    """Sum, for each rate and class, who is inside, the quantities, and their products, by cell; note classes and Q."""
    for one in wanted:
        J, Q = one.inside.shape[1], len(one.quantities)
        shapes.append((J, Q))
        for j in range(J):
            yield from _sums_by_cell(one, j, groups)


def _sums_by_cell(one: Summands, j: int, groups: Groups) -> FloatArray:
    """Sum for one class, [1 + Q + pairs, cell], some examples at a time."""
    Q, cells = len(one.quantities), groups.membership.shape[1]
    pairs = list(combinations_with_replacement(range(Q), 2))
    sums = np.zeros((1 + Q + len(pairs), cells))
    for start in range(0, len(one.inside), EXAMPLES_AT_ONCE):
        rows = slice(start, start + EXAMPLES_AT_ONCE)
        inside, cell_of = one.inside[rows, j], groups.cell_of[rows]
        a = [np.where(inside, quantity[rows, j], 0.0) for quantity in one.quantities]
        columns = chain([inside.astype(np.float64)], a, (a[q] * a[r] for q, r in pairs))
        for place, column in enumerate(columns):
            sums[place] += np.bincount(cell_of, weights=column, minlength=cells)
    return sums


def _sums_by_group(by_cell: Iterator[FloatArray], groups: Groups) -> Iterator[FloatArray]:
    """Sum each column, [cell], over the cells of every group, [G]."""
    while batch := list(islice(by_cell, COLUMNS_AT_ONCE)):
        yield from sum_over_groups(groups.membership, np.stack(batch, axis=1)).T


def _lay_out(J: int, Q: int, summed: Iterator[FloatArray]) -> Moments:
    """Take one rate's sums, in the order of `_all_sums`, into arrays by quantity, group and class."""
    pairs = list(combinations_with_replacement(range(Q), 2))
    sums = np.stack([[next(summed) for _ in range(1 + Q + len(pairs))] for _ in range(J)], axis=-1)
    n, total = sums[0], sums[1 : 1 + Q]
    square = np.empty((Q, Q, *n.shape))
    for (q, r), product in zip(pairs, sums[1 + Q :], strict=True):
        square[q, r] = square[r, q] = product
    return Moments(examples=n, clusters=n, total=total, square=square, cross=total, size_square=n)


def _clustered(one: Summands, groups: Groups, cluster: IntArray) -> Moments:
    """A cluster may spread over cells, so its sums must be had group by group."""
    a, inside = one.quantities, one.inside
    known, J = int(cluster.max()) + 1, inside.shape[1]
    sums = np.empty((len(groups.names), J, len(a) + 1, len(a) + 1))
    clusters, linear = np.empty((len(groups.names), J)), np.empty((len(groups.names), J, len(a) + 1))
    for g, row in enumerate(groups.membership):
        here = row[groups.cell_of]
        for j in range(J):
            chosen = here & inside[:, j]
            of = cluster[chosen]
            # the size m stands last, as one quantity more, so that one product of matrices gives every sum
            A = np.stack([np.bincount(of, weights=own[chosen, j], minlength=known) for own in a])
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
