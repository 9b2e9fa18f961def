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
from auditor.measure.counts import MemberCounts, first_of_each
from auditor.measure.intervals import ExampleEnd, effective_clusters, example_end
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
    sums = moments((summands(setting, metric) for metric in metrics), data.groups, data.cluster)
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
        self.unit = "examples" if setting.dataset.cluster is None else "effective clusters"
        self.n: IntArray = denominators(self.rate, setting.total)
        if self.is_random:
            self.unit = "examples that the member with fewest decides so"
            self.n = _mean_size(setting.ours.decided)

    # ---------------------------------------------------------------------------------------------- what is defined

    def fewest(self, g: IntArray, j: IntArray, *, versus: bool) -> IntArray:
        """Count what rates stand on: clusters or examples; where decisions make it, the least of any member."""
        if self.is_random:
            ours, theirs = self._least
            least = np.minimum(ours, theirs)[g, j] if versus else ours[g, j]
            return np.minimum(least, _units(self._moments)[g, j])
        return _units(self._moments)[g, j]

    @cached_property
    def _least(self) -> tuple[IntArray, IntArray]:
        return self.setting.ours.decided.min(axis=0), self.setting.theirs.decided.min(axis=0)

    def fewest_outside(self, g: IntArray, j: IntArray) -> IntArray:
        """Count what the rates of all others stand on."""
        return _units(self._moments_outside)[g, j]

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
        own, other = rates[0]
        if compare not in VERSUS_BASELINE or not s.baseline_is_sampled:
            terms: tuple[TermArrays, ...] = (member_term("members", parts, s.blocks),)
        else:
            others = member_parts(found.groups, [theirs for _, theirs in rates], 1)
            if s.population.paired:
                pairs = (parts[0] + others[0], parts[1] + others[1])
                terms = (member_term("members", pairs, s.blocks_of_pairs),)
            else:
                theirs = member_term("baseline members", others, s.blocks_baseline)
                terms = (member_term("members", parts, s.blocks), theirs)
        # two groups are skewed alike, and their difference is not
        return terms if compare in TWO_GROUPS else allow_for_skewness(terms, (own, other), side)

    def spread(self, compare: Compare, g: IntArray, j: IntArray, other: IntArray) -> FloatArray:
        """Give the largest standard deviation between members, on the probit scale, of what is compared, [P]."""
        versus = compare in VERSUS_BASELINE
        found = [self._spreads[versus][g, j]]
        if compare.startswith("to_overall"):
            outside = self._rates_outside
            found.append(self._spread_of(*outside, self._within_of(self._moments_outside), versus=versus)[g, j])
        elif compare in TWO_GROUPS:
            found.append(self._spreads[versus][other, j])
        return np.max(found, axis=0)

    @cached_property
    def _spreads(self) -> dict[bool, FloatArray]:
        """By whether the comparison is with the baseline, [G, J]."""
        within = self._within_of(self._moments)
        return {versus: self._spread_of(self.ours, self.theirs, within, versus=versus) for versus in (False, True)}

    def _spread_of(
        self, ours: FloatArray, theirs: FloatArray, within: tuple[FloatArray, FloatArray], *, versus: bool
    ) -> FloatArray:
        s = self.setting
        if versus and s.baseline_is_sampled and s.population.paired:
            return between_members(ours - theirs, ours, np.zeros_like(within[0]), s.firsts)
        own = between_members(ours, ours, within[0], first_of_each(s.blocks))
        if not versus or not s.baseline_is_sampled:
            return own
        return np.maximum(own, between_members(theirs, theirs, within[1], s.firsts_baseline))

    def _within_of(self, m: Moments) -> tuple[FloatArray, FloatArray]:
        """The part of the variance between members that finite examples make, of variant and baseline, [G, J]."""
        if self.is_random or self.setting.dataset.cluster is not None:
            # not known apart: the spread is then taken as it is
            return np.zeros_like(m.examples), np.zeros_like(m.examples)
        with np.errstate(divide="ignore", invalid="ignore"):
            ours, theirs = ((m.total[q] - m.square[q, q]) / m.examples**2 for q in (0, 1))
        K, K0 = (len(rates) for rates in (self.ours, self.theirs))
        return ours * K / max(K - 1, 1), theirs * K0 / max(K0 - 1, 1)

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


def _units(m: Moments) -> IntArray:
    """Count the examples, or the clusters of one size that would be as much evidence, [G, J]."""
    return np.floor(effective_clusters(m) + 1e-9).astype(np.int64)


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
