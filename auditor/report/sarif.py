"""results.sarif: findings for code scanning and editors, each at the line of its gate."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from auditor.judge import exit_code
from auditor.records import Verdict
from auditor.report.markdown import escaped
from auditor.report.outcome import about, excuse, level, told
from auditor.report.view import words
from auditor.report.view.headline import limit
from auditor.text import clean

if TYPE_CHECKING:
    from auditor.records import AuditResult, Finding, Gate
    from auditor.report.outcome import Reading

Json = dict[str, Any]

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MOST_RESULTS = 5_000
"""As many as GitHub shows of one run; the gravest are kept."""
_MOST_FAILURES = 50
_GRAVEST_FIRST = ("error", "warning", "note")


def sarif(result: AuditResult, reading: Reading) -> str:
    """Write SARIF 2.1.0: a rule a gate, a result a finding that does not pass."""
    run = _Run(result, reading)
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run.content()]}
    return json.dumps(log, indent=1, allow_nan=False) + "\n"


def plain(text: str) -> str:
    """Make a text stand for itself in a SARIF message, where [a](b) is a link and {0} a place for an argument."""
    for special in "\\[]":
        text = text.replace(special, f"\\{special}")
    return text.replace("{", "{{").replace("}", "}}")


class _Run:
    """One run of the tool."""

    def __init__(self, result: AuditResult, reading: Reading) -> None:
        self.result, self.reading = result, reading
        # A colon in the first segment would read as a scheme: all but letters, digits and "_.-~/" is encoded.
        self.uri = quote(reading.definition.encode("utf-8", "surrogateescape"), safe="/")
        self.rules = {gate.name: number for number, gate in enumerate(result.gates)}

    def content(self) -> Json:
        found = [f for f in self.result.findings if f.verdict is not Verdict.PASS]
        found.sort(key=lambda finding: (finding.waived, _GRAVEST_FIRST.index(self.level(finding))))
        name = words.name(self.result.definition["audit"]["name"])
        return {
            "tool": {"driver": self.driver()},
            "automationDetails": {"id": f"auditor/{name}/"},
            "invocations": [self.invocation(len(found) - MOST_RESULTS)],
            "columnKind": "unicodeCodePoints",
            "results": [self.one(finding) for finding in found[:MOST_RESULTS]],
        }

    def level(self, finding: Finding) -> str:
        return level(finding, self.reading)

    def driver(self) -> Json:
        version = clean(str(self.result.provenance.get("auditor", "unknown")), 40)
        return {"name": "auditor", "version": version, "rules": [_rule(gate) for gate in self.result.gates]}

    def invocation(self, left: int) -> Json:
        reading = self.reading
        code = exit_code(self.result.findings, allow_inconclusive=reading.allow_inconclusive, fail_on=reading.fail_on)
        failures = self.result.failures
        notes = [f"{words.name(f.variant)}, member {f.member}: {clean(f.reason)}" for f in failures[:_MOST_FAILURES]]
        notes += [f"{len(failures) - _MOST_FAILURES:,} more members failed"] if len(failures) > _MOST_FAILURES else []
        notes += [f"{left:,} more findings, none graver than these, are in result.json"] if left > 0 else []
        return {
            "executionSuccessful": self.result.status == "complete",
            "exitCode": int(code),
            "exitCodeDescription": code.name.lower().replace("_", " "),
            "toolExecutionNotifications": [{"level": "warning", "message": {"text": plain(note)}} for note in notes],
        }

    def one(self, finding: Finding) -> Json:
        number = self.rules[finding.gate]
        gate, e = self.result.gates[number], finding.estimate
        text = f"{about(finding)}. {told(finding, gate)}"
        region = {} if gate.line is None else {"region": {"startLine": gate.line}}
        place = {"artifactLocation": {"uri": self.uri}, **region}
        made = {
            "ruleId": _rule_id(gate),
            "ruleIndex": number,
            "kind": "fail",
            "level": self.level(finding),
            "message": {"text": plain(text)},
            "locations": [{"physicalLocation": place}],
            "partialFingerprints": {"comparison/v1": _fingerprint(finding)},
            "properties": {
                "verdict": finding.verdict.value,
                "severity": finding.severity,
                "claim": e.claim,
                "estimate": e.value,
                "low": e.low,
                "high": e.high,
                "limit": finding.limit,
                "n": e.n,
            },
        }
        if finding.waived:
            why = excuse(finding, self.reading)
            made["suppressions"] = [{"kind": "external", "status": "accepted", "justification": why}]
        return made


def _rule_id(gate: Gate) -> str:
    return clean(gate.name, 200)


def _rule(gate: Gate) -> Json:
    short = f"{words.name(gate.name)}: limit {limit(gate, None)}"
    full = ". ".join(part for part in (short, clean(gate.why)) if part)
    return {
        "id": _rule_id(gate),
        "shortDescription": {"text": plain(short)},
        "fullDescription": {"text": plain(full)},
        "help": {"text": plain(full), "markdown": escaped(full).replace("{", "{{").replace("}", "}}")},
        "defaultConfiguration": {"level": "error" if gate.severity == "error" else "warning"},
    }


def _fingerprint(finding: Finding) -> str:
    """Name the comparison, whatever its numbers: a viewer knows it again in the next run."""
    return hashlib.sha256(f"{finding.gate}\n{finding.estimate.id}".encode()).hexdigest()
