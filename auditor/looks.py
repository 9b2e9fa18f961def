"""Earlier looks at the same question: judging again at another size until it passes is not judging at 5%.

The store keeps, for each question (which number, of which recipe, on which data), the plans (members, test examples,
models or seed, limits and how they were judged) that it was judged by, in order, and whom each was about. Repeating a
plan is no further look. Two, three and five looks pass a variant that is at its limit 8, 10 and 13% of the time instead
of 5% (statistics: section 6).
"""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, TypeAdapter, ValidationError

from auditor.errors import IncompleteError, Problem
from auditor.judge import summary
from auditor.output import part_of, write_new
from auditor.provenance import canonical, digest_of
from auditor.records import BASELINE, EarlierLook, Look, Verdict
from auditor.regular import read_regular

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from auditor.records import Dataset, Finding, Gate, Population

Count = Annotated[int, Field(ge=0)]


class _Told(BaseModel):
    """What is told of a plan; all null where what was kept cannot be read."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    members: Count | None
    examples: Count | None
    seed: Count | None
    min: FiniteFloat | None
    max: FiniteFloat | None
    verdict: Literal["PASS", "FAIL", "INCONCLUSIVE", "UNDEFINED"] | None


class _Kept(BaseModel):
    """One look, as the store keeps it."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    plan: str
    run: str
    """Digest of all plans that were judged with it: gates of one run are no looks of each other."""
    targets: list[str] | None
    """Whom it was about; null: anybody."""
    told: _Told


_KEPT = TypeAdapter(list[_Kept])
_NOTHING = _Told(members=None, examples=None, seed=None, min=None, max=None, verdict=None)
UNREADABLE = _Kept(plan="", run="", targets=None, told=_NOTHING)
"""What stands for a file that cannot be read: some look at everything it may have been about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What verdicts depend on besides the numbers and the gates."""

    seed: int
    training: Mapping[str, Any]
    """As declared."""
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
    asked = [(gate, by_name[variant]) for gate in gates for variant in gate.variants]
    plans = [_plan(dataset, gate, (by_name[BASELINE], population), terms) for gate, population in asked]
    digests = [digest_of(plan) for plan in plans]
    run = digest_of(sorted(digests))
    looks = []
    for (gate, population), plan, digest in zip(asked, plans, digests, strict=True):
        own = [f for f in findings if (f.gate, f.estimate.variant) == (gate.name, population.name)]
        told = {key: plan[key] for key in ("members", "examples", "seed", "min", "max")}
        look = _Kept(
            plan=digest,
            run=run,
            targets=sorted({_whom(finding) for finding in own}),
            told=_Told(**told, verdict=summary(own).value),
        )
        file = folder / f"{digest_of(_question(dataset, gate, population))}.json"
        if earlier := _record(file, look):
            looks.append(Look(gate=gate.name, variant=population.name, earlier=earlier))
    return tuple(looks)


def _question(dataset: Dataset, gate: Gate, population: Population) -> dict[str, Any]:
    """Say what is asked. Neither the variant's name nor the data's folder makes another question."""
    return {
        "data": dataset.source.rpartition("/")[2],
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
        # a member's seed derives from the audit's and from the variant's name
        "seed": terms.seed if trained else None,
        "trained": [[population.name, dict(population.asked_for)] for population in trained],
        "training": dict(terms.training) if trained else None,
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


def _record(file: Path, look: _Kept) -> tuple[EarlierLook, ...]:
    """Give the other plans that any of the same people were judged by, before they were first judged by this one."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(file.parent, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            known = _read(file)
            if not any((one.plan, one.run, one.targets) == (look.plan, look.run, look.targets) for one in known):
                known.append(look)
                _write(file, known)
        finally:
            os.close(lock)
    except OSError as error:
        message = f"earlier judgements cannot be written down: {error.strerror or error}"
        raise IncompleteError(Problem(file=str(file.parent), message=message)) from error
    histories = (_before(look, target, known) for target in look.targets or ())
    longest = max(histories, key=len, default=[])
    return tuple(_earlier(one) for one in longest)


def _before(look: _Kept, target: str, known: Sequence[_Kept]) -> list[_Kept]:
    """Give the other plans by which someone was judged before this one, each once, without those of the same run."""
    about = [one for one in known if one.targets is None or target in one.targets]
    first = next(place for place, one in enumerate(about) if one.plan == look.plan)
    together = {one.plan for one in about if one.run == about[first].run}
    return list({one.plan: one for one in about[:first] if one.plan not in together}.values())


def _earlier(one: _Kept) -> EarlierLook:
    told = one.told.model_dump()
    return EarlierLook(**told | {"verdict": told["verdict"] and Verdict(told["verdict"])})


def _read(file: Path) -> list[_Kept]:
    try:
        return _KEPT.validate_json(read_regular(file))
    except FileNotFoundError:
        return []
    except (ValidationError, ValueError, RecursionError):
        return [UNREADABLE]


def _write(file: Path, looks: list[_Kept]) -> None:
    part = part_of(file)
    try:
        write_new(part, canonical([look.model_dump() for look in looks]))
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
