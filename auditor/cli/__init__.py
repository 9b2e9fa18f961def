"""The command: arguments in, exit code out. The only place that prints or exits."""

from __future__ import annotations

import signal
import sys
import traceback
from io import TextIOWrapper
from typing import NoReturn

import click

from auditor.cli import begin, results
from auditor.cli.completion import PROGRAM, completion
from auditor.cli.github import harmless
from auditor.cli.run import run
from auditor.cli.store import store
from auditor.errors import AuditorError, ExitCode


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="auditor")
def cli() -> None:
    """Find out whom the compression of a neural network hurts, before it ships.

    Exit codes: 0 every gate passed; 1 a gate failed; 2 the request is wrong; 3 none failed, but one is inconclusive or
    undefined; 4 the audit could not be completed; 70 a bug in auditor; 130 interrupted.
    """


for command in (
    run,
    begin.init,
    begin.validate,
    begin.plan,
    store,
    results.check,
    results.report,
    results.diff,
    begin.schema,
    completion,
):
    cli.add_command(command)


def main() -> NoReturn:
    """Run the command and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.stderr = harmless(sys.stderr)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a pipeline ends a job by it: as Ctrl-C, with no litter
    try:
        code = cli(prog_name=PROGRAM, standalone_mode=False)
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
