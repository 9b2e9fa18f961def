"""Data sets that TensorFlow Datasets has prepared: their records are read, and neither it nor TensorFlow is needed.

It would import whatever module `features.json` names; here only the features that are known are read, as data.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Literal

from auditor.data.ordinary import text_of
from auditor.data.record_source import Layout, Part, RecordSource
from auditor.errors import DataError, Problem
from auditor.spec import RecordFeature, SplitPaths

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from auditor.records import Label
    from auditor.spec import AuditSpec

NAME = re.compile(r"(?P<name>\w+)(/(?P<config>[\w][\w.+-]*))?(:(?P<version>\d+\.\d+\.\d+))?")
INFO, FEATURES = "dataset_info.json", "features.json"
LARGEST_FILE = 4 << 20
TEMPLATE = "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}"
MOST_SHARDS = 100_000
STORED: dict[str, Literal["int", "float", "string"]] = {
    **dict.fromkeys(("float16", "bfloat16", "float32", "float64"), "float"),
    **dict.fromkeys((f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)), "int"),
    "bool": "int",
    "string": "string",
    "object": "string",
}
"""How the types of tensors lie in the records."""


def open_tfds(spec: AuditSpec, base: Path) -> RecordSource:
    """The data set of that name in the folder."""
    return RecordSource(spec, base, _find)


def _find(spec: AuditSpec, base: Path) -> Layout:
    if isinstance(spec.data.split, SplitPaths):
        advice = 'Name them: split = { column = "split", train = "train", test = "test" }, which is the default.'
        raise DataError(Problem(where="data.split", message="the splits lie in one folder", advice=advice))
    folder = _folder(base / spec.data.path, str(spec.data.name))
    info, described = _json(folder / INFO), _json(folder / FEATURES)
    features: dict[str, RecordFeature] = {}
    meanings: dict[str, list[Label]] = {}
    beside = [folder / INFO, folder / FEATURES]
    for place, kind, content in _leaves(described, ()):
        name = "/".join(place)
        feature = _feature(kind, content)
        if feature is not None:
            features[name] = feature
        labels = folder / f"{'-'.join(place)}.labels.txt"
        if kind == "classLabel" and labels.is_file():
            meanings[name] = [line.strip() for line in text_of(labels, LARGEST_FILE).split("\n") if line.strip()]
            beside.append(labels)
        elif content.get("dtype") == "bool":
            meanings[name] = [False, True]
    return Layout(parts=_parts(folder, info), features=features, meanings=meanings, beside=tuple(beside))


def _folder(data_dir: Path, name: str) -> Path:
    """The folder of the version that is named, or of the only one."""
    found = NAME.fullmatch(name)
    if not found:
        advice = 'Such as "celeb_a:2.1.0", or "NAME/CONFIG:VERSION".'
        raise DataError(Problem(where="data.name", message=f'"{name}" names no data set', advice=advice))
    folder = data_dir / found["name"] / (found["config"] or "")
    versions = sorted(info.parent.name for info in folder.glob(f"*.*.*/{INFO}"))
    version = found["version"] or (versions[0] if len(versions) == 1 else "")
    if version not in versions:
        there = f"There is {', '.join(versions)}." if versions else "It is prepared by tfds, beforehand."
        message = f'no data set "{name}" is prepared here' if version or not versions else "there are several versions"
        raise DataError(Problem(file=str(folder), where="data.name", message=message, advice=there))
    return folder / version


def _json(file: Path) -> dict[str, Any]:
    try:
        held = json.loads(text_of(file, LARGEST_FILE))
    except (ValueError, RecursionError) as error:
        raise DataError(Problem(file=str(file), message=f"it is no JSON: {error}")) from error
    if not isinstance(held, dict):
        raise DataError(Problem(file=str(file), message="it holds no table"))
    return held


def _leaves(described: Mapping[str, Any], place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    """Each feature that holds no others: the names that lead to it, its kind, and what is said of it."""
    nested = described.get("featuresDict")
    if isinstance(nested, dict) and isinstance(nested.get("features"), dict):
        for name, inner in nested["features"].items():
            if isinstance(inner, dict):
                yield from _leaves(inner, (*place, name))
        return
    for kind in ("image", "classLabel", "text", "tensor"):
        if isinstance(described.get(kind), dict):
            yield place, kind, described[kind]


def _feature(kind: str, content: Mapping[str, Any]) -> RecordFeature | None:
    """How a feature lies in the records; None where it is of a kind that is not read."""
    if kind == "image":
        return RecordFeature(kind="image") if content.get("dtype", "uint8") == "uint8" else None
    if kind != "tensor":
        return RecordFeature(kind="string" if kind == "text" else "int")
    shape, stored = _shape(content.get("shape")), STORED.get(str(content.get("dtype")))
    if shape is None or stored is None or content.get("encoding", "none") != "none" or (shape and stored == "string"):
        return None
    return RecordFeature(kind=stored, shape=shape)


def _shape(described: object) -> list[int] | None:
    """The sizes; None where one is open."""
    sizes = described.get("dimensions", []) if isinstance(described, dict) else []
    if not isinstance(sizes, list) or not all(str(size).isdecimal() and int(size) > 0 for size in sizes):
        return None
    return [int(size) for size in sizes]


def _parts(folder: Path, info: Mapping[str, Any]) -> tuple[Part, ...]:
    """The files of each split, all of which must be there."""
    file = str(folder / INFO)
    if info.get("fileFormat", "tfrecord") != "tfrecord":
        advice = 'Prepare it again with file_format = "tfrecord".'
        message = f"its files are of the format {info['fileFormat']!r}"
        raise DataError(Problem(file=file, message=message, advice=advice))
    try:
        splits = [(str(split["name"]), len(split["shardLengths"])) for split in info["splits"]]
        strange = [split for split in info["splits"] if split.get("filepathTemplate", TEMPLATE) != TEMPLATE]
        dataset = str(info["name"])
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(Problem(file=file, message=f"it does not describe its splits: {error}")) from error
    if not splits or strange or not all(re.fullmatch(r"\w+", name) for name in (dataset, *(one for one, _ in splits))):
        raise DataError(Problem(file=file, message="its splits have other names than tfds gives"))
    return tuple(_part(folder, dataset, name, shards) for name, shards in splits)


def _part(folder: Path, dataset: str, split: str, shards: int) -> Part:
    if shards > MOST_SHARDS:
        raise DataError(Problem(file=str(folder / INFO), message=f"split {split} has {shards:,} files"))
    paths = [folder / f"{dataset}-{split}.tfrecord-{one:05}-of-{shards:05}" for one in range(shards)]
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise DataError(Problem(file=str(missing[0]), message="there is no such file, and the data set says so"))
    return Part(place=folder, paths=tuple(paths), split=split)
