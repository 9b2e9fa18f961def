"""The rates, each defined once: among whom, and what is counted (statistics: section 1, "Notation")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from auditor.measure.counts import MemberCounts
    from auditor.records import BoolArray, FloatArray, IntArray, Label


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """The mean of a hit over the examples of a denominator."""

    per_class: bool
    """Whether there is one a class ("recall of class c"); a hit is then "decided as c", else "decided as it is"."""
    among: Literal["all", "true", "other", "decided"]
    """The denominator: all examples, those of class c, those of other classes, those decided as c."""
    complement: bool = False
    """Whether the rate is one minus the share of hits."""


RATES = {
    "accuracy": Rate(per_class=False, among="all"),
    "error": Rate(per_class=False, among="all", complement=True),
    "recall": Rate(per_class=True, among="true"),
    "fnr": Rate(per_class=True, among="true", complement=True),
    "fpr": Rate(per_class=True, among="other"),
    "tnr": Rate(per_class=True, among="other", complement=True),
    "selection_rate": Rate(per_class=True, among="all"),
    "precision": Rate(per_class=True, among="decided"),
}

AMONG = {"true": "labelled", "other": "not labelled", "decided": "decided"}


def of_whom(metric: str, label: Label | None) -> str:
    """Say which examples a rate's denominator counts, such as "examples labelled >50K"."""
    rate = RATES[metric]
    if not rate.per_class or rate.among == "all":
        return "examples"
    return f"examples {AMONG[rate.among]} {label}"


def denominators(rate: Rate, total: IntArray) -> IntArray:
    """Count the examples that a rate is about, [G, C] or [G, 1]; for a random denominator, those it may be about.

    `total` [G, C] are the examples of each true class in each group.
    """
    everyone = total.sum(axis=1, keepdims=True)
    if not rate.per_class:
        return everyone
    if rate.among == "true":
        return total
    if rate.among == "other":
        return everyone - total
    return np.broadcast_to(everyone, total.shape)


def member_rates(rate: Rate, counts: MemberCounts, total: IntArray) -> FloatArray:
    """Compute the rate of every member, [K, G, C] or [K, G, 1]; NaN where the denominator is empty."""
    if not rate.per_class:
        hits = counts.correct.sum(axis=2, keepdims=True)
    elif rate.among == "other":
        hits = counts.decided - counts.correct
    else:
        hits = counts.decided if rate.among == "all" else counts.correct
    below = counts.decided if rate.among == "decided" else denominators(rate, total)[None]
    shares = np.full(hits.shape, np.nan)
    np.divide(hits, below, out=shares, where=below > 0)
    return 1 - shares if rate.complement else shares


def hit_shares(rate: Rate, votes: FloatArray, labels: IntArray) -> FloatArray:
    """Give each example's mean of the rate's hit over members, [N, C] or [N, 1], from vote shares [N, C]."""
    shares = votes if rate.per_class else np.take_along_axis(votes, labels[:, None], axis=1)
    return 1 - shares if rate.complement else shares


def inside(rate: Rate, labels: IntArray, classes: int) -> BoolArray:
    """Tell whether an example is in the rate's denominator, [N, C] or [N, 1]; not for a random denominator."""
    if not rate.per_class or rate.among == "all":
        return np.ones((len(labels), classes if rate.per_class else 1), bool)
    own = labels[:, None] == np.arange(classes)
    return own if rate.among == "true" else ~own
