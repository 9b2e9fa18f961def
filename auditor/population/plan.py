"""From the definition to jobs: one a member, each a value that says all that determines its result."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from auditor.compress.prune import can_stack
from auditor.errors import AuditorError, ModelError, Problem, SpecError
from auditor.models.architectures import check_architecture
from auditor.models.load import ending_of, read_pinned
from auditor.models.start import OPTIONS, look_at_weights
from auditor.population.environment import environment, trusted
from auditor.population.exported import check_target
from auditor.population.files import check_partners, given_files, reading_of
from auditor.population.job import Job, Variant
from auditor.population.recipe import recipe_of, settings_of, training_of
from auditor.population.stacked import MOST
from auditor.provenance import canonical
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
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from auditor.population.files import GivenFile
    from auditor.records import Claim, Dataset
    from auditor.spec import AuditSpec, Compression

_WEIGHTS = {"weights", "weights_sha256"}


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
    """What all jobs of one audit have in common."""

    def __init__(self, spec: AuditSpec, dataset: Dataset, base: Path) -> None:
        self._spec = spec
        self._dataset = dataset
        self._base = base
        self._given = spec.model.path is not None
        # What is trained here ends in logits unless it ends in an activation: the loss is chosen so.
        kind = spec.model.outputs or ("logits" if spec.model.architecture else None)
        self._reading = reading_of(spec.data, dataset, kind)
        self._common = {
            "data": dataset.digest,
            "reading": self._reading,
            "environment": environment(),
            "trusted": trusted(spec, base),
        }

    @cached_property
    def baseline(self) -> Variant:
        """The model that the others are compared with."""
        model = self._spec.model
        if model.path is not None:
            recipe: dict[str, Any] = {"path": model.path, "sha256": model.sha256} | _output(model.output)
            stacks: tuple[Job, ...] = ()
            jobs = self._given_jobs(BASELINE, self._files, self._reading, _output(model.output))
        else:
            recipe = {"architecture": model.architecture, "options": model.options} | self._weights
            stacks, jobs = self._trained(BASELINE, ())
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
        if self._weights_file is not None:
            yield "model.options.weights", self._weights_file

    def _made(self, entry: Compression) -> Variant:
        name, size = str(entry.name), self._spec.population.size
        if isinstance(entry, Artifact):
            return self._artifact(entry)
        if not isinstance(entry, Method):
            raise ModelError(f'"{name}" is a column of predictions, but the baseline is a model')
        steps = recipe_of(entry, self._spec, self._dataset)
        if self._spec.population.start == "scratch" and isinstance(entry, Prune):
            stacks, jobs = self._trained(name, steps)
            return _variant(entry, jobs, stacks=stacks)
        parents, trains = self.baseline.jobs, any(step["training"] for step in steps)
        # Without training nothing is drawn at random: the same file again would give the same file again.
        alone = trains and self._given and len(parents) == 1
        jobs = tuple(
            self._job(name, k, _derived(parents[k % len(parents)]), steps=steps)
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
        return given_files(self._base, str(model.path), model.sha256, self._reading, "model.path", model.output)

    def _artifact(self, entry: Artifact) -> Variant:
        """A compressed file made elsewhere, or a population of them."""
        name, where = str(entry.name), f"compression {entry.name}"
        reading = {**self._reading, "kind": entry.outputs or self._spec.model.outputs}
        output = entry.output or self._spec.model.output
        files = given_files(self._base, entry.artifact, entry.sha256, reading, where, output)
        own = {} if entry.preprocess is None else {"preprocess": entry.preprocess.model_dump(mode="json")}
        jobs = self._given_jobs(name, files, reading, _output(output) | own)
        if "*" not in entry.artifact:
            return _variant(entry, jobs, claim="artifact")
        paired = "*" in str(self._spec.model.path)
        if paired:
            check_partners(where, [file.star for file in files], [file.star for file in self._files])
        return _variant(entry, jobs, paired=paired, fixed_baseline=not paired)

    def _trained(self, variant: str, steps: Sequence[Mapping[str, Any]]) -> tuple[tuple[Job, ...], tuple[Job, ...]]:
        """Give the stacks, if any, and the members of a population that is trained from scratch.

        Where the first step is pruning, that is the training; else the model is trained before.
        """
        model, size = self._spec.model, self._spec.population.size
        training = None if steps else training_of(self._spec, self._dataset, self._spec.training.epochs)
        weights, path = self._weights, self._weights_file
        own = {key: value for key, value in model.options.items() if path is None or key not in _WEIGHTS}
        start = {"architecture": model.architecture, "options": own} | weights
        if not (self._is_stacked and all(map(can_stack, steps[:1]))):
            pinned = path is None or "weights_sha256" in model.options
            jobs = (self._job(variant, k, start, training=training, steps=steps) for k in range(size))
            return (), tuple(replace(job, path=path, pinned=pinned) for job in jobs)
        stacks, members_jobs = [], []
        for part in np.array_split(np.arange(size), -(-size // MOST)):
            members = part.tolist()
            seeds = [seed_of(self._spec.audit.seed, variant, k) for k in members]
            pruning = [settings_of(step) for step in steps[:1]]
            together = {"training": training or steps[0]["training"], "steps": pruning, "seeds": seeds}
            stack = Job(variant=variant, member=members[0], definition={"start": start} | together | self._common)
            stacks.append(stack)
            # the first step is done: the stack has pruned, and what is left of it is to be checked
            left = [{**step, "training": step["training"] if number else None} for number, step in enumerate(steps)]
            members_jobs += [
                self._job(variant, k, start | {"parent": stack.key, "place": place}, steps=left)
                for place, k in enumerate(members)
            ]
        return tuple(stacks), tuple(members_jobs)

    @property
    def _weights_file(self) -> Path | None:
        """Where the weights lie that a built-in architecture starts from."""
        declared = self._spec.model.options.get("weights")
        is_built_in = ":" not in str(self._spec.model.architecture)
        return self._base / declared if declared is not None and is_built_in else None

    @cached_property
    def _weights(self) -> dict[str, Any]:
        """What of them determines a member: the file's digest, and whether the head starts fresh; nothing without."""
        check_architecture(str(self._spec.model.architecture), self._spec.model.options)
        if (path := self._weights_file) is None:
            return {}
        content, digest = read_pinned(path, self._spec.model.options.get("weights_sha256"))
        outputs = look_at_weights(content, ending_of(path), str(path))
        return {"sha256": digest, "ending": ending_of(path), "fresh_head": outputs != len(self._dataset.classes)}

    @property
    def _is_stacked(self) -> bool:
        """Whether members that start from scratch are trained together: declared, or known to be possible."""
        declared = self._spec.training.stacked
        if declared != "auto":
            return declared
        on_table = self._spec.data.source in {None, "table"}
        other = self._spec.training.weight_decay or set(OPTIONS) & self._spec.model.options.keys()
        return self._spec.model.architecture == "mlp" and on_table and not other

    def _given_jobs(
        self, variant: str, files: tuple[GivenFile, ...], reading: Mapping[str, Any], read: Mapping[str, Any]
    ) -> tuple[Job, ...]:
        """`read` says what of the files is read, and how, beside the classes."""
        starts = ({"sha256": file.sha256, "ending": file.facts.ending, **read} for file in files)
        jobs = (self._job(variant, k, start, reading=reading) for k, start in enumerate(starts))
        return tuple(replace(job, path=file.path, pinned=file.pinned) for job, file in zip(jobs, files, strict=True))

    def _job(
        self,
        variant: str,
        member: int,
        start: Mapping[str, Any],
        *,
        training: Mapping[str, Any] | None = None,
        steps: Sequence[Mapping[str, Any]] = (),
        reading: Mapping[str, Any] | None = None,
    ) -> Job:
        seed = seed_of(self._spec.audit.seed, variant, member)
        trains = training or any(step["training"] for step in steps)
        definition = {
            **self._common,
            "start": start,
            "training": training,
            "steps": [
                {**step, "seed": seed_of(seed, "step", number) if number else seed} if step["training"] else dict(step)
                for number, step in enumerate(steps)
            ],
            "seed": seed if trains else None,
        }
        if reading is not None:
            definition["reading"] = reading
        return Job(variant=variant, member=member, definition=definition)


def _output(name: str | None) -> dict[str, str]:
    """What a job says of the output that is audited: nothing where it is the only one."""
    return {} if name is None else {"output": name}


def _derived(parent: Job) -> dict[str, Any]:
    """The start of a job that goes on from another one's model."""
    return {"parent": parent.key} | _output(parent.definition["start"].get("output"))


def seed_of(audit_seed: int, role: str, member: int) -> int:
    """The seed of one member, 32 bits. `role`, "baseline" or the variant's name, keeps populations from sharing any."""
    digest = hashlib.sha256(canonical({"seed": audit_seed, "role": role, "member": member})).digest()
    return int.from_bytes(digest[:4])


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
