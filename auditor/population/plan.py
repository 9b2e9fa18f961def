"""From the definition to variants: what is compressed how, of which files or members, and what is claimed of it."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from auditor.errors import AuditorError, ModelError, Problem, SpecError
from auditor.population.exported import check_target
from auditor.population.files import check_partners, given_files
from auditor.population.job import Variant
from auditor.population.jobs import Jobs, derived, output_of
from auditor.population.recipe import recipe_of
from auditor.records import BASELINE
from auditor.spec import (
    QUANTIZERS,
    Artifact,
    Method,
    PredictionColumns,
    Prune,
    steps_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auditor.population.files import GivenFile
    from auditor.population.job import Job
    from auditor.records import Claim, Dataset
    from auditor.spec import AuditSpec, Compression


def plan(spec: AuditSpec, dataset: Dataset, base: Path) -> tuple[Variant, ...]:
    """All variants, the baseline first. Reads files that are named, but starts nothing and needs no TensorFlow.

    Raises AuditorError with every refused file, pin, architecture and schedule.
    """
    if spec.model.predictions is not None:
        return (_column_baseline(spec.model.predictions), *map(_column_variant, spec.compression))
    planner = _Planner(spec, dataset, base)
    problems: list[AuditorError] = []
    variants: list[Variant] = []
    for entry in (None, *spec.compression):
        try:
            variants.append(planner.baseline if entry is None else planner.variant(entry))
        except AuditorError as error:
            problems.append(error)
    if problems:
        # One kind of error carries them all; the first one's kind, since all of them exit alike.
        raise type(problems[0])(*dict.fromkeys(problem for error in problems for problem in error.problems))
    return tuple(variants)


def _column_baseline(pattern: str) -> Variant:
    return Variant(
        name=BASELINE,
        method="predictions",
        claim="recipe",
        paired=False,
        fixed_baseline=False,
        recipe={"predictions": pattern},
        jobs=(),
        columns=pattern,
    )


def _column_variant(entry: Compression) -> Variant:
    if not isinstance(entry, PredictionColumns):
        raise ModelError(f'"{entry.name}" cannot be made from a table of predictions: it holds no model')
    return Variant(
        name=str(entry.name),
        method="predictions",
        claim="recipe",
        paired=entry.paired,
        fixed_baseline=False,
        recipe=_recipe(entry),
        jobs=(),
        columns=entry.predictions,
    )


class _Planner:
    """Makes the variants of one audit."""

    def __init__(self, spec: AuditSpec, dataset: Dataset, base: Path) -> None:
        self._spec = spec
        self._dataset = dataset
        self._base = base
        self._given = spec.model.path is not None
        self._jobs = Jobs(spec, dataset, base)

    @cached_property
    def baseline(self) -> Variant:
        """The model that the others are compared with."""
        model = self._spec.model
        if model.path is not None:
            recipe: dict[str, Any] = {"path": model.path, "sha256": model.sha256} | output_of(model.output)
            stacks: tuple[Job, ...] = ()
            jobs = self._jobs.of_files(BASELINE, self._files, self._jobs.reading, output_of(model.output))
        else:
            recipe = {"architecture": model.architecture, "options": model.options} | self._jobs.weights
            stacks, jobs = self._jobs.trained(BASELINE, ())
        return Variant(
            name=BASELINE,
            method="given" if self._given else "train",
            claim=self._claim,
            paired=False,
            fixed_baseline=False,
            recipe=recipe,
            jobs=jobs,
            stacks=stacks,
        )

    def variant(self, entry: Compression) -> Variant:
        """One compression's population to come."""
        made = self._made(entry)
        if not isinstance(entry, Method) or entry.export is None:
            return made
        if entry.export_member >= len(made.jobs):
            message = f"there is no member {entry.export_member}: they are numbered from 0 to {len(made.jobs) - 1}"
            raise SpecError(Problem(where=f"compression {entry.name}: export_member", message=message))
        ending = ".tflite" if steps_of(entry)[-1].method in (*QUANTIZERS, "qat") else ".keras"
        target = self._base / entry.export / f"{entry.name}{ending}"
        check_target(target, self._named_files(), f"compression {entry.name}: export")
        return replace(made, export=(target, entry.export_member))

    def _named_files(self) -> Iterator[tuple[str, Path]]:
        """Every file that audit.toml names, or pattern of files, with its key."""
        spec = self._spec
        named = [("model.path", spec.model.path), ("data.path", spec.data.path), ("data.table", spec.data.table)]
        named += [(f"compression {e.name}: artifact", e.artifact) for e in spec.compression if isinstance(e, Artifact)]
        yield from ((key, self._base / path) for key, path in named if path is not None)
        if self._jobs.weights_file is not None:
            yield "model.options.weights", self._jobs.weights_file

    def _made(self, entry: Compression) -> Variant:
        name, size = str(entry.name), self._spec.population.size
        if isinstance(entry, Artifact):
            return self._artifact(entry)
        if not isinstance(entry, Method):
            raise ModelError(f'"{name}" is a column of predictions, but the baseline is a model')
        steps = recipe_of(entry, self._spec, self._dataset)
        if self._spec.population.start == "scratch" and isinstance(entry, Prune):
            stacks, jobs = self._jobs.trained(name, steps)
            return _variant(entry, jobs, stacks=stacks)
        parents, trains = self.baseline.jobs, any(step["training"] for step in steps)
        # Without training nothing is drawn at random: the same file again would give the same file again.
        alone = trains and self._given and len(parents) == 1
        jobs = tuple(
            self._jobs.one(name, k, derived(parents[k % len(parents)]), steps=steps)
            for k in range(size if alone else len(parents))
        )
        return _variant(entry, jobs, claim="recipe" if trains else self._claim, paired=not alone, fixed_baseline=alone)

    @property
    def _claim(self) -> Claim:
        """A single given file is spoken of itself; a population of them, or of trained models, for its recipe."""
        return "artifact" if self._given and "*" not in str(self._spec.model.path) else "recipe"

    @cached_property
    def _files(self) -> tuple[GivenFile, ...]:
        """The baseline's."""
        model = self._spec.model
        return given_files(self._base, str(model.path), model.sha256, self._jobs.reading, "model.path", model.output)

    def _artifact(self, entry: Artifact) -> Variant:
        """A compressed file made elsewhere, or a population of them."""
        name, where = str(entry.name), f"compression {entry.name}"
        reading = {**self._jobs.reading, "kind": entry.outputs or self._spec.model.outputs}
        output = entry.output or self._spec.model.output
        files = given_files(self._base, entry.artifact, entry.sha256, reading, where, output)
        own = {} if entry.preprocess is None else {"preprocess": entry.preprocess.model_dump(mode="json")}
        jobs = self._jobs.of_files(name, files, reading, output_of(output) | own)
        if "*" not in entry.artifact:
            return _variant(entry, jobs, claim="artifact")
        paired = "*" in str(self._spec.model.path)
        if paired:
            check_partners(where, [file.star for file in files], [file.star for file in self._files])
        return _variant(entry, jobs, paired=paired, fixed_baseline=not paired)


def warnings_of(variants: tuple[Variant, ...]) -> tuple[str, ...]:
    """A warning for each file that is named without its digest, which is the one found, and for a head left fresh."""
    said = []
    for job in (job for variant in variants for job in variant.jobs if job.path is not None):
        start, is_weights = job.definition["start"], job.given is None
        if not job.pinned:
            key = "weights_sha256" if is_weights else "sha256"
            said.append(f"{job.path} has no {key} in audit.toml; the one audited is {start['sha256']}")
        if is_weights and start["fresh_head"]:
            said.append(f"{job.path} has no head for these classes: the last layer starts fresh")
    return tuple(dict.fromkeys(said))


def _variant(
    entry: Compression,
    jobs: tuple[Job, ...],
    *,
    claim: Claim = "recipe",
    paired: bool = False,
    fixed_baseline: bool = False,
    stacks: tuple[Job, ...] = (),
) -> Variant:
    return Variant(
        name=str(entry.name),
        method="+".join(method.method for method in steps_of(entry)) or "artifact",
        claim=claim,
        paired=paired,
        fixed_baseline=fixed_baseline,
        recipe=_recipe(entry),
        jobs=jobs,
        stacks=stacks,
    )


def _recipe(entry: Compression) -> dict[str, Any]:
    return entry.model_dump(mode="json", exclude={"name"}, exclude_defaults=True)
