"""What a process that opens models may do: write nothing outside its folders, reach no network, take so much memory.

Only what the kernel withholds for good counts, from children too. It confines the thread that asks, and those that it
starts afterwards: so `enter` comes before NumPy, whose threads would stay outside, and nothing here imports it.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from auditor import kernel

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Level = Literal["full", "partial", "none"]
_LEVELS: tuple[Level, ...] = ("none", "partial", "full")
LARGEST_FILE = 64 << 30
"""Bytes that one file may have: a disk is not filled by a mistake, and no model or table of results comes near."""
_SMALLEST = 8 << 30
"""Bytes of memory that a worker may take on however small a computer: TensorFlow asks for more than it uses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """What was withheld from a process that opened models."""

    level: Level
    """"full" where neither writing outside nor the network was possible, "partial" where one of them was not."""
    writes: bool
    """Whether nothing could be written outside its own folders."""
    network: bool
    """Whether it could have no socket of any kind."""
    memory: int | None
    """Bytes that it could take; None where nothing limited it."""
    why: str
    """Why it is less than full; empty where it is not."""

    def __str__(self) -> str:
        withheld = {
            "no writing outside the store": self.writes,
            "no network": self.network,
            f"at most {(self.memory or 0) / 2**30:.0f} GiB of memory": self.memory is not None,
        }
        told = ", ".join(word for word, held in withheld.items() if held)
        return f"{self.level}: " + "; ".join(filter(None, (told, self.why)))


def made_of(*, writes: bool = False, network: bool = False, memory: int | None = None, why: str = "") -> Sandbox:
    """Give what was reached, with its level."""
    return Sandbox(level=_LEVELS[writes + network], writes=writes, network=network, memory=memory, why=why)


def weakest(found: Iterable[Sandbox]) -> Sandbox | None:
    """Give the one that withholds least; None of none."""
    return min(found, key=lambda each: (_LEVELS.index(each.level), each.memory is not None), default=None)


class _Process:
    """What this process is."""

    sandbox = made_of(why="the process that opened models was no worker of the auditor's own")


def here() -> Sandbox:
    """Give what is withheld from this process."""
    return _Process.sandbox


def enter(writable: Sequence[Path], *, memory: int | None = None) -> Sandbox:
    """Give up all but these folders, which exist, and so many bytes of memory; tell how far the kernel saw to it."""
    try:
        several = kernel.threads() > 1
    except OSError as error:
        return _entered(made_of(why=f"only Linux can withhold anything: {error}"))
    _limit(memory)
    alone = "threads ran before it was entered: of a script, import NumPy and the like in functions" if several else ""
    files, calls = _privileges() or kernel.close_files(writable), kernel.close_calls()
    why = "; ".join(filter(None, (alone, files, calls)))
    return _entered(made_of(writes=not (alone or files), network=not calls, memory=memory, why=why))


def _entered(reached: Sandbox) -> Sandbox:
    _Process.sandbox = reached
    return reached


def _privileges() -> str:
    try:
        kernel.gain_nothing()
        kernel.drop_capabilities()
    except OSError as error:
        return str(error)
    return ""


def _limit(memory: int | None) -> None:
    """Limit memory, files and what a crash leaves, but raise no limit that is there."""
    wanted = {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: LARGEST_FILE}
    # Not the address space: TensorFlow reserves far more of it than it uses.
    for what, limit in {**wanted, **({resource.RLIMIT_DATA: memory} if memory else {})}.items():
        _, highest = resource.getrlimit(what)
        limit = limit if highest == resource.RLIM_INFINITY else min(limit, highest)  # noqa: PLW2901
        resource.setrlimit(what, (limit, limit))


def memory_of_computer() -> int:
    """Give the bytes that a worker may take: all that the computer has, so that a bomb ends the worker and not more."""
    return max(_SMALLEST, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))


# --------------------------------------------------------------------------------------------------------- processes


@cache
def probe() -> Sandbox:
    """Tell what is withheld from a worker on this computer: another process, which imports nothing, tries."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "auditor.sandbox"], capture_output=True, check=True, env=environment()
    )
    return Sandbox(**json.loads(done.stdout))


def environment() -> dict[str, str]:
    """Give a child's environment: it finds the same auditor, also where only our own search path leads to it."""
    paths = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(enter([], memory=memory_of_computer()))))
