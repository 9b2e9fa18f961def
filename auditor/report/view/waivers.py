"""Waivers in words: what is not counted, why, by whom and until when; and which of them do nothing."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from auditor.records import Verdict
from auditor.report.view import words
from auditor.text import clean
from auditor.waivers import idle, is_expired

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.records import AuditResult, Finding, Waiver

_TOLD = 12
"""Waivers that are told one by one."""
_TEXT = 200


def waiver_notices(result: AuditResult) -> tuple[str, ...]:
    """Say on page one which waivers count, which have expired, and which are about nothing."""
    day = result.judged_on or ""
    notices = [_notice(waiver, result, day) for waiver in result.waivers]
    left = len(notices) - _TOLD
    more = [f"{words.plural(left, 'more waiver')} {'is' if left == 1 else 'are'} in result.json."] if left > 0 else []
    return (*notices[:_TOLD], *more)


def told(findings: Sequence[Finding]) -> str:
    """Say how many of some findings that do not pass were given which verdict: what it is that is waived."""
    counts = Counter(finding.verdict for finding in findings)
    if len(findings) == 1:
        return findings[0].verdict.value
    return ", ".join(f"{counts[verdict]:,} {verdict.value}" for verdict in Verdict if counts[verdict])


def _notice(waiver: Waiver, result: AuditResult, day: str) -> str:
    own = [finding for finding in result.findings if finding.waiver == waiver]
    number = len(own)
    about, why = _about(waiver), f"{words.name(waiver.owner)}: {_ended(clean(waiver.reason, _TEXT))}"
    if nothing := idle(waiver, result.findings):
        return f"The waiver of {about}, until {waiver.expires}, {nothing}."
    if is_expired(waiver, day):
        counting = f"{words.plural(number, 'comparison')} ({told(own)}) {'counts' if number == 1 else 'count'}"
        return f"The waiver of {about} expired on {waiver.expires}, before {day}: {counting}. {why}"
    what = f"{words.plural(number, 'comparison')} ({told(own)}) {'is' if number == 1 else 'are'} waived"
    return f"{what} until {waiver.expires}, shown and not counted: {about}. {why}"


def _about(waiver: Waiver) -> str:
    parts = [words.quoted(waiver.gate)]
    parts += [] if waiver.variant is None else [words.name(waiver.variant)]
    parts += [] if waiver.label is None else [words.quoted(waiver.label)]
    parts += [] if waiver.group is None else [words.group_of(waiver.group)]
    return ", ".join(parts)


def waiver_sentence(finding: Finding) -> str:
    """Say beside a finding who waives it, or that its waiver has expired; empty without one."""
    waiver = finding.waiver
    if waiver is None:
        return "Waived: not counted." if finding.waived else ""
    said = f"by {words.name(waiver.owner)}: {_ended(clean(waiver.reason, _TEXT))}"
    if finding.waived:
        return f"Waived until {waiver.expires}, not counted, {said}"
    return f"Its waiver expired on {waiver.expires}, so it counts. It was {said}"


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."
