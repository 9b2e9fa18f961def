"""The audit: one call a stage. No arithmetic, no wording."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from auditor import data, population
from auditor.data.thumbnails import thumbnails, to_picture
from auditor.errors import IncompleteError, Problem, ResultError, SpecError
from auditor.fixed_sequence import most_compressed
from auditor.gates import declared_gates, declared_waivers, sign_doubts
from auditor.judge import judge, key_of, unfit
from auditor.looks import Terms, record_looks
from auditor.measure import measure
from auditor.measure.doubts import doubts, look
from auditor.measure.summary import summarise_data, summarise_variant
from auditor.population.files import matches
from auditor.progress import Silent
from auditor.provenance import describe, today
from auditor.records import BASELINE, AuditResult
from auditor.sandbox import weakest
from auditor.spec import Artifact
from auditor.waivers import standing, waive

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from auditor.data import Source
    from auditor.declare import Declaration
    from auditor.progress import Progress
    from auditor.records import Dataset, Exemplars, Gate, Population, Waiver
    from auditor.spec import AuditSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """A finished audit: the result, and the decisions that it was made from."""

    result: AuditResult
    dataset: Dataset
    populations: tuple[Population, ...]


def audit(declaration: Declaration, *, progress: Progress | None = None, force: bool = False) -> Audit:
    """Run everything that a file declares: load, compress and run, measure, judge.

    Raises AuditorError where the request cannot be served; failed members are part of the result.
    """
    return conclude(populate(declaration, progress=progress, force=force))


@dataclass(frozen=True, slots=True, kw_only=True)
class Populated:
    """An audit whose members have all run, or failed."""

    declaration: Declaration
    progress: Progress
    source: Source
    dataset: Dataset
    gates: tuple[Gate, ...]
    waivers: tuple[Waiver, ...]
    populations: tuple[Population, ...]
    timings: Mapping[str, float]


def populate(declaration: Declaration, *, progress: Progress | None = None, force: bool = False) -> Populated:
    """Load the data, then run whatever is not stored: the first part of `audit`."""
    spec, progress = declaration.spec, progress or Silent()
    timings: dict[str, float] = {"started": time.time()}
    with declaration.naming_places():
        with _stage("load", progress, timings):
            source = data.open_source(spec, declaration.base)
            dataset = source.load()
            gates = declared_gates(declaration, dataset)
            waivers = declared_waivers(declaration, dataset, gates)
            # said before hours of training, not after
            in_vain = [str(each) for each in standing(waivers, gates, today()) if each.why_not]
            for warning in (*dataset.warnings, *sign_doubts(gates), *in_vain):
                progress.note(warning)
        with _stage("run", progress, timings):
            store = declaration.base / spec.run.store
            populations = population.run(
                spec, source, dataset, base=declaration.base, store_folder=store, progress=progress, force=force
            )
            _refuse_empty(populations[0])
            for doubt in doubts(populations, look(populations, dataset.labels, len(dataset.classes))):
                progress.note(doubt)
    return Populated(
        declaration=declaration,
        progress=progress,
        source=source,
        dataset=dataset,
        gates=gates,
        waivers=waivers,
        populations=populations,
        timings=timings,
    )


def conclude(ran: Populated) -> Audit:
    """Measure and judge: the second part of `audit`."""
    timings = dict(ran.timings)
    with _stage("measure", ran.progress, timings):
        result = _measure(ran.declaration, ran.dataset, ran.populations, ran.gates)
        pictures = _thumbnails(ran, result.exemplars) if ran.declaration.spec.report.thumbnails else {}
        result = _waived(replace(result, waivers=ran.waivers), today())
    timings |= _latencies(ran.populations)
    result = replace(result, timings=timings, thumbnails=pictures)
    return Audit(result=result, dataset=ran.dataset, populations=ran.populations)


def _thumbnails(ran: Populated, exemplars: Sequence[Exemplars]) -> Mapping[str | int, bytes]:
    """Give small pictures of the exemplars, which the user has allowed; say where the inputs are none."""
    spec, base = ran.declaration.spec, ran.declaration.base
    made: Mapping[str | int, bytes] = {}
    wanted = to_picture(exemplars)
    if spec.model.predictions is None:
        test_x = population.inputs_of(ran.source, ran.dataset, base / spec.run.store, ran.progress).test_x
        made = thumbnails(test_x, ran.dataset, wanted)
    if wanted and not made:
        ran.progress.note("report.thumbnails: the inputs of the models are no pictures, so there are none")
    return made


@contextmanager
def _stage(name: str, progress: Progress, timings: dict[str, float]) -> Iterator[None]:
    progress.stage(name)
    start = time.perf_counter()
    yield
    timings[name] = time.perf_counter() - start


def _refuse_empty(baseline: Population) -> None:
    if not baseline.predictions.members:
        reasons = sorted({failure.reason for failure in baseline.failures})
        message = f"none of the {baseline.asked} members of the baseline finished: {'; '.join(reasons)}"
        raise IncompleteError(Problem(message=message, where=BASELINE))


def _measure(
    declaration: Declaration, dataset: Dataset, populations: Sequence[Population], gates: tuple[Gate, ...]
) -> AuditResult:
    spec = declaration.spec
    statistics = spec.statistics
    measures = measure(
        dataset,
        populations,
        gates,
        confidence=statistics.confidence,
        min_group=statistics.min_group,
        seed=spec.audit.seed,
        permutations=statistics.permutations,
    )
    variants = tuple(summarise_variant(population, populations[0], dataset) for population in populations)
    findings = judge(
        gates, measures.estimates, variants, confidence=statistics.confidence, minimum=spec.population.minimum
    )
    looks = declaration.base / spec.run.store / "looks"
    definition = define(spec)
    return AuditResult(
        status="incomplete" if unfit(variants, spec.population.minimum) else "complete",
        definition=definition,
        definition_file=declaration.file.name,
        provenance=describe(
            seed=spec.audit.seed,
            definition=definition,
            data=dataset.digest,
            models={p.name: p.predictions.digests for p in populations},
            stacks={p.name: p.stack for p in populations if p.stack},
        ),
        timings={},
        sandbox=weakest(population.sandbox for population in populations if population.sandbox),
        data=summarise_data(dataset),
        variants=variants,
        failures=tuple(failure for population in populations for failure in population.failures),
        gates=gates,
        estimates=measures.estimates,
        class_tests=measures.class_tests,
        class_test_families=measures.class_test_families,
        exemplars=measures.exemplars,
        extremes=measures.extremes,
        descriptions=measures.descriptions,
        selections=measures.selections,
        findings=findings,
        looks=record_looks(looks, dataset, gates, findings, populations, _terms(spec)),
        fixed_sequences=most_compressed(findings, variants),
    )


def _terms(spec: AuditSpec) -> Terms:
    """Give what verdicts depend on besides the numbers and the gates."""
    return Terms(
        seed=spec.audit.seed,
        training=spec.training.model_dump(mode="json"),
        confidence=spec.statistics.confidence,
        min_group=spec.statistics.min_group,
        minimum=spec.population.minimum,
    )


def define(spec: AuditSpec) -> dict[str, Any]:
    """Give the definition as resolved, without what cannot change a number: where it ran and what was written."""
    return spec.model_dump(mode="json", by_alias=True, exclude={"run", "report"}, exclude_none=True)


def _latencies(populations: Sequence[Population]) -> Mapping[str, float]:
    """Take the latencies, which differ from run to run, to the timings: the median over members, ms an example."""
    known = {p.name: sorted(m["latency_ms"] for m in p.measured if "latency_ms" in m) for p in populations}
    return {f"latency_ms {name}": values[len(values) // 2] for name, values in known.items() if values}


def require_pins(spec: AuditSpec, base: Path) -> None:
    """Refuse model files that are named without their digest. `base` is the folder of audit.toml."""
    files = [("model", spec.model.path, spec.model.sha256)] if spec.model.path else []
    files += [(f"compression {e.name}", e.artifact, e.sha256) for e in spec.compression if isinstance(e, Artifact)]
    if "weights" in spec.model.options:
        weights = spec.model.options
        files.append(("model.options.weights", weights["weights"], weights.get("weights_sha256")))
    problems = [
        Problem(file=str(path), where=where, message="has no sha256, and pins are required")
        for where, declared, pins in files
        for star, path in matches(base, declared).items()
        if not (pins.get(star) if isinstance(pins, dict) else pins)
    ]
    if problems:
        raise SpecError(*problems)


def rejudge(result: AuditResult, gates: tuple[Gate, ...], *, day: str | None = None) -> AuditResult:
    """Judge the numbers of a result again, at the limits given, without models or data.

    Its waivers count up to the day that they name; `day` is the one to go by, such as "2026-12-31", and None is today.
    Raises ResultError where it lacks a number that a gate is about.
    """
    _refuse_unmeasured(result, gates)
    definition = result.definition
    findings = judge(
        gates,
        result.estimates,
        result.variants,
        confidence=definition["statistics"]["confidence"],
        minimum=definition["population"].get("minimum"),
    )
    judged = replace(result, gates=gates, findings=findings, fixed_sequences=most_compressed(findings, result.variants))
    return _waived(judged, day or today())


def _refuse_unmeasured(result: AuditResult, gates: Sequence[Gate]) -> None:
    known = {key_of(e) for e in result.estimates}
    missing = [
        f"{gate.name!r} for {variant}"
        for gate in gates
        for variant in gate.variants
        if any((variant, gate.metric, *target, gate.compare) not in known for target in gate.targets)
    ]
    if missing:
        message = f"the result lacks numbers that its gates judge: {', '.join(missing[:5])}"
        raise ResultError(Problem(where="gates", message=message))


def _waived(result: AuditResult, day: str) -> AuditResult:
    """Mark what is waived on a day, and remember the day."""
    blocked = unfit(result.variants, result.definition["population"].get("minimum"))
    return replace(result, judged_on=day, findings=waive(result.findings, result.waivers, day, blocked))
