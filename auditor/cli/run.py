"""`auditor run`: the whole audit."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.answer import conclude, show
from auditor.cli.files import decisions, formats_asked, need_folder, publish_reports, write_reports
from auditor.cli.github import in_repository
from auditor.cli.options import (
    DEFINITION,
    FAIL_ON,
    FILE,
    INCONCLUSIVE,
    MEMBERS,
    SANDBOX,
    SETTINGS,
    VERBOSE,
    load,
    voiced,
)

if TYPE_CHECKING:
    from auditor.cli.options import Voice
    from auditor.declare import Declaration
    from auditor.errors import ExitCode
    from auditor.records import Severity


@click.command()
@DEFINITION
@SETTINGS
@MEMBERS
@click.option(
    "--executor", type=click.Choice(["local", "inline", "dask"]), help="Where members run, instead of run.executor."
)
@click.option("--output", type=FILE, help="Folder of the outputs; default: audits/NAME.")
@click.option("--no-gate", is_flag=True, help="An audit without gates is meant.")
@INCONCLUSIVE
@FAIL_ON
@click.option("--require-pins", is_flag=True, help="Refuse model files without a declared sha256.")
@SANDBOX
@click.option("--force", is_flag=True, help="Run every member again, whatever is stored.")
@VERBOSE
@voiced
def run(  # noqa: PLR0913, PLR0917 - one argument an option
    file: Path,
    settings: tuple[str, ...],
    members: int | None,
    executor: str | None,
    output: Path | None,
    no_gate: bool,  # noqa: FBT001 - click passes by name
    allow_inconclusive: bool,  # noqa: FBT001
    fail_on: Severity,
    require_pins: bool,  # noqa: FBT001
    require_sandbox: bool,  # noqa: FBT001
    force: bool,  # noqa: FBT001
    voice: Voice,
) -> ExitCode:
    """Run the whole audit; resume what an earlier run left."""
    from auditor import pipeline
    from auditor.progress import progress_on
    from auditor.report.outcome import Reading
    from auditor.report.result_json import Loaded
    from auditor.report.terminal_time import spent
    from auditor.report.tools import tools_for

    declaration = load(file, settings, members=members, executor=executor, require_sandbox=require_sandbox)
    _need_gates(declaration, no_gate=no_gate)
    if require_pins:
        pipeline.require_pins(declaration.spec, declaration.base)
    asked = formats_asked(declaration)
    folder = output or Path("audits") / str(declaration.spec.audit.name)
    need_folder(folder, str(declaration.spec.audit.name))
    reading = Reading(definition=in_repository(file), allow_inconclusive=allow_inconclusive, fail_on=fail_on)
    with progress_on(sys.stderr, quiet=voice.quiet) as progress:
        ran = pipeline.populate(declaration, progress=progress, force=force)
        with tools_for(asked.formats) as tools:
            audit = pipeline.conclude(ran)
            progress.stage("report")
            loaded = Loaded(result=audit.result, edited=False)
            more = decisions(audit)
            rendered = write_reports(loaded, asked.formats, folder, reading=reading, more=more, tools=tools)
        models = {each.name: each.models for each in audit.populations}
        written = publish_reports(asked, loaded, rendered, folder, more=more, models=models)
        progress.tally.end()
    code = conclude(loaded, rendered, reading=reading, voice=voice, written=written)
    if voice.verbose and not voice.json:
        show(spent(progress.tally))
    if not voice.quiet:
        click.echo(f"reports and decisions: {folder}", err=True)
    return code


def _need_gates(declaration: Declaration, *, no_gate: bool) -> None:
    if not declaration.spec.gate and not no_gate:
        from auditor.errors import Problem, SpecError

        advice = "declare a [[gate]], or say --no-gate"
        raise SpecError(Problem(message="no gate: nothing would be judged", file=str(declaration.file), advice=advice))
