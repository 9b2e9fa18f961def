"""What a variant's members are like: how many finished, which collapsed, what was measured on them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from auditor.measure.counts import align, count_labels
from auditor.records import EACH, DataSummary, VariantSummary, family_name, group_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from auditor.records import Dataset, IntArray, Population

CHANCE_QUANTILE = 1.645
"""Standard errors above chance that a member's balanced accuracy must reach, not to count as collapsed."""
DIFFERS_BY_RUN = {"latency_ms"}
"""What is measured anew by every run and so belongs to the timings, not to the result."""


def summarise_variant(population: Population, baseline: Population, dataset: Dataset) -> VariantSummary:
    """Summarise one population, and how it meets the baseline, for reports."""
    compared, _ = align(population, baseline)
    return VariantSummary(
        name=population.name,
        method=population.method,
        claim=population.claim,
        paired=population.paired,
        fixed_baseline=population.fixed_baseline,
        asked=population.asked,
        finished=len(population.predictions.members),
        compared=len(compared.members),
        failed=len(population.failures),
        collapsed=sum(has_collapsed(decided, dataset) for decided in population.predictions.decisions),
        asked_for=population.asked_for,
        measured=_means(population.measured),
    )


def has_collapsed(decisions: IntArray, dataset: Dataset) -> bool:
    """Tell whether a member says one class always, or is at chance.

    At chance: its mean recall over the classes that occur is not above 1 / classes by 1.645 standard errors. Such a
    member is the harm that an audit looks for, so it is flagged and scored, never dropped.
    """
    if len(np.unique(decisions)) == 1:
        return len(np.unique(dataset.labels)) > 1
    total = np.bincount(dataset.labels, minlength=len(dataset.classes))
    right = np.bincount(dataset.labels[decisions == dataset.labels], minlength=len(dataset.classes))
    n, hits = total[total > 0], right[total > 0]
    recall, chance = hits / n, 1 / len(dataset.classes)
    error = math.sqrt(float((chance * (1 - chance) / n).sum())) / len(n)
    return bool(recall.mean() <= chance + CHANCE_QUANTILE * error)


def _means(measured: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Average what is a number over members; what is not (sparsity by layer, names) is the first member's."""
    if not measured:
        return {}
    return {
        key: float(np.mean([m[key] for m in measured])) if _is_number(first) else first
        for key, first in measured[0].items()
        if key not in DIFFERS_BY_RUN
    }


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def summarise_data(dataset: Dataset) -> DataSummary:
    """Summarise the data for reports."""
    groups = dataset.groups
    counts = count_labels(dataset.labels, groups, len(dataset.classes))
    references = {
        family_name(groups.names[g]): group_name(groups.names[g])
        for g, reference in enumerate(groups.reference)
        if reference == g
    } | {family_name(groups.names[g]): "best" for g in np.flatnonzero(groups.reference == EACH)}
    return DataSummary(
        source=dataset.source,
        digest=dataset.digest,
        classes=dataset.classes,
        positive=None if dataset.positive is None else dataset.classes[dataset.positive],
        splits=dataset.splits,
        groups=tuple(zip(groups.names, (tuple(map(int, row)) for row in counts), strict=True)),
        reference=references,
        clusters=None if dataset.cluster is None else len(np.unique(dataset.cluster)),
        warnings=dataset.warnings,
    )
