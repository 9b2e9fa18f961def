"""Commands about a result that is there: it is judged again, and rendered again."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from auditor.cli.answer import conclude, publish_reports, write_reports
from auditor.cli.completion import formats_of
from auditor.cli.options import FILE, INCONCLUSIVE, VERBOSE, voiced
from auditor.errors import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.cli.options import Voice
    from auditor.report.result_json import Loaded


@click.command()
@click.argument("result", type=FILE)
@click.option(
    "--set", "settings", multiple=True, metavar="gate.N.KEY=VALUE", help="Another limit, such as gate.0.min=-0.03."
)
@click.option("--output", type=FILE, help="Write the reports, with the new verdicts, to this folder.")
@click.option("--no-gate", is_flag=True, help="A result without gates is meant.")
@INCONCLUSIVE
@VERBOSE
@voiced
def check(
    result: Path,
    settings: tuple[str, ...],
    output: Path | None,
    no_gate: bool,  # noqa: FBT001
    allow_inconclusive: bool,  # noqa: FBT001
    voice: Voice,
) -> ExitCode:
    """Judge a result.json again, with other limits if given, without models."""
    from auditor.errors import Problem, ResultError
    from auditor.gates import change_limits
    from auditor.pipeline import rejudge
    from auditor.report import FORMATS, render
    from auditor.report.answer_json import Written

    old = _read_result(result)
    if not old.result.findings and not no_gate:
        raise ResultError(Problem(file=str(result), message="nothing in it is judged", advice="Say --no-gate."))
    try:
        judged = rejudge(old.result, change_limits(old.result.gates, settings))
    except (LookupError, ValueError, TypeError, ArithmeticError) as error:
        message = f"holds what does not fit together: {error!r}"
        raise ResultError(Problem(file=str(result), message=message)) from error
    new = replace(old, result=judged)
    rendered = write_reports(new, list(FORMATS), output) if output else render(new.result, [], edited=new.edited)
    written = Written(files=[output / name for name in rendered.files], failed=rendered.failed) if output else None
    return conclude(new, rendered, allow_inconclusive=allow_inconclusive, voice=voice, written=written)


@click.command()
@click.argument("result", type=FILE)
@click.option(
    "--format",
    "formats",
    multiple=True,
    shell_complete=formats_of,
    help="html, pdf, json, markdown or a plugin's; several may be given; default: all that are built in.",
)
@click.option(
    "--set", "settings", multiple=True, metavar="report.options.NAME.KEY=VALUE", help="What a plugin's format takes."
)
@click.option("--output", type=FILE, help="Folder; default: the result's own.")
def report(result: Path, formats: tuple[str, ...], settings: tuple[str, ...], output: Path | None) -> ExitCode:
    """Render the reports of a result.json again, without data or TensorFlow."""
    from auditor.report import FORMATS, tools_for
    from auditor.report.reporter import ask

    asked, folder = ask(formats or FORMATS, _options(settings), FORMATS), output or result.parent
    loaded = _read_result(result)
    with tools_for(asked.formats) as tools:
        rendered = write_reports(loaded, asked.formats, folder, tools=tools)
    publish_reports(asked, loaded, rendered, folder)
    return ExitCode.PASSED


def _options(settings: tuple[str, ...]) -> dict[str, dict[str, object]]:
    """Read what `--set` says of reporters."""
    from auditor.declare.lines import assign, parse_value
    from auditor.errors import Problem, SpecError

    raw: dict[str, dict[str, dict[str, dict[str, object]]]] = {}
    for setting in settings:
        key, _, value = setting.partition("=")
        said: str | None = "expected report.options.NAME.KEY=VALUE"
        if re.fullmatch(r"report\.options\.[^.=]+\.[^=]+=.*", setting, re.DOTALL):
            said = assign(raw, key.strip(), parse_value(value.strip()))
        if said:
            raise SpecError(Problem(where=f"--set {setting}", message=said))
    return raw.get("report", {}).get("options", {})


def _read_result(path: Path) -> Loaded:
    from auditor.errors import Problem, ResultError
    from auditor.report.result_json import load

    try:
        loaded = load(path.read_bytes())
    except OSError as error:
        raise ResultError(Problem(file=str(path), message=f"cannot be read: {error.strerror}")) from None
    except ResultError as error:
        raise ResultError(*(replace(problem, file=str(path)) for problem in error.problems)) from None
    if loaded.edited:
        click.echo(f"warning: {path} was changed after it was written: its digest is another than it states", err=True)
    return loaded
