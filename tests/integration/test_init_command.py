"""`auditor init` as it is met: without a terminal, on one, and before a file that is there."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import tomllib

import numpy as np
import pandas as pd
from PIL import Image


def written(folder):
    return tomllib.loads((folder / "audit.toml").read_text(encoding="utf-8"))


def test_it_writes_what_runs_at_once_and_overwrites_nothing(auditor, folder):
    (folder / "audit.toml").unlink()
    done = auditor("init", "--data", "people.csv", "--predictions", "base_*", "--predictions", "int8_*")
    assert done.returncode == 0, done.stderr
    assert (done.stdout, "next: auditor validate audit.toml" in done.stderr) == ("", True)
    assert written(folder)["data"] == {
        "source": "predictions", "path": "people.csv", "label": "income", "positive": "high",
    }  # fmt: skip
    ran = auditor("run", "--set", "report.formats=[]")
    assert ran.returncode in {0, 1, 3}, ran.stderr
    again = auditor("init", "--data", "people.csv")
    assert again.returncode == 2
    assert "audit.toml: is there already" in again.stderr
    assert written(folder)["model"] == {"predictions": "base_*"}


def test_without_a_terminal_what_cannot_be_told_exits_2_and_names_the_flag(auditor, folder):
    pd.DataFrame({"hours": [1.5, 2.5, 3.5], "score": [0.1, 0.2, 0.4]}).to_csv(folder / "plain.csv", index=False)
    done = auditor("init", "--data", "plain.csv", "--output", "new.toml")
    assert done.returncode == 2
    assert "--label: cannot be told from the data" in done.stderr
    assert not (folder / "new.toml").exists()


def test_on_a_terminal_it_asks(folder):
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "auditor", "init", "--data", "people.csv", "--attribute", "sex", "--force"]
    process = subprocess.Popen(command, cwd=folder, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.close(theirs)
    os.write(ours, b"\nlow\n")
    _, err = process.communicate(timeout=120)
    os.close(ours)
    assert process.returncode == 0, err
    assert b"Which column holds the true class? (--label) [income]" in err
    assert b"(--positive) [high]" in err
    assert (written(folder)["data"]["label"], written(folder)["data"]["positive"]) == ("income", "low")


def test_pictures_in_class_folders_are_validated_as_init_wrote_them(auditor, folder):
    for i in range(60):
        path = folder / "animals" / ("cat", "dog")[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.random.default_rng(i).integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(path)
    done = auditor("init", "--data", "animals", "--output", "animals.toml")
    assert (done.returncode, done.stderr) == (0, "wrote animals.toml; next: auditor validate animals.toml\n")
    assert auditor("validate", "animals.toml").returncode == 0


def test_what_init_cannot_write_exits_2_and_leaves_no_file(auditor, folder):
    (folder / "model").mkdir()
    done = auditor("init", "--data", "train-*.tfrecord", "--output", "new.toml")
    assert (done.returncode, "Write audit.toml by hand" in done.stderr) == (2, True)
    done = auditor("init", "--data", "people.csv", "--model", "model", "--output", "new.toml")
    assert (done.returncode, (folder / "new.toml").exists()) == (2, False)
