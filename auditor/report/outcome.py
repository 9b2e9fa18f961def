"""What a finding is to a pipeline: whether it stops one, how grave it is, and in which words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from auditor.judge import counts
from auditor.records import Verdict
from auditor.report.view import words
from auditor.report.view.headline import limit
from auditor.text import clean

if TYPE_CHECKING:
    from auditor.records import Finding, Gate

Level = Literal["error", "warning", "note"]
OPEN = frozenset({Verdict.INCONCLUSIVE, Verdict.UNDEFINED})


def excuse(finding: Finding, *, allow_inconclusive: bool) -> str:
    """Say why a finding that does not pass stops no pipeline; empty where it does."""
    if finding.waived:
        return "waived"
    if not counts(finding):
        return "of severity warning, which does not decide"
    if allow_inconclusive and finding.verdict is Verdict.INCONCLUSIVE:
        return "inconclusive, which is allowed here"
    return ""


def level(finding: Finding, *, allow_inconclusive: bool) -> Level:
    """Grade a finding that does not pass: a shown breach is graver than an open question."""
    if finding.verdict is Verdict.FAIL:
        return "error" if finding.severity == "error" else "warning"
    allowed = allow_inconclusive and finding.verdict is Verdict.INCONCLUSIVE
    return "warning" if finding.severity == "error" and not allowed else "note"


def about(finding: Finding) -> str:
    """Name the comparison within its gate, such as "pruned-0.9: Female (sex), change of recall of “>50K”"."""
    e = finding.estimate
    what = words.comparison(e.metric, e.label, e.compare, e.against)
    return f"{words.name(e.variant)}: {words.group_of(e.group)}, {what}"


def told(finding: Finding, gate: Gate) -> str:
    """Tell verdict, numbers, limit and reason in one line."""
    e = finding.estimate
    digits = words.digits_beside((e.value, e.low, e.high), finding.limit)
    unit = "" if e.value is None or words.unit(e.compare) != "points" else " points"
    numbers = " ".join(part for part in (words.value(e, digits) + unit, words.interval(e, digits)) if part)
    said = f"{finding.verdict}: {numbers}, limit {limit(gate, finding.limit)}, n = {e.n:,}. {_sentence(finding.reason)}"
    return f"{said} Needed: {_sentence(finding.needed)}" if finding.needed else said


def _sentence(text: str) -> str:
    shown = clean(text)
    shown = shown[:1].upper() + shown[1:]
    return shown if shown.endswith((".", "!", "?")) else f"{shown}."
