"""The model that a member starts from: an untrained one, its parent, or one that a stack has trained and left here."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import numpy as np

from auditor.compress import MemberError
from auditor.data.inputs import to_float
from auditor.errors import IncompleteError, ModelError, Problem
from auditor.models.architectures import build
from auditor.models.config import read_config
from auditor.models.hdf5 import parse_json
from auditor.models.load import open_model, read_pinned
from auditor.models.start import load_weights
from auditor.population.entry import DamagedError
from auditor.population.train import diverged_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auditor.data.inputs import Inputs
    from auditor.models import KerasModel
    from auditor.models.config import ModelFacts
    from auditor.population.entry import Entry
    from auditor.population.job import Job, Site
    from auditor.population.stacked import Stack

COMPARED = 16
"""Test examples by which a model that is carried from one library to another is compared."""
_FLOAT = np.dtype("<f4")
"""How weights of a stack are stored: one number after another."""


def starting_model(job: Job, site: Site, inputs: Inputs) -> tuple[KerasModel, ModelFacts]:
    """The model that a member starts from: an untrained one, one that a stack has trained, or its parent."""
    start = job.definition["start"]
    if "place" in start:
        with _parent_whole(job, site):
            return _from_stack(job, site, inputs)
    if "architecture" in start:
        return built(job, inputs)
    folder = str(site.store.job_folder(start["parent"]))
    with _parent_whole(job, site):
        content, ending = site.store.model(start["parent"])
    return trainable(content, ending, folder, job, inputs)


def trainable(content: bytes, ending: str, file: str, job: Job, inputs: Inputs) -> tuple[KerasModel, ModelFacts]:
    """A model in tf_keras. Raises ModelError where its format is final."""
    definition = job.definition
    parent = open_model(content, ending, file, definition["trusted"], output=definition["start"].get("output"))
    if parent.trainable is None:
        message, advice = f"a {ending} model cannot be compressed further", "Give the .keras or .h5 that it came of."
        raise ModelError(Problem(file=file, message=message, advice=advice))
    return parent.trainable(to_float(inputs.test_x[:COMPARED], inputs)), parent.facts


def built(job: Job, inputs: Inputs) -> tuple[KerasModel, ModelFacts]:
    """A model of the job's architecture, with the weights to start from where there are any. Raises ModelError."""
    start = job.definition["start"]
    model = build(
        start["architecture"], inputs.train_x.shape[1:], job.definition["reading"]["classes"], start["options"]
    )
    if job.path is not None:
        content, _ = read_pinned(job.path, start["sha256"])
        load_weights(model, content, start["ending"], str(job.path), fresh_head=start["fresh_head"])
    # What could not be opened again after training is refused before it.
    return model, facts_of(model, start["architecture"], job)


def facts_of(model: KerasModel, name: str, job: Job) -> ModelFacts:
    """What a model's configuration tells; `name` is for errors. Raises ModelError."""
    return read_config(parse_json(model.to_json(), ""), name, ".keras", job.definition["trusted"])


def write_stack(made: Stack, folder: Path) -> dict[str, Any]:
    """Write the weights of each member of a stack, and give the entry's facts of it."""
    for place, weights in enumerate(made.weights):
        flat = np.concatenate([weight.ravel() for weight in weights]).astype(_FLOAT)
        (folder / f"{_weights_of(place)}.bin").write_bytes(flat.tobytes())
    return {"diverged": {str(place): epoch for place, epoch in made.diverged.items()}}


def check_stack(entry: Entry, members: int) -> None:
    """Raise DamagedError where an entry is not the weights of so many members of one shape."""
    if entry.failure is not None:
        return
    files = sorted(entry.folder.glob("weights-*"))
    if [path.name for path in files] != [f"{_weights_of(place)}.bin" for place in range(members)]:
        raise DamagedError(f"it does not hold the weights of {members} members")
    sizes = {path.stat().st_size for path in files}
    if len(sizes) != 1 or sizes.pop() % _FLOAT.itemsize:
        raise DamagedError("its members' weights are not of one shape")


def _from_stack(job: Job, site: Site, inputs: Inputs) -> tuple[KerasModel, ModelFacts]:
    """A member that was trained in a stack."""
    start = job.definition["start"]
    part = site.store.part(start["parent"], _weights_of(start["place"]))
    if epoch := part.facts["diverged"].get(str(start["place"])):
        raise MemberError(diverged_in(epoch))
    if part.content is None:
        raise DamagedError("it holds no weights of this member")
    model, facts = built(job, inputs)
    shapes = [weight.shape for layer in model.layers for weight in layer.weights]
    ends = np.cumsum([np.prod(shape, dtype=int) for shape in shapes])
    if len(part.content) != ends[-1] * _FLOAT.itemsize:
        raise DamagedError(f"it holds {len(part.content):,} bytes of weights a member, not those of {ends[-1]:,}")
    flat = np.frombuffer(part.content, _FLOAT)
    weights = iter(np.split(flat, ends[:-1]))
    for layer in model.layers:
        layer.set_weights([next(weights).reshape(weight.shape) for weight in layer.weights])
    return model, facts


def _weights_of(place: int) -> str:
    return f"weights-{place:03}"


@contextlib.contextmanager
def _parent_whole(job: Job, site: Site) -> Iterator[None]:
    """Say of a damaged parent where it is, and what to do."""
    try:
        yield
    except DamagedError as error:
        folder = site.store.job_folder(job.definition["start"]["parent"])
        aside = site.store.set_aside(folder)
        advice = f"It is kept as {aside}. Run again, and it is made again."
        raise IncompleteError(Problem(file=str(folder), message=str(error), advice=advice)) from error
