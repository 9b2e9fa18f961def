"""What is told while an audit runs."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from auditor.progress import MOST_BARS, STAGES, Bars, Lines, Tally, progress_on
from auditor.report.terminal_time import spent


def test_lines_count_and_tell_what_is_left():
    stream = io.StringIO()
    lines = Lines(stream)
    lines.stage("run")
    lines.started([f"baseline, member {member}" for member in range(3)])
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
    lines.started([f"baseline, member {member}" for member in range(2)])
    for member in range(2):
        lines.finished(f"baseline, member {member}", 1.0, stored=True)
    assert stream.getvalue() == "  2 of 2 members were stored already\n"


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_pipe_gets_lines_and_a_terminal_bars(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    with progress_on(io.StringIO()) as progress:
        assert isinstance(progress, Lines)
    with progress_on(Terminal()) as progress:
        assert isinstance(progress, Bars)
        progress.stage("run")
        progress.started(["baseline, member 0"])
        progress.note("[red]markup in a name[/red] is text")
        progress.finished("baseline, member 0", 1.0, stored=False)


def test_a_terminal_that_cannot_move_its_cursor_gets_lines(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    with progress_on(Terminal()) as progress:
        assert isinstance(progress, Lines)


def test_colour_that_is_forced_puts_no_bars_into_a_pipe(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress_on(io.StringIO()) as progress:
        assert isinstance(progress, Lines)


def test_who_wants_quiet_hears_warnings_alone():
    stream = io.StringIO()
    with progress_on(stream, quiet=True) as progress:
        progress.stage("run")
        progress.started(["baseline, member 0"])
        progress.finished("baseline, member 0", 1.0, stored=False)
        progress.note("half the rows are missing")
    assert stream.getvalue() == "warning: half the rows are missing\n"


def shown(bars, width=80):
    """What the bars show, in a terminal of so many columns."""
    console = Console(file=io.StringIO(), width=width)
    console.print(bars._bars.get_renderable())
    return console.file.getvalue()


def test_each_variant_that_is_not_done_has_a_bar_of_its_own_and_all_fit_80_columns():
    bars = Bars(Console(file=io.StringIO()))
    bars.stage("run")
    long = "pruned-" + "x" * 70
    bars.started([f"{variant}, member {k}" for variant in ("baseline", "pruned-0.9", long) for k in range(2)])
    bars.finished("baseline, member 0", 1.0, stored=True)
    bars.finished("baseline, member 1", 1.0, stored=True)
    bars.trained("pruned-0.9, training of members 0 to 1", 90.0)
    bars.finished("pruned-0.9, member 0", 12.4, stored=False)
    told = shown(bars)
    assert "3/6" in told.splitlines()[0]
    assert "baseline" not in told
    assert re.search(r"  pruned-0.9 .* 1/2 2 min so far", told)
    assert "…" in told
    assert max(map(len, told.splitlines())) <= 80


def test_of_many_variants_only_so_many_have_a_bar():
    bars = Bars(Console(file=io.StringIO()))
    bars.stage("run")
    bars.started([f"pruned-{k}, member 0" for k in range(40)])
    assert shown(bars).count("pruned-") == MOST_BARS
    bars.finished("pruned-0, member 0", 1.0, stored=False)
    assert f"pruned-{MOST_BARS} " in shown(bars)


def test_what_is_left_is_reckoned_by_the_members_that_were_made(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("auditor.progress.time.monotonic", lambda: now[0])
    tally = Tally()
    tally.started([f"baseline, member {k}" for k in range(8)])
    for k in range(3):
        tally.finished(f"baseline, member {k}", 9.0, stored=True)
    tally.finished("baseline, member 3", 9.0, stored=False)
    assert tally.left() == ""
    now[0] += 10
    tally.finished("baseline, member 4", 9.0, stored=False)
    assert tally.left() == "about 30 s left"
    now[0] += 5
    assert tally.left() == "about 25 s left"


def test_the_time_is_told_by_stage_and_by_variant(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("auditor.progress.time.monotonic", lambda: now[0])
    tally = Tally()
    for stage, seconds in {"load": 2.0, "run": 200.0}.items():
        tally.stage(stage)
        now[0] += seconds
    tally.end()
    tally.started(["baseline, member 0", "int8, member 0"])
    tally.finished("baseline, member 0", 9.0, stored=True)
    tally.finished("int8, member 0", 120.0, stored=False)
    console = Console(file=io.StringIO(), width=80)
    console.print(spent(tally))
    told = console.file.getvalue()
    assert re.search(r"reading the data +2.0 s", told)
    assert re.search(r"running the population +3 min", told)
    assert re.search(r"baseline +1 +1 *\n", told)
    assert re.search(r"int8 +1 +0 +2 min", told)


@pytest.mark.parametrize("name", ["load", "run", "measure", "report"])
def test_every_stage_has_words(name):
    assert STAGES[name]
