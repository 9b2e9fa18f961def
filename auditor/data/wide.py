"""Predictions with a row an example: in one table, or in several files that share a column of examples."""

from __future__ import annotations

import glob
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from auditor.data.columns import Column, match_columns, patterns
from auditor.data.reading import Attempt, Rows, check_columns, column_names, raise_all, read_columns, read_rows
from auditor.data.values import distinct, listed, natural, text
from auditor.errors import DataError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from auditor.data.columns import Member
    from auditor.records import IntArray
    from auditor.spec import AuditSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A table of predictions, opened in whatever form it has: its rows are the examples."""

    rows: Rows
    """With label, id and attributes."""
    members: Mapping[str, tuple[Member, ...]]
    """By what the variants declare."""


class TableColumns:
    """Columns of one table, read one at a time, so that a large table need not be in memory whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.wanted: list[str] = []
        """What will be read: a CSV file is parsed once for all of it."""
        self.order: IntArray | None = None
        """For each example its row; None where rows are in the order of the examples."""

    def read(self, name: str) -> pd.Series:
        """One column in the order of the examples; text as categories."""
        column = self._whole.column(name) if self._whole is not None else read_columns(self._path, [name]).column(0)
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            column = column.dictionary_encode()
        values: pd.Series = column.to_pandas()
        return values if self.order is None else values.iloc[self.order].reset_index(drop=True)

    @cached_property
    def _whole(self) -> pa.Table | None:
        return read_columns(self._path, self.wanted) if self._path.suffix.lower() == ".csv" else None


def open_wide(spec: AuditSpec, base: Path) -> Opened:
    """Read the rows of `data.path` and find the members' columns; raises DataError with what does not fit."""
    data, path = spec.data, base / spec.data.path
    joined = data.predictions is not None
    example = {} if data.example is None else {"data.example": data.example}
    tables = {file: TableColumns(file) for file in (prediction_files(spec, base) if joined else (path,))}
    names = {file: Attempt(column_names, file) for file in dict.fromkeys([path, *tables])}
    raise_all(names.values())
    declared = declared_columns(spec) | example
    columns = {
        f"{file.stem}/{name}" if joined else name: Column(
            file=file, name=name, where=f"column {name}", read=partial(table.read, name)
        )
        for file, table in tables.items()
        for name in names[file].value
        if name not in declared.values()
    }
    checks = [Attempt(check_columns, path, names[path].value, declared)]
    checks += [Attempt(check_columns, file, names[file].value, example) for file in tables]
    matched = Attempt(match_columns, path, columns, patterns(spec), joined=joined)
    raise_all([*checks, matched])
    for column in (column for own in matched.value.values() for member in own for column in member.columns.values()):
        tables[column.file].wanted.append(column.name)
    rows = read_rows([path], tuple(dict.fromkeys(declared.values())))
    if data.example is not None:
        rows = named_rows(rows, data.example)
        orders = {file: Attempt(_order, rows, file, data.example, data.label) for file in tables if joined}
        raise_all(orders.values())
        for file, order in orders.items():
            tables[file].order = order.value
    return Opened(rows=rows, members=matched.value)


def declared_columns(spec: AuditSpec) -> dict[str, str]:
    """The columns that the definition names as label, id or attribute, by key path."""
    columns = {"data.label": spec.data.label}
    if spec.data.id is not None:
        columns["data.id"] = spec.data.id
    return columns | {f"attribute {attribute.name}": attribute.name for attribute in spec.attribute}


def prediction_files(spec: AuditSpec, base: Path) -> tuple[Path, ...]:
    """The files of `data.predictions`, base_2 before base_10; raises DataError where none is found, or names clash."""
    found: dict[Path, None] = {}
    problems = []
    for entry in spec.data.predictions or ():
        own = [entry] if (base / entry).is_file() else sorted(glob.glob(entry, root_dir=base), key=natural)  # noqa: PTH207 - a path may be absolute
        found |= dict.fromkeys(base / name for name in own)
        if not own:
            problems.append(Problem(where="data.predictions", message=f'there is no file "{entry}"'))
    stems: dict[str, Path] = {}
    for file in found:
        if stems.setdefault(file.stem, file) != file:
            message = f'"{file.stem}" is the name of two files, {stems[file.stem]} and {file}'
            problems.append(Problem(where="data.predictions", message=message, advice="Rename one of them."))
    if problems:
        raise DataError(*problems)
    return tuple(found)


def named_rows(rows: Rows, column: str) -> Rows:
    """The same rows, called by a column; raises DataError where it does not tell every row from the others."""
    value_of, values = distinct(rows.frame[column])
    where = f"column {column}"
    missing, again = np.flatnonzero(value_of < 0), np.flatnonzero(pd.Series(value_of[value_of >= 0]).duplicated())
    problems = [*rows.problems(missing, where, "no example is named", "Give every row a name, or drop it.")]
    if not problems and again.size:
        names = listed(list(dict.fromkeys(str(values[code]) for code in value_of[again[:1000]].tolist())))
        problems += rows.problems(again, where, f"{names} stands in a row before", "Every example has one row.")
    if problems:
        raise DataError(*problems)
    called = [values[code] for code in value_of.tolist()]
    return replace(rows, names=tuple(name if isinstance(name, str | int) else text(name) for name in called))


def _order(rows: Rows, file: Path, example: str, label: str) -> IntArray | None:
    """For each example its row in the file; None where that is its own. Raises DataError where they do not match.

    A label that the file holds too must be that of the examples: files joined by the wrong column are found out so.
    """
    columns = [example, *({label} & set(column_names(file)))]
    here = named_rows(read_rows([file], columns), example)
    wanted, own = _comparable(rows.names or (), here.names or ())
    problems = [
        Problem(file=str(file), where=f"column {example}", message=f"{shown(odd.tolist())} {said}", advice=advice)
        for odd, said, advice in (
            (wanted.difference(own, sort=False), "missing here", "Every file holds every example."),
            (own.difference(wanted, sort=False), f"not in {rows.files[0].name}", "Take them out, or add them there."),
        )
        if len(odd)
    ]
    if problems:
        raise DataError(*problems)
    order: IntArray = own.get_indexer(wanted)
    if label in columns:
        _check_labels(rows, here, order, label)
    return None if bool((order == np.arange(len(order))).all()) else order


def shown(names: Sequence[str | int]) -> str:
    """Name the first of some examples, and tell how many more there are."""
    first = listed([str(name) for name in names[:10]])
    more = f" and {len(names) - 10:,} more" if len(names) > 10 else ""
    return f"{'example' if len(names) == 1 else 'examples'} {first}{more}"


def _comparable(*names: Sequence[str | int]) -> list[pd.Index]:
    """Names of examples as they can be looked up: by their text, unless all are whole numbers."""
    if all(isinstance(name, int) for own in names for name in own):
        return [pd.Index(own) for own in names]
    return [pd.Index([str(name) for name in own]) for own in names]


def _check_labels(rows: Rows, here: Rows, order: IntArray, label: str) -> None:
    value_of, values = distinct(rows.frame[label])
    own_of, own = distinct(here.frame[label])
    index = {text(value): code for code, value in enumerate(values)}
    as_ours = np.array([*(index.get(text(value), -2) for value in own), -1])[own_of][order]
    wrong = np.flatnonzero(as_ours != value_of)
    if wrong.size:
        message = f"the label is another than in {rows.files[0].name}"
        advice = "One of the files is about other examples, or older."
        raise DataError(*replace(rows, files=here.files).problems(wrong, f"column {label}", message, advice))
