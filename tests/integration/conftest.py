"""A table of decisions, and the command on it: whole audits without TensorFlow."""

from __future__ import annotations

from functools import partial

import command
import numpy as np
import pandas as pd
import pytest
from tiny import INT8, PRUNED, Heard, run, spec, stacked

TOML = """
schema = 1
attribute = ["sex", { name = "age", bins = [40] }]
[audit]
name = "small"
seed = 1
[model]
predictions = "base_*"
[data]
path = "people.csv"
label = "income"
positive = "high"
[report]
formats = ["json", "markdown"]
[[compression]]
name = "int8"
predictions = "int8_*"
paired = true
[[gate]]
name = "recall holds"
metric = "recall"
over = ["sex", "overall"]
min = -0.05
"""


def make_people(folder, *, harm=0.0, n=1200, members=4, seed=0):
    """Decisions of a baseline that is right nine times in ten, and of a variant that loses women by `harm`."""
    rng = np.random.default_rng(seed)
    sex = rng.choice(["F", "M"], n)
    label = rng.choice(["high", "low"], n)
    columns = {"sex": sex, "age": rng.integers(18, 80, n), "income": label}
    other = np.where(label == "high", "low", "high")
    for k in range(members):
        base = np.where(rng.random(n) < 0.95, label, other)
        lost = (rng.random(n) < harm) & (sex == "F") & (label == "high")
        columns[f"base_{k}"] = base
        columns[f"int8_{k}"] = np.where(lost, "low", base)
        columns[f"int8_{k}"][rng.integers(0, n, 3)] = "high"
    pd.DataFrame(columns).to_csv(folder / "people.csv", index=False)


@pytest.fixture
def folder(tmp_path):
    """A folder with audit.toml and people.csv, in which nobody is hurt."""
    make_people(tmp_path)
    (tmp_path / "audit.toml").write_text(TOML, encoding="utf-8")
    return tmp_path


@pytest.fixture
def harmful(folder):
    """In the folder, women lose a fifth of their recall."""
    make_people(folder, harm=0.2)


@pytest.fixture
def auditor(folder):
    """Run the command in the folder; gives the finished process."""

    return partial(command.run, folder)


@pytest.fixture(scope="session")
def first(tmp_path_factory):
    """A run with nothing stored, in this process: its folder, populations, and what was told."""
    folder, heard = tmp_path_factory.mktemp("first"), Heard()
    return folder, run(spec(PRUNED, INT8), folder, progress=heard), heard


@pytest.fixture(scope="module")
def side_by_side(tmp_path_factory):
    """A run whose members are trained together: its folder, populations, and what was told."""
    folder, heard = tmp_path_factory.mktemp("stacked"), Heard()
    return folder, run(stacked(PRUNED, INT8), folder, progress=heard), heard
