"""Waivers: which findings somebody accepts for a while. Pure: the day to go by is given.

A waiver changes no verdict and no number. It keeps a finding from counting, which stays in the report, marked, with who
accepts it, why and until when. From the day after on it counts again.

What may be waived: a FAIL and an INCONCLUSIVE, by any waiver that is about them. An UNDEFINED is no known harm that
somebody could accept: nothing is known. So a waiver reaches it only where it names what is missing: the variant whose
members are too few, or the group or class that is too small. No waiver of a whole gate hides that nothing was measured.
A PASS needs none.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.records import Verdict

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from auditor.records import Finding, Waiver


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
    return (
        waiver.gate == finding.gate
        and waiver.variant in {None, e.variant}
        and waiver.label in {None, e.label}
        and waiver.group in {None, e.group}
    )


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
        return "is about no comparison that the gate makes"
    open_ = [finding for finding in about if finding.verdict is not Verdict.PASS]
    if not open_:
        return "is not needed: all that it is about passes"
    if all(finding.waiver is None for finding in open_):
        return "does not reach what is UNDEFINED: name the variant, group or class that is missing"
    return "is not needed: another waiver lasts longer"
