"""What a command answers: the table of gates, notes for a pipeline, the exit code."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from auditor.cli.github import annotate, harmless
from auditor.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType

    from auditor.cli.options import Voice
    from auditor.report.answer_json import Written
    from auditor.report.outcome import Reading
    from auditor.report.rendering import Rendered
    from auditor.report.result_json import Loaded

Found = TypeVar("Found")


def conclude(
    loaded: Loaded, rendered: Rendered, *, reading: Reading, voice: Voice, written: Written | None = None
) -> ExitCode:
    """Show the table of gates, here and in a GitHub job's summary and notes, and give the verdict's exit code."""
    from auditor.judge import exit_code
    from auditor.report import answer_json, terminal

    findings = loaded.result.findings
    code = exit_code(findings, allow_inconclusive=reading.allow_inconclusive, fail_on=reading.fail_on)
    if voice.json:
        tell(answer_json.verdict(loaded.result, rendered, code, written or answer_json.Written()))
    elif not voice.quiet:
        show(terminal.summary(rendered.view, rows=terminal.EVERY_ROW if voice.verbose else terminal.ROWS))
    if code != exit_code(findings, allow_inconclusive=reading.allow_inconclusive):
        click.echo(f"gates of severity warning count too, by --fail-on {reading.fail_on}: exit code {code:d}", err=True)
    annotate(loaded.result, reading)
    if target := os.environ.get("GITHUB_STEP_SUMMARY"):
        _append_summary(loaded, Path(target))
    return code


def _append_summary(loaded: Loaded, target: Path) -> None:
    from auditor.report.rendering import render

    try:
        with target.open("ab") as stream:
            made = render(loaded.result, ["markdown"], edited=loaded.edited, written=loaded.written)
            stream.writelines(made.files.values())
    except OSError as error:
        click.echo(f"warning: {target} cannot be written: {error.strerror}", err=True)


def answer(
    found: Found, voice: Voice, as_json: Callable[[Found], str], as_text: Callable[[Found], RenderableType]
) -> ExitCode:
    """Say what was found as the voice asks for it, where nothing is judged."""
    if voice.json:
        tell(as_json(found))
    elif not voice.quiet:
        show(as_text(found))
    return ExitCode.PASSED


def tell(text: str) -> None:
    """Print a text to standard output, as `show` does."""
    try:
        click.echo(text)
    except BrokenPipeError:
        _close()


def show(renderable: RenderableType) -> None:
    """Print to standard output; a reader that has gone away does not change what the command answers."""
    from rich.console import Console

    class Lasting(Console):
        def on_broken_pipe(self) -> None:
            self.quiet = True
            _close()

    Lasting(highlight=False, file=harmless(sys.stdout)).print(renderable)


def _close() -> None:
    """Let go of a standard output that nobody reads any more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
