"""Check a definition and its data without training: who is in it, and what each gate can show at these sizes at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor import data, population
from auditor.gates import declared_gates
from auditor.measure.counts import count_labels
from auditor.measure.power import examples_for, smallest_limit
from auditor.measure.rates import RATES, denominators
from auditor.measure.summary import summarise_data

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.declare import Declaration
    from auditor.records import Dataset, DataSummary, Gate, GroupKey, Label


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What one comparison of a gate can show when compression changes nothing and members agree."""

    gate: str
    severity: str
    label: Label | None
    group: GroupKey
    n: int
    """Test examples in the rate's denominator."""
    limit: float | None
    """How far from no change the gate lets a group go; None where it is about no change."""
    smallest: float
    """The smallest harm that can be excluded."""
    needed: int | None
    """Examples from which the gate can be passed."""
    can_pass: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """What `auditor validate` tells."""

    data: DataSummary
    variants: tuple[tuple[str, int], ...]
    """Each variant, with the members that would run."""
    reaches: tuple[Reach, ...]


def validate(declaration: Declaration) -> Validation:
    """Read and check everything that a run would, but train nothing and open no model with TensorFlow."""
    spec = declaration.spec
    with declaration.naming_places():
        dataset = data.open_source(spec, declaration.base).load()
        gates = declared_gates(declaration, dataset)
        variants = population.plan(spec, dataset, declaration.base)
    return Validation(
        data=summarise_data(dataset),
        variants=tuple((variant.name, len(variant.jobs)) for variant in variants),
        reaches=tuple(
            reach
            for gate in gates
            for reach in _reaches(gate, dataset, spec.statistics.confidence, spec.statistics.min_group)
        ),
    )


def _reaches(gate: Gate, dataset: Dataset, confidence: float, min_group: int) -> Iterator[Reach]:
    total = count_labels(dataset.labels, dataset.groups, len(dataset.classes))
    n_of = denominators(RATES[gate.metric], total)
    limits = [abs(limit) for limit in (gate.min, gate.max) if limit is not None]
    # a limit on a rate or a gap itself says nothing of how far it is from what will be found
    limit = min(limits) if gate.compare in {"change", "disparity_change"} else None
    for label, group in gate.targets:
        column = 0 if label is None else dataset.classes.index(label)
        n = int(n_of[dataset.groups.names.index(group), column])
        smallest = smallest_limit(n, confidence)
        yield Reach(
            gate=gate.name,
            severity=gate.severity,
            label=label,
            group=group,
            n=n,
            limit=limit,
            smallest=smallest,
            needed=None if limit is None else max(min_group, examples_for(limit, confidence)),
            can_pass=n >= min_group and (limit is None or smallest <= limit),
        )
