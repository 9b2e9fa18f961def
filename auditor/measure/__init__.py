"""Measure: populations -> numbers with their uncertainty.

NumPy, SciPy and statsmodels only: no files, no clock, no TensorFlow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from auditor.measure.class_tests import compare_classes
from auditor.measure.counts import count_labels
from auditor.measure.estimates import Target, estimate, prepare
from auditor.measure.exemplars import find_exemplars
from auditor.measure.permutation import deal
from auditor.measure.rates import RATES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.records import ClassTest, ClassTestFamily, Compare, Dataset, Estimate, Exemplars, Gate, Population

SHOWN_RATES = ("accuracy", "recall", "fnr", "fpr", "selection_rate", "precision")
"""What every report holds; other rates where a gate asks for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """All numbers of an audit."""

    estimates: tuple[Estimate, ...]
    class_tests: tuple[ClassTest, ...]
    class_test_families: tuple[ClassTestFamily, ...]
    exemplars: tuple[Exemplars, ...]


def measure(
    dataset: Dataset,
    populations: Sequence[Population],
    gates: Sequence[Gate],
    *,
    confidence: float,
    min_group: int,
    seed: int = 0,
    permutations: int = 1000,
) -> Measures:
    """Compute everything that reports show and gates judge; `populations` has the baseline first.

    Members are dealt from `seed` afresh for every variant, so no variant's numbers depend on which others there are.
    """
    total = count_labels(dataset.labels, dataset.groups, len(dataset.classes))
    baseline = populations[0]
    targets = wanted(dataset, gates)
    estimates: list[Estimate] = []
    class_tests: list[ClassTest] = []
    families: list[ClassTestFamily] = []
    exemplars: list[Exemplars] = []
    for population in populations:
        setting = prepare(dataset, population, baseline, total, confidence=confidence, min_group=min_group)
        estimates += estimate(setting, targets)
        if population is not baseline and setting.members:
            generator = np.random.default_rng(seed)
            dealing = deal(setting, permutations, generator)
            tests, corrected_together = compare_classes(setting, _shown_labels(dataset), dealing)
            class_tests += tests
            families += corrected_together
            exemplars.append(find_exemplars(setting, dealing, generator))
    return Measures(
        estimates=tuple(estimates),
        class_tests=tuple(class_tests),
        class_test_families=tuple(families),
        exemplars=tuple(exemplars),
    )


def wanted(dataset: Dataset, gates: Sequence[Gate]) -> tuple[Target, ...]:
    """List what is to be estimated, once each: what reports show, then what only gates ask for."""
    targets: dict[Target, None] = {}
    for metric in SHOWN_RATES:
        labels: tuple[int | None, ...] = _shown_labels(dataset) if RATES[metric].per_class else (None,)
        # with many classes, classes x groups is no longer something to look at: groups then show accuracy alone
        everywhere = labels == (None,) or len(dataset.classes) == 2
        for g in range(len(dataset.groups.names)) if everywhere else (0,):
            targets |= {(metric, c, g, compare): None for c in labels for compare in _compares(dataset, g)}
    group_at = {name: g for g, name in enumerate(dataset.groups.names)}
    for gate in gates:
        for label, group in gate.targets:
            c = None if label is None else dataset.classes.index(label)
            # the value itself goes with every judged number: reports say what it was and what it became
            targets |= {(gate.metric, c, group_at[group], compare): None for compare in _companions(gate.compare)}
    return tuple(targets)


def _companions(compare: Compare) -> tuple[Compare, ...]:
    """A judged number comes with the value that it is about; a gap also with its change: is it compression's doing?"""
    return ("value", compare, "disparity_change") if compare in {"disparity", "ratio"} else ("value", compare)


def _compares(dataset: Dataset, g: int) -> tuple[Compare, ...]:
    own: tuple[Compare, ...] = ("value", "change")
    return own if dataset.groups.reference[g] in {-1, g} else (*own, "disparity", "disparity_change", "ratio")


def _shown_labels(dataset: Dataset) -> tuple[int, ...]:
    return (dataset.positive,) if dataset.positive is not None else tuple(range(len(dataset.classes)))
