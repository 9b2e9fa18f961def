"""What is told while an audit runs."""

from __future__ import annotations

import io

import pytest

from auditor.progress import STAGES, Bar, Lines, progress_on


def test_lines_count_and_tell_what_is_left():
    stream = io.StringIO()
    lines = Lines(stream)
    lines.stage("run")
    lines.started(3)
    lines.finished("baseline, member 0", 1.0, stored=True)
    lines.finished("baseline, member 1", 2.5, stored=False)
    lines.note("half the rows are missing")
    told = stream.getvalue().splitlines()
    assert told[0] == STAGES["run"]
    assert told[1].startswith("  2/3 baseline, member 1: 2.5 s")
    assert told[2] == "warning: half the rows are missing"


def test_lines_say_when_everything_was_stored():
    stream = io.StringIO()
    lines = Lines(stream)
    lines.started(2)
    for member in range(2):
        lines.finished(f"baseline, member {member}", 1.0, stored=True)
    assert stream.getvalue() == "  2 of 2 members were stored already\n"


def test_a_pipe_gets_lines_and_a_terminal_a_bar():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    with progress_on(io.StringIO()) as progress:
        assert isinstance(progress, Lines)
    with progress_on(Terminal()) as progress:
        assert isinstance(progress, Bar)
        progress.stage("run")
        progress.started(1)
        progress.note("[red]markup in a name[/red] is text")
        progress.finished("baseline, member 0", 1.0, stored=False)


@pytest.mark.parametrize("name", ["load", "run", "measure", "report"])
def test_every_stage_has_words(name):
    assert STAGES[name]
