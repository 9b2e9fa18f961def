"""What is odd about models before any group is looked at: mostly a wrong preprocessing, or a file twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.records import IntArray, Population

AT_CHANCE = 0.1
"""Cohen's kappa up to which decisions are hardly better than chance."""
SLIGHT = 0.2
"""Agreement up to this is slight (Landis and Koch 1977); more must be out of reach for a doubt, by two standard errors:
on a few hundred examples of which few are positive, kappa says next to nothing."""
_GIVEN = frozenset({"given", "artifact"})
"""Methods of models that were not made here."""
FEW = 5
"""With fewer examples of other classes it is no wonder that one class alone is decided for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One variant, in a few numbers; means over its members."""

    variant: str
    accuracy: float
    kappa: float | None
    """Cohen's (1960): agreement of decisions and labels beyond that of their frequencies; 1 is all, 0 is chance. Of
    members that decide for more than one class; None where there is none, or where labels are of one class alone."""
    kappa_error: float | None
    """Its standard error, as large as one member's."""
    members: int
    collapsed: int
    """Members that decide for one class alone, though there are examples of others."""
    examples: int
    agreement: float
    """Share of decisions that the first baseline member makes too."""
    is_file: bool
    """Whether it is a file that was given, and was not made in this audit."""
    bytes: float | None
    """Of the file; None where there is none."""
    latency_ms: float | None
    """An example, on one thread."""


def look(populations: Sequence[Population], labels: IntArray, classes: int) -> tuple[Look, ...]:
    """Every variant that has a member, the baseline first; `labels` [N] are the true classes, 0 to `classes` - 1."""
    first = populations[0].predictions.decisions[:1] if populations else np.zeros((0, 0), np.int16)
    looks = []
    for population in populations:
        decisions = population.predictions.decisions
        if not (len(decisions) and len(first) and labels.size):
            continue
        kappa, error = _mean_kappa(decisions, labels, classes)
        looks.append(
            Look(
                variant=population.name,
                accuracy=float((decisions == labels).mean()),
                kappa=kappa,
                kappa_error=error,
                members=len(decisions),
                collapsed=sum(_decides_one_class(own, labels) for own in decisions),
                examples=labels.size,
                agreement=float((decisions == first).mean()),
                is_file=population.method in _GIVEN,
                bytes=_mean(population, "bytes"),
                latency_ms=_mean(population, "latency_ms"),
            )
        )
    return tuple(looks)


def _mean(population: Population, key: str) -> float | None:
    values: list[Any] = [each[key] for each in population.measured if key in each]
    return float(np.mean(values)) if values else None


def _mean_kappa(decisions: IntArray, labels: IntArray, classes: int) -> tuple[float | None, float | None]:
    """Average kappa and its standard error over the members that have one."""
    known = [_kappa(own, labels, classes) for own in decisions if np.ptp(own) > 0 and np.ptp(labels) > 0]
    if not known:
        return None, None
    kappas, errors = zip(*known, strict=True)
    return float(np.mean(kappas)), float(np.mean(errors))


def _kappa(decisions: IntArray, labels: IntArray, classes: int) -> tuple[float, float]:
    """Give kappa and Cohen's standard error, of decisions and labels that are of several classes each."""
    N = labels.size
    shares = (np.bincount(decisions, minlength=classes) / N, np.bincount(labels, minlength=classes) / N)
    expected = float((shares[0] * shares[1]).sum())
    observed = float((decisions == labels).mean())
    return (observed - expected) / (1 - expected), float(np.sqrt(observed * (1 - observed) / N)) / (1 - expected)


def _decides_one_class(decisions: IntArray, labels: IntArray) -> bool:
    return bool((decisions == decisions[0]).all() and np.count_nonzero(labels != decisions[0]) >= FEW)


def doubts(populations: Sequence[Population], looks: Sequence[Look]) -> tuple[str, ...]:
    """What should be looked into before a verdict is believed, in whole sentences."""
    return (*_of_numbers(looks), *_of_files(populations))


def _of_numbers(looks: Sequence[Look]) -> Iterator[str]:
    if not looks:
        return
    baseline = looks[0]
    for each in looks:
        if (what := _odd(each)) and (each is baseline or not _odd(baseline)):
            yield f"{what}; {_cause(each, is_baseline=each is baseline)}."
        if each.bytes and baseline.bytes and each.bytes > baseline.bytes:
            yield f"{each.variant} is larger than the baseline: {each.bytes:,.0f} bytes against {baseline.bytes:,.0f}."


def _cause(look: Look, *, is_baseline: bool) -> str:
    """Say what usually makes decisions odd: of a file, how it is read; of what was trained here, how."""
    if not look.is_file:
        little = "too little training"
        return (
            f"usually {little}" if is_baseline else f"the baseline does not: usually too much compression, or {little}"
        )
    if is_baseline:
        return "usually the preprocessing is another than the model was trained with, or the order of the classes"
    return "the baseline does not: usually the file reads other inputs than the baseline"


def _odd(look: Look) -> str | None:
    """Say what is odd about decisions: of one class alone, or hardly better than chance."""
    if look.collapsed:
        who = look.variant if look.members == 1 else f"{look.collapsed} of {look.members} members of {look.variant}"
        verb = "decides" if look.members == 1 else "decide"
        return f"{who} {verb} for one class alone on all {look.examples:,} examples (accuracy {look.accuracy:.1%})"
    if look.kappa is None or look.kappa_error is None:
        return None
    if look.kappa > AT_CHANCE or look.kappa + 2 * look.kappa_error > SLIGHT:
        return None
    return f"{look.variant} decides hardly better than chance (accuracy {look.accuracy:.1%}, kappa {look.kappa:.2f})"


def _of_files(populations: Sequence[Population]) -> Iterator[str]:
    """The same files twice; digests say so, whatever they are called."""
    seen: dict[tuple[str, ...], str] = {}
    for population in populations:
        digests = population.predictions.digests
        if not digests or population.method not in _GIVEN:
            continue
        if (other := seen.setdefault(digests, population.name)) != population.name:
            yield f"{population.name} is the same file as {other}: nothing is compared."
