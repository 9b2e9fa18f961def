"""Which of several arrays is what a model reads, and which hold one value an example."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from auditor.data.array_files import look
from auditor.data.arrays import INPUT, SUFFIXES, check_column, column_values, open_arrays
from auditor.data.image_source import SPLIT
from auditor.errors import DataError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from auditor.data.array_files import ArrayFiles, Stored

NAMES = ("x", "images", "image", "inputs", "input", "data", "features", "pixels")
"""What the array that a model reads is mostly called."""
LEAST_SIDE = 8
"""Arrays of two axes an example are taken for grey pictures from so many rows and columns on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """What one example holds, where it is read as it is."""

    shape: tuple[int, ...]
    is_bytes: bool
    """Whether it holds uint8, which scale and offset make real numbers of."""

    @property
    def is_grey(self) -> bool:
        """Whether it is a picture without an axis of channels, as far as its shape tells."""
        return len(self.shape) == 2 and min(self.shape) >= LEAST_SIDE

    @property
    def is_picture(self) -> bool:
        """Whether convolutions make sense, as far as its shape tells."""
        return self.is_grey or len(self.shape) == 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrays:
    """What was found."""

    frame: pd.DataFrame
    """One row an example: of every array with one value an example, and the split, where names tell it."""
    input: str | None
    """The name of what the model reads; None: the default."""
    example: Example
    official: str
    """Why no split is declared."""
    left: Mapping[str, str]
    """The other arrays, and why they are no columns."""


def find_arrays(path: Path) -> Arrays:
    """Look at all arrays, and read those of one value an example; raises DataError where no array can be read."""
    files = open_arrays(path)
    names = files.names()
    dealt = [name.removesuffix(SUFFIXES[0]) for name in names if name.endswith(SUFFIXES[0])]
    dealt = [name for name in dealt if name + SUFFIXES[1] in names]
    suffixes: Sequence[str] = SUFFIXES if dealt else ("",)
    stored, left = _looks(files, dealt or names, suffixes)
    wanted = _input(path, stored)
    frame, more = _columns(stored, wanted, suffixes)
    first = stored[wanted][0]
    official = ""
    if dealt:
        official = f"the arrays {wanted}{SUFFIXES[0]} and {wanted}{SUFFIXES[1]} are the split"
    return Arrays(
        frame=frame,
        input=None if wanted == INPUT else wanted,
        example=Example(shape=first.shape[1:], is_bytes=first.dtype == np.uint8),
        official=official,
        left=left | more,
    )


def _looks(
    files: ArrayFiles, names: Sequence[str], suffixes: Sequence[str]
) -> tuple[dict[str, list[Stored]], dict[str, str]]:
    """Each array, of every split; and what is wrong with those that cannot be read."""
    stored, left = {}, {}
    for name in names:
        try:
            stored[name] = [look(files, name + suffix) for suffix in suffixes]
        except DataError as error:
            left[name] = error.problems[0].message
    return stored, left


def _input(path: Path, stored: Mapping[str, Sequence[Stored]]) -> str:
    """By its name, else the one of which an example has most numbers."""
    fit = {
        name: math.prod(parts[0].shape[1:])
        for name, parts in stored.items()
        if len(parts[0].shape) > 1 and parts[0].dtype.kind in "buif" and 0 not in parts[0].shape
    }
    for wanted in NAMES:
        for name in fit:
            if name.lower() == wanted:
                return name
    large = [name for name, size in fit.items() if size > 1]
    if large:
        return max(large, key=lambda name: fit[name])
    message = "no array of numbers has examples along its first axis and what a model reads beyond"
    raise DataError(Problem(file=str(path), message=message))


def _columns(
    stored: Mapping[str, Sequence[Stored]], wanted: str, suffixes: Sequence[str]
) -> tuple[pd.DataFrame, dict[str, str]]:
    sizes = [one.shape[0] for one in stored[wanted]]
    columns, left = {}, {}
    for name, parts in stored.items():
        if name == wanted:
            continue
        try:
            for one in parts:
                check_column(one)
        except DataError as error:
            left[name] = f"{error.problems[0].message}. {error.problems[0].advice}".strip()
            continue
        if [one.shape[0] for one in parts] != sizes:
            left[name] = f"it has not as many entries as {wanted}"
            continue
        columns[name] = np.concatenate([column_values(one) for one in parts])
    if len(suffixes) > 1:
        columns[SPLIT] = np.repeat(np.array(["train", "test"], dtype=object), sizes)
    return pd.DataFrame(columns, index=range(sum(sizes))), left
