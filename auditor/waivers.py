"""Waivers: which findings somebody accepts for a while. Pure: the day to go by is given.

A waiver changes no verdict and no number. It keeps a finding from counting, which stays in the report, marked, with who
accepts it, why and until when. From the day after on it counts again.

What may be waived: a FAIL and an INCONCLUSIVE, by any waiver that is about them. An UNDEFINED is no known harm that
somebody could accept: nothing is known. So a waiver reaches it only where it names what is missing: the variant whose
members are too few, or the group or class that is too small. No waiver of a whole gate hides that nothing was measured.
A PASS needs none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from auditor.records import Verdict

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from auditor.records import Finding, Gate, GroupKey, Label, Waiver

NOWHERE = "is about no comparison that the gate makes"


def waive(
    findings: Sequence[Finding], waivers: Sequence[Waiver], day: str, blocked: Container[str]
) -> tuple[Finding, ...]:
    """Mark each finding with the waiver that is about it, and with whether that one counts on a day.

    `blocked` holds the variants that cannot be judged, because members are missing. Of several waivers the one that
    lasts longest is named.
    """
    return tuple(_marked(finding, waivers, day, blocked) for finding in findings)


def _marked(finding: Finding, waivers: Sequence[Waiver], day: str, blocked: Container[str]) -> Finding:
    own = [waiver for waiver in waivers if covers(waiver, finding) and _reaches(waiver, finding, blocked)]
    last = max(own, key=lambda waiver: waiver.expires, default=None)
    return replace(finding, waiver=last, waived=last is not None and not is_expired(last, day))


def covers(waiver: Waiver, finding: Finding) -> bool:
    """Tell whether a finding is among those that a waiver is about, whatever its verdict."""
    e = finding.estimate
    return waiver.gate == finding.gate and _names(waiver, e.variant, e.label, e.group)


def _names(waiver: Waiver, variant: str, label: Label | None, group: GroupKey) -> bool:
    """Tell whether a waiver is about a place of its gate; what it leaves out is all."""
    return waiver.variant in {None, variant} and waiver.label in {None, label} and waiver.group in {None, group}


def _reaches(waiver: Waiver, finding: Finding, blocked: Container[str]) -> bool:
    """Tell whether a waiver may keep a finding that it is about from counting."""
    if finding.verdict is Verdict.UNDEFINED:
        missing = (waiver.variant,) if finding.estimate.variant in blocked else (waiver.group, waiver.label)
        return any(name is not None for name in missing)
    return finding.verdict is not Verdict.PASS


def is_expired(waiver: Waiver, day: str) -> bool:
    """Tell whether a waiver does not count any more: it does on its last day."""
    return waiver.expires < day


def idle(waiver: Waiver, findings: Sequence[Finding]) -> str:
    """Say why a waiver marks no finding; empty where it marks one."""
    about = [finding for finding in findings if covers(waiver, finding)]
    if any(finding.waiver == waiver for finding in about):
        return ""
    if not about:
        return NOWHERE
    open_ = [finding for finding in about if finding.verdict is not Verdict.PASS]
    if not open_:
        return "is not needed: all that it is about passes"
    if all(finding.waiver is None for finding in open_):
        return "does not reach what is UNDEFINED: name the variant, group or class that is missing"
    return "is not needed: another waiver lasts longer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Whether a waiver can keep anything from counting, as far as that is known before a run."""

    waiver: Waiver
    expired: bool
    why_not: str
    """Why it keeps nothing from counting, whatever comes out; empty where it may."""

    def __str__(self) -> str:
        """Say which waiver it is, and what is wrong with it."""
        line = "" if self.waiver.line is None else f" (line {self.waiver.line})"
        return f"the waiver of {self.waiver.gate!r}{line} by {self.waiver.owner} {self.why_not}"


def standing(waivers: Sequence[Waiver], gates: Sequence[Gate], day: str) -> tuple[Standing, ...]:
    """Tell of each waiver whether it has expired on a day, and whether its gate compares what it names."""
    return tuple(_standing(waiver, gates, expired=is_expired(waiver, day)) for waiver in waivers)


def _standing(waiver: Waiver, gates: Sequence[Gate], *, expired: bool) -> Standing:
    compared = any(
        _names(waiver, variant, label, group)
        for gate in gates
        if gate.name == waiver.gate
        for variant in gate.variants
        for label, group, _ in gate.targets
    )
    why_not = "" if compared else NOWHERE
    if expired and compared:
        why_not = f"expired on {waiver.expires}: it excuses nothing any more, and what it is about counts"
    return Standing(waiver=waiver, expired=expired, why_not=why_not)
