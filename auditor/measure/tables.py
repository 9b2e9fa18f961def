"""One rate of one variant in every group and class, computed at once; comparisons are read off it."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from auditor.measure.contrasts import (
    RATIOS,
    TWO_GROUPS,
    VERSUS_BASELINE,
    BoundArrays,
    contrast,
    example_term,
    member_parts,
    member_term,
)
from auditor.measure.counts import MemberCounts
from auditor.measure.intervals import ExampleEnd, example_end
from auditor.measure.moments import Summands, moments
from auditor.measure.rates import RATES, denominators, hit_shares, inside, member_rates
from auditor.measure.spread import allow_for_skewness, between_members

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.measure.contrasts import Contrast, TermArrays
    from auditor.measure.intervals import Side
    from auditor.measure.moments import Moments
    from auditor.measure.setting import Setting
    from auditor.records import BoolArray, Compare, FloatArray, IntArray

EXTREMES: dict[int, tuple[float, float]] = {-1: (0.0, 1.0), 1: (1.0, 0.0)}
"""What pseudo-examples decide at either end, in the variant and in the baseline: all against the variant, or for it."""
SELECTED: dict[int, tuple[float, float, float, float]] = {-1: (0.0, 1.0, 1.0, 1.0), 1: (1.0, 1.0, 0.0, 1.0)}
"""The same where the denominator is random: rightly decided and decided, in the variant and in the baseline."""


def rate_tables(setting: Setting, metrics: Sequence[str]) -> dict[str, RateTable]:
    """Make the tables of several rates, summing over examples once for all."""
    data = setting.dataset
    sums = moments([summands(setting, metric) for metric in metrics], data.groups, data.cluster)
    return {metric: RateTable(setting, metric, own) for metric, own in zip(metrics, sums, strict=True)}


def summands(s: Setting, metric: str) -> Summands:
    """Give what is summed over examples, and over which; four quantities where the denominator is random."""
    rate, labels, classes = RATES[metric], s.dataset.labels, len(s.dataset.classes)
    both = (s.votes, s.votes_baseline)
    if rate.among != "decided":
        hits = [hit_shares(rate, votes, labels) for votes in both]
        return Summands(quantities=hits, inside=inside(rate, labels, classes))
    own = labels[:, None] == np.arange(classes)
    quantities = [one for votes in both for one in (votes * own, votes)]
    return Summands(quantities=quantities, inside=(s.votes > 0) | (s.votes_baseline > 0))


class RateTable:
    """One rate: its value by member, group and class, and what its uncertainty needs."""

    def __init__(self, setting: Setting, metric: str, sums: Moments) -> None:
        self.setting, self.metric, self.rate, self._moments = setting, metric, RATES[metric], sums
        self.is_random = self.rate.among == "decided"
        self.ours = member_rates(self.rate, setting.ours, setting.total)
        self.theirs = member_rates(self.rate, setting.theirs, setting.total)
        self.unit = "examples" if setting.dataset.cluster is None else "clusters"
        self.n: IntArray = denominators(self.rate, setting.total)
        if self.is_random:
            self.unit = "examples that some member decides so"
            self.n = _mean_size(setting.ours.decided)

    # ---------------------------------------------------------------------------------------------- what is defined

    def fewest(self, g: IntArray, j: IntArray, *, versus: bool) -> IntArray:
        """Count what rates stand on: clusters or examples; where decisions make it, the least of any member."""
        if self.is_random:
            ours, theirs = self._least
            return np.minimum(ours, theirs)[g, j] if versus else ours[g, j]
        return self._moments.clusters[g, j].astype(np.int64)

    @cached_property
    def _least(self) -> tuple[IntArray, IntArray]:
        return self.setting.ours.decided.min(axis=0), self.setting.theirs.decided.min(axis=0)

    def fewest_outside(self, g: IntArray, j: IntArray) -> IntArray:
        """Count what the rates of all others stand on."""
        return self._moments_outside.clusters[g, j].astype(np.int64)

    def is_zero(self, g: IntArray, j: IntArray, *, versus: bool) -> BoolArray:
        """Tell whether rates are 0 in every member, of the variant or, if that matters, of the baseline."""
        ours, theirs = ((rates[:, g, j] == 0).all(axis=0) for rates in (self.ours, self.theirs))
        return np.logical_or(ours, theirs) if versus else ours

    # --------------------------------------------------------------------------------------------------- the numbers

    def value(self, compare: Compare, g: IntArray, j: IntArray, other: IntArray) -> FloatArray:
        """Compute the numbers themselves, [P], from the means over members."""
        if compare.startswith("to_overall"):
            other = np.zeros_like(g)
        ours, theirs = (rates[:, g, j].mean(axis=0) for rates in (self.ours, self.theirs))
        if compare not in TWO_GROUPS:
            return ours - theirs if compare in VERSUS_BASELINE else ours
        ours_other, theirs_other = (rates[:, other, j].mean(axis=0) for rates in (self.ours, self.theirs))
        if compare in RATIOS:
            own = ours / ours_other
            return own - theirs / theirs_other if compare in VERSUS_BASELINE else own
        own = ours - ours_other
        return own - (theirs - theirs_other) if compare in VERSUS_BASELINE else own

    def bounds(self, compare: Compare, g: IntArray, j: IntArray, other: IntArray, side: Side) -> BoundArrays:
        """Put together one end of comparisons, [P]."""
        flipped: Side = 1 if side < 0 else -1
        # the other group enters with a minus, so with the other end's pseudo-examples
        ends = [(self._ends[side], g, self.ours, self.theirs)]
        outside: FloatArray | float = 1.0
        if compare.startswith("to_overall"):
            ends.append((self._ends_outside[flipped], g, *self._rates_outside))
            outside = 1 - self._moments.examples[g, j] / self._moments.examples[0, j]
        elif compare in TWO_GROUPS:
            ends.append((self._ends[flipped], other, self.ours, self.theirs))
        means = [end.mean[:, place, j] for end, place, *_ in ends]
        found = contrast(compare, means[0], means[1] if len(means) > 1 else None, outside)
        examples = [
            example_term(weights, end.covariance[:, :, place, j], end.df[place, j])
            for weights, (end, place, *_) in zip(found.groups, ends, strict=True)
        ]
        places = [(place, ours, theirs) for _, place, ours, theirs in ends]
        terms = (*examples, *self._member_terms(compare, found, places, j, side))
        return BoundArrays(center=found.numerator, below=found.denominator, terms=terms)

    def _member_terms(
        self,
        compare: Compare,
        found: Contrast,
        places: list[tuple[IntArray, FloatArray, FloatArray]],
        j: IntArray,
        side: Side,
    ) -> tuple[TermArrays, ...]:
        """Give what members add: by pairs, or by each population. `places` are groups with both sides' member rates."""
        s = self.setting
        if not s.is_sampled:
            return ()
        rates = [(ours[:, place, j], theirs[:, place, j]) for place, ours, theirs in places]
        parts = member_parts(found.groups, [ours for ours, _ in rates], 0)
        if compare in VERSUS_BASELINE and s.baseline_is_sampled:
            others = member_parts(found.groups, [theirs for _, theirs in rates], 1)
            if not s.population.paired:
                ours = member_term("members", parts, s.firsts)
                if compare not in TWO_GROUPS:
                    ours = allow_for_skewness(ours, rates[0][0], side, rates[0][1])
                return (ours, member_term("baseline members", others, s.firsts_baseline))
            parts = (parts[0] + others[0], parts[1] + others[1])
        term = member_term("members", parts, s.firsts)
        # two groups are skewed alike, and their difference is not
        return (term if compare in TWO_GROUPS else allow_for_skewness(term, rates[0][0], side),)

    def spread(self, compare: Compare, g: IntArray, j: IntArray, other: IntArray) -> FloatArray:
        """Give the largest standard deviation between members, on the probit scale, of what is compared, [P]."""
        places = [g, other] if compare in TWO_GROUPS and not compare.startswith("to_overall") else [g]
        return np.max([self._spreads(versus=compare in VERSUS_BASELINE)[place, j] for place in places], axis=0)

    def _spreads(self, *, versus: bool) -> FloatArray:
        s = self.setting
        ours, theirs = self._within
        if versus and s.baseline_is_sampled and s.population.paired:
            return between_members(self.ours - self.theirs, self.ours, 0.0, s.firsts)
        own = between_members(self.ours, self.ours, ours, s.firsts)
        if not versus or not s.baseline_is_sampled:
            return own
        return np.maximum(own, between_members(self.theirs, self.theirs, theirs, s.firsts_baseline))

    # ------------------------------------------------------------------------------------------ sums over examples

    @cached_property
    def _moments_outside(self) -> Moments:
        groups = self.setting.dataset.groups
        others = replace(groups, membership=~groups.membership)
        (found,) = moments([summands(self.setting, self.metric)], others, self.setting.dataset.cluster)
        return found

    @cached_property
    def _ends(self) -> dict[int, ExampleEnd]:
        if not self.is_random:
            return {side: example_end(self._moments, extreme) for side, extreme in EXTREMES.items()}
        ends = {side: example_end(self._moments, extreme) for side, extreme in SELECTED.items()}
        plain = _quotients(self._moments.total)
        members = np.stack([self.ours.mean(axis=0), self.theirs.mean(axis=0)])
        return {side: _as_rates(end, np.nan_to_num(members - plain)) for side, end in ends.items()}

    @cached_property
    def _ends_outside(self) -> dict[int, ExampleEnd]:
        return {side: example_end(self._moments_outside, extreme) for side, extreme in EXTREMES.items()}

    @cached_property
    def _rates_outside(self) -> tuple[FloatArray, FloatArray]:
        s = self.setting
        counts = [
            MemberCounts(correct=c.correct[:, :1] - c.correct, decided=c.decided[:, :1] - c.decided)
            for c in (s.ours, s.theirs)
        ]
        ours, theirs = (member_rates(self.rate, one, s.total[:1] - s.total) for one in counts)
        return ours, theirs

    @cached_property
    def _within(self) -> tuple[FloatArray | float, FloatArray | float]:
        """The part of the variance between members that finite examples make, of variant and baseline, [G, J]."""
        m, s = self._moments, self.setting
        if self.is_random or s.dataset.cluster is not None:
            return 0.0, 0.0  # not known apart: the spread is then taken as it is
        with np.errstate(divide="ignore", invalid="ignore"):
            ours, theirs = ((m.total[q] - m.square[q, q]) / m.examples**2 for q in (0, 1))
        K, K0 = (len(rates) for rates in (self.ours, self.theirs))
        return ours * K / max(K - 1, 1), theirs * K0 / max(K0 - 1, 1)


def _mean_size(decided: IntArray) -> IntArray:
    """How many examples members decide so, [G, C], mean over members."""
    if not len(decided):
        return np.zeros(decided.shape[1:], np.int64)
    return np.rint(decided.mean(axis=0)).astype(np.int64)


def _quotients(sums: FloatArray) -> FloatArray:
    """Rightly decided over decided, of variant and baseline, [2, G, J]; NaN where nothing is decided so."""
    out = np.full((2, *sums.shape[1:]), np.nan)
    np.divide(sums[[0, 2]], sums[[1, 3]], out=out, where=sums[[1, 3]] > 0)
    return out


def _as_rates(end: ExampleEnd, shift: FloatArray) -> ExampleEnd:
    """Linearise "rightly decided over decided" of variant and baseline; `shift` [2, G, J] makes it a mean over members.

    The derivative of h / w is (h - rate w) / w at its means.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = end.mean[[0, 2]] / end.mean[[1, 3]]
        slopes = np.zeros((2, 4, *rate.shape[1:]))
        for q in (0, 1):
            slopes[q, 2 * q] = 1 / end.mean[2 * q + 1]
            slopes[q, 2 * q + 1] = -rate[q] / end.mean[2 * q + 1]
        covariance = np.einsum("qagj,abgj,rbgj->qrgj", slopes, end.covariance, slopes)
    return ExampleEnd(mean=rate + shift, covariance=covariance, df=end.df)
