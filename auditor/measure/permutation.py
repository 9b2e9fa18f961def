"""Deals: the ways in which members could have been told apart as baseline and variant, were there no difference.

Members are dealt into two populations (unpaired) or swapped within pairs (paired). Deals are of members: whether test
examples come in clusters changes nothing about them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, islice, product
from math import comb
from typing import TYPE_CHECKING

import numpy as np

from auditor.records import Deals

if TYPE_CHECKING:
    from auditor.measure.setting import Setting
    from auditor.records import BoolArray, FloatArray, IntArray

ENUMERATED = 1000
"""Up to so many distinct deals, all are made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dealing:
    """The deals of one variant; the members that are dealt are the baseline's, then the variant's, copies left out."""

    of_variant: BoolArray
    """[D, M]: who is the variant in each deal; the first deal is what was observed."""
    baseline: IntArray
    """[K_0]: places of the baseline's members among the aligned predictions."""
    variant: IntArray
    """[K_v]."""
    paired: bool
    enumerated: bool
    """Whether these are all distinct deals, or the observed one and random ones."""

    @property
    def told(self) -> Deals:
        """What a report says of the deals."""
        return Deals(
            kind="swaps within pairs" if self.paired else "deals",
            count=len(self.of_variant) - (not self.enumerated),
            enumerated=self.enumerated,
            smallest_p=1 / len(self.of_variant),
        )


def no_deals(setting: Setting) -> str | None:
    """Say why members cannot be dealt; None where they can."""
    if not setting.is_sampled:
        return "a given file is no sample of models: there is nothing to deal"
    if not setting.baseline_is_sampled:
        return "the baseline is one given model: there is nothing to deal"
    if min(setting.members, len(setting.firsts_baseline)) < 2:
        return "needs two finished members that differ, of baseline and of variant"
    return None


def deal(setting: Setting, permutations: int, generator: np.random.Generator) -> Dealing | None:
    """Make all distinct deals where there are at most 1,000, else `permutations` random ones; None where none can be.

    Deals that only exchange the two populations as wholes are one deal where both are of one size: no statistic here
    tells them apart.
    """
    if no_deals(setting):
        return None
    paired = setting.population.paired
    variant = setting.firsts
    baseline = setting.firsts if paired else setting.firsts_baseline
    sizes = len(baseline), len(variant)
    enumerated = count_deals(*sizes, paired=paired) <= ENUMERATED
    if enumerated:
        rows = _all_swaps(sizes[0]) if paired else _all_deals(*sizes)
    else:
        rows = _random(*sizes, paired=paired, count=permutations, generator=generator)
    return Dealing(of_variant=rows, baseline=baseline, variant=variant, paired=paired, enumerated=enumerated)


def count_deals(k_baseline: int, k_variant: int, *, paired: bool) -> int:
    """Count the distinct deals, the observed one among them."""
    if paired:
        return 2 ** (k_variant - 1)
    every = comb(k_baseline + k_variant, k_variant)
    return every // 2 if k_baseline == k_variant else every


def _all_deals(k_baseline: int, k_variant: int) -> BoolArray:
    """List the deals: combinations from the last member on, so that the observed one is first and mirrors are last."""
    members = k_baseline + k_variant
    distinct = islice(
        combinations(range(members - 1, -1, -1), k_variant), count_deals(k_baseline, k_variant, paired=False)
    )
    chosen = np.array(list(distinct))
    rows = np.zeros((len(chosen), members), bool)
    np.put_along_axis(rows, chosen, values=True, axis=1)
    return rows


def _all_swaps(pairs: int) -> BoolArray:
    """List the swaps; the first pair stays, since swapping all pairs is no other deal."""
    swapped = np.array([(False, *rest) for rest in product((False, True), repeat=pairs - 1)])
    return np.hstack([swapped, ~swapped])


def _random(k_baseline: int, k_variant: int, *, paired: bool, count: int, generator: np.random.Generator) -> BoolArray:
    """Draw deals with replacement; the observed one stands first."""
    if paired:
        swapped = np.vstack([np.zeros((1, k_variant), bool), generator.random((count, k_variant)) < 0.5])
        return np.hstack([swapped, ~swapped])
    observed = np.arange(k_baseline + k_variant) >= k_baseline
    drawn = generator.permuted(np.broadcast_to(observed, (count, len(observed))), axis=1)
    return np.vstack([observed, drawn])


def p_values(statistics: FloatArray) -> FloatArray:
    """Give the share of deals whose statistic is at least the observed one, [G], from [D, G]; large is evidence.

    With the observed deal among them this is exact where all are listed, and (b + 1) / (m + 1) where m are random.
    """
    return (statistics >= at_least(statistics[0])).mean(axis=0)


def at_least(observed: FloatArray) -> FloatArray:
    """Give what counts as equal to the observed: deals that tie must not differ by rounding."""
    return observed - 1e-9 * np.abs(observed)
