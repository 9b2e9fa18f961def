"""Whether model, training and compressions make sense together."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from auditor.declare.mistakes import KeyPath, Mistake
from auditor.declare.sense_compressions import check_chain, check_method
from auditor.declare.sense_data import source_of
from auditor.declare.variants import expand
from auditor.records import BASELINE
from auditor.spec import Artifact, Method, PredictionColumns, Prune, Schedule, names_of, steps_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from auditor.spec import AuditSpec, Compression, Model, Pins

FINAL = {".tflite", ".onnx"}
"""Formats whose weights cannot be trained or compressed further."""


def check_model(spec: AuditSpec, _: Mapping[str, Any]) -> Iterator[Mistake]:
    """The baseline is one thing, and the keys beside it belong to it."""
    model = spec.model
    given = [key for key in ("architecture", "path", "predictions") if getattr(model, key) is not None]
    if len(given) != 1:
        found = " and ".join(given) or "none"
        yield Mistake(path=("model",), message=f"needs one of architecture, path and predictions, not {found}")
    for key, needs in (("sha256", "path"), ("output", "path"), ("options", "architecture")):
        if getattr(model, key) and getattr(model, needs) is None:
            yield Mistake(path=("model", key), message=f"has no meaning without {needs}")
    if spec.data.text is not None and model.architecture in {"mlp", "cnn"}:
        advice = "name a function of your own that begins with an Embedding"
        message = f"{model.architecture!r} would take the numbers of words for quantities"
        yield Mistake(path=("model", "architecture"), message=message, advice=advice)


def check_training(spec: AuditSpec, _: Mapping[str, Any]) -> Iterator[Mistake]:
    """What is trained can be trained as declared."""
    training = spec.training
    if training.stacked is True and spec.model.architecture is None:
        yield Mistake(path=("training", "stacked"), message="has no meaning without an architecture to train")
    if training.stacked is True:
        unknown = {"weight_decay": training.weight_decay, "augment": training.augment}
        unknown |= {f"model.options.{key}": spec.model.options.get(key) for key in ("weights", "frozen")}
        for key in (key for key, value in unknown.items() if value):
            yield Mistake(path=("training", "stacked"), message=f"knows no {key}: leave out one of them")
    if training.momentum and training.optimizer != "sgd":
        yield Mistake(path=("training", "momentum"), message=f"is for sgd, not {training.optimizer}")
    if training.nesterov and not training.momentum:
        yield Mistake(path=("training", "nesterov"), message="has no meaning without momentum")
    if training.augment is not None and source_of(spec) == "table":
        yield Mistake(path=("training", "augment"), message="is for images, not for a table")
    if isinstance(training.learning_rate, Schedule):
        yield from _check_learning_rate(training.learning_rate, training.epochs)


def _check_learning_rate(rate: Schedule, epochs: int) -> Iterator[Mistake]:
    """Find what would never come about, or twice."""
    here = ("training", "learning_rate")
    if rate.warmup >= epochs:
        yield Mistake(path=(*here, "warmup"), message=f"does not end before the training, which has {epochs} epochs")
    if rate.kind == "cosine":
        for key in sorted({"boundaries", "factor"} & rate.model_fields_set):
            yield Mistake(path=(*here, key), message="has no meaning with cosine")
        return
    if not rate.boundaries:
        yield Mistake(path=here, message="needs boundaries: epochs after which the rate falls")
    if sorted(set(rate.boundaries)) != rate.boundaries:
        yield Mistake(path=(*here, "boundaries"), message="must rise")
    for boundary in rate.boundaries:
        if not rate.warmup < boundary < epochs:
            between = f"after the warmup ({rate.warmup}) and before the end of the training ({epochs} epochs)"
            yield Mistake(path=(*here, "boundaries"), message=f"{boundary} is not {between}")


def check_compressions(spec: AuditSpec, _: Mapping[str, Any]) -> Iterator[Mistake]:
    """Each compression can be had from the baseline, under a name of its own."""
    seen: dict[str, int] = {}
    for i, entry in enumerate(spec.compression):
        here = ("compression", i)
        yield from (Mistake(path=here, message=message) for message in _misfits(spec, entry))
        yield from check_chain(entry, here)
        for number, step in enumerate(steps_of(entry)):
            yield from check_method(step, (*here, "then", number - 1) if number else here)
        for name in (name for variant in expand(entry) for name in names_of(variant)):
            if name == BASELINE:
                yield Mistake(path=(*here, "name"), message=f"{name!r} is the name of the uncompressed model")
            elif name in seen:
                advice = "give each compression a name of its own"
                yield Mistake(path=here, message=f"a second variant named {name!r}", advice=advice)
            seen[name] = i


def _misfits(spec: AuditSpec, entry: Compression) -> Iterator[str]:
    """Say why a compression cannot be had from this baseline."""
    model = spec.model
    is_columns = isinstance(entry, PredictionColumns)
    if is_columns != (model.predictions is not None):
        yield "predictions need a baseline that is given by predictions too, and go with no other compression"
    if isinstance(entry, Artifact):
        yield from _misfits_of_files(model, entry)
    ending = "" if model.path is None else PurePath(model.path).suffix.lower()
    if isinstance(entry, Method) and ending in FINAL:
        yield f"a {ending} baseline cannot be compressed by {entry.method}: give the .keras or .h5 file that it came of"
    if isinstance(entry, Prune) and model.architecture is None and spec.population.start == "scratch" and model.path:
        yield 'a given model cannot be trained anew: set [population] start = "baseline"'


def _misfits_of_files(model: Model, entry: Artifact) -> Iterator[str]:
    """Say why a compressed file does not go with the baseline's."""
    if model.path is None:
        yield "an artifact needs a given baseline: [model] path"
    elif "*" in model.path and "*" not in entry.artifact:
        yield "one file cannot be compared with a population: write a star here too, in place of the baseline's"


def check_files(spec: AuditSpec, _: Mapping[str, Any]) -> Iterator[Mistake]:
    """Stars and digests."""
    files: list[tuple[KeyPath, str, str, Pins]] = []
    if spec.model.path is not None:
        files.append((("model",), "path", spec.model.path, spec.model.sha256))
    for i, entry in enumerate(spec.compression):
        if isinstance(entry, Artifact):
            files.append((("compression", i), "artifact", entry.artifact, entry.sha256))
    for here, key, path, pins in files:
        if path.count("*") > 1:
            yield Mistake(path=(*here, key), message="has more than one star")
        elif isinstance(pins, str) and "*" in path:
            advice = 'give a table: sha256 = { "1" = "...", "2" = "..." }, each named by what the star stands for'
            yield Mistake(path=(*here, "sha256"), message="is one digest for several files", advice=advice)
        elif isinstance(pins, dict) and "*" not in path:
            yield Mistake(path=(*here, "sha256"), message="is a table, but the path has no star: give the digest")
