from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from pebble.common import Result, ResultStatus
from pebble.common.types import RemoteException
from pebble.pool.process import Acknowledgement, TaskResult

from auditor.errors import ModelError, Problem
from auditor.population.plan import Job
from auditor.worker import Context


class Calls:
    """Calls something when it is read."""

    def __init__(self, function, *arguments):
        self.made = function, arguments

    def __reduce__(self):
        return self.made


def received(message):
    reader, writer = Context().Pipe(duplex=False)
    with reader, writer:
        writer.send(message)
        return reader.recv()


def test_an_answer_is_read_with_its_error():
    error = ModelError(Problem(file="a.keras", message="refused", advice="find another"))
    answer = TaskResult(3, Result(ResultStatus.FAILURE, RemoteException(error, "a traceback")))
    found = received(answer)
    assert found.task == 3
    assert found.result.value.problems == error.problems
    assert received(Acknowledgement(7, 1)) == Acknowledgement(7, 1)
    assert isinstance(received(TaskResult(1, Result(ResultStatus.FAILURE, MemoryError()))).result.value, MemoryError)


@pytest.mark.parametrize(
    "hostile",
    [
        Calls(eval, "open('canary', 'w')"),
        Calls(Path.touch, Path("canary")),
        Calls(getattr, Problem, "__init__"),
        ValueError(Calls(exec, "open('canary', 'w')")),
        Job(variant="v", member=0, definition={}),
    ],
)
def test_what_is_no_answer_breaks_the_pool_and_runs_nothing(hostile, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(pickle.PicklingError, match=r"no answer: it names [a-z_.]+"):
        received(TaskResult(1, Result(ResultStatus.SUCCESS, hostile)))
    assert not list(tmp_path.iterdir())


def test_bytes_that_are_no_pickle_and_names_within_names_break_it_too():
    dotted = b"\x80\x04\x8c\x08builtins\x8c\x1fValueError.__init__.__globals__\x93."
    for content in (b"", b"\x80", b"garbage", dotted):
        reader, writer = Context().Pipe(duplex=False)
        with reader, writer:
            writer.send_bytes(content)
            with pytest.raises(pickle.PicklingError):
                reader.recv()
