"""Compress and run: from the definition to populations of decisions, through the store."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from auditor.data.inputs import read_inputs
from auditor.errors import IncompleteError, ModelError, Problem
from auditor.population.confined import refuse_unconfined, refuse_unconfined_results
from auditor.population.entry import DamagedError, Entry
from auditor.population.environment import inputs_definition
from auditor.population.executors import Executor, Local, inline
from auditor.population.exported import export, withdraw
from auditor.population.job import Site
from auditor.population.plan import plan, warnings_of
from auditor.population.starting import check_stack
from auditor.population.store import Store
from auditor.population.together import Columns, Outcome, failure_of, from_columns, population_of, without_twins
from auditor.provenance import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from auditor.data import Source
    from auditor.data.inputs import Inputs
    from auditor.population.job import Job, Variant
    from auditor.progress import Progress
    from auditor.records import Dataset, Population
    from auditor.spec import AuditSpec, Run


def run(
    spec: AuditSpec,
    source: Source,
    dataset: Dataset,
    *,
    base: Path,
    store_folder: Path,
    progress: Progress,
    force: bool = False,
) -> tuple[Population, ...]:
    """Every population, the baseline first; what is stored already is not made again, unless `force`.

    Raises AuditorError where the request cannot be served; failed members are part of the populations.
    """
    refuse_unconfined(spec)
    variants = plan(spec, dataset, base)
    for warning in warnings_of(variants):
        progress.note(warning)
    if spec.model.predictions is not None:
        return from_columns(variants, cast("Columns", source))
    store = Store(store_folder.absolute())
    errand = _Errand(
        run_table=spec.run, source=source, dataset=dataset, base=base, store=store, progress=progress, force=force
    )
    with store.in_use():
        store.sweep()
        populations = _populations(variants, errand)
    refuse_unconfined_results(spec, {each.name: each.sandbox for each in populations})
    return populations


def _populations(variants: Sequence[Variant], errand: _Errand) -> tuple[Population, ...]:
    """What became of every variant, then of every file that is exported."""
    examples = len(errand.dataset.labels)
    outcomes = errand.outcomes([job for v in variants for job in v.jobs], [job for v in variants for job in v.stacks])
    found = without_twins([population_of(variant, outcomes, examples) for variant in variants])
    return (*found, *_shipped(variants, found, outcomes, errand))


def _shipped(
    variants: Sequence[Variant], found: Sequence[Population], outcomes: Mapping[str, Outcome], errand: _Errand
) -> Iterator[Population]:
    """What became of the files that are exported. A file that cannot be had is a failure, and ends no audit."""
    failed = {(failure.variant, failure.member): failure.reason for each in found for failure in each.failures}
    for variant in variants:
        if variant.export is None:
            continue
        target, number = variant.export
        file, reason = export(variant, target, number, outcomes, failed.get((variant.name, number)), errand.store)
        job = file.variant.jobs[0]
        own: dict[str, Outcome] = {**outcomes}
        try:
            own[job.key] = reason or errand.outcomes([job], [])[job.key]
        except ModelError as error:  # another run has exported under this name meanwhile
            own[job.key] = str(error)
        own[job.key] = file.outcome(own)
        if failure_of(own[job.key]):
            withdraw(target)
        yield population_of(file.variant, own, len(errand.dataset.labels))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Errand:
    """What all jobs of one run are made with."""

    run_table: Run
    source: Source
    dataset: Dataset
    base: Path
    store: Store
    progress: Progress
    force: bool

    def outcomes(self, jobs: Sequence[Job], stacks: Sequence[Job]) -> dict[str, Outcome]:
        """What became of jobs, by key: from the store, or made now, those that they derive from before them."""
        store, dataset, progress = self.store, self.dataset, self.progress
        members, together = ({job.key: job for job in some} for some in (jobs, stacks))
        progress.started([job.name for job in members.values()])
        outcomes: dict[str, Outcome] = {} if self.force else _stored(members, store, dataset, progress)
        missing = [job for key, job in members.items() if key not in outcomes]
        wanted = {job.parent: together[job.parent] for job in missing if job.parent in together}
        known = {} if self.force else _stored_stacks(wanted.values(), store, progress)
        outcomes |= known
        for job in missing:
            if reason := _barred(job, together | members, outcomes):
                outcomes[job.key] = reason
        todo = [*(job for key, job in wanted.items() if key not in known), *missing]
        if todo := [job for job in todo if job.key not in outcomes]:
            inputs = materialised(self.source, dataset, store, progress)
            site = Site(store=store, inputs=inputs, base=self.base.absolute(), force=self.force)
            run_missing(todo, together | members, outcomes, site, executor_of(self.run_table, len(todo)), progress)
        return outcomes


def _stored(jobs: Mapping[str, Job], store: Store, dataset: Dataset, progress: Progress) -> dict[str, Outcome]:
    found: dict[str, Outcome] = {}
    for key, job in jobs.items():
        if (entry := _read(job, store, dataset, progress)) is not None:
            found[key] = entry
            progress.finished(job.name, entry.seconds, stored=True)
    for key, job in jobs.items():
        if reason := _barred(job, jobs, found):
            found.setdefault(key, reason)
    return found


def _read(job: Job, store: Store, dataset: Dataset, progress: Progress) -> Entry | None:
    """A job's stored result; a damaged one is said, set aside, and made again."""
    try:
        entry = store.entry(job.key, job.definition)
        if entry is not None:
            entry.check(examples=len(dataset.labels), classes=len(dataset.classes))
    except DamagedError as error:
        aside = store.set_aside(store.job_folder(job.key))
        progress.note(f"the stored result of {job.name} is damaged ({error}): kept as {aside}, and made again")
        return None
    return entry


def _stored_stacks(stacks: Iterable[Job], store: Store, progress: Progress) -> dict[str, Outcome]:
    """Give what became of stacks that have run; a damaged one is said, set aside, and trained again, whole."""
    found: dict[str, Outcome] = {}
    for stack in stacks:
        try:
            entry = store.entry(stack.key, stack.definition)
            if entry is not None:
                check_stack(entry, len(stack.seeds))
                found[stack.key] = entry
        except DamagedError as error:
            aside = store.set_aside(store.job_folder(stack.key))
            progress.note(f"the stored {stack.name} is damaged ({error}): kept as {aside}, and done again")
    return found


def inputs_of(source: Source, dataset: Dataset, store_folder: Path, progress: Progress) -> Inputs:
    """What models read, from the store, or made now."""
    store = Store(store_folder.absolute())
    with store.in_use():
        return read_inputs(materialised(source, dataset, store, progress))


def materialised(source: Source, dataset: Dataset, store: Store, progress: Progress) -> Path:
    """The folder of the model's inputs, made now unless it is there and whole."""
    definition = inputs_definition(dataset)
    folder = store.inputs_folder(digest_of(definition))
    try:
        if store.read(folder, definition) is not None:
            return folder
    except DamagedError as error:
        aside = store.set_aside(folder)
        progress.note(f"the stored inputs are damaged ({error}): kept as {aside}, and made again")

    def fill(scratch: Path) -> dict[str, Any]:
        source.materialise(scratch)
        return {}

    store.publish(folder, definition, fill, replace=False)
    return folder


def executor_of(run_table: Run, jobs: int) -> Executor:
    """What runs so many jobs. Raises IncompleteError where it is an extra that is not installed."""
    if run_table.executor == "inline":
        return inline
    if run_table.executor == "dask":
        try:
            from auditor.population.cluster import Cluster  # noqa: PLC0415 - an extra
        except ImportError as error:
            message, advice = (
                f"Dask is not installed: {error}",
                'pip install "auditor[dask]", here and on every worker.',
            )
            raise IncompleteError(Problem(where="run.executor", message=message, advice=advice)) from error
        return Cluster(str(run_table.address), timeout=run_table.member_timeout, resources=run_table.resources)
    return Local(workers=min(count_workers(run_table), jobs), timeout=run_table.member_timeout)


def count_workers(run_table: Run) -> int:
    """How many processes run members at one time."""
    if run_table.executor == "inline":
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores if run_table.workers == "auto" else run_table.workers


def run_missing(
    missing: Sequence[Job],
    jobs: Mapping[str, Job],
    outcomes: dict[str, Outcome],
    site: Site,
    execute: Executor,
    progress: Progress,
) -> None:
    """Run what is missing, and note what becomes of it and of its children in `outcomes`."""

    def settle(job: Job, reason: str | None) -> bool:
        entry = None if reason else site.store.entry(job.key, job.definition)
        outcomes[job.key] = entry or str(reason)
        if job.is_stack:
            progress.trained(job.name, entry.seconds if entry else 0.0)
        else:
            progress.finished(job.name, entry.seconds if entry else 0.0, stored=False)
        for child in missing:
            if child.key not in outcomes and (barred := _barred(child, jobs, outcomes)):
                outcomes[child.key] = barred
                progress.finished(child.name, 0.0, stored=False)
        return failure_of(outcomes[job.key]) is None

    execute(missing, site, settle)


def _barred(job: Job, jobs: Mapping[str, Job], outcomes: Mapping[str, Outcome]) -> str | None:
    """Why a job cannot run: the member that it derives from failed."""
    if job.parent is None or job.parent not in outcomes:
        return None
    reason = failure_of(outcomes[job.parent])
    return reason and f"{jobs[job.parent].name}, which it derives from, failed: {reason}"
