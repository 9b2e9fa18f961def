"""Populations that start from the weights of a file, and with layers that are not trained."""

from __future__ import annotations

import numpy as np
import pytest
from tiny import FEATURES, INT8, PRUNED, digests, run, spec

from auditor.models.architectures import build
from auditor.models.load import open_model
from auditor.provenance import digest_of_file

HIDDEN = [40, 30]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the weights of a network of five classes."""
    from auditor.tf import quiet, seed

    made = tmp_path_factory.mktemp("weights")
    seed(4)
    with quiet():
        build("mlp", (FEATURES,), 5, {"hidden": HIDDEN}).save_weights(made / "five.h5")
    return made


def declared(**tables):
    model = {"architecture": "mlp", "options": {"hidden": HIDDEN, "weights": "five.h5", "frozen": ["dense"]}}
    return spec(PRUNED, INT8, model=model, population={"size": 2, "start": "baseline"}, **tables)


def test_members_share_the_frozen_layers_of_the_file_and_nothing_else(folder):
    baseline, _, _ = run(declared(), folder)
    kernels = kernels_of(baseline, folder)
    given = open_weights(folder / "five.h5")
    for member in kernels:
        np.testing.assert_array_equal(member[0], given[0])
        assert not np.array_equal(member[1], given[1])
        assert member[2].shape == (30, 2)
    assert not np.array_equal(kernels[0][1], kernels[1][1])


def test_fine_tuned_members_keep_frozen_layers_frozen_and_worker_processes_make_the_same_ones(folder, tmp_path):
    (tmp_path / "five.h5").write_bytes((folder / "five.h5").read_bytes())
    here = run(declared(), folder)
    apart = run(declared(run={"executor": "local", "workers": 2}), tmp_path)
    assert digests(here) == digests(apart)
    layers = [measured["kernels"] for measured in here[1].measured]
    assert all(0.48 < each["sparsity"] < 0.52 for member in layers for each in member if each["weights"] > 100)
    given = open_weights(folder / "five.h5")
    for member in kernels_of(here[1], folder):
        kept = member[0] != 0
        assert 0.48 < kept.mean() < 0.52
        np.testing.assert_array_equal(member[0][kept], given[0][kept])


def kernels_of(found, folder):
    """The kernels of each member, by layer."""
    files = {digest_of_file(path): path for path in (folder / "store").glob("jobs/*/*/model.keras")}
    models = [
        open_model(files[each].read_bytes(), ".keras", each).trainable(None) for each in found.predictions.digests
    ]
    return [[layer.get_weights()[0] for layer in model.layers if layer.weights] for model in models]


def open_weights(path):
    import h5py

    with h5py.File(path) as file:
        return [np.asarray(file[f"{name}/{name}/kernel:0"]) for name in ("dense", "dense_1")]
