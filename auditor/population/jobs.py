"""The jobs of an audit: each says all that determines its result, so that equal jobs are one."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from auditor.compress.prune import can_stack
from auditor.models.architectures import check_architecture
from auditor.models.load import ending_of, read_pinned
from auditor.models.start import OPTIONS, look_at_weights
from auditor.population.environment import environment, trusted
from auditor.population.files import reading_of
from auditor.population.job import Job
from auditor.population.recipe import settings_of, training_of
from auditor.population.stacked import MOST
from auditor.provenance import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from auditor.population.files import GivenFile
    from auditor.records import Dataset
    from auditor.spec import AuditSpec

_WEIGHTS = {"weights", "weights_sha256"}


class Jobs:
    """Makes the jobs of one audit: what all of them have in common, and what each one adds."""

    def __init__(self, spec: AuditSpec, dataset: Dataset, base: Path) -> None:
        self._spec = spec
        self._dataset = dataset
        self._base = base
        # What is trained here ends in logits unless it ends in an activation: the loss is chosen so.
        kind = spec.model.outputs or ("logits" if spec.model.architecture else None)
        self.reading = reading_of(spec.data, dataset, kind)
        self._common = {
            "data": dataset.digest,
            "reading": self.reading,
            "environment": environment(),
            "trusted": trusted(spec, base),
        }

    def trained(self, variant: str, steps: Sequence[Mapping[str, Any]]) -> tuple[tuple[Job, ...], tuple[Job, ...]]:
        """Give the stacks, if any, and the members of a population that is trained from scratch.

        Where the first step is pruning, that is the training; else the model is trained before.
        """
        model, size = self._spec.model, self._spec.population.size
        training = None if steps else training_of(self._spec, self._dataset, self._spec.training.epochs)
        weights, path = self.weights, self.weights_file
        own = {key: value for key, value in model.options.items() if path is None or key not in _WEIGHTS}
        start = {"architecture": model.architecture, "options": own} | weights
        if not (self._is_stacked and all(map(can_stack, steps[:1]))):
            pinned = path is None or "weights_sha256" in model.options
            jobs = (self.one(variant, k, start, training=training, steps=steps) for k in range(size))
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
                self.one(variant, k, start | {"parent": stack.key, "place": place}, steps=left)
                for place, k in enumerate(members)
            ]
        return tuple(stacks), tuple(members_jobs)

    def of_files(
        self, variant: str, files: tuple[GivenFile, ...], reading: Mapping[str, Any], read: Mapping[str, Any]
    ) -> tuple[Job, ...]:
        """`read` says what of the files is read, and how, beside the classes."""
        starts = ({"sha256": file.sha256, "ending": file.facts.ending, **read} for file in files)
        jobs = (self.one(variant, k, start, reading=reading) for k, start in enumerate(starts))
        return tuple(replace(job, path=file.path, pinned=file.pinned) for job, file in zip(jobs, files, strict=True))

    def one(
        self,
        variant: str,
        member: int,
        start: Mapping[str, Any],
        *,
        training: Mapping[str, Any] | None = None,
        steps: Sequence[Mapping[str, Any]] = (),
        reading: Mapping[str, Any] | None = None,
    ) -> Job:
        """The job of one member; `reading` is what of a file's answer is read, where it is not as declared for all."""
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

    @property
    def weights_file(self) -> Path | None:
        """Where the weights lie that a built-in architecture starts from."""
        declared = self._spec.model.options.get("weights")
        is_built_in = ":" not in str(self._spec.model.architecture)
        return self._base / declared if declared is not None and is_built_in else None

    @cached_property
    def weights(self) -> dict[str, Any]:
        """What of them determines a member: the file's digest, and whether the head starts fresh; nothing without."""
        check_architecture(str(self._spec.model.architecture), self._spec.model.options)
        if (path := self.weights_file) is None:
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


def output_of(name: str | None) -> dict[str, str]:
    """What a job says of the output that is audited: nothing where it is the only one."""
    return {} if name is None else {"output": name}


def derived(parent: Job) -> dict[str, Any]:
    """The start of a job that goes on from another one's model."""
    return {"parent": parent.key} | output_of(parent.definition["start"].get("output"))


def seed_of(audit_seed: int, role: str, member: int) -> int:
    """The seed of one member, 32 bits. `role`, "baseline" or the variant's name, keeps populations from sharing any."""
    digest = hashlib.sha256(canonical({"seed": audit_seed, "role": role, "member": member})).digest()
    return int.from_bytes(digest[:4])
