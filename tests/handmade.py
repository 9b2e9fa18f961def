"""Small audits made by hand: what unit tests of measuring and judging start from."""

from __future__ import annotations

import numpy as np

from auditor.measure.calibration_error import calibrate
from auditor.measure.contrasts import TWO_GROUPS
from auditor.measure.counts import count_labels
from auditor.measure.estimates import estimate
from auditor.measure.further import describe
from auditor.measure.ground import survey
from auditor.measure.setting import prepare
from auditor.records import NONE, Dataset, Groups, Population, Predictions


def groups(*attributes: tuple[str, list[str]]) -> Groups:
    """Everybody, and one group a value of each attribute; the first value is the reference."""
    rows = list(zip(*(values for _, values in attributes), strict=True))
    cells = sorted(set(rows))
    place = {cell: i for i, cell in enumerate(cells)}
    names, membership, reference = [()], [np.ones(len(cells), bool)], [-1]
    for column, (attribute, values) in enumerate(attributes):
        first = len(names)
        for value in dict.fromkeys(values):
            names.append(((attribute, value),))
            membership.append(np.array([cell[column] == value for cell in cells]))
            reference.append(first)
    return Groups(
        names=tuple(names),
        membership=np.array(membership),
        cell_of=np.array([place[row] for row in rows]),
        reference=np.array(reference),
    )


def dataset(labels, group_of=None, *, classes=("no", "yes"), cluster=None, attributes=None) -> Dataset:
    """A binary task whose positive class is the last, with one attribute, "team", unless others are given."""
    labels = np.asarray(labels)
    attributes = attributes or {"team": list(group_of or ["a"] * len(labels))}
    return Dataset(
        source="test",
        classes=tuple(classes),
        positive=len(classes) - 1 if len(classes) == 2 else None,
        examples=tuple(range(len(labels))),
        labels=labels,
        groups=groups(*((name, list(values)) for name, values in attributes.items())),
        attributes={name: tuple(values) for name, values in attributes.items()},
        cluster=None if cluster is None else np.asarray(cluster),
        splits=(),
        digest="0" * 64,
    )


def population(
    name, decisions, *, paired=False, fixed_baseline=False, claim="recipe", digests=None, probabilities=None
) -> Population:
    """A population from decisions [K, N], and probabilities [K, N, C] if given."""
    decisions = np.atleast_2d(np.asarray(decisions))
    members = tuple(range(len(decisions)))
    return Population(
        name=name,
        method="test",
        claim=claim,
        paired=paired,
        fixed_baseline=fixed_baseline,
        asked=len(members),
        predictions=Predictions(
            members=members,
            decisions=decisions,
            probabilities=probabilities,
            digests=tuple(digests or (f"{name}-{k}" for k in members)),
        ),
        failures=(),
        asked_for={},
        measured=({},) * len(members),
    )


def setting(data, variant, baseline, *, confidence=0.95, min_group=2):
    """What estimates of one variant are made from."""
    total = count_labels(data.labels, data.groups, len(data.classes))
    return prepare(data, variant, baseline, total, confidence=confidence, min_group=min_group)


def one(data, variant, baseline, metric, compare, *, label=None, group=0, **options):
    """One estimate; a gap is to the group's reference."""
    others = data.groups.compared_with(group) if compare in TWO_GROUPS and "overall" not in compare else ()
    target = (metric, label, group, compare, *(others[:1] or (NONE,)))
    (found,) = estimate(setting(data, variant, baseline, **options), [target])
    return found


def described(data, variant, baseline, *, min_group=2):
    """All further measures of one variant."""
    made = setting(data, variant, baseline, min_group=min_group)
    ground = survey(data, baseline, made.total, min_group=min_group)
    return describe(made, ground, calibrate(data, variant.predictions))


def the(descriptions, measure, **keys):
    """The one description of a measure that has these values."""
    (found,) = [
        d for d in descriptions if d.measure == measure and all(getattr(d, key) == v for key, v in keys.items())
    ]
    return found
