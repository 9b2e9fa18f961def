"""Lines of keys in a TOML file, and values set from the command line. The parser is the standard library's."""

from __future__ import annotations

import tomllib
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

KeyPath = tuple[str | int, ...]


class Lines:
    """Finds the line of a key: the first line of the statement after which the file, read so far, holds the key."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()

    def of(self, path: Sequence[str | int]) -> int | None:
        """Give the line of a key path, or of the nearest table above it that the file holds; None for no table."""
        for length in range(len(path), 0, -1):
            for line, read in self._prefixes:
                if holds(read, path[:length]):
                    return line
        return None

    @cached_property
    def _prefixes(self) -> list[tuple[int, dict[str, Any]]]:
        """For each statement its first line, and what the file says up to its end."""
        prefixes: list[tuple[int, dict[str, Any]]] = []
        start = 1
        last: dict[str, Any] = {}
        for end in range(1, len(self._lines) + 1):
            if self._is_blank(end) and start == end:
                start = end + 1
                continue
            try:
                read = tomllib.loads("\n".join(self._lines[:end]))
                told = read != last
            except (tomllib.TOMLDecodeError, RecursionError):
                continue  # inside an array or string of several lines, or nested beyond all sense
            if told:
                prefixes.append((start, read))
            start, last = end + 1, read
        return prefixes

    def _is_blank(self, line: int) -> bool:
        text = self._lines[line - 1].strip()
        return not text or text.startswith("#")


def holds(value: Any, path: Sequence[str | int]) -> bool:  # noqa: ANN401 - TOML
    """Tell whether parsed TOML has something at a key path."""
    for key in path:
        if isinstance(value, dict) and key in value:
            value = value[str(key)]
        elif isinstance(value, list) and isinstance(key, int) and key < len(value):
            value = value[key]
        else:
            return False
    return True


def parse_value(text: str) -> Any:  # noqa: ANN401 - TOML
    """Read a value as TOML does, or take it for a text where it is none."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        return text


def assign(raw: dict[str, Any], key: str, value: Any) -> KeyPath:  # noqa: ANN401 - TOML
    """Set a key such as "data.path" or "compression.NAME.sparsity", and give its path; raises ValueError for no key."""
    *parents, last = key.split(".")
    at: Any = raw
    path: list[str | int] = []
    for depth, part in enumerate(parents):
        if isinstance(at, list):
            found = [item for item in at if isinstance(item, dict) and _is_named(item, part, at)]
            if len(found) != 1:
                names = ", ".join(str(item.get("name")) for item in at if isinstance(item, dict) and item.get("name"))
                where = ".".join(parents[:depth])
                message = f"[[{where}]] has {len(found)} entries named {part!r}; named ones are: {names or 'none'}"
                raise ValueError(message)
            path.append(at.index(found[0]))
            at = found[0]
        elif isinstance(at, dict):
            path.append(part)
            at = at.setdefault(part, {})
        else:
            raise ValueError(f"{'.'.join(parents[:depth])} is a value, not a table")  # noqa: TRY004 - what the user wrote
    if isinstance(at, dict):
        at[last] = value
        return (*path, last)
    raise ValueError(f"{'.'.join(parents)} is not a table")


def _is_named(item: dict[str, Any], name: str, among: list[Any]) -> bool:
    return item.get("name", item.get("method")) == name or (name.isdigit() and among.index(item) == int(name))


PATH_KEYS = {"path", "table", "artifact", "weights", "store", "train_path", "test_path", "export"}


def absolute_paths(key: str, value: Any) -> Any:  # noqa: ANN401 - TOML
    """Take paths given on the command line as relative to the current folder."""
    if key == "data.predictions" and isinstance(value, list):
        return [str(Path(one).resolve()) if isinstance(one, str) else one for one in value]
    is_path = key.rpartition(".")[2] in PATH_KEYS and isinstance(value, str) and value
    return str(Path(value).resolve()) if is_path else value
