"""What models read, where it comes from records: the bytes of an image, or numbers, one example after another."""

from __future__ import annotations

import hashlib
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from auditor.data.images import BATCH, LARGEST_FILE, fill, image_shape
from auditor.data.reading import raise_first
from auditor.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from auditor.data.assemble import Checked
    from auditor.data.reading import Rows
    from auditor.data.streams import Chunk
    from auditor.spec import Preprocess

EXACT = 2**24
"""Whole numbers below it are exact as float32."""
UNFIT = "NaN, infinite, or beyond what float32 holds (whole numbers exactly: below 16,777,216)"


def unfit(numbers: Chunk) -> npt.NDArray[np.bool_]:
    """Which entries float32 cannot hold: NaN, infinite or too large, and whole numbers that would be rounded."""
    if numbers.dtype.kind in "iu":
        return (numbers >= EXACT) | (numbers <= -EXACT)
    with np.errstate(over="ignore"):
        return ~np.isfinite(numbers.astype(np.float32))


class Surveyed:
    """What is remembered of inputs that went by: a number that equal ones share, and which are unfit."""

    def __init__(self) -> None:
        self._digests: list[bytes] = []
        self._unfit: list[int] = []
        self._large: list[int] = []

    def add(self, value: bytes | Chunk) -> None:
        """The next one."""
        if isinstance(value, bytes):
            content = value
            if len(value) > LARGEST_FILE:
                self._large.append(len(self._digests))
        else:
            content = value.astype(np.float32).tobytes()
            if unfit(value).any():
                self._unfit.append(len(self._digests))
        self._digests.append(hashlib.sha256(content).digest()[:8])

    def finish(self, rows: Rows, where: str) -> npt.NDArray[np.uint64]:
        """The numbers, one an example; raises DataError with the examples that no model can read."""
        said = {
            UNFIT: self._unfit,
            f"more bytes than an image may have ({LARGEST_FILE:,})": self._large,
        }
        problems = [
            one for message, found in said.items() for one in rows.problems(np.array(found, int), where, message)
        ]
        if problems:
            raise DataError(*problems)
        return np.frombuffer(b"".join(self._digests), dtype=np.uint64)


class _Held:
    """Images in memory, by name."""

    def __init__(self, path: Path, images: Mapping[str, bytes]) -> None:
        self.path = path
        self._images = images

    def read(self, name: str) -> bytes:
        """Its bytes."""
        return self._images[name]


def as_chunks(values: Iterable[Any], checked: Checked, path: Path, preprocess: Preprocess | None) -> Iterator[Chunk]:
    """The inputs in chunks: images decoded where any split has them, numbers as float32.

    Args:
        values: all, in order.
        checked: says which are used, and what problems call each.
        path: what problems call all of them.
        preprocess: for images; None: they are numbers.
    """
    names = checked.rows.texts
    used = np.zeros(len(names), dtype=bool)
    used[checked.division.used] = True
    start, rest = 0, iter(values)
    while batch := list(islice(rest, BATCH)):
        stop = start + len(batch)
        if preprocess is None:
            yield np.stack(batch).astype(np.float32)
        else:
            images = dict(zip(names[start:stop], batch, strict=True))
            yield _decoded(_Held(path, images), names[start:stop], used[start:stop], preprocess)
        start = stop


def _decoded(files: _Held, names: Sequence[str], used: npt.NDArray[np.bool_], preprocess: Preprocess) -> Chunk:
    places = np.flatnonzero(used).tolist()
    decoded = np.zeros((len(places), *image_shape(preprocess)), dtype=np.uint8)
    raise_first(fill(decoded, files, [names[place] for place in places], preprocess), str(files.path))
    out = np.zeros((used.size, *decoded.shape[1:]), dtype=np.uint8)
    out[places] = decoded
    return out
