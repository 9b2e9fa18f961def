"""How unequally compression treats the classes, for everybody: CEV, SDE and recall distortion; never judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from auditor.description import Description
from auditor.measure.ground import both_rates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.description import Measure
    from auditor.measure.ground import Ground
    from auditor.measure.setting import Setting
    from auditor.records import BoolArray, FloatArray

Pair = tuple["FloatArray", "FloatArray"]
"""Of baseline and variant."""
ALIKE = 1e-12
"""Relative recalls that lie within it are equal but for rounding."""


def class_spread(setting: Setting, ground: Ground) -> Iterator[Description]:
    """Describe one variant over its classes.

    CEV: the mean squared distance of the classes' relative changes (of FPR, of FNR) to their mean. SDE: the mean of
    |relative change of FNR - relative change of FPR| (Blakeney et al. 2021, arXiv 2106.07849). Recall distortion: the
    slope over classes of (recall - accuracy) / accuracy of the variant on the same of the baseline; above 1 it spreads
    the classes (Good et al. 2022, arXiv 2206.02976). Rates are means over members. Relative changes are fractions.
    """
    known = ground.size("fnr")[0] >= max(ground.min_group, 1)
    yield from _error_spread(setting, ground, known & (ground.size("fpr")[0] >= max(ground.min_group, 1)))
    yield _recall_distortion(setting, ground, known)


def _error_spread(setting: Setting, ground: Ground, known: BoolArray) -> Iterator[Description]:
    """Give CEV and SDE over the known classes in which the baseline makes both errors."""
    fpr, fnr = (_means(setting, metric) for metric in ("fpr", "fnr"))
    among = known & (fpr[0] > 0) & (fnr[0] > 0)
    count = int(among.sum())
    positive, negative = ((after - before)[among] / before[among] for before, after in (fpr, fnr))
    spreads: tuple[tuple[Measure, int, float | None], ...] = (
        ("cev", 2, float(positive.var() + negative.var()) if count > 1 else None),
        ("sde", 1, float(np.abs(negative - positive).mean()) if count else None),
    )
    for measure, needed, value in spreads:
        few = f"relative changes of both rates are known for {count} classes, of the {needed} that are needed"
        yield Description(
            variant=setting.population.name,
            measure=measure,
            n=int(setting.total[0, among].sum()),
            value=value,
            undefined=few if value is None else None,
            remark=_left_out(ground, small=int((~known).sum()), zero=int((known & ~among).sum())),
        )


def _means(setting: Setting, metric: str) -> Pair:
    """Give a rate of everybody, the mean over members, [C] or [1], of baseline and variant."""
    theirs, ours = both_rates(setting, metric, groups=1)
    return theirs.mean(axis=0)[0], ours.mean(axis=0)[0]


def _recall_distortion(setting: Setting, ground: Ground, known: BoolArray) -> Description:
    slope, undefined = _slope(_means(setting, "recall"), _means(setting, "accuracy"), known)
    return Description(
        variant=setting.population.name,
        measure="recall_distortion",
        n=int(setting.total[0, known].sum()),
        value=slope,
        undefined=undefined,
        remark=_left_out(ground, small=int((~known).sum()), zero=0),
    )


def _slope(recall: Pair, accuracy: Pair, known: BoolArray) -> tuple[float | None, str | None]:
    """Give the least squares slope over classes, or why there is none."""
    if not (accuracy[0].all() and accuracy[1].all()):
        return None, "accuracy is 0"
    x, y = ((own[known] - mean) / mean for own, mean in zip(recall, accuracy, strict=True))
    if len(x) < 2:
        return None, f"{len(x)} classes have enough examples, of the 2 that are needed"
    if np.ptp(x) <= ALIKE:
        return None, "all classes have the same recall in the baseline"
    x = x - x.mean()
    return float((x * y).sum() / (x * x).sum()), None


def _left_out(ground: Ground, *, small: int, zero: int) -> str:
    """Say for how many classes there is no number, and why."""
    parts = [f"{zero} classes in which a rate of the baseline is 0"] if zero else []
    parts += [f"{small} classes with fewer than {ground.min_group} {ground.unit}"] if small else []
    return f"left out: {'; '.join(parts)}" if parts else ""
