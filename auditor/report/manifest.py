"""manifest.sha256: what a run wrote, as `sha256sum -c` reads it."""

from __future__ import annotations

import hashlib
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from auditor.regular import read_regular

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MANIFEST = "manifest.sha256"
_MOST = 64 << 20
_LINE = re.compile(r"(?P<escaped>\\?)(?P<digest>[0-9a-f]{64}) [ *](?P<name>.+)")
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}
_UNESCAPES = {escape: character for character, escape in _ESCAPES.items()}


def manifest(files: Mapping[str, bytes], earlier: Mapping[str, str]) -> bytes:
    """List files by their names in the folder; `earlier`: digests of those that were there and stay as they are."""
    digests = {**earlier, **{name: hashlib.sha256(content).hexdigest() for name, content in files.items()}}
    return "".join(_line(name, digest) for name, digest in sorted(digests.items())).encode("utf-8", "surrogateescape")


def listed(folder: Path) -> dict[str, str]:
    """Read a folder's manifest: digests, as they were written down, of the files that are still there."""
    try:
        text = read_regular(folder / MANIFEST, _MOST).decode("utf-8", "surrogateescape")
    except OSError:
        return {}
    lines = (_LINE.fullmatch(line) for line in text.split("\n"))
    known = {_name(line): line["digest"] for line in lines if line}
    return {name: digest for name, digest in known.items() if _within(name) and _is_there(folder / name)}


def _line(name: str, digest: str) -> str:
    """Write a line as coreutils does: a backslash at its head says that the name is escaped."""
    escaped = "".join(_ESCAPES.get(character, character) for character in name)
    return f"{'' if escaped == name else chr(92)}{digest}  {escaped}\n"


def _name(line: re.Match[str]) -> str:
    if not line["escaped"]:
        return line["name"]
    return re.sub(r"\\[\\nr]", lambda found: _UNESCAPES[found[0]], line["name"])


def _within(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\0" not in name


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # no file can have such a name
        return False
