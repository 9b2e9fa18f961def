"""How far an audit has come: silent by default, a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, Self, TextIO

from auditor.text import clean, duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console
    from rich.progress import TaskID

STAGES = {
    "load": "reading the data",
    "run": "running the population",
    "measure": "measuring and judging",
    "report": "writing the report",
}


class Progress(Protocol):
    """Told of what happens while an audit runs."""

    def stage(self, name: str) -> None:
        """A stage begins."""

    def started(self, total: int) -> None:
        """Jobs begin, `total` more."""

    def finished(self, job: str, seconds: float, *, stored: bool) -> None:
        """A job ended, or was found in the store."""

    def trained(self, stack: str, seconds: float) -> None:
        """Members were trained together; each is finished when it has decided."""

    def note(self, message: str) -> None:
        """Something that the user should know, such as a warning."""


class Silent:
    """Says nothing."""

    def stage(self, name: str) -> None:
        """Say nothing."""

    def started(self, total: int) -> None:
        """Say nothing."""

    def finished(self, job: str, seconds: float, *, stored: bool) -> None:
        """Say nothing."""

    def trained(self, stack: str, seconds: float) -> None:
        """Say nothing."""

    def note(self, message: str) -> None:
        """Say nothing."""


class Lines:
    """Writes a line for each event: for logs and pipes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._total = self._done = self._stored = 0
        self._first: float | None = None
        """When the first member was made: what goes before it happens once."""

    def stage(self, name: str) -> None:
        """Name the stage."""
        self._write(STAGES[name])

    def started(self, total: int) -> None:
        """Count on."""
        self._total += total

    def finished(self, job: str, seconds: float, *, stored: bool) -> None:
        """Tell what is done, and about how long the rest takes; what was stored is only counted."""
        self._done += 1
        self._stored += stored
        if not stored:
            self._write(f"  {self._done}/{self._total} {job}: {seconds:.1f} s{self._left()}")
        elif self._done == self._total:
            self._write(f"  {self._stored} of {self._total} members were stored already")

    def trained(self, stack: str, seconds: float) -> None:
        """Tell it, without counting."""
        self._write(f"  {stack}: {seconds:.1f} s")

    def _left(self) -> str:
        now = time.monotonic()
        if self._first is None:
            self._first = now
            return ""
        left = (now - self._first) / (self._done - self._stored - 1) * (self._total - self._done)
        return f", about {duration(left)} left" if left >= 1 else ""

    def note(self, message: str) -> None:
        """Pass on a warning."""
        self._write(f"warning: {clean(message)}")

    def _write(self, text: str) -> None:
        self._stream.write(f"{text}\n")
        self._stream.flush()


class Bar:
    """A live bar with the time that is left: for terminals."""

    def __init__(self, console: Console) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn  # noqa: PLC0415
        from rich.progress import Progress as RichProgress  # noqa: PLC0415

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = RichProgress(*columns, console=console, transient=True)
        self._task: TaskID | None = None
        self._total = 0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def stage(self, name: str) -> None:
        """Name the stage."""
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._total = 0
        self._task = self._bar.add_task(STAGES[name], total=None)

    def started(self, total: int) -> None:
        """Count on."""
        if self._task is not None:
            self._total += total
            self._bar.update(self._task, total=self._total)

    def finished(self, job: str, seconds: float, *, stored: bool) -> None:
        """Move on by one."""
        if self._task is not None:
            what = "stored already" if stored else f"{seconds:.1f} s"
            self._bar.update(self._task, advance=1, description=f"{job} ({what})")

    def trained(self, stack: str, seconds: float) -> None:
        """Tell it, without moving on."""
        if self._task is not None:
            self._bar.update(self._task, description=f"{stack} ({seconds:.1f} s)")

    def note(self, message: str) -> None:
        """Pass on a warning, above the bar."""
        self._bar.console.print(f"warning: {clean(message)}", style="yellow", markup=False, highlight=False)


@contextmanager
def progress_on(stream: TextIO) -> Iterator[Progress]:
    """Give a bar where the stream is a terminal, else lines."""
    if not stream.isatty():
        yield Lines(stream)
        return
    from rich.console import Console  # noqa: PLC0415 - only a terminal needs it

    with Bar(Console(file=stream)) as bar:
        yield bar
