"""What a command answers: files, the table of gates, the exit code."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.output import write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from auditor.errors import ExitCode
    from auditor.records import Severity
    from auditor.report import Rendered, Tools
    from auditor.report.result_json import Loaded


def write_reports(
    loaded: Loaded,
    formats: Sequence[str],
    folder: Path,
    *,
    more: dict[str, bytes] | None = None,
    tools: Tools | None = None,
) -> Rendered:
    """Render everything before anything is written; a format that cannot be made is said, and stops no other."""
    from auditor import report

    rendered = report.render(loaded.result, formats, edited=loaded.edited, tools=tools)
    for name, error in rendered.failed.items():
        click.echo(f"warning: {name} was not made: {error}", err=True)
    write(folder, {**(more or {}), **rendered.files}, "Choose another with --output.")
    return rendered


def conclude(loaded: Loaded, rendered: Rendered, *, allow_inconclusive: bool, fail_on: Severity) -> ExitCode:
    """Show the table of gates, here and in a GitHub job's summary, and give the verdict's exit code."""
    from auditor.judge import exit_code
    from auditor.report.terminal import summary

    findings = loaded.result.findings
    code = exit_code(findings, allow_inconclusive=allow_inconclusive, fail_on=fail_on)
    show(summary(rendered.view))
    if code != exit_code(findings, allow_inconclusive=allow_inconclusive):
        click.echo(f"gates of severity warning count too, by --fail-on {fail_on}: exit code {code:d}", err=True)
    if target := os.environ.get("GITHUB_STEP_SUMMARY"):
        _append_summary(loaded, Path(target))
    return code


def _append_summary(loaded: Loaded, target: Path) -> None:
    from auditor.report import render

    try:
        with target.open("ab") as stream:
            stream.writelines(render(loaded.result, ["markdown"]).files.values())
    except OSError as error:
        click.echo(f"warning: {target} cannot be written: {error.strerror}", err=True)


def show(renderable: RenderableType) -> None:
    """Print to standard output; a reader that has gone away does not change what the command answers."""
    from rich.console import Console

    class Lasting(Console):
        def on_broken_pipe(self) -> None:
            self.quiet = True
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    Lasting(highlight=False).print(renderable)
