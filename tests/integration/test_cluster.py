"""Whole runs of tiny populations on a Dask cluster over TLS: a scheduler and two workers, each a real process."""

from __future__ import annotations

import signal
from pathlib import Path

import dask.config
import pytest
import tiny
from tiny import INT8, OWN, PRUNED, Heard, digests, own, run, spec, stacked
from tls_cluster import Cluster

from auditor.errors import IncompleteError
from auditor.population import remote
from auditor.population.cluster import _pieces
from auditor.provenance import digest_of_file

HERE = Path("/proc/self/cwd")
"""A place that is another one for every process: what is stored there, no worker sees."""


DEATHS = """    died = marker.read_text() if marker.exists() else ""
    if len(died) < 6:
        marker.write_text(died + "x")
"""
"""Six members that begin to be built take their workers along."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A cluster with two workers of one thread each."""
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        with dask.config.set(made.config):
            made.worker("--nworkers", "2", "--nthreads", "1", "--resources", "disk=5")
            made.wait_for(2)
            yield made
    finally:
        made.stop()


def on(cluster, **more):
    return {"executor": "dask", "address": cluster.address, **more}


def test_a_cluster_gives_what_one_process_gives(first, cluster, tmp_path):
    assert digests(run(spec(PRUNED, INT8, run=on(cluster)), tmp_path)) == digests(first[1])


def test_workers_that_do_not_see_the_store_are_sent_what_they_lack_once(side_by_side, cluster, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = run(stacked(PRUNED, INT8, run=on(cluster)), HERE)
    assert digests(found) == digests(side_by_side[1])
    assert len(list((tmp_path / "store").glob("jobs/*/*"))) == 11
    local = list(cluster.folder.rglob("auditor/data/*/train_x.npy"))
    assert 1 <= len(local) <= 2
    assert not list(cluster.folder.rglob("auditor/incoming/*"))
    again = [path.stat().st_mtime_ns for path in local]
    run(stacked(PRUNED, INT8, run=on(cluster)), HERE, force=True)
    assert [path.stat().st_mtime_ns for path in local] == again


def test_a_given_file_is_sent_to_workers_that_do_not_see_it(first, cluster, tmp_path, monkeypatch):
    folder, (baseline, *_), _ = first
    (model,) = [path for path in folder.rglob("model.keras") if digest_of_file(path) == baseline.predictions.digests[0]]
    (tmp_path / "base.keras").write_bytes(model.read_bytes())
    monkeypatch.chdir(tmp_path)
    given, float16 = run(spec(model={"path": "base.keras"}, run=on(cluster)), HERE)
    assert (given.predictions.decisions[0] == baseline.predictions.decisions[0]).all()
    assert not float16.failures


def test_weights_to_start_from_are_sent_to_workers_that_do_not_see_them(cluster, tmp_path, monkeypatch):
    from auditor.models.architectures import build
    from auditor.models.load import keras_bytes

    (tmp_path / "start.keras").write_bytes(keras_bytes(build("mlp", (tiny.FEATURES,), 2, {"hidden": [16, 8]})))
    options = {"hidden": [16, 8], "weights": "start.keras", "frozen": ["dense"]}
    model = {"architecture": "mlp", "options": options}
    here = run(spec(model=model), tmp_path)
    (tmp_path / "store").rename(tmp_path / "earlier")
    monkeypatch.chdir(tmp_path)
    assert digests(run(spec(model=model, run=on(cluster)), HERE)) == digests(here)


def test_a_worker_that_is_killed_costs_a_retry_and_nothing_else(cluster, tmp_path):
    baseline, float16 = run(own(tmp_path, "dying", run=on(cluster)), tmp_path)
    assert (tmp_path / "store" / ".scratch" / "died").exists()
    assert not baseline.failures
    assert not float16.failures
    cluster.wait_for(2)


def test_a_job_that_kills_every_worker_is_a_listed_failure(cluster, tmp_path):
    always = OWN.replace("if not marker.exists()", "if True")
    baseline, float16 = run(own(tmp_path, "dying", source=always, run=on(cluster)), tmp_path)
    assert baseline.failures[0].reason.startswith("its worker process died 4 times: the last was tls://")
    assert "which it derives from, failed" in float16.failures[0].reason
    cluster.wait_for(2)


def test_a_member_that_hangs_is_ended_and_the_cluster_goes_on(cluster, tmp_path):
    hanging = OWN + "\n\ndef hanging(shape, classes):\n    import time\n    time.sleep(900)\n"
    limited = on(cluster, member_timeout=2)
    declared = own(tmp_path, "hanging", source=hanging, population={"size": 2}, run=limited)
    baseline, _ = run(declared, tmp_path)
    assert ["ended after the time limit" in failure.reason for failure in baseline.failures] == [True, True]
    cluster.wait_for(2)
    _, float16 = run(own(tmp_path, "gated", run=on(cluster)), tmp_path)
    assert not float16.failures


def test_a_module_that_has_changed_is_read_again(cluster, tmp_path):
    made = []
    for executor in (on(cluster), {"executor": "inline"}):
        for units in (16, 8):
            changed = OWN.replace("Dense(16", f"Dense({units}")
            declared = own(tmp_path, "gated", source=changed, run=executor)
            store = tmp_path / f"{executor['executor']}{units}"
            made.append(digests(run_in(declared, tmp_path, store)))
    assert made[0] != made[1]
    assert made[:2] == made[2:]


def test_a_module_that_a_worker_does_not_have_is_told(cluster, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(IncompleteError, match="its module own_architecture is missing, or another than the one here"):
        run(own(HERE, "gated", run=on(cluster)), HERE)


def run_in(declared, base, store):
    from auditor import population
    from auditor.progress import Silent

    source = tiny.Source()
    return population.run(declared, source, source.load(), base=base, store_folder=store, progress=Silent())


def test_members_do_not_fail_for_workers_that_die_of_others(cluster, tmp_path):
    deaths = OWN.replace("    if not marker.exists():\n        marker.touch()\n", DEATHS, 1)
    assert DEATHS in deaths
    declared = own(tmp_path, "dying", source=deaths, population={"size": 6}, run=on(cluster))
    baseline, float16 = run(declared, tmp_path)
    assert len((tmp_path / "store" / ".scratch" / "died").read_text()) == 6
    assert not baseline.failures
    assert not float16.failures
    cluster.wait_for(2)


def test_an_ending_that_python_reserves_for_itself_is_told_and_hangs_nothing(cluster, tmp_path):
    leaving = OWN + "\n\ndef leaving(shape, classes):\n    import asyncio\n    raise asyncio.CancelledError('gone')\n"
    with pytest.raises(RuntimeError, match="CancelledError: gone"):
        run(own(tmp_path, "leaving", source=leaving, run=on(cluster)), tmp_path)
    cluster.wait_for(2)


def test_an_error_in_the_request_is_told_as_it_is(cluster, tmp_path):
    with pytest.raises(Exception, match=r"\(None, 5\), but there are 2 classes"):
        run(own(tmp_path, "short", run=on(cluster)), tmp_path)


def test_workers_of_other_versions_are_refused_with_the_differences(cluster, tmp_path, monkeypatch):
    libraries = {**remote.HERE["libraries"], "tensorflow": "9.9.9"}
    monkeypatch.setattr(remote, "HERE", {**remote.HERE, "libraries": libraries, "code": "another"})
    with pytest.raises(IncompleteError, match=r"tensorflow 2[.0-9]+ instead of 9\.9\.9, auditor itself") as refused:
        run(spec(run=on(cluster)), tmp_path)
    assert len(refused.value.problems) == 2


def test_what_no_worker_offers_is_told_before_anything_runs(cluster, tmp_path):
    asked = {"baseline": {"disk": 5}, "*": {"GPU": 2, "disk": 1}}
    with pytest.raises(IncompleteError, match="no worker offers GPU=2 disk=1, for float16"):
        run(spec(run=on(cluster, resources=asked)), tmp_path)
    assert not list((tmp_path / "store").glob("jobs/*/*"))


def test_a_worker_with_several_threads_is_refused(cluster, tmp_path):
    wide = cluster.worker("--nworkers", "1", "--nthreads", "2")
    cluster.wait_for(3)
    with pytest.raises(IncompleteError, match="runs 2 jobs at a time in one process"):
        run(spec(run=on(cluster)), tmp_path)
    wide.send_signal(signal.SIGINT)
    wide.wait(30)
    cluster.wait_for(2)


def test_a_scheduler_that_is_not_there_is_told(cluster, tmp_path):
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "1s"}),
        pytest.raises(IncompleteError, match=r"tls://127\.0\.0\.1:9 cannot be reached"),
    ):
        run(spec(run={"executor": "dask", "address": "tls://127.0.0.1:9"}), tmp_path)


def test_a_scheduler_that_dies_ends_the_run_and_keeps_what_is_stored(cluster, tmp_path_factory, tmp_path):
    dying = Cluster(tmp_path_factory.mktemp("dying"), cluster.config)
    heard = Heard()
    heard.finished = lambda *_, **__: dying.started[0].kill()
    try:
        dying.worker("--nworkers", "1", "--nthreads", "1")
        dying.wait_for(1)
        with pytest.raises(IncompleteError, match="the connection to the scheduler was lost"):
            run(spec(PRUNED, run=on(dying)), tmp_path, progress=heard)
    finally:
        dying.stop()
    assert 1 <= len(list((tmp_path / "store").glob("jobs/*/*"))) <= 3
    heard = Heard()
    run(spec(PRUNED), tmp_path, progress=heard)
    assert 1 <= len(heard.made) <= 3


def test_large_files_go_in_pieces_and_small_ones_together(tmp_path, monkeypatch):
    monkeypatch.setattr("auditor.population.cluster.PIECE", 4)
    contents = {"a": b"0123456789", "b": b"", "c": b"xy", "d": b"z", "e": b"01234567"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    sent = list(_pieces({name: tmp_path / name for name in contents}))
    assert max(len(content) for parcel in sent for _, content in parcel) == 4
    found = dict.fromkeys(contents, b"")
    for parcel in sent:
        for name, content in parcel:
            found[name] += content
    assert found == contents
    assert len(sent) == 5
