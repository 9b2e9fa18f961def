"""What all numbers of one variant are made from: counts and vote shares, paired with the baseline as the variant is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.measure.counts import MemberCounts, align, blocks_of, count_decisions, first_of_each, vote_shares

if TYPE_CHECKING:
    from auditor.records import Dataset, FloatArray, IntArray, Population


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
    blocks: IntArray
    """[K]: number of the block of each of the variant's members; copies of one file are one block."""
    blocks_baseline: IntArray
    """[K0]: the same of the baseline's."""
    blocks_of_pairs: IntArray
    """[K]: in a paired variant, of pairs, which share a block where they share either file; else as `blocks`."""
    votes: FloatArray
    """[N, C]: vote shares of the variant's members."""
    votes_baseline: FloatArray
    decisions: IntArray
    """[K, N]: as counted in `ours`."""
    decisions_baseline: IntArray
    probabilities_baseline: FloatArray | None
    """[K0, N, C]; None where only decisions are known."""
    confidence: float
    min_group: int

    @property
    def firsts(self) -> IntArray:
        """Places of the first member, or pair, of each block."""
        return first_of_each(self.blocks_of_pairs)

    @property
    def firsts_baseline(self) -> IntArray:
        """Places of the first baseline member of each block."""
        return first_of_each(self.blocks_baseline)

    @property
    def members(self) -> int:
        """Finished members, or pairs, that differ."""
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
        blocks=blocks_of(ours.digests),
        blocks_baseline=blocks_of(theirs.digests),
        # one given baseline is shared by all pairs, and is no sample
        blocks_of_pairs=blocks_of(ours.digests, theirs.digests)
        if population.paired and not population.fixed_baseline
        else blocks_of(ours.digests),
        votes=votes[0],
        votes_baseline=votes[1],
        decisions=ours.decisions,
        decisions_baseline=theirs.decisions,
        probabilities_baseline=theirs.probabilities,
        confidence=confidence,
        min_group=min_group,
    )
