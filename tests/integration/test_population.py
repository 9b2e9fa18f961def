"""Whole runs of tiny populations, with real processes and real signals."""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import psutil
import pytest
import tiny
from tiny import INT8, PRUNED, UNCONFINED, Heard, Source, digests, own, run, spec, stacked

from auditor.errors import IncompleteError, ModelError
from auditor.population.plan import plan
from auditor.population.store import Store

ROOT = Path(__file__).resolve().parents[2]


def start(folder, executor, *paths):
    """A run in a process of its own."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts in the background ignores it
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, *paths)))}
    return subprocess.Popen(
        [sys.executable, tiny.__file__, str(folder), executor], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env
    )


def finish(process):
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err.decode()
    return json.loads(out)


def living(processes, seconds):
    """Those that still run after so long; a zombie only waits for its parent's notice."""
    deadline = time.monotonic() + seconds
    while True:
        alive = [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
        if not alive or time.monotonic() > deadline:
            return alive
        time.sleep(0.05)


@pytest.fixture
def copied(first, tmp_path):
    """The same store, to be damaged."""
    shutil.copytree(first[0] / "store", tmp_path / "store")
    return tmp_path


def test_every_member_is_made_measured_and_learns(first):
    _, (baseline, pruned, int8), heard = first
    assert len(heard.made) == 6
    truth = (tiny.inputs().test_x[:, :4].sum(axis=1) > 0).astype(int)
    for each in (baseline, pruned, int8):
        assert each.predictions.decisions.shape == (2, tiny.TEST)
        assert each.predictions.probabilities.shape == (2, tiny.TEST, 2)
        assert not each.failures
        assert ((each.predictions.decisions == truth).mean(axis=1) > 0.75).all()
        assert len(set(each.predictions.digests)) == 2
        assert all({"latency_ms", "bytes", "bytes_gzipped", "parameters"} <= set(m) for m in each.measured)
        assert not each.predictions.decisions.flags.writeable
    assert all(m["sparsity"] == pytest.approx(0.5, abs=0.02) for m in pruned.measured)
    assert pruned.measured[0]["small_layers"] == ["dense_2"]
    assert all(m["weight_types"]["int8"] for m in int8.measured)
    assert int8.measured[0]["bytes_gzipped"] < baseline.measured[0]["bytes_gzipped"]


def graphs():
    from auditor.tf import seed

    seed(0)
    return Counter(each.name for each in gc.get_objects() if type(each).__name__ == "FuncGraph")


def test_memory_does_not_grow_with_the_members(first, tmp_path):
    before = graphs()
    assert before["steps"] <= 2  # those of the last two kinds of member, which the next ones use again
    for place, members in (("a", 2), ("b", 4)):
        (tmp_path / place).mkdir()
        run(spec(PRUNED, INT8, population={"size": members}, audit={"seed": 5}), tmp_path / place)
    assert graphs().total() <= before.total()


def test_a_second_run_makes_nothing_and_imports_no_tensorflow(first):
    folder, populations, _ = first
    assert finish(start(folder, "inline")) == {"digests": digests(populations), "tensorflow": False}


def test_worker_processes_give_what_one_process_gives_and_keep_tensorflow_out_of_theirs(first, tmp_path):
    assert finish(start(tmp_path, "local")) == {"digests": digests(first[1]), "tensorflow": False}


def test_a_run_that_is_killed_leaves_no_worker_and_the_next_one_resumes(first, tmp_path):
    process = start(tmp_path, "local")
    deadline = time.monotonic() + 60
    while not list((tmp_path / "store").glob("jobs/*/*/entry.json")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    workers = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not living(workers, 10)
    stored = len(list((tmp_path / "store").glob("jobs/*/*/entry.json")))
    heard = Heard()
    assert digests(run(spec(PRUNED, INT8), tmp_path, progress=heard)) == digests(first[1])
    assert len(heard.made) == 6 - stored < 6
    assert not list((tmp_path / "store" / ".scratch").iterdir())


def test_a_run_that_is_killed_again_and_again_ends_with_the_same_result(first, tmp_path):
    """At moments of a fixed generator; AUDITOR_KILLS=100 is the long form of this test."""
    moments, kills = np.random.default_rng(7), 0
    while kills < int(os.environ.get("AUDITOR_KILLS", "3")):
        process = start(tmp_path, "local")
        try:
            process.communicate(timeout=moments.uniform(1, 12))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            kills += 1
        else:  # it has finished: let the next one have something to do
            for entry in list((tmp_path / "store").glob("jobs/*/*"))[::2]:
                shutil.rmtree(entry)
    assert finish(start(tmp_path, "local"))["digests"] == digests(first[1])
    assert not list((tmp_path / "store" / ".scratch").iterdir())


def test_two_runs_on_one_store_at_once_give_the_same_result(first, tmp_path):
    racing = [start(tmp_path, "inline") for _ in range(2)]
    assert [finish(process)["digests"] for process in racing] == [digests(first[1])] * 2
    heard = Heard()
    run(spec(PRUNED, INT8), tmp_path, progress=heard)
    assert (heard.made, heard.notes) == ([], [])


def test_a_clock_that_jumps_changes_nothing(first, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import random, time\nreal = time.time\ntime.time = lambda: real() + random.choice([-1e7, 0, 1e7])\n"
    )
    assert finish(start(tmp_path, "local", tmp_path))["digests"] == digests(first[1])


def test_an_interrupt_ends_run_and_workers_at_once(tmp_path):
    began, process = time.monotonic(), start(tmp_path, "local")
    while not psutil.Process(process.pid).children(recursive=True):
        time.sleep(0.05)
    # what "at once" means on a busy computer is told by how long this one has just taken to import and start
    limit = max(5.0, 2 * (time.monotonic() - began))
    time.sleep(2)
    workers = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=limit)
    assert b"KeyboardInterrupt" in err
    assert not living(workers, limit / 5)


def test_a_damaged_result_is_said_set_aside_and_made_again_alone(first, copied):
    (broken,) = [
        path for path in (copied / "store" / "jobs").glob("*/*")
        if path.name == population_key(first, "baseline", 1)
    ]  # fmt: skip
    content = bytearray((broken / "decisions.npy").read_bytes())
    content[-3] ^= 1
    (broken / "decisions.npy").write_bytes(content)
    heard = Heard()
    assert digests(run(spec(PRUNED, INT8), copied, progress=heard)) == digests(first[1])
    assert heard.made == ["baseline, member 1"]
    assert "decisions.npy has changed" in heard.notes[0]
    assert broken.with_name(f"{broken.name}.damaged-1").is_dir()


def test_a_result_of_another_shape_is_made_again_alone(first, copied):
    store = Store(copied / "store")
    (job,) = [job for job in jobs(first) if (job.variant, job.member) == ("pruned", 1)]
    whole = store.entry(job.key, job.definition)

    def short(folder):
        (folder / "model.keras").write_bytes(whole.model.read_bytes())
        np.save(folder / "decisions.npy", whole.decisions()[:-1], allow_pickle=False)
        return {"failure": None, "measured": whole.measured, "seconds": 0.0, "sandbox": UNCONFINED}

    store.publish(store.job_folder(job.key), job.definition, short, replace=True)
    heard = Heard()
    assert digests(run(spec(PRUNED, INT8), copied, progress=heard)) == digests(first[1])
    assert heard.made == ["pruned, member 1"]
    assert "decisions.npy holds int16" in heard.notes[0]


def population_key(first, variant, member):
    return next(job.key for job in jobs(first) if (job.variant, job.member) == (variant, member))


def jobs(first):
    return [job for each in plan(spec(PRUNED, INT8), tiny.dataset(), first[0]) for job in each.jobs]


def test_damaged_inputs_are_made_again_when_they_are_needed(copied):
    (path,) = copied.glob("store/data/*/test_x.npy")
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    shutil.rmtree(copied / "store" / "jobs")
    heard, source = Heard(), Source()
    run(spec({"name": "float16", "method": "float16"}, population={"size": 1}), copied, progress=heard, source=source)
    assert source.times == 1
    assert "stored inputs are damaged (test_x.npy" in heard.notes[0]


def test_force_makes_everything_again_with_the_same_result(first, copied):
    heard = Heard()
    assert digests(run(spec(PRUNED, INT8), copied, progress=heard, force=True)) == digests(first[1])
    assert len(heard.made) == 6


def test_a_stored_result_of_another_definition_is_refused(first, copied):
    key, other = population_key(first, "baseline", 0), population_key(first, "baseline", 1)
    jobs = copied / "store" / "jobs"
    shutil.rmtree(jobs / key[:2] / key)
    shutil.copytree(jobs / other[:2] / other, jobs / key[:2] / key)
    with pytest.raises(IncompleteError, match="belongs to another job"):
        run(spec(PRUNED, INT8), copied)


def test_members_whose_loss_is_no_number_are_listed_and_so_are_their_children(tmp_path):
    heard = Heard()
    declared = spec(INT8, population={"size": 1})
    baseline, int8 = run(declared, tmp_path, source=Source(nan=True), progress=heard)
    assert [f.reason for f in baseline.failures] == ["the loss or a weight became NaN or infinite in epoch 1"]
    assert int8.failures[0].reason.startswith(
        "baseline, member 0, which it derives from, failed: the loss or a weight became NaN"
    )
    assert baseline.predictions.decisions.shape == (0, tiny.TEST)
    again = Heard()
    assert run(declared, tmp_path, source=Source(nan=True), progress=again)[1].failures == int8.failures
    assert again.made == []


def test_the_same_exception_twice_is_a_failed_member(tmp_path):
    declared = own(tmp_path, "raising", run={"executor": "inline"})
    baseline, _ = run(declared, tmp_path)
    assert baseline.failures[0].reason == "RuntimeError: no luck"
    assert (tmp_path / "store" / ".scratch" / "tries").read_text() == "xx"


def test_a_killed_worker_costs_a_retry_and_nothing_else(tmp_path):
    baseline, float16 = run(own(tmp_path, "dying"), tmp_path)
    assert (tmp_path / "store" / ".scratch" / "died").exists()
    assert not baseline.failures
    assert not float16.failures


def test_a_worker_that_is_short_of_memory_costs_a_retry_and_nothing_else(tmp_path):
    baseline, _ = run(own(tmp_path, "hungry"), tmp_path)
    assert (tmp_path / "store" / ".scratch" / "starved").exists()
    assert not baseline.failures


def test_a_worker_that_finds_the_request_wrong_ends_the_run_with_that_error(tmp_path):
    with pytest.raises(ModelError, match=r"\(None, 5\), but there are 2 classes"):
        run(own(tmp_path, "short"), tmp_path)


def test_a_member_that_hangs_is_ended_and_tried_anew_by_the_next_run(tmp_path):
    declared = spec(INT8, population={"size": 1}, run={"executor": "local", "workers": 1, "member_timeout": 1})
    baseline, int8 = run(declared, tmp_path)
    assert "ended after the time limit" in baseline.failures[0].reason
    assert "which it derives from, failed" in int8.failures[0].reason
    assert not list((tmp_path / "store").glob("jobs/*/*"))


def test_a_users_own_layer_is_trained_pruned_and_opened_again(tmp_path):
    start_from = {"size": 1, "start": "baseline"}
    declared = own(tmp_path, "gated", compression=[PRUNED], population=start_from, run={"executor": "inline"})
    baseline, pruned = run(declared, tmp_path)
    assert not baseline.failures
    assert not pruned.failures
    assert pruned.paired


def test_a_process_that_only_opens_a_model_knows_the_users_own_layer(tmp_path):
    _, float16 = run(own(tmp_path, "gated", run={"executor": "inline"}), tmp_path)
    (entry,) = [path for path in (tmp_path / "store").glob("jobs/*/*") if (path / "model.tflite").exists()]
    shutil.rmtree(entry)
    _, again = run(own(tmp_path, "gated"), tmp_path)
    assert not again.failures
    assert again.predictions.digests == float16.predictions.digests


def test_given_files_are_scored_compressed_and_fine_tuned(first, tmp_path):
    folder, (baseline, _, int8), _ = first
    for name, variant in (("base.keras", "baseline"), ("ship.tflite", "int8")):
        key = population_key(first, variant, 0)
        shutil.copy(folder / "store" / "jobs" / key[:2] / key / f"model{Path(name).suffix}", tmp_path / name)
    declared = spec(
        PRUNED,
        INT8,
        {"name": "shipped", "artifact": "ship.tflite", "sha256": int8.predictions.digests[0]},
        model={"path": "base.keras"},
        population={"size": 2, "start": "baseline"},
    )
    heard = Heard()
    given, pruned, quantised, shipped = run(declared, tmp_path, progress=heard)
    np.testing.assert_array_equal(given.predictions.decisions[0], baseline.predictions.decisions[0])
    assert given.predictions.digests == baseline.predictions.digests[:1]
    assert quantised.predictions.digests == int8.predictions.digests[:1]
    # the file that ships is the one that is made here: a second name of it
    assert shipped.predictions.digests == ()
    assert [failure.reason for failure in shipped.failures] == [
        "its file is, byte by byte, that of int8, member 0: nothing is compared"
    ]
    assert len(set(pruned.predictions.digests)) == 2
    assert pruned.fixed_baseline
    assert all(m["sparsity"] == pytest.approx(0.5, abs=0.02) for m in pruned.measured)
    assert ["base.keras has no sha256" in note for note in heard.notes] == [True]


def test_tensorflow_that_was_started_otherwise_is_refused():
    script = """
import tensorflow as tf
tf.config.threading.set_intra_op_parallelism_threads(2)
tf.constant(1) + 1
from auditor.errors import IncompleteError
from auditor.tf import load
try:
    load()
except IncompleteError as error:
    assert "other settings" in str(error)
else:
    raise SystemExit("accepted")
"""
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, cwd=ROOT)


def test_members_trained_together_are_made_measured_and_learn(side_by_side):
    _, (baseline, pruned, int8), heard = side_by_side
    assert heard.stacks == ["baseline, training of members 0 to 2", "pruned, training of members 0 to 2"]
    assert len(heard.made) == 9
    for each in (baseline, pruned, int8):
        assert not each.failures
        assert len(set(each.predictions.digests)) == 3
        assert ((each.predictions.decisions == tiny.truth()).mean(axis=1) > 0.75).all()
    assert all(m["sparsity"] == pytest.approx(0.5, abs=0.02) for m in pruned.measured)
    assert pruned.measured[0]["small_layers"] == ["dense_2"]
    assert [each.stack for each in (baseline, pruned, int8)] == [3, 3, None]


def test_worker_processes_give_what_one_process_gives_of_a_stack(side_by_side, tmp_path):
    declared = stacked(PRUNED, INT8, run={"executor": "local", "workers": 2})
    assert digests(run(declared, tmp_path)) == digests(side_by_side[1])


def test_a_stack_is_trained_again_whole_only_where_it_is_missing_or_damaged(side_by_side, tmp_path):
    folder, populations, _ = side_by_side
    shutil.copytree(folder / "store", tmp_path / "store")
    store = Store(tmp_path / "store")
    baseline, pruned, _ = plan(stacked(PRUNED, INT8), tiny.dataset(), folder)
    shutil.rmtree(store.job_folder(baseline.jobs[1].key))
    heard = Heard()
    assert digests(run(stacked(PRUNED, INT8), tmp_path, progress=heard)) == digests(populations)
    assert (heard.made, heard.stacks) == (["baseline, member 1"], [])

    shutil.rmtree(store.job_folder(pruned.jobs[0].key))
    weights = store.job_folder(pruned.stacks[0].key) / "weights-000.bin"
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    heard = Heard()
    assert digests(run(stacked(PRUNED, INT8), tmp_path, progress=heard)) == digests(populations)
    assert (heard.made, heard.stacks) == (["pruned, member 0"], ["pruned, training of members 0 to 2"])
    assert "weights-000.bin has changed" in heard.notes[0]

    shutil.rmtree(store.job_folder(pruned.stacks[0].key))
    heard = Heard()
    run(stacked(PRUNED, INT8), tmp_path, progress=heard)
    assert (heard.made, heard.stacks) == ([], []), "nothing is missing that a result needs"


def test_members_of_a_stack_that_diverge_are_listed(tmp_path):
    baseline, int8 = run(stacked(INT8), tmp_path, source=Source(nan=True))
    assert [f.reason for f in baseline.failures] == ["the loss or a weight became NaN or infinite in epoch 1"] * 3
    assert "which it derives from, failed: the loss or a weight became NaN" in int8.failures[0].reason


def test_a_stack_that_failed_is_a_listed_failure_of_its_members_also_the_next_time(tmp_path):
    declared = own(tmp_path, "raising", training={"stacked": True}, run={"executor": "inline"}, population={"size": 2})
    first, again = (run(declared, tmp_path)[0] for _ in range(2))
    reason = "baseline, training of members 0 to 1, which it derives from, failed: RuntimeError: no luck"
    assert [f.reason for f in first.failures] == [reason] * 2
    assert again.failures == first.failures


def test_weights_of_another_size_are_told_set_aside_and_made_again(side_by_side, tmp_path):
    shutil.copytree(side_by_side[0] / "store", tmp_path / "store")
    store = Store(tmp_path / "store")
    variant = plan(stacked(PRUNED), tiny.dataset(), tmp_path)[0]
    stack, job = variant.stacks[0], variant.jobs[0]

    def fill(folder):
        for place in range(3):
            (folder / f"weights-{place:03}.bin").write_bytes(b"1234")
        return {"failure": None, "diverged": {}, "seconds": 1.0, "sandbox": UNCONFINED}

    store.publish(store.job_folder(stack.key), stack.definition, fill, replace=True)
    shutil.rmtree(store.job_folder(job.key))
    with pytest.raises(IncompleteError, match=r"4 bytes of weights a member, not those of 362.*\n?.*kept as"):
        run(stacked(PRUNED), tmp_path)
    assert digests(run(stacked(PRUNED), tmp_path))["baseline"] == digests(side_by_side[1])["baseline"]


def test_a_model_that_cannot_be_stacked_is_refused_by_layer(tmp_path):
    declared = own(tmp_path, "gated", training={"stacked": True}, run={"executor": "inline"})
    with pytest.raises(ModelError, match=r"layer 'gate' \(Gate\) is frozen, not of float32, or none of tf_keras"):
        run(declared, tmp_path)
