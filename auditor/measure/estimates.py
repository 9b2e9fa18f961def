"""Every number as rate x gap x contrast, by one code path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from auditor.measure.counts import MemberCounts, align, count_decisions, first_of_each, vote_shares
from auditor.measure.intervals import ExampleEnd, clopper_pearson, end_of, example_end
from auditor.measure.moments import moments
from auditor.measure.rates import RATES, denominators, hit_shares, inside, member_rates
from auditor.records import Bound, Estimate, Term, group_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from auditor.measure.intervals import Side
    from auditor.records import Compare, Dataset, FloatArray, IntArray, Population

SIDES: tuple[Side, Side] = (-1, 1)
_ONE_GROUP = frozenset({"value", "change"})
_VERSUS_BASELINE = frozenset({"change", "disparity_change"})
RANGES = {"value": (0.0, 1.0), "change": (-1.0, 1.0), "disparity": (-1.0, 1.0), "disparity_change": (-2.0, 2.0)}
"""What a rate, its change and its gap can be: no bound lies beyond."""

Target = tuple[str, int | None, int, "Compare"]
"""What is wanted: metric, index of the class (None for accuracy and error), index of the group, comparison."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What all estimates of one variant share."""

    dataset: Dataset
    total: IntArray
    """[G, C]: test examples of each class in each group."""
    population: Population
    is_baseline: bool
    ours: MemberCounts
    theirs: MemberCounts
    firsts: IntArray
    """Places of members that are no copies of earlier ones; in a paired variant, of pairs."""
    firsts_baseline: IntArray
    votes: FloatArray
    """[N, C]: vote shares of the variant's members."""
    votes_baseline: FloatArray
    decisions: IntArray
    """[K, N]: as counted in `ours`."""
    decisions_baseline: IntArray
    probabilities_baseline: FloatArray | None
    """[N, C]: mean over the baseline's members; None where only decisions are known."""
    confidence: float
    min_group: int

    @property
    def members(self) -> int:
        """Finished members that differ."""
        return len(self.firsts)

    @property
    def is_sampled(self) -> bool:
        """Whether members are a sample, as a recipe claim needs, or the one model that is meant."""
        return self.population.claim == "recipe"

    @property
    def baseline_is_sampled(self) -> bool:
        """Whether the baseline is a population too, and not one given model."""
        return not self.population.fixed_baseline


def prepare(
    dataset: Dataset,
    population: Population,
    baseline: Population,
    total: IntArray,
    *,
    confidence: float,
    min_group: int,
) -> Setting:
    """Count what the estimates of one variant need, paired with the baseline as the variant is."""
    ours, theirs = align(population, baseline)
    classes = len(dataset.classes)
    counted = [count_decisions(p.decisions, dataset.labels, dataset.groups, classes) for p in (ours, theirs)]
    votes = [vote_shares(p.decisions, classes) for p in (ours, theirs)]
    return Setting(
        dataset=dataset,
        total=total,
        population=population,
        is_baseline=population is baseline,
        ours=counted[0],
        theirs=counted[1],
        firsts=first_of_each(
            list(zip(ours.digests, theirs.digests, strict=True)) if population.paired else ours.digests
        ),
        firsts_baseline=first_of_each(theirs.digests),
        votes=votes[0],
        votes_baseline=votes[1],
        decisions=ours.decisions,
        decisions_baseline=theirs.decisions,
        probabilities_baseline=None if theirs.probabilities is None else theirs.probabilities.mean(axis=0),
        confidence=confidence,
        min_group=min_group,
    )


def estimate(setting: Setting, targets: Iterable[Target]) -> Iterator[Estimate]:
    """Compute the wanted numbers of one variant; comparisons with the baseline are left out for the baseline."""
    tables: dict[str, _RateTable] = {}
    for metric, label, group, compare in targets:
        if setting.is_baseline and compare in _VERSUS_BASELINE:
            continue
        if metric not in tables:
            tables[metric] = _RateTable(setting, metric)
        yield tables[metric].estimate(label, group, compare)


class _RateTable:
    """One rate of one variant in every group and class, computed at once; estimates are read off it."""

    def __init__(self, setting: Setting, metric: str) -> None:
        self.setting, self.metric, self.rate = setting, metric, RATES[metric]
        self.unit = "examples" if setting.dataset.cluster is None else "clusters"
        self.n = denominators(self.rate, setting.total)
        self.fewest: FloatArray | IntArray = self.n
        self.fewest_baseline: FloatArray | IntArray = self.n
        self.ours = member_rates(self.rate, setting.ours, setting.total)
        self.theirs = member_rates(self.rate, setting.theirs, setting.total)
        self.ends: dict[str, tuple[ExampleEnd, ExampleEnd]] = {}
        self.statistics: dict[bool, _MemberStatistics] = {}
        if self.rate.among == "decided":
            self._count_decided()
        else:
            self._sum_examples()

    def _count_decided(self) -> None:
        """Take the denominator from decisions: the mean over members to show, the least of any member to be enough."""
        s = self.setting
        self.unit = "examples that some member decides so"
        if s.members:
            self.n = np.rint(s.ours.decided.mean(axis=0)).astype(np.int64)
            self.fewest, self.fewest_baseline = s.ours.decided.min(axis=0), s.theirs.decided.min(axis=0)

    def _sum_examples(self) -> None:
        s, data = self.setting, self.setting.dataset
        within = inside(self.rate, data.labels, len(data.classes))
        ours, theirs = (hit_shares(self.rate, votes, data.labels) for votes in (s.votes, s.votes_baseline))
        value = moments(ours, within, data.groups, data.cluster)
        change = moments(ours - theirs, within, data.groups, data.cluster)
        self.fewest = self.fewest_baseline = value.clusters
        self.ends = {
            "value": (example_end(value, 0.0), example_end(value, 1.0)),
            "change": (example_end(change, -1.0), example_end(change, 1.0)),
        }

    def estimate(self, label: int | None, g: int, compare: Compare) -> Estimate:
        """Read one estimate off the table."""
        s, j = self.setting, label or 0
        places = (g,) if compare in _ONE_GROUP else (g, int(s.dataset.groups.reference[g]))
        undefined = self._undefined(places, j, compare)
        value = None if undefined else self._value(places, j, compare)
        method, lower, upper = "none", None, None
        low, high = None, None
        if value is not None and self._is_one_proportion(compare):
            method, successes, n = "clopper-pearson", round(value * self.n[g, j]), int(self.n[g, j])
            low, high = (clopper_pearson(successes, n, side, s.confidence) for side in SIDES)
        elif value is not None and self.ends and compare != "ratio":
            method = "sum of terms"
            lower, upper = self._bounds(places, j, compare)
            least, most = RANGES[compare]
            low, high = max(least, end_of(lower, -1, s.confidence)), min(most, end_of(upper, 1, s.confidence))
        return Estimate(
            variant=s.population.name,
            metric=self.metric,
            label=None if label is None else s.dataset.classes[label],
            group=s.dataset.groups.names[g],
            compare=compare,
            value=value,
            low=low,
            high=high,
            n=int(self.n[g, j]),
            members=s.members,
            claim=s.population.claim,
            undefined=undefined,
            method=method,
            lower=lower,
            upper=upper,
        )

    def _is_one_proportion(self, compare: Compare) -> bool:
        s = self.setting
        return compare == "value" and not s.is_sampled and s.dataset.cluster is None and bool(self.ends)

    def _undefined(self, places: tuple[int, ...], j: int, compare: Compare) -> str | None:
        s, versus = self.setting, compare in _VERSUS_BASELINE
        if s.members == 0:
            return "no member finished"
        if s.is_sampled and (s.members < 2 or (versus and s.baseline_is_sampled and len(s.firsts_baseline) < 2)):
            return "a claim about a recipe needs two finished members that differ"
        for g in places:
            least = min(side[g, j] for side in (self.fewest, self.fewest_baseline)[: 1 + versus])
            if least < s.min_group:
                who = group_name(s.dataset.groups.names[g])
                return f"{int(least)} {self.unit} in {who}, of the {s.min_group} that are needed"
        if compare == "ratio" and not self.ours[:, places[1], j].any():
            return "the rate of the reference group is 0"
        return None

    def _value(self, places: tuple[int, ...], j: int, compare: Compare) -> float:
        members = self._members(gap=len(places) == 2)
        if compare == "ratio":
            return float(self.ours[:, places[0], j].mean() / self.ours[:, places[1], j].mean())
        value = float(members.ours[places[0], j])
        return value - float(members.theirs[places[0], j]) if compare in _VERSUS_BASELINE else value

    def _bounds(self, places: tuple[int, ...], j: int, compare: Compare) -> tuple[Bound, Bound]:
        """Put together both ends; the reference group enters with a minus, so with the other end's pseudo-examples."""
        ends = self.ends["change" if compare in _VERSUS_BASELINE else "value"]
        member_terms = self._member_terms(places, j, compare)
        bounds = []
        for own, other in (ends, ends[::-1]):
            terms = [_example_term(own, places[0], j)]
            center = own.center[places[0], j]
            if len(places) == 2:
                terms.append(_example_term(other, places[1], j))
                center = center - other.center[places[1], j]
            bounds.append(Bound(center=float(center), terms=(*terms, *member_terms)))
        return bounds[0], bounds[1]

    def _member_terms(self, places: tuple[int, ...], j: int, compare: Compare) -> tuple[Term, ...]:
        s = self.setting
        if not s.is_sampled:
            return ()
        at, members = (places[0], j), self._members(gap=len(places) == 2)
        if compare in _VERSUS_BASELINE and s.baseline_is_sampled:
            if s.population.paired:
                return (_member_term("members", members.variance_of_pairs[at], s.members),)
            theirs = _member_term("baseline members", members.variance_theirs[at], len(s.firsts_baseline))
            return (_member_term("members", members.variance_ours[at], s.members), theirs)
        return (_member_term("members", members.variance_ours[at], s.members),)

    def _members(self, *, gap: bool) -> _MemberStatistics:
        if gap not in self.statistics:
            self.statistics[gap] = self._summarise(gap=gap)
        return self.statistics[gap]

    def _summarise(self, *, gap: bool) -> _MemberStatistics:
        """Take means and variances over members; members are shared by groups, so a gap is taken member by member."""
        reference = self.setting.dataset.groups.reference
        ours, theirs = (r - r[:, reference] if gap else r for r in (self.ours, self.theirs))
        pairs = ours - theirs if self.setting.population.paired else ours
        return _MemberStatistics(
            ours=ours.mean(axis=0),
            theirs=theirs.mean(axis=0),
            variance_ours=_variance_of_mean(ours, self.setting.firsts),
            variance_theirs=_variance_of_mean(theirs, self.setting.firsts_baseline),
            variance_of_pairs=_variance_of_mean(pairs, self.setting.firsts),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _MemberStatistics:
    """Over members, of a rate or of its gap to the reference group; every field is [G, J]."""

    ours: FloatArray
    theirs: FloatArray
    variance_ours: FloatArray
    """Of the mean."""
    variance_theirs: FloatArray
    variance_of_pairs: FloatArray


def _variance_of_mean(rates: FloatArray, firsts: IntArray) -> FloatArray:
    """Give the variance of the mean over members, [G, J]; NaN for fewer than two that differ.

    Copies of a member count once for how many there are, and cannot make the others look alike.
    """
    if len(firsts) < 2:
        return np.full(rates.shape[1:], np.nan)
    return np.maximum(rates.var(axis=0, ddof=1), rates[firsts].var(axis=0, ddof=1)) / len(firsts)


def _example_term(end: ExampleEnd, g: int, j: int) -> Term:
    return Term(source="examples", variance=float(end.variance[g, j]), df=float(end.df[g, j]))


def _member_term(source: Literal["members", "baseline members"], variance: float, K: int) -> Term:
    return Term(source=source, variance=float(variance), df=float(K - 1))
