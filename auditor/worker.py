"""Worker processes of this computer: how they begin, and what is believed of what they say.

A worker opens models that others made. It is confined before it imports anything, and what comes back from it is read
as if whoever made the model had sent it: a few kinds of plain values as JSON, never a pickle.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import signal
import tempfile
import threading
import time
import traceback
from dataclasses import asdict
from multiprocessing import resource_tracker
from multiprocessing.connection import (  # type: ignore[attr-defined]
    Connection,
    reduce_connection,
)
from multiprocessing.context import SpawnContext
from types import NoneType
from typing import TYPE_CHECKING, Any

from pebble.common.types import RemoteException, Result, ResultStatus
from pebble.pool.process import Acknowledgement, TaskResult

from auditor import errors, sandbox

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_LONGEST = 1 << 20
"""Bytes of an answer: it says that a job is done, or why not; results go through the store."""
PATIENCE = 10.0
"""Seconds that an answer may take from its first byte to its last: a worker writes it at one go."""
_PROBLEM = {"message": str, "where": str, "file": str, "line": int | NoneType, "advice": str}
"""What the fields of a problem may hold."""


def begin(writable: Sequence[Path], temporary: Path) -> None:
    """Confine this process to these folders; end at once when told to, and with the parent. Ctrl-C is the parent's."""
    os.environ["TMPDIR"] = tempfile.tempdir = str(temporary)
    _leave(1, 2)
    if (tracker := resource_tracker.getfd()) is not None:
        _leave(tracker)  # Python's own process outside removes any shared memory that is named to it
    sandbox.enter([*writable, temporary], memory=sandbox.memory_of_computer())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _leave(*numbers: int) -> None:
    """Let nothing that is written to these files, which are the parent's too, go anywhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in numbers:
        os.dup2(nowhere, number, inheritable=os.get_inheritable(number))
    os.close(nowhere)


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
    os._exit(1)


class Context(SpawnContext):
    """Starts processes anew, which are sent pickles and send JSON."""

    def Pipe(self, duplex: bool = True) -> tuple[Connection, Connection]:  # noqa: FBT001, FBT002, N802 - as it is there
        """Make a pipe whose ends change when they are handed to a worker: here answers are read and orders written."""
        reader, writer = super().Pipe(duplex)
        ends = os.dup(reader.fileno()), os.dup(writer.fileno())
        return _Reader(ends[0], writable=duplex), _Writer(ends[1], readable=duplex)


class _Reader(Connection):
    _end = 0.0

    def recv(self) -> Acknowledgement | TaskResult:
        """Read an answer that has begun. Raises PicklingError or OSError, which break the pool, where it is none."""
        self._end = time.monotonic() + PATIENCE
        content = self.recv_bytes(_LONGEST)
        try:
            return _answer(json.loads(content))
        except Exception as error:  # bytes of a hostile process can raise anything
            raise pickle.PicklingError(f"a worker process sent what is no answer: {error}") from error

    def _recv(self, size: int) -> Any:  # noqa: ANN401 - as it is there
        return super()._recv(size, self._in_time)  # type: ignore[misc]

    def _in_time(self, number: int, size: int) -> bytes:
        if not self.poll(max(0.0, self._end - time.monotonic())):
            raise OSError(f"a worker process sent a part of an answer and nothing more for {PATIENCE:.0f} seconds")
        return os.read(number, size)

    def __reduce__(self) -> Any:  # noqa: ANN401
        """Be an ordinary connection in the worker, which may believe what this process sends."""
        return reduce_connection(self)


class _Writer(Connection):
    def __reduce__(self) -> Any:  # noqa: ANN401
        """Be one that sends answers in the worker."""
        return _in_worker, reduce_connection(self)[1]


class Teller(Connection):
    """A worker's way to the process outside."""

    def send(self, obj: Any) -> None:  # noqa: ANN401 - as it is there
        """Send an answer."""
        if isinstance(obj, Acknowledgement):
            self.send_bytes(json.dumps({"task": obj.task, "worker": obj.worker}).encode())
            return
        value = obj.result.value if isinstance(obj, TaskResult) else told(obj.error)
        if isinstance(value, RemoteException):
            value = told(value.exception)
        content = json.dumps({"task": obj.task, "value": value}).encode()
        if len(content) > _LONGEST:
            short = told(RuntimeError("what a worker process said is too long to be told"))
            content = json.dumps({"task": obj.task, "value": short}).encode()
        self.send_bytes(content)


def _in_worker(number: Any, readable: bool, writable: bool) -> Teller:  # noqa: ANN401, FBT001 - as they are there
    return Teller(number.detach(), readable=readable, writable=writable)


def _answer(said: Any) -> Acknowledgement | TaskResult:  # noqa: ANN401 - whatever JSON can say
    """Give the answer in the pool's own words. Raises LookupError, TypeError or ValueError where it is none."""
    if not isinstance(said["task"], int):
        raise TypeError("its task is no number")
    if said.keys() == {"task", "worker"} and isinstance(said["worker"], int):
        return Acknowledgement(said["worker"], said["task"])
    if said.keys() == {"task", "value"}:
        return TaskResult(said["task"], Result(ResultStatus.SUCCESS, said["value"]))
    raise ValueError("its fields are others")


def told(error: BaseException) -> dict[str, Any]:
    """Put an error into words: libraries change how exceptions are pickled."""
    if isinstance(error, errors.AuditorError):
        return {"kind": type(error).__name__, "problems": [asdict(problem) for problem in error.problems]}
    if isinstance(error, MemoryError):
        return {"kind": "MemoryError", "said": str(error)}
    return {"kind": "RuntimeError", "said": "".join(traceback.format_exception(error))}


def heard(answer: object) -> BaseException | None:
    """Give the error that a worker told; None where its job is done."""
    match answer:
        case None:
            return None
        case {"kind": "MemoryError", "said": str(said)}:
            return MemoryError(said)
        case {"kind": "RuntimeError", "said": str(said)}:
            return RuntimeError(said)
        case {"kind": str(name), "problems": [_, *_] as problems} if all(map(_is_problem, problems)):
            kind = getattr(errors, name, None)
            if isinstance(kind, type) and issubclass(kind, errors.AuditorError):
                return kind(*(errors.Problem(**problem) for problem in problems))
    advice = "A model whose code is hostile can do that: find out whose it is, and leave it out."
    return errors.IncompleteError(errors.Problem(message="a worker process sent what is no answer", advice=advice))


def _is_problem(fields: object) -> bool:
    return (
        isinstance(fields, dict)
        and fields.keys() == _PROBLEM.keys()
        and all(isinstance(fields[name], kind) for name, kind in _PROBLEM.items())
    )
