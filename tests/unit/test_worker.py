from __future__ import annotations

import os
import pickle
import resource
from pathlib import Path

import pytest
from pebble.common import Result, ResultStatus
from pebble.common.types import RemoteException
from pebble.pool.process import Acknowledgement, TaskProblem, TaskResult

from auditor.errors import IncompleteError, ModelError, Problem
from auditor.population.job import Job
from auditor.worker import Context, Teller, heard, told


class Calls:
    """Calls something when it is read."""

    def __init__(self, function, *arguments):
        self.made = function, arguments

    def __reduce__(self):
        return self.made


def received(message):
    """What is read of what a worker sends; bytes go as they are."""
    reader, writer = Context().Pipe(duplex=False)
    with reader, writer, Teller(os.dup(writer.fileno()), readable=False) as teller:
        (teller.send_bytes if isinstance(message, bytes) else teller.send)(message)
        return reader.recv()


def test_an_answer_is_read_and_its_error_is_what_it_was():
    error = ModelError(Problem(file="a.keras", line=3, message="refused", advice="find another"))
    for each in (error, MemoryError("too much"), SystemExit(3)):
        answer = received(TaskResult(3, Result(ResultStatus.SUCCESS, told(each))))
        assert answer.task == 3
        found = heard(answer.result.value)
        assert str(each) in str(found)
        assert type(found) is type(each) or isinstance(found, RuntimeError)
    assert heard(told(error)).problems == error.problems
    assert received(Acknowledgement(7, 1)) == Acknowledgement(7, 1)
    assert heard(None) is None


def test_a_kind_of_error_that_is_none_is_none():
    problems = told(ModelError("x"))["problems"]
    for kind in ("AuditorError.__init__", "Problem", "get_close_matches", None):
        assert type(heard({"kind": kind, "said": "x", "problems": problems})) is IncompleteError


@pytest.mark.parametrize(
    "hostile",
    [
        Calls(eval, "open('canary', 'w')"),
        Calls(Path.touch, Path("canary")),
        TaskResult(1, Result(ResultStatus.SUCCESS, None)),
        Job(variant="v", member=0, definition={}),
    ],
)
def test_a_pickle_is_no_answer_and_breaks_the_pool_and_runs_nothing(hostile, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(pickle.PicklingError, match="no answer"):
        received(pickle.dumps(hostile))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\x80", b"garbage", b"{}", b"[]", b"1", b"null", b'{"task": 1}', b'{"task": "1", "value": null}',
        b'{"task": 1, "worker": []}', b'{"task": 1, "value": null, "worker": 1}', b"[" * 50_000, b"9" * 50_000,
    ],
)  # fmt: skip
def test_bytes_that_are_no_answer_break_it_too(content):
    with pytest.raises(pickle.PicklingError, match="no answer"):
        received(content)


def test_an_answer_of_a_few_bytes_takes_no_memory():
    place = (1 << 27).to_bytes(4, "little")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(pickle.PicklingError, match="no answer"):
        received(b"\x80\x04Nr" + place + b".")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10


def test_what_is_too_long_for_an_answer_is_told_as_that():
    answer = received(TaskResult(2, Result(ResultStatus.SUCCESS, told(RuntimeError("x" * (2 << 20))))))
    assert "too long to be told" in str(heard(answer.result.value))
    reader, writer = Context().Pipe(duplex=False)
    with reader, writer:
        os.write(writer.fileno(), ((1 << 20) + 1).to_bytes(4, "big"))
        with pytest.raises(OSError, match="bad message length"):
            reader.recv()


def test_what_cannot_be_sent_is_told_as_an_error():
    failure = Result(ResultStatus.FAILURE, RemoteException(ValueError("of the pool"), "trace"))
    for message in (TaskProblem(4, TypeError("of the pool")), TaskResult(4, failure)):
        answer = received(message)
        assert "of the pool" in str(heard(answer.result.value))


@pytest.mark.parametrize(
    "answer",
    [
        {"kind": "ModelError", "problems": [{"bogus": 1}]},
        {"kind": "ModelError", "problems": 5},
        {"kind": "ModelError", "problems": []},
        {"kind": "ModelError"},
        {"kind": "ModelError", "problems": [{"message": 1, "where": "", "file": "", "line": None, "advice": ""}]},
        {"kind": "MemoryError", "said": []},
        {"kind": ["x"]},
        {},
        5,
        "x",
    ],
)
def test_an_error_of_another_shape_ends_the_audit_and_is_no_bug(answer):
    assert isinstance(heard(answer), IncompleteError)


def test_half_an_answer_breaks_the_pool_after_a_while(monkeypatch):
    monkeypatch.setattr("auditor.worker.PATIENCE", 0.1)
    for half in (b"\x00", b"\x00\x00\x00\x09{", b"\xff\xff\xff\xff\x00"):
        reader, writer = Context().Pipe(duplex=False)
        with reader, writer:
            os.write(writer.fileno(), half)
            with pytest.raises(OSError, match="part of an answer"):
                reader.recv()
