"""A glance at given models: a few hundred test examples through each, before anything is spent on them."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from auditor.data.inputs import read_inputs, write_inputs
from auditor.population.confined import refuse_unconfined
from auditor.population.member import Site
from auditor.population.plan import plan
from auditor.population.running import executor_of, materialised, run_missing
from auditor.population.store import Store
from auditor.population.together import population_of

if TYPE_CHECKING:
    from auditor.data import Source
    from auditor.data.inputs import Inputs
    from auditor.population.plan import Variant
    from auditor.population.together import Outcome
    from auditor.progress import Progress
    from auditor.records import Dataset, IntArray, Population
    from auditor.spec import AuditSpec

EXAMPLES = 200


def glance(
    spec: AuditSpec, source: Source, dataset: Dataset, *, base: Path, store_folder: Path, progress: Progress
) -> tuple[IntArray, tuple[Population, ...]]:
    """Let every given model decide on a seeded sample of the test split; of a population of files the first one.

    Gives the sample's positions in the test split and a population of one for each model, the baseline first; both are
    empty where nothing is given. Model inputs stay in the store, for the run; the decisions do not.
    """
    given = [variant for variant in plan(spec, dataset, base) if variant.jobs and variant.jobs[0].given is not None]
    if not given:
        return np.arange(0), ()
    refuse_unconfined(spec)
    N = len(dataset.labels)
    sample = np.sort(np.random.default_rng([spec.audit.seed, 2]).permutation(N)[:EXAMPLES])
    store = Store(store_folder.absolute())
    with store.in_use():
        inputs = read_inputs(materialised(source, dataset, store, progress))
        variants = [_on_sample(variant, len(sample)) for variant in given]
        return sample, _decided(variants, _only(inputs, sample), spec, base, progress)


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


def _decided(
    variants: list[Variant], inputs: Inputs, spec: AuditSpec, base: Path, progress: Progress
) -> tuple[Population, ...]:
    jobs = {job.key: job for variant in variants for job in variant.jobs}
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
            progress.started(len(jobs))
            run_missing([*jobs.values()], jobs, outcomes, site, executor_of(spec.run, len(jobs)), progress)
            return tuple(population_of(variant, outcomes, len(inputs.test_x)) for variant in variants)
