"""The chance level of the exemplar rate: halves of populations against each other (statistics: section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from auditor.measure.counts import number_alike

if TYPE_CHECKING:
    from auditor.measure.permutation import Dealing
    from auditor.records import FloatArray, IntArray

SPLITS = 50
VOTES_AT_ONCE = 2_000_000
"""Bounds the memory of many splits of many examples."""


def size_of_half(dealing: Dealing) -> int:
    """Count the members of a half: both populations give halves of one size."""
    return min(len(dealing.baseline), len(dealing.variant)) // 2


def halves_differ(
    baseline: IntArray, variant: IntArray, dealing: Dealing, generator: np.random.Generator
) -> FloatArray:
    """Give how often the modal decisions of two halves differ, mean over random splits, [N, 3].

    Columns: baseline against variant, baseline against baseline, variant against variant; each between halves that
    share no seed, also where variants are paired. `baseline` [K_0, N] and `variant` [K_v, N] are the dealt members'
    decisions. Ties go to the highest class, as for exemplars.
    """
    decisions = np.concatenate([baseline, variant])
    who = _split(dealing, generator)
    step = max(1, VOTES_AT_ONCE // (4 * SPLITS))
    classes = int(decisions.max(initial=0)) + 1
    # examples that all members decide alike have the same halves
    first, kind_of = number_alike((own, classes) for own in decisions)
    found = np.empty((len(first), 3))
    for start in range(0, len(first), step):
        found[start : start + step] = _compare(decisions[:, first[start : start + step]], who)
    return found[kind_of]


def _split(dealing: Dealing, generator: np.random.Generator) -> FloatArray:
    """Choose two halves of the baseline, then two of the variant, [4 x splits, members]: 1 for who belongs."""
    half, k_baseline, k_variant = size_of_half(dealing), len(dealing.baseline), len(dealing.variant)
    order = [generator.permuted(np.tile(np.arange(k), (SPLITS, 1)), axis=1) for k in (k_baseline, k_variant)]
    if dealing.paired:
        order[1] = order[0]
    who = np.zeros((4, SPLITS, k_baseline + k_variant), np.float32)
    for place, (side, start) in enumerate(((0, 0), (0, half), (1, 0), (1, half))):
        chosen = order[side][:, start : start + half] + side * k_baseline
        np.put_along_axis(who[place], chosen, values=1.0, axis=1)
    return who.reshape(4 * SPLITS, -1)


def _compare(decisions: IntArray, who: FloatArray) -> FloatArray:
    modal = _modal(decisions, who).reshape(4, SPLITS, -1)
    first, second, third, fourth = modal
    between = ((first != fourth).mean(axis=0) + (second != third).mean(axis=0)) / 2
    return np.stack([between, (first != second).mean(axis=0), (third != fourth).mean(axis=0)], axis=1)


def _modal(decisions: IntArray, who: FloatArray) -> IntArray:
    """Give what most members of each half decide, [halves, n], numbered within each example."""
    numbers = _numbered(decisions)
    best = np.full((len(who), numbers.shape[1]), -1.0, np.float32)
    modal = np.zeros(best.shape, np.int16)
    for number in range(int(numbers.max(initial=-1)) + 1):
        votes = who @ (numbers == number).astype(np.float32)
        modal[votes >= best] = number
        np.maximum(best, votes, out=best)
    return modal


def _numbered(decisions: IntArray) -> IntArray:
    """Number the classes that occur in each example, in their order: few, however many classes there are."""
    order = np.argsort(decisions, axis=0, kind="stable")
    sorted_ = np.take_along_axis(decisions, order, axis=0)
    new = np.zeros(decisions.shape, np.int16)
    np.cumsum(sorted_[1:] != sorted_[:-1], axis=0, out=new[1:])
    numbers = np.empty_like(new)
    np.put_along_axis(numbers, order, new, axis=0)
    return numbers
