"""Earlier looks at the same question: judging again at another size until it passes is not judging at 5%.

The store keeps, for each question (which number, of whom, of which recipe, on which data), the plans (members, test
examples, seed, limits) that it was judged by, in order. Repeating a plan is no further look. Two, three and five looks
pass a variant that is at its limit 8, 10 and 13% of the time instead of 5% (statistics: section 6).
"""

from __future__ import annotations

import fcntl
import json
import os
from typing import TYPE_CHECKING, Any

from auditor.errors import IncompleteError, Problem
from auditor.provenance import canonical, digest_of
from auditor.records import Look

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from auditor.records import Dataset, Gate, Population


def record_looks(
    folder: Path, dataset: Dataset, gates: Sequence[Gate], populations: Sequence[Population], *, seed: int
) -> tuple[Look, ...]:
    """Write down what is about to be judged, and give the questions that were judged before.

    Raises IncompleteError where the folder cannot be written: a look that leaves no trace would not be counted.
    """
    by_name = {population.name: population for population in populations}
    looks = []
    for gate in gates:
        for population in (by_name[variant] for variant in gate.variants):
            file = folder / f"{digest_of(_question(dataset, gate, population))}.json"
            if earlier := _record(file, digest_of(_plan(dataset, gate, population, seed))):
                looks.append(Look(gate=gate.name, variant=population.name, earlier=earlier))
    return tuple(looks)


def _question(dataset: Dataset, gate: Gate, population: Population) -> dict[str, Any]:
    return {
        "data": dataset.source,
        "metric": gate.metric,
        "compare": gate.compare,
        "targets": [list(target) for target in gate.targets],
        "variant": population.name,
        "recipe": dict(population.asked_for),
    }


def _plan(dataset: Dataset, gate: Gate, population: Population, seed: int) -> dict[str, Any]:
    return {
        "members": population.asked,
        "models": None if population.claim == "recipe" else list(population.predictions.digests),
        "examples": len(dataset.labels),
        "data": dataset.digest,
        "seed": seed,
        "limits": [gate.min, gate.max],
    }


def _record(file: Path, plan: str) -> int:
    """Count the plans that a question was judged by before it was first judged by this one."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(file.parent, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            plans = _read(file)
            if plan not in plans:
                plans.append(plan)
                part = file.with_suffix(".part")
                part.write_bytes(canonical(plans))
                part.replace(file)
        finally:
            os.close(lock)
    except OSError as error:
        message = f"earlier judgements cannot be written down: {error.strerror or error}"
        raise IncompleteError(Problem(file=str(file.parent), message=message)) from error
    return plans.index(plan)


def _read(file: Path) -> list[str]:
    try:
        plans = json.loads(file.read_bytes())
    except FileNotFoundError:
        return []
    except ValueError:
        plans = None
    if not isinstance(plans, list):
        # what cannot be read has been some look
        return ["unreadable"]
    return [str(plan) for plan in plans]
