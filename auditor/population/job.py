"""What is to be made, as values: one job a member, and the variants that they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from auditor.provenance import digest_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from auditor.population.store import Store
    from auditor.records import Claim


@dataclass(frozen=True, kw_only=True)
class Job:
    """One member to make, or a stack of members to train together. Two jobs with one key are one job."""

    variant: str
    member: int
    definition: Mapping[str, Any]
    """JSON: where the model starts (architecture, file or parent), its training, the steps of the compression, seed,
    data, environment. A stack has the `seeds` of its members; each of them is a job after it, whose start names its
    `place` there."""
    path: Path | None = None
    """The file of a given model, or of the weights to start from; its digest, not its place, is in the definition."""
    pinned: bool = True
    """False: the file is named without its digest."""

    @cached_property
    def key(self) -> str:
        """SHA-256 of the definition."""
        return digest_of(self.definition)

    @property
    def parent(self) -> str | None:
        """Key of the job whose model this one starts from."""
        return self.definition["start"].get("parent")

    @property
    def given(self) -> Path | None:
        """The file that the member is, as it is."""
        return None if "architecture" in self.definition["start"] else self.path

    @property
    def name(self) -> str:
        """In words, such as "pruned-0.5, member 3"."""
        if self.is_rehearsal:
            return f"{self.variant}, tried on the layers"
        if self.is_stack:
            return f"{self.variant}, training of members {self.member} to {self.member + len(self.seeds) - 1}"
        return f"{self.variant}, member {self.member}"

    @property
    def is_stack(self) -> bool:
        """Whether it makes no member, but trains several."""
        return "seeds" in self.definition

    @property
    def is_rehearsal(self) -> bool:
        """Whether it makes no member, but tries what its steps make of an untrained model."""
        return "rehearsal" in self.definition

    @property
    def is_watched(self) -> bool:
        """Whether a step of it writes what masks do, for TensorBoard."""
        return any(step.get("summaries") for step in self.definition.get("steps", ()))

    @property
    def seeds(self) -> tuple[int, ...]:
        """Of the members of a stack."""
        return tuple(self.definition["seeds"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One population to come: what it claims, and its jobs. statistics.md, section 2."""

    name: str
    method: str
    claim: Claim
    paired: bool
    fixed_baseline: bool
    recipe: Mapping[str, Any]
    """As declared."""
    jobs: tuple[Job, ...]
    """One a member; empty where decisions come from a table."""
    stacks: tuple[Job, ...] = ()
    """Where members are trained together: jobs that the members' own come after."""
    columns: str | None = None
    """The pattern of a predictions table's columns."""
    export: tuple[Path, int] | None = None
    """A file for one member's model, and which member."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where a job finds what it needs, on this computer."""

    store: Store
    inputs: Path
    """The materialised inputs."""
    base: Path
    """The folder of audit.toml: the user's own modules are beside it."""
    force: bool
    """Whether stored results are replaced."""
