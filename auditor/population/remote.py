"""What runs on a worker of a cluster: a job comes as JSON, its result goes into the store or back as bytes.

A worker that sees the audit's store works in it. One that does not keeps a store of its own, asks for what a job reads
and is not there yet, and sends results back.
"""

from __future__ import annotations

import json
import os
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distributed import get_worker

from auditor.errors import IncompleteError, ModelError, Problem
from auditor.folders import remove
from auditor.models.load import read_model
from auditor.own import module_digest
from auditor.population.entry import ENTRY, DamagedError
from auditor.population.environment import environment
from auditor.population.job import Job, Site
from auditor.population.member import run_job
from auditor.population.store import Store, wait_until
from auditor.provenance import digest_of_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from distributed import Worker

HERE = {**environment(), "remote": digest_of_file(Path(__file__))}
"""What this process runs, as it was started: what is installed later is not."""


class _Process:
    """What this process has done so far."""

    sources: str | None = None
    """Which modules of a user it has imported, from where; Python forgets none."""
    hangs = False
    """Whether a job still runs that was given up."""


# ------------------------------------------------------------------------------------------------------ before any job


def check(expected: Mapping[str, Any], dask_worker: Worker) -> dict[str, float]:
    """Give what a worker offers. Raises IncompleteError where it would not make the members that are asked for."""
    problems = []
    if differences := _differences(expected, HERE):
        advice = "Install there what is installed here, since results depend on it, and start the worker anew."
        problems.append(_about(dask_worker, f"differs from here: {differences}", advice))
    if (threads := dask_worker.state.nthreads) != 1:
        message = f"runs {threads} jobs at a time in one process, which would share their random numbers"
        problems.append(_about(dask_worker, message, "Start it with --nthreads 1, and more of them."))
    if problems:
        raise IncompleteError(*problems)
    return dict(dask_worker.state.total_resources)


def _differences(expected: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    wanted, own = ({**each["libraries"], "threads": each["threads"]} for each in (expected, found))
    told = [f"{name} {own.get(name)} instead of {wanted[name]}" for name in wanted if own.get(name) != wanted[name]]
    own_code = any(expected[part] != found[part] for part in ("code", "remote"))
    return ", ".join(told + (["auditor itself"] if own_code else []))


# -------------------------------------------------------------------------------------------------------------- a job


def work(order: str) -> dict[str, Any]:
    """Run one job, put together by `cluster`.

    Answers with what the job `lacks`, with `overdue`, with `stale` where this process has imported other modules, with
    the `files` of the result, or with the `digest` of the result that is in the store. Raises as `run_job` does.
    """
    if _Process.hangs:
        os._exit(1)  # two jobs in one process would share their random numbers: this one is given to another
    asked, worker = json.loads(order), get_worker()
    shared = Path(asked["mark"]).is_dir()
    store = Store(Path(asked["store"])) if shared else _own_store(worker)
    base, definition = Path(asked["base"]), asked["definition"]
    check(asked["here"], worker)
    if not _takes_sources(definition["trusted"], base, worker):
        return {"stale": True, "worker": worker.address}
    path = Path(asked["path"]) if asked["path"] else None
    if path and not _is_given(path, definition["start"]):
        path = _own_store(worker).root / "given" / given_name(definition["start"])
    job = Job(variant=asked["variant"], member=asked["member"], definition=definition, path=path)
    # In a store of its own, what an earlier run has left is not asked for.
    force = asked["force"] or not shared
    site = Site(store=store, inputs=store.inputs_folder(asked["inputs"]), base=base, force=force)
    if shared and not wait_until(lambda: set(_lacking(job, site)) <= {"file"}):
        message = f"sees the store, but does not find there: {', '.join(_lacking(job, site))}"
        raise IncompleteError(_about(worker, message, f"Is all of {store.root} on the same file system?"))
    if lacking := _lacking(job, site):
        return {"lacks": lacking, "worker": worker.address}
    if not _run_within(asked["timeout"], job, site):
        return {"overdue": True, "worker": worker.address}
    folder = store.job_folder(job.key)
    if shared:
        return {"digest": digest_of_file(folder / ENTRY)}
    return {"files": {path.name: path.read_bytes() for path in folder.iterdir()}}


def _own_store(worker: Worker) -> Store:
    """Where a worker keeps what it was sent and made; Dask removes it when the worker ends."""
    return Store(Path(worker.local_directory).absolute() / "auditor")


def given_name(start: Mapping[str, str]) -> str:
    """Name a given model's file on a worker that does not see it."""
    return f"{start['sha256']}{start['ending']}"


def _is_given(path: Path, start: Mapping[str, str]) -> bool:
    """Whether a file is the given model: another may have its name on this computer."""
    return path.exists() and read_model(path)[1] == start["sha256"]


def _takes_sources(trusted: Mapping[str, Mapping[str, str]], base: Path, worker: Worker) -> bool:
    """See that the user's modules are the ones of the audit, here too; whether this process can import them still."""
    if not trusted:
        return True
    for module, digest in (each for needed in trusted.values() for each in needed.items()):
        if _digest_here(module, base) != digest:
            message = f"its module {module} is missing, or another than the one here"
            raise IncompleteError(_about(worker, message, "Install the one that is here, or use a shared file system."))
    sources = json.dumps([str(base), trusted], sort_keys=True)
    _Process.sources = _Process.sources or sources
    return _Process.sources == sources


def _digest_here(module: str, base: Path) -> str | None:
    try:
        return module_digest(module, base)
    except ModelError:
        return None


def _about(worker: Worker, message: str, advice: str) -> Problem:
    return Problem(where=f"worker {worker.address}", message=message, advice=advice)


def _lacking(job: Job, site: Site) -> list[str]:
    """Name what a job reads and is not here."""
    needs = {"inputs": _is_all_there(site.store, site.inputs)}
    if job.parent:
        needs["parent"] = _is_all_there(site.store, site.store.job_folder(job.parent))
    if job.path:
        needs["file"] = _is_given(job.path, job.definition["start"])
    return [what for what, there in needs.items() if not there]


def _is_all_there(store: Store, folder: Path) -> bool:
    """Whether an entry is there with all its files; what they hold is checked when it is read."""
    try:
        return set(store.facts(folder)["files"]) <= {path.name for path in folder.iterdir()}
    except (DamagedError, OSError):
        return False


def _run_within(seconds: float, job: Job, site: Site) -> bool:
    """Run a job in a thread that can be left behind; tell whether it ended in time."""
    ended: Future[None] = Future()

    def run() -> None:
        try:
            run_job(job, site)
        except Exception as error:  # noqa: BLE001 - raised again below, in the thread that waits
            ended.set_exception(error)
        except BaseException as error:  # noqa: BLE001 - Dask would take it for its own, and nobody would hear of it
            ended.set_exception(RuntimeError(f"{type(error).__name__}: {error}"))
        else:
            ended.set_result(None)

    threading.Thread(target=run, daemon=True).start()
    try:
        ended.result(timeout=seconds)
    except TimeoutError:
        if ended.done():
            raise
        _Process.hangs = True
        return False
    return True


# ------------------------------------------------------------------------------------------------- what a job reads


def receive(parcel: str, pieces: Sequence[tuple[str, bytes]], dask_worker: Worker) -> None:
    """Take pieces of files, by name, after the pieces before them."""
    folder = _parcel(parcel, dask_worker)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in pieces:
        with (folder / name).open("ab") as file:
            file.write(content)


def unpack(parcel: str, what: str, digest: str, dask_worker: Worker) -> None:
    """Put a folder that has come whole, or a model file, where jobs look for it. Raises DamagedError."""
    store, folder = _own_store(dask_worker), _parcel(parcel, dask_worker)

    def move(target: Path) -> None:
        for path in folder.iterdir():
            path.replace(target / path.name)

    try:
        if what == "file":
            (store.root / "given").mkdir(exist_ok=True)
            move(store.root / "given")
        else:
            store.adopt(_place(store, what, digest), move, replace=True)
    finally:
        remove(folder)


def has(what: str, digest: str, dask_worker: Worker) -> bool:
    """Whether an earlier sending has brought it meanwhile."""
    store = _own_store(dask_worker)
    return what != "file" and _is_all_there(store, _place(store, what, digest))


def _place(store: Store, what: str, digest: str) -> Path:
    return store.inputs_folder(digest) if what == "inputs" else store.job_folder(digest)


def _parcel(parcel: str, worker: Worker) -> Path:
    return _own_store(worker).root / "incoming" / parcel
