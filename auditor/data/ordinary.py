"""Files of data are read where they are ordinary ones; every way in which one cannot be read becomes a DataError."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from auditor.errors import DataError, Problem
from auditor.regular import open_regular, read_regular

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedReader
    from pathlib import Path


@contextmanager
def opened(path: Path, most: int | None = None) -> Iterator[BufferedReader]:
    """A file, open to read. Raises DataError where it is none, or a pipe, or has more than `most` bytes."""
    try:
        with open_regular(path, most) as file:
            yield file
    except OSError as error:
        raise _unreadable(path, error) from error


def text_of(path: Path, most: int) -> str:
    """A file of UTF-8, where what is none is marked. Raises DataError as `opened` does, and where the file grows."""
    try:
        return str(read_regular(path, most), "utf-8", "replace")
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> DataError:
    return DataError(Problem(file=str(path), message=f"it cannot be read: {error.strerror or error}"))
