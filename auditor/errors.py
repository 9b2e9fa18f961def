"""What can go wrong in a request, and what to do about it.

Only requests that cannot be served raise. A failed member, an undefined number and a skipped check are values.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from enum import IntEnum
from typing import TYPE_CHECKING

from auditor.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable


class ExitCode(IntEnum):
    """What the command answers with; the meaning of each is part of the contract."""

    PASSED = 0
    GATE_FAILED = 1
    BAD_REQUEST = 2
    UNDECIDED = 3
    INCOMPLETE = 4
    BUG = 70
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake: where it is, what it is, and what to do."""

    message: str
    """What was found and what was expected."""
    where: str = ""
    """Key path in audit.toml, or column, row, group, layer or file."""
    file: str = ""
    """The file that the mistake is in."""
    line: int | None = None
    """Line in that file, counted from 1."""
    advice: str = ""
    """What to do; empty where the message says it all."""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        head = ": ".join(clean(part) for part in (place, self.where, self.message) if part)
        return f"{head}\n    {clean(self.advice)}" if self.advice else head


def did_you_mean(name: str, known: Iterable[str], wanted: Iterable[str] = ()) -> str:
    """Advice for a name that is not known: the nearest one that is, else the first dozen of them.

    A near one among the `wanted`, which are known and not there, comes before a nearer one.
    """
    names = sorted(set(known))
    for among in (wanted, names):
        lower = {candidate.lower(): candidate for candidate in among}
        close = get_close_matches(name.lower(), lower, n=1)
        if close:
            return f'Did you mean "{lower[close[0]]}"?'
    more = f" and {len(names) - 12:,} more" if len(names) > 12 else ""
    return "There is " + (", ".join(f'"{candidate}"' for candidate in names[:12]) or "none") + more + "."


class AuditorError(Exception):
    """A request that cannot be served. Carries every problem that was found, not only the first."""

    exit_code = ExitCode.BAD_REQUEST

    def __init__(self, *problems: Problem | str) -> None:
        self.problems = tuple(p if isinstance(p, Problem) else Problem(message=p) for p in problems)
        super().__init__("\n".join(map(str, self.problems)))


class SpecError(AuditorError):
    """audit.toml, or a value given on the command line, is wrong."""


class DataError(AuditorError):
    """The data cannot be audited as declared."""


class ModelError(AuditorError):
    """A model file is refused or cannot be used."""


class ResultError(AuditorError):
    """A result file cannot be read."""


class OutputError(AuditorError):
    """A report cannot be written as asked."""


class IncompleteError(AuditorError):
    """The audit could not be completed: no judgement was possible."""

    exit_code = ExitCode.INCOMPLETE
