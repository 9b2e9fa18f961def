"""The last step of every source: what was read and checked becomes a Dataset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from auditor.data.values import read_only
from auditor.records import Dataset, SplitSize

if TYPE_CHECKING:
    from auditor.data.groups import Grouped
    from auditor.data.labels import Labels
    from auditor.data.reading import Rows
    from auditor.data.splits import Division
    from auditor.records import IntArray
    from auditor.spec import AuditSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Rows that were found fit to be audited."""

    rows: Rows
    division: Division
    labels: Labels
    grouped: Grouped
    calibration: IntArray
    """Positions of the representative set, [m]."""
    cluster: IntArray | None
    """For every row the number of its id; None where no id is declared."""
    warnings: tuple[str, ...]
    """What the source has to add to the warnings of division, labels and groups."""


def assemble(spec: AuditSpec, checked: Checked, digest: str) -> Dataset:
    """All that measuring needs."""
    division, labels, test = checked.division, checked.labels, checked.division.test
    positions = {"train": division.train, "test": test, "calibration": checked.calibration}
    return Dataset(
        source=f"{spec.data.source}: {spec.data.path}",
        classes=labels.classes,
        positive=labels.positive,
        examples=checked.rows.examples(test),
        labels=read_only(labels.index[test]),
        groups=checked.grouped.groups,
        attributes=checked.grouped.attributes,
        cluster=None if checked.cluster is None else read_only(pd.factorize(checked.cluster[test])[0]),
        splits=tuple(
            SplitSize(split=name, examples=rows.size, by_class=_by_class(labels, rows))
            for name, rows in positions.items()
            if rows.size
        ),
        digest=digest,
        warnings=(*division.warnings, *labels.warnings, *checked.grouped.warnings, *checked.warnings),
    )


def _by_class(labels: Labels, positions: IntArray) -> tuple[int, ...]:
    return tuple(np.bincount(labels.index[positions], minlength=len(labels.classes)).tolist())
