"""Arrays (an .npz archive, or a folder of .npy files): one is what the model reads, others are label and attributes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from auditor.data.array_files import ArrayArchive, ArrayFolder, look
from auditor.data.assemble import Checked, assemble, check_rows
from auditor.data.reading import (
    Attempt,
    Rows,
    data_digest,
    declared_columns,
    raise_all,
    raise_first,
    read_unchanged,
    refuse_changed,
)
from auditor.data.record_inputs import UNFIT, unfit
from auditor.data.splits import divide
from auditor.data.streams import check_as_is, check_numbers, fingerprints, pour
from auditor.errors import DataError, Problem, did_you_mean
from auditor.spec import SplitColumn, SplitFractions, SplitPaths

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from auditor.data.array_files import ArrayFiles, Stored
    from auditor.data.streams import Chunk
    from auditor.records import Dataset
    from auditor.spec import AuditSpec, Preprocess, Split

INPUT = "x"
SUFFIXES = ("_train", "_test")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Arrays of the same examples: those of a file, or those of a suffix."""

    inputs: Stored
    columns: dict[str, Stored]
    """By their names in the definition."""


class ArraySource:
    """One .npz file or one folder of .npy files, or one a split."""

    def __init__(self, spec: AuditSpec, base: Path) -> None:
        self._spec = spec
        split = spec.data.split
        if isinstance(split, SplitPaths):
            self._paths = [base / (split.train_path or spec.data.path), base / split.test_path]
        else:
            self._paths = [base / spec.data.path]

    def load(self) -> Dataset:
        """Read and check all arrays; the model's input is looked through once and not kept."""
        checked, digests = self._read
        return assemble(self._spec, checked, data_digest(self._spec, digests))

    def materialise(self, folder: Path) -> None:
        """Write the input: uint8 as it is, other numbers as float32."""
        (checked, digests), parts = self._read, self._parts[0]
        stored, preprocess = parts[0].inputs, self._spec.data.preprocess
        shape = input_shape(stored.shape[1:], preprocess)
        dtype = np.dtype(np.uint8 if stored.dtype == np.uint8 else np.float32)
        chunks = (
            chunk.astype(dtype, copy=False).reshape(-1, *shape) for part in parts for chunk in part.inputs.chunks()
        )
        pour(folder, checked, chunks, shape, dtype, preprocess)
        refuse_changed(self._used, digests)

    @cached_property
    def _parts(self) -> tuple[list[Part], Split]:
        return find_parts(self._spec, [open_arrays(path) for path in self._paths])

    @property
    def _used(self) -> list[Path]:
        """The files that any of the arrays lies in."""
        parts = self._parts[0]
        stored = [one for part in parts for one in (part.inputs, *part.columns.values())]
        return list(dict.fromkeys(one.files.file(one.name) for one in stored))

    @cached_property
    def _read(self) -> tuple[Checked, list[str]]:
        return read_unchanged(self._used, lambda: _check(self._spec, *self._parts))


def open_arrays(path: Path) -> ArrayFiles:
    """The arrays of a folder or an archive; raises DataError where it is neither."""
    if path.is_dir():
        return ArrayFolder(path)
    if not path.is_file():
        raise DataError(Problem(file=str(path), message="there is no such file or folder"))
    if path.suffix.lower() != ".npz":
        advice = "Give an .npz file, or the folder of the .npy files."
        raise DataError(Problem(file=str(path), message="arrays are read from .npz files and folders", advice=advice))
    return ArrayArchive(path)


def find_parts(spec: AuditSpec, places: Sequence[ArrayFiles]) -> tuple[list[Part], Split]:
    """The arrays that the definition names, by part, and the split; raises DataError for arrays that are not there."""
    wanted = spec.data.input or INPUT
    known = set.intersection(*(set(files.names()) for files in places))
    by_suffix = len(places) == 1 and wanted not in known and all(wanted + suffix in known for suffix in SUFFIXES)
    if by_suffix:
        _refuse_split(spec, wanted, str(places[0].path))
        split: Split = SplitPaths(train_path=spec.data.path, test_path=spec.data.path)
    else:
        default = SplitColumn(column="split") if "split" in known else SplitFractions()
        split = spec.data.split or default
    looks = [
        Attempt(_part, files, suffix, spec, split) for files in places for suffix in (SUFFIXES if by_suffix else ("",))
    ]
    raise_all([*looks, Attempt(check_as_is, spec.data.preprocess)])
    return [part.value for part in looks], split


def _refuse_split(spec: AuditSpec, wanted: str, file: str) -> None:
    if spec.data.split is not None:
        message = f"the arrays {wanted}{SUFFIXES[0]} and {wanted}{SUFFIXES[1]} are the split"
        raise DataError(Problem(file=file, where="data.split", message=message, advice="Leave data.split out."))


def _part(files: ArrayFiles, suffix: str, spec: AuditSpec, split: Split) -> Part:
    wanted, columns = spec.data.input or INPUT, declared_columns(spec, split)
    names = {"data.input": wanted} | columns
    missing = [
        Problem(
            file=str(files.path),
            where=where,
            message=f'there is no array "{name}{suffix}"',
            advice=did_you_mean(name + suffix, files.names()),
        )
        for where, name in names.items()
        if name + suffix not in files.names()
    ]
    if missing:
        raise DataError(*missing)
    looks = {name: Attempt(look, files, name + suffix) for name in names.values()}
    raise_all(looks.values())
    stored = {name: one.value for name, one in looks.items()}
    right = Attempt(_check_input, stored[wanted], spec.data.preprocess)
    raise_all([right, *(Attempt(check_column, stored[name]) for name in columns.values())])
    part = Part(inputs=stored[wanted], columns={name: stored[name] for name in columns.values()})
    _check_lengths(part)
    return part


def _check_lengths(part: Part) -> None:
    file = str(part.inputs.files.path)
    other = [one for one in part.columns.values() if one.shape[0] != part.inputs.shape[0]]
    said = f"{part.inputs.name} has {part.inputs.shape[0]:,}"
    raise_first(
        [Problem(file=file, where=one.where, message=f"it has {one.shape[0]:,} entries, and {said}") for one in other],
        file,
    )


def _check_input(stored: Stored, preprocess: Preprocess) -> None:
    grey = preprocess.color == "grey"
    if len(stored.shape) < 2 or 0 in stored.shape:
        message = f"its shape {stored.shape} is none of examples along the first axis and what a model reads beyond"
    elif stored.dtype.kind not in "buif":
        message = f"it holds {stored.dtype}, and models read real numbers"
    elif grey and input_shape(stored.shape[1:], preprocess)[2:] != (1,):
        message = f"its examples have the shape {stored.shape[1:]}, and are declared to be grey pictures"
    else:
        if stored.dtype != np.uint8:
            check_numbers(preprocess)
        return
    raise DataError(Problem(file=str(stored.files.path), where=stored.where, message=message))


def check_column(stored: Stored) -> None:
    """Raise DataError for an array that does not hold one value an example."""
    if len(stored.shape) == 1 or (len(stored.shape) == 2 and stored.shape[1] == 1):
        if stored.dtype.kind in "buifUS":
            return
        message, advice = f"it holds {stored.dtype}, neither numbers nor text", ""
    else:
        message = f"its shape is {stored.shape}: expected one value an example"
        advice = "One-hot labels become one value by argmax."
    raise DataError(Problem(file=str(stored.files.path), where=stored.where, message=message, advice=advice))


def input_shape(shape: tuple[int, ...], preprocess: Preprocess) -> tuple[int, ...]:
    """Of one example: pictures of two axes get their one channel where they are declared grey."""
    return (*shape, 1) if len(shape) == 2 and preprocess.color == "grey" else shape


def _check(spec: AuditSpec, parts: Sequence[Part], split: Split) -> Checked:
    _check_alike([part.inputs for part in parts])
    columns = {name: np.concatenate([column_values(part.columns[name]) for part in parts]) for name in parts[0].columns}
    frame = pd.DataFrame(columns, index=range(sum(part.inputs.shape[0] for part in parts)))
    starts = np.cumsum([0, *(part.inputs.shape[0] for part in parts[:-1])])
    rows = Rows(frame=frame, files=tuple(part.inputs.files.path for part in parts), starts=tuple(starts.tolist()))
    division = divide(rows, spec.data, split, spec.audit.seed)
    same = np.concatenate([_survey(part, rows, start) for part, start in zip(parts, starts, strict=True)])
    return check_rows(spec, rows, division, same)


def _check_alike(inputs: Sequence[Stored]) -> None:
    first, *others = inputs
    for one in others:
        if one.shape[1:] != first.shape[1:] or (one.dtype == np.uint8) != (first.dtype == np.uint8):
            message = f"its examples are {_described(one)}, those of {first.name} {_described(first)}"
            raise DataError(Problem(file=str(one.files.path), where=one.where, message=message))


def _described(stored: Stored) -> str:
    return f"{stored.dtype} of shape {stored.shape[1:]}"


def column_values(stored: Stored) -> npt.NDArray[Any]:
    """The whole array, one value an example; bytes are read as UTF-8."""
    values = np.concatenate(list(stored.chunks())).reshape(-1)
    if stored.dtype.kind == "S":
        try:
            values = np.char.decode(values, "utf-8")
        except UnicodeDecodeError as error:
            message = f"it holds bytes that are no UTF-8 text: {error.reason}"
            raise DataError(Problem(file=str(stored.files.path), where=stored.where, message=message)) from error
    return values.astype(object) if values.dtype.kind == "U" else values.astype(values.dtype.newbyteorder("="))


def _survey(part: Part, rows: Rows, start: int) -> npt.NDArray[np.uint64]:
    """One number an example, the same for equal ones; raises DataError for numbers that float32 cannot hold."""
    numbers, bad = [], []
    for chunk in part.inputs.chunks():
        read, wrong = _as_read(chunk)
        bad.append(start + np.flatnonzero(wrong))
        numbers.append(fingerprints(read))
        start += len(chunk)
    found = np.concatenate(bad)
    if found.size:
        raise DataError(*rows.problems(found, part.inputs.where, UNFIT))
    return np.concatenate(numbers)


def _as_read(chunk: Chunk) -> tuple[Chunk, npt.NDArray[np.bool_]]:
    """The examples as a model reads them, but for scale and offset, and which of them cannot be."""
    if chunk.dtype == np.uint8:
        return chunk, np.zeros(len(chunk), dtype=bool)
    with np.errstate(over="ignore"):
        read = chunk.astype(np.float32)
    return read, np.asarray(unfit(chunk).reshape(len(chunk), -1).any(axis=1))
