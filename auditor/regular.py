"""Ordinary files alone: a pipe would be waited for, and a device read, for ever."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from io import BufferedReader
    from pathlib import Path


def open_regular(path: Path, most: int | None = None) -> BufferedReader:
    """Open a file to read. Raises OSError where it is a pipe, a device or a folder, or has more than `most` bytes."""
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _check(os.fstat(number), most, path)
        return os.fdopen(number, "rb")
    except OSError:
        os.close(number)
        raise


def _check(found: os.stat_result, most: int | None, path: Path) -> None:
    """Of what was opened, not of the path: by now that may lead to something else."""
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is no ordinary file", str(path))
    if most is not None and found.st_size > most:
        said = f"its {found.st_size:,} bytes are more than it may have ({most:,})"
        raise OSError(errno.EFBIG, said, str(path))


def read_regular(path: Path, most: int | None = None) -> bytes:
    """A file's bytes; raises OSError as `open_regular` does, and where it has grown since it was opened."""
    with open_regular(path, most) as file:
        size = os.fstat(file.fileno()).st_size
        limit = size if most is None else min(size, most)  # a buffer of so many bytes is taken at once
        if len(content := file.read(limit + 1)) <= limit:
            return content
    raise OSError(errno.EFBIG, "it grows while it is read", str(path))
