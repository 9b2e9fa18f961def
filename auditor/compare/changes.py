"""What is told of two audits: frozen values, which are worded and written elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from auditor.records import AuditResult, Estimate, Finding, GroupKey, Waiver

Direction = Literal["worse", "gone", "new", "other terms", "waived", "better"]
Relation = Literal["apart", "beyond", "within", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A comparison that is judged otherwise than before, or in one of the audits alone."""

    direction: Direction
    old: Finding | None
    new: Finding | None
    why: str
    """What else changed with it; empty where nothing did."""
    counts: bool
    """Whether the answer is 1 because of it."""
    diluted: bool = False
    """Whether it fails no more only since it is corrected for more comparisons than before."""

    @property
    def finding(self) -> Finding:
        """The finding that tells whom it is about."""
        found = self.new or self.old
        assert found is not None  # noqa: S101 - one of them is given
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A judged number that is another than before."""

    old: Estimate
    new: Estimate
    relation: Relation
    """Of both intervals: they do not overlap; they do, but each number lies outside the other's interval; one of the
    numbers lies within the other's interval; one has no interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something with a name that is other than before; None where one side has no such thing."""

    name: str
    old: Any
    new: Any


class Members(NamedTuple):
    """How many members of a variant there are."""

    asked: int
    finished: int
    compared: int
    collapsed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """All that changed between two audits."""

    old: AuditResult
    new: AuditResult
    renamed: tuple[tuple[str, str], ...]
    """Gates that have another name and are else the same, by their old and their new one: they are compared as one."""
    shifts: tuple[Shift, ...]
    """Worst first; comparisons that are judged as before are left out."""
    compared: int
    """Comparisons in both."""
    moves: tuple[Move, ...]
    """Those that say most first; numbers that are the same are left out."""
    gates: tuple[Change, ...]
    """Gate by gate: of one that is in both, its new name with the term, such as "no group loses recall: min"."""
    waivers: tuple[tuple[Waiver | None, Waiver | None], ...]
    """Those of a gate that was renamed are given by its new name."""
    groups: tuple[tuple[GroupKey, int | None, int | None], ...]
    """Test examples, where they differ."""
    splits: tuple[tuple[str, int | None, int | None], ...]
    members: tuple[tuple[str, Members | None, Members | None], ...]
    """By variant, where they differ."""
    definition: tuple[Change, ...]
    """But for gates and waivers."""
    provenance: tuple[Change, ...]
    """Versions, seed and machine."""
    models: tuple[int, int]
    """How many of the new audit's models are files of the old one, and how many there are."""
