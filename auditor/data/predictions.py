"""A wide table of decisions, made elsewhere: one column a member, every row a test example."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from auditor.data.assemble import Checked, assemble
from auditor.data.groups import make_groups
from auditor.data.labels import Labels, make_labels
from auditor.data.reading import (
    Attempt,
    Rows,
    check_columns,
    column_names,
    data_digest,
    raise_all,
    read_rows,
    read_unchanged,
)
from auditor.data.splits import all_test, clusters
from auditor.data.values import distinct, find, listed, natural, read_only, text
from auditor.errors import DataError, Problem, did_you_mean
from auditor.spec import PredictionColumns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from auditor.records import Dataset, IntArray, Label
    from auditor.spec import AuditSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """One column of decisions."""

    value_of: IntArray
    """For each row the index of its value; -1: none."""
    values: tuple[Label, ...]


class PredictionsSource:
    """One CSV or Parquet file of decided classes; it has no model inputs."""

    def __init__(self, spec: AuditSpec, base: Path) -> None:
        self._spec = spec
        self._path = base / spec.data.path

    def load(self) -> Dataset:
        """Read and check labels, attributes and every declared column of decisions; raises DataError."""
        (checked, _, _), digests = read_unchanged([self._path], lambda: self._checked)
        return assemble(self._spec, checked, data_digest(self._spec, digests))

    def materialise(self, folder: Path) -> None:
        """Always raises DataError: decisions were made elsewhere."""
        raise DataError(
            Problem(
                file=str(self._path),
                message=f"a table of predictions has no model inputs to write into {folder.name}",
                advice='Declare `[model] predictions` and `predictions` in every compression, or source = "table".',
            )
        )

    def decisions(self, pattern: str) -> tuple[tuple[str, ...], IntArray]:
        """Names of the pattern's columns, base_2 before base_10, and their decided classes, [K, N] int32."""
        checked, columns, decided = self._checked
        names = columns[pattern]
        index = np.stack([_class_index(decided[name], checked.labels) for name in names])
        return names, read_only(index)

    @cached_property
    def _checked(self) -> tuple[Checked, dict[str, tuple[str, ...]], dict[str, Decided]]:
        return _check(self._spec, self._path)


def _check(spec: AuditSpec, path: Path) -> tuple[Checked, dict[str, tuple[str, ...]], dict[str, Decided]]:
    if spec.data.split is not None and spec.data.split != "all":
        raise DataError(Problem(where="data.split", message="every row of a table of predictions is a test row"))
    names = column_names(path)
    declared = {"data.label": spec.data.label}
    if spec.data.id is not None:
        declared["data.id"] = spec.data.id
    declared |= {f"attribute {attribute.name}": attribute.name for attribute in spec.attribute}
    free = [name for name in names if name not in declared.values()]
    matched = Attempt(match_columns, path, free, patterns(spec))
    raise_all([Attempt(check_columns, path, names, declared), matched])
    members = [name for columns in matched.value.values() for name in columns]
    rows = read_rows([path], [*dict.fromkeys(declared.values()), *members])
    division = all_test(rows)
    decided = Attempt(_decided, rows, spec, members)
    grouped = Attempt(make_groups, rows, spec.attribute, spec.intersection, division.train, division.test)
    cluster = Attempt(clusters, rows, spec.data.id, division.used)
    labels = Attempt(make_labels, rows, spec.data, division, () if decided.problems else _classes(decided.value))
    raise_all([decided, labels, grouped, cluster])
    checked = Checked(
        rows=rows,
        division=division,
        labels=labels.value,
        grouped=grouped.value,
        calibration=np.arange(0),
        cluster=cluster.value,
        warnings=(),
    )
    return checked, matched.value, decided.value


def patterns(spec: AuditSpec) -> tuple[str, ...]:
    """The declared patterns, the baseline's first."""
    own = () if spec.model.predictions is None else (spec.model.predictions,)
    return (*own, *(one.predictions for one in spec.compression if isinstance(one, PredictionColumns)))


def match_columns(path: Path, names: Sequence[str], wanted: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """For each pattern its columns in natural order; raises DataError for patterns without columns and shared ones."""
    matched = {
        pattern: tuple(sorted((name for name in names if fnmatchcase(name, pattern)), key=natural))
        for pattern in wanted
    }
    problems = [
        Problem(
            file=str(path),
            where="predictions",
            message=f'no column matches "{pattern}"',
            advice=did_you_mean(pattern, names),
        )
        for pattern, columns in matched.items()
        if not columns
    ]
    for name in names:
        both = [pattern for pattern in wanted if fnmatchcase(name, pattern)]
        if len(both) > 1:
            message = f"the patterns {listed(both)} both claim it"
            problems.append(Problem(file=str(path), where=f"column {name}", message=message))
    if problems:
        raise DataError(*problems)
    return matched


def _decided(rows: Rows, spec: AuditSpec, members: Sequence[str]) -> dict[str, Decided]:
    """The decisions of every column; raises DataError naming columns and rows of those that decide for no class."""
    known = distinct(rows.frame[spec.data.label])[1]
    allowed = spec.data.classes if isinstance(spec.data.classes, list) else None
    decided: dict[str, Decided] = {}
    problems: list[Problem] = []
    for name in members:
        value_of, values = distinct(rows.frame[name])
        decided[name] = Decided(value_of=value_of.astype(np.int32), values=values)
        missing = np.flatnonzero(value_of < 0)
        problems += rows.problems(missing, f"column {name}", "no decision is there", "Every member decides every row.")
        strange = [code for code, value in enumerate(values) if not _is_class(value, known, allowed)]
        if strange:
            held = listed(sorted(text(values[code]) for code in strange), most=3)
            problems += rows.problems(
                np.flatnonzero(np.isin(value_of, strange)),
                f"column {name}",
                f"{held} is no known class",
                f"Known are {listed([text(value) for value in allowed or known])}; probabilities are no decisions.",
            )
    if problems:
        raise DataError(*problems)
    return decided


def _is_class(value: Label, known: Sequence[Label], allowed: Sequence[Label] | None) -> bool:
    """Whether the value is a label, a declared class, or, where none are declared, could be a class no label has."""
    if find(value, known if allowed is None else allowed) is not None:
        return True
    fraction = isinstance(value, float) and not value.is_integer()
    return allowed is None and not fraction and any(isinstance(value, str) == isinstance(label, str) for label in known)


def _classes(decided: dict[str, Decided]) -> tuple[Label, ...]:
    by_text = {text(value): value for column in decided.values() for value in column.values}
    return tuple(by_text.values())


def _class_index(decided: Decided, labels: Labels) -> IntArray:
    index = np.array([find(value, labels.classes) for value in decided.values], dtype=np.int32)
    return index[decided.value_of]
