"""A graph that is used again must train what a new one would, bit for bit."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
import tf_keras  # noqa: TID253 - the tests' own models
import tiny

from auditor.compress import MemberError
from auditor.compress.cluster import Cluster
from auditor.compress.prune import Prune, plan_pruning
from auditor.models.load import keras_bytes
from auditor.population import train as training_of
from auditor.population.train import total_steps, train
from auditor.spec import Prune as PruneTable
from auditor.spec import Training
from auditor.tf import seed  # noqa: TID253 - every test here trains

LAYERS = tf_keras.layers
MIDDLES = {
    "convolution": lambda: [LAYERS.Reshape((4, 3, 1)), LAYERS.Conv2D(8, 3, padding="same"), LAYERS.Flatten()],
    "normalisation": lambda: [LAYERS.Dense(16), LAYERS.BatchNormalization(), LAYERS.ReLU()],
    "dropout": lambda: [LAYERS.Dense(16, "relu"), LAYERS.Dropout(0.5)],
}


class Halved(LAYERS.Layer):
    """A layer of somebody's own."""

    def call(self, x):
        return x * 0.5


def settings(**declared):
    return {**Training(epochs=3, batch_size=32, **declared).model_dump(mode="json"), "examples": tiny.TRAIN}


def member(number, middle, training, share=0.0, **pattern):
    """A member's model file; `pattern` is of its pruning."""
    seed(number)
    model = tf_keras.Sequential([LAYERS.InputLayer((tiny.FEATURES,)), *MIDDLES[middle](), LAYERS.Dense(2, "softmax")])
    if not share:
        train(model, tiny.inputs(), training, "softmax", number)
        return keras_bytes(model)
    asked = PruneTable.model_validate({"method": "prune", "sparsity": share} | pattern)
    planned = plan_pruning(asked, total_steps(tiny.TRAIN, training), "", epochs=training["epochs"])
    family = Prune(**{"sparsity": share, "schedule": "polynomial", **pattern, **planned})
    model = family.prepare(model, number)
    train(model, tiny.inputs(), training, "softmax", number)
    return keras_bytes(family.strip(model))


def alone(*arguments, **pattern):
    training_of._loops.clear()
    return member(*arguments, **pattern)


SCHEDULE = {"kind": "step", "initial": 0.1, "boundaries": [2], "factor": 0.1, "warmup": 1}
SGD = {"optimizer": "sgd", "momentum": 0.9}


@pytest.mark.parametrize("share", [0.0, 0.6])
@pytest.mark.parametrize(
    "declared",
    [
        pytest.param({}, id="adam"),
        pytest.param(SGD, id="sgd", marks=pytest.mark.slow),
        pytest.param({**SGD, "nesterov": True, "learning_rate": SCHEDULE}, id="schedule"),
    ],
)
@pytest.mark.parametrize("middle", ["convolution", "normalisation"])
def test_members_that_use_a_graph_again_are_those_of_a_new_one(middle, declared, share):
    training = settings(**declared)
    expected = {number: alone(number, middle, training, share) for number in (1, 2)}
    training_of._loops.clear()
    found = [member(number, middle, training, share) for number in (2, 1, 2)]
    assert len(training_of._loops) == 1
    assert found == [expected[2], expected[1], expected[2]]
    assert expected[1] != expected[2]


@pytest.mark.parametrize("pattern", [{"criterion": "random"}, {"m_by_n": [2, 4]}, {"schedule": "iterative"}])
def test_members_that_are_pruned_otherwise_use_a_graph_again_too(pattern):
    training = settings()
    expected = [alone(number, "normalisation", training, 0.5, **pattern, skip=["dense_1"]) for number in (1, 2)]
    training_of._loops.clear()
    found = [member(number, "normalisation", training, 0.5, **pattern, skip=["dense_1"]) for number in (1, 2)]
    assert len(training_of._loops) == 1
    assert found == expected
    assert expected[0] != expected[1]


def clustered(number, middle, *, pruned):
    """A clustered member's model file: its graph keeps centroids, associations and, of pruned layers, masks."""
    training = settings(optimizer="sgd", momentum=0.9)
    seed(number)
    model = tf_keras.Sequential([LAYERS.InputLayer((tiny.FEATURES,)), *MIDDLES[middle](), LAYERS.Dense(2, "softmax")])
    if pruned:
        for layer in (layer for layer in model.layers if hasattr(layer, "kernel")):
            kernel = layer.kernel.numpy()
            layer.kernel.assign(np.where(np.abs(kernel) < np.median(np.abs(kernel)), 0, kernel))
    family = Cluster(clusters=4)
    ready = family.prepare(model, number)
    train(ready, tiny.inputs(), training, "softmax", number)
    return keras_bytes(family.strip(ready))


@pytest.mark.parametrize("pruned", [False, True])
@pytest.mark.parametrize("middle", ["convolution", "normalisation"])
def test_clustered_members_that_use_a_graph_again_are_those_of_a_new_one(middle, pruned):
    expected = {}
    for number in (1, 2):
        training_of._loops.clear()
        expected[number] = clustered(number, middle, pruned=pruned)
    training_of._loops.clear()
    found = [clustered(number, middle, pruned=pruned) for number in (2, 1, 2)]
    assert len(training_of._loops) == 1
    assert found == [expected[2], expected[1], expected[2]]
    assert expected[1] != expected[2]


@pytest.mark.parametrize(
    ("middle", "declared"),
    [
        ("dropout", {}),
        ("convolution", {"weight_decay": 0.01}),
        ("convolution", {**SGD, "weight_decay": 0.01, "learning_rate": SCHEDULE}),
    ],
)
def test_no_member_depends_on_those_before_it_where_a_graph_keeps_more_than_weights(middle, declared):
    training = settings(**declared)
    expected = alone(2, middle, training)
    alone(1, middle, training)
    assert member(2, middle, training) == expected
    assert not training_of._loops


def test_weight_decay_falls_with_the_learning_rate():
    seed(1)
    still = LAYERS.Dense(4, kernel_initializer="ones")
    model = tf_keras.Sequential([LAYERS.InputLayer((3,)), still, LAYERS.Dense(2, "softmax")])
    # what reads only zeros has no gradient: nothing but the decay moves it
    inputs = replace(tiny.inputs(), train_x=tiny.inputs().train_x[:, :3] * 0)
    rate = {"kind": "step", "initial": 0.1, "boundaries": [1], "factor": 0.5}
    train(model, inputs, settings(optimizer="sgd", weight_decay=0.2, learning_rate=rate), "softmax", 1)
    steps = tiny.TRAIN // 32
    assert still.kernel.numpy() == pytest.approx((1 - 0.1 * 0.2) ** steps * (1 - 0.05 * 0.2) ** (2 * steps), rel=1e-5)


def test_a_layer_of_the_users_own_is_never_used_again():
    training_of._loops.clear()
    seed(0)
    layers = [LAYERS.InputLayer((tiny.FEATURES,)), Halved(), LAYERS.Dense(2, "softmax")]
    train(tf_keras.Sequential(layers), tiny.inputs(), settings(), "softmax", 0)
    assert not training_of._loops


@pytest.mark.parametrize("before", [False, True])
def test_a_number_that_is_none_is_noticed_although_activations_hide_it_from_the_loss(before):
    training_of._loops.clear()
    for nan in [False] * before + [True, False]:
        seed(1)
        layers = [LAYERS.InputLayer((tiny.FEATURES,)), LAYERS.Dense(16, "relu"), LAYERS.Dense(2, "softmax")]
        with pytest.raises(MemberError, match="in epoch 1") if nan else nullcontext():
            train(tf_keras.Sequential(layers), tiny.inputs(nan=nan), settings(), "softmax", 1)


def test_only_the_last_kinds_are_kept():
    training_of._loops.clear()
    for rate in (0.1, 0.01, 0.001, 0.01):
        member(1, "normalisation", settings(learning_rate=rate))
    assert len(training_of._loops) == 2
