"""CIFAR-10 and CIFAR-100 in their official files, of the binary version or of the Python version."""

from __future__ import annotations

import mmap
import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from auditor.data.assemble import Checked, assemble, check_rows
from auditor.data.joining import join
from auditor.data.ordinary import opened, text_of
from auditor.data.plain_pickle import PickleError, read_plain
from auditor.data.reading import (
    Attempt,
    Rows,
    data_digest,
    declared_columns,
    raise_all,
    read_unchanged,
    refuse_changed,
)
from auditor.data.splits import divide
from auditor.data.streams import check_as_is, chunk_rows, fingerprints, pour
from auditor.errors import DataError, Problem
from auditor.spec import SplitColumn, SplitPaths

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from auditor.data.streams import Chunk
    from auditor.records import Dataset
    from auditor.spec import AuditSpec, Split

SHAPE = (32, 32, 3)
PIXELS = 3072
LARGEST_FILE = 256 << 20
"""Bytes; the largest official file has 155 MB."""
OFFICIAL = SplitColumn(column="split")
KEYS = {"data.table, split": "split", "data.table, index": "index"}
"""Columns of the table of attributes that tell which example a row is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """The files of a version: those of the training split, that of the test split, and where names of classes stand."""

    train: tuple[str, ...]
    test: str
    names: Mapping[str, str]
    """For each label the file with the names of its classes."""
    binary: bool

    @property
    def files(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(dict.fromkeys([*self.train, self.test, *self.names.values()]))


def _version(train: Sequence[str], test: str, names: Mapping[str, str], *, binary: bool) -> Version:
    ending = ".bin" if binary else ""
    return Version(train=tuple(one + ending for one in train), test=test + ending, names=names, binary=binary)


_BATCHES = [f"data_batch_{number}" for number in range(1, 6)]
_FINE, _COARSE = "fine_label_names.txt", "coarse_label_names.txt"
VERSIONS = {
    "cifar10": (
        _version(_BATCHES, "test_batch", {"label": "batches.meta.txt"}, binary=True),
        _version(_BATCHES, "test_batch", {"label": "batches.meta"}, binary=False),
    ),
    "cifar100": (
        # a record of the binary version begins with the coarse label
        _version(["train"], "test", {"coarse_label": _COARSE, "fine_label": _FINE}, binary=True),
        _version(["train"], "test", {"coarse_label": "meta", "fine_label": "meta"}, binary=False),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One file of images, mapped into memory."""

    path: Path
    pixels: Chunk
    """[n, 3072] uint8: all of red, then green, then blue."""
    labels: Chunk
    """[n]: number of the class, of the declared label."""

    def chunks(self) -> Iterator[Chunk]:
        """The images, [m, height, width, channel]."""
        for start in range(0, len(self.pixels), rows := chunk_rows(PIXELS)):
            yield self.pixels[start : start + rows].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)


class CifarSource:
    """The folder that holds the official files."""

    def __init__(self, spec: AuditSpec, base: Path) -> None:
        self._spec = spec
        self._folder = base / spec.data.path
        self._table = None if spec.data.table is None else base / spec.data.table

    def load(self) -> Dataset:
        """Read and check labels and the table of attributes."""
        (checked, _), digests = self._read
        return assemble(self._spec, checked, data_digest(self._spec, digests))

    def materialise(self, folder: Path) -> None:
        """Write the images as they are, uint8."""
        (checked, batches), digests = self._read
        chunks = (chunk for batch in batches for chunk in batch.chunks())
        pour(folder, checked, chunks, SHAPE, np.uint8, self._spec.data.preprocess)
        refuse_changed(self._used, digests)

    @cached_property
    def _version(self) -> Version:
        return find_version(self._folder, VERSIONS[str(self._spec.data.source)])

    @property
    def _used(self) -> list[Path]:
        tables = [] if self._table is None else [self._table]
        return [*(self._folder / name for name in self._version.files), *tables]

    @cached_property
    def _read(self) -> tuple[tuple[Checked, list[Batch]], list[str]]:
        split = _check_declared(self._spec)
        return read_unchanged(self._used, lambda: _check(self._spec, self._folder, self._version, split, self._table))


def _check_declared(spec: AuditSpec) -> Split:
    """The split; raises DataError for what CIFAR does not have."""
    split = spec.data.split or OFFICIAL
    problems = [*Attempt(check_as_is, spec.data.preprocess).problems]
    if isinstance(split, SplitPaths):
        advice = "Leave it out: the files are the split."
        problems.append(Problem(where="data.split", message="the official files lie in one folder", advice=advice))
    if spec.data.preprocess.color == "grey":
        problems.append(Problem(where="data.preprocess.color", message="the images are read as they are, in colour"))
    if problems:
        raise DataError(*problems)
    return split


def find_version(folder: Path, versions: Sequence[Version]) -> Version:
    """The version whose files are all there; raises DataError naming those that the nearest one lacks."""
    missing = [[name for name in version.files if not (folder / name).is_file()] for version in versions]
    least = min(range(len(versions)), key=lambda place: len(missing[place]))
    if missing[least]:
        advice = "The official files, of the binary or of the Python version, lie in data.path, unpacked."
        raise DataError(
            *(Problem(file=str(folder), message=f"there is no {name}", advice=advice) for name in missing[least])
        )
    large = [name for name in versions[least].files if (folder / name).stat().st_size > LARGEST_FILE]
    if large:
        message = f"it is larger than any official file ({LARGEST_FILE:,} bytes at most)"
        raise DataError(*(Problem(file=str(folder / name), message=message) for name in large))
    return versions[least]


def _check(
    spec: AuditSpec, folder: Path, version: Version, split: Split, table: Path | None
) -> tuple[Checked, list[Batch]]:
    batches, own = read_examples(folder, version, spec.data.label)
    frame = _with_attributes(spec, own, split, table)
    starts = np.cumsum([0, *(len(batch.labels) for batch in batches[:-1])]).tolist()
    rows = Rows(frame=frame, files=tuple(batch.path for batch in batches), starts=tuple(starts))
    division = divide(rows, spec.data, split, spec.audit.seed)
    same = np.concatenate([fingerprints(chunk) for batch in batches for chunk in batch.chunks()])
    return check_rows(spec, rows, division, same), batches


def read_examples(folder: Path, version: Version, label: str) -> tuple[list[Batch], pd.DataFrame]:
    """The files of images, and for each image its split, its index in that, and its class, by name.

    Raises DataError with every file that is damaged.
    """
    read = _read_binary if version.binary else _read_pickled
    attempts = [Attempt(read, folder / name, version, label) for name in (*version.train, version.test)]
    named = Attempt(_class_names, folder / version.names[label], f"{label}_names", binary=version.binary)
    raise_all([*attempts, named])
    batches, sizes = [one.value for one in attempts], [len(one.value.labels) for one in attempts]
    raise_all(Attempt(_check_labels, batch, len(named.value)) for batch in batches)
    trained = sum(sizes[:-1])
    own = {
        "split": ["train"] * trained + ["test"] * sizes[-1],
        "index": [*range(trained), *range(sizes[-1])],
        label: np.array(named.value, dtype=object)[np.concatenate([batch.labels for batch in batches])],
    }
    return batches, pd.DataFrame(own)


def _with_attributes(spec: AuditSpec, own: pd.DataFrame, split: Split, table: Path | None) -> pd.DataFrame:
    wanted = {where: name for where, name in declared_columns(spec, split).items() if name not in own}
    if table is not None:
        return pd.concat([own, join(table, wanted, KEYS, own)], axis=1)
    if wanted:
        message = f"{', '.join(wanted)}: the official files hold images and labels only"
        advice = "Give a table with the columns split (train or test), index (from 0 in each) and the attributes."
        raise DataError(Problem(where="data.table", message=message, advice=advice))
    return own


def _read_binary(path: Path, version: Version, label: str) -> Batch:
    labels = list(version.names)
    width = len(labels) + PIXELS
    with opened(path, LARGEST_FILE) as file:
        size = os.fstat(file.fileno()).st_size
        if size == 0 or size % width:
            message = f"its {size:,} bytes are no whole number of records of {width:,}"
            raise DataError(Problem(file=str(path), message=message, advice="The file may be cut off."))
        records = np.memmap(file, dtype=np.uint8, mode="r").reshape(-1, width)
    return Batch(path=path, pixels=records[:, len(labels) :], labels=records[:, labels.index(label)])


def _read_pickled(path: Path, _: Version, label: str) -> Batch:
    held = _unpickled(path)
    pixels, labels = held.get("data"), held.get(f"{label}s")
    if not isinstance(pixels, np.ndarray) or pixels.shape[1] != PIXELS or not len(pixels):
        raise DataError(Problem(file=str(path), where="data", message=f"it is no array of [n, {PIXELS}] bytes"))
    if not isinstance(labels, list) or not all(isinstance(one, int) for one in labels) or len(labels) != len(pixels):
        message = f"it is no list of {len(pixels):,} whole numbers"
        raise DataError(Problem(file=str(path), where=f"{label}s", message=message))
    return Batch(path=path, pixels=pixels, labels=np.array(labels))


def _unpickled(path: Path) -> dict[str, Any]:
    try:
        with opened(path, LARGEST_FILE) as file:
            return read_plain(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (PickleError, ValueError) as error:
        advice = "Only CIFAR's official files are read, and nothing in them is run."
        raise DataError(Problem(file=str(path), message=str(error), advice=advice)) from error


def _words(path: Path) -> list[str]:
    return text_of(path, LARGEST_FILE).split()


def _class_names(path: Path, key: str, *, binary: bool) -> list[str]:
    """The names of the classes, in the order of their numbers."""
    names = _words(path) if binary else _unpickled(path).get(key)
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise DataError(Problem(file=str(path), where="" if binary else key, message="it names no classes"))
    if len(set(names)) < len(names):
        raise DataError(Problem(file=str(path), message="the name of a class stands twice in it"))
    return names


def _check_labels(batch: Batch, classes: int) -> None:
    strange = np.flatnonzero((batch.labels < 0) | (batch.labels >= classes))
    if strange.size:
        message = f"label {batch.labels[strange[0]]}, and there are names of {classes} classes"
        raise DataError(Problem(file=str(batch.path), where=f"record {strange[0] + 1}", message=message))
