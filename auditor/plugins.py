"""What other distributions add: entry points, found by name; only the one asked for is imported."""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import chdir, contextmanager, redirect_stdout
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, TypeVar

from auditor.errors import AuditorError, Problem, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

REPORTERS = "auditor.reporters"
"""The group of entry points that name reporters."""
_Kind = TypeVar("_Kind")


class PluginError(AuditorError):
    """A plugin is not what it should be, or has raised; the problem names its distribution."""


def names(group: str) -> list[str]:
    """Give the names that installed distributions offer in a group."""
    return sorted({point.name for point in entry_points(group=group)})


def load(group: str, name: str, kind: type[_Kind]) -> type[_Kind]:
    """Import what a distribution offers under this name: a subclass of `kind`.

    Raises:
        LookupError: none offers it.
        PluginError: two distributions do, it cannot be imported, or it is something else.
    """
    points = list(dict.fromkeys(entry_points(group=group, name=name)))
    if not points:
        raise LookupError(name)
    if len(points) > 1:
        owners = " and ".join(sorted(map(_owner, points)))
        raise PluginError(Problem(where=name, message=f"{owners} both offer it", advice="Uninstall one of them."))
    with blamed_on(origin(group, name)):
        found = points[0].load()
    if not (isinstance(found, type) and issubclass(found, kind)):
        message = f"{points[0].value} is no subclass of {kind.__module__}.{kind.__qualname__}"
        raise PluginError(Problem(where=origin(group, name), message=message))
    return found


def origin(group: str, name: str) -> str:
    """Say which distribution offers a name, such as "acme-reports 1.2"."""
    return " and ".join(sorted(map(_owner, entry_points(group=group, name=name)))) or name


def _owner(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.value


@contextmanager
def blamed_on(owner: str) -> Iterator[None]:
    """Run a plugin's code: whatever it raises is said with its distribution and line, and what it prints is no answer.

    Raises PluginError; an AuditorError keeps its problems.
    """
    try:
        with _apart():
            yield
    except (PluginError, KeyboardInterrupt):
        raise
    except AuditorError as error:
        raise PluginError(*(Problem(where=owner, message=str(problem)) for problem in error.problems)) from error
    except BaseException as error:  # a task that is cancelled is no Exception, nor is what some libraries raise
        raise PluginError(Problem(where=owner, message=_told(error))) from error


@contextmanager
def _apart() -> Iterator[None]:
    """Send to standard error what would go to standard output, of programs started here too, and come back to here."""
    kept = os.dup(1)
    try:
        os.dup2(2, 1)
        with redirect_stdout(sys.stderr), chdir(os.curdir):
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _told(error: BaseException) -> str:
    """Say what was raised and where; an error that cannot even be put into words is named."""
    told = traceback.TracebackException.from_exception(error, limit=-1)
    message = f"{type(error).__name__}: {told}".rstrip(": ")
    return " ".join([message, *(f"({place.filename}:{place.lineno})" for place in told.stack)])


def unknown(name: str, known: Iterable[str]) -> str:
    """Advise on a name that is neither built in nor offered: the nearest one, and all."""
    known = list(known)
    nearest, every = did_you_mean(name, known), did_you_mean("", known)
    return every if nearest == every else f"{nearest} {every}"
