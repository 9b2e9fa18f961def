"""The jobs of an audit, each beside its training and scoring alone, one after the other in the same minutes.

`python beside_bare.py audit.toml`: leaves every member in the audit's store; prints seconds of the jobs, and of what is
bare of store, checks, files and measurements.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from auditor import load_spec
from auditor.compress.prune import Prune
from auditor.data import open_source
from auditor.data.inputs import read_inputs, to_float
from auditor.models.architectures import build
from auditor.population import train as training_of
from auditor.population.environment import inputs_definition
from auditor.population.job import Site
from auditor.population.member import run_job
from auditor.population.plan import plan
from auditor.population.recipe import settings_of
from auditor.population.store import Store
from auditor.provenance import digest_of
from auditor.tf import load, seed  # noqa: TID253 - a program of its own, that does nothing else


def bare(job):
    """Train and score one member."""
    definition = job.definition
    seed(definition["seed"])
    model = build("cnn", inputs.train_x.shape[1:], definition["reading"]["classes"], {})
    training = definition["training"]
    for step in definition["steps"]:
        training = step["training"]
        model = Prune(**settings_of(step)).prepare(model, definition["seed"])
    training_of.train(model, inputs, training, "softmax", definition["seed"])
    if definition["steps"]:
        model = load().tfmot.strip_pruning(model)
    for first in range(0, len(inputs.test_x), 256):
        model(to_float(inputs.test_x[first : first + 256], inputs), training=False)


def timed(call, job):
    """Seconds of a call that finds no graph of an earlier one."""
    training_of._loops.clear()
    start = time.perf_counter()
    call(job)
    return time.perf_counter() - start


declaration = load_spec(sys.argv[1])
source = open_source(declaration.spec, declaration.base)
dataset = source.load()
store = Store((declaration.base / declaration.spec.run.store).absolute())
definition = inputs_definition(dataset)
folder = store.inputs_folder(digest_of(definition))
store.publish(folder, definition, lambda scratch: source.materialise(scratch) or {}, replace=False)
site, inputs = Site(store=store, inputs=folder, base=Path(declaration.base), force=False), read_inputs(folder)
jobs = [job for variant in plan(declaration.spec, dataset, declaration.base) for job in variant.jobs]
load()
whole = alone = 0.0
for place, job in enumerate(jobs):
    for own in ((True, False), (False, True))[place % 2]:
        if own:
            whole += timed(lambda job: run_job(job, site), job)
        else:
            alone += timed(bare, job)
print(whole, alone)
