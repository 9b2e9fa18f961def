"""Further measures and selection tables of the result made by hand."""

from __future__ import annotations

from auditor.description import Description, Selections
from auditor.measure.selection import Count, selection_table
from auditor.records import family_name

POSITIVE = ">50K"
ERRORS = {"fpr": "normalised_difference_fpr", "fnr": "normalised_difference_fnr"}
OF_VARIANT = {"cev": 0.021, "sde": 0.113, "recall_distortion": 1.24}
OF_SETS = {"ambiguity": (0.081, 0.094), "discrepancy": (0.037, 0.049)}
DISPARITIES = {
    "demographic_parity": (0.182, 0.764),
    "equalized_odds": (0.148, 0.706),
    "equal_opportunity": (0.108, 0.826),
}
NO_PROBABILITIES = "no probabilities are kept, only decisions"
OF_POPULATION = "a population of models has no whole number of selected: the table is made for one given model"


def descriptions(variants, sizes, rates, small) -> tuple[Description, ...]:
    """Describe all variants; `rates(variant, group)` gives pairs of a rate and its examples, `small` is the fewest."""
    return tuple(d for variant in variants for d in _of(variant, sizes, rates, small))


def _of(variant, sizes, rates, small):
    for group in sizes:
        before, after = rates("baseline", group), rates(variant, group)
        for metric, measure in ERRORS.items():
            was, n = before[metric, POSITIVE]
            now = after[metric, POSITIVE][0]
            enough = n >= small
            yield Description(
                variant=variant,
                measure=measure,
                label=POSITIVE,
                group=group,
                n=n,
                before=was * n,
                after=now * n,
                value=100 * (now - was) / was if enough else None,
                undefined=None if enough else f"{n} examples, of the {small} that are needed",
            )
        if group:
            everybody = (rates(who, ())["accuracy", None][0] for who in ("baseline", variant))
            was, now, (all_was, all_now) = before["accuracy", None][0], after["accuracy", None][0], everybody
            gap = was - now - (all_was - all_now)
            keys = {"variant": variant, "group": group, "n": sizes[group][0]}
            yield Description(measure="excess_accuracy_gap", before=was, after=now, value=gap, **keys)
            yield Description(
                measure="bias_amplification", label=POSITIVE, before=0.01, after=0.01 + gap, value=gap, **keys
            )
    yield from _spreads(variant, sizes)


def _spreads(variant, sizes):
    n = sizes[()][0]
    for family in dict.fromkeys(family_name(group) for group in sizes if group):
        for name, (difference, ratio) in DISPARITIES.items():
            keys = {"variant": variant, "label": POSITIVE, "family": family, "n": n}
            left_out = "left out, with fewer than 20 examples in a denominator: Amer-Indian-Eskimo"
            yield Description(
                measure=f"{name}_difference", before=difference, after=difference + 0.02, value=0.02, **keys
            )
            yield Description(measure=f"{name}_ratio", before=ratio, undefined=NEVER, remark=left_out, **keys)
    for measure in ("expected_calibration_error", "uncertain_share"):
        yield Description(variant=variant, measure=measure, n=n, undefined=NO_PROBABILITIES)
    for measure, value in OF_VARIANT.items():
        yield Description(variant=variant, measure=measure, n=n, value=value)
    for measure, (before, after) in OF_SETS.items():
        yield Description(variant=variant, measure=measure, n=n, before=before, after=after, value=after - before)


NEVER = "a member's rate is 0 in every group"


def selections(variants, sizes, rates) -> tuple[Selections, ...]:
    """Make the tables of the last variant, as if it were one given model; the others are populations."""
    *others, last = variants
    tables = []
    for family in dict.fromkeys(family_name(group) for group in sizes if group):
        counts = []
        for group in (group for group in sizes if family_name(group) == family):
            rate, n = rates(last, group)["selection_rate", POSITIVE]
            small = None if n >= 200 else f"{n} examples, of the 200 that are needed"
            counts.append(Count(group=group, applicants=n, selected=round(rate * n), small=small))
        tables.append(selection_table(family, counts, sizes[()][0]))
    populations = (Selections(variant=name, label=POSITIVE, tables=(), undefined=OF_POPULATION) for name in others)
    return (*populations, Selections(variant=last, label=POSITIVE, tables=tuple(tables), undefined=None))
