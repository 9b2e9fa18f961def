"""What a table holds, as far as a first audit.toml needs it: kinds of columns, and what they may stand for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from auditor.data.features import LARGEST
from auditor.data.values import distinct, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.records import Label

SENSITIVE = {
    "sex", "gender", "male", "female", "age", "young", "race", "ethnicity", "ethnic", "nationality", "citizenship",
    "religion", "disability", "disabled", "marital", "orientation", "pregnant", "pregnancy", "skin", "language",
    "birth", "country", "relationship",
}  # fmt: skip
"""Words in the names of columns that say who somebody is."""
LABELS = (
    "label", "labels", "target", "targets", "class", "classes", "y", "outcome", "income", "diagnosis", "approved",
    "hired", "default", "churn", "response", "decision", "result",
)  # fmt: skip
POSITIVE = {"1", "true", "yes", "y", "positive", "pos", "high", ">50k", "approved", "accepted", "hired", "granted"}
TRAINS = ("train", "training")
TESTS = ("test", "testing")
VALIDATES = ("val", "valid", "validation")
SPLITS = ("split", "subset", "partition", "fold", "set")
MOST_CLASSES = 50
MOST_GROUPS = 20
"""A guessed attribute has no more values; numbers are put into bins."""
MOST_TEXT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One column."""

    name: str
    kind: str
    """"whole numbers", "numbers", "text", "true and false" or "something else"."""
    held: tuple[Label, ...]
    """The distinct values, in order of their number of rows."""
    counts: tuple[int, ...]
    missing: int
    unusable: str
    """Why a model cannot read it; empty where it can."""

    @property
    def words(self) -> set[str]:
        """The words of its name: "maritalStatus" and "marital_status" are two."""
        apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", self.name)
        return {word.lower() for word in re.split(r"[^A-Za-z]+", apart) if word}

    @property
    def is_sensitive(self) -> bool:
        """Whether its name says who somebody is, and its values make groups."""
        groups = len(self.held) >= 2 and (len(self.held) <= MOST_GROUPS or self.is_number)
        return bool(self.words & SENSITIVE) and groups

    @property
    def is_number(self) -> bool:
        """Whether it can be put into bins."""
        return self.kind in {"whole numbers", "numbers"}

    @property
    def is_id(self) -> bool:
        """Whether its name says that it names examples or people."""
        return bool(self.words & {"id", "uuid", "identifier", "key"}) and self.kind != "something else"


def look(name: str, column: pd.Series) -> Look:
    """Look at one column."""
    value_of, held = distinct(column)
    counts = np.bincount(value_of[value_of >= 0], minlength=len(held))
    order = np.argsort(-counts, kind="stable").tolist()
    kind = _kind(column)
    return Look(
        name=name,
        kind=kind,
        held=tuple(held[code] for code in order),
        counts=tuple(int(counts[code]) for code in order),
        missing=int((value_of < 0).sum()),
        unusable=_unusable(column, kind, len(held)),
    )


def _kind(column: pd.Series) -> str:
    if pd.api.types.is_bool_dtype(column):
        return "true and false"
    if pd.api.types.is_numeric_dtype(column):
        numbers = column.dropna().to_numpy(np.float64)
        return "whole numbers" if np.isfinite(numbers).all() and (np.mod(numbers, 1) == 0).all() else "numbers"
    is_text = pd.api.types.infer_dtype(column, skipna=True) in {"string", "empty"}
    return "text" if is_text else "something else"


def _unusable(column: pd.Series, kind: str, values: int) -> str:
    if kind == "something else":
        return "neither numbers nor text"
    if kind == "text":
        return f"{values:,} different texts" if values > MOST_TEXT else ""
    numbers = column.to_numpy(np.float64, na_value=np.nan)
    if np.isnan(numbers).any():
        return "numbers are missing"
    return "numbers beyond 32 bits" if (np.abs(numbers) > LARGEST).any() else ""


def guess_label(columns: Sequence[Look]) -> str | None:
    """The column that is the label by its name, else the last one that has a few values; None where there is none."""
    fit = [
        one for one in columns if 2 <= len(one.held) <= MOST_CLASSES and one.kind not in {"numbers", "something else"}
    ]
    for wanted in LABELS:
        for one in fit:
            if one.name.lower() == wanted:
                return one.name
    last = columns[-1] if columns else None
    few = last is not None and last in fit and not (last.words & SENSITIVE) and not last.is_id and len(last.held) <= 10
    return last.name if few and last is not None else None


def guess_positive(label: Look) -> Label | None:
    """The positive class of two: by its name, else the rarer one; None for more classes."""
    if len(label.held) != 2:
        return None
    named = [held for held in label.held if text(held).lower() in POSITIVE]
    return named[0] if len(named) == 1 else label.held[-1]


def find_split(columns: Sequence[Look]) -> tuple[str, Label, Label] | None:
    """The column that names splits, with its values for training and test; None where there is none.

    Where no rows are for testing, those for validation are.
    """
    for one in columns:
        if one.name.lower() not in SPLITS or one.missing:
            continue
        by_name = {text(held).lower(): held for held in one.held}
        train = next((by_name[name] for name in TRAINS if name in by_name), None)
        test = next((by_name[name] for name in (*TESTS, *VALIDATES) if name in by_name), None)
        if train is not None and test is not None:
            return one.name, train, test
    return None


def round_edges(column: pd.Series) -> list[float]:
    """Inner edges of bins at round numbers, near the quartiles; whole where they can be."""
    numbers = column.dropna().to_numpy(np.float64)
    numbers = numbers[np.isfinite(numbers)]
    low, *quartiles, high = np.quantile(numbers, [0, 0.25, 0.5, 0.75, 1])
    step = 10.0 ** np.floor(np.log10((high - low) / 4)) if high > low else 1.0
    step *= max(factor for factor in (1.0, 2.0, 5.0) if factor * step <= (high - low) / 4 or factor == 1)
    edges = sorted({float(np.round(np.round(quartile / step) * step, 12)) for quartile in quartiles})
    kept = [edge for edge in edges if low < edge <= high] or [float(numbers[numbers > low].min())]
    return [int(edge) if edge.is_integer() else edge for edge in kept]
