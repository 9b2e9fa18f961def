"""What goes before a run: a definition is written, checked, planned and described."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from auditor.cli.answer import answer
from auditor.cli.files import formats_asked
from auditor.cli.options import DEFINITION, FILE, MEMBERS, SANDBOX, SETTINGS, load, voiced
from auditor.errors import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.cli.options import Voice


@click.command()
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


@click.command()
@DEFINITION
@SETTINGS
@SANDBOX
@click.option("--no-models", "models", flag_value=False, default=True, help="Do not open given models.")
@voiced
def validate(
    file: Path,
    settings: tuple[str, ...],
    require_sandbox: bool,  # noqa: FBT001
    models: bool,  # noqa: FBT001
    voice: Voice,
) -> ExitCode:
    """Check definition, data and given models without training; tell what each gate can show."""
    from auditor.progress import progress_on
    from auditor.report import answer_json
    from auditor.report.terminal_validation import overview
    from auditor.text import clean
    from auditor.validation import validate as check_all

    declaration = load(file, settings, require_sandbox=require_sandbox)
    formats_asked(declaration)
    with progress_on(sys.stderr, quiet=voice.quiet) as progress:
        found = check_all(declaration, models=models, progress=progress)
    if voice.quiet and not voice.json:
        for warning in (*found.data.warnings, *found.warnings):
            click.echo(f"warning: {clean(warning)}", err=True)
    return answer(found, voice, answer_json.validation, overview)


@click.command()
@DEFINITION
@SETTINGS
@MEMBERS
@voiced
def plan(file: Path, settings: tuple[str, ...], members: int | None, voice: Voice) -> ExitCode:
    """Tell what a run would do: what is stored, what is missing, and about how long that takes."""
    from auditor import stock
    from auditor.report import answer_json
    from auditor.report.terminal_store import plan as shown

    return answer(stock.plan(load(file, settings, members=members)), voice, answer_json.plan, shown)


@click.command()
@click.option("--markdown", is_flag=True, help="The reference of all keys, as in the README.")
def schema(markdown: bool) -> ExitCode:  # noqa: FBT001
    """Print the JSON schema of audit.toml, for editors."""
    from auditor.declare.reference import as_json_schema, as_markdown

    click.echo(as_markdown() if markdown else as_json_schema())
    return ExitCode.PASSED
