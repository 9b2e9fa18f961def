"""Commands about a result that is there: it is judged again, and rendered again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from auditor.cli.answer import conclude, write_reports
from auditor.cli.options import FILE, INCONCLUSIVE
from auditor.errors import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.report import Reading
    from auditor.report.result_json import Loaded


@click.command()
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
    reading = _reading(new, allow_inconclusive=allow_inconclusive)
    if output:
        rendered = write_reports(new, list(FORMATS), output, reading=reading)
    else:
        rendered = render(new.result, [], edited=new.edited)
    return conclude(new, rendered, reading=reading)


@click.command()
@click.argument("result", type=FILE)
@click.option(
    "--format",
    "formats",
    multiple=True,
    help="html, pdf, json, junit, sarif, markdown, card or exemplars; several may be given; default: all.",
)
@click.option("--output", type=FILE, help="Folder; default: the result's own.")
@click.option("--into", type=FILE, help="Put the card into this model card instead; no other format unless asked for.")
@INCONCLUSIVE
def report(
    result: Path,
    formats: tuple[str, ...],
    output: Path | None,
    into: Path | None,
    allow_inconclusive: bool,  # noqa: FBT001
) -> ExitCode:
    """Render the reports of a result.json again, without data or TensorFlow."""
    from auditor.report import FORMATS, tools_for

    wanted = [name for name in formats if name != "card"] if into else list(formats or FORMATS)
    loaded = _read_result(result)
    if into:
        _put_into(into, loaded)
    if wanted:
        reading = _reading(loaded, allow_inconclusive=allow_inconclusive)
        with tools_for(wanted) as tools:
            write_reports(loaded, wanted, output or result.parent, reading=reading, tools=tools)
    return ExitCode.PASSED


def _put_into(path: Path, loaded: Loaded) -> None:
    """Put the audit into a model card; nothing is written where that cannot be done."""
    from auditor.errors import OutputError, Problem
    from auditor.output import write
    from auditor.regular import read_regular
    from auditor.report import Draft
    from auditor.report.card_file import MOST_BYTES

    try:
        text = read_regular(path, MOST_BYTES).decode()
        made = Draft(loaded.result, edited=loaded.edited).card_into(text)
    except OSError as error:
        raise OutputError(Problem(file=str(path), message=f"cannot be read: {error.strerror}")) from None
    except UnicodeDecodeError as error:
        raise OutputError(Problem(file=str(path), message=f"is no UTF-8 text: byte {error.start:,}")) from None
    except OutputError as error:
        raise OutputError(*(replace(problem, file=str(path)) for problem in error.problems)) from None
    place = path.resolve()
    write(place.parent, {place.name: made.encode()}, "Choose another card.")


def _reading(loaded: Loaded, *, allow_inconclusive: bool) -> Reading:
    """Without the definition itself, findings are shown in a file of its name at the root."""
    from pathlib import PurePath

    from auditor.report import Reading

    return Reading(definition=PurePath(loaded.result.definition_file).name, allow_inconclusive=allow_inconclusive)


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
