"""Jobs on the workers of a Dask cluster: given out here, run by `remote`; results are stored here as if run here."""

from __future__ import annotations

import contextlib
import json
import logging
import threading
import time
import uuid
from collections import Counter
from concurrent.futures import Future
from dataclasses import KW_ONLY, dataclass, field
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import distributed
from distributed import CancelledError
from distributed.scheduler import KilledWorker

from auditor.errors import IncompleteError, Problem
from auditor.models.load import read_model
from auditor.population import remote
from auditor.population.entry import ENTRY, DamagedError
from auditor.population.executors import LostError, Queue
from auditor.population.store import wait_until
from auditor.provenance import digest_of_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from auditor.population.executors import Settle
    from auditor.population.job import Job, Site

WAIT = 300.0
"""Seconds to wait for a first worker, and for another where all have gone."""
PIECE = 16 * 2**20
"""Bytes of a file sent at a time."""
SENDINGS = 20
"""How often what a job lacks is sent after it, as workers come and go."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """On the workers of a Dask scheduler."""

    address: str
    _: KW_ONLY
    timeout: int
    """Seconds a member after which a job is ended and counts as failed."""
    resources: Mapping[str, Mapping[str, float]]
    """What a worker must offer, by variant; "*" are the others."""

    def __call__(self, jobs: Sequence[Job], site: Site, settle: Settle) -> None:
        """See `executors.Executor`."""
        with _connected(self.address) as client, site.store.scratch() as mark:
            wanted = {job.variant: self.resources.get(job.variant, self.resources.get("*", {})) for job in jobs}
            _check(client, wanted)
            desk = _Desk(client=client, site=site, mark=mark, timeout=self.timeout, resources=wanted)
            with contextlib.closing(desk):
                Queue(jobs=list(jobs), settle=settle, watch=desk.watch, room=desk.room).drain(desk.start)


@contextlib.contextmanager
def _connected(address: str) -> Iterator[distributed.Client]:
    """Connect to a scheduler; certificates are those of Dask's own configuration."""
    # What it logs when a connection breaks is a page of tracebacks; that it broke is said once, by us.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    try:
        client = distributed.Client(address, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, TypeError, ValueError, RuntimeError) as error:
        advice = "Dask's configuration names the certificates: distributed.comm.tls. Is the scheduler running?"
        message = f"{address} cannot be reached: {error}"
        raise IncompleteError(Problem(where="run.address", message=message, advice=advice)) from error
    try:
        yield client
    finally:
        client.close(timeout=2)  # type: ignore[no-untyped-call]


def _check(client: distributed.Client, wanted: Mapping[str, Mapping[str, float]]) -> None:
    """Raise IncompleteError with every worker that cannot run jobs, and everything that none offers."""
    try:
        client.wait_for_workers(1, timeout=WAIT)
    except TimeoutError as error:
        raise _no_workers() from error
    said = client.run(remote.check, remote.HERE, on_error="return")
    problems: list[Problem] = []
    for address, answer in said.items():
        if isinstance(answer, IncompleteError):
            problems += answer.problems
        elif isinstance(answer, BaseException):
            message = f"cannot run auditor: {type(answer).__name__}: {answer}"
            advice = 'pip install "auditor[dask]" there, in the version that is installed here.'
            problems.append(Problem(where=f"worker {address}", message=message, advice=advice))
    offers = [answer for answer in said.values() if not isinstance(answer, BaseException)]
    if offers:
        problems += _unmet(wanted, offers)
    if problems:
        raise IncompleteError(*dict.fromkeys(problems))


def _unmet(wanted: Mapping[str, Mapping[str, float]], offers: Sequence[Mapping[str, float]]) -> Sequence[Problem]:
    """A problem for each variant that no worker can run."""
    problems = []
    for variant, needs in wanted.items():
        if not any(all(offer.get(name, 0) >= n for name, n in needs.items()) for offer in offers):
            amounts = " ".join(f"{name}={n:g}" for name, n in needs.items())
            message, advice = f"no worker offers {amounts}, for {variant}", f'Start one with --resources "{amounts}".'
            problems.append(Problem(where="run.resources", message=message, advice=advice))
    return problems


def _no_workers() -> IncompleteError:
    message = f"the scheduler had no worker for {WAIT:.0f} seconds"
    return IncompleteError(Problem(where="run.address", message=message, advice="Start workers, and run again."))


_Answered = tuple["Job", "Future[None]", "distributed.Future[dict[str, Any]]"]


@dataclass(kw_only=True)
class _Desk:
    """Gives jobs out, sends after them what they lack, and takes results in."""

    client: distributed.Client
    site: Site
    mark: Path
    """A folder that is there as long as this run: a worker that sees it sees the store."""
    timeout: int
    resources: Mapping[str, Mapping[str, float]]
    held: dict[str, distributed.Future[dict[str, Any]]] = field(default_factory=dict)
    """What is given out, by job: Dask forgets what nobody holds, and repeats what is held and was lost."""
    sent: Counter[str] = field(default_factory=Counter)
    """How often what a job lacked was sent after it."""
    arrived: SimpleQueue[_Answered | None] = field(default_factory=SimpleQueue)
    lacking_since: float | None = None

    def __post_init__(self) -> None:
        # A thread of our own, that nobody waits for: what it asks of a worker may never be answered.
        threading.Thread(target=self._take_in, daemon=True).start()

    def close(self) -> None:
        """Take no more answers in, and end what still runs: Dask would wait for it."""
        self.arrived.put(None)
        own = {future.key for future in self.held.values()}
        if own and self.client.status == "running":
            with contextlib.suppress(Exception):  # the run ends for another reason, which is the one to tell
                busy = [worker for worker, keys in self.client.processing().items() if own & {*keys}]  # type: ignore[no-untyped-call]
                self.client.restart_workers(busy, timeout=2, raise_for_error=False)

    def room(self) -> float:
        """As many jobs as there are workers: Dask lets everything that waits for a worker die with it."""
        return len(self.client.scheduler_info()["workers"])

    def start(self, job: Job) -> Future[None]:
        """Give a job out; the future ends when its result is stored here."""
        promise: Future[None] = Future()
        promise.set_running_or_notify_cancel()
        self._give(job, promise)
        return promise

    def watch(self) -> None:
        """Raise IncompleteError where nobody is there any more to do the work."""
        if self.client.status != "running":
            raise _lost_scheduler()
        offers = [worker["resources"] for worker in self.client.scheduler_info()["workers"].values()]
        if not (lacking := _unmet(self.resources, offers)):
            self.lacking_since = None
            return
        self.lacking_since = self.lacking_since or time.monotonic()
        if time.monotonic() - self.lacking_since > WAIT:
            raise IncompleteError(*lacking) if offers else _no_workers()

    def _give(self, job: Job, promise: Future[None], worker: str | None = None) -> None:
        resources = dict(self.resources[job.variant]) or None
        # Where a worker is named but others are allowed, Dask forgets what they must offer.
        named = [worker] if worker and not resources else None
        future = self.client.submit(
            remote.work,
            self._order(job),
            key=f"auditor-{job.key[:16]}-{uuid.uuid4().hex}",
            pure=False,
            workers=named,
            allow_other_workers=bool(named),
            resources=resources,
        )
        self.held[job.key] = future
        future.add_done_callback(lambda answered: self.arrived.put((job, promise, answered)))  # type: ignore[no-untyped-call]

    def _order(self, job: Job) -> str:
        """Put a job and what it needs to know of its site into JSON."""
        return json.dumps(
            {
                "here": remote.HERE,
                "variant": job.variant,
                "member": job.member,
                "definition": job.definition,
                "path": job.path and str(job.path.absolute()),
                "store": str(self.site.store.root),
                "mark": str(self.mark),
                "inputs": self.site.inputs.name,
                "base": str(self.site.base),
                "force": self.site.force,
                "timeout": self.timeout * (len(job.seeds) if job.is_stack else 1),
            }
        )

    def _take_in(self) -> None:
        """Take answers in, one after another; whatever goes wrong is the promise's."""
        while (answered := self.arrived.get()) is not None:
            job, promise, future = answered
            try:
                if self._settled(job, promise, future):
                    promise.set_result(None)
            except BaseException as error:  # noqa: BLE001 - nobody else hears it in this thread
                promise.set_exception(error)

    def _settled(self, job: Job, promise: Future[None], future: distributed.Future[dict[str, Any]]) -> bool:
        """Whether the job's result is stored; if not, it has been given out again."""
        try:
            answer = self._answer(future)
        finally:
            self.held.pop(job.key, None)
            future.release()  # type: ignore[no-untyped-call]
        if "lacks" in answer:
            self._send(job, answer["lacks"], answer["worker"])
            self._give(job, promise, answer["worker"])
            return False
        if "stale" in answer:
            self._restart(answer["worker"])
            self._give(job, promise)
            return False
        if "overdue" in answer:
            with contextlib.suppress(IncompleteError):  # without a nanny it ends itself at its next job
                self._restart(answer["worker"])
            raise TimeoutError
        self._store(job, answer)
        return True

    def _restart(self, worker: str) -> None:
        try:
            self.client.restart_workers([worker], timeout=30, raise_for_error=False)
        except ValueError as error:
            message, advice = (
                "cannot be started anew, and has to be",
                "Start it with Dask's nanny, which is the default.",
            )
            raise IncompleteError(Problem(where=f"worker {worker}", message=message, advice=advice)) from error
        except KeyError:
            return  # it has gone

    def _store(self, job: Job, answer: Mapping[str, Any]) -> None:
        """Take a result in. Raises IncompleteError where it is not what a worker should have made."""
        folder = self.site.store.job_folder(job.key)
        if "files" not in answer:
            if not wait_until(lambda: _digest_of(folder / ENTRY) == answer["digest"]):
                advice = "Is the store on a file system that both share?"
                raise IncompleteError(
                    Problem(file=str(folder), message="a worker's result cannot be seen here", advice=advice)
                )
            return
        try:
            self.site.store.adopt(folder, partial(_write, answer["files"]), replace=self.site.force)
        except (DamagedError, ValueError) as error:
            message, advice = f"what a worker sent of {job.name} is no result: {error}", "Run again."
            raise IncompleteError(Problem(where="run.address", message=message, advice=advice)) from error

    def _answer(self, future: distributed.Future[dict[str, Any]]) -> dict[str, Any]:
        try:
            return future.result()
        except KilledWorker as error:
            raise LostError(error.allowed_failures + 1, f"the last was {error.last_worker.address}") from error
        except CancelledError as error:
            raise _lost_scheduler() from error
        except (ImportError, AttributeError) as error:
            message, advice = f"a worker cannot run auditor: {error}", 'pip install "auditor[dask]" on all of them.'
            raise IncompleteError(Problem(where="run.address", message=message, advice=advice)) from error

    def _send(self, job: Job, lacking: Sequence[str], worker: str) -> None:
        """Send a worker what it lacks. One that has gone meanwhile is left alone: the job is given to another."""
        said = [error for what in lacking if (error := self._send_one(job, what, worker)) is not None]
        self.sent[job.key] += 1
        if self.sent[job.key] > SENDINGS:
            raise LostError(self.sent[job.key], f"the last, {worker}, did not keep what it was sent {said or ''}")

    def _send_one(self, job: Job, what: str, worker: str) -> BaseException | None:
        parcel, (digest, files) = uuid.uuid4().hex, self._contents(job, what)
        answer = self._on(worker, remote.has, what, digest)
        if answer is True or isinstance(answer, BaseException):
            return None if answer is True else answer
        for pieces in _pieces(files):
            if error := self._on(worker, remote.receive, parcel, pieces):
                return error
        return self._on(worker, remote.unpack, parcel, what, digest)

    def _contents(self, job: Job, what: str) -> tuple[str, dict[str, Path]]:
        """Give the digest and the files, by name, of what a job lacks on its worker."""
        if job.path and what == "file":
            name, path = remote.given_name(job.definition["start"]), job.path
            if path.is_dir():  # a SavedModel, sent as one file
                path = self.mark / name
                path.write_bytes(read_model(job.path)[0])
            return "", {name: path}
        folder = self.site.inputs if what == "inputs" else self.site.store.job_folder(str(job.parent))
        return folder.name, {path.name: path for path in folder.iterdir()}

    def _on(self, worker: str, function: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401
        """Run a function on a worker; give what it gives or what went wrong, which may be that the worker has gone."""
        try:
            (answer,) = self.client.run(function, *arguments, workers=[worker], on_error="return").values()
        except OSError as error:
            return error
        return answer


def _pieces(files: Mapping[str, Path]) -> Iterator[list[tuple[str, bytes]]]:
    """Give files in order, in pieces, about `PIECE` bytes at a time."""
    held: list[tuple[str, bytes]] = []
    for name, path in files.items():
        with path.open("rb") as file:
            piece = file.read(PIECE)
            held.append((name, piece))  # also of an empty file
            while sum(len(content) for _, content in held) >= PIECE:
                yield held
                held = [(name, piece)] if (piece := file.read(PIECE)) else []
    if held:
        yield held


def _write(files: Mapping[str, bytes], folder: Path) -> None:
    for name, content in files.items():
        if Path(name).name != name:
            raise DamagedError(f"a worker sent a file named {name!r}")
        (folder / name).write_bytes(content)


def _digest_of(path: Path) -> str | None:
    try:
        return digest_of_file(path)
    except OSError:
        return None


def _lost_scheduler() -> IncompleteError:
    advice = "What is finished is stored: run again when the scheduler is there."
    message = "the connection to the scheduler was lost"
    return IncompleteError(Problem(where="run.address", message=message, advice=advice))
