from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from pebble.common import Result, ResultStatus
from pebble.pool.process import Acknowledgement, TaskResult

from auditor.errors import ModelError, Problem
from auditor.population.plan import Job
from auditor.worker import Context, heard, told


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


def test_a_kind_of_error_that_is_none_is_told_as_it_is():
    for kind in ("AuditorError.__init__", "Problem", "get_close_matches", None):
        assert type(heard({"kind": kind, "said": "x"})) is RuntimeError


@pytest.mark.parametrize(
    "hostile",
    [
        Calls(eval, "open('canary', 'w')"),
        Calls(Path.touch, Path("canary")),
        Calls(getattr, Problem, "__init__"),
        Calls(ValueError, "an error"),
        MemoryError("of the worker"),
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
