"""Options that several commands share, and the definition that they are about."""

from __future__ import annotations

from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.completion import keys_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from auditor.declare import Declaration
    from auditor.errors import ExitCode

FILE = click.Path(path_type=Path)
RESULT = click.argument("result", type=FILE)
DEFINITION = click.argument("file", type=FILE, default="audit.toml")
SETTINGS = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    shell_complete=keys_of,
    help="Set any key, such as data.path=… or compression.NAME.sparsity=…",
)
MEMBERS = click.option("--members", type=click.IntRange(1), help="Members a variant, instead of population.size.")
SANDBOX = click.option(
    "--require-sandbox", is_flag=True, help="Refuse to open models where the kernel cannot confine them."
)
INCONCLUSIVE = click.option("--allow-inconclusive", is_flag=True, help="Inconclusive gates do not count.")

FAIL_ON = click.option(
    "--fail-on",
    type=click.Choice(["error", "warning"]),
    default="error",
    show_default=True,
    help="The least severity of a gate that counts.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """How much a command says, and to whom."""

    quiet: bool = False
    verbose: bool = False
    json: bool = False
    """Whether standard output holds one JSON object, for programs."""


VERBOSE = click.option(
    "-v", "--verbose", is_flag=True, help="Say more: every comparison that does not pass, and where the time went."
)


def voiced(command: Callable[..., ExitCode]) -> Callable[..., ExitCode]:
    """Give a command the options of a `Voice`, its argument `voice`; those that have more to say take `VERBOSE` too."""

    @click.option("-q", "--quiet", is_flag=True, help="Say nothing but warnings and errors: the exit code answers.")
    @click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json"]),
        default="text",
        help="What stands on standard output; json is for programs.",
    )
    @wraps(command)
    def with_voice(*, quiet: bool, form: str, verbose: bool = False, **others: object) -> ExitCode:
        if quiet and verbose:
            raise click.UsageError("--quiet and --verbose: one of them")
        return command(voice=Voice(quiet=quiet, verbose=verbose, json=form == "json"), **others)

    return with_voice


def load(
    file: Path,
    settings: Sequence[str],
    *,
    members: int | None = None,
    executor: str | None = None,
    require_sandbox: bool = False,
) -> Declaration:
    """Read a definition, with what `--set` says in its place, and then the options that stand for a key of it."""
    from auditor.declare import load_spec
    from auditor.errors import Problem, SpecError
    from auditor.text import is_text

    given = {
        "population.size": members,
        "run.executor": executor,
        "run.require_sandbox": "true" if require_sandbox else None,
    }
    if strange := [said for said in (file.name, *settings) if not is_text(said)]:
        # both are kept in the result, whose JSON could not be written once all is done
        raise SpecError(*(Problem(where=said, message="is no UTF-8 text") for said in strange))
    return load_spec(file, (*settings, *(f"{key}={value}" for key, value in given.items() if value)))
