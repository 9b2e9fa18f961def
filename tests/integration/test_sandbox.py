"""Members in worker processes that are confined: what hostile code of a model can do there, and what an audit needs."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace

import pytest
from hostile.corpus import FILES
from hostile.files import canary
from tiny import INT8, PRUNED, dataset, own, run, spec

from auditor import kernel, population
from auditor.errors import IncompleteError, SpecError
from auditor.population import confined
from auditor.sandbox import made_of

pytestmark = pytest.mark.skipif(kernel.landlock_version() < 3, reason="this kernel has no Landlock of Linux 6.2")

HOSTILE = """
import json, os, pathlib, socket, tempfile
import tf_keras

FOLDER = pathlib.Path(__file__).parent

def refused(act):
    try:
        act()
    except OSError:
        return True
    return False

def trying(input_shape, classes):
    found = {
        "beside": refused(lambda: (FOLDER / "canary").write_text("x")),
        "home": refused(lambda: (pathlib.Path.home() / ".auditor-canary").write_text("x")),
        "inputs": refused(lambda: next((FOLDER / "store" / "data").iterdir()).joinpath("x").touch()),
        "shell": os.system(f"echo x > {FOLDER}/canary 2> /dev/null") != 0,
        "tcp": refused(lambda: socket.create_connection(("127.0.0.1", int((FOLDER / "port").read_text())))),
        "temporary": tempfile.mkdtemp(),
    }
    (FOLDER / "store" / ".scratch" / "found").write_text(json.dumps(found))
    layers = tf_keras.layers
    return tf_keras.Sequential([layers.InputLayer(input_shape), layers.Dense(classes, "softmax")])
"""
ANSWERING = """
# Says to the process outside, in the pool's own name, what would run code where it is read.
import gc, pathlib, pickle
from multiprocessing.connection import Connection

class Touch:
    def __reduce__(self):
        return pathlib.Path.touch, (pathlib.Path(__file__).with_name("canary"),)

gc.unfreeze()
for each in gc.get_objects():
    if isinstance(each, Connection) and each.writable and not each.closed:
        each.send_bytes(pickle.dumps(Touch()))

def answering(input_shape, classes):
    raise RuntimeError("the process outside has not broken the pool")
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A run of two workers whose every kind of member trains, converts and is stored."""
    folder = tmp_path_factory.mktemp("confined")
    return run(spec(PRUNED, INT8, run={"executor": "local", "workers": 2, "require_sandbox": True}), folder)


def test_members_train_convert_and_are_stored_in_a_full_sandbox(ran, first):
    _, inline, _ = first
    assert {each.name: len(each.predictions.members) for each in ran} == {"baseline": 2, "pruned": 2, "int8": 2}
    assert {(each.sandbox.level, each.sandbox.why) for each in ran} == {("full", "")}
    assert [each.predictions.digests for each in ran] == [each.predictions.digests for each in inline]
    assert {each.sandbox.level for each in inline} == {"none"}


def test_code_of_a_model_can_write_nowhere_else_and_reach_nobody(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        (tmp_path / "port").write_text(str(listener.getsockname()[1]))
        baseline, _ = run(own(tmp_path, "trying", source=HOSTILE), tmp_path)
    found = json.loads((tmp_path / "store" / ".scratch" / "found").read_text())
    assert len(baseline.predictions.members) == 1
    assert not os.path.lexists(found.pop("temporary"))
    assert set(found.values()) == {True}, found
    assert not (tmp_path / "canary").exists()


def test_what_a_worker_says_runs_no_code_outside(tmp_path, monkeypatch):
    monkeypatch.setattr("auditor.population.executors.RETRIES", 0)
    with pytest.raises(IncompleteError):
        run(own(tmp_path, "answering", source=ANSWERING), tmp_path)
    assert not (tmp_path / "canary").exists()


WRITING = """
import sys
from pathlib import Path
from auditor import sandbox
inside, target, how = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
if how == "confined":
    assert sandbox.enter([inside]).level == "full"
from auditor.tf import load
tf = load().tf
model = tf.saved_model.load(str(inside / "saved"))
try:
    model.write(tf.constant(1.0))
except tf.errors.PermissionDeniedError as error:
    print("refused")
"""
"""A model that runs no Python at all: an operation of TensorFlow's own writes a file when it is called."""


def save_a_writer(folder, target):
    from auditor.tf import load, quiet

    tf = load().tf

    class Writer(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([], tf.float32)])
        def write(self, x):
            tf.io.write_file(str(target), "x")
            return x

    with quiet():
        tf.saved_model.save(Writer(), str(folder))


def test_a_model_whose_own_operation_writes_a_file_cannot(tmp_path):
    inside, target = tmp_path / "inside", tmp_path / "canary"
    inside.mkdir()
    save_a_writer(inside / "saved", target)
    for how, said in (("confined", "refused\n"), ("free", "")):
        assert not target.exists()
        done = subprocess.run(
            [sys.executable, "-c", WRITING, inside, target, how],
            capture_output=True, text=True, check=True, env={**os.environ, "TMPDIR": str(inside)},
        )  # fmt: skip
        assert done.stdout == said
    assert target.exists()


OPENING = """
import sys
from pathlib import Path
from auditor import sandbox
sandbox.enter([Path(sys.argv[1])])
from auditor.tf import load, quiet
keras = load().tf_keras
for path in sys.argv[2:]:
    try:
        with quiet():
            keras.models.load_model(path, compile=False)
    except Exception as error:
        print(error)
"""
BITING = ("lambda_alone", "lambda_behind_a_good_layer", "lambda_in_a_model_in_a_model", "json_with_two_of_one_key")


def test_files_of_the_corpus_run_their_code_where_nobody_looks_first(tmp_path):
    paths = [file.write(tmp_path) for file in FILES if file.ending == ".h5" and file.name in BITING]
    command = [sys.executable, "-c", OPENING, tmp_path, *paths]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "TMPDIR": str(tmp_path)})
    assert [path.name for path in paths if not canary(path).exists()] == []
    assert len(paths) == len(BITING)


@pytest.mark.parametrize("executor", ["inline", "dask"])
def test_other_executors_are_refused_where_a_sandbox_is_required(executor, tmp_path):
    table = {"executor": executor, "require_sandbox": True, "address": "tcp://127.0.0.1:1"}
    with pytest.raises(SpecError, match=f'run.require_sandbox: .* none: executor = "{executor}"'):
        run(spec(run=table), tmp_path)
    assert not (tmp_path / "store").exists()


def test_a_kernel_that_withholds_less_is_refused_before_anything_is_opened(tmp_path, monkeypatch):
    monkeypatch.setattr(confined, "probe", lambda: made_of(network=True, memory=None, why="an old kernel"))
    with pytest.raises(SpecError, match="partial: no network; an old kernel"):
        run(spec(run={"require_sandbox": True}), tmp_path)
    assert not (tmp_path / "store").exists()


def test_members_that_an_earlier_run_made_in_less_are_refused_too(first):
    folder, _, _ = first
    with pytest.raises(IncompleteError, match=r"members of int8 were made in a sandbox that was none.*\n.*--force"):
        run(spec(PRUNED, INT8, run={"executor": "local", "require_sandbox": True}), folder)


def test_decisions_in_a_table_need_none(tmp_path):
    declared = spec({"name": "int8", "predictions": "b_*"}, model={"predictions": "a_*"}, run={"executor": "inline"})
    declared = declared.model_copy(update={"run": declared.run.model_copy(update={"require_sandbox": True})})
    confined.refuse_unconfined(declared)
    assert population.plan(declared, replace(dataset(), classes=("no", "yes")), tmp_path)
