"""What a model reads, as files that several processes can map into memory at once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.records import FloatArray, IntArray

InputArray = npt.NDArray[np.float32] | npt.NDArray[np.uint8]
ARRAYS = ("train_x", "train_y", "test_x", "calibration_x")
FACTS = "inputs.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Training split, test split and representative set. float32 x is read as it is, uint8 x as x / scale + offset."""

    train_x: InputArray
    """[n, ...], n = 0 where nothing is there to train on."""
    train_y: IntArray
    """[n], int32: index of the true class."""
    test_x: InputArray
    """[N, ...], in the order of the data set's examples."""
    calibration_x: InputArray
    """[m, ...]: the representative set of int8."""
    scale: float
    offset: float
    classes: int
    """C, the number of classes."""


def write_inputs(folder: Path, inputs: Inputs) -> None:
    """Write all arrays and facts into an existing folder."""
    for name in ("train_x", "test_x", "calibration_x"):
        np.save(array_path(folder, name), getattr(inputs, name), allow_pickle=False)
    write_facts(folder, inputs.train_y, scale=inputs.scale, offset=inputs.offset, classes=inputs.classes)


def new_array(folder: Path, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike = np.uint8) -> npt.NDArray[Any]:
    """An array of zeros that lives in its file, to be filled piece by piece; then `write_facts` is due."""
    return np.lib.format.open_memmap(array_path(folder, name), mode="w+", dtype=dtype, shape=shape)


def write_facts(folder: Path, train_y: IntArray, *, scale: float, offset: float, classes: int) -> None:
    """Write everything but the inputs themselves."""
    np.save(array_path(folder, "train_y"), train_y.astype(np.int32), allow_pickle=False)
    facts = {"scale": scale, "offset": offset, "classes": classes}
    (folder / FACTS).write_text(json.dumps(facts, sort_keys=True, allow_nan=False), encoding="utf-8")


def read_inputs(folder: Path) -> Inputs:
    """Map what `write_inputs` wrote: read-only, and loaded only where touched."""
    arrays: dict[str, Any] = {
        name: np.load(array_path(folder, name), mmap_mode="r", allow_pickle=False) for name in ARRAYS
    }
    return Inputs(**arrays, **json.loads((folder / FACTS).read_text(encoding="utf-8")))


def to_float(x: InputArray, inputs: Inputs) -> FloatArray:
    """The batch as a model reads it, float32; float32 input is returned as it is."""
    if x.dtype == np.float32:
        return np.asarray(x, dtype=np.float32)
    return x.astype(np.float32) / np.float32(inputs.scale) + np.float32(inputs.offset)


def array_path(folder: Path, name: str) -> Path:
    """The file of one array."""
    return folder / f"{name}.npy"
