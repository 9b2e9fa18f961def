"""Examples that come one after another, and more than memory holds: read in chunks, poured into the model's inputs."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from auditor.data.inputs import new_array, write_facts
from auditor.errors import DataError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from auditor.data.assemble import Checked
    from auditor.spec import Preprocess

Chunk = npt.NDArray[Any]
"""Some examples of the source, [n, ...], following those of the chunk before."""
CHUNK_BYTES = 8 << 20


def check_as_is(preprocess: Preprocess) -> None:
    """Raise DataError for changes of pixels that are declared where pixels are read as they are."""
    named = [key for key in ("crop", "resize") if key in preprocess.model_fields_set]
    if named:
        raise DataError(
            *(
                Problem(
                    where=f"data.preprocess.{key}",
                    message="the pixels of this source are read as they are",
                    advice="Only scale and offset apply. Crop and resize beforehand, or give image files.",
                )
                for key in named
            )
        )


def check_numbers(preprocess: Preprocess) -> None:
    """Raise DataError for arithmetic that is declared where the source holds numbers, which are read as they are."""
    named = [key for key in ("scale", "offset", "mean", "std") if key in preprocess.model_fields_set]
    if named:
        message = "it is for pixels (uint8), and these inputs are numbers, which are read as they are"
        advice = "Scale them beforehand, or name a function: data.preprocess.function."
        raise DataError(*(Problem(where=f"data.preprocess.{key}", message=message, advice=advice) for key in named))


def chunk_rows(example_bytes: int) -> int:
    """How many examples of this size make a chunk."""
    return max(1, CHUNK_BYTES // max(1, example_bytes))


def fingerprints(chunk: Chunk) -> npt.NDArray[np.uint64]:
    """One number an example, the same for equal ones."""
    digests = [hashlib.sha256(example.tobytes()).digest()[:8] for example in chunk]
    return np.frombuffer(b"".join(digests), dtype=np.uint64)


def pour(
    folder: Path,
    checked: Checked,
    chunks: Iterable[Chunk],
    shape: tuple[int, ...],
    dtype: npt.DTypeLike,
    preprocess: Preprocess,
) -> None:
    """Deal all examples of the source, in order, to the inputs of the splits that they are in.

    Args:
        folder: existing and empty.
        checked: says which examples are in which split.
        chunks: all examples, as the model reads them but for scale and offset.
        shape: of one example.
        dtype: float32 or uint8.
        preprocess: says scale and offset of uint8.
    """
    out = {name: new_array(folder, name, (rows.size, *shape), dtype) for name, rows in checked.parts.items()}
    start = 0
    for chunk in chunks:
        stop = start + len(chunk)
        for name, positions in checked.parts.items():
            low, high = np.searchsorted(positions, [start, stop])
            out[name][low:high] = chunk[positions[low:high] - start]
        start = stop
    write_labels(folder, checked, preprocess)


def write_labels(folder: Path, checked: Checked, preprocess: Preprocess) -> None:
    """Write the training labels, and how inputs are to be read."""
    train_y = checked.labels.index[checked.division.train]
    write_facts(folder, train_y, preprocess, classes=len(checked.labels.classes))
