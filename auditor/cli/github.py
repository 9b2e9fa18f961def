"""What a job of GitHub Actions is told: notes at the line of a gate, and nothing that a name could make it do."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from auditor.records import AuditResult
    from auditor.report.outcome import Reading

_SHOWN = 10
"""Notes of each kind that GitHub shows of one step."""
_COMMAND = re.compile(r":(?=:)|##(?=\[)")
"""How a workflow command begins: two colons at the head of a line, or ##[ anywhere in it."""
_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


def in_actions() -> bool:
    """Tell whether this is a job of GitHub Actions, which reads commands from what is printed."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def harmless(stream: TextIO) -> TextIO:
    """Give a stream on which no text starts a workflow command; elsewhere the stream itself."""
    return cast("TextIO", _Harmless(stream)) if in_actions() else stream


class _Harmless:
    """Parts what would be a command by a space, wherever a line breaks: names of groups and files come by here."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        return self.stream.write(_COMMAND.sub(lambda found: f"{found[0]} ", text))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a stream has
        if name == "buffer":  # around which click opens a stream of its own where this one has ASCII alone
            raise AttributeError(name)
        return getattr(self.stream, name)


def in_repository(path: Path) -> str:
    """Give a path from the root of the repository, or of where the command runs; its name where it is outside."""
    root = Path(os.environ.get("GITHUB_WORKSPACE") or Path.cwd()).resolve()
    place = path.resolve()
    return place.relative_to(root).as_posix() if place.is_relative_to(root) else path.name


def annotate(result: AuditResult, reading: Reading) -> None:
    """Note what does not pass at its gate's line, in a job of GitHub Actions."""
    if in_actions():
        beneath = sys.stderr.stream if isinstance(sys.stderr, _Harmless) else sys.stderr  # these commands are meant
        beneath.writelines(f"{line}\n" for line in notes(result, reading))
        beneath.flush()


def notes(result: AuditResult, reading: Reading) -> list[str]:
    """Write workflow commands for what does not pass: errors first, as many of each kind as GitHub shows."""
    from auditor.records import Verdict
    from auditor.report.outcome import about, level, told

    gates = {gate.name: gate for gate in result.gates}
    lines: dict[str, list[str]] = {"error": [], "warning": [], "note": []}
    for finding in result.findings:
        if finding.verdict is Verdict.PASS or finding.waived:
            continue
        gate = gates[finding.gate]
        place = {"file": reading.definition, "line": str(gate.line or 1), "title": about(finding)}
        kind = level(finding, reading)
        lines[kind].append(_command(kind, place, told(finding, gate)))
    more = sum(len(lines[kind][_SHOWN:]) for kind in ("error", "warning"))
    rest = [_command("notice", {}, f"{more:,} more findings are in the job's summary and in result.json")]
    return lines["error"][:_SHOWN] + lines["warning"][:_SHOWN] + (rest if more else [])


def _command(kind: str, properties: dict[str, str], text: str) -> str:
    stated = ",".join(f"{key}={_escaped(value, _PROPERTY)}" for key, value in properties.items())
    return f"::{kind}{' ' if stated else ''}{stated}::{_escaped(text, _DATA)}"


def _escaped(text: str, escapes: dict[str, str]) -> str:
    return "".join(escapes.get(character, character) for character in text)
