"""Disparities over the groups of an attribute, as Fairlearn names and defines them; description, never judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from auditor.description import Description
from auditor.measure.ground import both_rates
from auditor.records import family_name, group_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.description import Measure
    from auditor.measure.ground import Ground
    from auditor.measure.setting import Setting
    from auditor.records import Dataset, FloatArray

DISPARITIES: dict[str, tuple[str, ...]] = {
    "demographic_parity": ("selection_rate",),
    "equal_opportunity": ("recall",),
    "equalized_odds": ("recall", "fpr"),
}
"""The rates of the positive class whose spread over groups each is about; the worst of them counts."""
NAMED = 10
"""Groups named among those left out; beyond, they are counted."""


def families_of(dataset: Dataset) -> dict[str, list[int]]:
    """Give the indices of the groups of each attribute and intersection."""
    families: dict[str, list[int]] = {}
    for g, name in enumerate(dataset.groups.names):
        if name:
            families.setdefault(family_name(name), []).append(g)
    return families


def disparities(setting: Setting, ground: Ground, positive: int) -> Iterator[Description]:
    """Describe how far apart groups are: differences (largest less smallest) and ratios (smallest to largest).

    Member by member, then the mean over members; the largest less the smallest of many noisy rates is biased upwards.
    Groups with too few examples for a rate are left out of it and told. Where every group's rate is 0 a ratio is
    undefined, and a group without positives is no group whose rate is 0 (Fairlearn takes 0/0 for 0).
    """
    metrics = sorted({metric for metrics in DISPARITIES.values() for metric in metrics})
    rates = {metric: [side[:, :, positive] for side in both_rates(setting, metric)] for metric in metrics}
    enough = {metric: ground.enough(metric, positive) for metric in metrics}
    for family, places in families_of(setting.dataset).items():
        kept = {metric: [g for g in places if enough[metric][g]] for metric in metrics}
        for name, own in DISPARITIES.items():
            inside = sorted({g for metric in own for g in kept[metric]})
            left_out = [g for g in places if any(g not in kept[metric] for metric in own)]
            for kind in ("difference", "ratio"):
                (before, why_before), (after, why_after) = (
                    _spread([rates[metric][side][:, kept[metric]] for metric in own], kind) for side in (0, 1)
                )
                yield Description(
                    variant=setting.population.name,
                    measure=cast("Measure", f"{name}_{kind}"),
                    label=setting.dataset.classes[positive],
                    family=family,
                    n=int(setting.total[inside].sum()),
                    before=before,
                    after=after,
                    value=None if before is None or after is None else after - before,
                    undefined=why_before or why_after,
                    remark=_left_out(setting.dataset, left_out, ground),
                )


def _spread(rates: Sequence[FloatArray], kind: str) -> tuple[float | None, str | None]:
    """Give the mean over members of the worst spread of these rates, [K, groups] each, or why there is none."""
    if any(own.shape[1] < 2 for own in rates):
        return None, "fewer than two groups have the examples that are needed"
    lows, highs = ([pick(own, axis=1) for own in rates] for pick in (np.min, np.max))
    if kind == "difference":
        return float(np.max([high - low for low, high in zip(lows, highs, strict=True)], axis=0).mean()), None
    if not all(high.all() for high in highs):
        return None, "a member's rate is 0 in every group"
    return float(np.min([low / high for low, high in zip(lows, highs, strict=True)], axis=0).mean()), None


def _left_out(dataset: Dataset, places: Sequence[int], ground: Ground) -> str:
    if not places:
        return ""
    names = ", ".join(group_name(dataset.groups.names[g]) for g in places[:NAMED])
    more = f" and {len(places) - NAMED} more" if len(places) > NAMED else ""
    return f"left out, with fewer than {ground.min_group} {ground.unit} in a denominator: {names}{more}"
