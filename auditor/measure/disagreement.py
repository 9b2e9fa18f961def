"""How much more members of baseline and variant disagree than members of one population do (statistics: section 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from auditor.measure.counts import GROUPS_AT_ONCE
from auditor.measure.multiplicity import max_t
from auditor.measure.permutation import p_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.measure.permutation import Dealing
    from auditor.records import BoolArray, Dataset, FloatArray, IntArray

COMPARED_AT_ONCE = 1_000_000
"""Decisions of member pairs that are compared at one time: bounds the memory of many members and examples."""
DEALS_AT_ONCE = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Excess:
    """Excess disagreement and its p by place; every field is [P], NaN where it is undefined."""

    value: FloatArray
    p: FloatArray
    """NaN where all deals give the same."""
    p_max_t: FloatArray


def count_disagreements(decisions: IntArray, part_of: IntArray, membership: BoolArray) -> FloatArray:
    """Count, for every two of M members, the examples on which they decide differently, [G, M (M - 1) / 2].

    `decisions` is [M, N]; `part_of` [N] sorts the examples into parts, `membership` [G, part] the parts into groups.
    Only whether decisions are equal matters, so the number of classes costs nothing. Pairs stand as in `pairs_of`.
    """
    a, b = pairs_of(len(decisions))
    order = np.argsort(part_of, kind="stable")
    found = np.zeros((len(membership), len(a)))
    step = max(1, COMPARED_AT_ONCE // max(1, len(a)))
    for start in range(0, len(order), step):
        here = order[start : start + step]
        block = np.ascontiguousarray(decisions[:, here])
        parts, differ = _by_part(part_of[here], (block[a] != block[b]).view(np.int8))
        for first in range(0, len(membership), GROUPS_AT_ONCE):
            rows = slice(first, first + GROUPS_AT_ONCE)
            # in single precision, which is exact for counts below 2^24, and there are fewer in a block
            found[rows] += membership[rows][:, parts].astype(np.float32) @ differ.T
    return found


def _by_part(part_of: IntArray, differ: IntArray) -> tuple[IntArray, FloatArray]:
    """Add up what differs [pairs, n] within parts, which follow each other; many small parts stay as they are."""
    parts, starts = np.unique(part_of, return_index=True)
    if 2 * len(parts) > len(part_of):
        return part_of, differ.astype(np.float32)
    return parts, np.add.reduceat(differ, starts, axis=1, dtype=np.int32).astype(np.float32)


def count_by_place(dataset: Dataset, decisions: IntArray) -> FloatArray:
    """Count disagreements of members [M, N] in every group, then in every class of everybody, [P, M (M - 1) / 2]."""
    groups = dataset.groups
    in_groups = count_disagreements(decisions, groups.cell_of, groups.membership)
    by_class = count_disagreements(decisions, dataset.labels, np.eye(len(dataset.classes), dtype=bool))
    return np.concatenate([in_groups, by_class])


def pairs_of(members: int) -> tuple[IntArray, IntArray]:
    """List all pairs of different members, lower place first."""
    a, b = np.triu_indices(members, 1)
    return a, b


def excess_sums(disagreements: FloatArray, dealing: Dealing) -> tuple[FloatArray, int]:
    """Give the excess of every deal times a whole number and the examples, [D, P], and that number.

    between - (within baseline + within variant) / 2, each the mean over pairs of members; paired: between members of
    different pairs. On whole numbers, so that deals which tie are equal to the last digit.
    """
    a, b = pairs_of(dealing.of_variant.shape[1])
    sums = [
        _weights(dealing.of_variant[start : start + DEALS_AT_ONCE], a, b, dealing) @ disagreements.T
        for start in range(0, len(dealing.of_variant), DEALS_AT_ONCE)
    ]
    return np.concatenate(sums), _denominator(dealing)


def _denominator(dealing: Dealing) -> int:
    k_baseline, k_variant = len(dealing.baseline), len(dealing.variant)
    pairs = k_variant * (k_variant - 1)
    return pairs if dealing.paired else pairs * k_baseline * (k_baseline - 1)


def _weights(of_variant: BoolArray, a: IntArray, b: IntArray, dealing: Dealing) -> FloatArray:
    """Give what each pair of members weighs in each deal, [deals, pairs], times the denominator."""
    k_baseline, k_variant = len(dealing.baseline), len(dealing.variant)
    first, second = of_variant[:, a], of_variant[:, b]
    if dealing.paired:
        return np.where(first == second, -1.0, 1.0) * (b - a != k_variant)
    within = np.where(first, float(k_baseline * (k_baseline - 1)), float(k_variant * (k_variant - 1)))
    return np.where(first == second, -within, float((k_baseline - 1) * (k_variant - 1)))


def excess_by_place(disagreements: FloatArray, n: IntArray, dealing: Dealing, families: Sequence[IntArray]) -> Excess:
    """Test the excess [P] by deals, one-sided, with step-down max-T within each family of places.

    `disagreements` is [P, pairs], `n` [P] the examples. For max-T each place is studentised by the standard deviation
    of its own deals; their mean is 0, by symmetry. Places in no family are not tested.
    """
    value, p, p_max_t = (np.full(len(n), np.nan) for _ in range(3))
    tested = np.unique(np.concatenate(families)).astype(int)
    sums, denominator = excess_sums(disagreements[tested], dealing)
    value[tested] = sums[0] / denominator / n[tested]
    spread = np.sqrt((sums * sums).mean(axis=0))
    varied = spread > 0
    p[tested[varied]] = p_values(sums[:, varied])
    place = np.full(len(n), -1)
    place[tested[varied]] = np.arange(np.count_nonzero(varied))
    studentised = sums[:, varied] / spread[varied]
    for family in families:
        own = family[place[family] >= 0]
        p_max_t[own] = max_t(studentised[:, place[own]])
    return Excess(value=value, p=p, p_max_t=p_max_t)
