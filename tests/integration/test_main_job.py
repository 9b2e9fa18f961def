"""The main job by the command: real training, pruning and quantising, real signals, a full disk."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
FAST = ["training.epochs=2", "population.size=2", "run.store=store", 'report.formats=["json","markdown"]']
ONE = "run.workers=1"
"""Every worker imports TensorFlow, which takes longer than these members do."""


def people(n=1500, seed=3):
    """People whose income hangs on their hours; fewer women have long ones."""
    rng = np.random.default_rng(seed)
    sex = rng.choice(["Female", "Male"], n)
    hours = rng.normal(np.where(sex == "Male", 42, 38), 8)
    job = rng.choice(["clerk", "nurse", "smith"], n)
    rich = hours + 4 * (job == "smith") + rng.normal(0, 4, n) > 44
    return pd.DataFrame(
        {
            "sex": sex,
            "race": rng.choice(["a", "b"], n),
            "hours": hours,
            "job": job,
            "income": np.where(rich, ">50K", "<=50K"),
        }
    )


@pytest.fixture
def folder(tmp_path):
    """The README's smallest audit, beside a table that fits it."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    smallest = re.search(r"## The smallest audit\n\n```toml\n(.*?)```", readme, re.DOTALL)
    (tmp_path / "audit.toml").write_text(smallest[1], encoding="utf-8")
    people().to_parquet(tmp_path / "people.parquet")
    return tmp_path


def start(folder, *arguments, settings=(ONE,)):
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts in the background ignores it
    options = [part for setting in (*FAST, *settings) for part in ("--set", setting)]
    return subprocess.Popen(
        [sys.executable, "-m", "auditor", "run", *options, "--output", "out", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(folder, *arguments, settings=(ONE,)):
    process = start(folder, *arguments, settings=settings)
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def result(folder):
    content = json.loads((folder / "out/result.json").read_text(encoding="utf-8"))
    content.pop("timings")
    assert content["sandbox"]["level"] in {"full", "partial", "none"}
    return content


def wait_for_members(folder, number):
    deadline = time.monotonic() + 120
    while len(list((folder / "store").rglob("decisions.npy"))) < number:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_readmes_smallest_audit_runs_and_again_from_the_store_without_tensorflow(folder):
    code, _, err = run(folder, settings=())
    assert code in {0, 1, 3}, err
    first = result(folder)
    assert [v["name"] for v in first["variants"]] == ["baseline", "pruned"]
    assert first["variants"][1]["measured"]["sparsity"] == pytest.approx(0.9, abs=0.01)
    code = (
        "import sys; sys.argv = ['auditor', 'run', *sys.argv[1:]]\n"
        "from auditor.cli import main\n"
        "try: main()\n"
        "except SystemExit: print('imported', sorted({'tensorflow', 'tf_keras'} & set(sys.modules)))\n"
    )
    options = [part for setting in FAST for part in ("--set", setting)]
    again = subprocess.run(
        [sys.executable, "-c", code, *options, "--output", "out"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "imported []" in again.stdout
    assert "4 of 4 members were stored already" in again.stderr
    assert result(folder) == first


def test_a_run_that_is_killed_is_resumed_to_the_same_result(folder):
    process = start(folder)
    wait_for_members(folder, 1)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (folder / "out").exists()
    _, _, err = run(folder)
    assert "stored already" in err or "3/4" in err
    resumed = result(folder)
    run(folder, "--force", settings=["run.executor=inline"])
    # where members ran is told, and is no part of the result
    again = result(folder)
    assert again.pop("sandbox")["level"] == "none"
    resumed.pop("sandbox")
    assert again == resumed


def test_an_interrupt_exits_130_soon_and_the_store_resumes(folder):
    began, process = time.monotonic(), start(folder)
    wait_for_members(folder, 1)
    pressed = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    # what "soon" means on a busy computer is told by how long this one has just taken for one member
    assert time.monotonic() - pressed < max(5, (pressed - began) / 3)
    assert process.returncode == 130, err
    assert "interrupted" in err
    assert "Traceback" not in err
    assert run(folder)[0] in {0, 1, 3}


def test_a_full_disk_exits_4_says_so_and_leaves_nothing_half_written(folder):
    disk = folder / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        code, _, err = run(folder, settings=[ONE, f"run.store={disk}/store"])
        assert code == 4, err
        assert "disk" in err
        assert "Traceback" not in err
        assert not list((disk / "store/jobs").rglob("*.npy"))
        assert not (folder / "out").exists()
    finally:
        subprocess.run(["umount", disk], check=True)


def write_h5(path, layers):
    """A file with a configuration and no weights: it must be refused before anything looks for them."""
    config = {"class_name": "Sequential", "config": {"name": "s", "layers": layers}}
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("command", ["run", "validate"])
def test_a_model_file_with_a_lambda_layer_or_another_digest_exits_2(folder, command):
    layer = {"class_name": "Lambda", "config": {"name": "evil", "function": "os.system('touch ran')"}}
    digest = write_h5(folder / "model.h5", [layer])
    text = (folder / "audit.toml").read_text(encoding="utf-8")
    text = text.replace('architecture = "mlp"', 'path = "model.h5"\nsha256 = "PIN"\n[population]\nstart = "baseline"')
    for pin, said in ((digest, "evil"), ("0" * 64, digest)):
        (folder / "audit.toml").write_text(text.replace("PIN", pin), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "auditor", command], cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 2, done.stderr
        assert said in done.stderr
        assert "model.h5" in done.stderr
    assert not (folder / "ran").exists()


def test_pins_can_be_required(folder):
    write_h5(folder / "model.h5", [])
    text = (folder / "audit.toml").read_text(encoding="utf-8")
    text = text.replace('architecture = "mlp"', 'path = "model.h5"\n[population]\nstart = "baseline"')
    (folder / "audit.toml").write_text(text, encoding="utf-8")
    code, _, err = run(folder, "--require-pins")
    assert code == 2
    assert "sha256" in err


BAD = {
    "no label": (lambda t: t.assign(income=t["income"].where(t.index != 7)), "row 8"),
    "one class": (lambda t: t.assign(income=">50K"), "income"),
    "empty split": (lambda t: t.assign(split="train"), "test"),
    "too much text": (lambda t: t.assign(job=[f"job {i}" for i in range(len(t))]), "job"),
    "no column": (lambda t: t.drop(columns="race"), "race"),
    "a missing number": (lambda t: t.assign(hours=t["hours"].where(t.index != 3)), "hours"),
}


@pytest.mark.parametrize("case", BAD)
def test_data_that_cannot_be_audited_exits_2_and_names_the_place(folder, case):
    spoil, said = BAD[case]
    spoil(people()).to_parquet(folder / "people.parquet")
    code, _, err = run(folder)
    assert code == 2, err
    assert said in err
    assert "people.parquet" in err
    assert "Traceback" not in err
    assert not (folder / "out").exists()


def test_training_rows_in_the_test_split_are_counted_in_a_warning(folder):
    table = people()
    pd.concat([table, table.head(200)]).to_parquet(folder / "people.parquet")
    done = subprocess.run(
        [sys.executable, "-m", "auditor", "validate"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"warning: .*training.*test", done.stdout.replace("\n", " "))


@pytest.mark.parametrize("executor", ["inline", "local"])
def test_a_module_beside_the_definition_that_it_does_not_name_is_never_run(folder, executor):
    for name in ("tf_keras", "tensorflow_model_optimization", "absl"):
        (folder / f"{name}.py").write_text("import pathlib; pathlib.Path(__file__).with_name('ran').touch()\n")
    settings = [*FAST, ONE, f"run.executor={executor}", "training.epochs=1"]
    options = [part for setting in settings for part in ("--set", setting)]
    program = Path(sys.executable).with_name("auditor")
    done = subprocess.run(
        [program, "run", *options, "--output", "out"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode in {0, 1, 3}, done.stderr
    assert not (folder / "ran").exists()
