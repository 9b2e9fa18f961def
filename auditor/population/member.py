"""Run one job: start from a model, train, compress, write the file, reload it, let it decide.

A stack's job only trains, all its members at once; each member's own job takes its weights from there.
"""

from __future__ import annotations

import contextlib
import errno
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from auditor.compress import Compressed, MemberError, Method, method_of
from auditor.compress.measured import measure_file
from auditor.compress.prune import Prune
from auditor.compress.summaries import EVENTS, look, write_events
from auditor.data.inputs import read_inputs, representative, to_float
from auditor.errors import AuditorError, IncompleteError, ModelError, Problem
from auditor.models.artifact import BATCH, TIMED_BATCH, latency, predict
from auditor.models.decide import Reading, decide
from auditor.models.load import keras_bytes, open_model, read_pinned
from auditor.own import imported
from auditor.population.dense import unstackable
from auditor.population.recipe import settings_of
from auditor.population.stacked import Stack, train_stack
from auditor.population.starting import built, facts_of, starting_model, trainable, write_stack
from auditor.population.train import total_steps, train
from auditor.sandbox import here

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from auditor.compress.summaries import Logged
    from auditor.data.inputs import Inputs
    from auditor.models import KerasModel
    from auditor.population.job import Job, Site
    from auditor.records import FloatArray, IntArray

LEFT = "left_uncompressed"
"""What methods name that they left as it is; told by method, since a chain has several."""
ATTEMPTS = 4
"""An exception is tried again; one that was seen before is final."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    file: Compressed
    decisions: IntArray
    probabilities: FloatArray | None
    measured: dict[str, Any]


def run_job(job: Job, site: Site) -> None:
    """Make a member and store it, or store why it failed. Raises AuditorError where the request itself is wrong."""
    start = perf_counter()
    made = _attempt(job, site)

    def fill(folder: Path) -> dict[str, Any]:
        facts = _write(made, folder)
        # The most that this process has held so far, whichever of its jobs needed it; Linux counts in KiB.
        memory = getrusage(RUSAGE_SELF).ru_maxrss * 1024
        return {**facts, "seconds": perf_counter() - start, "memory": memory, "sandbox": asdict(here())}

    site.store.publish(site.store.job_folder(job.key), job.definition, fill, replace=site.force)


@dataclass(frozen=True, slots=True)
class _Rehearsed:
    """Nothing that is kept."""


def _write(made: _Made | Stack | _Rehearsed | str, folder: Path) -> dict[str, Any]:
    """Write the files of what was made, and give the entry's facts of it."""
    if isinstance(made, str):
        return {"failure": made, "measured": {}}
    if isinstance(made, _Rehearsed):
        return {"failure": None}
    if isinstance(made, Stack):
        return {"failure": None, **write_stack(made, folder)}
    (folder / f"model{made.file.ending}").write_bytes(made.file.content)
    np.save(folder / "decisions.npy", made.decisions, allow_pickle=False)
    if made.probabilities is not None:
        np.save(folder / "probabilities.npy", made.probabilities, allow_pickle=False)
    if made.file.logged:
        write_events(folder / EVENTS, made.file.logged)
    return {"failure": None, "measured": made.measured}


def _attempt(job: Job, site: Site) -> _Made | Stack | _Rehearsed | str:
    """What was made, or the reason why nothing was: a MemberError, or the same exception twice."""
    reasons: list[str] = []
    while len(reasons) < ATTEMPTS:
        try:
            with imported(job.definition["trusted"], site.base):
                make = _train_together if job.is_stack else _rehearse if job.is_rehearsal else _make
                return make(job, site)
        except MemberError as error:
            return str(error)
        except (AuditorError, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever a library raises fails this member alone
            _reraise_of_the_computer(error, site)
            reason = f"{type(error).__name__}: {error}"
            if reason in reasons:
                return reason
            reasons.append(reason)
    return reasons[-1]


def _reraise_of_the_computer(error: Exception, site: Site) -> None:
    """A computer short of memory or disk, and a store that cannot be read, say nothing of the member."""
    if isinstance(error, OSError) and error.filename and Path(str(error.filename)).is_relative_to(site.store.root):
        message = f"it cannot be read: {error.strerror or error}"
        advice = "Run again: what is missing is made again."
        raise IncompleteError(Problem(file=str(error.filename), message=message, advice=advice)) from error
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        message = "the disk is full"
        advice = "Make room there, or set TMPDIR to another folder; what is finished is kept."
        raise IncompleteError(Problem(file=tempfile.gettempdir(), message=message, advice=advice)) from error
    if type(error).__name__ == "ResourceExhaustedError":
        raise MemoryError(str(error)) from error


def _make(job: Job, site: Site) -> _Made:
    from auditor.tf import seed

    definition, inputs = job.definition, read_inputs(site.inputs)
    seed(definition["seed"] or 0)
    file = _file(job, site, inputs)
    name = str(job.given or job.name)
    # What is made here has one output, whatever it is called.
    output = definition["start"].get("output") if job.given else None
    with _no_fault_of_the_request() if definition["steps"] else _named(name):
        model = open_model(file.content, file.ending, name, definition["trusted"], own=job.given is None, output=output)
        x, own = inputs.test_x, definition["start"].get("preprocess")
        batches = (to_float(x[i : i + BATCH], inputs, own) for i in range(0, len(x), BATCH))
        decisions, probabilities = decide(
            predict(model, batches), Reading(**definition["reading"]), model.facts.activation
        )
        timed = latency(model, to_float(x[:TIMED_BATCH], inputs, own))
    measured = {**measure_file(file.content, model), **file.measured, **timed}
    for step in definition["steps"]:
        _method(step).confirm(measured)
    return _Made(file=file, decisions=decisions, probabilities=probabilities, measured=measured)


def _train_together(job: Job, site: Site) -> Stack:
    from auditor.tf import reseed, seed

    definition, inputs = job.definition, read_inputs(site.inputs)
    starts = []
    seed(job.seeds[0])
    for number in job.seeds:
        reseed(number)
        model, facts = built(job, inputs)
        if said := unstackable(model):
            advice = "Set training.stacked to false: members are then trained each by itself."
            raise ModelError(Problem(where="training.stacked", message=f"the model cannot: {said}", advice=advice))
        starts.append([np.asarray(weight) for layer in model.layers for weight in layer.weights])
    training = definition["training"]
    masking = None
    for settings in definition["steps"]:
        masking = Prune(**settings).changes(total_steps(len(inputs.train_x), training))
    return train_stack(model, starts, job.seeds, inputs, training, activation=facts.activation, masking=masking)


def _rehearse(job: Job, site: Site) -> _Rehearsed:
    """Prepare a model for each step, and train none: what a method refuses, it refuses here."""
    from auditor.tf import seed

    inputs, definition = read_inputs(site.inputs), job.definition
    seed(0)
    if job.given is None:
        model, _ = built(job, inputs)
    else:
        content, _ = read_pinned(job.given, definition["start"]["sha256"])
        model, _ = trainable(content, definition["start"]["ending"], str(job.given), job, inputs)
    for step in definition["steps"]:
        method = _method(step)
        model = method.strip(method.prepare(model, 0))
    return _Rehearsed()


def _file(job: Job, site: Site, inputs: Inputs) -> Compressed:
    """The member's file: the given one as it is, or one that is trained, compressed, or both."""
    definition = job.definition
    if job.given is not None:
        content, _ = read_pinned(job.given, definition["start"]["sha256"])
        return Compressed(ending=definition["start"]["ending"], content=content, measured={})
    model, facts = starting_model(job, site, inputs)
    if training := definition["training"]:
        train(model, inputs, training, facts.activation, definition["seed"], reuse=not definition["trusted"])
    return _compressed(model, facts.activation, job, inputs)


def _compressed(model: KerasModel, activation: str | None, job: Job, inputs: Inputs) -> Compressed:
    """The file that the job's steps make of a model, one after another; `activation` is that of its last layer."""
    measured: dict[str, Any] = {}
    left: dict[str, Any] = {}
    logged: list[Logged] = []
    for step in job.definition["steps"]:
        method = _method(step)
        if step["training"]:
            lesson = method.lesson(model, _taught_by(activation, job))
            model = method.prepare(model, step["seed"])
            if lesson is not None:
                activation = facts_of(model, "student", job).activation
            method.calibrate(model, representative(inputs, step.get("calibration")))
            watch = (lambda now: logged.append(look(now))) if step.get("summaries") else None
            course, reuse = (step["training"], activation, step["seed"]), not job.definition["trusted"]
            train(model, inputs, *course, reuse=reuse, watch=watch, lesson=lesson)
            model = method.strip(model)
        found = dict(method.check(model))
        if (file := method.convert(model, representative(inputs, step.get("calibration")))) is not None:
            found |= file.measured
        if LEFT in found:
            left[step["method"]] = found.pop(LEFT)
        measured |= {**found, LEFT: left}
        if file is not None:
            return replace(file, measured=measured, logged=logged)
    return Compressed(ending=".keras", content=keras_bytes(model), measured=measured, logged=logged)


def _method(step: Mapping[str, Any]) -> Method:
    return method_of(settings_of(step))


def _taught_by(activation: str | None, job: Job) -> str | None:
    """The last activation of a teacher, also where only audit.toml tells that it gives probabilities."""
    declared = job.definition["reading"]["kind"]
    return "softmax" if declared == "probabilities" and activation != "sigmoid" else activation


@contextlib.contextmanager
def _no_fault_of_the_request() -> Iterator[None]:
    """A file that compression has made and that cannot decide fails its member alone: the baseline's may well do."""
    try:
        yield
    except ModelError as error:
        said = "; ".join(problem.message for problem in error.problems)
        raise MemberError(f"the file that was made cannot be used: {said}") from error


@contextlib.contextmanager
def _named(file: str) -> Iterator[None]:
    """Say which file a model's error is about."""
    try:
        yield
    except ModelError as error:
        named = (
            Problem(message=p.message, where=p.where, file=p.file or file, advice=p.advice) for p in error.problems
        )
        raise ModelError(*named) from error
