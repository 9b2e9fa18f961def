"""The command: arguments in, exit code out. The only place that prints or exits."""

from __future__ import annotations

import os
import sys
import traceback
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from auditor.errors import AuditorError, ExitCode
from auditor.output import write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from auditor.declare import Declaration
    from auditor.errors import Problem
    from auditor.pipeline import Audit
    from auditor.report import Rendered, Tools
    from auditor.report.result_json import Loaded

FILE = click.Path(path_type=Path)
SETTINGS = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Set any key, such as data.path=… or compression.NAME.sparsity=…",
)
SANDBOX = click.option(
    "--require-sandbox", is_flag=True, help="Refuse to open models where the kernel cannot confine them."
)
_SANDBOXED = "run.require_sandbox=true"
INCONCLUSIVE = click.option("--allow-inconclusive", is_flag=True, help="Inconclusive gates do not count.")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="auditor")
def cli() -> None:
    """Find out whom the compression of a neural network hurts, before it ships.

    Exit codes: 0 every gate passed; 1 a gate failed; 2 the request is wrong; 3 none failed, but one is inconclusive or
    undefined; 4 the audit could not be completed; 70 a bug in auditor; 130 interrupted.
    """


@cli.command()
@click.argument("file", type=FILE, default="audit.toml")
@SETTINGS
@click.option("--members", type=click.IntRange(1), help="Members a variant, instead of population.size.")
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
    from auditor.report import tools_for
    from auditor.report.result_json import Loaded

    extra = [f"population.size={members}"] if members else []
    extra += [f"run.executor={executor}"] if executor else []
    extra += [_SANDBOXED] if require_sandbox else []
    declaration = _load(file, (*settings, *extra))
    _need_gates(declaration, no_gate=no_gate)
    if require_pins:
        pipeline.require_pins(declaration.spec, declaration.base)
    formats = list(dict.fromkeys(["json", *declaration.spec.report.formats]))
    folder = output or Path("audits") / str(declaration.spec.audit.name)
    with progress_on(sys.stderr) as progress:
        ran = pipeline.populate(declaration, progress=progress, force=force)
        with tools_for(formats) as tools:
            audit = pipeline.conclude(ran)
            progress.stage("report")
            loaded = Loaded(result=audit.result, edited=False)
            rendered = _write(loaded, formats, folder, more=_decisions(audit), tools=tools)
    code = _conclude(loaded, rendered, allow_inconclusive=allow_inconclusive)
    click.echo(f"reports and decisions: {folder}", err=True)
    return code


def _load(file: Path, settings: Sequence[str]) -> Declaration:
    from auditor.declare import load_spec

    return load_spec(file, settings)


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


def _write(
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


def _conclude(loaded: Loaded, rendered: Rendered, *, allow_inconclusive: bool) -> ExitCode:
    """Show the table of gates, here and in a GitHub job's summary, and give the verdict's exit code."""
    from auditor.judge import exit_code
    from auditor.report.terminal import summary

    code = exit_code(loaded.result.findings, allow_inconclusive=allow_inconclusive)
    _show(summary(rendered.view))
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


def _show(renderable: RenderableType) -> None:
    """Print to standard output; a reader that has gone away does not change what the command answers."""
    from rich.console import Console

    class Lasting(Console):
        def on_broken_pipe(self) -> None:
            self.quiet = True
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    Lasting(highlight=False).print(renderable)


@cli.command()
@click.option(
    "--data",
    type=FILE,
    required=True,
    help="A table (CSV, Parquet), also one that names image files; a folder of class folders; .npz or a folder of "
    ".npy; the folder of CelebA's or CIFAR's files.",
)
@click.option("--table", type=FILE, help="Attributes of class folders or of CIFAR, a row an image.")
@click.option("--model", type=FILE, help="A trained model, or several by a star; default: one is trained.")
@click.option("--artifact", type=FILE, help="A compressed model made elsewhere, beside --model; a star as there.")
@click.option("--label", metavar="COLUMN", help="The true class.")
@click.option("--positive", metavar="CLASS", help="The class that recall and selection are about.")
@click.option(
    "--attribute",
    "attributes",
    multiple=True,
    metavar="COLUMN",
    help="Who somebody is; may be repeated; '' for none: classes alone are audited.",
)
@click.option(
    "--predictions",
    multiple=True,
    metavar="PATTERN",
    help="Columns of decisions or probabilities: the baseline's, then those of each variant.",
)
@click.option("--output", type=FILE, default="audit.toml", show_default=True, help="The file to write.")
@click.option("--force", is_flag=True, help="Replace the file if there is one.")
def init(  # noqa: PLR0913, PLR0917 - one argument an option
    data: Path,
    table: Path | None,
    model: Path | None,
    artifact: Path | None,
    label: str | None,
    positive: str | None,
    attributes: tuple[str, ...],
    predictions: tuple[str, ...],
    output: Path,
    force: bool,  # noqa: FBT001
) -> ExitCode:
    """Write a commented audit.toml from data and given models; asks, on a terminal, what no flag says."""
    from auditor import init as first
    from auditor.text import clean

    wishes = first.Wishes(
        data=data,
        table=table,
        model=model,
        artifact=artifact,
        label=label,
        positive=positive,
        attributes=attributes,
        predictions=predictions,
    )
    ask = _asked if sys.stdin.isatty() else first.decided
    drafted = first.draft(wishes, ask, output.parent)
    first.write(output, drafted.text, force=force)
    for one in drafted.todo:
        click.echo(clean(one), err=True)
    click.echo(f"wrote {output}; next: auditor validate {output}", err=True)
    return ExitCode.PASSED


def _asked(flag: str, question: str, guess: str | None, advice: str) -> str:
    """Ask on the terminal; the guess is what Enter says."""
    from auditor.text import clean

    if advice and guess is None:
        click.echo(clean(advice), err=True)
    answer: str = click.prompt(f"{clean(question)} ({flag})", default=guess, err=True)
    return answer


@cli.command()
@click.argument("file", type=FILE, default="audit.toml")
@SETTINGS
@SANDBOX
@click.option("--no-models", "models", flag_value=False, default=True, help="Do not open given models.")
def validate(
    file: Path,
    settings: tuple[str, ...],
    require_sandbox: bool,  # noqa: FBT001
    models: bool,  # noqa: FBT001
) -> ExitCode:
    """Check definition, data and given models without training; tell what each gate can show."""
    from auditor.progress import progress_on
    from auditor.report.terminal_validation import overview
    from auditor.validation import validate as check_all

    extra = [_SANDBOXED] if require_sandbox else []
    declaration = _load(file, (*settings, *extra))
    with progress_on(sys.stderr) as progress:
        found = check_all(declaration, models=models, progress=progress)
    _show(overview(found))
    return ExitCode.PASSED


@cli.command()
@click.argument("file", type=FILE, default="audit.toml")
@SETTINGS
@click.option("--members", type=click.IntRange(1), help="Members a variant, instead of population.size.")
def plan(file: Path, settings: tuple[str, ...], members: int | None) -> ExitCode:
    """Tell what a run would do: what is stored, what is missing, and about how long that takes."""
    from auditor import stock
    from auditor.report.terminal_store import plan as shown

    extra = [f"population.size={members}"] if members else []
    _show(shown(stock.plan(_load(file, (*settings, *extra)))))
    return ExitCode.PASSED


@cli.group()
def store() -> None:
    """Look into the store of finished members, check it, and make room."""


@store.command("ls")
@click.argument("file", type=FILE, default="audit.toml")
@SETTINGS
def list_store(file: Path, settings: tuple[str, ...]) -> ExitCode:
    """Tell what is stored of an audit, and what else its store holds."""
    from auditor import stock
    from auditor.report.terminal_store import stored

    _show(stored(stock.take_inventory(_load(file, settings))))
    return ExitCode.PASSED


@store.command("verify")
@click.argument("file", type=FILE, default="audit.toml")
@SETTINGS
def verify_store(file: Path, settings: tuple[str, ...]) -> ExitCode:
    """Read every byte of an audit's store; exits with 4 if anything is not as it was written."""
    from auditor import stock
    from auditor.errors import IncompleteError, Problem
    from auditor.population.inventory import verify

    found = list(verify(stock.store_of(_load(file, settings))))
    damaged = [(holding, said) for holding, said in found if said]
    click.echo(f"{len(found) - len(damaged):,} of {len(found):,} entries are as they were written")
    if damaged:
        advice = "The next run sets aside what it needs of these, and makes it again."
        raise IncompleteError(*(Problem(file=str(one.folder), message=said, advice=advice) for one, said in damaged))
    return ExitCode.PASSED


@store.command("gc")
@click.argument("files", type=FILE, nargs=-1)
@click.option("--dry-run", is_flag=True, help="Tell what would be removed, and remove nothing.")
def collect_garbage(files: tuple[Path, ...], dry_run: bool) -> ExitCode:  # noqa: FBT001
    """Remove what none of these audits needs any more; name every audit that shares the store.

    Results of other audits and of earlier definitions, what was set aside as damaged, and weights of stacks whose
    members are all stored. Earlier judgements are kept.
    """
    from auditor import stock
    from auditor.errors import IncompleteError
    from auditor.population.inventory import remove
    from auditor.report.terminal_store import removed

    found = stock.unneeded([_load(file, ()) for file in files or (Path("audit.toml"),)])
    problems: list[Problem] = []
    for place, holdings in found.items():
        gone = holdings
        if not dry_run:
            gone, left = remove(place, holdings)
            problems += left
        _show(removed(gone, dry_run=dry_run))
    if problems:
        raise IncompleteError(*problems)
    return ExitCode.PASSED


@cli.command()
@click.argument("result", type=FILE)
@click.option(
    "--set", "settings", multiple=True, metavar="gate.N.KEY=VALUE", help="Another limit, such as gate.0.min=-0.03."
)
@click.option("--output", type=FILE, help="Write the reports, with the new verdicts, to this folder.")
@click.option("--no-gate", is_flag=True, help="A result without gates is meant.")
@INCONCLUSIVE
def check(
    result: Path,
    settings: tuple[str, ...],
    output: Path | None,
    no_gate: bool,  # noqa: FBT001
    allow_inconclusive: bool,  # noqa: FBT001
) -> ExitCode:
    """Judge a result.json again, with other limits if given, without models."""
    from dataclasses import replace

    from auditor.errors import Problem, ResultError
    from auditor.gates import change_limits
    from auditor.pipeline import rejudge
    from auditor.report import FORMATS, render

    old = _read_result(result)
    if not old.result.findings and not no_gate:
        raise ResultError(Problem(file=str(result), message="nothing in it is judged", advice="Say --no-gate."))
    try:
        judged = rejudge(old.result, change_limits(old.result.gates, settings))
    except (LookupError, ValueError, TypeError, ArithmeticError) as error:
        message = f"holds what does not fit together: {error!r}"
        raise ResultError(Problem(file=str(result), message=message)) from error
    new = replace(old, result=judged)
    rendered = _write(new, list(FORMATS), output) if output else render(new.result, [], edited=new.edited)
    return _conclude(new, rendered, allow_inconclusive=allow_inconclusive)


@cli.command()
@click.argument("result", type=FILE)
@click.option(
    "--format", "formats", multiple=True, help="html, pdf, json or markdown; several may be given; default: all."
)
@click.option("--output", type=FILE, help="Folder; default: the result's own.")
def report(result: Path, formats: tuple[str, ...], output: Path | None) -> ExitCode:
    """Render the reports of a result.json again, without data or TensorFlow."""
    from auditor.report import FORMATS, tools_for

    wanted = list(formats or FORMATS)
    with tools_for(wanted) as tools:
        _write(_read_result(result), wanted, output or result.parent, tools=tools)
    return ExitCode.PASSED


def _read_result(path: Path) -> Loaded:
    from auditor.errors import Problem, ResultError
    from auditor.report.result_json import load

    try:
        loaded = load(path.read_bytes())
    except OSError as error:
        raise ResultError(Problem(file=str(path), message=f"cannot be read: {error.strerror}")) from None
    if loaded.edited:
        click.echo(f"warning: {path} was changed after it was written: its digest is another than it states", err=True)
    return loaded


@cli.command()
@click.option("--markdown", is_flag=True, help="The reference of all keys, as in the README.")
def schema(markdown: bool) -> ExitCode:  # noqa: FBT001
    """Print the JSON schema of audit.toml, for editors."""
    from auditor.declare.reference import as_json_schema, as_markdown

    click.echo(as_markdown() if markdown else as_json_schema())
    return ExitCode.PASSED


def main() -> NoReturn:
    """Run the command and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = cli(standalone_mode=False)
    except AuditorError as error:
        for problem in error.problems:
            click.echo(f"error: {problem}", err=True)
        code = error.exit_code
    except click.ClickException as error:
        error.show()
        code = ExitCode.BAD_REQUEST
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted: what was finished is stored, and the next run goes on from there", err=True)
        code = ExitCode.INTERRUPTED
    except Exception:  # noqa: BLE001 - whatever it is, it is our bug and must not look like a verdict
        click.echo(f"error: this is a bug in auditor; {_write_log()}", err=True)
        code = ExitCode.BUG
    sys.exit(code)


def _write_log() -> str:
    """Write what happened to a file and say where it is; where no file can be written, say what happened."""
    import tempfile

    from auditor.provenance import library_versions

    text = f"{sys.argv}\nPython {sys.version}\n{library_versions()}\n\n{traceback.format_exc()}"
    try:
        with tempfile.NamedTemporaryFile("w", prefix="auditor-", suffix=".log", delete=False, encoding="utf-8") as log:
            log.write(text)
    except OSError:
        return text
    return f"its log is {log.name}"
