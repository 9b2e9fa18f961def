"""The file that ships: one member's model, written for its users, read back from there, and judged by itself."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from auditor.output import write
from auditor.population.job import Job, Variant
from auditor.population.store import Entry
from auditor.spec import exported_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from auditor.population.store import Store
    from auditor.population.together import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A file that was written, as a variant of its own: this very file against the baseline member of its number."""

    variant: Variant
    """With one job, which scores the file from where it lies."""
    member: Job
    """The job of the member that it is of."""

    def outcome(self, outcomes: Mapping[str, Outcome]) -> Outcome:
        """What became of the file; a reason where its decisions are not those of the member."""
        job = self.variant.jobs[0]
        found, judged = outcomes[job.key], outcomes[self.member.key]
        if isinstance(found, Entry) and found.failure is None and isinstance(judged, Entry):
            differ = int((found.decisions() != judged.decisions()).sum())
            if differ:
                return f"read back from {job.path}, it decides {differ:,} examples otherwise than the member judged"
        return found


def export(variant: Variant, folder: Path, number: int, outcomes: Mapping[str, Outcome], store: Store) -> Exported:
    """Write a member's file into a folder, whole or not at all. Raises OutputError where that cannot be done."""
    member = variant.jobs[number]
    outcome = outcomes[member.key]
    if not isinstance(outcome, Entry) or outcome.failure is not None:
        return Exported(variant=_alone(variant, member, {}), member=member)
    content, ending = store.model(member.key)
    path, digest = folder / f"{variant.name}{ending}", hashlib.sha256(content).hexdigest()
    write(folder, {path.name: content}, "Choose another folder by export.")
    start = {"sha256": digest, "ending": ending}
    definition = {**member.definition, "start": start, "training": None, "steps": [], "seed": None}
    job = Job(variant=exported_name(variant.name), member=number, definition=definition, path=path)
    told = {"file": path.name, "sha256": digest, "member": number, "of": variant.name}
    return Exported(variant=_alone(variant, job, told), member=member)


def _alone(variant: Variant, job: Job, told: Mapping[str, object]) -> Variant:
    return replace(
        variant,
        name=exported_name(variant.name),
        method="exported",
        claim="artifact",
        paired=True,
        fixed_baseline=False,
        recipe=told,
        jobs=(job,),
        stacks=(),
        export=None,
    )
