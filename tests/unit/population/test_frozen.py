"""Layers that are not trained keep their weights through training, pruning, a used graph and a file."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tiny

from auditor.compress.measured import measure_file
from auditor.compress.prune import Prune, plan_pruning
from auditor.models.architectures import build
from auditor.models.load import keras_bytes, open_model
from auditor.population import train as training_of
from auditor.population.train import total_steps, train
from auditor.spec import Prune as PruneTable
from auditor.spec import Training

FROZEN = ["conv1*", "conv2*"]
IMAGES = np.random.default_rng(0).integers(0, 256, (tiny.TRAIN, 8, 8, 3)).astype(np.uint8)
INPUTS = replace(tiny.inputs(), train_x=IMAGES, scale=255.0)


def network(number):
    from auditor.tf import seed

    seed(number)
    return build("wide_resnet", (8, 8, 3), 2, {"depth": 10, "width": 1, "frozen": FROZEN})


def weights(model, *, frozen):
    layers = [layer for layer in model.layers if layer.weights and layer.trainable is not frozen]
    return {layer.name: layer.get_weights() for layer in layers}


def settings(**declared):
    return {**Training(epochs=2, batch_size=32, **declared).model_dump(mode="json"), "examples": tiny.TRAIN}


def reopened(content):
    return open_model(content, ".keras", "member").trainable(None)


def assert_equal(found, expected):
    assert found.keys() == expected.keys()
    for name, arrays in expected.items():
        for ours, theirs in zip(found[name], arrays, strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("declared", [{}, {"optimizer": "adamw", "weight_decay": 0.1}], ids=["adam", "weight decay"])
def test_frozen_weights_do_not_move_also_in_a_graph_that_is_used_again_and_all_others_do(declared):
    training_of._loops.clear()
    for number in (1, 2):
        model = network(number)
        still, moving = weights(model, frozen=True), weights(model, frozen=False)
        assert {name[:5] for name in still} == {"conv1", "conv2"}
        train(model, INPUTS, settings(**declared), "softmax", number)
        file = reopened(keras_bytes(model))
        assert_equal(weights(file, frozen=True), still)
        trained = weights(file, frozen=False)
        assert all(not np.array_equal(trained[name][0], arrays[0]) for name, arrays in moving.items())
    assert len(training_of._loops) == (0 if declared else 1)


def test_pruning_takes_the_smallest_weights_of_frozen_layers_too_and_leaves_the_others_in_place():
    training_of._loops.clear()
    table = settings()
    asked = PruneTable(method="prune", sparsity=0.6)
    schedule = plan_pruning(asked, total_steps(tiny.TRAIN, table), "", epochs=table["epochs"])
    family = Prune(sparsity=0.6, schedule="polynomial", **schedule)
    for number in (1, 2):
        model = network(number)
        still = weights(model, frozen=True)
        wrapped = family.prepare(model, number)
        train(wrapped, INPUTS, table, "softmax", number)
        content = keras_bytes(family.strip(wrapped))
        artifact = open_model(content, ".keras", "member")
        pruned = weights(artifact.trainable(None), frozen=True)
        measured = {each["layer"]: each["sparsity"] for each in measure_file(content, artifact)["kernels"]}
        assert pruned.keys() == still.keys()
        for name, arrays in still.items():
            if name.endswith("_conv"):
                kept = pruned[name][0] != 0
                np.testing.assert_array_equal(pruned[name][0][kept], arrays[0][kept])
                assert np.abs(arrays[0][kept]).min() >= np.abs(arrays[0][~kept]).max()
                assert measured[f"{name}/kernel"] == pytest.approx(1 - kept.mean()) == pytest.approx(0.6, abs=0.02)
            else:
                assert_equal({name: pruned[name]}, {name: arrays})
    assert len(training_of._loops) == 1
