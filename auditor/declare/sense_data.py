"""Whether `[data]` makes sense, by itself and beside `[model]`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from auditor.declare.mistakes import KeyPath, Mistake
from auditor.errors import did_you_mean
from auditor.spec import CALIBRATED, CLASS, PredictionColumns, Trained, steps_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from auditor.spec import AuditSpec, Data, Long, Preprocess


def check_data(spec: AuditSpec, _: Mapping[str, Any]) -> Iterator[Mistake]:
    """Source, split, classes and preprocess."""
    data = spec.data
    from_columns = spec.model.predictions is not None
    if data.source is not None and (data.source == "predictions") != from_columns:
        advice = 'a table of decisions needs both: source = "predictions" and [model] predictions = "base_*"'
        yield Mistake(path=("data", "source"), message="does not fit [model]", advice=advice)
    if data.source is None and not from_columns and not data.path.lower().endswith((".csv", ".parquet", ".pq", ".npz")):
        advice = 'give source = "images", "arrays" or another, or a path that ends in .csv, .parquet or .npz'
        yield Mistake(path=("data", "path"), message=f"the source cannot be told from {data.path!r}", advice=advice)
    yield from _check_keys_of_sources(data, source_of(spec))
    if data.split == "all" and _trains(spec):
        advice = (
            "a split into train and test is needed: int8, int16x8 and qat calibrate on training rows; float16 and "
            "dynamic_int8 of a given model need none"
        )
        yield Mistake(path=("data", "split"), message='"all" leaves nothing to train or calibrate on', advice=advice)
    if isinstance(data.classes, dict) and from_columns:
        yield Mistake(
            path=("data", "classes"), message="a table maps a model's outputs; decisions have none: give a list"
        )
    yield from _check_sample(data, from_columns=from_columns)
    yield from _check_preprocess(data.preprocess)


def _check_sample(data: Data, *, from_columns: bool) -> Iterator[Mistake]:
    if data.sample is None:
        return
    here = ("data", "sample")
    if data.sample.train is None and data.sample.test is None:
        yield Mistake(path=here, message="draws nothing: it needs train, test, or both")
    if from_columns:
        yield Mistake(path=here, message="every row of a table of predictions is a test row")


def _check_preprocess(preprocess: Preprocess) -> Iterator[Mistake]:
    here = ("data", "preprocess")
    if preprocess.crop:
        left, top, right, bottom = preprocess.crop
        if left >= right or top >= bottom:
            yield Mistake(path=(*here, "crop"), message="is left, top, right, bottom: nothing is left")
    channels = 1 if preprocess.color == "grey" else 3
    for key in ("mean", "std"):
        if len(getattr(preprocess, key)) not in {0, 1, channels}:
            yield Mistake(path=(*here, key), message=f"needs 1 number, or {channels}: one a channel")
    if preprocess.function is not None:
        if not re.fullmatch(r"[\w.]+:\w+", preprocess.function):
            yield Mistake(path=(*here, "function"), message='is no function: "package.module:function"')
        for key in {"scale", "offset", "mean", "std"} & preprocess.model_fields_set:
            yield Mistake(path=(*here, key), message="has no meaning beside a function, which does it all")


SOURCES_OF_KEYS = {
    "input": ("images", "arrays", "tfrecord", "tfds"),
    "name": ("tfds",),
    "table": ("images", "cifar10", "cifar100"),
    "text": ("table",),
    "tfrecord": ("tfrecord",),
}
"""Keys of `[data]` that only some sources read."""
LABELS_OF_CIFAR = {"cifar10": ("label",), "cifar100": ("fine_label", "coarse_label")}


def source_of(spec: AuditSpec) -> str:
    """The declared source, or the one that the path's ending tells."""
    if spec.data.source is not None:
        return spec.data.source
    if spec.model.predictions is not None:
        return "predictions"
    return "arrays" if spec.data.path.lower().endswith(".npz") else "table"


def _check_keys_of_sources(data: Data, source: str) -> Iterator[Mistake]:
    for key, sources in SOURCES_OF_KEYS.items():
        if getattr(data, key) and source not in sources:
            readers = " and ".join(filter(None, [", ".join(sources[:-1]), sources[-1]]))
            said = f"is read by {readers} alone, and the source is {source}"
            yield Mistake(path=("data", key), message=said)
    for key in sorted(data.preprocess.model_fields_set - {"function"}) if source in {"table", "predictions"} else ():
        yield Mistake(path=("data", "preprocess", key), message=f"is for images and arrays, and the source is {source}")
    if source == "tfds" and data.name is None:
        advice = 'give data.name, such as "celeb_a:2.1.0"'
        yield Mistake(path=("data",), message="tfds needs the name of the data set", advice=advice)
    if source == "tfrecord" and not data.tfrecord:
        advice = 'declare the features, such as [data.tfrecord.image] kind = "image"'
        yield Mistake(path=("data",), message="tfrecord needs to know its features", advice=advice)
    for name, feature in data.tfrecord.items():
        if feature.shape and feature.kind in {"image", "string"}:
            path = ("data", "tfrecord", name, "shape")
            yield Mistake(
                path=path, message=f"a feature of kind {feature.kind} has no shape: preprocess gives an image's"
            )
    if data.text is not None and data.features.model_fields_set & {"use", "drop"}:
        yield Mistake(path=("data", "features"), message=f"the model reads {data.text.column!r} alone, by data.text")
    labels = LABELS_OF_CIFAR.get(source, (data.label,))
    if data.label not in labels:
        message = f"{data.label!r} is no label of {source}"
        yield Mistake(path=("data", "label"), message=message, advice=did_you_mean(data.label, labels))


def check_predictions(spec: AuditSpec, _: Mapping[str, Any]) -> Iterator[Mistake]:
    """Keys of decisions that were made elsewhere."""
    data = spec.data
    for key in ("predictions", "example", "long", "threshold"):
        if getattr(data, key) is not None and spec.model.predictions is None:
            yield Mistake(path=("data", key), message="has no meaning without [model] predictions")
    if data.threshold is not None and data.positive is None:
        advice = 'give data.positive, the class that a probability is of; or columns of every class: "base_*_p_{class}"'
        yield Mistake(path=("data", "threshold"), message="needs the positive class", advice=advice)
    if data.long is not None:
        yield from _check_long(data, data.long)
    elif data.predictions is not None and data.example is None:
        advice = 'name the column that all files share: example = "id"'
        yield Mistake(path=("data", "predictions"), message="nothing to join the files by", advice=advice)
    patterns: list[tuple[KeyPath, str | None]] = [(("model", "predictions"), spec.model.predictions)]
    patterns += [
        (("compression", i, "predictions"), entry.predictions)
        for i, entry in enumerate(spec.compression)
        if isinstance(entry, PredictionColumns)
    ]
    patterns.append((("data", "long", "probability"), data.long.probability if data.long else None))
    for path, pattern in patterns:
        if pattern is not None and pattern.count(CLASS) > 1:
            yield Mistake(path=path, message=f"{CLASS} stands in it more than once")


def _check_long(data: Data, long: Long) -> Iterator[Mistake]:
    here = ("data", "long")
    if data.example is not None:
        yield Mistake(path=("data", "example"), message="is said by data.long.example: leave it out")
    if (long.decision is None) == (long.probability is None):
        yield Mistake(path=here, message="needs one of decision and probability")
    elif long.decision is not None and data.threshold is not None:
        yield Mistake(path=("data", "threshold"), message="is for probabilities, and data.long.decision holds classes")
    elif long.probability is not None and CLASS not in long.probability and data.threshold is None:
        yield Mistake(path=here, message="a probability becomes a decision by data.threshold, which is missing")


def _trains(spec: AuditSpec) -> bool:
    """Tell whether anything needs the training split."""
    steps = [step for entry in spec.compression for step in steps_of(entry)]
    return spec.model.architecture is not None or any(
        isinstance(step, Trained) or step.method in CALIBRATED for step in steps
    )
