"""Folders that are removed whatever hostile code has put into them."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def remove(folder: Path) -> None:
    """Remove a folder with all that is in it, as far as that is allowed; a link is removed and not followed.

    Folders in folders are moved up first, so that neither the depth nor the length of a path has a limit.
    """
    with contextlib.suppress(OSError):
        if not stat.S_ISDIR(folder.lstat().st_mode):
            folder.unlink()
            return
        number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            _empty(number)
        finally:
            os.close(number)
        folder.rmdir()


def _empty(top: int) -> None:
    """Remove what is in a folder that is open: what a folder in it holds is moved into it, until there is none."""
    stuck: set[str] = set()
    while names := set(os.listdir(top)) - stuck:
        for name in names:
            try:
                _remove_or_flatten(name, top)
            except OSError:
                stuck.add(name)


def _remove_or_flatten(name: str, top: int) -> None:
    with contextlib.suppress(IsADirectoryError, PermissionError):  # which of them, systems differ in
        os.unlink(name, dir_fd=top)
        return
    with contextlib.suppress(OSError, AttributeError):  # where it cannot be opened up, it may be open
        _open_up(name, top)
    number = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=top)
    try:
        for inner in os.listdir(number):  # noqa: PTH208 - an open folder, and no path
            os.rename(inner, uuid.uuid4().hex, src_dir_fd=number, dst_dir_fd=top)
    finally:
        os.close(number)
    os.rmdir(name, dir_fd=top)


def _open_up(name: str, top: int) -> None:
    """Let a folder be read and written, by its number on Linux: no other one, whatever has the name by now."""
    number = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=top)
    try:
        Path(f"/proc/self/fd/{number}").chmod(0o700)
    finally:
        os.close(number)


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="auditor-"))
    try:
        yield folder
    finally:
        remove(folder)
