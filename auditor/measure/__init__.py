"""Measure: populations -> numbers with their uncertainty.

NumPy and SciPy only: no files, no clock, no TensorFlow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from auditor.measure.bootstrap import describe_extremes
from auditor.measure.calibration_error import calibrate
from auditor.measure.class_tests import compare_classes
from auditor.measure.contrasts import TWO_GROUPS
from auditor.measure.counts import count_labels
from auditor.measure.estimates import Target, estimate
from auditor.measure.exemplars import find_exemplars
from auditor.measure.further import describe
from auditor.measure.ground import survey
from auditor.measure.permutation import deal
from auditor.measure.rates import RATES
from auditor.measure.selection import selections
from auditor.measure.setting import prepare
from auditor.records import EACH, NONE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.description import Description, Selections
    from auditor.measure.setting import Setting
    from auditor.records import (
        ClassTest,
        ClassTestFamily,
        Compare,
        Dataset,
        Estimate,
        Exemplars,
        Extreme,
        Gate,
        Population,
    )

SHOWN_RATES = ("accuracy", "recall", "fnr", "fpr", "selection_rate", "precision")
"""What every report holds; other rates where a gate asks for them."""
MANY_GROUPS = 400
"""Beyond so many, gaps are computed only where a gate asks, and members are dealt for attributes, not intersections."""
GAPS: tuple[Compare, ...] = ("disparity", "disparity_change", "ratio", "ratio_change")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """All numbers of an audit."""

    estimates: tuple[Estimate, ...]
    class_tests: tuple[ClassTest, ...]
    class_test_families: tuple[ClassTestFamily, ...]
    exemplars: tuple[Exemplars, ...]
    extremes: tuple[Extreme, ...]
    descriptions: tuple[Description, ...]
    selections: tuple[Selections, ...]


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
    baseline, dealt = populations[0], _tested_by_deals(dataset)
    targets = wanted(dataset, gates)
    estimates: list[Estimate] = []
    class_tests: list[ClassTest] = []
    families: list[ClassTestFamily] = []
    exemplars: list[Exemplars] = []
    ground = survey(dataset, baseline, total, min_group=min_group)
    descriptions: list[Description] = []
    extremes: list[Extreme] = []
    selected: list[Selections] = []
    for population in populations:
        setting = prepare(dataset, population, baseline, total, confidence=confidence, min_group=min_group)
        estimates += estimate(setting, targets)
        selected.append(selections(setting, ground))
        if population is not baseline:
            descriptions += describe(setting, ground, calibrate(dataset, population.predictions))
        if dealt is not dataset:
            fewer = total[: len(dealt.groups.names)]
            setting = prepare(dealt, population, baseline, fewer, confidence=confidence, min_group=min_group)
        extremes += describe_extremes(setting, _extremes_of(dataset), seed)
        if population is not baseline and setting.members:
            tests, corrected_together, found = _dealt(setting, permutations, np.random.default_rng(seed))
            class_tests += tests
            families += corrected_together
            exemplars.append(found)
    return Measures(
        estimates=tuple(estimates),
        class_tests=tuple(class_tests),
        class_test_families=tuple(families),
        exemplars=tuple(exemplars),
        extremes=tuple(extremes),
        descriptions=tuple(descriptions),
        selections=tuple(selected),
    )


def _dealt(
    setting: Setting, permutations: int, generator: np.random.Generator
) -> tuple[tuple[ClassTest, ...], tuple[ClassTestFamily, ...], Exemplars]:
    """Give what deals of a variant's members tell: its class tests, and its exemplars."""
    dealing = deal(setting, permutations, generator)
    tests, families = compare_classes(setting, _shown_labels(setting.dataset), dealing)
    return tests, families, find_exemplars(setting, dealing, generator)


def _tested_by_deals(dataset: Dataset) -> Dataset:
    """Leave out intersections where there are too many groups to deal members for each: attributes come first."""
    groups = dataset.groups
    if len(groups.names) <= MANY_GROUPS:
        return dataset
    kept = sum(len(name) <= 1 for name in groups.names)
    few = replace(
        groups,
        names=groups.names[:kept],
        membership=groups.membership[:kept],
        reference=groups.reference[:kept],
    )
    return replace(dataset, groups=few)


def wanted(dataset: Dataset, gates: Sequence[Gate]) -> tuple[Target, ...]:
    """List what is to be estimated, once each: what reports show, then what only gates ask for."""
    targets: dict[Target, None] = {}
    for metric in SHOWN_RATES:
        labels: tuple[int | None, ...] = _shown_labels(dataset) if RATES[metric].per_class else (None,)
        # with many classes, classes x groups is no longer something to look at: groups then show accuracy alone
        everywhere = labels == (None,) or len(dataset.classes) == 2
        for g in range(len(dataset.groups.names)) if everywhere else (0,):
            targets |= dict.fromkeys(target for c in labels for target in _shown(dataset, metric, c, g))
    group_at = {name: g for g, name in enumerate(dataset.groups.names)}
    for gate in gates:
        for label, group, against in gate.targets:
            c = None if label is None else dataset.classes.index(label)
            other = NONE if against is None else group_at[against]
            targets |= dict.fromkeys(_judged(gate, c, group_at[group], other))
    return tuple(targets)


def _judged(gate: Gate, c: int | None, g: int, other: int) -> list[Target]:
    """A judged number comes with the values that it is about, and with changes: is it compression's doing?"""
    targets: list[Target] = [(gate.metric, c, g, "value", NONE), (gate.metric, c, g, gate.compare, other)]
    if gate.compare in TWO_GROUPS and other != NONE:
        targets += [(gate.metric, c, other, "value", NONE), (gate.metric, c, g, "disparity_change", other)]
    return targets


def _shown(dataset: Dataset, metric: str, c: int | None, g: int) -> Iterator[Target]:
    """What a report shows of a group: its rate, and its gap where there is one reference to be compared with."""
    yield (metric, c, g, "value", NONE)
    yield (metric, c, g, "change", NONE)
    if dataset.groups.reference[g] != EACH and len(dataset.groups.names) <= MANY_GROUPS:
        for other in dataset.groups.compared_with(g):
            for compare in GAPS:
                yield (metric, c, g, compare, other)


def _extremes_of(dataset: Dataset) -> list[tuple[str, int | None]]:
    """Choose the rates whose worst group is described: accuracy, and recall of the positive class."""
    return [("accuracy", None)] + [("recall", c) for c in (dataset.positive,) if c is not None]


def _shown_labels(dataset: Dataset) -> tuple[int, ...]:
    return (dataset.positive,) if dataset.positive is not None else tuple(range(len(dataset.classes)))
