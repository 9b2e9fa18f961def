"""The ready-made audits of images, on tiny data in their official layouts: checked, planned, and some run once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from auditor.data import open_source
from auditor.declare import load_spec
from auditor.population.plan import plan

AUDITS = Path(__file__).parents[2] / "audits"
CLASSES = [f"class{number}" for number in range(10)]
SMALL = {
    "cifar10": [
        "model.options={depth = 10, width = 1}",
        "training.learning_rate=0.01",
        "training.batch_size=30",
    ],
    # one architecture for both: ResNet-50 alone takes longer to build and wrap than this whole test
    "imagenet": [
        "model.architecture=wide_resnet",
        "model.options={depth = 10, width = 1}",
        "training.learning_rate=0.01",
        "training.batch_size=30",
        "data.preprocess={resize = [32, 32]}",
    ],
}
TINY = [
    "population.size=2",
    "training.epochs=1",
    "run.workers=1",  # builds each kind of network once, and not every worker for itself
    'compression=[{ name = "pruned", method = "prune", sparsity = 0.5 }, { method = "int8" }]',
    'report.formats=["json"]',
]


def pixels(number, rng):
    """An image of a class: as bright as its number, and noise."""
    return np.clip(rng.normal(25 * number + 15, 20, (32, 32, 3)), 0, 255).astype(np.uint8)


def make_cifar10(folder):
    """The binary version: a byte of the class, then red, green and blue."""
    rng, folder = np.random.default_rng(0), folder / "cifar10"
    folder.mkdir()
    (folder / "batches.meta.txt").write_text("\n".join(CLASSES))
    for name in [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]:
        records = [bytes([k % 10]) + pixels(k % 10, rng).transpose(2, 0, 1).tobytes() for k in range(30)]
        (folder / f"{name}.bin").write_bytes(b"".join(records))
    return folder


def make_imagenet(folder):
    """A folder a class in `train` and in `test`."""
    rng, folder = np.random.default_rng(0), folder / "imagenet"
    for split, each in (("train", 15), ("test", 3)):
        for number, name in enumerate(CLASSES):
            (folder / split / name).mkdir(parents=True)
            for k in range(each):
                Image.fromarray(pixels(number, rng)).save(folder / split / name / f"{k}.png")
    return folder


MAKERS = {"cifar10": make_cifar10, "imagenet": make_imagenet}


@pytest.fixture(scope="module", params=MAKERS)
def audit(request, tmp_path_factory):
    """Name of an audit, and a function that runs a command of the program on it and its tiny data."""
    folder = tmp_path_factory.mktemp(request.param)
    data, file = MAKERS[request.param](folder), AUDITS / request.param / "audit.toml"

    def run(command, *settings):
        laid = [f"data.path={data}", f"run.store={folder / 'store'}", *settings]
        options = [part for setting in laid for part in ("--set", setting)]
        return subprocess.run(
            [sys.executable, "-m", "auditor", command, str(file), *options],
            cwd=folder, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip

    return request.param, folder, run


def test_a_ready_made_audit_fits_its_data_and_is_planned_without_training(audit):
    name, _, run = audit
    # so few images make enough steps for the schedule of pruning only one by one
    steps = ["training.batch_size=1"] if name == "imagenet" else []
    checked = run("validate", *steps)
    assert checked.returncode == 0, checked.stderr
    assert "class9" in checked.stdout
    planned = run("plan", *steps)
    assert planned.returncode == 0, planned.stderr
    assert "pruned-0.9" in planned.stdout


@pytest.mark.slow
def test_a_ready_made_audit_runs_to_its_end(audit):
    name, folder, run = audit
    done = run("run", *TINY, *SMALL[name])
    assert done.returncode in {0, 1, 3}, done.stderr
    result = json.loads((folder / "audits" / name / "result.json").read_text())
    variants = {each["name"]: each for each in result["variants"]}
    assert list(variants) == ["baseline", "pruned", "int8"]
    assert {each["finished"] for each in variants.values()} == {2}
    assert variants["pruned"]["measured"]["sparsity"] == pytest.approx(0.5, abs=0.01)


def make_celeba(folder):
    """CelebA's lists and sixty pictures that nobody decodes: forty train, twenty test, and one in three is blond."""
    names, numbers = ("Blond_Hair", "Male", "Young"), range(60)
    signs = np.array([[-1 if k % 3 else 1, -1 if k % 2 else 1, -1 if k % 5 else 1] for k in numbers])
    lines = [f"{k:06}.jpg {' '.join(map(str, row))}" for k, row in enumerate(signs)]
    (folder / "list_attr_celeba.txt").write_text("\n".join(["60", " ".join(names), *lines]))
    (folder / "list_eval_partition.txt").write_text("\n".join(f"{k:06}.jpg {2 * (k >= 40)}" for k in numbers))
    (folder / "img_align_celeba").mkdir()
    for k in numbers:
        Image.new("RGB", (4, 5), (4 * k, 0, 0)).save(folder / "img_align_celeba" / f"{k:06}.jpg")


LEVELS = {
    "hooker": ["0.3", "0.5", "0.7", "0.9", "0.95", "0.99"],
    "inception": ["0", "0.3", "0.5", "0.7", "0.9", "0.99"],
}
FURTHER = {"hooker": ["float16", "dynamic_int8", "int8"], "inception": []}


@pytest.mark.parametrize("name", LEVELS)
@pytest.mark.parametrize("size", ["", "-small"])
def test_the_published_set_ups_of_faces_are_planned_variant_by_variant(tmp_path, name, size):
    make_celeba(tmp_path)
    settings = ["training.batch_size=1", f"data.path={tmp_path}"]
    if not (name == "hooker" and not size):
        settings += ["data.sample.train=20", "data.sample.test=10"]
    if name == "inception" and not size:
        settings.append("model.options={frozen = 52}")  # without the file of weights
    spec = load_spec(AUDITS / "celeba" / f"{name}{size}.toml", settings)
    variants = plan(spec.spec, open_source(spec.spec, spec.base).load(), spec.base)
    assert [one.name for one in variants] == [
        "baseline",
        *(f"pruned-{level}" for level in LEVELS[name]),
        *FURTHER[name],
    ]
    sizes = {"hooker": 30, "inception": 10}
    assert {len(one.jobs) for one in variants} == {3 if size else sizes[name]}


@pytest.mark.parametrize("name", LEVELS)
def test_a_set_up_in_small_asks_the_same_of_the_same_groups(name):
    large, small = (load_spec(AUDITS / "celeba" / f"{name}{size}.toml").spec for size in ("", "-small"))
    for key in ("attribute", "intersection", "gate", "statistics"):
        assert getattr(small, key) == getattr(large, key)
    assert small.audit.name != large.audit.name


def make_faces(folder):
    """CelebA's layout with bright and dark faces for smiles, and two files that tell seven emotions by brightness."""
    from auditor.compress.quantize import Quantize
    from auditor.tf import load, quiet, reseed

    rng, names = np.random.default_rng(1), ("Smiling", "Male", "Young")
    signs = rng.choice([-1, 1], (40, 3))
    lines = [f"{k:06}.jpg {' '.join(map(str, row))}" for k, row in enumerate(signs)]
    (folder / "list_attr_celeba.txt").write_text("\n".join(["40", " ".join(names), *lines]))
    (folder / "img_align_celeba").mkdir()
    for k, (smiles, _, _) in enumerate(signs):
        face = np.full((218, 178, 3), 255 if k % 10 == 0 else 128 + 60 * smiles, np.uint8)  # one in ten is too bright
        Image.fromarray(face).save(folder / "img_align_celeba" / f"{k:06}.jpg")
    reseed(1)
    layers = load().tf_keras.layers
    model = load().tf_keras.Sequential(
        [layers.InputLayer((64, 64, 1)), layers.GlobalAveragePooling2D(), layers.Dense(7, "softmax")]
    )
    # the mean, -1 to 1: output 3 wins from 0 to 0.9, output 5 above, output 0 below
    slopes, starts = np.zeros((1, 7)), np.full(7, -9.0)
    slopes[0, [3, 5]], starts[[0, 3, 5]] = (50, 100), (0, 0, -45)
    model.layers[-1].set_weights([slopes, starts])
    with quiet():
        model.save(folder / "emotion.h5")
    (folder / "emotion.tflite").write_bytes(Quantize(method="float16").convert(model, np.zeros((1, 64, 64, 1))).content)
    return signs


def test_the_audit_of_two_published_files_maps_seven_emotions_to_a_smile(tmp_path):
    from auditor.models.load import read_model

    signs = make_faces(tmp_path)
    files = {"model.path": "emotion.h5", "compression.shipped.artifact": "emotion.tflite"}
    settings = {key: tmp_path / name for key, name in files.items()} | {"data.path": tmp_path}
    for table, name in (("model", "emotion.h5"), ("compression.shipped", "emotion.tflite")):
        settings[f"{table}.sha256"] = read_model(tmp_path / name)[1]
    settings |= {"run.store": tmp_path / "store", "report.formats": "['json']"}
    options = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    done = subprocess.run(
        [sys.executable, "-m", "auditor", "run", str(AUDITS / "emotion/audit.toml"), *options, "--output", "out"],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr  # nothing changes, and forty faces are too few to show it
    decided = pd.read_parquet(tmp_path / "out/predictions/shipped.parquet")
    assert (decided["label"] == signs[:, 0]).all()
    smiles = (signs[:, 0] == 1) & (np.arange(40) % 10 != 0)
    assert (decided["member_0"] == np.where(smiles, 1, -1)).all()
    assert (decided["member_0"] == pd.read_parquet(tmp_path / "out/predictions/baseline.parquet")["member_0"]).all()
