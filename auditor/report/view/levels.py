"""The axis of how far the variants of a family go, as true as it can be read."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import log
from typing import TYPE_CHECKING

from auditor.fixed_sequence import STRENGTHS, level
from auditor.report.view.blocks import Levels

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from auditor.records import VariantSummary

_APART = 0.1
"""Of the axis: the names of levels that are closer touch each other."""
_BESIDE = 0.22
"""Of the axis: what is left for a baseline that has no place on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Axis:
    """A key of `STRENGTHS` as an axis."""

    name: str
    logarithmic: str
    """Added to the name where it is."""
    baseline: float | None
    """Where the baseline is; None where it is nowhere on this axis."""
    remains: Callable[[float], float]
    """What is left of a model at a value: a logarithmic axis is one of that."""


_AXES = {
    "sparsity": _Axis(
        name="sparsity",
        logarithmic=", on a logarithmic scale of what remains",
        baseline=0.0,
        remains=lambda sparsity: 1 - sparsity,
    ),
    "clusters": _Axis(
        name="clusters", logarithmic=", on a logarithmic scale", baseline=None, remains=lambda clusters: clusters
    ),
    "ratio": _Axis(
        name="ratio of the rank that is kept",
        logarithmic=", on a logarithmic scale",
        baseline=1.0,
        remains=lambda ratio: ratio,
    ),
}


def levels(family: Sequence[VariantSummary]) -> Levels:
    """Place the baseline and a family's variants, given mildest first, on an axis.

    It is linear where neighbours can be read apart; else logarithmic in what remains, which is 1 - sparsity, the
    ratio or the number of clusters, if that sets them further apart.
    """
    key, _ = level(family[0])
    axis = _AXES[key]
    own = [level(variant)[1] for variant in family]
    values = own if axis.baseline is None else [axis.baseline, *own]
    places, is_log = _spaced([STRENGTHS[key] * value for value in values]), False
    rest = [axis.remains(value) for value in values]
    if _nearest(places) < _APART and min(rest) > 0:
        logarithmic = _spaced([-log(one) for one in rest])
        is_log = _nearest(logarithmic) > _nearest(places)
        places = logarithmic if is_log else places
    labels = [f"{value:g}" for value in values]
    if axis.baseline is None:
        places, labels = [0.0, *(_BESIDE + (1 - _BESIDE) * place for place in places)], ["baseline", *labels]
    name = axis.name + (axis.logarithmic if is_log else "")
    return Levels(name=name, places=tuple(places), labels=tuple(labels), joined=axis.baseline is not None)


def _spaced(values: Sequence[float]) -> list[float]:
    """Place values between 0 and 1."""
    low, span = min(values), max(values) - min(values)
    return [(value - low) / (span or 1.0) for value in values]


def _nearest(places: Sequence[float]) -> float:
    """Give how far apart the nearest two different places are."""
    own = sorted(set(places))
    return min((after - before for before, after in pairwise(own)), default=1.0)
