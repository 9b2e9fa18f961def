"""Predictions made elsewhere: decisions or probabilities, wide or long; every example is a test one."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from auditor.data.assemble import Checked, assemble
from auditor.data.deciding import as_decided, as_likely, class_named, read_decisions
from auditor.data.groups import make_groups
from auditor.data.labels import make_labels
from auditor.data.long import open_long
from auditor.data.reading import Attempt, data_digest, raise_all, read_unchanged
from auditor.data.splits import all_test, clusters
from auditor.data.values import distinct, find, text
from auditor.data.wide import open_wide, prediction_files
from auditor.errors import DataError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from auditor.data import Given
    from auditor.data.columns import Column, Member
    from auditor.data.deciding import Decided
    from auditor.data.labels import Labels
    from auditor.data.splits import Division
    from auditor.data.wide import Opened
    from auditor.records import Dataset, Label
    from auditor.spec import AuditSpec


class PredictionsSource:
    """CSV or Parquet files of what models decided; it has no model inputs."""

    def __init__(self, spec: AuditSpec, base: Path) -> None:
        self._spec = spec
        self._base = base
        self._path = base / spec.data.path

    def load(self) -> Dataset:
        """Read and check labels, attributes and every declared prediction; raises DataError."""
        return self._loaded[0]

    def materialise(self, folder: Path) -> None:
        """Always raises DataError: decisions were made elsewhere."""
        raise DataError(
            Problem(
                file=str(self._path),
                message=f"a table of predictions has no model inputs to write into {folder.name}",
                advice='Declare `[model] predictions` and `predictions` in every compression, or source = "table".',
            )
        )

    def members(self, declared: str) -> Given:
        """What the members of one variant decide, by what it declares as its predictions."""
        return self._loaded[1][declared]

    @cached_property
    def _loaded(self) -> tuple[Dataset, Mapping[str, Given]]:
        """All that is kept: the rows themselves, which may be many, are not."""
        spec = self._spec
        if spec.data.split not in {None, "all"}:
            raise DataError(Problem(where="data.split", message="every row of a table of predictions is a test row"))
        opener = open_wide if spec.data.long is None else open_long
        files = dict.fromkeys([self._path, *prediction_files(spec, self._base)])
        (checked, given), digests = read_unchanged([*files], lambda: _check(spec, opener(spec, self._base)))
        pa.default_memory_pool().release_unused()  # hundreds of megabytes, after a large table
        return assemble(spec, checked, data_digest(spec, digests)), given


def _check(spec: AuditSpec, opened: Opened) -> tuple[Checked, dict[str, Given]]:
    rows = opened.rows
    division = all_test(rows)
    of_classes = {name: own for name, own in opened.members.items() if not _is_likely(spec, own)}
    decided = Attempt(read_decisions, rows, spec.data, [member for own in of_classes.values() for member in own])
    grouped = Attempt(make_groups, rows, spec.attribute, spec.intersection, division.train, division.test)
    cluster = Attempt(clusters, rows, spec.data.id, division.used)
    labels = Attempt(_labels, spec, opened, division, {} if decided.problems else decided.value)
    raise_all([decided, labels, grouped, cluster])
    given = {name: as_decided(own, decided.value, labels.value) for name, own in of_classes.items()}
    likely = {
        name: Attempt(as_likely, rows, own, labels.value, spec.data.threshold)
        for name, own in opened.members.items()
        if name not in given
    }
    raise_all(likely.values())
    given |= {name: attempt.value for name, attempt in likely.items()}
    checked = Checked(
        rows=rows,
        division=division,
        labels=labels.value,
        grouped=grouped.value,
        calibration=np.arange(0),
        cluster=cluster.value,
        warnings=tuple(_improper(name) for name in likely if given[name].probabilities is None),
    )
    return checked, given


def _improper(name: str) -> str:
    return f'Predictions "{name}" do not add up to 1 over the classes: they decide, and nothing is said of calibration.'


def _is_likely(spec: AuditSpec, members: Sequence[Member]) -> bool:
    """Whether members are given by probabilities."""
    return spec.data.threshold is not None or "" not in members[0].columns


def _labels(spec: AuditSpec, opened: Opened, division: Division, decided: Mapping[Column, Decided]) -> Labels:
    """The classes of labels, decisions and columns; raises DataError where they do not fit together."""
    known = distinct(opened.rows.frame[spec.data.label])[1]
    named = {
        pattern: [*members[0].columns] for pattern, members in opened.members.items() if "" not in members[0].columns
    }
    further: dict[str, Label] = {text(value): value for own in decided.values() for value in own.held}
    further |= {name: class_named(name, known) for names in named.values() for name in names}
    labels = make_labels(opened.rows, spec.data, division, tuple(further.values()))
    problems = [
        Problem(
            where="predictions",
            message=f'"{pattern}" finds no column of class "{text(value)}"',
            advice="A class that a member never gives has probability 0 in its column.",
        )
        for pattern, names in named.items()
        for value in labels.classes
        if find(text(value), names) is None
    ]
    if spec.data.threshold is not None and len(labels.classes) != 2:
        message = f"is for two classes, and there are {len(labels.classes)}"
        advice = 'Leave it out, and declare columns of every class: "base_*_p_{class}".'
        problems.append(Problem(where="data.threshold", message=message, advice=advice))
    if problems:
        raise DataError(*problems)
    return labels
