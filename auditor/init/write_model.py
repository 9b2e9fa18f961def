"""The parts of a first audit.toml about models: the baseline, its compressions, how outputs are read."""

from __future__ import annotations

import os
from pathlib import PurePath
from typing import TYPE_CHECKING

from auditor.data.values import plural
from auditor.declare.variants import as_name
from auditor.init.toml import comment, key, value
from auditor.records import BASELINE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auditor.init.given import GivenModel
    from auditor.init.subject import Subject
    from auditor.records import Label

MOST_LISTED = 20
"""Of more classes the order is told, not written out."""


def relative(path: Path, folder: Path) -> str:
    """Write a path as audit.toml in this folder names it."""
    return value(os.path.relpath(path.resolve(), folder.resolve()).replace(os.sep, "/"))


def model_lines(subject: Subject, folder: Path) -> Iterator[str]:
    """Write `[model]`, and what is trained."""
    yield "[model]"
    if subject.predictions:
        yield f"predictions = {value(subject.predictions[0])}  # the baseline's columns, one a member"
    elif subject.model is not None:
        yield f"path = {relative(subject.model.path, folder)}"
        yield from _file(subject.model, "model")
    else:
        example = subject.found.example
        image = subject.found.pictures or (example is not None and example.is_picture)
        yield f'architecture = "{"cnn" if image else "mlp"}"  # or path = "model.keras", a trained one'
        yield ""
        yield "[training]"
        yield "epochs = 10"
        yield ""
        yield "[population]"
        yield "size = 10  # models a variant: fewer are quicker, and decide less"


def _file(model: GivenModel, table: str) -> Iterator[str]:
    """Write what a file says of itself, and its digest; last, because digests of several are a table of their own."""
    facts, digests = model.facts, model.sha256
    shape = " x ".join("any" if size is None else str(size) for size in facts.input_shape or ()) or "unknown"
    last = f"ends in {facts.activation}" if facts.activation else "its last activation is not told"
    which = model.path.name if "*" not in str(model.path) else f"the first of {plural(len(digests), 'file')}"
    outputs = "an unknown number of outputs" if facts.outputs is None else plural(facts.outputs, "output")
    yield comment(f"{which}: input {shape}, {outputs}, {last}")
    if model.is_undeclared:
        yield "# A single output, and its file does not say which kind. Take the # off the line that is true:"
        yield '# outputs = "probabilities"  # above 0.5 is the second of the classes'
        yield '# outputs = "logits"         # above 0 is the second of the classes'
    if "*" not in str(model.path):
        yield f"sha256 = {value(digests[''])}  # what is hashed is what is opened"
        return
    yield f"[{table}.sha256]  # by what the star stands for; what is hashed is what is opened"
    yield from (f"{key(star)} = {value(digest)}" for star, digest in digests.items())


def class_lines(subject: Subject) -> Iterator[str]:
    """Write which output stands for which class."""
    if subject.model is None:
        return
    held = _in_order(subject)
    if subject.numbered:
        why = "the label's values are numbers of outputs, of which the data lacks some"
        yield f"classes = {value(list(range(subject.numbered)))}  # guessed: {why}"
    elif subject.unmapped:
        flags = {"--model": subject.model, "--artifact": subject.artifact}
        said = [
            f"{one.path.name} has {one.facts.outputs}"
            for flag, one in flags.items()
            if one and flag in subject.unmapped
        ]
        yield comment(
            f"The outputs are not these {len(held)} classes: {', '.join(said)}. Give the number, from 0, of the output"
        )
        binary = len(held) == 2
        other = "; the other class stands for all outputs that are not named" if binary else ""
        yield f"# that stands for each class{other}, and take the # off:"
        named = [subject.positive if binary and subject.positive is not None else held[-1]] if binary else held
        numbers = [3] if binary else range(len(named))
        yield f"# classes = {value({str(number): one for number, one in zip(numbers, named, strict=True)})}"
    elif len(held) <= MOST_LISTED:
        yield f"classes = {value(held)}  # guessed: in the order of the model's outputs"
    else:
        yield f"# classes = […]  # all {len(held)} in the order of the model's outputs; without it they are sorted"


def _in_order(subject: Subject) -> list[Label]:
    """The classes as they are sorted where nothing is declared."""
    return sorted(subject.label.held, key=lambda one: (isinstance(one, str), one))


def compression_lines(subject: Subject, folder: Path) -> Iterator[str]:
    """Write every `[[compression]]`, and in comments those that could be had beside."""
    for pattern in subject.predictions[1:]:
        yield "[[compression]]"
        yield f"predictions = {value(pattern)}"
        yield "# paired = true  # if what stands for the star names a model and its compressed version"
        yield ""
    if subject.artifact is not None:
        yield "[[compression]]"
        if as_name(PurePath(subject.artifact.path).stem) == BASELINE:
            yield 'name = "compressed"'
        yield f"artifact = {relative(subject.artifact.path, folder)}"
        yield from _file(subject.artifact, "compression")
        yield ""
    if subject.predictions or (subject.model and subject.model.is_final):
        return
    yield from _made_here(given=subject.model is not None, compared=subject.artifact is not None)


def _made_here(*, given: bool, compared: bool) -> Iterator[str]:
    """Write compressions that are made by a run; as comments where they were not asked for, or need more than that."""
    mark = "# " if compared else ""
    if compared:
        yield "# The given model can be compressed here, too:"
    yield f"{mark}[[compression]]"
    if compared:
        yield '# name = "int8-here"'
    yield f'{mark}method = "int8"  # weights and activations, calibrated on training examples'
    yield ""
    mark = "# " if given else ""
    if given:
        yield "# Pruning trains on: it needs a start from the given model."
        yield "# [population]"
        yield '# start = "baseline"'
    yield f"{mark}[[compression]]"
    yield f'{mark}name = "pruned"'
    yield f'{mark}method = "prune"'
    yield f"{mark}sparsity = [0.5, 0.9]  # a variant each: this share of the weights is 0"


def open_questions(subject: Subject) -> Iterator[str]:
    """Say what the files do not, and nobody but their maker can."""
    given = (("--model", "[model]", subject.model), ("--artifact", "[[compression]]", subject.artifact))
    for flag, table, one in given:
        if one is not None and one.is_undeclared:
            yield f"{flag}: its single output may be a probability or a logit: fill in `outputs` under {table}"
        if one is not None and flag in subject.unmapped and not subject.numbered:
            many = plural(one.facts.outputs or 0, "output")
            classes = len(subject.label.held)
            yield f"{flag}: it has {many}, and the data {classes} classes: fill in `classes` under [data]"
