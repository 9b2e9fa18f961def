"""What a command answers: files, the table of gates, the exit code."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.output import write

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import RenderableType

    from auditor.cli.options import Voice
    from auditor.declare import Declaration
    from auditor.errors import AuditorError, ExitCode
    from auditor.records import Severity
    from auditor.report import Rendered, Tools
    from auditor.report.answer_json import Written
    from auditor.report.reporter import Asked
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
    _warn(rendered.failed, "was not made")
    write(folder, {**(more or {}), **rendered.files}, "Choose another with --output.")
    return rendered


def formats_asked(declaration: Declaration) -> Asked:
    """Find who makes a definition's formats, before an audit takes its time; a plugin that cannot is told of."""
    from auditor.report import FORMATS
    from auditor.report.reporter import ask

    wanted = declaration.spec.report
    with declaration.naming_places():
        asked = ask(["json", *wanted.formats], wanted.options, FORMATS)
    _warn(asked.failed, "cannot be made")
    return asked


def publish_reports(
    asked: Asked,
    loaded: Loaded,
    rendered: Rendered,
    folder: Path,
    *,
    more: Iterable[str] = (),
    models: Mapping[str, Mapping[int, Path]] | None = None,
) -> Written:
    """Let plugins report when everything else is written (`more` beside the rendered); what fails is only told."""
    from auditor.report import FORMATS
    from auditor.report.answer_json import Written
    from auditor.report.reporter import Finished, publish

    finished = Finished(
        result=loaded.result,
        digest=rendered.digest,
        view=rendered.view,
        folder=folder,
        files={name: folder / name for name in (*more, *rendered.files)},
        models=models or {},
    )
    published = publish(asked, finished, [name for name, _ in FORMATS.values()])
    _warn(published.failed, "was not made")
    files = [*finished.files.values(), *(folder / name for name in published.files)]
    return Written(files=files, failed={**rendered.failed, **published.failed})


def _warn(failed: Mapping[str, AuditorError], what: str) -> None:
    for name, error in failed.items():
        click.echo(f"warning: {name} {what}: {error}", err=True)


def conclude(
    loaded: Loaded,
    rendered: Rendered,
    *,
    allow_inconclusive: bool,
    fail_on: Severity,
    voice: Voice,
    written: Written | None = None,
) -> ExitCode:
    """Show the table of gates, here and in a GitHub job's summary, and give the verdict's exit code."""
    from auditor.judge import exit_code
    from auditor.report import answer_json, terminal

    findings = loaded.result.findings
    code = exit_code(findings, allow_inconclusive=allow_inconclusive, fail_on=fail_on)
    if voice.json:
        tell(answer_json.verdict(loaded.result, rendered, code, written or answer_json.Written()))
    elif not voice.quiet:
        show(terminal.summary(rendered.view, rows=terminal.EVERY_ROW if voice.verbose else terminal.ROWS))
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

    Lasting(highlight=False).print(renderable)


def _close() -> None:
    """Let go of a standard output that nobody reads any more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
