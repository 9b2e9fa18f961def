"""A tiny audit for tests of populations: a few hundred rows, a small dense model, every kind of variant."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from auditor import population
from auditor.data.inputs import Inputs, write_inputs
from auditor.progress import Silent
from auditor.records import Dataset, Groups, SplitSize
from auditor.spec import AuditSpec

TRAIN, TEST, FEATURES = 320, 200, 12


def inputs(seed=0, *, nan=False):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(TRAIN + TEST, FEATURES)).astype(np.float32)
    y = (x[:, :4].sum(axis=1) > 0).astype(np.int32)
    if nan:
        x[5, 0] = np.nan
    return Inputs(
        train_x=x[:TRAIN],
        train_y=y[:TRAIN],
        test_x=x[TRAIN:],
        calibration_x=x[: TRAIN // 4],
        scale=1.0,
        offset=0.0,
        classes=2,
    )


def truth(seed=0):
    """The true classes of the test split."""
    x = np.random.default_rng(seed).normal(size=(TRAIN + TEST, FEATURES)).astype(np.float32)
    return (x[TRAIN:, :4].sum(axis=1) > 0).astype(np.int32)


UNCONFINED = {"level": "none", "writes": False, "network": False, "memory": None, "why": "of a test"}
"""What entries that are made by hand tell of their sandbox."""


class Source:
    """Gives the inputs; `nan` puts one into the training split."""

    def __init__(self, *, nan=False):
        self.nan = nan
        self.times = 0

    def load(self):
        return dataset("nan" if self.nan else "tiny")

    def materialise(self, folder):
        self.times += 1
        write_inputs(folder, inputs(nan=self.nan))


def dataset(digest="tiny", *, classes=("no", "yes"), train=TRAIN):
    rng = np.random.default_rng(0)
    groups = Groups(
        names=((),), membership=np.ones((1, 1), bool), cell_of=np.zeros(TEST, int), reference=np.array([-1])
    )
    return Dataset(
        source="tiny",
        classes=classes,
        positive=1,
        examples=tuple(range(TEST)),
        labels=rng.integers(0, 2, TEST),
        groups=groups,
        attributes={},
        cluster=None,
        splits=(SplitSize(split="train", examples=train, by_class=(train // 2, train // 2)),),
        digest=digest,
    )


def spec(*compressions, **tables):
    raw = {
        "schema": 1,
        "model": {"architecture": "mlp", "options": {"hidden": [16, 8]}},
        "training": {"epochs": 4, "batch_size": 32, "learning_rate": 0.01, "stacked": False},
        "population": {"size": 2},
        "data": {"path": "people.csv", "label": "y"},
        "attribute": ["sex"],
        "compression": [{"name": "float16", "method": "float16"}, *compressions][bool(compressions) :],
        "run": {"executor": "inline"},
    }
    return AuditSpec.model_validate(raw | tables)


PRUNED = {"name": "pruned", "method": "prune", "sparsity": 0.5}
INT8 = {"name": "int8", "method": "int8"}
OWN = """
import os, pathlib, signal
import tf_keras

HERE = pathlib.Path(__file__).parent / "store" / ".scratch"  # a worker can write nowhere but into the store

@tf_keras.saving.register_keras_serializable("own")
class Gate(tf_keras.layers.Layer):
    def call(self, x):
        return x * 0.5

def gated(input_shape, classes):
    layers = tf_keras.layers
    return tf_keras.Sequential(
        [layers.InputLayer(input_shape), layers.Dense(16, activation="relu"), Gate(), layers.Dense(classes, "softmax")]
    )

def dying(input_shape, classes):
    marker = HERE / "died"
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return gated(input_shape, classes)

def hungry(input_shape, classes):
    import resource
    import numpy as np
    marker = HERE / "starved"
    if not marker.exists():
        marker.touch()
        before = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, before[1]))
        try:
            np.ones(1 << 33)
        finally:
            resource.setrlimit(resource.RLIMIT_AS, before)
    return gated(input_shape, classes)

def short(input_shape, classes):
    return gated(input_shape, 5)

def raising(input_shape, classes):
    marker = HERE / "tries"
    marker.write_text((marker.read_text() if marker.exists() else "") + "x")
    raise RuntimeError("no luck")
"""


def own(tmp_path, function, *, source=OWN, **tables):
    """An audit of a model of the user's own, whose module it writes into the folder."""
    (tmp_path / "own_architecture.py").write_text(source)
    sys.modules.pop("own_architecture", None)
    local = {"executor": "local", "workers": 1}
    return spec({"name": "float16", "method": "float16"}, **{
        "model": {"architecture": f"own_architecture:{function}"}, "population": {"size": 1}, "run": local, **tables
    })  # fmt: skip


def stacked(*compressions, **tables):
    """Members that are trained side by side."""
    declared = {"epochs": 4, "batch_size": 32, "learning_rate": 0.01, "stacked": True}
    return spec(*compressions, **{"training": declared, "population": {"size": 3}} | tables)


class Heard(Silent):
    """Remembers what was told."""

    def __init__(self):
        self.jobs, self.notes, self.stacks = [], [], []

    def finished(self, job, _seconds, *, stored):
        self.jobs.append((job, stored))

    def trained(self, stack, _seconds):
        self.stacks.append(stack)

    def note(self, message):
        self.notes.append(message)

    @property
    def made(self):
        return [job for job, stored in self.jobs if not stored]


def run(declared, folder, *, source=None, progress=None, force=False):
    source = source or Source()
    return population.run(
        declared,
        source,
        source.load(),
        base=folder,
        store_folder=folder / "store",
        progress=progress or Silent(),
        force=force,
    )


def digests(populations):
    """What identical runs have in common: decisions and model files of every member."""
    return {
        p.name: [p.predictions.decisions.tobytes().hex()[:64], *p.predictions.digests, *map(str, p.predictions.members)]
        for p in populations
    }


if __name__ == "__main__":
    # python tests/tiny.py FOLDER EXECUTOR: a whole run in a process of its own, as the tests of faults need it.
    place, executor = Path(sys.argv[1]), sys.argv[2]
    found = run(spec(PRUNED, {"name": "int8", "method": "int8"}, run={"executor": executor, "workers": 2}), place)
    print(json.dumps({"digests": digests(found), "tensorflow": "tensorflow" in sys.modules}))
