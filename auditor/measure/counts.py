"""The waist: what every number needs of the decisions, counted in one pass.

For every rate of a class it is enough to know, by member, group and class, how many were decided as the class and how
many of those rightly. That is linear in the number of classes; a table of true by decided class would be quadratic.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from auditor.records import BoolArray, FloatArray, Groups, IntArray, Population, Predictions

ENTRIES_AT_ONCE = 2**25
"""Entries of the table of cells by members and classes that are made at one time: 256 MiB."""
GROUPS_AT_ONCE = 256
"""Rows of the membership matrix made floating at one time: bounds the memory of many intersections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberCounts:
    """Decisions of one population, by member, group and class."""

    correct: IntArray
    """[K, G, C]: examples of the class that are decided as it."""
    decided: IntArray
    """[K, G, C]: examples decided as the class."""


def sum_over_groups(membership: BoolArray, cells: FloatArray) -> FloatArray:
    """Add up what belongs to each group: [G, cell] times [cell, columns]."""
    blocks = (
        membership[start : start + GROUPS_AT_ONCE].astype(np.float64) @ cells
        for start in range(0, len(membership), GROUPS_AT_ONCE)
    )
    return np.concatenate(list(blocks))


def count_labels(labels: IntArray, groups: Groups, classes: int) -> IntArray:
    """Count the examples of each true class in each group, [G, C]."""
    cells = groups.membership.shape[1]
    table = np.bincount(groups.cell_of * classes + labels, minlength=cells * classes).reshape(cells, classes)
    return np.rint(sum_over_groups(groups.membership, table.astype(np.float64))).astype(np.int64)


def count_decisions(decisions: IntArray, labels: IntArray, groups: Groups, classes: int) -> MemberCounts:
    """Count the decisions [K, N] of a population's members, a few members at a time."""
    cells = groups.membership.shape[1]
    at_once = max(1, ENTRIES_AT_ONCE // (2 * cells * classes))
    parts = [
        _count(decisions[start : start + at_once], labels, groups, classes)
        for start in range(0, len(decisions), at_once)
    ]
    sums = np.concatenate(parts, axis=2) if parts else np.zeros((len(groups.names), 2, 0, classes), np.int64)
    correct, decided = sums.transpose(1, 2, 0, 3)
    return MemberCounts(correct=correct, decided=decided)


def _count(decisions: IntArray, labels: IntArray, groups: Groups, classes: int) -> IntArray:
    """Count who is decided rightly, and who is decided so, [G, 2, K, C]."""
    cells, members = groups.membership.shape[1], len(decisions)
    tables = np.empty((cells, 2, members, classes))
    for member, decided in enumerate(decisions):
        slots = groups.cell_of * classes + decided
        right = decided == labels
        tables[:, 0, member] = np.bincount(slots[right], minlength=cells * classes).reshape(cells, classes)
        tables[:, 1, member] = np.bincount(slots, minlength=cells * classes).reshape(cells, classes)
    sums = np.rint(sum_over_groups(groups.membership, tables.reshape(cells, -1))).astype(np.int64)
    return sums.reshape(len(sums), 2, members, classes)


def vote_shares(decisions: IntArray, classes: int) -> FloatArray:
    """Give the share of members [K, N] that decide for each class, [N, C]."""
    members, examples = decisions.shape
    votes = np.empty((examples, classes))
    step = max(1, ENTRIES_AT_ONCE // (8 * max(members, classes)))
    for start in range(0, examples, step):
        some = decisions[:, start : start + step]
        n = some.shape[1]
        slots = np.arange(n) * classes + some
        votes[start : start + n] = np.bincount(slots.ravel(), minlength=n * classes).reshape(n, classes)
    return np.divide(votes, max(members, 1), out=votes)


def number_alike(columns: Iterable[tuple[IntArray, int]]) -> tuple[IntArray, IntArray]:
    """Number the examples that are alike in all columns: an example of each kind, [T], and the kind of each, [N].

    `columns` are [N] each, of whole numbers from 0, with how many there are.
    """
    code, size = np.zeros(1, np.int64), 1
    for column, values in columns:
        if size * values > np.iinfo(np.int64).max:
            # made dense before it overflows
            code = np.unique(code, return_inverse=True)[1]
            size = int(code.max(initial=-1)) + 1
        code, size = code * values + column, size * values
    _, first, kind_of = np.unique(code, return_index=True, return_inverse=True)
    return first, kind_of


def blocks_of(*digests: Sequence[str]) -> IntArray:
    """Number the blocks of members that are no evidence apart from one another, [K].

    Members are of one block where they share a digest; pairs, given by two lists, where they share either side's. One
    file compressed K times is one member, and K files compressed from two baselines are evidence of two.
    """
    block_of: list[int] = []
    owner: dict[tuple[int, str], int] = {}
    for place, keys in enumerate(zip(*digests, strict=True)):
        sides = list(enumerate(keys))
        joined = {block_of[owner[side]] for side in sides if side in owner}
        block_of = [min(joined) if block in joined else block for block in block_of]
        block_of.append(min(joined, default=place))
        for side in sides:
            owner.setdefault(side, place)
    return np.unique(np.array(block_of, int), return_inverse=True)[1]


def first_of_each(blocks: IntArray) -> IntArray:
    """Give the place of the first member of each block: members that are evidence apart from one another."""
    return np.unique(blocks, return_index=True)[1]


def take(predictions: Predictions, places: list[int]) -> Predictions:
    """Keep the members at these places."""
    probabilities = predictions.probabilities
    return replace(
        predictions,
        members=tuple(predictions.members[k] for k in places),
        decisions=predictions.decisions[places],
        probabilities=None if probabilities is None else probabilities[places],
        digests=tuple(predictions.digests[k] for k in places),
    )


def align(population: Population, baseline: Population) -> tuple[Predictions, Predictions]:
    """Give the members of a variant and of the baseline that are compared: for pairs, those where both finished."""
    ours, theirs = population.predictions, baseline.predictions
    if not population.paired:
        return ours, theirs
    both = sorted(set(ours.members) & set(theirs.members))
    return (
        take(ours, [ours.members.index(k) for k in both]),
        take(theirs, [theirs.members.index(k) for k in both]),
    )
