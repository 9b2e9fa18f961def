"""Check a definition and its data without training: who is in it, and what each gate can show at these sizes at all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from auditor import data, population
from auditor.errors import ModelError, Problem
from auditor.gates import declared_gates, declared_waivers, sign_doubts
from auditor.measure.contrasts import VERSUS_BASELINE
from auditor.measure.counts import count_labels
from auditor.measure.doubts import doubts, look
from auditor.measure.estimates import estimate
from auditor.measure.power import needed
from auditor.measure.setting import prepare
from auditor.measure.summary import summarise_data
from auditor.population.confined import expected, refuse_unconfined
from auditor.progress import Silent
from auditor.provenance import today
from auditor.records import BASELINE, NONE, Population, Predictions, group_name
from auditor.waivers import standing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.data import Source
    from auditor.declare import Declaration
    from auditor.measure.doubts import Look
    from auditor.measure.estimates import Target
    from auditor.measure.setting import Setting
    from auditor.progress import Progress
    from auditor.records import Dataset, DataSummary, Estimate, Gate, GroupKey, Label
    from auditor.sandbox import Sandbox
    from auditor.waivers import Standing


NO_GATE = "no gate: nothing would be judged, and a run wants to be told so, with --no-gate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What one comparison of a gate can show when compression changes nothing and members agree."""

    gate: str
    label: Label | None
    group: GroupKey
    against: GroupKey | None
    """The group that a gap is to."""
    n: int
    """Test examples in the rate's denominator."""
    limit: str
    """How far the gate lets a change go; empty where it is about something else than a change."""
    smallest: float | None
    """The smallest change that can be excluded; None where the number is undefined, or about no change."""
    can_pass: bool | None
    """None where it depends on more than sizes: the gate is not about a change."""
    why_not: str
    """Empty unless it cannot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """What `auditor validate` tells."""

    data: DataSummary
    variants: tuple[tuple[str, int], ...]
    """Each variant, with the members that would run; 0 where they are columns of a table."""
    reaches: tuple[Reach, ...]
    waivers: tuple[Standing, ...]
    warnings: tuple[str, ...]
    sandbox: Sandbox | None
    """What members would run in; None where no model would be opened."""
    looks: tuple[Look, ...]
    """Given models, by a sample of the test split; empty where none is given, or none was to be opened."""
    sample: int
    """Examples of that sample."""


def validate(
    declaration: Declaration, *, models: bool = True, progress: Progress | None = None, day: str | None = None
) -> Validation:
    """Read and check everything that a run would, and train nothing; given models decide on a sample, if `models`.

    Waivers count up to the day that they name; `day` is the one to go by, such as "2026-12-31", and None is today.
    """
    spec = declaration.spec
    with declaration.naming_places():
        refuse_unconfined(spec)
        source = data.open_source(spec, declaration.base)
        dataset = source.load()
        gates = declared_gates(declaration, dataset)
        waivers = declared_waivers(declaration, dataset, gates)
        variants = population.plan(spec, dataset, declaration.base)
        glanced = _glance(declaration, source, dataset, progress or Silent()) if models else population.NOTHING
    looks = look(glanced.given, dataset.labels[glanced.sample], len(dataset.classes))
    standings = standing(waivers, gates, day or today())
    setting = _nothing_changes(dataset, spec.statistics.confidence, spec.statistics.min_group)
    alone = [variant.name for variant in variants if variant.claim == "recipe" and len(variant.jobs) == 1]
    return Validation(
        data=summarise_data(dataset),
        variants=tuple((variant.name, len(variant.jobs)) for variant in variants),
        reaches=tuple(reach for gate in gates for reach in _reaches(gate, setting)),
        waivers=standings,
        sandbox=None if spec.model.predictions is not None else expected(spec.run),
        looks=looks,
        sample=glanced.sample.size,
        warnings=(
            *(f"{name} has one member: a claim about a recipe needs two, and is undefined" for name in alone),
            *(f"{failure.variant}: {failure.reason}" for each in glanced.given for failure in each.failures),
            *doubts(glanced.given, looks),
            *(() if gates else (NO_GATE,)),
            *sign_doubts(gates),
            *(str(each) for each in standings if each.why_not),
        ),
    )


def _glance(declaration: Declaration, source: Source, dataset: Dataset, progress: Progress) -> population.Glance:
    """Look at given models and at what methods make of the layers. Raises ModelError with every refusal."""
    spec, base = declaration.spec, declaration.base
    if spec.model.predictions is not None:
        return population.NOTHING
    store = base / spec.run.store
    found = population.glance(spec, source, dataset, base=base, store_folder=store, progress=progress)
    if found.refused:
        raise ModelError(
            *(Problem(where=f"compression {name}", message=reason) for name, reason in found.refused.items())
        )
    return found


def _nothing_changes(dataset: Dataset, confidence: float, min_group: int) -> Setting:
    """Make the best case: one model that is always right, and stays so. Its bounds are what sizes alone allow."""
    perfect = Population(
        name=BASELINE,
        method="none",
        claim="artifact",
        paired=False,
        fixed_baseline=False,
        asked=1,
        predictions=Predictions(members=(0,), decisions=np.array(dataset.labels)[None], digests=("",)),
        failures=(),
        asked_for={},
        measured=({},),
    )
    variant = replace(perfect, name="variant")
    total = count_labels(dataset.labels, dataset.groups, len(dataset.classes))
    return prepare(dataset, variant, perfect, total, confidence=confidence, min_group=min_group)


def _reaches(gate: Gate, setting: Setting) -> Iterator[Reach]:
    groups, classes = setting.dataset.groups.names, setting.dataset.classes
    about_change = gate.compare in VERSUS_BASELINE
    targets: list[Target] = [
        (
            gate.metric,
            None if label is None else classes.index(label),
            groups.index(group),
            gate.compare,
            NONE if against is None else groups.index(against),
        )
        for label, group, against in gate.targets
    ]
    for e in estimate(setting, targets):
        limits = [(-1, gate.min), (1, gate.max)]
        broken = [
            (limit, side)
            for (side, limit), bound in zip(limits, (e.low, e.high), strict=True)
            if about_change and limit is not None and bound is not None and side * (bound - limit) > 0
        ]
        why = "too few" if e.undefined else _why_not(e, *broken[0], setting.confidence) if broken else ""
        yield Reach(
            gate=gate.name,
            label=e.label,
            group=e.group,
            against=e.against,
            n=e.n,
            limit=" to ".join(f"{limit:+.3f}" for _, limit in limits if limit is not None) if about_change else "",
            smallest=max(-e.low, e.high) if about_change and e.low is not None and e.high is not None else None,
            can_pass=None if not (why or about_change) else not why,
            why_not=why,
        )


def _why_not(e: Estimate, limit: float, side: int, confidence: float) -> str:
    """Say why a change of nothing would not be shown to be within a limit."""
    if side * limit < 0:
        return "demands that it rises" if limit > 0 else "demands that it falls"
    what = needed(e, limit, side, confidence)
    if what.examples is None:
        return "no loss at all cannot be shown"
    more = [f"{what.examples:,}"] if what.examples > e.n else []
    if what.others > 1:
        more.append(f"{what.others:.1f} x {'the others' if e.against is None else group_name(e.against)}")
    return f"needs {' and '.join(more)}"
