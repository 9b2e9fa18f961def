"""Where things are looked for: in every group, and in every class of everybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from auditor.measure.counts import sum_over_groups
from auditor.records import EVERYBODY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.records import BoolArray, Dataset, FloatArray, GroupKey, IntArray, Label


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """What stands for itself: clusters of examples that share an id, or examples where there are none."""

    name: str
    """ "examples" or "clusters"."""
    total: IntArray
    """[G]: in each group."""
    by_class: IntArray
    """[G, C]: with an example of the class; a cluster of several classes stands in each."""

    @property
    def of_places(self) -> IntArray:
        """[P]: in each group, then in each class of everybody."""
        return np.concatenate([self.total, self.by_class[0]])

    def too_few(self, n: int, needed: int) -> str | None:
        """Say that n are too few; None where they are enough."""
        return None if n >= needed else f"{n} {self.name}, of the {needed} that are needed"


def place_names(dataset: Dataset) -> list[tuple[GroupKey, Label | None]]:
    """Name the places: every group, then every class of everybody, [P]."""
    groups: list[tuple[GroupKey, Label | None]] = [(name, None) for name in dataset.groups.names]
    return groups + [(EVERYBODY, label) for label in dataset.classes]


def sum_by_place(dataset: Dataset, columns: Sequence[FloatArray]) -> FloatArray:
    """Add up J columns, [N] each, over the examples of every place, [P, J]."""
    cells, classes = dataset.groups.membership.shape[1], len(dataset.classes)
    by_cell = [np.bincount(dataset.groups.cell_of, weights=column, minlength=cells) for column in columns]
    by_class = [np.bincount(dataset.labels, weights=column, minlength=classes) for column in columns]
    in_groups = sum_over_groups(dataset.groups.membership, np.stack(by_cell, axis=1))
    return np.concatenate([in_groups, np.stack(by_class, axis=1)])


def count_units(dataset: Dataset, total: IntArray) -> Units:
    """Count the units of every group and class; `total` [G, C] are the examples."""
    if dataset.cluster is None:
        return Units(name="examples", total=total.sum(axis=1), by_class=total)
    # a cluster may spread over cells and classes, so it is looked for group by group
    classes = len(dataset.classes)
    known, pair_of = np.unique(dataset.cluster * classes + dataset.labels, return_inverse=True)
    class_of = known % classes
    cluster_of = np.unique(known // classes, return_inverse=True)[1]
    in_total, by_class = np.empty(len(total), np.int64), np.empty_like(total)
    for g, row in enumerate(dataset.groups.membership):
        present = np.zeros(len(known), bool)
        present[pair_of[row[dataset.groups.cell_of]]] = True
        by_class[g] = np.bincount(class_of[present], minlength=classes)
        in_total[g] = np.count_nonzero(np.bincount(cluster_of[present]))
    return Units(name="clusters", total=in_total, by_class=by_class)


def count_units_among(dataset: Dataset, among: BoolArray) -> IntArray:
    """Count the units of every group, [G], that have one of these examples, [N]."""
    groups = dataset.groups
    cells, cell_of = groups.membership.shape[1], groups.cell_of[among]
    if dataset.cluster is None:
        in_cells = np.bincount(cell_of, minlength=cells)[:, None].astype(np.float64)
        return np.rint(sum_over_groups(groups.membership, in_cells)[:, 0]).astype(np.int64)
    known, cell = np.divmod(np.unique(dataset.cluster[among].astype(np.int64) * cells + cell_of), cells)
    # a cluster may spread over cells
    return np.array([np.unique(known[row[cell]]).size for row in groups.membership])
