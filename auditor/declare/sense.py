"""Whether a well-formed audit.toml makes sense: names exist and are unique, keys go together."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from auditor.declare.mistakes import KeyPath, Mistake
from auditor.declare.variants import default_name, expand
from auditor.errors import did_you_mean
from auditor.records import BASELINE
from auditor.spec import CLASS, Artifact, PredictionColumns, Prune, Quantize, Schedule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from auditor.spec import AuditSpec, Compression, Data, GateTable, Long, Model, Pins, Preprocess

MOST_RATIO = 20
"""No limit of a quotient is meant to be more: it was written in percent."""
_ADDRESS = re.compile(r"tls://[^/\s]+:\d+|tcp://(127\.0\.0\.1|localhost|\[::1\]):\d+")
FINAL = {".tflite", ".onnx"}
"""Formats whose weights cannot be trained or compressed further."""
RESERVED = {"label", "example"}


def check(spec: AuditSpec, raw: Mapping[str, Any], places: Mapping[str, Sequence[int]]) -> list[Mistake]:
    """Find everything that does not make sense.

    `raw` is the whole file, also what is not well formed: a name that it declares is no unknown name. `places` maps
    entries of lists in `spec` to their places in the file, where some were left out.
    """
    rules = (
        _check_model,
        _check_training,
        _check_data,
        _check_predictions,
        _check_population,
        _check_attributes,
        _check_intersections,
        _check_compressions,
        _check_files,
        _check_gates,
        _check_run,
    )
    mistakes = [mistake for rule in rules for mistake in rule(spec, raw)]
    return [_moved(mistake, places) for mistake in mistakes]


def _moved(mistake: Mistake, places: Mapping[str, Sequence[int]]) -> Mistake:
    """Give an entry of a list its place in the file."""
    match mistake.path:
        case (str() as key, int() as place, *rest) if key in places:
            return Mistake(path=(key, places[key][place], *rest), message=mistake.message, advice=mistake.advice)
    return mistake


def _check_model(spec: AuditSpec, _: Mapping[str, Any]) -> Iterator[Mistake]:
    model = spec.model
    given = [key for key in ("architecture", "path", "predictions") if getattr(model, key) is not None]
    if len(given) != 1:
        found = " and ".join(given) or "none"
        yield Mistake(path=("model",), message=f"needs one of architecture, path and predictions, not {found}")
    for key, needs in (("sha256", "path"), ("options", "architecture")):
        if getattr(model, key) and getattr(model, needs) is None:
            yield Mistake(path=("model", key), message=f"has no meaning without {needs}")
    if spec.data.text is not None and model.architecture in {"mlp", "cnn"}:
        advice = "name a function of your own that begins with an Embedding"
        message = f"{model.architecture!r} would take the numbers of words for quantities"
        yield Mistake(path=("model", "architecture"), message=message, advice=advice)


def _check_training(spec: AuditSpec, _: Mapping[str, Any]) -> Iterator[Mistake]:
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


def _check_data(spec: AuditSpec, _: Mapping[str, Any]) -> Iterator[Mistake]:
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
        advice = "a split into train and test is needed, or a model file that is only quantised or compared"
        yield Mistake(path=("data", "split"), message='"all" leaves nothing to train or calibrate on', advice=advice)
    if isinstance(data.classes, dict) and from_columns:
        yield Mistake(
            path=("data", "classes"), message="a table maps a model's outputs; decisions have none: give a list"
        )
    yield from _check_preprocess(data.preprocess)


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


def _check_predictions(spec: AuditSpec, _: Mapping[str, Any]) -> Iterator[Mistake]:
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
    return spec.model.architecture is not None or any(
        isinstance(entry, Prune) or (isinstance(entry, Quantize) and entry.method == "int8")
        for entry in spec.compression
    )


def _check_population(spec: AuditSpec, _: Mapping[str, Any]) -> Iterator[Mistake]:
    population = spec.population
    if population.minimum is not None and population.minimum > population.size:
        yield Mistake(path=("population", "minimum"), message=f"is more than the size, {population.size}")


def _check_attributes(spec: AuditSpec, _: Mapping[str, Any]) -> Iterator[Mistake]:
    names = [attribute.name for attribute in spec.attribute]
    for i, attribute in enumerate(spec.attribute):
        here = ("attribute", i)
        if names.index(attribute.name) != i:
            yield Mistake(path=here, message=f"{attribute.name!r} is declared twice")
        if attribute.name in RESERVED or attribute.name.startswith("member_"):
            yield Mistake(
                path=here, message=f"an attribute cannot be named {attribute.name!r}: the outputs use the name"
            )
        if attribute.name == spec.data.label:
            yield Mistake(path=here, message=f"{attribute.name!r} is the label")
        if attribute.bins and attribute.groups:
            yield Mistake(path=here, message="has both bins and groups: one of them")
        if attribute.bins and sorted(set(attribute.bins)) != attribute.bins:
            yield Mistake(path=(*here, "bins"), message="must rise")


def _check_intersections(spec: AuditSpec, raw: Mapping[str, Any]) -> Iterator[Mistake]:
    declared = declared_attributes(raw)
    for i, intersection in enumerate(spec.intersection):
        for name, count in Counter(intersection.attributes).items():
            if name not in declared:
                message = f"{name!r} is no declared attribute"
                yield Mistake(path=("intersection", i), message=message, advice=did_you_mean(name, declared))
            if count > 1:
                yield Mistake(path=("intersection", i), message=f"{name!r} stands in it twice")


def declared_attributes(raw: Mapping[str, Any]) -> list[str]:
    """Give the names of all attributes that the file declares, well formed or not."""
    entries = raw.get("attribute", [])
    found = (item.get("name") if isinstance(item, dict) else item for item in _as_entries(entries))
    return [name for name in found if isinstance(name, str)]


def _as_entries(entries: Any) -> list[Any]:  # noqa: ANN401 - whatever the file holds
    return entries if isinstance(entries, list) else []


def _check_compressions(spec: AuditSpec, _: Mapping[str, Any]) -> Iterator[Mistake]:
    seen: dict[str, int] = {}
    for i, entry in enumerate(spec.compression):
        here = ("compression", i)
        yield from (Mistake(path=here, message=message) for message in _misfits(spec, entry))
        if isinstance(entry, Prune):
            yield from _check_schedule(entry, here)
        for variant in expand(entry):
            name = str(variant.name)
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
    if isinstance(entry, Prune | Quantize) and ending in FINAL:
        yield f"a {ending} baseline cannot be compressed by {entry.method}: give the .keras or .h5 file that it came of"
    if isinstance(entry, Prune) and model.architecture is None and spec.population.start == "scratch" and model.path:
        yield 'a given model cannot be trained anew: set [population] start = "baseline"'


def _misfits_of_files(model: Model, entry: Artifact) -> Iterator[str]:
    """Say why a compressed file does not go with the baseline's."""
    if model.path is None:
        yield "an artifact needs a given baseline: [model] path"
    elif "*" in model.path and "*" not in entry.artifact:
        yield "one file cannot be compared with a population: write a star here too, in place of the baseline's"


def _check_files(spec: AuditSpec, _: Mapping[str, Any]) -> Iterator[Mistake]:
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


def _check_schedule(entry: Prune, here: tuple[str, int]) -> Iterator[Mistake]:
    if entry.begin_step is not None and entry.end_step is not None and entry.end_step <= entry.begin_step:
        message = f"is not after begin_step, {entry.begin_step}"
        yield Mistake(path=(*here, "end_step"), message=message)
    if entry.schedule == "constant" and entry.end_step is not None:
        yield Mistake(
            path=(*here, "end_step"), message="has no meaning with a constant schedule, which prunes to the end"
        )


def _check_gates(spec: AuditSpec, raw: Mapping[str, Any]) -> Iterator[Mistake]:
    crossed = [" x ".join(item.attributes) for item in spec.intersection]
    over = [*declared_attributes(raw), *crossed, "overall", "class", "*"]
    variants = _declared_variants(spec, raw)
    names = Counter(gate.name for gate in spec.gate if gate.name)
    for i, gate in enumerate(spec.gate):
        here = ("gate", i)
        if gate.name and names[gate.name] > 1:
            yield Mistake(path=(*here, "name"), message=f"a second gate named {gate.name!r}")
        yield from (Mistake(path=here, message=message) for message in _useless(gate))
        yield from _unknown(gate.over, over, (*here, "over"), "attribute or declared intersection")
        yield from _unknown(gate.variants, [*variants, "*"], (*here, "variants"), "compressed variant")


def _unknown(
    named: str | list[str] | None, known: Iterable[str], path: tuple[str | int, ...], what: str
) -> Iterator[Mistake]:
    known = list(known)
    for name in [named] if isinstance(named, str) else named or ():
        if name not in known:
            yield Mistake(path=path, message=f"{name!r} is no {what}", advice=did_you_mean(name, known))


def _check_run(spec: AuditSpec, raw: Mapping[str, Any]) -> Iterator[Mistake]:
    run = spec.run
    if run.executor == "dask" and run.address is None:
        advice = 'give run.address = "tls://HOST:8786"'
        yield Mistake(path=("run", "executor"), message="dask needs the address of a scheduler", advice=advice)
    if run.address is not None and not _ADDRESS.fullmatch(run.address):
        advice = '"tls://HOST:PORT"; "tcp://127.0.0.1:PORT" on this computer: who reaches a scheduler runs code on it'
        yield Mistake(path=("run", "address"), message=f"{run.address!r} is not safe, or no address", advice=advice)
    variants = [BASELINE, *_declared_variants(spec, raw), "*"]
    for name in run.resources:
        yield from _unknown(name, variants, ("run", "resources", name), "variant")


def _declared_variants(spec: AuditSpec, raw: Mapping[str, Any]) -> list[str]:
    """Give the names of all variants, and of the entries that they come from."""
    expanded = [str(variant.name) for entry in spec.compression for variant in expand(entry)]
    broken = [item.get("name") for item in _as_entries(raw.get("compression")) if isinstance(item, dict)]
    return [*expanded, *(entry.name or default_name(entry) for entry in spec.compression), *filter(None, broken)]


def _useless(gate: GateTable) -> Iterator[str]:
    """Say why a gate cannot be judged."""
    if gate.min is None and gate.max is None:
        yield "needs min, max, or both"
    elif gate.min is not None and gate.max is not None and gate.min > gate.max:
        yield f"nothing is at least {gate.min:g} and at most {gate.max:g}"
    if gate.of is not None and gate.metric in {"accuracy", "error"}:
        yield f"{gate.metric} is of all classes: leave out `of`"
    if gate.metric == "precision" and gate.compare.startswith("to_overall"):
        yield "whom precision is about depends on the decisions, so that everybody is no fixed whole: use disparity"
    for key, limit in (("min", gate.min), ("max", gate.max)):
        if limit is not None and (wrong := misfit(gate.compare, limit)):
            yield f"{key} = {limit:g} {wrong}"


def misfit(compare: str, limit: float) -> str | None:
    """Say why a limit cannot be meant as it stands: mostly it was written in points or percent."""
    if compare == "value":
        return None if 0 <= limit <= 1 else f"is no rate: rates are shares from 0 to 1, 90% is 0.9{_as_share(limit)}"
    if compare == "ratio":
        return None if 0 <= limit <= MOST_RATIO else "is no quotient of rates: four fifths is 0.8"
    if abs(limit) < (MOST_RATIO if compare == "ratio_change" else 1):
        return None
    return f"holds always, or never: limits are shares, 2 points are 0.02{_as_share(limit)}"


def _as_share(limit: float) -> str:
    return f"; {limit:g} points are {limit / 100:g}" if 1 <= abs(limit) <= 100 else ""
