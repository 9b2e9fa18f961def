"""What other distributions add: entry points, found by name; only the one asked for is imported."""

from __future__ import annotations

import sys
import traceback
from contextlib import contextmanager, redirect_stdout
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
        with redirect_stdout(sys.stderr):
            yield
    except PluginError:
        raise
    except AuditorError as error:
        raise PluginError(*(Problem(where=owner, message=str(problem)) for problem in error.problems)) from error
    except (Exception, SystemExit) as error:
        message = f"{type(error).__name__}: {error}".rstrip(": ")
        raise PluginError(Problem(where=owner, message=f"{message} ({_place(error)})")) from error


def _place(error: BaseException) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{last.filename}:{last.lineno}"


def unknown(name: str, known: Iterable[str]) -> str:
    """Advise on a name that is neither built in nor offered: the nearest one, and all."""
    known = list(known)
    nearest, every = did_you_mean(name, known), did_you_mean("", known)
    return every if nearest == every else f"{nearest} {every}"
