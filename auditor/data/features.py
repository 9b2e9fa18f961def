"""From columns of a table to model inputs: numbers standardised, text one-hot, fitted on the training rows alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from auditor.data.values import distinct, text
from auditor.records import MISSING

if TYPE_CHECKING:
    import numpy.typing as npt

    from auditor.records import FloatArray, IntArray

Kind = Literal["number", "text", "other"]
LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """One input: (value - mean) / sd."""

    column: str
    mean: float
    sd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One input a category: 1 where the row has it; a category that training lacks is all zeros."""

    column: str
    categories: tuple[str, ...]


Feature = Number | Category


def kind(column: pd.Series) -> Kind:
    """Numbers (with true and false), text (with categories), or neither: dates, lists, bytes."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return "text"
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_complex_dtype(column):
        return "number"
    inferred = pd.api.types.infer_dtype(column, skipna=True)
    return "text" if inferred in {"string", "boolean", "empty"} else "other"


def numbers(column: pd.Series) -> FloatArray:
    """The column as float64; missing values are NaN."""
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def categories(column: pd.Series) -> tuple[IntArray, tuple[str, ...]]:
    """The distinct texts, sorted, and for each row the index of its own; missing text is "(missing)"."""
    value_of, values = distinct(column)
    own = [*map(text, values), *([MISSING] if (value_of < 0).any() else [])]
    names = sorted(set(own))
    place = {name: index for index, name in enumerate(names)}
    return np.array([*(place[name] for name in own[: len(values)]), place.get(MISSING, -1)])[value_of], tuple(names)


def fit(train: pd.DataFrame) -> tuple[tuple[Feature, ...], tuple[str, ...]]:
    """Features of the training rows, and the columns that are constant among them and therefore left out.

    Args:
        train: the training rows, feature columns only, of kinds "number" (all finite) and "text".
    """
    features = [_fit(train[name]) for name in train.columns]
    constant = [name for name, feature in zip(train.columns, features, strict=True) if feature is None]
    return tuple(feature for feature in features if feature is not None), tuple(constant)


def _fit(column: pd.Series) -> Feature | None:
    name = str(column.name)
    if kind(column) == "text":
        names = categories(column)[1]
        return Category(column=name, categories=names) if len(names) > 1 else None
    values = numbers(column)
    if values.min() == values.max():
        return None
    return Number(column=name, mean=float(values.mean()), sd=float(values.std()))


def unscaled(columns: tuple[str, ...]) -> tuple[Feature, ...]:
    """Numbers as they are, where there are no training rows to fit on."""
    return tuple(Number(column=name, mean=0.0, sd=1.0) for name in columns)


def transform(features: tuple[Feature, ...], frame: pd.DataFrame) -> npt.NDArray[np.float32]:
    """The rows as model inputs, [n, inputs] float32."""
    widths = [1 if isinstance(feature, Number) else len(feature.categories) for feature in features]
    inputs = np.zeros((len(frame), sum(widths)), dtype=np.float32)
    for feature, end, width in zip(features, np.cumsum(widths), widths, strict=True):
        if isinstance(feature, Number):
            inputs[:, end - 1] = (numbers(frame[feature.column]) - feature.mean) / feature.sd
        else:
            category = category_of(feature, frame[feature.column])
            known = np.flatnonzero(category >= 0)
            inputs[known, end - width + category[known]] = 1
    return inputs


def category_of(feature: Category, column: pd.Series) -> IntArray:
    """For each row the index of its category; -1: training lacks it."""
    own, names = categories(column)
    place = {name: index for index, name in enumerate(feature.categories)}
    return np.array([place.get(name, -1) for name in names], dtype=np.int64)[own]
