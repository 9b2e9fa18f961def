"""Arrays by name, in a folder of .npy files or an .npz archive: read in order, never as a whole, never by pickle."""

from __future__ import annotations

import math
import os
import zipfile
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Protocol

import numpy as np

from auditor.data.images import UNREADABLE, open_archive
from auditor.data.streams import chunk_rows
from auditor.errors import DataError, Problem
from auditor.regular import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from auditor.data.streams import Chunk

MOST_INFLATED = 200
"""Arrays may hold little: one that declares to unpack to more times its size is a bomb."""
SPARE = 1 << 20
ENDING = ".npy"


class ArrayFiles(Protocol):
    """Where arrays lie."""

    path: Path

    def names(self) -> tuple[str, ...]:
        """What there is."""

    def file(self, name: str) -> Path:
        """The file whose bytes the array is in."""

    def open(self, name: str) -> AbstractContextManager[tuple[IO[bytes], int]]:
        """The bytes in .npy format, and how many there are."""


class ArrayFolder:
    """Each array in a file of its own, NAME.npy."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def names(self) -> tuple[str, ...]:
        """Of all files that end in .npy."""
        return tuple(sorted(file.stem for file in self.path.glob(f"*{ENDING}")))

    def file(self, name: str) -> Path:
        """NAME.npy."""
        return self.path / f"{name}{ENDING}"

    @contextmanager
    def open(self, name: str) -> Iterator[tuple[IO[bytes], int]]:
        """The file."""
        with open_regular(self.file(name)) as stream:
            yield stream, os.fstat(stream.fileno()).st_size


class ArrayArchive:
    """All arrays in one file, as `np.savez` and `np.savez_compressed` write it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with open_archive(path, MOST_INFLATED, SPARE) as archive:
            members = [member.filename for member in archive.infolist()]
        if twice := [name for name, count in Counter(members).items() if count > 1]:
            raise DataError(Problem(file=str(path), where=twice[0], message="the name stands more than once"))
        self._names = tuple(name.removesuffix(ENDING) for name in members if name.endswith(ENDING))

    def names(self) -> tuple[str, ...]:
        """Of all members that are arrays."""
        return self._names

    def file(self, _name: str) -> Path:
        """The archive."""
        return self.path

    @contextmanager
    def open(self, name: str) -> Iterator[tuple[IO[bytes], int]]:
        """The member: it never gives more bytes than it declares, and its checksum is verified at its end."""
        with open_archive(self.path, MOST_INFLATED, SPARE) as archive, archive.open(name + ENDING) as stream:
            yield stream, archive.getinfo(name + ENDING).file_size


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An array that was looked at, and not read."""

    files: ArrayFiles
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def where(self) -> str:
        """How problems name it."""
        return f"array {self.name}"

    def chunks(self) -> Iterator[Chunk]:
        """All entries along the first axis, in order; raises DataError where the file is damaged."""
        each = math.prod(self.shape[1:])
        rows = chunk_rows(each * self.dtype.itemsize)
        with _readable(self.files, self.name) as (stream, _):
            _header(stream)
            for start in range(0, self.shape[0], rows):
                count = min(rows, self.shape[0] - start)
                wanted = count * each * self.dtype.itemsize
                content = stream.read(wanted)
                if len(content) < wanted:
                    raise EOFError("it ends before its last entry")
                yield np.frombuffer(content, dtype=self.dtype).reshape(count, *self.shape[1:])
            stream.read(1)  # an archive compares its checksum when it meets the end


def look(files: ArrayFiles, name: str) -> Stored:
    """Shape and type of an array; raises DataError where it is pickled, damaged, or larger than its file."""
    with _readable(files, name) as (stream, size):
        shape, fortran, dtype = _header(stream)
        entries = math.prod(shape)
        if dtype.hasobject:
            message, advice = "it holds Python objects, which are pickled", "Save it with numbers or text in it."
        elif dtype.names is not None or dtype.subdtype is not None:
            message, advice = "it is a structured array", "Save each field as an array of its own."
        elif fortran and len(shape) > 1:
            message, advice = "it is stored column by column (Fortran order)", "Save np.ascontiguousarray of it."
        elif stream.tell() + entries * dtype.itemsize != size:
            message = f"it declares {entries:,} entries, which is not what its {size:,} bytes hold"
            advice = "The file may be cut off."
        else:
            return Stored(files=files, name=name, shape=shape, dtype=dtype)
    raise DataError(Problem(file=str(files.path), where=f"array {name}", message=message, advice=advice))


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read past the header: shape, whether in Fortran order, and type. NumPy reads it as a literal, at most 10 kB."""
    version = np.lib.format.read_magic(stream)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"its format is of version {version[0]}.{version[1]}")
    try:
        shape, fortran, dtype = readers[version](stream)
    except Exception as error:  # what is raised for damaged headers is not told by NumPy's documentation
        raise ValueError(f"its header is damaged: {error}") from error
    if any(size < 0 for size in shape):
        raise ValueError(f"its shape is {shape}")
    return shape, fortran, dtype


@contextmanager
def _readable(files: ArrayFiles, name: str) -> Iterator[tuple[IO[bytes], int]]:
    """The opened array; every way in which it cannot be read becomes a DataError."""
    try:
        with files.open(name) as opened:
            yield opened
    except (*UNREADABLE, zipfile.LargeZipFile, NotImplementedError, OverflowError) as error:
        reason = str(error).split("\n", maxsplit=1)[0]
        raise DataError(
            Problem(file=str(files.path), where=f"array {name}", message=f"it cannot be read: {reason}")
        ) from error
