"""Earlier looks at the same question: judging again at another size until it passes is not judging at 5%.

The store keeps, for each question (which number, of which recipe, on which data), the plans (members, test examples,
models or seed, limits and how they were judged) that it was judged by, in order, and whom each was about. Repeating a
plan is no further look. Two, three and five looks pass a variant that is at its limit 8, 10 and 13% of the time instead
of 5% (statistics: section 6).
"""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auditor.errors import IncompleteError, Problem
from auditor.judge import summary
from auditor.provenance import canonical, digest_of
from auditor.records import BASELINE, EarlierLook, Look

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from auditor.records import Dataset, Finding, Gate, Population

UNREADABLE: dict[str, Any] = {
    "plan": "",
    "targets": None,
    "told": {"members": None, "examples": None, "seed": None, "min": None, "max": None, "verdict": None},
}
"""What stands for a file that cannot be read: some look at everything it may have been about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What verdicts depend on besides the numbers and the gates."""

    seed: int
    confidence: float
    min_group: int
    minimum: int | None


def record_looks(
    folder: Path,
    dataset: Dataset,
    gates: Sequence[Gate],
    findings: Sequence[Finding],
    populations: Sequence[Population],
    terms: Terms,
) -> tuple[Look, ...]:
    """Write down what was judged, and give the questions that were judged before by other plans.

    Raises IncompleteError where the folder cannot be written: a look that leaves no trace would not be counted.
    """
    by_name = {population.name: population for population in populations}
    looks = []
    for gate in gates:
        for population in (by_name[variant] for variant in gate.variants):
            file = folder / f"{digest_of(_question(dataset, gate, population))}.json"
            own = [f for f in findings if (f.gate, f.estimate.variant) == (gate.name, population.name)]
            plan = _plan(dataset, gate, (by_name[BASELINE], population), terms)
            look = {
                "plan": digest_of(plan),
                "targets": sorted({_whom(finding) for finding in own}),
                "told": {key: plan[key] for key in ("members", "examples", "seed", "min", "max")}
                | {"verdict": summary(own).value},
            }
            if earlier := _record(file, look):
                looks.append(Look(gate=gate.name, variant=population.name, earlier=earlier))
    return tuple(looks)


def _question(dataset: Dataset, gate: Gate, population: Population) -> dict[str, Any]:
    """Say what is asked. Not how the variant is called: another name is no other question."""
    return {
        "data": dataset.source,
        "metric": gate.metric,
        "compare": gate.compare,
        "method": population.method,
        "recipe": {key: value for key, value in population.asked_for.items() if key != "name"},
    }


def _whom(finding: Finding) -> str:
    """Give the class and groups of a comparison as one text: a question of its own."""
    e = finding.estimate
    return digest_of([e.label, e.group, e.against])


def _plan(dataset: Dataset, gate: Gate, compared: tuple[Population, Population], terms: Terms) -> dict[str, Any]:
    trained = [population for population in compared if _is_trained(population)]
    given = [population for population in compared if not _is_trained(population)]
    return {
        "members": compared[1].asked,
        "models": [list(population.predictions.digests) for population in given],
        "seed": terms.seed if trained else None,
        "examples": len(dataset.labels),
        "data": dataset.digest,
        "min": gate.min,
        "max": gate.max,
        "decide_on": gate.decide_on,
        "confidence": terms.confidence,
        "min_group": terms.min_group,
        "minimum": terms.minimum,
    }


def _is_trained(population: Population) -> bool:
    """Tell whether seeds decide which models there are: not where files or columns were given."""
    return population.claim == "recipe" and population.method != "predictions"


def _record(file: Path, look: dict[str, Any]) -> tuple[EarlierLook, ...]:
    """Give the other plans that any of the same people were judged by, before they were first judged by this one."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(file.parent, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            known = _read(file)
            if not any((one["plan"], one["targets"]) == (look["plan"], look["targets"]) for one in known):
                known.append(look)
                part = file.with_suffix(".part")
                part.write_bytes(canonical(known))
                part.replace(file)
        finally:
            os.close(lock)
    except OSError as error:
        message = f"earlier judgements cannot be written down: {error.strerror or error}"
        raise IncompleteError(Problem(file=str(file.parent), message=message)) from error
    histories = (_plans_about(target, known) for target in look["targets"])
    longest = max((list(plans.values())[: list(plans).index(look["plan"])] for plans in histories), key=len, default=[])
    return tuple(EarlierLook(**one["told"]) for one in longest)


def _plans_about(target: str, known: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Give the plans by which someone was judged, in order, each once."""
    plans: dict[str, dict[str, Any]] = {}
    for one in known:
        if one["targets"] is None or target in one["targets"]:
            plans.setdefault(one["plan"], one)
    return plans


def _read(file: Path) -> list[dict[str, Any]]:
    try:
        known = json.loads(file.read_bytes())
        for one in known:
            EarlierLook(**one["told"])
            if not isinstance(one["plan"], str):
                return [UNREADABLE]
            set(one["targets"] or ())
    except FileNotFoundError:
        return []
    except (ValueError, TypeError, KeyError):
        return [UNREADABLE]
    return list(known)
