"""junit.xml: one case a gate, variant and group, for the test view of a pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from junitparser import Error, Failure, JUnitXml, Properties, Property, Skipped, TestCase, TestSuite

from auditor.records import Verdict
from auditor.report.outcome import about, excuse, told
from auditor.report.view import words
from auditor.report.view.numbers import of_gate

if TYPE_CHECKING:
    from junitparser.junitparser import FinalResult

    from auditor.records import AuditResult, Finding, Gate
    from auditor.report.outcome import Reading


def junit(result: AuditResult, reading: Reading) -> bytes:
    """Write a suite a gate; without time stamps, so that the same result gives the same bytes.

    Texts come through `auditor.text.clean`, which leaves no character that XML 1.0 does not know.
    """
    root = JUnitXml(words.name(result.definition["audit"]["name"]))
    for gate in result.gates:
        suite = TestSuite(words.name(gate.name))
        suite.extend([_case(finding, gate, reading) for finding in of_gate(result, gate)])
        root.append(suite)
    root.update_statistics()
    return root.tostring() + b"\n"


def _case(finding: Finding, gate: Gate, reading: Reading) -> TestCase:
    case = TestCase(about(finding), words.name(gate.name))
    properties = Properties()
    for name, value in _numbers(finding).items():
        properties.add_property(Property(name, str(value)))
    case.append(properties)
    if finding.verdict is not Verdict.PASS:
        case.result = _outcome(finding, told(finding, gate), excuse(finding, reading))
    return case


def _outcome(finding: Finding, text: str, excused: str) -> FinalResult:
    if excused:
        return Skipped(f"{excused}: {text}", finding.verdict.value)
    kind = Error if finding.verdict is Verdict.UNDEFINED else Failure
    return kind(text, finding.verdict.value)


def _numbers(finding: Finding) -> dict[str, float]:
    """Give what is known: an undefined number has no property."""
    e = finding.estimate
    known = {"estimate": e.value, "low": e.low, "high": e.high, "limit": finding.limit, "n": e.n}
    return {name: value for name, value in known.items() if value is not None}
