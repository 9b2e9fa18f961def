"""What a command says: to people, to programs, and to nobody."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from dataclasses import replace
from io import StringIO

import pytest
from adult_result import small
from click.testing import CliRunner
from rich.console import Console

from auditor.cli import cli
from auditor.errors import ResultError
from auditor.report.rendering import Draft
from auditor.report.result_json import dump
from auditor.report.terminal import summary


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    path = tmp_path_factory.mktemp("voice") / "result.json"
    made = small()
    gates = tuple(gate for gate in made.gates if gate.compare == "change")
    findings = tuple(finding for finding in made.findings if finding.gate in {gate.name for gate in gates})
    path.write_text(dump(replace(made, gates=gates, findings=findings)), encoding="utf-8")
    return path


def check(result, *options, env=None):
    return CliRunner().invoke(cli, ["check", str(result), *options], standalone_mode=False, env=env)


def test_who_wants_quiet_gets_the_exit_code_alone(result):
    done = check(result, "-q")
    assert (done.output, done.return_value) == ("", 1)


def test_who_wants_more_gets_every_comparison_that_does_not_pass(result):
    short, long = check(result).output, check(result, "--verbose").output
    assert len(long.splitlines()) >= len(short.splitlines())
    assert "more that do not pass" not in long


def test_what_a_table_leaves_out_is_told_with_the_way_to_see_it():
    console = Console(width=100, record=True, file=StringIO())
    console.print(summary(Draft(small()).view, rows=0))
    assert re.search(r"and \d+ more that do not pass \(-v shows them\)", console.export_text())


def test_quiet_and_verbose_exclude_each_other(result):
    done = CliRunner().invoke(cli, ["check", str(result), "-q", "-v"])
    assert done.exit_code == 2
    assert "one of them" in done.output


def test_a_program_gets_one_json_object_and_nothing_else(result):
    answer = json.loads(check(result, "--format", "json").stdout)
    assert (answer["verdict"], answer["exit_code"]) == ("FAIL", 1)
    assert {"gate", "variant", "group", "verdict", "estimate", "low", "high"} <= set(answer["findings"][0])


@pytest.mark.parametrize("content", ["{", '{"schema": 99}', '{"schema": 1}', "[]"])
def test_a_result_that_cannot_be_read_is_told_with_its_name(tmp_path, content):
    path = tmp_path / "result.json"
    path.write_text(content, encoding="utf-8")
    error = check(path).exception
    assert isinstance(error, ResultError)
    assert {problem.file for problem in error.problems} == {str(path)}


@pytest.mark.parametrize("width", [40, 80, 100])
def test_the_table_of_gates_fits_the_terminal(result, width):
    told = check(result, "-v", env={"COLUMNS": str(width)}).output
    assert max(map(len, told.splitlines())) <= width


def in_a_terminal(result, **env):
    """What the command writes to a pseudo-terminal of 80 columns."""
    ours, its = pty.openpty()
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(sys.path),
        "TERM": "xterm",
        "COLUMNS": "80",
    }
    command = [sys.executable, "-m", "auditor", "check", str(result)]
    with subprocess.Popen(command, stdout=its, stderr=its, stdin=its, env={**environment, **env}) as process:
        os.close(its)
        told = b""
        try:
            while part := os.read(ours, 65536):
                told += part
        except OSError:  # the other side is closed
            pass
        process.wait()
    os.close(ours)
    return told.decode()


COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-9]m")


def test_a_terminal_gets_colours_unless_it_wants_none(result):
    assert COLOUR.search(in_a_terminal(result))
    assert not COLOUR.search(in_a_terminal(result, NO_COLOR="1"))


def test_a_pipe_gets_colours_only_where_they_are_forced(result):
    assert not COLOUR.search(check(result, env={"FORCE_COLOR": None}).output)
    assert COLOUR.search(check(result, env={"FORCE_COLOR": "1", "NO_COLOR": None}).output)
