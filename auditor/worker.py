"""Worker processes of this computer: how they begin, and what is believed of what they say.

A worker opens models that others made. It is confined before it imports anything, and what comes back from it is read
as if whoever made the model had sent it: a pickle that asks for more than a job's answer is refused.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import pickle
import signal
import tempfile
import threading
import traceback
from dataclasses import asdict
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, reduce_connection  # type: ignore[attr-defined]
from multiprocessing.context import SpawnContext
from typing import TYPE_CHECKING, Any

from auditor import errors, sandbox

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_LONGEST = 16 << 20
"""Bytes of an answer: it says that a job is done, or why not; results go through the store."""
_POOL = {
    "pebble.pool.process": {"Acknowledgement", "TaskResult"},
    "pebble.common.types": {"Result", "ResultStatus"},
}
"""What an answer may hold beside texts, numbers, lists and tables."""


def begin(writable: Sequence[Path], temporary: Path) -> None:
    """Confine this process to these folders; end at once when told to, and with the parent. Ctrl-C is the parent's."""
    os.environ["TMPDIR"] = tempfile.tempdir = str(temporary)
    _leave_tracker()
    sandbox.enter([*writable, temporary], memory=sandbox.memory_of_computer())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _leave_tracker() -> None:
    """Say nothing more to Python's own process outside, which removes any shared memory that is named to it."""
    if (tracker := resource_tracker.getfd()) is not None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, tracker, inheritable=False)
        os.close(nowhere)


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
    os._exit(1)


class Context(SpawnContext):
    """Starts processes anew, and reads what they send with care."""

    def Pipe(self, duplex: bool = True) -> tuple[Connection, Connection]:  # noqa: FBT001, FBT002, N802 - as it is there
        """Make a pipe whose reading end, as long as it stays in this process, takes answers alone."""
        reader, writer = super().Pipe(duplex)
        return _Careful(os.dup(reader.fileno()), writable=duplex), writer


class _Careful(Connection):
    def recv(self) -> Any:  # noqa: ANN401 - as it is there
        """Read an answer. Raises PicklingError, which breaks the pool, where it is none."""
        content = self.recv_bytes(_LONGEST)
        try:
            return _Answer(io.BytesIO(content)).load()
        except Exception as error:  # bytes of a hostile process can raise anything
            raise pickle.PicklingError(f"a worker process sent what is no answer: {error}") from error

    def __reduce__(self) -> Any:  # noqa: ANN401
        """Be an ordinary connection in the worker, which may believe what this process sends."""
        return reduce_connection(self)


class _Answer(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401
        """Give a class that an answer may name."""
        if name in _POOL.get(module, ()):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it names {module}.{name}")


def told(error: BaseException) -> dict[str, Any]:
    """Put an error into words: libraries change how exceptions are pickled."""
    if isinstance(error, errors.AuditorError):
        return {"kind": type(error).__name__, "problems": [asdict(problem) for problem in error.problems]}
    if isinstance(error, MemoryError):
        return {"kind": "MemoryError", "said": str(error)}
    return {"kind": "RuntimeError", "said": "".join(traceback.format_exception(error))}


def heard(answer: object) -> BaseException | None:
    """Give the error that a worker told; None where its job is done."""
    if not isinstance(answer, dict):
        return None
    kind = getattr(errors, str(answer.get("kind")), None)
    if isinstance(kind, type) and issubclass(kind, errors.AuditorError):
        return kind(*(errors.Problem(**problem) for problem in answer["problems"]))
    said = str(answer.get("said"))
    return MemoryError(said) if answer.get("kind") == "MemoryError" else RuntimeError(said)
