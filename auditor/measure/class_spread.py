"""How unequally compression treats the classes, for everybody: CEV, SDE and recall distortion; never judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from auditor.description import Description
from auditor.measure.ground import both_rates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.measure.estimates import Setting
    from auditor.measure.ground import Ground
    from auditor.records import BoolArray, FloatArray

Pair = tuple["FloatArray", "FloatArray"]
"""Of baseline and variant."""


def class_spread(setting: Setting, ground: Ground) -> Iterator[Description]:
    """Describe one variant over its classes.

    CEV: the mean squared distance of the classes' relative changes (of FPR, of FNR) to their mean. SDE: the mean of
    |relative change of FNR - relative change of FPR| (Blakeney et al. 2021, arXiv 2106.07849). Recall distortion: the
    slope over classes of (recall - accuracy) / accuracy of the variant on the same of the baseline; above 1 it spreads
    the classes (Good et al. 2022, arXiv 2206.02976). Rates are means over members. Relative changes are fractions.
    """
    mean: dict[str, Pair] = {}
    for metric in ("fpr", "fnr", "recall", "accuracy"):
        theirs, ours = both_rates(setting, metric, groups=1)
        mean[metric] = theirs.mean(axis=0)[0], ours.mean(axis=0)[0]
    known = _known(ground, "fnr")
    both = known & _known(ground, "fpr")
    moving = both & (mean["fpr"][0] > 0) & (mean["fnr"][0] > 0)
    n = int(setting.total[0, moving].sum())
    remark = _excluded(both, moving, ground)
    cev, sde, few = None, None, f"{int(moving.sum())} classes have relative changes of both rates"
    if moving.any():
        fpr, fnr = (_relative(mean[metric], moving) for metric in ("fpr", "fnr"))
        sde = float(np.abs(fnr - fpr).mean())
        cev = float(fpr.var() + fnr.var()) if moving.sum() > 1 else None
    name = setting.population.name
    for measure, value, needed in (("cev", cev, "two are"), ("sde", sde, "one is")):
        undefined = None if value is not None else f"{few}: {needed} needed"
        yield Description(
            variant=name,
            measure="cev" if measure == "cev" else "sde",
            n=n,
            value=value,
            undefined=undefined,
            remark=remark,
        )
    slope, undefined = _distortion(mean["recall"], mean["accuracy"], known)
    yield Description(
        variant=name,
        measure="recall_distortion",
        n=int(setting.total[0, known].sum()),
        value=slope,
        undefined=undefined,
        remark=_too_small(known, ground),
    )


def _known(ground: Ground, metric: str) -> BoolArray:
    return ground.size(metric)[0] >= max(ground.min_group, 1)


def _relative(pair: Pair, among: BoolArray) -> FloatArray:
    before, after = pair[0][among], pair[1][among]
    return (after - before) / before


def _distortion(recall: Pair, accuracy: Pair, known: BoolArray) -> tuple[float | None, str | None]:
    """Give the least squares slope over classes, or why there is none."""
    if not (accuracy[0].all() and accuracy[1].all()):
        return None, "accuracy is 0"
    x, y = ((own[known] - mean) / mean for own, mean in zip(recall, accuracy, strict=True))
    if len(x) < 2:
        return None, f"{len(x)} classes have the examples that are needed: two are needed"
    if np.ptp(x) <= 1e-12:
        return None, "all classes have the same recall in the baseline"
    x = x - x.mean()
    return float((x * y).sum() / (x * x).sum()), None


def _excluded(both: BoolArray, moving: BoolArray, ground: Ground) -> str:
    zero = int((both & ~moving).sum())
    parts = [f"{zero} classes, in which a rate of the baseline is 0"] if zero else []
    small = _too_small(both, ground).removeprefix("left out: ")
    parts += [small] if small else []
    return f"left out: {'; '.join(parts)}" if parts else ""


def _too_small(known: BoolArray, ground: Ground) -> str:
    count = int((~known).sum())
    return f"left out: {count} classes with fewer than {ground.min_group} {ground.unit}" if count else ""
