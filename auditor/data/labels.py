"""True classes: which there are, in which order, and which each row has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from auditor.data.values import distinct, find, listed, text
from auditor.errors import DataError, Problem, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.data.reading import Rows
    from auditor.data.splits import Division
    from auditor.records import IntArray, Label
    from auditor.spec import Data


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """The classes, and the class of every row."""

    classes: tuple[Label, ...]
    """[C], as the data names them, in the order of the model's outputs."""
    positive: int | None
    """Index of the positive class."""
    index: IntArray
    """For every row of the source the index of its class; -1 in rows of no split, and of none that a part is of."""
    warnings: tuple[str, ...]


def make_labels(rows: Rows, data: Data, division: Division, decided: Sequence[Label] = ()) -> Labels:
    """The classes of all splits; raises DataError for missing labels, a single class, classes that do not cover all.

    A part of a split has the classes of the whole of it, and is refused for the labels of the whole.

    Args:
        rows: with the label's column.
        data: names the label, the positive class and the classes.
        division: says which rows are used, and for what.
        decided: further classes, which only decisions name.
    """
    where = f"column {data.label}"
    used = division.labelled
    value_of, values = distinct(rows.frame[data.label].iloc[used])
    missing = used[value_of < 0]
    if missing.size:
        raise DataError(
            *rows.problems(missing, where, "the label is missing", "Fill the labels in, or drop these rows.")
        )
    every = (*values, *(value for value in decided if find(value, values) is None))
    classes = _ordered(every, class_order(data), where)
    index = np.full(len(rows.frame), -1)
    index[used] = np.array([find(value, classes) for value in values])[value_of]
    return Labels(
        classes=classes,
        positive=_positive(data.positive, classes),
        index=index,
        warnings=_absent(classes, index, division, where),
    )


def class_order(data: Data) -> list[Label] | None:
    """The declared classes; None where there are none, or a table of a model's outputs in their place."""
    return data.classes if isinstance(data.classes, list) else None


def _absent(classes: Sequence[Label], index: IntArray, division: Division, where: str) -> tuple[str, ...]:
    """Warnings about classes that a split lacks; a training split of one class is an error."""
    names = [text(value) for value in classes]
    counts = {
        split: np.bincount(index[positions], minlength=len(classes))
        for split, positions in (("training", division.train), ("test", division.test))
        if positions.size
    }
    if "training" in counts and np.count_nonzero(counts["training"]) < 2:
        only = names[int(counts["training"].argmax())]
        raise DataError(Problem(where=where, message=f'all training rows are of one class, "{only}"'))
    return tuple(
        f'No {split} row is of class "{name}".'
        for split, by_class in counts.items()
        for name, count in zip(names, by_class, strict=True)
        if not count
    )


def _ordered(values: Sequence[Label], declared: Sequence[Label] | None, where: str) -> tuple[Label, ...]:
    if len(values) < 2:
        only = listed([text(value) for value in values])
        advice = "A classifier has two classes at least."
        raise DataError(Problem(where=where, message=f"all rows are of one class, {only}", advice=advice))
    if declared is None:
        return tuple(sorted(values, key=lambda value: (isinstance(value, str), value)))
    uncovered = sorted(text(value) for value in values if find(value, declared) is None)
    if uncovered:
        raise DataError(
            Problem(
                where="data.classes",
                message=f"{where} also holds {listed(uncovered)}",
                advice=f"List every class; now there is {listed([text(value) for value in declared])}.",
            )
        )
    own = {text(value): value for value in values}
    classes = tuple(own.get(text(value), value) for value in declared)
    if len(set(map(text, classes))) < len(classes):
        raise DataError(Problem(where="data.classes", message="a class stands more than once"))
    return classes


def _positive(positive: Label | None, classes: Sequence[Label]) -> int | None:
    index = None if positive is None else find(positive, classes)
    if positive is not None and index is None:
        names = [text(value) for value in classes]
        raise DataError(
            Problem(
                where="data.positive",
                message=f'"{text(positive)}" is none of the classes',
                advice=did_you_mean(text(positive), names),
            )
        )
    return index
