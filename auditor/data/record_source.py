"""Data sets of records: files of tf.train.Example, wherever it is said which features they have."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from auditor.data.assemble import Checked, assemble, check_rows
from auditor.data.images import check_crop, image_shape
from auditor.data.reading import (
    SHOWN,
    Attempt,
    Rows,
    data_digest,
    declared_columns,
    raise_first,
    read_unchanged,
    refuse_changed,
)
from auditor.data.record_inputs import Surveyed, as_chunks
from auditor.data.splits import divide
from auditor.data.streams import check_numbers, pour
from auditor.data.tfexample import ExampleError, read_example
from auditor.data.tfrecord_file import read_records
from auditor.errors import DataError, Problem, did_you_mean
from auditor.spec import SplitColumn, SplitFractions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from auditor.records import Dataset, Label
    from auditor.spec import AuditSpec, RecordFeature, Split

INPUT = "image"
SPLIT = "split"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Files whose records belong together."""

    place: Path
    """What problems of all of them name: a pattern, or a folder."""
    paths: tuple[Path, ...]
    """In order."""
    split: str | None = None
    """The official split that they are; None where none is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What is known of the records before they are read."""

    parts: tuple[Part, ...]
    features: Mapping[str, RecordFeature]
    meanings: Mapping[str, Sequence[Label]] = field(default_factory=dict)
    """What the whole numbers of a feature stand for, from 0; -1 is nothing."""
    beside: tuple[Path, ...] = ()
    """Files that say so."""

    @property
    def paths(self) -> list[Path]:
        """All files of records."""
        return [path for part in self.parts for path in part.paths]

    @property
    def has_splits(self) -> bool:
        """Whether the parts are official splits."""
        return self.parts[0].split is not None


class RecordSource:
    """Records that lie as `find` says; it is called with the definition and the folder of its paths."""

    def __init__(self, spec: AuditSpec, base: Path, find: Callable[[AuditSpec, Path], Layout]) -> None:
        self._spec, self._base, self._find = spec, base, find

    def load(self) -> Dataset:
        """Read all records, and keep what measuring needs; no image is decoded."""
        checked, digests = self._read
        return assemble(self._spec, checked, data_digest(self._spec, digests))

    def materialise(self, folder: Path) -> None:
        """Decode images, or write numbers as float32; raises DataError naming the records that cannot be."""
        (checked, digests), preprocess = self._read, self._spec.data.preprocess
        name = self._spec.data.input or INPUT
        feature, place = self._layout.features[name], self._layout.parts[0].place
        values = (example[name] for _, example in _examples(self._layout.paths, {name: feature}))
        is_image = feature.kind == "image"
        shape = image_shape(preprocess) if is_image else tuple(feature.shape)
        chunks = as_chunks(values, checked, place, preprocess if is_image else None)
        pour(folder, checked, chunks, shape, np.uint8 if is_image else np.float32, preprocess)
        refuse_changed(self._used, digests)

    @cached_property
    def _layout(self) -> Layout:
        return self._find(self._spec, self._base)

    @property
    def _used(self) -> list[Path]:
        return [*self._layout.paths, *self._layout.beside]

    @cached_property
    def _read(self) -> tuple[Checked, list[str]]:
        return read_unchanged(self._used, lambda: _check(self._spec, self._layout))


def _check(spec: AuditSpec, layout: Layout) -> Checked:
    split, columns = _check_features(spec, layout)
    wanted = spec.data.input or INPUT
    features = {name: layout.features[name] for name in dict.fromkeys([*columns, wanted])}
    held: dict[str, list[Any]] = {name: [] for name in columns}
    names: list[str] = []
    starts: list[int] = []
    surveyed = Surveyed()
    for part in layout.parts:
        starts.append(len(names))
        for name, example in _examples(part.paths, features):
            names.append(name)
            surveyed.add(example[wanted])
            for column, values in held.items():
                values.append(example[column])
    if not names:
        raise DataError(Problem(file=str(layout.parts[0].place), message="the files hold no record"))
    if layout.has_splits:
        sizes = np.diff([*starts, len(names)])
        held[SPLIT] = np.repeat([str(part.split) for part in layout.parts], sizes).tolist()
    rows = Rows(
        frame=pd.DataFrame(held, index=range(len(names))),
        files=tuple(part.place for part in layout.parts),
        starts=tuple(starts),
        names=tuple(names),
    )
    for name in layout.meanings.keys() & columns:
        rows.frame[name] = _meant(rows, name, layout.meanings[name])
    same = surveyed.finish(rows, f"feature {wanted}")
    return check_rows(spec, rows, divide(rows, spec.data, split, spec.audit.seed), same)


def _check_features(spec: AuditSpec, layout: Layout) -> tuple[Split, list[str]]:
    """The split, and the features that are columns; raises DataError where one is not there, or of no such kind."""
    data, known = spec.data, layout.features
    by_column = layout.has_splits or SPLIT in known
    split = data.split or (SplitColumn(column=SPLIT) if by_column else SplitFractions())
    wanted, columns = data.input or INPUT, declared_columns(spec, split)
    if layout.has_splits:
        columns = {where: name for where, name in columns.items() if name != SPLIT}
    problems = [
        Problem(where=where, message=f'there is no feature "{name}"', advice=did_you_mean(name, known))
        for where, name in {"data.input": wanted, **columns}.items()
        if name not in known
    ]
    problems += [
        Problem(where=where, message=f'feature "{name}" is not one value an example: an int, a float, or a string')
        for where, name in columns.items()
        if name in known and (known[name].shape or known[name].kind == "image")
    ]
    feature = known.get(wanted)
    if feature and (feature.kind == "string" or (feature.kind != "image" and not feature.shape)):
        message = f'feature "{wanted}" is no image, and no numbers of a shape, which models read'
        problems.append(Problem(where="data.input", message=message))
    problems += check_crop(data.preprocess)
    if feature and feature.kind != "image":
        problems += Attempt(check_numbers, data.preprocess).problems
    if problems:
        raise DataError(*problems)
    return split, list(dict.fromkeys(columns.values()))


def _meant(rows: Rows, name: str, meanings: Sequence[Label]) -> list[Label | None]:
    numbers = rows.frame[name].to_numpy()
    strange = np.flatnonzero((numbers < -1) | (numbers >= len(meanings)))
    if strange.size:
        message = f"{numbers[strange[0]]} stands for nothing: there are names for 0 to {len(meanings) - 1}"
        raise DataError(*rows.problems(strange, f"feature {name}", message))
    return [None if number == -1 else meanings[number] for number in numbers.tolist()]


def _examples(paths: Sequence[Path], features: Mapping[str, RecordFeature]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every record by its name, such as a.tfrecord#1; raises DataError with the first ones that are amiss in a file."""
    for path in paths:
        problems: list[Problem] = []
        number = 0
        for records in read_records(path):
            for record in records:
                number += 1
                try:
                    example = read_example(record, features)
                except ExampleError as error:
                    problems.append(Problem(file=str(path), where=f"record {number:,}", message=str(error)))
                    continue
                if not problems:
                    yield f"{path.name}#{number}", example
            if len(problems) > SHOWN:
                break
        raise_first(problems, str(path))
