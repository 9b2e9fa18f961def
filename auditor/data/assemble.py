"""The last steps of every source: rows are checked, and what was found fit becomes a Dataset."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from auditor.data.groups import make_groups
from auditor.data.inputs import own_set
from auditor.data.labels import make_labels
from auditor.data.reading import Attempt, raise_all
from auditor.data.representative import calibrate, digest_of_rows
from auditor.data.splits import clusters, overlap_warnings
from auditor.data.values import read_only
from auditor.records import Dataset, SplitSize

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

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
    """Positions of the representative set, [m], rising."""
    calibrations: Mapping[str, IntArray] = field(default_factory=dict)
    """Likewise of those that are a single variant's own, by name."""
    cluster: IntArray | None
    """For every row the number of its id; None where no id is declared."""
    warnings: tuple[str, ...]
    """What the source has to add to the warnings of division, labels and groups."""

    @property
    def parts(self) -> dict[str, IntArray]:
        """For each array of inputs the positions of its examples, rising."""
        own = {own_set(digest_of_rows(positions)): positions for positions in self.calibrations.values()}
        common = {"train_x": self.division.train, "test_x": self.division.test, "calibration_x": self.calibration}
        return common | own


def check_rows(
    spec: AuditSpec,
    rows: Rows,
    division: Division,
    same: IntArray,
    *,
    whole: IntArray | None = None,
    also: Sequence[Attempt[Any]] = (),
) -> Checked:
    """Settle labels, groups, clusters and the representative sets; raises DataError with all that is amiss.

    Args:
        spec: the definition.
        rows: with the columns that it names.
        division: of these rows.
        same: one number a row, the same for rows that a model cannot tell apart.
        whole: likewise for rows that are equal in all; default: `same`.
        also: steps of the source's own, whose problems are told with the others.
    """
    labels = Attempt(make_labels, rows, spec.data, division)
    grouped = Attempt(make_groups, rows, spec.attribute, spec.intersection, division.train, division.test)
    cluster = Attempt(clusters, rows, spec.data.id, division.used)
    calibration = Attempt(calibrate, rows, division, same, spec)
    raise_all([labels, grouped, cluster, *also, calibration])
    return Checked(
        rows=rows,
        division=division,
        labels=labels.value,
        grouped=grouped.value,
        calibration=calibration.value.common,
        calibrations=calibration.value.own,
        cluster=cluster.value,
        warnings=(
            *calibration.value.warnings,
            *overlap_warnings(division, same if whole is None else whole, cluster.value),
        ),
    )


def assemble(spec: AuditSpec, checked: Checked, digest: str) -> Dataset:
    """All that measuring needs."""
    division, labels, test = checked.division, checked.labels, checked.division.test
    positions = {"train": division.train, "test": test, "calibration": checked.calibration}
    return Dataset(
        source=f"{spec.data.source}: {spec.data.name or spec.data.path}",
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
        calibrations={name: digest_of_rows(positions) for name, positions in checked.calibrations.items()},
        warnings=(*division.warnings, *labels.warnings, *checked.grouped.warnings, *checked.warnings),
    )


def _by_class(labels: Labels, positions: IntArray) -> tuple[int, ...]:
    return tuple(np.bincount(labels.index[positions], minlength=len(labels.classes)).tolist())
