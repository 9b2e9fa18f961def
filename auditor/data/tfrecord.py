"""TFRecord files that a pattern names; which features their records have, the definition says."""

from __future__ import annotations

from glob import glob
from typing import TYPE_CHECKING

from auditor.data.reading import Attempt, raise_all
from auditor.data.record_source import Layout, Part, RecordSource
from auditor.errors import DataError, Problem
from auditor.spec import SplitPaths

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.spec import AuditSpec


def open_tfrecord(spec: AuditSpec, base: Path) -> RecordSource:
    """The files of one pattern, or of one a split."""
    return RecordSource(spec, base, _find)


def _find(spec: AuditSpec, base: Path) -> Layout:
    split, patterns = spec.data.split, [spec.data.path]
    if isinstance(split, SplitPaths):
        patterns = [split.train_path or spec.data.path, split.test_path]
    parts = [Attempt(_part, base, pattern) for pattern in patterns]
    raise_all(parts)
    return Layout(parts=tuple(part.value for part in parts), features=spec.data.tfrecord)


def _part(base: Path, pattern: str) -> Part:
    found = sorted(glob(pattern, root_dir=base))  # noqa: PTH207 - that of Path takes no absolute ones
    paths = tuple(base / name for name in found if (base / name).is_file())
    if not paths:
        advice = 'It is a pattern such as "train-*.tfrecord".'
        raise DataError(Problem(file=str(base / pattern), message="no file has such a name", advice=advice))
    return Part(place=base / pattern, paths=paths)
