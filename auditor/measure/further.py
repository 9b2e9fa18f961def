"""The further measures of one variant against the baseline (statistics: section 8): description, never judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from auditor.description import MEASURES, Description
from auditor.measure.ambiguity import ambiguities
from auditor.measure.class_spread import class_spread
from auditor.measure.counts import align
from auditor.measure.disparity import DISPARITIES, disparities
from auditor.measure.ground import both_rates
from auditor.measure.rates import RATES, denominators

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.description import Measure
    from auditor.measure.calibration_error import MemberCalibration
    from auditor.measure.ground import Ground
    from auditor.measure.setting import Setting
    from auditor.records import FloatArray, IntArray

NORMALISED: dict[str, Measure] = {
    "error": "normalised_difference_error",
    "fpr": "normalised_difference_fpr",
    "fnr": "normalised_difference_fnr",
}
NO_MEMBER = "no member finished"
NO_POSITIVE = "no positive class is declared"


def describe(setting: Setting, ground: Ground, own: MemberCalibration) -> tuple[Description, ...]:
    """Compute all further measures of a variant; `own` is the calibration of its members."""
    ours, theirs = align(setting.population, ground.baseline)
    if not (ours.members and theirs.members):
        return tuple(_without(setting, measure, NO_MEMBER) for measure in MEASURES)
    return (
        *_normalised_differences(setting, ground),
        *_excess_accuracy_gaps(setting, ground),
        *_about_positive(setting, ground),
        *_calibration(setting, ground, own, (theirs.members, ours.members)),
        *class_spread(setting, ground),
        *ambiguities(setting, theirs, ours),
    )


def _without(setting: Setting, measure: Measure, why: str) -> Description:
    return Description(variant=setting.population.name, measure=measure, n=len(setting.dataset.labels), undefined=why)


def _normalised_differences(setting: Setting, ground: Ground) -> Iterator[Description]:
    """Give 100 (m_v - m_0) / m_0 of the error rates, beside the numbers of errors (Hooker et al. 2020, 2010.03058)."""
    data = setting.dataset
    for metric, measure in NORMALISED.items():
        per_class = RATES[metric].per_class
        # with many classes, classes x groups is no longer something to look at: they are then of everybody
        shown = len(data.groups.names) if not per_class or len(data.classes) == 2 else 1
        n = denominators(RATES[metric], setting.total[:shown])
        before, after = (_errors(rates, n) for rates in both_rates(setting, metric, shown))
        for j in _labels(setting) if per_class else (0,):
            for g in range(shown):
                why = ground.small(data, metric, j, g)
                if why is None and not before[g, j]:
                    why = "the baseline makes no such error"
                yield Description(
                    variant=setting.population.name,
                    measure=measure,
                    label=data.classes[j] if per_class else None,
                    group=data.groups.names[g],
                    n=int(n[g, j]),
                    before=float(before[g, j]) if n[g, j] else None,
                    after=float(after[g, j]) if n[g, j] else None,
                    value=None if why else 100 * float(after[g, j] - before[g, j]) / float(before[g, j]),
                    undefined=why,
                )


def _labels(setting: Setting) -> Sequence[int]:
    data = setting.dataset
    return range(len(data.classes)) if data.positive is None else (data.positive,)


def _errors(rates: FloatArray, n: IntArray) -> FloatArray:
    """Count errors, the mean over members, [G, J], from error rates [K, G, J]; whole numbers of each member."""
    return np.rint(rates * n).sum(axis=0) / len(rates)


def _excess_accuracy_gaps(setting: Setting, ground: Ground) -> Iterator[Description]:
    """Give psi = (acc_0,g - acc_v,g) - (acc_0 - acc_v): how much more a group loses (Hashemizadeh et al. 2024).

    arXiv 2310.20673. Positive: the group loses more accuracy than everybody does.
    """
    before, after = (rates.mean(axis=0)[:, 0] for rates in both_rates(setting, "accuracy"))
    lost = before - after
    for g, group in enumerate(setting.dataset.groups.names[1:], start=1):
        why = ground.small(setting.dataset, "accuracy", 0, g)
        yield Description(
            variant=setting.population.name,
            measure="excess_accuracy_gap",
            group=group,
            n=int(setting.total[g].sum()),
            before=None if why else float(before[g]),
            after=None if why else float(after[g]),
            value=None if why else float(lost[g] - lost[0]),
            undefined=why,
        )


def _about_positive(setting: Setting, ground: Ground) -> Iterator[Description]:
    positive = setting.dataset.positive
    if positive is None:
        about: list[Measure] = [m for m in MEASURES if m.rpartition("_")[0] in DISPARITIES]
        yield from (_without(setting, measure, NO_POSITIVE) for measure in [*about, "bias_amplification"])
        return
    yield from disparities(setting, ground, positive)
    yield from _bias_amplification(setting, ground, positive)


def _bias_amplification(setting: Setting, ground: Ground, positive: int) -> Iterator[Description]:
    """Give a group's share of predicted positives minus its share of true ones (after Zhao et al. 2017, 1707.09457).

    Member by member, then the mean over members; undefined where nobody is positive, or a member decides so for nobody.
    """
    true = setting.total[:, positive]
    shares, reasons = [], []
    for counts, who in ((setting.theirs, "the baseline"), (setting.ours, "the variant")):
        decided = counts.decided[:, :, positive]
        nobody = "no test example is of the positive class" if not true[0] else None
        if nobody is None and not decided[:, 0].all():
            nobody = f"a member of {who} decides for the positive class never"
        reasons.append(nobody)
        shares.append(None if nobody else (decided / decided[:, :1]).mean(axis=0) - true / true[0])
    for g, group in enumerate(setting.dataset.groups.names[1:], start=1):
        why = ground.small(setting.dataset, "accuracy", 0, g)
        before, after = (None if why or share is None else float(share[g]) for share in shares)
        yield Description(
            variant=setting.population.name,
            measure="bias_amplification",
            label=setting.dataset.classes[positive],
            group=group,
            n=int(setting.total[g].sum()),
            before=before,
            after=after,
            value=None if before is None or after is None else after - before,
            undefined=why or next(filter(None, reasons), None),
        )


def _calibration(
    setting: Setting, ground: Ground, own: MemberCalibration, members: tuple[tuple[int, ...], tuple[int, ...]]
) -> Iterator[Description]:
    """Give expected calibration error and the share of uncertain predictions; `members` are those compared."""
    data = setting.dataset
    sides = (ground.calibration, own)
    why_none = _why_uncalibrated(*sides)
    measures: tuple[Measure, Measure] = ("expected_calibration_error", "uncertain_share")
    if why_none and all(side.undefined for side in sides):
        yield from (_without(setting, measure, why_none) for measure in measures)
        return
    for measure in measures:
        means = [_mean_of(side, measure, chosen) for side, chosen in zip(sides, members, strict=True)]
        for g, group in enumerate(data.groups.names):
            small = ground.small(data, "accuracy", 0, g)
            before, after = (None if small or mean is None else float(mean[g]) for mean in means)
            yield Description(
                variant=setting.population.name,
                measure=measure,
                group=group,
                n=int(setting.total[g].sum()),
                before=before,
                after=after,
                value=None if before is None or after is None else after - before,
                undefined=small or why_none,
            )


def _why_uncalibrated(theirs: MemberCalibration, own: MemberCalibration) -> str | None:
    if theirs.undefined == own.undefined:
        return own.undefined
    pairs = (("the baseline", theirs.undefined), ("the variant", own.undefined))
    return "; ".join(f"{who}: {why}" for who, why in pairs if why)


def _mean_of(side: MemberCalibration, measure: Measure, members: tuple[int, ...]) -> FloatArray | None:
    """Give the mean over the members that are compared, [G]."""
    found = side.error if measure == "expected_calibration_error" else side.uncertain
    return None if found is None else found[[side.members.index(k) for k in members]].mean(axis=0)
