"""TFRecord files of tf.train.Example: which features there are, and of what kind, the definition says."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from glob import glob
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
    raise_all,
    raise_first,
    read_unchanged,
    refuse_changed,
)
from auditor.data.record_inputs import Surveyed, as_chunks
from auditor.data.splits import divide
from auditor.data.streams import pour
from auditor.data.tfexample import ExampleError, read_example
from auditor.data.tfrecord_file import read_records
from auditor.errors import DataError, Problem, did_you_mean
from auditor.spec import SplitColumn, SplitFractions, SplitPaths

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from auditor.records import Dataset
    from auditor.spec import AuditSpec, RecordFeature, Split

INPUT = "image"


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The files of one pattern, in order of their names."""

    pattern: Path
    paths: tuple[Path, ...]


class TfrecordSource:
    """The files that a pattern names, or those of one pattern a split."""

    def __init__(self, spec: AuditSpec, base: Path) -> None:
        self._spec = spec
        split = spec.data.split
        patterns = [spec.data.path]
        if isinstance(split, SplitPaths):
            patterns = [split.train_path or spec.data.path, split.test_path]
        self._base, self._patterns = base, patterns

    def load(self) -> Dataset:
        """Read all records, and keep what measuring needs; no image is decoded."""
        checked, digests = self._read
        return assemble(self._spec, checked, data_digest(self._spec, digests))

    def materialise(self, folder: Path) -> None:
        """Decode images, or write numbers as float32; raises DataError naming the records that cannot be."""
        (checked, digests), data = self._read, self._spec.data
        feature = data.tfrecord[data.input or INPUT]
        names, path = checked.rows.names or (), self._files[0].pattern
        values = (one[data.input or INPUT] for _, one in _examples(self._paths, {data.input or INPUT: feature}))
        is_image = feature.kind == "image"
        shape = image_shape(data.preprocess) if is_image else tuple(feature.shape)
        chunks = as_chunks(values, names, checked, path, data.preprocess if is_image else None)
        pour(folder, checked, chunks, shape, np.uint8 if is_image else np.float32, data.preprocess)
        refuse_changed(self._paths, digests)

    @cached_property
    def _files(self) -> list[Files]:
        found = [Attempt(_find, self._base, pattern) for pattern in self._patterns]
        raise_all(found)
        return [one.value for one in found]

    @property
    def _paths(self) -> list[Path]:
        return [path for files in self._files for path in files.paths]

    @cached_property
    def _read(self) -> tuple[Checked, list[str]]:
        split, columns = _check_declared(self._spec)
        return read_unchanged(self._paths, lambda: _check(self._spec, self._files, split, columns))


def _find(base: Path, pattern: str) -> Files:
    found = sorted(glob(pattern, root_dir=base))  # noqa: PTH207 - that of Path takes no absolute ones
    paths = tuple(base / name for name in found if (base / name).is_file())
    if not paths:
        advice = 'It is a pattern such as "train-*.tfrecord".'
        raise DataError(Problem(file=str(base / pattern), message="no file has such a name", advice=advice))
    return Files(pattern=base / pattern, paths=paths)


def _check_declared(spec: AuditSpec) -> tuple[Split, dict[str, str]]:
    """The split, and the features that are columns; raises DataError where one is not declared or of no such kind."""
    data, known = spec.data, spec.data.tfrecord
    split = data.split or (SplitColumn(column="split") if "split" in known else SplitFractions())
    columns, wanted = declared_columns(spec, split), data.input or INPUT
    problems = [
        Problem(where=where, message=f'[data.tfrecord] declares no feature "{name}"', advice=did_you_mean(name, known))
        for where, name in {"data.input": wanted, **columns}.items()
        if name not in known
    ]
    problems += [
        Problem(
            where=f"data.tfrecord.{name}", message=f"{where} has one value an example: an int, a float, or a string"
        )
        for where, name in columns.items()
        if name in known and (known[name].shape or known[name].kind == "image")
    ]
    feature = known.get(wanted)
    if feature and (feature.kind == "string" or (feature.kind != "image" and not feature.shape)):
        message = "models read an image, or numbers of a shape"
        problems.append(Problem(where=f"data.tfrecord.{wanted}", message=message))
    problems += check_crop(data.preprocess)
    if problems:
        raise DataError(*problems)
    return split, columns


def _check(spec: AuditSpec, parts: Sequence[Files], split: Split, columns: Mapping[str, str]) -> Checked:
    wanted = spec.data.input or INPUT
    features = {name: spec.data.tfrecord[name] for name in dict.fromkeys([*columns.values(), wanted])}
    held: dict[str, list[Any]] = {name: [] for name in columns.values()}
    surveyed = Surveyed()
    names: list[str] = []
    starts: list[int] = []
    for files in parts:
        starts.append(len(names))
        for name, example in _examples(files.paths, features):
            names.append(name)
            for column, values in held.items():
                values.append(example[column])
            surveyed.add(example[wanted])
    if not names:
        raise DataError(Problem(file=str(parts[0].pattern), message="the files hold no record"))
    rows = Rows(
        frame=pd.DataFrame(held, index=range(len(names))),
        files=tuple(files.pattern for files in parts),
        starts=tuple(starts),
        names=tuple(names),
    )
    same = surveyed.finish(rows, f"feature {wanted}")
    return check_rows(spec, rows, divide(rows, spec.data, split, spec.audit.seed), same)


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
