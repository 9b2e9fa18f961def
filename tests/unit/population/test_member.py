"""What is no fault of a member is never stored as one."""

from __future__ import annotations

import errno

import pytest
import tiny
from tiny import PRUNED, spec

from auditor.errors import IncompleteError
from auditor.population.member import Site, run_job
from auditor.population.plan import plan
from auditor.population.store import Store


def test_inputs_that_are_gone_are_told_and_fail_no_member(tmp_path):
    store = Store(tmp_path / "store")
    job = plan(spec(PRUNED), tiny.dataset(), tmp_path)[0].jobs[0]
    site = Site(store=store, inputs=store.inputs_folder("0" * 64), base=tmp_path, force=False)
    with pytest.raises(IncompleteError, match=r"(?s)train_x\.npy: .*cannot be read: No such file.*Run again"):
        run_job(job, site)
    assert not store.job_folder(job.key).exists()


def test_a_full_disk_fails_no_member(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("auditor.population.member.read_inputs", full)
    store = Store(tmp_path / "store")
    job = plan(spec(PRUNED), tiny.dataset(), tmp_path)[0].jobs[0]
    with pytest.raises(IncompleteError, match="the disk is full"):
        run_job(job, Site(store=store, inputs=tmp_path, base=tmp_path, force=False))
    assert not store.job_folder(job.key).exists()
