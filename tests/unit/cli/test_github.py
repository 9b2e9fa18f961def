from __future__ import annotations

import io
import re
from dataclasses import replace

import click
import pytest
from adult_result import small
from hostile_names import HOSTILE, hostile

from auditor.cli import answer, github
from auditor.cli.options import Voice
from auditor.records import Verdict
from auditor.report.outcome import Reading
from auditor.report.rendering import render

READING = Reading(definition="audits/a,b:c%/audit.toml")


@pytest.fixture
def actions(monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")


def commands(text: str) -> list[str]:
    """What GitHub's runner takes for commands in a job's output."""
    return [line for line in text.splitlines() if line.lstrip().startswith("::") or "##[" in line]


def test_what_does_not_pass_is_noted_at_its_gate() -> None:
    lines = github.notes(small(), READING)
    shown = next(line for line in lines if line.startswith("::error "))
    assert shown.startswith("::error file=audits/a%2Cb%3Ac%25/audit.toml,line=41,title=pruned-0.98%3A ")
    assert "::FAIL: " in shown
    assert len(commands("\n".join(lines))) == len(lines)


def test_as_many_notes_as_github_shows_are_written_and_the_rest_is_counted() -> None:
    result = small()
    failed = replace(result.findings[0], verdict=Verdict.FAIL, severity="error")
    warned = replace(failed, severity="warning")
    waived = replace(failed, waived=True)
    kept = (*[warned] * 12, *[failed] * 13, *[waived] * 3, replace(failed, verdict=Verdict.PASS))
    lines = github.notes(replace(result, findings=kept), READING)
    assert [line.split()[0] for line in lines[:20]] == ["::error"] * 10 + ["::warning"] * 10
    assert lines[20:] == ["::notice::5 more findings are in the job's summary and in result.json"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_starts_no_command_of_its_own(name, actions, monkeypatch) -> None:
    result, stdout, stderr = hostile(name), io.StringIO(), io.StringIO()
    monkeypatch.setattr("sys.stdout", stdout)
    monkeypatch.setattr("sys.stderr", github.harmless(stderr))
    answer.conclude(answer_of(result), render(result, []), reading=READING, voice=Voice())
    print("warning:", name, file=github.sys.stderr)
    assert not commands(stdout.getvalue())
    assert all(re.match(r"::(error|warning|notice)( |::)", line) for line in commands(stderr.getvalue()))
    assert len(commands(stderr.getvalue())) == len(github.notes(result, READING)) > 0


def answer_of(result):
    from auditor.report.result_json import Loaded

    return Loaded(result=result, edited=False)


@pytest.mark.parametrize("text", ["::x", "a\n  ::x::", ":::", "##[error]", "###[x]"])
def test_two_colons_and_hashes_are_parted_on_github_alone(text, actions, monkeypatch) -> None:
    stream = io.StringIO()
    github.harmless(stream).write(text)
    assert not re.search(r"::|##\[", stream.getvalue())
    assert stream.getvalue().replace(" ", "") == text.replace(" ", "")
    monkeypatch.setenv("GITHUB_ACTIONS", "")
    assert github.harmless(stream) is stream


def test_a_stream_of_ascii_is_not_opened_anew_beneath(actions, monkeypatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="backslashreplace")
    monkeypatch.setattr("sys.stderr", github.harmless(stream))
    click.echo("::error::ü", err=True)
    stream.flush()
    assert stream.buffer.getvalue() == b": :error: :\\xfc\n"


def test_a_file_is_named_from_the_root_of_the_repository(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    assert github.in_repository(tmp_path / "audits" / "audit.toml") == "audits/audit.toml"
    assert github.in_repository(tmp_path.parent / "audit.toml") == "audit.toml"


def test_elsewhere_nothing_is_noted(monkeypatch, capsys) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    github.annotate(small(), READING)
    assert capsys.readouterr().err == ""
