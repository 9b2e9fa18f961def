from __future__ import annotations

import itertools
import os
import stat
import struct
import subprocess
import time
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from threading import Timer

import pytest
from pebble import ProcessExpired

from auditor import kernel
from auditor.errors import IncompleteError, ModelError
from auditor.population.executors import RETRIES, Local, LostError, Queue, inline
from auditor.population.job import Job, Site
from auditor.population.store import Store

needs_landlock = pytest.mark.skipif(kernel.landlock_version() < 3, reason="this kernel has no Landlock of Linux 6.2")


def job(number, parent=None):
    return Job(variant="v", member=number, definition={"number": number, "start": {"parent": parent and parent.key}})


class Pool:
    """Gives each job the next of the ends declared for it: None, an exception, or the wish to break."""

    def __init__(self, **ends):
        self.ends = {int(name[1:]): list(each) for name, each in ends.items()}
        self.given = []

    def __call__(self, each):
        self.given.append(each.member)
        future = Future()
        ends = self.ends.get(each.member)
        end = ends.pop(0) if ends else None
        if end is None:
            future.set_result(None)
        else:
            future.set_exception(end)
        return future


class Heard:
    def __init__(self, failing=()):
        self.ends, self.failing = {}, failing

    def __call__(self, each, reason):
        self.ends[each.member] = reason
        return reason is None and each.member not in self.failing


def death():
    return ProcessExpired("Abnormal termination", code=-9, pid=1)


def test_a_job_starts_when_its_parent_has_ended_and_not_before():
    parent = job(0)
    pool, heard = Pool(), Heard()
    Queue(jobs=[job(1, parent), parent, job(2)], settle=heard).drain(pool)
    assert pool.given.index(1) > pool.given.index(0)
    assert heard.ends == {0: None, 1: None, 2: None}


def test_a_parent_that_is_stored_already_is_not_waited_for():
    pool = Pool()
    assert Queue(jobs=[job(1, job(0))], settle=Heard()).drain(pool)
    assert pool.given == [1]


def test_children_of_a_failed_job_are_not_started():
    parent = job(0)
    child = job(1, parent)
    pool = Pool()
    assert Queue(jobs=[parent, child, job(2, child)], settle=Heard(failing={0})).drain(pool)
    assert pool.given == [0]


def test_a_dead_worker_costs_a_retry_and_too_many_the_member():
    pool, heard = Pool(j0=[death()], j1=[death()] * (RETRIES + 1), j2=[MemoryError()]), Heard()
    Queue(jobs=[job(0), job(1), job(2)], settle=heard).drain(pool)
    assert sorted(pool.given) == [0, 0, *[1] * (RETRIES + 1), 2, 2]
    assert heard.ends[0] is heard.ends[2] is None
    assert heard.ends[1].startswith("its worker process died 4 times: signal SIGKILL")


class Endless(Future):
    """A job that runs until it is ended, as pebble's futures are."""

    def running(self):
        return not self.done()

    def cancel(self):
        ended = super().cancel()
        self.set_running_or_notify_cancel()
        return ended


def test_a_job_beyond_the_time_limit_is_ended_and_not_tried_again():
    given, heard = [], Heard()

    def endless(each):
        given.append(each.member)
        return Endless()

    Queue(jobs=[job(0)], settle=heard, timeout=0.05, look=0.02).drain(endless)
    assert given == [0]
    assert "run.member_timeout" in heard.ends[0]


def test_a_job_that_waits_for_a_worker_is_not_late(monkeypatch):
    waiting, heard = Future(), Heard()
    looks = itertools.count(0, 1000)
    monkeypatch.setattr("auditor.population.executors.time.monotonic", lambda: next(looks))
    queue = Queue(jobs=[job(0)], settle=heard, timeout=5, look=0.01)
    Timer(0.1, lambda: waiting.set_result(None)).start()
    queue.drain(lambda _: waiting)
    assert heard.ends == {0: None}


def test_an_error_of_the_request_ends_the_run():
    with pytest.raises(ModelError, match="refused"):
        Queue(jobs=[job(0)], settle=Heard()).drain(Pool(j0=[ModelError("refused")]))


def test_a_job_whose_workers_died_is_given_once_more_after_the_others_and_then_fails():
    heard = Heard()
    pool = Pool(
        j0=[LostError(4, "the last was a"), LostError(4, "the last was b")], j1=[LostError(4, "the last was a")]
    )
    Queue(jobs=[job(0), job(1), job(2)], settle=heard, room=lambda: 1).drain(pool)
    assert pool.given == [0, 1, 2, 0, 1]
    assert heard.ends == {0: "its worker process died 8 times: the last was b", 1: None, 2: None}


def test_no_more_jobs_are_given_out_than_there_is_room_for():
    jobs, out, most = [job(number) for number in range(5)], [], []

    def start(_):
        out.append(Future())
        most.append(sum(not future.done() for future in out))
        Timer(0.01, lambda future=out[-1]: future.set_result(None)).start()
        return out[-1]

    Queue(jobs=jobs, settle=Heard(), room=lambda: 2).drain(start)
    assert len(out) == 5
    assert max(most) == 2


def test_jobs_of_a_broken_pool_wait_for_the_next_one():
    queue = Queue(jobs=[job(0), job(1)], settle=Heard())
    assert not queue.drain(Pool(j0=[BrokenProcessPool("gone")], j1=[BrokenProcessPool("gone")]))
    assert queue.left()
    assert queue.drain(Pool())
    assert not queue.left()


def test_workers_that_cannot_start_end_the_run_with_advice(monkeypatch, tmp_path):
    site = Site(store=Store(tmp_path), inputs=tmp_path, base=tmp_path, force=False)
    monkeypatch.setattr("auditor.population.executors._give", lambda *_: broken())

    def broken():
        future = Future()
        future.set_exception(BrokenProcessPool("All workers expired"))
        return future

    with pytest.raises(IncompleteError, match="__main__"):
        Local(workers=1, timeout=10)([job(0)], site, Heard())


def test_inline_runs_in_order_and_leaves_out_the_children_of_failed_jobs(monkeypatch):
    ran = []
    monkeypatch.setattr("auditor.population.executors.run_job", lambda each, _site: ran.append(each.member))
    parent = job(0)
    child = job(1, parent)
    inline([parent, child, job(2, child), job(3)], None, Heard(failing={0}))
    assert ran == [0, 3]


def test_members_trained_together_have_as_many_times_as_long():
    seeds = {"seeds": list(range(40)), "start": {}}
    heard, ended = Heard(), []

    def endless(each):
        ended.append(Endless())
        return ended[-1]

    stack = Job(variant="v", member=0, definition=seeds)
    queue = Queue(jobs=[stack], settle=heard, timeout=0.05, look=0.02)
    began = time.monotonic()
    queue.drain(endless)
    assert time.monotonic() - began >= 40 * 0.05
    assert "run.member_timeout" in heard.ends[0]


def stuck(*_):
    """Be a worker that begins an answer and never ends it."""
    for number in range(3, 1024):  # as high as those of the process that started this one
        try:
            if stat.S_ISFIFO(os.fstat(number).st_mode):
                os.set_blocking(number, False)
                os.write(number, struct.pack("!i", 1 << 20))
        except OSError:
            pass
    time.sleep(1000)


def test_half_an_answer_ends_the_audit_and_not_only_its_time(monkeypatch, tmp_path):
    site = Site(store=Store(tmp_path), inputs=tmp_path, base=tmp_path, force=False)
    for name, value in (("RETRIES", 0), ("_give", lambda pool, *_: pool.schedule(stuck))):
        monkeypatch.setattr(f"auditor.population.executors.{name}", value)
    # long enough that the worker is seen to run, at one of the looks that are a second apart
    monkeypatch.setattr("auditor.worker.PATIENCE", 3.0)
    heard = Heard()
    try:
        Local(workers=1, timeout=60)([job(0), job(1)], site, heard)
    except IncompleteError as error:
        assert "broke off 1 times: they sent what is no answer" in str(error)  # noqa: PT017 - one of two ways to end
        assert not heard.ends  # no time limit had to end a job
    else:
        # the worker was heard to die before its answer was missed
        assert all("its worker process died 1 times" in reason for reason in heard.ends.values())


def test_jobs_that_no_worker_takes_wait_for_the_next_pool():
    queue = Queue(jobs=[job(0), job(1)], settle=Heard(), silence=0.05, look=0.02)
    assert not queue.drain(lambda _: Future())
    assert not queue.running
    assert queue.drain(Pool())
    assert not queue.left()


class Hidden(Future):
    """A job that runs on when it is ended, since its worker holds what ending it would need."""

    def running(self):
        return not self.cancelled()


def test_a_job_that_hides_from_its_time_limit_fails_by_it_and_the_others_go_on():
    heard = Heard()
    queue = Queue(jobs=[job(0), job(1)], settle=heard, timeout=0.05, silence=0.2, look=0.02)
    assert not queue.drain(lambda each: Future() if each.member else Hidden())
    assert "run.member_timeout" in heard.ends[0]
    assert [each.member for each in queue.jobs] == [1]


def parting(folder):
    """Be a worker that leaves a process of its own behind, and writes where this program prints."""
    os.write(1, b"forged")
    os.write(2, b"forged")
    if not os.fork():
        os.setsid()
        if not os.fork():
            (folder / "left").write_text(str(os.getpid()))
            time.sleep(1000)
        os._exit(0)
    while not (folder / "left").exists() or not (folder / "left").read_text():
        time.sleep(0.01)


@needs_landlock
def test_a_worker_leaves_no_process_behind_and_prints_nothing(monkeypatch, tmp_path, capfd):
    site = Site(store=Store(tmp_path), inputs=tmp_path, base=tmp_path, force=False)
    jobs, _ = site.store.folders_of_jobs()
    monkeypatch.setattr("auditor.population.executors._give", lambda pool, *_: pool.schedule(parting, (jobs,)))
    other = subprocess.Popen(["sleep", "1000"])
    heard = Heard()
    Local(workers=1, timeout=60)([job(0)], site, heard)
    assert heard.ends == {0: None}
    left = int((jobs / "left").read_text())
    assert not Path("/proc", str(left)).exists()
    assert other.poll() is None
    other.kill()
    other.wait()
    assert "forged" not in "".join(capfd.readouterr())
