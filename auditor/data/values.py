"""Values of columns: how they are compared with what audit.toml says, named and put in order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.records import IntArray, Label

Array = TypeVar("Array", bound=np.ndarray[Any, Any])


def text(value: Label) -> str:
    """The value as it is written: 25.0 is "25", True is "true"."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def find(value: Label, among: Sequence[Label]) -> int | None:
    """Index of the value: of the same type if there is one, else of the same text (1 finds "1", "True" finds True)."""
    for index, candidate in enumerate(among):
        if type(candidate) is type(value) and candidate == value:
            return index
    wanted = text(value)
    for index, candidate in enumerate(among):
        truth = isinstance(value, bool) or isinstance(candidate, bool)
        if text(candidate) == wanted or (truth and text(candidate).lower() == wanted.lower()):
            return index
    return None


def distinct(column: pd.Series) -> tuple[IntArray, tuple[Label, ...]]:
    """The distinct values in order of appearance, and for each row the index of its own; -1: missing or blank."""
    codes, uniques = pd.factorize(column)
    values = [_plain(value) for value in uniques.tolist()]
    blank = np.array([isinstance(value, str) and not value.strip() for value in values], dtype=bool)
    if not blank.any():
        return codes, tuple(values)
    new = np.where(blank, -1, np.cumsum(~blank) - 1)
    # a missing value has code -1 and finds the last entry
    return np.append(new, -1)[codes], tuple(value for value, out in zip(values, blank, strict=True) if not out)


def _plain(value: object) -> Label:
    return value if isinstance(value, (bool, int, float, str)) else str(value)


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key that puts "base_2" before "base_10"."""
    parts = re.findall(r"[0-9]+|[^0-9]+", name)
    return tuple((0, int(part), part) if part[0] in "0123456789" else (1, 0, part) for part in parts)


def listed(names: Sequence[str], *, most: int = 10) -> str:
    """The first names in quotes, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(f'"{name}"' for name in names[:most]) + more


def plural(count: int, noun: str) -> str:
    """The count in words of the noun: "1 row", "2,000 rows"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def read_only(array: Array) -> Array:
    """The same array, no longer to be written to."""
    array.setflags(write=False)
    return array
