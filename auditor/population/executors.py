"""Where jobs run: in this process, or in worker processes. An executor knows nothing of what a job does."""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import signal
import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from pebble import ProcessExpired, ProcessPool

from auditor.errors import IncompleteError, Problem
from auditor.folders import temporary_folder
from auditor.kernel import adopting, end_confined
from auditor.population.member import run_job
from auditor.worker import Context, begin, heard, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future

    from auditor.population.job import Job, Site

RETRIES = 3
"""How often a job is given again whose worker died."""
SILENCE = 60.0
"""Seconds in which a worker has started and taken a job, also on a busy computer."""


class Executor(Protocol):
    """Runs jobs, each after its parent."""

    def __call__(self, jobs: Sequence[Job], site: Site, settle: Settle) -> None:
        """Run all of them; parents come before children, and a parent that is not among them is stored already."""


class LostError(Exception):
    """A job whose workers died, `times` times."""

    def __init__(self, times: int, cause: str) -> None:
        self.times = times
        super().__init__(cause)


class Settle(Protocol):
    """Told of each job that ended."""

    def __call__(self, job: Job, reason: str | None) -> bool:
        """Whether the job's children may start; `reason` says why it left nothing in the store, if so."""


def inline(jobs: Sequence[Job], site: Site, settle: Settle) -> None:
    """One after another, in this process."""
    barred: set[str] = set()
    for job in jobs:
        if job.parent in barred:
            barred.add(job.key)
            continue
        run_job(job, site)
        if not settle(job, None):
            barred.add(job.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """In worker processes of this computer, started anew and never forked, each in a sandbox."""

    workers: int
    timeout: int
    """Seconds after which a job is ended and counts as failed."""

    def __call__(self, jobs: Sequence[Job], site: Site, settle: Settle) -> None:
        """See `Executor`."""
        queue = Queue(jobs=list(jobs), settle=settle, timeout=self.timeout, silence=SILENCE)
        broken = 0
        while queue.left():
            with self._pool(site) as pool:
                whole = queue.drain(partial(_give, pool, site))
            broken += not whole
            if broken > RETRIES:
                raise IncompleteError(_broken(started=queue.started))

    @contextlib.contextmanager
    def _pool(self, site: Site) -> Iterator[ProcessPool]:
        """Workers that are gone when this ends, however it ends, and their temporary files with them."""
        with adopting(), temporary_folder() as temporary:
            folders = site.store.folders_of_jobs(), temporary
            pool = ProcessPool(max_workers=self.workers, initializer=begin, initargs=folders, context=Context())
            try:
                yield pool
            finally:
                pool.stop()  # type: ignore[no-untyped-call]
                pool.join()
                end_confined([child.pid or 0 for child in multiprocessing.active_children()])


def _give(pool: ProcessPool, site: Site, job: Job) -> Future[Any]:
    # not the pool's own time limit: it goes by a clock that may be set while a job runs
    return pool.schedule(_work, (job, site))


def _work(job: Job, site: Site) -> dict[str, Any] | None:
    """Run a job in a worker; give its error, if there is one, as a value."""
    try:
        run_job(job, site)
    except BaseException as error:  # noqa: BLE001 - raised again outside
        return told(error)
    return None


@dataclass(slots=True, kw_only=True)
class Queue:
    """Jobs that wait, run, and end."""

    jobs: list[Job]
    settle: Settle
    timeout: float = math.inf
    """Seconds a member after which a job is ended, from when a worker takes it."""
    look: float = 1.0
    """Seconds between two looks at the clock."""
    room: Callable[[], float] = lambda: math.inf
    """How many jobs may be given out at one time."""
    silence: float = math.inf
    """Seconds after which a pool counts as broken where jobs wait for a worker, none runs and none ends."""
    started: bool = False
    """Whether any job was seen to run or to end."""
    heard: float = field(default_factory=time.monotonic)
    """When a job was last seen to run or to end."""
    watch: Callable[[], None] = lambda: None
    """Called at every look; raises where there is no use in waiting."""
    running: dict[Future[Any], Job] = field(default_factory=dict)
    since: dict[Future[Any], float] = field(default_factory=dict)
    """When workers were seen to have taken what runs, by a clock that nobody sets."""
    deaths: Counter[str] = field(default_factory=Counter)

    def left(self) -> bool:
        """Whether jobs wait."""
        return bool(self.jobs)

    def drain(self, start: Callable[[Job], Future[Any]]) -> bool:
        """Run until nothing is left. False where the pool broke: what ran is waiting again."""
        whole, self.heard = True, time.monotonic()
        while self.jobs or self.running:
            whole = whole and self._start_ready(start)
            done, _ = wait(self.running, timeout=self.look, return_when=FIRST_COMPLETED)
            self.watch()
            self._end_overdue()
            if self._is_silent(done):
                self._take_back()
                return False
            for future in done:
                job = self.running.pop(future)
                self.since.pop(future, None)
                error = TimeoutError() if future.cancelled() else future.exception() or heard(future.result())
                if isinstance(error, BrokenProcessPool):
                    whole = False
                    self.jobs.insert(0, job)
                else:
                    self._end(job, error)
            if not whole and not self.running:
                return False
        return True

    def _end_overdue(self) -> None:
        """End what runs too long: a future that is cancelled ends its worker."""
        now = time.monotonic()
        for future, job in self.running.items():
            limit = self.timeout * (len(job.seeds) if job.is_stack else 1)
            if future.running() and now - self.since.setdefault(future, now) > limit:
                future.cancel()

    def _is_silent(self, done: set[Future[Any]]) -> bool:
        """Tell whether a worker keeps the others from hearing and being heard, or hides from its time limit."""
        now = time.monotonic()
        ended = any(future.cancelled() or not isinstance(future.exception(), BrokenProcessPool) for future in done)
        if ended or any(future.running() for future in self.running):
            self.started = True
        if done or any(future.running() for future in self.running):
            self.heard = now
        return now - self.heard > self.silence

    def _take_back(self) -> None:
        """Let what runs wait again; what was ended for its time, though nobody heard of it, has ended."""
        ended = [job for future, job in self.running.items() if future.cancelled()]
        self.jobs[:0] = [job for future, job in self.running.items() if not future.cancelled()]
        self.running.clear()
        self.since.clear()
        for job in ended:
            self._end(job, TimeoutError())

    def _start_ready(self, start: Callable[[Job], Future[Any]]) -> bool:
        """Give out every job whose parent is neither waiting nor running; False where the pool takes no more."""
        open_keys = {job.key for job in (*self.jobs, *self.running.values())}
        room = self.room() - len(self.running)
        for place, job in enumerate([job for job in self.jobs if job.parent not in open_keys]):
            if place >= room:
                break
            try:
                self.running[start(job)] = job
            except RuntimeError:
                return False
            self.jobs.remove(job)
        return True

    def _end(self, job: Job, error: BaseException | None) -> None:
        if error is None:
            self._close(job, None)
        elif isinstance(error, TimeoutError):
            self._close(job, "ended after the time limit, run.member_timeout")
        elif isinstance(error, ProcessExpired | MemoryError):
            self.deaths[job.key] += 1
            if self.deaths[job.key] <= RETRIES:
                self.jobs.insert(0, job)
            else:
                self._close(job, _died(RETRIES + 1, _cause(error)))
        elif isinstance(error, LostError):
            # Others may have died for it: it is given once more, and counts what it then does.
            self.deaths[job.key] += error.times
            if self.deaths[job.key] == error.times:
                self.jobs.append(job)
            else:
                self._close(job, _died(self.deaths[job.key], str(error)))
        else:
            raise error

    def _close(self, job: Job, reason: str | None) -> None:
        if not self.settle(job, reason):
            self._drop_children({job.key})

    def _drop_children(self, barred: set[str]) -> None:
        for job in list(self.jobs):
            if job.parent in barred:
                barred.add(job.key)
                self.jobs.remove(job)


def _broken(*, started: bool) -> Problem:
    if started:
        return Problem(
            message=f"the worker processes broke off {RETRIES + 1} times: they sent what is no answer, or none at all",
            where="run.executor",
            advice="A model whose code is hostile or crashes can do that: audit models one by one to find it.",
        )
    return Problem(
        message="the worker processes end as soon as they start",
        where="run.executor",
        advice='In a script, audit under `if __name__ == "__main__":`; or use executor = "inline".',
    )


def _died(times: int, cause: str) -> str:
    return f"its worker process died {times} times: {cause}"


def _cause(error: ProcessExpired | MemoryError) -> str:
    if isinstance(error, MemoryError):
        return "out of memory"
    if error.exitcode is not None and error.exitcode < 0:
        return f"signal {signal.Signals(-error.exitcode).name}; SIGKILL often means that memory ran out"
    return f"exit code {error.exitcode}"
