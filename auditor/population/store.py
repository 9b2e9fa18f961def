"""Results of jobs, content-addressed: a folder a key, written beside, flushed to disk and renamed into place.

Whatever is in place is whole: a process may be killed at any moment. Two runs may share one store.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor.errors import IncompleteError, Problem
from auditor.folders import remove
from auditor.models import LARGEST
from auditor.population.entry import ENTRY, DamagedError, Entry, Part, is_plain_file, sealed_bytes, unsealed
from auditor.population.facts import misshapen_facts
from auditor.provenance import canonical, digest_of, digest_of_file
from auditor.regular import read_regular
from auditor.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

DAMAGED = ".damaged-"
"""In the name of a folder that was set aside."""
VISIBLE = 120.0
"""Seconds."""
SCRATCH_NAME = re.compile(r"[0-9a-f]{32}(\.old)?")


@dataclass(frozen=True, slots=True)
class Store:
    """The folder of an audit's finished jobs and materialised inputs."""

    root: Path

    def job_folder(self, key: str) -> Path:
        """Where a job's result is, or will be."""
        return self.root / "jobs" / key[:2] / key

    def inputs_folder(self, digest: str) -> Path:
        """Where a data set's materialised inputs are, or will be."""
        return self.root / "data" / digest

    def folders_of_jobs(self) -> tuple[Path, ...]:
        """All folders that a process which runs jobs writes into; they are there afterwards."""
        folders = (self._scratch_root(), self.root / "jobs")
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        return folders

    def publish(
        self, folder: Path, definition: Mapping[str, Any], fill: Callable[[Path], Mapping[str, Any]], *, replace: bool
    ) -> None:
        """Put a folder in place: `fill` writes its files into an empty one and returns the entry's further facts.

        Where another process has put the same folder there first, its result stays, unless `replace`.
        Raises IncompleteError where the disk is full.
        """

        def sealed(scratch: Path) -> None:
            facts = fill(scratch)
            files = {path.name: digest_of_file(path) for path in sorted(scratch.iterdir())}
            (scratch / ENTRY).write_bytes(sealed_bytes({"definition": definition, "files": files, **facts}))

        self._put(folder, sealed, replace=replace)

    def adopt(self, folder: Path, fill: Callable[[Path], None], *, replace: bool) -> None:
        """Put in place what another store has sealed: `fill` writes its files into an empty folder.

        Raises DamagedError where they are not what was sealed, or belong elsewhere; else as `publish` does.
        """

        def verified(scratch: Path) -> None:
            fill(scratch)
            self.verify(scratch, key=folder.name, of_job=folder.is_relative_to(self.root / "jobs"))

        self._put(folder, verified, replace=replace)

    def _put(self, folder: Path, fill: Callable[[Path], None], *, replace: bool) -> None:
        """Put a whole folder, which `fill` makes, in place."""
        try:
            with self.scratch() as scratch:
                fill(scratch)
                for path in (*scratch.iterdir(), scratch):
                    _flush(path)
                folder.parent.mkdir(parents=True, exist_ok=True)
                if replace and folder.exists():
                    folder.rename(scratch.with_suffix(".old"))
                _move(scratch, folder)
        except OSError as error:
            if error.filename is not None and not Path(error.filename).is_relative_to(self.root):
                raise  # what `fill` reads is no matter of the store
            raise _unwritable(self.root, error) from error

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """An empty folder that is this process's own as long as it lives, and is gone afterwards."""
        with contextlib.ExitStack() as held:
            while True:
                scratch = self._scratch_root() / uuid.uuid4().hex
                scratch.mkdir(parents=True)
                held.enter_context(_locked(scratch))
                if scratch.exists():  # else another run's sweep came between the two lines above
                    break
            try:
                yield scratch
            finally:
                remove(scratch)
                remove(scratch.with_suffix(".old"))

    def read(self, folder: Path, definition: Mapping[str, Any]) -> dict[str, Any] | None:
        """The facts of what is in place, every checksum verified; None where nothing is.

        Raises DamagedError where it is not what was written, IncompleteError where it is another job's.
        """
        if not folder.is_dir():
            return None
        facts = self.facts(folder)
        if canonical(facts["definition"]) != canonical(definition):
            advice = "The store has been tampered with: remove this folder, or name another store in run.store."
            message = "the stored result belongs to another job than its name says"
            raise IncompleteError(Problem(file=str(folder), message=message, advice=advice))
        present = {path.name for path in folder.iterdir()} - {ENTRY}
        if present != set(facts["files"]):
            raise DamagedError(f"its files are {sorted(present)}, not {sorted(facts['files'])}")
        for name, checksum in facts["files"].items():
            try:
                if not is_plain_file(folder / name):
                    raise DamagedError(f"{name} is no file any more")
                if digest_of_file(folder / name) != checksum:
                    raise DamagedError(f"{name} has changed since it was written")
            except OSError as error:
                raise DamagedError(f"{name} cannot be read: {error.strerror or error}") from error
        return facts

    def facts(self, folder: Path, *, of_job: bool = False) -> dict[str, Any]:
        """The facts of an entry; its other files are not read. Raises DamagedError."""
        facts = unsealed(folder / ENTRY)
        if said := misshapen_facts(facts, of_job=of_job):
            raise DamagedError(f"{ENTRY}: {said}")
        return facts

    def verify(self, folder: Path, *, key: str, of_job: bool) -> None:
        """Read all of an entry. Raises as `read` does, and where the key is not that of its definition."""
        facts = self.facts(folder, of_job=of_job)
        if digest_of(facts["definition"]) != key:
            raise DamagedError("it belongs to another job than its name says")
        self.read(folder, facts["definition"])

    def entry(self, key: str, definition: Mapping[str, Any]) -> Entry | None:
        """A job's result, or None. Raises as `read` does."""
        folder = self.job_folder(key)
        if (facts := self.read(folder, definition)) is None:
            return None
        if said := misshapen_facts(facts, of_job=True):
            raise DamagedError(f"{ENTRY}: {said}")
        model = next((name for name in facts["files"] if name.startswith("model.")), None)
        return Entry(
            folder=folder,
            failure=facts["failure"],
            measured=facts.get("measured", {}),
            seconds=facts["seconds"],
            sandbox=Sandbox(**facts["sandbox"]),
            model=folder / model if model else None,
            digest=facts["files"][model] if model else "",
        )

    def set_aside(self, folder: Path) -> Path:
        """Move a damaged folder out of the way, under a name that says so."""
        for number in range(1, 1000):
            aside = folder.with_name(f"{folder.name}{DAMAGED}{number}")
            if not aside.exists():
                with contextlib.suppress(FileNotFoundError):  # another run has moved it
                    folder.rename(aside)
                return aside
        message, advice = "it has been damaged 1,000 times", "The disk may be failing: use another store."
        raise IncompleteError(Problem(file=str(folder), message=message, advice=advice))

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep others from removing anything, as long as this lasts; any number of runs may use a store at once."""
        self.root.mkdir(parents=True, exist_ok=True)
        with _locked(self.root, fcntl.LOCK_SH):
            yield

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep every run away. Raises IncompleteError where one is under way."""
        if not self.root.is_dir():
            yield
            return
        try:
            with _locked(self.root, fcntl.LOCK_EX | fcntl.LOCK_NB):
                yield
        except BlockingIOError as error:
            message, advice = "an audit is running on this store", "Wait until it has ended."
            raise IncompleteError(Problem(file=str(self.root), message=message, advice=advice)) from error

    def discard(self, folder: Path) -> None:
        """Remove a folder, or nothing of it: what is left of it when this process dies, the next sweep removes."""
        scratch = self._scratch_root() / uuid.uuid4().hex
        scratch.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):  # another has removed it
            folder.rename(scratch)
        remove(scratch)

    def sweep(self) -> None:
        """Remove what processes that are gone left half-written: the kernel gives their locks back."""
        for path in self._scratch_root().glob("*"):
            if not SCRATCH_NAME.fullmatch(path.name) or path.is_symlink():
                continue  # nothing that this program has made
            with contextlib.suppress(OSError), _locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB):
                remove(path)

    def _scratch_root(self) -> Path:
        """Where folders are while they are filled. Raises IncompleteError where it is a link out of the store."""
        root = self.root / ".scratch"
        if root.is_symlink():
            message, advice = "is a link, and what it leads to is not this program's", "Remove it."
            raise IncompleteError(Problem(file=str(root), message=message, advice=advice))
        return root

    def model(self, key: str) -> tuple[bytes, str]:
        """A stored member's model file, with its ending, checked against its checksum. Raises DamagedError."""
        found = self.part(key, "model")
        if found.content is None:
            raise DamagedError("it holds no model file")
        return found.content, found.ending

    def part(self, key: str, stem: str) -> Part:
        """One file of a job's result, checked against its checksum. Raises DamagedError."""
        folder = self.job_folder(key)
        facts = self.facts(folder, of_job=True)
        name = next((name for name in facts["files"] if name.startswith(f"{stem}.")), None)
        if name is None:
            return Part(facts=facts, content=None, ending="")
        try:
            if not is_plain_file(folder / name):
                raise DamagedError(f"{name} is no file any more")
            content = read_regular(folder / name, LARGEST)
        except OSError as error:
            raise DamagedError(f"{name} cannot be read: {error.strerror or error}") from error
        if hashlib.sha256(content).hexdigest() != facts["files"][name]:
            raise DamagedError(f"{name} has changed since it was written")
        return Part(facts=facts, content=content, ending=Path(name).suffix)


@contextlib.contextmanager
def _locked(folder: Path, how: int = fcntl.LOCK_EX) -> Iterator[None]:
    number = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(number, how)
        yield
    finally:
        os.close(number)


def wait_until(seen: Callable[[], bool]) -> bool:
    """Wait for what another computer has written: a shared file system remembers for a while what was not there."""
    end = time.monotonic() + VISIBLE
    while not (there := seen()) and time.monotonic() < end:
        time.sleep(0.2)
    return there


def _flush(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _move(scratch: Path, folder: Path) -> None:
    try:
        scratch.rename(folder)
    except OSError as error:
        # The same job gives the same result: whoever came first is right.
        if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
            raise
    _flush(folder.parent)


def _unwritable(root: Path, error: OSError) -> IncompleteError:
    full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    message = "the disk is full" if full else f"the store cannot be written: {error.strerror or error}"
    advice = "Make room, or name another folder in run.store; what is finished is kept, and the next run resumes."
    return IncompleteError(Problem(file=str(root), message=message, advice=advice))
