"""The README's recipes for predictions from elsewhere, run as they stand there; arrays stand in for the models."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from auditor import audit, load_spec

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
SECTION = re.search(r"### Predictions from elsewhere\n(.*?)\n### ", README, re.DOTALL)[1]
PYTHON = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)
TOML = re.findall(r"```toml\n(.*?)```", SECTION, re.DOTALL)
N = 600


@pytest.fixture
def people():
    rng = np.random.default_rng(0)
    sex = rng.choice(["Female", "Male"], N)
    return pd.DataFrame({"person": np.arange(N) + 1000, "sex": sex, "income": rng.choice(["<=50K", ">50K"], N)})


@pytest.fixture
def outputs(people):
    """Softmax outputs of three models a variant, right nine times in ten."""
    rng = np.random.default_rng(1)
    right = (people["income"] == ">50K").to_numpy()
    found = {}
    for variant in ("base", "int8"):
        positive = [np.where(rng.random(N) < 0.9, right, ~right) * 0.5 + 0.25 for _ in range(3)]
        found[variant] = [np.stack([1 - p, p], axis=1).astype(np.float32) for p in positive]
    return found


def decided(folder):
    before = set(sys.modules)
    made = audit(load_spec(folder / "audit.toml"))
    assert not {"tensorflow", "torch", "jax"} & set(sys.modules) - before
    return made.populations


def test_predictions_from_pytorch(tmp_path, monkeypatch, people, outputs):
    monkeypatch.chdir(tmp_path)
    people.to_parquet("people.parquet", index=False)
    (recipe,) = PYTHON
    exec(recipe, {"outputs": outputs})  # noqa: S102 - the README's own
    (tmp_path / "audit.toml").write_text(TOML[0], encoding="utf-8")
    baseline, int8 = decided(tmp_path)
    assert (baseline.name, int8.name, int8.paired) == ("baseline", "int8", True)
    for made, name in ((baseline, "base"), (int8, "int8")):
        assert np.array_equal(made.predictions.decisions, [own.argmax(axis=1) for own in outputs[name]])
        assert np.array_equal(made.predictions.probabilities, outputs[name])


def test_a_devices_log(tmp_path, people, outputs):
    people.to_parquet(tmp_path / "people.parquet", index=False)
    (tmp_path / "logs").mkdir()
    for device in range(3):
        rows = [
            pd.DataFrame({"person": people["person"], "build": build, "device": f"d{device}", "answer": answer})
            for build, name in (("float32", "base"), ("int8", "int8"))
            for answer in [np.where(outputs[name][device][:, 1] > 0.5, ">50K", "<=50K")]
        ]
        log = pd.concat(rows).sample(frac=1, random_state=device)
        log.to_csv(tmp_path / "logs" / f"{device}.csv", index=False)
    (tmp_path / "audit.toml").write_text(TOML[1], encoding="utf-8")
    baseline, int8 = decided(tmp_path)
    assert np.array_equal(baseline.predictions.decisions, [own.argmax(axis=1) for own in outputs["base"]])
    assert np.array_equal(int8.predictions.decisions, [own.argmax(axis=1) for own in outputs["int8"]])
    assert int8.paired
