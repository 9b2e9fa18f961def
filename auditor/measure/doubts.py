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


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One variant, in a few numbers; means over its members."""

    variant: str
    accuracy: float
    kappa: float
    """Cohen's (1960): agreement of decisions and labels beyond that of their frequencies; 1 is all, 0 is chance."""
    agreement: float
    """Share of decisions that the first baseline member makes too."""
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
        looks.append(
            Look(
                variant=population.name,
                accuracy=float((decisions == labels).mean()),
                kappa=float(np.mean([_kappa(each, labels, classes) for each in decisions])),
                agreement=float((decisions == first).mean()),
                bytes=_mean(population, "bytes"),
                latency_ms=_mean(population, "latency_ms"),
            )
        )
    return tuple(looks)


def _mean(population: Population, key: str) -> float | None:
    values: list[Any] = [each[key] for each in population.measured if key in each]
    return float(np.mean(values)) if values else None


def _kappa(decisions: IntArray, labels: IntArray, classes: int) -> float:
    N = labels.size
    shares = (np.bincount(decisions, minlength=classes) / N, np.bincount(labels, minlength=classes) / N)
    expected = float((shares[0] * shares[1]).sum())
    observed = float((decisions == labels).mean())
    # One class alone, decided and true: nothing could be told apart.
    return 0.0 if expected == 1 else (observed - expected) / (1 - expected)


def doubts(populations: Sequence[Population], looks: Sequence[Look]) -> tuple[str, ...]:
    """What should be looked into before a verdict is believed, in whole sentences."""
    return (*_of_numbers(looks), *_of_files(populations))


def _of_numbers(looks: Sequence[Look]) -> Iterator[str]:
    if not looks:
        return
    baseline = looks[0]
    for each in looks:
        if each.kappa <= AT_CHANCE and (each is baseline or baseline.kappa > AT_CHANCE):
            cause = (
                "usually the preprocessing is another than the model was trained with, or the order of the classes"
                if each is baseline
                else "the baseline does not: usually the file reads other inputs than the baseline"
            )
            yield (
                f"{each.variant} decides hardly better than chance (accuracy {each.accuracy:.1%}, kappa "
                f"{each.kappa:.2f}); {cause}."
            )
        if each.bytes and baseline.bytes and each.bytes > baseline.bytes:
            yield f"{each.variant} is larger than the baseline: {each.bytes:,.0f} bytes against {baseline.bytes:,.0f}."


def _of_files(populations: Sequence[Population]) -> Iterator[str]:
    """The same files twice; digests say so, whatever they are called."""
    seen: dict[tuple[str, ...], str] = {}
    for population in populations:
        digests = population.predictions.digests
        if not digests or population.method not in {"given", "artifact"}:
            continue
        if (other := seen.setdefault(digests, population.name)) != population.name:
            yield f"{population.name} is the same file as {other}: nothing is compared."
