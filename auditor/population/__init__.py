"""Compress and run: from the definition to populations of decisions, through the store."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np

from auditor.errors import DataError, IncompleteError, Problem
from auditor.population.confined import refuse_unconfined, refuse_unconfined_results
from auditor.population.environment import inputs_definition
from auditor.population.executors import Executor, Local, inline
from auditor.population.member import Site, check_stack
from auditor.population.plan import plan, warnings_of
from auditor.population.store import DamagedError, Entry, Store
from auditor.provenance import digest_of
from auditor.records import BASELINE, Failure, Population, Predictions
from auditor.sandbox import Sandbox, weakest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from auditor.data import Given, Source
    from auditor.population.plan import Job, Variant
    from auditor.progress import Progress
    from auditor.records import Dataset
    from auditor.spec import AuditSpec, Run

__all__ = ["count_workers", "plan", "run"]

Outcome = Entry | str
"""What became of a job: its stored result, or the reason why there is none."""


class _Columns(Protocol):
    """A source whose table holds decisions already."""

    def members(self, declared: str) -> Given:
        """What the members of a variant decide, by what it declares as its predictions."""


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
        return _from_columns(variants, cast("_Columns", source))
    store = Store(store_folder.absolute())
    with store.in_use():
        store.sweep()
        members = {job.key: job for variant in variants for job in variant.jobs}
        stacks = {job.key: job for variant in variants for job in variant.stacks}
        progress.started(len(members))
        outcomes: dict[str, Outcome] = {} if force else _stored(members, store, dataset, progress)
        if missing := [job for key, job in members.items() if key not in outcomes]:
            wanted = {job.parent: stacks[job.parent] for job in missing if job.parent in stacks}
            known = {} if force else _stored_stacks(wanted.values(), store, progress)
            outcomes |= known
            todo = [*(job for key, job in wanted.items() if key not in known), *missing]
            for job in missing:
                if reason := _barred(job, stacks | members, outcomes):
                    outcomes[job.key] = reason
            if todo := [job for job in todo if job.key not in outcomes]:
                inputs = _materialised(source, dataset, store, progress)
                site = Site(store=store, inputs=inputs, base=base.absolute(), force=force)
                _run_missing(todo, stacks | members, outcomes, site, _executor(spec.run, len(todo)), progress)
        populations = tuple(_population(variant, outcomes, len(dataset.labels)) for variant in variants)
    refuse_unconfined_results(spec, {each.name: each.sandbox for each in populations})
    return populations


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


def _materialised(source: Source, dataset: Dataset, store: Store, progress: Progress) -> Path:
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


def _executor(run_table: Run, jobs: int) -> Executor:
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


def _run_missing(
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
        return _failure(outcomes[job.key]) is None

    execute(missing, site, settle)


def _barred(job: Job, jobs: Mapping[str, Job], outcomes: Mapping[str, Outcome]) -> str | None:
    """Why a job cannot run: the member that it derives from failed."""
    if job.parent is None or job.parent not in outcomes:
        return None
    reason = _failure(outcomes[job.parent])
    return reason and f"{jobs[job.parent].name}, which it derives from, failed: {reason}"


def _failure(outcome: Outcome) -> str | None:
    return outcome if isinstance(outcome, str) else outcome.failure


def _population(variant: Variant, outcomes: Mapping[str, Outcome], N: int) -> Population:
    found = [(job.member, outcomes[job.key]) for job in variant.jobs]
    finished = [(member, each) for member, each in found if isinstance(each, Entry) and each.failure is None]
    return _of(
        variant,
        asked=len(variant.jobs),
        predictions=_predictions([member for member, _ in finished], [entry for _, entry in finished], N),
        failures=tuple(
            Failure(variant=variant.name, member=member, reason=reason)
            for member, outcome in found
            if (reason := _failure(outcome)) is not None
        ),
        measured=_alike([entry.measured for _, entry in finished]),
        sandbox=weakest(
            entry.sandbox
            for job in (*variant.stacks, *variant.jobs)
            if isinstance(entry := outcomes.get(job.key), Entry)
        ),
    )


def _alike(measured: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """What was measured, without what only some members have, or as another kind: no mean can be taken of it."""
    kinds = [
        {key: isinstance(value, int | float) and not isinstance(value, bool) for key, value in one.items()}
        for one in measured
    ]
    shared = [key for key, kind in kinds[0].items() if all(other.get(key) is kind for other in kinds)] if kinds else []
    return tuple({key: one[key] for key in shared} for one in measured)


def _predictions(members: list[int], entries: list[Entry], N: int) -> Predictions:
    decisions = np.stack([entry.decisions() for entry in entries]) if entries else np.zeros((0, N), np.int16)
    likely = [p for entry in entries if (p := entry.probabilities()) is not None]
    probabilities = np.stack(likely) if likely and len(likely) == len(entries) else None
    for array in (decisions, probabilities):
        if array is not None:
            array.flags.writeable = False
    return Predictions(
        members=tuple(members),
        decisions=decisions,
        probabilities=probabilities,
        digests=tuple(entry.digest for entry in entries),
    )


def _of(
    variant: Variant,
    *,
    asked: int,
    predictions: Predictions,
    failures: tuple[Failure, ...] = (),
    measured: tuple[Mapping[str, Any], ...] = (),
    sandbox: Sandbox | None = None,
) -> Population:
    return Population(
        name=variant.name,
        method=variant.method,
        claim=variant.claim,
        paired=variant.paired,
        fixed_baseline=variant.fixed_baseline,
        asked=asked,
        predictions=predictions,
        failures=failures,
        asked_for=variant.recipe,
        measured=measured,
        stack=max((len(stack.seeds) for stack in variant.stacks), default=None),
        sandbox=sandbox,
    )


def _from_columns(variants: Sequence[Variant], source: _Columns) -> tuple[Population, ...]:
    """Populations of decisions that a table holds: no jobs, no models."""
    pattern, made = str(variants[0].columns), []
    first = source.members(pattern).members
    for variant in variants:
        given = source.members(str(variant.columns))
        predictions = _given(given, _pairing(variant, given.members, pattern, first) if variant.paired else None)
        # One column against one is this model against that one; many against one leave the baseline fixed.
        size = len(given.members)
        alone = size == len(first) == 1
        fixed = variant.name != BASELINE and len(first) == 1 and size > 1
        told = replace(variant, claim="artifact" if alone else "recipe", fixed_baseline=fixed)
        made.append(_of(told, asked=size, predictions=predictions))
    return tuple(made)


def _given(given: Given, order: list[int] | None) -> Predictions:
    """Predictions of members that a table holds, in this order; None: as they stand."""
    decisions, probabilities = given.decisions, given.probabilities
    if order is not None and order != sorted(order):
        decisions = decisions[order]
        probabilities = None if probabilities is None else probabilities[order]
    # of 32 bits, so that a member has one digest however few classes there are
    digests = (hashlib.sha256(np.ascontiguousarray(row, np.int32).tobytes()).hexdigest() for row in decisions)
    return Predictions(
        members=tuple(range(len(decisions))), decisions=decisions, probabilities=probabilities, digests=tuple(digests)
    )


def _pairing(variant: Variant, names: Sequence[str], pattern: str, baseline: Sequence[str]) -> list[int]:
    """For each member of the baseline the place of its partner: the one where the star stands for the same."""
    own = {name: place for place, name in enumerate(names)}
    if Counter(own.keys()) != Counter(baseline):
        lone = sorted(set(own) ^ set(baseline))
        message = f'"{variant.columns}" and "{pattern}" do not pair: without a partner {", ".join(map(repr, lone))}'
        advice = "Paired columns need the same text in place of the star; or set paired = false."
        raise DataError(Problem(where=f"compression {variant.name}", message=message, advice=advice))
    return [own[name] for name in baseline]
