"""What members decided, put together: from stored results, or from a table of predictions."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from auditor.errors import DataError, Problem
from auditor.population.entry import Entry
from auditor.provenance import digest_of
from auditor.records import BASELINE, Failure, Population, Predictions
from auditor.sandbox import Sandbox, weakest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from auditor.data import Given
    from auditor.population.job import Variant

Outcome = Entry | str
"""What became of a job: its stored result, or the reason why there is none."""


class Columns(Protocol):
    """A source whose table holds decisions already."""

    def members(self, declared: str) -> Given:
        """What the members of a variant decide, by what it declares as its predictions."""


def failure_of(outcome: Outcome) -> str | None:
    """Why there is no result; None where there is one."""
    return outcome if isinstance(outcome, str) else outcome.failure


def population_of(variant: Variant, outcomes: Mapping[str, Outcome], N: int) -> Population:
    """The members that finished, and why the others did not; `N` test examples."""
    found = [(job.member, outcomes[job.key]) for job in variant.jobs]
    finished = [(member, each) for member, each in found if isinstance(each, Entry) and each.failure is None]
    watched = {job.member for job in variant.jobs if job.is_watched}
    population = _of(
        variant,
        asked=len(variant.jobs),
        predictions=_predictions([member for member, _ in finished], [entry for _, entry in finished], N),
        failures=tuple(
            Failure(variant=variant.name, member=member, reason=reason)
            for member, outcome in found
            if (reason := failure_of(outcome)) is not None
        ),
        measured=alike([entry.measured for _, entry in finished]),
        events={
            member: events
            for member, entry in finished
            if member in watched and (events := entry.events()) is not None  # what nobody asked for is not passed on
        },
        sandbox=weakest(
            entry.sandbox
            for job in (*variant.stacks, *variant.jobs)
            if isinstance(entry := outcomes.get(job.key), Entry)
        ),
    )
    return replace(population, models={member: entry.model for member, entry in finished if entry.model is not None})


def alike(measured: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """What was measured, without what only some members have, or as another kind: no mean can be taken of it."""
    kinds = [
        {key: isinstance(value, int | float) and not isinstance(value, bool) for key, value in one.items()}
        for one in measured
    ]
    shared = [key for key, kind in kinds[0].items() if all(other.get(key) is kind for other in kinds)] if kinds else []
    return tuple({key: one[key] for key in shared} for one in measured)


def _predictions(members: list[int], entries: list[Entry], N: int) -> Predictions:
    decisions = np.stack([entry.decisions() for entry in entries]) if entries else np.zeros((0, N), np.int16)
    likely = [p for entry in entries if (p := entry.probabilities()) is not None]
    probabilities = np.stack(likely) if likely and len(likely) == len(entries) else None
    for array in (decisions, probabilities):
        if array is not None:
            array.flags.writeable = False
    return Predictions(
        members=tuple(members),
        decisions=decisions,
        probabilities=probabilities,
        digests=tuple(entry.digest for entry in entries),
    )


def _of(
    variant: Variant,
    *,
    asked: int,
    predictions: Predictions,
    failures: tuple[Failure, ...] = (),
    measured: tuple[Mapping[str, Any], ...] = (),
    events: Mapping[int, bytes] = MappingProxyType({}),
    sandbox: Sandbox | None = None,
) -> Population:
    return Population(
        name=variant.name,
        method=variant.method,
        claim=variant.claim,
        paired=variant.paired,
        fixed_baseline=variant.fixed_baseline,
        asked=asked,
        predictions=predictions,
        failures=failures,
        asked_for=variant.recipe,
        measured=measured,
        events=events,
        stack=max((len(stack.seeds) for stack in variant.stacks), default=None),
        sandbox=sandbox,
    )


def without_twins(populations: Sequence[Population]) -> tuple[Population, ...]:
    """The populations, where a compressed file that is no file of its own counts as failed, with the reason.

    A member whose file is the baseline's was not compressed. A variant all of whose files are another one's is a second
    name of it, unless the two differ in what they are calibrated on: that this changes nothing is a finding. Of a
    variant that shares some of its files with another one all members stay, since those left would be chosen ones.
    """
    baseline, *variants = populations
    found = [baseline]
    for place, population in enumerate(variants):
        files = _files(population)
        twins = _shared(files, baseline)
        for other in variants[:place]:
            if set(files) == set(_files(other)) and not _differ_in_calibration(population, other):
                twins |= _shared(files, other)
        found.append(_without(population, twins) if twins else population)
    return tuple(found)


def _files(population: Population) -> list[str]:
    """What each member is: its file, and how that is read."""
    read = {key: population.asked_for.get(key) for key in ("output", "preprocess")}
    return [digest_of([digest, read]) for digest in population.predictions.digests]


def _shared(files: Sequence[str], other: Population) -> dict[int, tuple[str, int]]:
    """The places of files that another population has too, and whose member they are there."""
    owner = dict(zip(_files(other), other.predictions.members, strict=True))
    return {place: (other.name, owner[file]) for place, file in enumerate(files) if file in owner}


def _differ_in_calibration(one: Population, other: Population) -> bool:
    """Tell whether two recipes differ in the representative set alone."""
    recipes = [population.asked_for for population in (one, other)]
    return recipes[0] != recipes[1] and digest_of(_uncalibrated(recipes[0])) == digest_of(_uncalibrated(recipes[1]))


def _uncalibrated(recipe: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(recipe, list):
        return [_uncalibrated(step) for step in recipe]
    if not isinstance(recipe, dict):
        return recipe
    return {key: _uncalibrated(value) for key, value in recipe.items() if key not in {"calibration", "export"}}


def _without(population: Population, twins: Mapping[int, tuple[str, int]]) -> Population:
    """A population without the members at these places, which are failures instead."""
    predictions = population.predictions
    left = [place for place in range(len(predictions.members)) if place not in twins]
    kept = {predictions.members[place] for place in left}
    failures = [
        Failure(
            variant=population.name,
            member=predictions.members[place],
            reason=f"its file is, byte by byte, that of {other}, member {number}: nothing is compared",
        )
        for place, (other, number) in twins.items()
    ]
    probabilities = predictions.probabilities
    return replace(
        population,
        predictions=Predictions(
            members=tuple(predictions.members[place] for place in left),
            decisions=predictions.decisions[left],
            probabilities=None if probabilities is None else probabilities[left],
            digests=tuple(predictions.digests[place] for place in left),
        ),
        failures=tuple(sorted((*population.failures, *failures), key=lambda failure: failure.member)),
        measured=tuple(population.measured[place] for place in left),
        models={member: path for member, path in population.models.items() if member in kept},
    )


def from_columns(variants: Sequence[Variant], source: Columns) -> tuple[Population, ...]:
    """Populations of decisions that a table holds: no jobs, no models."""
    pattern, made = str(variants[0].columns), []
    first = source.members(pattern).members
    for variant in variants:
        given = source.members(str(variant.columns))
        predictions = _given(given, _pairing(variant, given.members, pattern, first) if variant.paired else None)
        # One column against one is this model against that one; many against one leave the baseline fixed.
        size = len(given.members)
        alone = size == len(first) == 1
        fixed = variant.name != BASELINE and len(first) == 1 and size > 1
        told = replace(variant, claim="artifact" if alone else "recipe", fixed_baseline=fixed)
        made.append(_of(told, asked=size, predictions=predictions))
    return tuple(made)


def _given(given: Given, order: list[int] | None) -> Predictions:
    """Predictions of members that a table holds, in this order; None: as they stand."""
    decisions, probabilities = given.decisions, given.probabilities
    if order is not None and order != sorted(order):
        decisions = decisions[order]
        probabilities = None if probabilities is None else probabilities[order]
    # of 32 bits, so that a member has one digest however few classes there are
    digests = (hashlib.sha256(np.ascontiguousarray(row, np.int32).tobytes()).hexdigest() for row in decisions)
    return Predictions(
        members=tuple(range(len(decisions))), decisions=decisions, probabilities=probabilities, digests=tuple(digests)
    )


def _pairing(variant: Variant, names: Sequence[str], pattern: str, baseline: Sequence[str]) -> list[int]:
    """For each member of the baseline the place of its partner: the one where the star stands for the same."""
    own = {name: place for place, name in enumerate(names)}
    if Counter(own.keys()) != Counter(baseline):
        lone = sorted(set(own) ^ set(baseline))
        message = f'"{variant.columns}" and "{pattern}" do not pair: without a partner {", ".join(map(repr, lone))}'
        advice = "Paired columns need the same text in place of the star; or set paired = false."
        raise DataError(Problem(where=f"compression {variant.name}", message=message, advice=advice))
    return [own[name] for name in baseline]
