"""`auditor run`: the whole audit."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.answer import conclude, need_folder, write_reports
from auditor.cli.github import in_repository
from auditor.cli.options import DEFINITION, FILE, INCONCLUSIVE, MEMBERS, SANDBOX, SANDBOXED, SETTINGS, load

if TYPE_CHECKING:
    from auditor.declare import Declaration
    from auditor.errors import ExitCode
    from auditor.pipeline import Audit


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
@click.option("--require-pins", is_flag=True, help="Refuse model files without a declared sha256.")
@SANDBOX
@click.option("--force", is_flag=True, help="Run every member again, whatever is stored.")
def run(  # noqa: PLR0913, PLR0917 - one argument an option
    file: Path,
    settings: tuple[str, ...],
    members: int | None,
    executor: str | None,
    output: Path | None,
    no_gate: bool,  # noqa: FBT001 - click passes by name
    allow_inconclusive: bool,  # noqa: FBT001
    require_pins: bool,  # noqa: FBT001
    require_sandbox: bool,  # noqa: FBT001
    force: bool,  # noqa: FBT001
) -> ExitCode:
    """Run the whole audit; resume what an earlier run left."""
    from auditor import pipeline
    from auditor.progress import progress_on
    from auditor.report import ALWAYS, Reading, tools_for
    from auditor.report.result_json import Loaded

    extra = [f"population.size={members}"] if members else []
    extra += [f"run.executor={executor}"] if executor else []
    extra += [SANDBOXED] if require_sandbox else []
    declaration = load(file, (*settings, *extra))
    _need_gates(declaration, no_gate=no_gate)
    if require_pins:
        pipeline.require_pins(declaration.spec, declaration.base)
    formats = list(dict.fromkeys([*ALWAYS, *declaration.spec.report.formats]))
    folder = output or Path("audits") / str(declaration.spec.audit.name)
    need_folder(folder, str(declaration.spec.audit.name))
    reading = Reading(definition=in_repository(file), allow_inconclusive=allow_inconclusive)
    with progress_on(sys.stderr) as progress:
        ran = pipeline.populate(declaration, progress=progress, force=force)
        with tools_for(formats) as tools:
            audit = pipeline.conclude(ran)
            progress.stage("report")
            loaded = Loaded(result=audit.result, edited=False)
            rendered = write_reports(loaded, formats, folder, reading=reading, more=_decisions(audit), tools=tools)
    code = conclude(loaded, rendered, reading=reading)
    click.echo(f"reports and decisions: {folder}", err=True)
    return code


def _need_gates(declaration: Declaration, *, no_gate: bool) -> None:
    if not declaration.spec.gate and not no_gate:
        from auditor.errors import Problem, SpecError

        advice = "declare a [[gate]], or say --no-gate"
        raise SpecError(Problem(message="no gate: nothing would be judged", file=str(declaration.file), advice=advice))


def _decisions(audit: Audit) -> dict[str, bytes]:
    from auditor.compress.summaries import EVENTS
    from auditor.report.predictions_table import predictions_parquet

    made = {f"predictions/{p.name}.parquet": predictions_parquet(audit.dataset, p) for p in audit.populations}
    for population in audit.populations:
        for member, events in population.events.items():
            made[f"tensorboard/{population.name}/member_{member}/{EVENTS}"] = events
    return made
