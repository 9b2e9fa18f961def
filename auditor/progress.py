"""How far an audit has come: silent by default, live bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, Self, TextIO

from auditor.text import clean, duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console
    from rich.progress import TaskID

STAGES = {
    "load": "reading the data",
    "run": "running the population",
    "measure": "measuring and judging",
    "report": "writing the report",
}


MOST_BARS = 8
"""Variants that have a bar of their own at one time."""


class Progress(Protocol):
    """Told of what happens while an audit runs."""

    def stage(self, name: str) -> None:
        """A stage begins."""

    def started(self, jobs: Sequence[str]) -> None:
        """These jobs begin, such as "pruned-0.5, member 3"; others may before."""

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

    def started(self, jobs: Sequence[str]) -> None:
        """Say nothing."""

    def finished(self, job: str, seconds: float, *, stored: bool) -> None:
        """Say nothing."""

    def trained(self, stack: str, seconds: float) -> None:
        """Say nothing."""

    def note(self, message: str) -> None:
        """Say nothing."""


@dataclass(slots=True, kw_only=True)
class Count:
    """The members of one variant."""

    total: int = 0
    done: int = 0
    stored: int = 0
    """Of those done: found in the store."""
    seconds: float = 0.0
    """That making the others took, one after another, and training them side by side."""


@dataclass(slots=True)
class Tally:
    """What was told so far: by stage, and by variant."""

    stages: dict[str, float] = field(default_factory=dict)
    """Seconds of each stage that is over."""
    variants: dict[str, Count] = field(default_factory=dict)
    _stage: tuple[str, float] | None = None
    _first: tuple[float, int] | None = None
    """When the first member was made, and how many had been done by then: what goes before it happens once."""
    _last: float = 0.0

    def stage(self, name: str) -> None:
        """Begin a stage, and end the one before."""
        self.end()
        self._stage = (name, time.monotonic())

    def end(self) -> None:
        """End the last stage."""
        if self._stage:
            name, since = self._stage
            self.stages[name] = self.stages.get(name, 0.0) + time.monotonic() - since
            self._stage = None

    def started(self, jobs: Sequence[str]) -> None:
        """Count on."""
        for job in jobs:
            self._of(job).total += 1

    def finished(self, job: str, seconds: float, *, stored: bool) -> None:
        """Count one as done."""
        count = self._of(job)
        count.done += 1
        count.stored += stored
        if not stored:
            count.seconds += seconds
            self._last = time.monotonic()
            self._first = self._first or (self._last, self.done)

    def trained(self, stack: str, seconds: float) -> None:
        """Count the time of members that were trained together."""
        self._of(stack).seconds += seconds

    def _of(self, job: str) -> Count:
        """Give the variant's count: no name of a variant has a comma."""
        return self.variants.setdefault(job.partition(",")[0], Count())

    @property
    def total(self) -> int:
        """Members that are asked for."""
        return sum(count.total for count in self.variants.values())

    @property
    def done(self) -> int:
        """Members that have ended, or were stored."""
        return sum(count.done for count in self.variants.values())

    @property
    def stored(self) -> int:
        """Members that were found in the store."""
        return sum(count.stored for count in self.variants.values())

    def left(self) -> str:
        """About how long the rest takes, going by those that were made; empty where nobody knows, or at the end."""
        if self._first is None:
            return ""
        first, before = self._first
        made = self.done - before
        if not made:
            return ""
        seconds = (self._last - first) / made * (self.total - self.done) - (time.monotonic() - self._last)
        return f"about {duration(seconds)} left" if seconds >= 1 else ""


class Told:
    """Counts what it is told."""

    def __init__(self) -> None:
        self.tally = Tally()

    def stage(self, name: str) -> None:
        """Time the stages."""
        self.tally.stage(name)

    def started(self, jobs: Sequence[str]) -> None:
        """Count on."""
        self.tally.started(jobs)

    def finished(self, job: str, seconds: float, *, stored: bool) -> None:
        """Count what is done."""
        self.tally.finished(job, seconds, stored=stored)

    def trained(self, stack: str, seconds: float) -> None:
        """Count its time."""
        self.tally.trained(stack, seconds)


class Warnings(Told):
    """Writes warnings alone."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    def note(self, message: str) -> None:
        """Pass on a warning."""
        self._write(f"warning: {clean(message)}")

    def _write(self, text: str) -> None:
        self._stream.write(f"{text}\n")
        self._stream.flush()


class Lines(Warnings):
    """Writes a line for each event: for logs and pipes."""

    def stage(self, name: str) -> None:
        """Name the stage."""
        super().stage(name)
        self._write(STAGES[name])

    def finished(self, job: str, seconds: float, *, stored: bool) -> None:
        """Tell what is done, and about how long the rest takes; what was stored is only counted."""
        super().finished(job, seconds, stored=stored)
        tally = self.tally
        if not stored:
            left = tally.left()
            self._write(f"  {tally.done}/{tally.total} {job}: {seconds:.1f} s{left and ', '}{left}")
        elif tally.done == tally.total:
            self._write(f"  {tally.stored} of {tally.total} members were stored already")

    def trained(self, stack: str, seconds: float) -> None:
        """Tell it, without counting a member."""
        super().trained(stack, seconds)
        self._write(f"  {stack}: {seconds:.1f} s")


class Bars(Told):
    """Live bars, one for all and one for each variant that is not done, with the time that is left: for terminals."""

    def __init__(self, console: Console) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn  # noqa: PLC0415
        from rich.progress import Progress as RichProgress  # noqa: PLC0415
        from rich.table import Column  # noqa: PLC0415

        super().__init__()
        short = Column(max_width=28, no_wrap=True, overflow="ellipsis")
        self._bars = RichProgress(
            TextColumn("{task.description}", markup=False, table_column=short),
            BarColumn(bar_width=16),
            MofNCompleteColumn(),
            TextColumn("{task.fields[said]}", markup=False, table_column=Column(no_wrap=True)),
            console=console,
            transient=True,
            get_time=time.monotonic,
        )
        self._whole: TaskID | None = None
        self._own: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def stage(self, name: str) -> None:
        """Name the stage; bars of another one are gone."""
        super().stage(name)
        for task in list(self._bars.task_ids):
            self._bars.remove_task(task)
        self._own.clear()
        self._whole = self._bars.add_task(STAGES[name], total=None, said=_Said(self.tally))

    def started(self, jobs: Sequence[str]) -> None:
        """Give each variant a bar."""
        super().started(jobs)
        for variant in self.tally.variants:
            if variant not in self._own:
                self._own[variant] = self._bars.add_task(f"  {variant}", total=None, said="", visible=False)
        self._show()

    def finished(self, job: str, seconds: float, *, stored: bool) -> None:
        """Move on by one."""
        super().finished(job, seconds, stored=stored)
        self._show()

    def trained(self, stack: str, seconds: float) -> None:
        """Tell it, without moving on."""
        super().trained(stack, seconds)
        self._show()

    def note(self, message: str) -> None:
        """Pass on a warning, above the bars."""
        self._bars.console.print(f"warning: {clean(message)}", style="yellow", markup=False, highlight=False)

    def _show(self) -> None:
        tally, room = self.tally, MOST_BARS
        if self._whole is not None:
            self._bars.update(self._whole, total=tally.total, completed=tally.done)
        for variant, task in self._own.items():
            count = tally.variants[variant]
            is_open = count.done < count.total
            said = f"{duration(count.seconds)} so far" if count.seconds >= 1 else ""
            visible = is_open and room > 0
            room -= is_open
            self._bars.update(task, total=count.total, completed=count.done, said=said, visible=visible)


class _Said:
    """Time spent on a stage, and what is left, whenever it is shown."""

    def __init__(self, tally: Tally) -> None:
        self._tally, self._since = tally, time.monotonic()

    def __format__(self, _: str) -> str:
        spent, left = duration(time.monotonic() - self._since), self._tally.left()
        return f"{spent}, {left}" if left else spent


@contextmanager
def progress_on(stream: TextIO, *, quiet: bool = False) -> Iterator[Warnings | Bars]:
    """Give bars where the stream is a terminal that moves its cursor, else lines, or, if `quiet`, warnings alone."""
    if quiet or not stream.isatty():
        yield Warnings(stream) if quiet else Lines(stream)
        return
    from rich.console import Console  # noqa: PLC0415 - only a terminal needs it

    console = Console(file=stream)
    if console.is_dumb_terminal:
        yield Lines(stream)
        return
    with Bars(console) as bars:
        yield bars
