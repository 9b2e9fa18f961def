"""What a command answers: files, the table of gates, the exit code."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.github import annotate, harmless
from auditor.output import write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from auditor.errors import ExitCode
    from auditor.report import Reading, Rendered, Tools
    from auditor.report.result_json import Loaded

ANOTHER = "Choose another with --output."


def write_reports(
    loaded: Loaded,
    formats: Sequence[str],
    folder: Path,
    *,
    reading: Reading,
    more: dict[str, bytes] | None = None,
    tools: Tools | None = None,
) -> Rendered:
    """Render everything before anything is written; a format that cannot be made is said, and stops no other.

    `more` is what a run alone writes, whose manifest lists nothing of an earlier one.
    """
    from auditor import report
    from auditor.report.manifest import MANIFEST, listed, manifest

    need_folder(folder, loaded.result.definition["audit"]["name"])
    rendered = report.render(loaded.result, formats, edited=loaded.edited, reading=reading, tools=tools)
    for name, error in rendered.failed.items():
        click.echo(f"warning: {name} was not made: {error}", err=True)
    files = {**(more or {}), **rendered.files}
    files[MANIFEST] = manifest(files, {} if more is not None else listed(folder))
    write(folder, files, ANOTHER)
    return rendered


def need_folder(folder: Path, audit: str) -> None:
    """Refuse a folder, before anything long is done for it, that cannot be written to or holds another audit's files.

    Raises:
        OutputError: it is not writable, or its result.json is another audit's, or none.
    """
    from auditor.errors import OutputError, Problem
    from auditor.report.result_json import audit_of

    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        reason = "no folder can be made there" if there != folder or not there.is_dir() else "it is not writable"
        raise OutputError(Problem(file=str(folder), message=f"cannot be written: {reason}", advice=ANOTHER))
    if not (folder / "result.json").exists():
        return
    other = audit_of(folder / "result.json")
    if other != audit:
        whose = "is no result that can be read" if other is None else f'is of another audit, "{other}"'
        message = f'holds a result.json that {whose}; this one is "{audit}"'
        raise OutputError(Problem(file=str(folder), message=message, advice=f"{ANOTHER} Or remove what is there."))


def conclude(loaded: Loaded, rendered: Rendered, *, reading: Reading) -> ExitCode:
    """Show the table of gates, here and in a GitHub job's summary and notes, and give the verdict's exit code."""
    from auditor.judge import exit_code
    from auditor.report.terminal import summary

    code = exit_code(loaded.result.findings, allow_inconclusive=reading.allow_inconclusive)
    show(summary(rendered.view))
    annotate(loaded.result, reading)
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

    Lasting(highlight=False, file=harmless(sys.stdout)).print(renderable)
