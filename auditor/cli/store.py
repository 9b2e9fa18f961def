"""`auditor store`: what is kept of finished members."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.answer import show
from auditor.cli.options import DEFINITION, FILE, SETTINGS, load
from auditor.errors import ExitCode

if TYPE_CHECKING:
    from auditor.errors import Problem


@click.group()
def store() -> None:
    """Look into the store of finished members, check it, and make room."""


@store.command("ls")
@DEFINITION
@SETTINGS
def list_store(file: Path, settings: tuple[str, ...]) -> ExitCode:
    """Tell what is stored of an audit, and what else its store holds."""
    from auditor import stock
    from auditor.report.terminal_store import stored

    show(stored(stock.take_inventory(load(file, settings))))
    return ExitCode.PASSED


@store.command("verify")
@DEFINITION
@SETTINGS
def verify_store(file: Path, settings: tuple[str, ...]) -> ExitCode:
    """Read every byte of an audit's store; exits with 4 if anything is not as it was written."""
    from auditor import stock
    from auditor.errors import IncompleteError, Problem
    from auditor.population.inventory import verify

    found = list(verify(stock.store_of(load(file, settings))))
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

    found = stock.unneeded([load(file, ()) for file in files or (Path("audit.toml"),)])
    problems: list[Problem] = []
    for place, holdings in found.items():
        gone = holdings
        if not dry_run:
            gone, left = remove(place, holdings)
            problems += left
        show(removed(gone, dry_run=dry_run))
    if problems:
        raise IncompleteError(*problems)
    return ExitCode.PASSED
