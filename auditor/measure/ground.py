"""What descriptions of all variants share: how large groups are, and how well the baseline's members are calibrated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from auditor.measure.calibration_error import MemberCalibration, calibrate
from auditor.measure.counts import MemberCounts
from auditor.measure.rates import RATES, denominators, member_rates
from auditor.records import group_name

if TYPE_CHECKING:
    from auditor.measure.setting import Setting
    from auditor.records import Dataset, FloatArray, IntArray, Population

_RATE_OF_EACH_KIND = ("accuracy", "fpr", "fnr")
"""One for each kind of denominator that descriptions have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What is the same for every variant of an audit."""

    baseline: Population
    units: dict[str, IntArray]
    """By kind of denominator (`Rate.among`): independent examples, [G, 1] or [G, C]; clusters, where there are any."""
    unit: str
    """"examples" or "clusters"."""
    calibration: MemberCalibration
    """Of the baseline's members."""
    min_group: int

    def size(self, metric: str) -> IntArray:
        """Count what is in a rate's denominator, [G, C], or [G, 1] where it is the same for every class."""
        return self.units[RATES[metric].among]

    def small(self, dataset: Dataset, metric: str, label: int, g: int) -> str | None:
        """Say that too few are in a rate's denominator in a group; None where they are enough."""
        size = self.size(metric)
        units = int(size[g, label if size.shape[1] > 1 else 0])
        if units >= max(self.min_group, 1):
            return None
        return f"{units} {self.unit} in {group_name(dataset.groups.names[g])}, of the {self.min_group} that are needed"

    def enough(self, metric: str, label: int) -> list[bool]:
        """Tell for every group, [G], whether enough are in a rate's denominator."""
        size = self.size(metric)
        enough: list[bool] = (size[:, label if size.shape[1] > 1 else 0] >= max(self.min_group, 1)).tolist()
        return enough


def both_rates(setting: Setting, metric: str, groups: int | None = None) -> tuple[FloatArray, FloatArray]:
    """Compute a rate of the members of baseline and variant in the first groups (default: all), [K, groups, C or 1]."""
    total = setting.total[:groups]
    theirs, ours = (
        member_rates(RATES[metric], MemberCounts(correct=c.correct[:, :groups], decided=c.decided[:, :groups]), total)
        for c in (setting.theirs, setting.ours)
    )
    return theirs, ours


def survey(dataset: Dataset, baseline: Population, total: IntArray, *, min_group: int) -> Ground:
    """Prepare what descriptions share; `total` [G, C] are the test examples of each class in each group."""
    units: dict[str, IntArray] = {}
    for metric in _RATE_OF_EACH_KIND:
        units[RATES[metric].among] = denominators(RATES[metric], total)
    return Ground(
        baseline=baseline,
        units=units if dataset.cluster is None else _clusters(dataset, dataset.cluster),
        unit="examples" if dataset.cluster is None else "clusters",
        calibration=calibrate(dataset, baseline.predictions),
        min_group=min_group,
    )


def _clusters(dataset: Dataset, cluster: IntArray) -> dict[str, IntArray]:
    """Count clusters with an example in a denominator; a cluster may spread over cells and classes."""
    groups, classes = dataset.groups, len(dataset.classes)
    cells = groups.membership.shape[1]
    keys = np.unique((cluster.astype(np.int64) * classes + dataset.labels) * cells + groups.cell_of)
    pairs, cell_of = np.divmod(keys, cells)
    everyone, true, other = (np.zeros((len(groups.names), J), np.int64) for J in (1, classes, classes))
    for g, row in enumerate(groups.membership):
        here = pairs[row[cell_of]]
        here = here[np.diff(here, prepend=-1) > 0]
        own, label = np.divmod(here, classes)
        of_cluster = np.bincount(own)
        # a cluster of one class alone has no example of another
        alone = np.bincount(label[of_cluster[own] == 1], minlength=classes)
        everyone[g] = (of_cluster > 0).sum()
        true[g] = np.bincount(label, minlength=classes)
        other[g] = everyone[g] - alone
    return {"all": everyone, "true": true, "other": other}
