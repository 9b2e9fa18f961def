"""A table of people (CSV, Parquet): a label, attributes, and the columns that a model reads."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from auditor.data import features as feature
from auditor.data.assemble import Checked, assemble, check_rows
from auditor.data.inputs import Inputs, write_inputs
from auditor.data.reading import (
    Attempt,
    Rows,
    check_columns,
    column_names,
    data_digest,
    declared_columns,
    raise_all,
    read_rows,
    read_unchanged,
)
from auditor.data.splits import Division, divide
from auditor.data.values import distinct, listed, plural
from auditor.errors import DataError, Problem, did_you_mean
from auditor.spec import SplitColumn, SplitFractions, SplitPaths

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from auditor.data.features import Feature
    from auditor.records import Dataset, IntArray
    from auditor.spec import AuditSpec, Split


class TableSource:
    """One CSV or Parquet file, or one a split."""

    def __init__(self, spec: AuditSpec, base: Path) -> None:
        self._spec = spec
        split = spec.data.split
        if isinstance(split, SplitPaths):
            self._paths = [base / (split.train_path or spec.data.path), base / split.test_path]
        else:
            self._paths = [base / spec.data.path]

    def load(self) -> Dataset:
        """Read and check the table; raises DataError with every problem that can be found at once."""
        (checked, _), digests = read_unchanged(self._paths, lambda: self._checked)
        return assemble(self._spec, checked, data_digest(self._spec, digests))

    def materialise(self, folder: Path) -> None:
        """Write standardised numbers and one-hot text, float32."""
        checked, features = self._checked

        def inputs(positions: IntArray) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
            return feature.transform(features, checked.rows.frame.iloc[positions])

        division, labels = checked.division, checked.labels
        write_inputs(
            folder,
            Inputs(
                train_x=inputs(division.train),
                train_y=labels.index[division.train],
                test_x=inputs(division.test),
                calibration_x=inputs(checked.calibration),
                scale=1.0,
                offset=0.0,
                classes=len(labels.classes),
            ),
        )

    @cached_property
    def _checked(self) -> tuple[Checked, tuple[Feature, ...]]:
        return _check(self._spec, self._paths)


def _check(spec: AuditSpec, paths: Sequence[Path]) -> tuple[Checked, tuple[Feature, ...]]:
    present = [Attempt(column_names, path) for path in paths]
    raise_all(present)
    names = tuple(dict.fromkeys(name for found in present for name in found.value))
    split = spec.data.split or (SplitColumn(column="split") if "split" in names else SplitFractions())
    declared, chosen = declared_columns(spec, split), Attempt(feature_columns, spec, names, split)
    wanted = declared if chosen.problems else declared | {f"column {name}": name for name in chosen.value}
    checks = [Attempt(check_columns, path, found.value, wanted) for path, found in zip(paths, present, strict=True)]
    raise_all([chosen, *checks])
    rows = read_rows(paths, tuple(dict.fromkeys([*declared.values(), *chosen.value])))
    return _check_rows(spec, rows, divide(rows, spec.data, split, spec.audit.seed), chosen.value)


def feature_columns(spec: AuditSpec, names: Sequence[str], split: Split) -> tuple[str, ...]:
    """The columns that a model reads, in the file's order; raises DataError for every name that does not fit."""
    use, drop = spec.data.features.use, spec.data.features.drop
    read = {attribute.name for attribute in spec.attribute if attribute.use_as_feature}
    never = set(declared_columns(spec, split).values()) - read
    problems = [
        Problem(where=f"data.features.{key}", message=f'there is no column "{name}"', advice=did_you_mean(name, names))
        for key, listed_names in (("use", use or []), ("drop", drop))
        for name in listed_names
        if name not in names
    ]
    problems += [
        Problem(
            where="data.features.use",
            message=f'"{name}" is label, split, id or attribute, and no feature',
            advice="A model that reads an attribute declares use_as_feature = true there.",
        )
        for name in use or []
        if name in never
    ]
    chosen = tuple(
        name
        for name in names
        if name not in never and name not in drop and (use is None or name in use or name in read)
    )
    if not problems and not chosen:
        problems.append(Problem(where="data.features", message="no column is left for a model to read"))
    if problems:
        raise DataError(*problems)
    return chosen


def _check_rows(
    spec: AuditSpec, rows: Rows, division: Division, columns: tuple[str, ...]
) -> tuple[Checked, tuple[Feature, ...]]:
    fitted = Attempt(fit_features, rows, division, columns, spec.data.features.text_limit)
    same = _fingerprints(rows, columns)
    whole = _fingerprints(rows, dict.fromkeys([*columns, *(one.name for one in spec.attribute), spec.data.label]))
    checked = check_rows(spec, rows, division, same, whole=whole, also=[fitted])
    features, warnings = fitted.value
    return replace(checked, warnings=(*warnings, *checked.warnings)), features


def _fingerprints(rows: Rows, columns: Iterable[str]) -> IntArray:
    """One number a row, the same for rows that are equal in these columns."""
    return pd.util.hash_pandas_object(rows.frame[list(columns)], index=False).to_numpy()


def fit_features(
    rows: Rows, division: Division, columns: tuple[str, ...], text_limit: int
) -> tuple[tuple[Feature, ...], tuple[str, ...]]:
    """Features fitted on the training rows, and warnings; raises DataError naming every column that cannot be one."""
    raise_all(Attempt(_check_feature, rows, division, name, text_limit) for name in columns)
    if not division.train.size:
        return feature.unscaled(columns), ()
    features, constant = feature.fit(rows.frame[list(columns)].iloc[division.train])
    if not features:
        raise DataError(
            Problem(
                where="data.features", message=f"every column is constant in the training split: {listed(constant)}"
            )
        )
    warnings = [f"Column {name} is constant in the training split and is left out." for name in constant]
    for one in features:
        if isinstance(one, feature.Category):
            unseen = int((feature.category_of(one, rows.frame[one.column].iloc[division.test]) < 0).sum())
            if unseen:
                warnings.append(
                    f"Column {one.column}: {plural(unseen, 'test row')} with a value unknown to training: all zeros."
                )
    return features, tuple(warnings)


def _check_feature(rows: Rows, division: Division, name: str, text_limit: int) -> None:
    where = f"column {name}"
    column = rows.frame[name].iloc[division.used]
    match feature.kind(column):
        case "number":
            values = feature.numbers(column)
            missing = division.used[np.isnan(values)]
            endless = division.used[np.abs(values) > feature.LARGEST]
            problems = (
                *rows.problems(missing, where, "no number is there", "Fill the column, or drop it or these rows."),
                *rows.problems(endless, where, "the number is infinite or beyond 32 bits", "Correct it, or drop it."),
            )
        case "text" if not division.train.size:
            message = "text becomes one input a category of the training split, and there is no training split"
            problems = (Problem(where=where, message=message, advice="Drop the column, or declare a training split."),)
        case "text":
            count = len(distinct(rows.frame[name].iloc[division.train])[1])
            message = f"{count:,} distinct values in the training split, more than text_limit = {text_limit:,}"
            advice = "Drop the column with data.features.drop, or raise data.features.text_limit."
            problems = (Problem(where=where, message=message, advice=advice),) if count > text_limit else ()
        case _:
            message = "holds neither numbers nor text"
            problems = (Problem(where=where, message=message, advice="Turn it into numbers or text, or drop it."),)
    if problems:
        raise DataError(*problems)
