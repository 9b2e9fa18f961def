"""Completion in shells, by click's own means; what is completed imports neither pandas nor TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem, get_completion_class

from auditor.errors import ExitCode

if TYPE_CHECKING:
    from click import Context, Parameter

PROGRAM = "auditor"
VARIABLE = "_AUDITOR_COMPLETE"
_KEY_IN_BASH = """    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then
        compopt -o nospace
    fi

    return 0
"""
"""After a key and its equals sign comes its value, and no space."""


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> ExitCode:
    """Print what makes a shell complete commands, options, files, formats and keys."""
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - click knows all three
    script = kind(click.Group(), {}, PROGRAM, VARIABLE).source()
    click.echo(script.replace("    return 0\n", _KEY_IN_BASH) if shell == "bash" else script)
    return ExitCode.PASSED


def keys_of(context: Context, _: Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a key of audit.toml, with the names that the file on the command line gives."""
    import tomllib

    from auditor.spec.keys import keys

    given = context.params.get("file")
    try:
        raw = tomllib.loads(Path(given[0] if isinstance(given, tuple) else given or "audit.toml").read_text("utf-8"))
    except (OSError, ValueError, IndexError):
        raw = {}
    return [CompletionItem(f"{key}=") for key in keys(raw) if key.startswith(incomplete)]


def formats_of(_: Context, __: Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the name of a format, built in or a plugin's."""
    from typing import get_args

    from auditor.plugins import REPORTERS, names
    from auditor.spec import Format

    return [CompletionItem(name) for name in (*get_args(Format), *names(REPORTERS)) if name.startswith(incomplete)]
