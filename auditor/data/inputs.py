"""What a model reads, as files that several processes can map into memory at once."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from auditor.errors import DataError, ModelError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from auditor.records import FloatArray, IntArray
    from auditor.spec import Preprocess

InputArray = npt.NDArray[np.float32] | npt.NDArray[np.uint8]
ARRAYS = ("train_x", "train_y", "test_x", "calibration_x")
FACTS = "inputs.json"
_OWN = "calibration_x-"
"""Begins the names of arrays that are a representative set of a variant's own."""
_PIXELS = ("scale", "offset", "mean", "std")
"""What makes real numbers of pixels: named alike in audit.toml and here."""
_CHUNK = 256
"""Images that a function of the user's sees at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Training split, test split and representative set.

    float32 x is read as it is, uint8 x as (x / scale + offset - mean) / std.
    """

    train_x: InputArray
    """[n, ...], n = 0 where nothing is there to train on."""
    train_y: IntArray
    """[n], int32: index of the true class."""
    test_x: InputArray
    """[N, ...], in the order of the data set's examples."""
    calibration_x: InputArray
    """[m, ...]: the representative set."""
    calibrations: Mapping[str, InputArray] = field(default_factory=dict)
    """Likewise those that are a single variant's own, by the digest of their rows."""
    scale: float
    offset: float
    mean: tuple[float, ...] = ()
    """One for all, or one a channel (the last axis of x); () is 0."""
    std: tuple[float, ...] = ()
    """As mean; () is 1."""
    classes: int
    """C, the number of classes."""


def write_inputs(folder: Path, inputs: Inputs) -> None:
    """Write all arrays and facts into an existing folder."""
    arrays = {name: getattr(inputs, name) for name in ("train_x", "test_x", "calibration_x")}
    for name, array in (arrays | {own_set(name): x for name, x in inputs.calibrations.items()}).items():
        np.save(array_path(folder, name), array, allow_pickle=False)
    pixels = {name: getattr(inputs, name) for name in _PIXELS}
    _write_facts(folder, inputs.train_y, {**pixels, "classes": inputs.classes})


def new_array(folder: Path, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike = np.uint8) -> npt.NDArray[Any]:
    """An array of zeros that lives in its file, to be filled piece by piece; then `write_facts` is due."""
    return np.lib.format.open_memmap(array_path(folder, name), mode="w+", dtype=dtype, shape=shape)


def write_facts(folder: Path, train_y: IntArray, preprocess: Preprocess | None, *, classes: int) -> None:
    """Write everything but the inputs themselves: pixels, or None: numbers that are read as they are."""
    as_they_are = {"scale": 1.0, "offset": 0.0, "mean": [], "std": []}
    pixels = preprocess.model_dump(include={*_PIXELS}) if preprocess else as_they_are
    _write_facts(folder, train_y, {**pixels, "classes": classes})


def _write_facts(folder: Path, train_y: IntArray, facts: dict[str, Any]) -> None:
    np.save(array_path(folder, "train_y"), train_y.astype(np.int32), allow_pickle=False)
    (folder / FACTS).write_text(json.dumps(facts, sort_keys=True, allow_nan=False), encoding="utf-8")


def read_inputs(folder: Path) -> Inputs:
    """Map what `write_inputs` wrote: read-only, and loaded only where touched."""
    arrays: dict[str, Any] = {
        name: np.load(array_path(folder, name), mmap_mode="r", allow_pickle=False) for name in ARRAYS
    }
    facts: dict[str, Any] = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    lists: dict[str, Any] = {key: tuple(facts.pop(key)) for key in ("mean", "std")}
    own = {path.stem.removeprefix(_OWN): np.load(path, mmap_mode="r", allow_pickle=False) for path in _own_sets(folder)}
    return Inputs(**arrays, calibrations=own, **lists, **facts)


def transform(folder: Path, function: Callable[[FloatArray], FloatArray], name: str) -> None:
    """Put every image through a function, a few hundred at a time; what it returns is read as it is.

    `name` is the function's in errors. Raises DataError where it returns other numbers of examples, shapes or kinds.
    """
    for path in (*(array_path(folder, name) for name in ("train_x", "test_x", "calibration_x")), *_own_sets(folder)):
        pixels = np.load(path, mmap_mode="r", allow_pickle=False)
        out = None
        for start in range(0, max(len(pixels), 1), _CHUNK):
            # Where a split is empty, one black image tells the shape.
            chunk = pixels[start : start + _CHUNK] if len(pixels) else np.zeros((1, *pixels.shape[1:]), pixels.dtype)
            made = _made(function, chunk.astype(np.float32), name)
            if out is None:
                shape = (len(pixels), *made.shape[1:])
                out = np.lib.format.open_memmap(path.with_suffix(".new"), mode="w+", dtype=np.float32, shape=shape)
            if made.shape[1:] != out.shape[1:]:
                raise DataError(
                    Problem(where="data.preprocess.function", message=f'"{name}" gives examples of several shapes')
                )
            out[start : start + _CHUNK] = made[: len(pixels)]
        path.with_suffix(".new").replace(path)


def _made(function: Callable[[FloatArray], FloatArray], pixels: FloatArray, name: str) -> FloatArray:
    made: npt.NDArray[Any] = np.asarray(function(pixels))
    if made.dtype.kind not in "fiu" or made.shape[:1] != pixels.shape[:1]:
        message = f'"{name}" was given {list(pixels.shape)} pixels and returned {made.dtype} {list(made.shape)}'
        raise DataError(
            Problem(where="data.preprocess.function", message=message, advice="Return one row of numbers an image.")
        )
    real: FloatArray = np.asarray(made, np.float32)
    if not np.isfinite(real).all():
        said = f'"{name}" returned what is no finite number'
        raise DataError(Problem(where="data.preprocess.function", message=said))
    return real


def to_float(x: InputArray, inputs: Inputs, own: Mapping[str, Any] | None = None) -> FloatArray:
    """The batch as a model reads it, float32; float32 input is returned as it is.

    `own`: scale, offset, mean and std of a model that reads the same inputs otherwise; they are for float32, too.
    Raises ModelError where its mean or std is not of the last axis.
    """
    if own is not None:
        return _rescaled(x, **own)
    if x.dtype == np.float32:
        return np.asarray(x, dtype=np.float32)
    return _rescaled(x, inputs.scale, inputs.offset, inputs.mean, inputs.std)


def _rescaled(x: InputArray, scale: float, offset: float, mean: Sequence[float], std: Sequence[float]) -> FloatArray:
    real = x.astype(np.float32) / np.float32(scale) + np.float32(offset)
    for key, numbers in (("mean", mean), ("std", std)):
        if len(numbers) not in {0, 1, real.shape[-1]}:
            message = f"{len(numbers)} numbers, and the last axis of an example has {real.shape[-1]}"
            raise ModelError(Problem(where=f"preprocess.{key}", message=message, advice="Give one, or one a channel."))
    if mean:
        real -= np.array(mean, np.float32)
    if std:
        real /= np.array(std, np.float32)
    return real


def representative(inputs: Inputs, rows: str | None) -> FloatArray:
    """A representative set, by the digest of its rows, None: the common one, as a model reads it."""
    return to_float(inputs.calibration_x if rows is None else inputs.calibrations[rows], inputs)


def own_set(rows: str) -> str:
    """What the array of a representative set is called that is a variant's own; by the digest of its rows."""
    return f"{_OWN}{rows}"


def _own_sets(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{_OWN}*.npy"))


def array_path(folder: Path, name: str) -> Path:
    """The file of one array."""
    return folder / f"{name}.npy"
