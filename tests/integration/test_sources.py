"""Whole audits of images, arrays and texts: loaded, trained, pruned, judged, reported."""

from __future__ import annotations

import io
import json
from base64 import b64decode

import numpy as np
import pandas as pd
from PIL import Image

from auditor import audit, load_spec
from auditor.records import Verdict

HEAD = """
schema = 1
[audit]
name = "small"
[model]
architecture = "cnn"
options = { filters = [4], dense = [8] }
[training]
epochs = 4
batch_size = 16
learning_rate = 0.02
[population]
size = 2
[run]
executor = "inline"
[[compression]]
method = "prune"
sparsity = 0.5
[[gate]]
metric = "recall"
min = -0.9
"""
IMAGES = """
attribute = ["light"]
[data]
source = "images"
path = "zoo"
label = "animal"
table = "zoo.csv"
preprocess = { resize = [8, 8] }
[report]
formats = []
"""
ARRAYS = """
attribute = []
[data]
path = "digits.npz"
label = "y"
preprocess = { color = "grey" }
[report]
formats = ["markdown"]
"""
TEXTS = """
attribute = ["dialect"]
[data]
path = "reviews.csv"
label = "mood"
text = { column = "review", vocabulary = 50, length = 8 }
[report]
formats = []
"""
READER = """
import tf_keras

def reader(input_shape, classes, vocabulary):
    layers = tf_keras.layers
    return tf_keras.Sequential([
        layers.InputLayer(input_shape),
        layers.Embedding(vocabulary, 8),
        layers.GlobalAveragePooling1D(),
        layers.Dense(classes, activation="softmax"),
    ])
"""


def stripes(label, rng, height=12, width=12):
    """A picture that is bright on the left or on the right."""
    pixels = rng.integers(0, 90, (height, width), dtype=np.uint8)
    half = width // 2
    pixels[:, half * label : half * (label + 1)] += 140
    return pixels


def write_images(folder):
    rng, rows = np.random.default_rng(0), []
    for split, count in (("train", 40), ("test", 20)):
        for label, animal in enumerate(["cat", "dog"]):
            (folder / "zoo" / split / animal).mkdir(parents=True)
            for n in range(count):
                name = f"{split}/{animal}/{n}.png"
                Image.fromarray(stripes(label, rng)).save(folder / "zoo" / name)
                rows.append((name, ["day", "night"][n % 2]))
    pd.DataFrame(rows, columns=["image", "light"]).to_csv(folder / "zoo.csv", index=False)


def write_arrays(folder):
    rng = np.random.default_rng(1)
    layout = {}
    for split, count in (("train", 80), ("test", 40)):
        y = np.resize([0, 1], count)
        layout |= {f"x_{split}": np.stack([stripes(label, rng, 8, 8) for label in y]), f"y_{split}": y}
    np.savez_compressed(folder / "digits.npz", **layout)


def write_definition(folder, text, head=HEAD):
    top, rest = text.split("[data]")
    (folder / "audit.toml").write_text(head.replace("[audit]", f"{top}[audit]") + "[data]" + rest, encoding="utf-8")


def run(auditor, folder, text, head=HEAD):
    write_definition(folder, text, head)
    done = auditor("run", "--output", "out")
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((folder / "out" / "result.json").read_text(encoding="utf-8"))


def test_an_audit_of_class_folders_runs(auditor, folder):
    write_images(folder)
    result = run(auditor, folder, IMAGES)
    assert [v["name"] for v in result["variants"]] == ["baseline", "pruned"]
    assert {f["group"]["light"] for f in result["findings"]} == {"day", "night"}
    decisions = pd.read_parquet(folder / "out" / "predictions" / "baseline.parquet")
    assert decisions["example"][0] == "test/cat/0.png"
    assert (decisions["member_0"] == decisions["label"]).mean() > 0.9


def test_exemplars_are_pictured_where_the_user_allows_it(auditor, folder):
    write_images(folder)
    harmed = HEAD.replace("sparsity = 0.5", "sparsity = 0.98").replace("[[gate]]", '[[gate]]\nseverity = "warning"')
    allowed = IMAGES.replace("formats = []", 'formats = ["html"]\nthumbnails = true')
    result = run(auditor, folder, allowed, harmed)
    first = [one["example"] for one in result["exemplars"]["pruned"]["top"][:12]]
    assert [one["example"] for one in result["thumbnails"]] == first != []
    jpeg = result["thumbnails"][0]["jpeg"]
    with Image.open(io.BytesIO(b64decode(jpeg))) as seen, Image.open(folder / "zoo" / first[0]) as source:
        shown, given = (np.asarray(one.convert("L").resize((8, 8)), float) for one in (seen, source))
    assert np.corrcoef(shown.ravel(), given.ravel())[0, 1] > 0.9
    page = (folder / "out" / "report.html").read_text(encoding="utf-8")
    assert f'src="data:image/jpeg;base64,{jpeg}"' in page


def test_an_audit_of_arrays_without_attributes_judges_classes_and_says_so(auditor, folder):
    write_arrays(folder)
    head = HEAD.replace(
        'architecture = "cnn"\noptions = { filters = [4], dense = [8] }',
        'architecture = "mlp"\noptions = { hidden = [8] }',
    )
    result = run(auditor, folder, ARRAYS, head)
    assert [(f["class"], f["group"], f["verdict"]) for f in result["findings"]] == [(0, {}, "PASS"), (1, {}, "PASS")]
    assert "no attribute: only classes were audited" in (folder / "out" / "summary.md").read_text(encoding="utf-8")
    for command in (["validate"], ["plan"]):
        done = auditor(*command)
        assert done.returncode == 0, done.stderr


def test_an_audit_of_texts_runs_with_an_embedding_of_ones_own(folder):
    rng = np.random.default_rng(2)
    mood = np.resize(["sad", "glad"], 240)
    own = {"sad": ["bad", "dull", "grey"], "glad": ["good", "fine", "bright"]}
    filler = [f"word{n}" for n in range(10)]
    text = [" ".join([*rng.choice(filler, 3), *rng.choice(own[one], 3)]) for one in mood]
    split = ["train"] * 160 + ["test"] * 80
    table = pd.DataFrame(
        {"review": text, "mood": mood, "dialect": np.resize(["a", "a", "b", "b"], 240), "split": split}
    )
    table.to_csv(folder / "reviews.csv", index=False)
    (folder / "readers.py").write_text(READER, encoding="utf-8")
    net = 'architecture = "readers:reader"\noptions = { vocabulary = 50 }'
    head = HEAD.replace('architecture = "cnn"\noptions = { filters = [4], dense = [8] }', net)
    write_definition(folder, TEXTS, head.replace("epochs = 4", "epochs = 8"))
    found = audit(load_spec(folder / "audit.toml"))
    assert {finding.verdict for finding in found.result.findings} == {Verdict.PASS}
    assert all((one.predictions.decisions == found.dataset.labels).mean() > 0.9 for one in found.populations)
