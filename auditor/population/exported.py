"""The file that ships: one member's model, written for its users, read back from there, and judged by itself."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from auditor.errors import OutputError, Problem, SpecError
from auditor.output import write
from auditor.population.entry import DamagedError, Entry
from auditor.population.job import Job, Variant
from auditor.population.together import failure_of
from auditor.provenance import digest_of_file
from auditor.regular import read_regular
from auditor.spec import exported_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from auditor.population.store import Store
    from auditor.population.together import Outcome


_LARGEST_LINE = 1 << 12
"""Bytes of a line with a digest and a name."""


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


def check_target(target: Path, named: Iterable[tuple[str, Path]], where: str) -> None:
    """Raise SpecError where an export would replace a file that it did not make, or cannot be written.

    `named` are the files and patterns that audit.toml names, each with its key.
    """
    for key, path in named:
        if fnmatchcase(str(target.absolute()), str(path.absolute())) or _is_same(target, path):
            message = f"{target} would take the place of what {key} names"
            raise SpecError(Problem(where=where, message=message, advice="Choose another folder."))
    if target.exists() and not _is_own(target):
        advice = "Choose another folder, or move it away."
        raise SpecError(Problem(where=where, message=f"{target} is there, and no export wrote it", advice=advice))
    above = next(folder for folder in target.absolute().parents if folder.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        said = "is no folder" if not above.is_dir() else "cannot be written to"
        raise SpecError(Problem(where=where, message=f"{above} {said}", advice="Choose another folder."))


def _is_same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)


def _digest_beside(path: Path) -> Path:
    """The file that says what was exported, as sha256sum writes it."""
    return path.with_name(f"{path.name}.sha256")


def _is_own(path: Path) -> bool:
    """Whether an export wrote this file, and nobody has changed it since."""
    beside = _digest_beside(path)
    try:
        said = read_regular(beside, _LARGEST_LINE).decode().split("  ")[0]
        return said == digest_of_file(path)
    except (OSError, UnicodeDecodeError):
        return False


def withdraw(target: Path) -> None:
    """Take away what an export wrote, so that nobody ships a file that was not judged."""
    if target.exists() and _is_own(target):
        target.unlink()
        _digest_beside(target).unlink()


def export(
    variant: Variant, target: Path, number: int, outcomes: Mapping[str, Outcome], failed: str | None, store: Store
) -> tuple[Exported, str | None]:
    """Write a member's file, whole or not at all; what an earlier export left is taken away where there is none.

    Gives the file, and the reason where there is none: why the member has `failed`, or why nothing could be written.
    """
    member = variant.jobs[number]
    none = Exported(variant=_alone(variant, member, {}), member=member)
    reason = failed or failure_of(outcomes[member.key])
    withdraw(target)
    if reason:
        return none, reason
    try:
        content, ending = store.model(member.key)
        if ending != target.suffix:
            return none, f"its stored file is a {ending}, not a {target.suffix}"
        digest = hashlib.sha256(content).hexdigest()
        line = f"{digest}  {target.name}\n".encode()
        write(target.parent, {target.name: content, _digest_beside(target).name: line}, "Choose another by export.")
    except (DamagedError, OutputError) as error:
        return none, str(error)
    start = {"sha256": digest, "ending": ending}
    definition = {**member.definition, "start": start, "training": None, "steps": [], "seed": None}
    job = Job(variant=exported_name(variant.name), member=number, definition=definition, path=target)
    told = {"file": target.name, "sha256": digest, "member": number, "of": variant.name}
    return Exported(variant=_alone(variant, job, told), member=member), None


def _alone(variant: Variant, job: Job, told: Mapping[str, object]) -> Variant:
    return replace(
        variant,
        name=exported_name(variant.name),
        method="exported",
        claim="artifact",
        # the baseline member of its number, or the only one there is
        paired=not variant.fixed_baseline,
        fixed_baseline=False,
        recipe=told,
        jobs=(job,),
        stacks=(),
        export=None,
    )
