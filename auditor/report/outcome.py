"""What a finding is to a pipeline: whether it stops one, how grave it is, and in which words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from auditor.judge import counts
from auditor.records import Verdict
from auditor.report.view import words
from auditor.report.view.headline import limit
from auditor.text import clean

if TYPE_CHECKING:
    from auditor.records import Finding, Gate, Severity

Level = Literal["error", "warning", "note"]
OPEN = frozenset({Verdict.INCONCLUSIVE, Verdict.UNDEFINED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a pipeline says of how its outputs are read; no verdict and no number depends on it."""

    definition: str
    """Path of audit.toml, relative to the root of the repository: there findings are shown."""
    allow_inconclusive: bool = False
    """Whether inconclusive comparisons stop nothing."""
    fail_on: Severity = "error"
    """From which severity on gates count."""

    def allows(self, finding: Finding) -> bool:
        """Tell whether a finding is open in a way that is allowed here."""
        return self.allow_inconclusive and finding.verdict is Verdict.INCONCLUSIVE


def excuse(finding: Finding, reading: Reading) -> str:
    """Say why a finding that does not pass stops no pipeline; empty where it does."""
    if finding.waived:
        waiver = finding.waiver
        said = waiver and f" by {clean(waiver.owner, 200)} until {waiver.expires}: {clean(waiver.reason, 500)}"
        return f"waived{said or ''}"
    if not counts(finding, reading.fail_on):
        return "of severity warning, which does not decide"
    if reading.allows(finding):
        return "inconclusive, which is allowed here"
    return ""


def level(finding: Finding, reading: Reading) -> Level:
    """Grade a finding that does not pass: a shown breach is graver than an open question."""
    decides = reading.fail_on in {finding.severity, "warning"}
    if finding.verdict is Verdict.FAIL:
        return "error" if decides else "warning"
    return "warning" if decides and not reading.allows(finding) else "note"


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
    return f"{said} To show that it holds: {_sentence(finding.needed)}" if finding.needed else said


def _sentence(text: str) -> str:
    shown = clean(text)
    shown = shown[:1].upper() + shown[1:]
    return shown if shown.endswith((".", "!", "?")) else f"{shown}."
