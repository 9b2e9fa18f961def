"""Options that several commands share, and the definition that they are about."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.declare import Declaration

FILE = click.Path(path_type=Path)
DEFINITION = click.argument("file", type=FILE, default="audit.toml")
SETTINGS = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Set any key, such as data.path=… or compression.NAME.sparsity=…",
)
MEMBERS = click.option("--members", type=click.IntRange(1), help="Members a variant, instead of population.size.")
SANDBOX = click.option(
    "--require-sandbox", is_flag=True, help="Refuse to open models where the kernel cannot confine them."
)
SANDBOXED = "run.require_sandbox=true"
INCONCLUSIVE = click.option("--allow-inconclusive", is_flag=True, help="Inconclusive gates do not count.")

FAIL_ON = click.option(
    "--fail-on",
    type=click.Choice(["error", "warning"]),
    default="error",
    show_default=True,
    help="The least severity of a gate that counts.",
)


def load(file: Path, settings: Sequence[str]) -> Declaration:
    """Read a definition, with what `--set` says in its place."""
    from auditor.declare import load_spec

    return load_spec(file, settings)
