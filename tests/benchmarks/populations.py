"""Whole populations, beside the loop that a practitioner writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
from benchmarks.row import ROOT, Row

BRIGHTER = 100
LOOP = Path(__file__).with_name("tfmot_loop.py")


class Clock:
    """Notes when the last stack was trained."""

    def __init__(self):
        from auditor.progress import Silent

        self.start, self.last, self._silent = time.perf_counter(), 0.0, Silent()

    def __getattr__(self, name):
        return getattr(self._silent, name)

    def trained(self, _stack, _seconds):
        self.last = time.perf_counter() - self.start


def told(decisions, labels, women):
    """Accuracy and women's recall, mean and standard deviation over members, in percent."""
    decisions = np.asarray(decisions)
    rates = ((decisions == labels).mean(axis=1), (decisions[:, women] == 1).mean(axis=1))
    return " and ".join(f"{100 * rate.mean():.1f} ± {100 * rate.std(ddof=1):.1f}" for rate in rates)


def loop(folder, members, epochs, *shares):
    """Seconds and decisions by sparsity of a loop over members, in a process of its own."""
    done = subprocess.run(
        [sys.executable, str(LOOP), str(folder), str(members), str(epochs), *shares],
        capture_output=True, text=True, check=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


class Images:
    """Made images: a bright square in the left or in the right half, under noise."""

    def __init__(self, side, channels, examples):
        rng = np.random.default_rng(0)
        self.y = rng.integers(0, 2, examples).astype(np.int32)
        x = rng.integers(0, 256 - BRIGHTER, (examples, side, side, channels), dtype=np.uint8)
        half = side // 2
        for image, right in zip(x, self.y, strict=True):
            top, left = rng.integers(0, half, 2)
            image[top : top + half // 2, left // 2 + half * right :][:, : half // 2] += BRIGHTER
        self.x, self.train = x, examples * 3 // 4

    def load(self):
        from handmade import dataset

        from auditor.records import SplitSize

        labels = self.y[self.train :]
        data = dataset(labels, ["a", "b"] * (len(labels) // 2))
        return replace(data, splits=(SplitSize(split="train", examples=self.train, by_class=(0, self.train)),))

    def materialise(self, folder):
        from auditor.data.inputs import Inputs, write_inputs

        train, test = self.x[: self.train], self.x[self.train :]
        inputs = Inputs(
            train_x=train, train_y=self.y[: self.train], test_x=test, calibration_x=train[:64],
            scale=255.0, offset=0.0, classes=2,
        )  # fmt: skip
        write_inputs(folder, inputs)


def image_spec(**tables):
    """An audit of `Images`: the built-in convolutional network, and the same pruned."""
    from auditor.spec import AuditSpec

    return AuditSpec.model_validate(
        {
            "schema": 1,
            "model": {"architecture": "cnn"},
            "data": {"path": "images.csv", "label": "y"},
            "attribute": ["team"],
            "compression": [{"name": "pruned", "method": "prune", "sparsity": 0.9}],
            **tables,
        }
    )


def run_images(spec, source, store):
    """Run the population of an audit of `Images`."""
    from auditor import population

    return population.run(spec, source, source.load(), base=ROOT, store_folder=Path(store), progress=Clock())


def population_cnn(side, channels, examples):
    """4 members of a convolutional network at two sparsities, a worker process each, beside TFMOT in a loop."""
    members, epochs, source = 4, 6, Images(side, channels, examples)
    spec = image_spec(training={"epochs": epochs}, population={"size": members})
    with tempfile.TemporaryDirectory() as folder:
        x, cut = source.x / np.float32(255), source.train
        for name, array in (("train_x", x[:cut]), ("train_y", source.y[:cut]), ("test_x", x[cut:])):
            np.save(Path(folder, name), array)
        theirs = loop(folder, members, epochs, "0", "0.9")
        start = time.perf_counter()
        ours = run_images(spec, source, Path(folder, "store"))
        whole = time.perf_counter() - start
    truth = source.y[source.train :]
    accuracy = "; ".join(
        f"{share}: {100 * (each.predictions.decisions == truth).mean():.1f}, "
        f"theirs {100 * (np.asarray(theirs[share]['decisions']) == truth).mean():.1f}"
        for share, each in zip(("0", "0.9"), ours, strict=True)
    )
    return Row(
        ours=whole,
        theirs=sum(each["seconds"] for each in theirs.values()),
        other=f"TFMOT {version('tensorflow-model-optimization')} and fit in a loop, {members} members at 2 sparsities",
        note=f"{cut:,} images of {side}x{side}x{channels}; ours with the start of workers and TensorFlow, written, "
        f"opened again and scored; theirs training alone. Accuracy, %: {accuracy}",
    )


def population_mlp():
    """30 members of the demonstration's network at four sparsities, trained in stacks, beside TFMOT in a loop."""
    from auditor import load_spec, population
    from auditor.data import open_source

    members, timed_members, shares = 30, 3, ("0", "0.5", "0.9", "0.98")
    settings = [f"population.size={members}", "compression.pruned.sparsity=[0.5, 0.9, 0.98]"]
    declaration = load_spec(ROOT / "audit.toml", settings)
    spec = declaration.spec.model_copy(update={"compression": declaration.spec.compression[:3]})
    source = open_source(spec, declaration.base)
    dataset = source.load()
    with tempfile.TemporaryDirectory() as folder:
        source.materialise(Path(folder))
        theirs = loop(folder, timed_members, 10, *shares)
        clock = Clock()
        ours = population.run(
            spec, source, dataset, base=declaration.base, store_folder=Path(folder, "store"), progress=clock
        )
    whole = time.perf_counter() - clock.start
    sex = np.array(dataset.attributes["sex"])
    women = (sex == "Female") & (dataset.labels == dataset.positive)
    accuracy = "; ".join(
        f"{share}: {told(each.predictions.decisions, dataset.labels, women)}, "
        f"theirs {told(theirs[share]['decisions'], dataset.labels, women)}"
        for share, each in zip(shares, ours, strict=True)
    )
    return Row(
        ours=clock.last,
        theirs=sum(each["seconds"] for each in theirs.values()) * members / timed_members,
        other=f"TFMOT {version('tensorflow-model-optimization')} and fit in a loop, {timed_members} of {members} timed",
        note=f"training of {members} x {len(shares)} members; ours with the start of workers and TensorFlow, theirs "
        f"without; ours written, opened again and scored: {whole:.1f} s. "
        f"Accuracy and women's recall by sparsity, %: {accuracy}",
    )


population_cnn28 = partial(population_cnn, 28, 1, 16_000)
population_cnn64 = partial(population_cnn, 64, 3, 6_000)
