"""From columns of a predictions table to what members decide: classes as they stand, or probabilities."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from auditor.data import Given
from auditor.data.labels import class_order
from auditor.data.values import distinct, find, listed, read_only, text
from auditor.errors import DataError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from auditor.data.columns import Column, Member
    from auditor.data.labels import Labels
    from auditor.data.reading import Rows
    from auditor.records import FloatArray, IntArray, Label
    from auditor.spec import Data

MOST_CLASSES = 10_000
"""Beyond this a column holds no decided classes."""
SUM_TOLERANCE = 0.02
"""How far from 1 probabilities of all classes may sum: int8 outputs come in steps of 1/256."""
_SHORT = {np.float16, np.float32}
"""Kinds of numbers that a table may hold besides the usual one of 64 bits."""
_NO_DECISIONS = "probabilities are no decisions: declare data.threshold, or a pattern with {class}."
_NO_PROBABILITY = "Probabilities are from 0 to 1, and every member has one for every example."


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """One column of decisions."""

    value_of: IntArray
    """For each row the index of its value; -1: none."""
    held: tuple[Label, ...]
    """The distinct values."""


def read_decisions(rows: Rows, data: Data, members: Iterable[Member]) -> dict[Column, Decided]:
    """The decisions of every column; raises DataError naming columns and rows of those that decide for no class."""
    known = distinct(rows.frame[data.label])[1]
    decided: dict[Column, Decided] = {}
    problems: list[Problem] = []
    for column in (column for member in members for column in member.columns.values()):
        value_of, values = distinct(column.read())
        if len(values) > MOST_CLASSES:
            message = f"{len(values):,} distinct values are no classes"
            problems.append(Problem(file=str(column.file), where=column.where, message=message, advice=_NO_DECISIONS))
            continue
        decided[column] = Decided(value_of=value_of.astype(np.min_scalar_type(-len(values) - 1)), held=values)
        problems += _undecided(rows, column, decided[column], known, class_order(data))
    if problems:
        raise DataError(*problems)
    return decided


def _undecided(
    rows: Rows, column: Column, decided: Decided, known: Sequence[Label], allowed: Sequence[Label] | None
) -> list[Problem]:
    value_of, values = decided.value_of, decided.held
    advice = "Every member decides every row."
    problems = _problems(rows, column, np.flatnonzero(value_of < 0), "no decision is there", advice)
    strange = [code for code, value in enumerate(values) if not _is_class(value, known, allowed)]
    if strange:
        held = listed(sorted(text(values[code]) for code in strange), most=3)
        where = np.flatnonzero(np.isin(value_of, strange))
        advice = f"Known are {listed([text(value) for value in allowed or known])}; {_NO_DECISIONS}"
        problems += _problems(rows, column, where, f"{held} is no known class", advice)
    return problems


def _problems(rows: Rows, column: Column, where: IntArray, message: str, advice: str) -> list[Problem]:
    there = replace(rows, files=(column.file,), starts=(0,))
    return [*there.problems(where, column.where, message, advice)]


def _is_class(value: Label, known: Sequence[Label], allowed: Sequence[Label] | None) -> bool:
    """Whether the value is a label, a declared class, or, where none are declared, could be a class no label has."""
    if find(value, known if allowed is None else allowed) is not None:
        return True
    fraction = isinstance(value, float) and not value.is_integer()
    return allowed is None and not fraction and any(isinstance(value, str) == isinstance(label, str) for label in known)


def class_named(name: str, known: Sequence[Label]) -> Label:
    """The class that a column is named after: a label, else a class no label has, of the labels' type if it can be."""
    index = find(name, known)
    if index is not None:
        return known[index]
    if any(isinstance(label, str) for label in known):
        return name
    try:
        return int(name)
    except ValueError:
        return name


def as_decided(members: Sequence[Member], decided: Mapping[Column, Decided], labels: Labels) -> Given:
    """What members decide by columns of classes."""
    kind = index_type(len(labels.classes))
    rows = np.empty((len(members), len(labels.index)), kind)
    for row, member in zip(rows, members, strict=True):
        own = decided[member.columns[""]]
        row[:] = np.array([find(value, labels.classes) for value in own.held], kind)[own.value_of]
    return Given(members=tuple(member.name for member in members), decisions=read_only(rows), probabilities=None)


def index_type(classes: int) -> type[np.signedinteger]:
    """The smallest integers that hold an index of a class: a byte an example is enough for most tasks."""
    return next(kind for kind in (np.int8, np.int16, np.int32) if classes <= np.iinfo(kind).max)


def as_likely(rows: Rows, members: Sequence[Member], labels: Labels, threshold: float | None) -> Given:
    """What members decide by their probabilities: the class of the largest, or the positive one from a threshold on.

    Of equal ones the first class decides. Probabilities are kept where those of all classes add up to 1, everywhere.
    Raises DataError naming column and rows of what is no probability.
    """
    N, C = len(labels.index), len(labels.classes)
    decisions = np.empty((len(members), N), index_type(C))
    kept: FloatArray | None = np.empty((len(members), N, C), np.float32)
    problems: list[Problem] = []
    for place, member in enumerate(members):
        try:
            own, kind = _by_class(rows, member, labels)
        except DataError as error:
            problems += error.problems
            continue
        decisions[place] = _decide(own, kind, labels, threshold)
        if kept is not None:
            kept[place] = own.T
            kept = kept if np.abs(own.sum(axis=0) - 1).max() <= SUM_TOLERANCE else None
    if problems:
        raise DataError(*problems)
    return Given(
        members=tuple(member.name for member in members),
        decisions=read_only(decisions),
        probabilities=None if kept is None else read_only(kept),
    )


def _by_class(rows: Rows, member: Member, labels: Labels) -> tuple[FloatArray, np.dtype[np.floating[Any]]]:
    """One member's probabilities, [C, N], and the kind of number that those of the positive class are stored as."""
    problems: list[Problem] = []
    read = {name: _probabilities(rows, column, problems) for name, column in member.columns.items()}
    if problems:
        raise DataError(*problems)
    if "" in read:
        likely = _wide(read[""])
        own = [1 - likely, likely]
        return np.stack(own if labels.positive == 1 else own[::-1]), read[""].dtype
    found = {find(name, labels.classes): own for name, own in read.items()}
    return np.stack([_wide(found[c]) for c in range(len(labels.classes))]), found[labels.positive or 0].dtype


def _wide(numbers: FloatArray) -> FloatArray:
    """Half precision is for storing; sums need more."""
    return numbers.astype(np.float32) if numbers.dtype == np.float16 else numbers


def _probabilities(rows: Rows, column: Column, problems: list[Problem]) -> FloatArray:
    values = column.read()
    if not pd.api.types.is_numeric_dtype(values):
        problems.append(Problem(file=str(column.file), where=column.where, message="holds no numbers"))
        return np.zeros(len(values))
    kind = values.dtype.type
    numbers: FloatArray = values.to_numpy(kind if kind in _SHORT else np.float64)
    odd = np.flatnonzero(~((numbers >= 0) & (numbers <= 1)))
    if odd.size:
        held = listed(list(dict.fromkeys(f"{number:g}" for number in numbers[odd[:1000]].tolist())), most=3)
        problems += _problems(rows, column, odd, f"{held} is no probability", _NO_PROBABILITY)
    return numbers


def _decide(own: FloatArray, kind: np.dtype[np.floating[Any]], labels: Labels, threshold: float | None) -> IntArray:
    """Decide by the largest, or by a threshold as precise as what it is compared with: a stored 0.1 is from 0.1 on."""
    if threshold is None or labels.positive is None:
        return np.argmax(own, axis=0)
    reached = own[labels.positive].astype(kind) >= kind.type(threshold)
    return np.where(reached, labels.positive, 1 - labels.positive)
