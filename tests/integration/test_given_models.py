"""Whole audits of model files of every format, beside each other."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

onnx = pytest.importorskip("onnx", reason="makes the files")
pytest.importorskip("onnxruntime", reason="the extra onnx")
RNG = np.random.default_rng(0)
FEATURES, N = 6, 400
TOML = """
schema = 1
attribute = ["team"]
[model]
path = "base.keras"
[population]
size = 2
start = "baseline"
[training]
epochs = 1
[run]
workers = 1
[data]
path = "people.npz"
label = "y"
[data.calibration]
size = 20
[report]
formats = ["json"]
[[gate]]
metric = "accuracy"
over = "overall"
min = -0.1
"""
ARTIFACTS = """
[[compression]]
name = "onnx"
artifact = "same.onnx"
[[compression]]
name = "saved"
artifact = "same"
[[compression]]
name = "other"
artifact = "other.onnx"
"""


def weights(seed):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape).astype(np.float32) for shape in ((FEATURES, 8), (8,), (8, 3), (3,))]


def keras3_model(values):
    from auditor.tf import keras3, reseed

    reseed(1)
    keras = keras3()
    layers = [keras.Input((FEATURES,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(3, "softmax")]
    model = keras.Sequential(layers)
    model.set_weights(values)
    return model


def onnx_model(values):
    """The same network, written as PyTorch would write it: from its weights alone."""
    helper = onnx.helper
    nodes = [
        helper.make_node("Gemm", ["x", "w0", "b0"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Gemm", ["r", "w1", "b1"], ["s"]),
        helper.make_node("Softmax", ["s"], ["y"], axis=-1),
    ]
    constants = [onnx.numpy_helper.from_array(v, n) for v, n in zip(values, ("w0", "b0", "w1", "b1"), strict=True)]
    ends = [
        [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", size])]
        for name, size in (("x", FEATURES), ("y", 3))
    ]
    graph = helper.make_graph(nodes, "net", *ends, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8).SerializeToString()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Data that the first weights decide right nine times in ten, files of three formats, and one that is constant."""
    from auditor.tf import quiet

    path = tmp_path_factory.mktemp("given")
    values = weights(1)
    model = keras3_model(values)
    x = RNG.normal(size=(N, FEATURES)).astype(np.float32)
    y = np.asarray(model(x)).argmax(axis=1)
    y = np.where(RNG.random(N) < 0.9, y, (y + 1) % 3)
    np.savez(path / "people.npz", x=x, y=y, team=RNG.choice(["a", "b"], N))
    model.save(path / "base.keras")
    with quiet():
        model.export(str(path / "same"))
    (path / "same.onnx").write_bytes(onnx_model(values))
    constant = [*weights(2)[:3], np.array([100, 0, 0], np.float32)]
    (path / "other.onnx").write_bytes(onnx_model(constant))
    return path


def auditor(*arguments):
    """The command, in a process of its own, and what it said in one line."""
    done = subprocess.run(
        [sys.executable, "-m", "auditor", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    done.said = " ".join((done.stdout + done.stderr).split())
    return done


def test_a_keras_3_baseline_is_compared_with_files_of_other_formats_and_compressed(folder, tmp_path):
    recipes = '[[compression]]\nmethod = "prune"\nsparsity = 0.5\n[[compression]]\nmethod = "float16"\n'
    (folder / "audit.toml").write_text(TOML + ARTIFACTS + recipes)
    done = auditor("run", folder / "audit.toml", "--output", tmp_path)
    assert done.returncode == 1, done.said  # the other network is no copy
    result = json.loads((tmp_path / "result.json").read_text())
    variants = {variant["name"]: variant for variant in result["variants"]}
    assert result["failures"] == []
    assert {name: (v["claim"], v["finished"]) for name, v in variants.items()} == {
        "baseline": ("artifact", 1), "onnx": ("artifact", 1), "saved": ("artifact", 1), "other": ("artifact", 1),
        "pruned": ("recipe", 2), "float16": ("artifact", 1),
    }  # fmt: skip
    verdicts = {finding["variant"]: finding["verdict"] for finding in result["findings"]}
    assert (verdicts["onnx"], verdicts["saved"], verdicts["other"]) == ("PASS", "PASS", "FAIL")
    assert verdicts["float16"] == "PASS"
    decided = {name: pd.read_parquet(tmp_path / f"predictions/{name}.parquet") for name in variants}
    for name in ("onnx", "saved"):
        assert (decided[name]["member_0"] == decided["baseline"]["member_0"]).all()
        assert np.abs(decided[name].filter(like="_p_") - decided["baseline"].filter(like="_p_")).to_numpy().max() < 1e-5
    parameters = {name: v["measured"]["parameters"] for name, v in variants.items()}
    assert parameters["baseline"] == parameters["saved"] == parameters["onnx"] == parameters["pruned"] == 83
    assert variants["pruned"]["measured"]["sparsity"] == pytest.approx(0.5, abs=0.02)


def test_a_glance_tells_what_is_odd_before_anything_is_spent(folder):
    twice = '[[compression]]\nname = "copy"\nartifact = "base.keras"\n'
    (folder / "glance.toml").write_text(TOML + ARTIFACTS + twice)
    done = auditor("validate", folder / "glance.toml")
    assert done.returncode == 0, done.said
    said = done.said
    assert re.search(r"Given models, (120|1\d\d) examples", said)
    assert "copy is the same file as baseline" in said
    assert "other decides for one class alone" in said
    assert not re.search(r"(onnx|saved|baseline) decides", said)
    assert "Given models" not in auditor("validate", folder / "glance.toml", "--no-models").said


def test_a_population_of_files_is_paired_by_what_the_star_stands_for(folder, tmp_path):
    for run in (2, 10, 9):
        (tmp_path / f"runs/{run}").mkdir(parents=True)
        values = weights(1)
        values[3] += np.float32(run) / 100
        keras3_model(values).save(tmp_path / f"runs/{run}/base.keras")
        values[3] += np.float32(0.05)
        (tmp_path / f"runs/{run}/small.onnx").write_bytes(onnx_model(values))
    (tmp_path / "people.npz").write_bytes((folder / "people.npz").read_bytes())
    star = '[[compression]]\nname = "small"\nartifact = "runs/*/small.onnx"\n[[compression]]\nmethod = "float16"\n'
    (tmp_path / "audit.toml").write_text(TOML.replace("base.keras", "runs/*/base.keras") + star)
    done = auditor("run", tmp_path / "audit.toml", "--output", tmp_path / "out")
    assert done.returncode in {0, 3}, done.said
    result = json.loads((tmp_path / "out/result.json").read_text())
    variants = {variant["name"]: variant for variant in result["variants"]}
    for name in ("small", "float16"):
        assert (variants[name]["claim"], variants[name]["paired"]) == ("recipe", True)
        assert variants[name]["finished"] == 3
    small = pd.read_parquet(tmp_path / "out/predictions/small.parquet")
    # numbered as people count: 2, 9, 10; member 1 is the file of run 9
    x = np.load(tmp_path / "people.npz")["x"][small["example"].astype(int)]
    values = weights(1)
    values[3] += np.float32(0.14)
    assert (small["member_1"] == np.asarray(keras3_model(values)(x)).argmax(axis=1)).all()

    (tmp_path / "runs/9/small.onnx").unlink()
    done = auditor("run", tmp_path / "audit.toml", "--output", tmp_path / "out")
    assert done.returncode == 2
    assert 'without a partner "9"' in done.said


def test_required_pins_are_asked_of_every_file_that_a_star_stands_for(folder, tmp_path):
    for run in (1, 2):
        (tmp_path / f"{run}.onnx").write_bytes(onnx_model(weights(run)))
    (tmp_path / "people.npz").write_bytes((folder / "people.npz").read_bytes())
    from auditor.models.load import read_model

    pin = read_model(tmp_path / "1.onnx")[1]
    toml = TOML.replace('"base.keras"', f'"*.onnx"\nsha256 = {{ 1 = "{pin}" }}')
    (tmp_path / "audit.toml").write_text(toml + '[[compression]]\nname = "x"\nartifact = "*.onnx"\n')
    done = auditor("run", tmp_path / "audit.toml", "--require-pins")
    assert done.returncode == 2
    said = done.said
    assert "2.onnx: model: has no sha256" in said
    assert "1.onnx: model" not in said
    (tmp_path / "audit.toml").write_text(toml.replace(pin, "0" * 64) + '[[compression]]\nartifact = "*.onnx"\n')
    done = auditor("run", tmp_path / "audit.toml")
    assert done.returncode == 2
    assert "the file has the digest" in done.said
