"""Commands about a result that is there: it is judged again, and rendered again."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from auditor.cli.answer import conclude, show, tell
from auditor.cli.card import put_into
from auditor.cli.completion import formats_of
from auditor.cli.files import need_folder, publish_reports, write_reports
from auditor.cli.options import FAIL_ON, FILE, INCONCLUSIVE, RESULT, VERBOSE, voiced
from auditor.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from auditor.cli.options import Voice
    from auditor.records import Severity
    from auditor.report.outcome import Reading
    from auditor.report.result_json import Loaded


@click.command()
@RESULT
@click.option(
    "--set", "settings", multiple=True, metavar="gate.N.KEY=VALUE", help="Another limit, such as gate.0.min=-0.03."
)
@click.option("--output", type=FILE, help="Write the reports, with the new verdicts, to this folder.")
@click.option("--no-gate", is_flag=True, help="A result without gates is meant.")
@INCONCLUSIVE
@FAIL_ON
@VERBOSE
@voiced
def check(
    result: Path,
    settings: tuple[str, ...],
    output: Path | None,
    no_gate: bool,  # noqa: FBT001
    allow_inconclusive: bool,  # noqa: FBT001
    fail_on: Severity,
    voice: Voice,
) -> ExitCode:
    """Judge a result.json again, with other limits if given, without models."""
    from auditor.errors import Problem, ResultError
    from auditor.gates import change_limits
    from auditor.pipeline import rejudge
    from auditor.report.answer_json import Written
    from auditor.report.rendering import FORMATS, render
    from auditor.report.result_json import Loaded

    old, reading = _read(result, allow_inconclusive=allow_inconclusive, fail_on=fail_on)
    if not old.result.findings and not no_gate:
        raise ResultError(Problem(file=str(result), message="nothing in it is judged", advice="Say --no-gate."))
    gates = change_limits(old.result.gates, settings)
    with _fitting({result: old}):
        new = Loaded(result=rejudge(old.result, gates), edited=old.edited)
        rendered = (
            write_reports(new, list(FORMATS), output, reading=reading)
            if output
            else render(new.result, [], edited=new.edited)
        )
    written = Written(files=[output / name for name in rendered.files], failed=rendered.failed) if output else None
    return conclude(new, rendered, reading=reading, voice=voice, written=written)


@click.command()
@RESULT
@click.option(
    "--format",
    "formats",
    multiple=True,
    shell_complete=formats_of,
    help="html, pdf, json, junit, sarif, markdown, card, exemplars or a plugin's; several may be given; default: all "
    "that are built in.",
)
@click.option(
    "--set", "settings", multiple=True, metavar="report.options.NAME.KEY=VALUE", help="What a plugin's format takes."
)
@click.option("--output", type=FILE, help="Folder; default: the result's own.")
@click.option("--into", type=FILE, help="Put the card into this model card instead; no other format unless asked for.")
@INCONCLUSIVE
@FAIL_ON
def report(
    result: Path,
    formats: tuple[str, ...],
    settings: tuple[str, ...],
    output: Path | None,
    into: Path | None,
    allow_inconclusive: bool,  # noqa: FBT001
    fail_on: Severity,
) -> ExitCode:
    """Render the reports of a result.json again, without data or TensorFlow."""
    from auditor.report.tools import tools_for

    # what draws and prints takes seconds to get ready, and everything else is imported meanwhile
    with tools_for(formats or ("html", "pdf")) as tools:
        from auditor.report.rendering import FORMATS
        from auditor.report.reporter import ask

        wanted = [name for name in formats if name != "card"] if into else list(formats or FORMATS)
        asked, folder = ask(wanted, _options(settings), FORMATS), output or result.parent
        loaded, reading = _read(result, allow_inconclusive=allow_inconclusive, fail_on=fail_on)
        with _fitting({result: loaded}):
            if into and wanted:
                need_folder(folder, loaded.result.definition["audit"]["name"])  # else the card alone would be written
            if into:
                put_into(into, loaded)
            if wanted:
                rendered = write_reports(loaded, asked.formats, folder, reading=reading, tools=tools)
    if wanted:
        publish_reports(asked, loaded, rendered, folder)
    return ExitCode.PASSED


def _read(result: Path, *, allow_inconclusive: bool, fail_on: Severity) -> tuple[Loaded, Reading]:
    """Read a result, and say how; without the definition itself, findings are in a file of its name at the root."""
    from pathlib import PurePath

    from auditor.report.outcome import Reading

    loaded = _read_result(result)
    definition = PurePath(loaded.result.definition_file).name
    return loaded, Reading(definition=definition, allow_inconclusive=allow_inconclusive, fail_on=fail_on)


@click.command()
@click.argument("old", type=FILE)
@click.argument("new", type=FILE)
@click.option("--markdown", "form", flag_value="markdown", help="As tables for a pull request.")
@click.option("--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text", show_default=True)
def diff(old: Path, new: Path, form: str) -> ExitCode:
    """Tell what changed between two results, such as those of two releases; 1 if a verdict got worse."""
    from auditor.compare import compare, exit_code
    from auditor.report.difference import as_json, as_markdown, as_text
    from auditor.report.view.difference import difference_view

    read = {path: _read_result(path) for path in (old, new)}
    with _fitting(read):
        difference = compare(read[old].result, read[new].result)
        shown = difference_view(difference, edited=tuple(str(path) for path, one in read.items() if one.edited))
        made = as_text(shown) if form == "text" else as_markdown(shown) if form == "markdown" else as_json(difference)
    if isinstance(made, str):
        tell(made.removesuffix("\n"))
    else:
        show(made)
    return exit_code(difference)


@contextmanager
def _fitting(read: Mapping[Path, Loaded]) -> Iterator[None]:
    """Take it for the fault of a file that was edited where its content defeats us, and for our own where none was."""
    from auditor.errors import Problem, ResultError

    try:
        yield
    except (AttributeError, LookupError, ValueError, TypeError, ArithmeticError) as error:
        edited = [str(path) for path, loaded in read.items() if loaded.edited]
        if not edited:
            raise
        message = f"was changed after it was written, and does not fit together: {error!r}"
        raise ResultError(*(Problem(file=file, message=message) for file in edited)) from error


def _options(settings: tuple[str, ...]) -> dict[str, dict[str, object]]:
    """Read what `--set` says of reporters."""
    from auditor.declare.lines import assign, parse_value
    from auditor.errors import Problem, SpecError

    raw: dict[str, dict[str, dict[str, dict[str, object]]]] = {}
    for setting in settings:
        key, _, value = setting.partition("=")
        where = f"--set {setting}"
        if not re.fullmatch(r"report\.options\.[^.=]+\.[^=]+=.*", setting, re.DOTALL):
            raise SpecError(Problem(where=where, message="expected report.options.NAME.KEY=VALUE"))
        try:
            assign(raw, key.strip(), parse_value(value.strip()))
        except ValueError as error:
            raise SpecError(Problem(where=where, message=str(error))) from None
    return raw.get("report", {}).get("options", {})


def _read_result(path: Path) -> Loaded:
    from auditor.errors import Problem, ResultError
    from auditor.regular import read_regular
    from auditor.report.result_json import MOST_BYTES, load

    try:
        loaded = load(read_regular(path, MOST_BYTES))
    except OSError as error:
        raise ResultError(Problem(file=str(path), message=f"cannot be read: {error.strerror}")) from None
    except ResultError as error:
        raise ResultError(*(replace(problem, file=str(path)) for problem in error.problems)) from None
    if loaded.edited:
        click.echo(f"warning: {path} was changed after it was written: its digest is another than it states", err=True)
    return loaded
