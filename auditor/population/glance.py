"""A glance before anything is spent: given models decide on some examples, methods try the layers that they meet."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from auditor.data.inputs import read_inputs, write_inputs
from auditor.population.confined import refuse_unconfined
from auditor.population.job import Site
from auditor.population.plan import plan
from auditor.population.running import executor_of, materialised, run_missing
from auditor.population.store import Store
from auditor.population.together import failure_of, population_of
from auditor.provenance import digest_of
from auditor.spec import QUANTIZERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from auditor.data import Source
    from auditor.data.inputs import Inputs
    from auditor.population.job import Job, Variant
    from auditor.population.together import Outcome
    from auditor.progress import Progress
    from auditor.records import Dataset, IntArray, Population
    from auditor.spec import AuditSpec

EXAMPLES = 200
_STREAM = 3
"""Of the audit's seed; 2 is that of data.sample, whose first stream would start from the same state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """What a look before the run has found."""

    sample: IntArray
    """Positions in the test split of the examples that given models decided on; empty where none is given."""
    given: tuple[Population, ...]
    """Each given model's decisions on them, the baseline first."""
    refused: Mapping[str, str]
    """Variants that could not be made, and why."""


NOTHING = Glance(sample=np.arange(0), given=(), refused={})


def glance(
    spec: AuditSpec, source: Source, dataset: Dataset, *, base: Path, store_folder: Path, progress: Progress
) -> Glance:
    """Let every given model decide on a seeded sample of the test split, and every method try the model's layers.

    Of a population of files the first one decides; of variants that differ in how far they go, the first is tried.
    Model inputs stay in the store, for the run; the decisions do not.
    """
    variants = plan(spec, dataset, base)
    given = [variant for variant in variants if variant.jobs and variant.jobs[0].given is not None]
    tried = _rehearsals(variants)
    if not given and not tried:
        return NOTHING
    refuse_unconfined(spec)
    N = len(dataset.labels)
    sample = np.sort(np.random.default_rng([spec.audit.seed, _STREAM]).permutation(N)[:EXAMPLES])
    store = Store(store_folder.absolute())
    with store.in_use():
        inputs = read_inputs(materialised(source, dataset, store, progress))
        decide = [_on_sample(variant, len(sample)) for variant in given]
        jobs = [*(variant.jobs[0] for variant in decide), *tried]
        with _outcomes(jobs, _only(inputs, sample), spec, base, progress) as outcomes:
            refused = {job.variant: reason for job in tried if (reason := failure_of(outcomes[job.key]))}
            populations = tuple(population_of(variant, outcomes, len(sample)) for variant in decide)
    return Glance(sample=sample if given else NOTHING.sample, given=populations, refused=refused)


_HOW_FAR = {"sparsity", "seed"}
"""Settings of a step that no layer is refused by."""


def _rehearsals(variants: Sequence[Variant]) -> list[Job]:
    """For each compression that trains: a job that tries its steps on the model that it would start from."""
    jobs: dict[str, Job] = {}
    first = next((job for variant in variants[:1] for job in variant.jobs[:1]), None)
    for job in (job for variant in variants[1:] for job in variant.jobs[:1]):
        steps = job.definition["steps"]
        if first is None or not any(step["method"] not in QUANTIZERS for step in steps):
            continue
        start = {key: value for key, value in first.definition["start"].items() if key not in {"parent", "place"}}
        definition = {**job.definition, "start": start, "training": None, "rehearsal": True}
        kind = digest_of([{key: step[key] for key in step.keys() - _HOW_FAR} for step in steps])
        jobs.setdefault(kind, replace(job, definition=definition, path=first.path))
    return list(jobs.values())


def _on_sample(variant: Variant, examples: int) -> Variant:
    """The variant's first member, as a job of its own."""
    job = variant.jobs[0]
    definition = {**job.definition, "data": {"sample": examples, "of": job.definition["data"]}}
    return replace(variant, jobs=(replace(job, definition=definition),))


def _only(inputs: Inputs, sample: IntArray) -> Inputs:
    none = inputs.test_x[:0]
    return replace(
        inputs, test_x=inputs.test_x[sample], train_x=none, train_y=np.arange(0), calibration_x=none, calibrations={}
    )


@contextmanager
def _outcomes(
    jobs: Sequence[Job], inputs: Inputs, spec: AuditSpec, base: Path, progress: Progress
) -> Iterator[Mapping[str, Outcome]]:
    """What became of jobs, in a store that is gone afterwards."""
    by_key = {job.key: job for job in jobs}
    outcomes: dict[str, Outcome] = {}
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder, "store").absolute())
        with store.in_use():
            place = store.inputs_folder("sample")

            def fill(scratch: Path) -> dict[str, object]:
                write_inputs(scratch, inputs)
                return {}

            store.publish(place, {"sample": len(inputs.test_x)}, fill, replace=False)
            site = Site(store=store, inputs=place, base=base.absolute(), force=False)
            progress.started([job.name for job in by_key.values()])
            executor = executor_of(spec.run, len(by_key))
            run_missing([*by_key.values()], by_key, outcomes, site, executor, progress)
            yield outcomes
