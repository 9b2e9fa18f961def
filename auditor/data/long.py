"""Predictions with a row an example, variant and member, as devices log them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from auditor.data.columns import Column, Member, columns_by_class, patterns
from auditor.data.reading import Attempt, Rows, check_columns, column_names, raise_all, read_rows
from auditor.data.values import distinct, natural, text
from auditor.data.wide import Opened, declared_columns, named_rows, prediction_files, shown
from auditor.errors import DataError, Problem, did_you_mean
from auditor.spec import CLASS, Long

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from auditor.records import IntArray
    from auditor.spec import AuditSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class _Key:
    """A column that says what a row is about."""

    value_of: IntArray
    """For each row the index of its value."""
    names: tuple[str, ...]
    """The values, as text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Log:
    """A long table."""

    rows: Rows
    example: _Key
    variant: _Key
    member: _Key
    asked: IntArray
    """Positions of the rows of declared variants, rising; nobody asked for the others."""


def open_long(spec: AuditSpec, base: Path) -> Opened:
    """Read the long tables, and the examples from them or from `data.path`; raises DataError with what does not fit."""
    long, path = spec.data.long or Long(), base / spec.data.path
    declared = {"data.long.example": long.example, **declared_columns(spec)}
    apart = spec.data.predictions is not None
    files = prediction_files(spec, base) if apart else (path,)
    values = _value_columns(long, files[0])
    log = _read_log(files, long, values, patterns(spec), {} if apart else declared)
    if not apart:
        rows = _examples_logged(log, declared)
    else:
        check_columns(path, column_names(path), declared)
        rows = named_rows(read_rows([path], tuple(dict.fromkeys(declared.values()))), long.example)
    return Opened(rows=rows, members=_members(log, rows, long, values))


def _value_columns(long: Long, file: Path) -> dict[str, str]:
    """The columns of decisions or probabilities, by class; "" for one column."""
    declared = long.decision or long.probability or ""
    if long.decision is not None or CLASS not in declared:
        return {"": declared}
    names = column_names(file)
    found = columns_by_class(declared, names)
    if not found:
        message, advice = f'no column matches "{declared}"', did_you_mean(declared, names)
        raise DataError(Problem(file=str(file), where="data.long.probability", message=message, advice=advice))
    return found


def _read_log(
    files: Sequence[Path], long: Long, values: Mapping[str, str], wanted: Sequence[str], more: Mapping[str, str]
) -> _Log:
    """Read the long tables, with `more` columns where they hold the examples too."""
    keys = {f"data.long.{key}": name for key in ("example", "variant", "member") if (name := getattr(long, key))}
    columns = keys | {f"data.long: {name}": name for name in values.values()} | dict(more)
    raise_all([Attempt(_check_present, file, columns) for file in files])
    rows = read_rows(files, tuple(dict.fromkeys(columns.values())))
    found = [
        Attempt(_key, rows, name) for name in (long.example, long.variant, *([long.member] if long.member else []))
    ]
    raise_all(found)
    example, variant, *member = (one.value for one in found)
    absent = [
        Problem(file=str(files[0]), where=f"column {long.variant}", message=f'no row is of "{name}"', advice=advice)
        for name in wanted
        if name not in variant.names and (advice := did_you_mean(name, variant.names))
    ]
    if len(set(wanted)) < len(wanted):
        absent.append(Problem(where="predictions", message="two variants are declared by one value"))
    if absent:
        raise DataError(*absent)
    return _Log(
        rows=rows,
        example=example,
        variant=variant,
        member=member[0] if member else _Key(value_of=np.zeros_like(example.value_of), names=("",)),
        asked=np.flatnonzero(np.isin(variant.value_of, [variant.names.index(name) for name in wanted])),
    )


def _check_present(file: Path, columns: Mapping[str, str]) -> None:
    check_columns(file, column_names(file), columns)


def _key(rows: Rows, column: str) -> _Key:
    value_of, values = distinct(rows.frame[column])
    missing = np.flatnonzero(value_of < 0)
    if missing.size:
        advice = "Every row names its example, variant and member."
        raise DataError(*rows.problems(missing, f"column {column}", "nothing is there", advice))
    return _Key(value_of=value_of, names=tuple(text(value) for value in values))


def _examples_logged(log: _Log, declared: Mapping[str, str]) -> Rows:
    """One row an example, in order of appearance; raises DataError where what is declared differs within an example."""
    frame = log.rows.frame
    _, first, of = np.unique(log.example.value_of[log.asked], return_index=True, return_inverse=True)
    problems: list[Problem] = []
    for where, name in declared.items():
        value_of = distinct(frame[name])[0][log.asked]
        odd = np.flatnonzero(value_of != value_of[first][of])
        if odd.size:
            examples = dict.fromkeys(log.example.names[e] for e in log.example.value_of[log.asked[odd]].tolist())
            message = f"differs within {shown([*examples])}"
            problems.append(Problem(file=str(log.rows.files[0]), where=f"{where}, column {name}", message=message))
    if problems:
        raise DataError(*problems)
    columns = list(dict.fromkeys(declared.values()))
    return named_rows(
        Rows(frame=frame[columns].iloc[log.asked[first]].reset_index(drop=True), files=log.rows.files[:1]),
        declared["data.long.example"],
    )


def _members(log: _Log, rows: Rows, long: Long, values: Mapping[str, str]) -> dict[str, tuple[Member, ...]]:
    """The members of each variant in natural order; raises DataError where one lacks an example or has it twice."""
    row_of = {text(name): row for row, name in enumerate(rows.names or ())}
    example_of = np.array([row_of.get(name, -1) for name in log.example.names])[log.example.value_of]
    found: dict[str, list[Member]] = {}
    problems: list[Problem] = []
    for variant, member, where in _by_member(log):
        said = f"variant {variant}, member {member}" if long.member else f"variant {variant}"
        problems += _unfit(log, rows, said, where, example_of[where])
        order = np.zeros(len(rows.frame), np.int64)
        order[example_of[where]] = where
        columns = {
            label: Column(
                file=log.rows.files[0], name=name, where=f"{said}, column {name}", read=partial(_read, log, name, order)
            )
            for label, name in values.items()
        }
        found.setdefault(variant, []).append(Member(name=member, columns=columns))
    if problems:
        raise DataError(*problems)
    return {name: tuple(sorted(own, key=lambda member: natural(member.name))) for name, own in found.items()}


def _column(log: _Log, name: str, said: str, order: IntArray) -> Column:
    where = f"{said}, column {name}"
    return Column(file=log.rows.files[0], name=name, where=where, read=partial(_read, log, name, order))


def _read(log: _Log, name: str, order: IntArray) -> pd.Series:
    return log.rows.frame[name].iloc[order].reset_index(drop=True)


def _by_member(log: _Log) -> Iterator[tuple[str, str, IntArray]]:
    """Every member that has a row, by variant and name, with the positions of its rows."""
    key = log.variant.value_of[log.asked].astype(np.int64) * len(log.member.names) + log.member.value_of[log.asked]
    order = np.argsort(key, kind="stable")
    every, starts = np.unique(key[order], return_index=True)
    for one, where in zip(every.tolist(), np.split(log.asked[order], starts[1:]), strict=True):
        variant, member = divmod(one, len(log.member.names))
        yield log.variant.names[variant], log.member.names[member], where


def _unfit(log: _Log, rows: Rows, said: str, where: IntArray, example_of: IntArray) -> Iterator[Problem]:
    """Say which examples a member lacks, has twice, or has though they are none."""
    known = example_of[example_of >= 0]
    counts = np.bincount(known, minlength=len(rows.frame))
    names = rows.names or ()
    for message, odd in (
        ("no row for", [names[row] for row in np.flatnonzero(counts == 0).tolist()]),
        ("more than one row for", [names[row] for row in np.flatnonzero(counts > 1).tolist()]),
        (
            f"not in {rows.files[0].name}:",
            [log.example.names[log.example.value_of[row]] for row in where[example_of < 0].tolist()],
        ),
    ):
        if odd:
            yield Problem(file=str(log.rows.files[0]), where=said, message=f"{message} {shown(odd)}")
