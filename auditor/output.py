"""Files for users, put in place whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from typing import TYPE_CHECKING

from auditor.errors import OutputError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def write(folder: Path, files: Mapping[str, bytes], advice: str) -> tuple[Path, ...]:
    """Put files, named by their paths in a folder, into it; folders are made if need be: all whole, or none changed.

    Raises:
        OutputError: the folder or a file cannot be written; `advice` says what to do.
    """
    paths = [folder / name for name in files]
    parts = {part_of(path): path for path in paths}
    try:
        for parent in {path.parent for path in paths}:
            parent.mkdir(parents=True, exist_ok=True)
        modes = [_mode(path) for path in paths]
        for part, content, mode in zip(parts, files.values(), modes, strict=True):
            write_new(part, content, mode)
        for part, path in parts.items():
            part.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(Problem(file=str(folder), message=f"cannot be written: {reason}", advice=advice)) from None
    finally:
        for part in parts:
            _remove(part)
    return tuple(parts.values())


def part_of(path: Path) -> Path:
    """Where a file stands until it is whole, beside its place: nobody can foresee the name and lay a link there."""
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")


def write_new(path: Path, content: bytes, mode: int | None = None) -> None:
    """Write a file where there is none, down to the disk. Raises OSError where there is one, or a link to anything."""
    with path.open("xb") as stream:
        if mode is not None:
            os.fchmod(stream.fileno(), mode)
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _mode(path: Path) -> int | None:
    """Who may read what is replaced: nobody else may afterwards. Raises OSError where it is a folder."""
    try:
        found = path.lstat().st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(found):
        raise IsADirectoryError(errno.EISDIR, f'"{path.name}" is a folder')
    return found & 0o777 if stat.S_ISREG(found) else None


def _remove(part: Path) -> None:
    try:
        part.unlink(missing_ok=True)
    except OSError:  # the folder itself cannot be reached: there is nothing to remove
        return
