"""Members trained side by side are those that TFMOT's wrapper gives one by one; none of them knows of the others."""

from __future__ import annotations

import numpy as np
import pytest
import tiny

from auditor.compress.prune import Prune
from auditor.models.architectures import build
from auditor.population.dense import unstackable
from auditor.population.stacked import train_stack
from auditor.population.train import total_steps, train

SEEDS = (11, 12, 4_000_000_000)
INPUTS = tiny.inputs()
SGD = {"optimizer": "sgd", "learning_rate": 0.05, "momentum": 0.9}
ADAM = {"optimizer": "adam", "learning_rate": 0.003, "momentum": 0.0}


def keras():
    from auditor.tf import load

    return load().tf_keras


def centred(x):
    return x - keras().backend.mean(x)


def training(**keys):
    # 33 does not divide 320: the last batch of an epoch is smaller
    plain = {"weight_decay": 0.0, "nesterov": False, "augment": None, "label_smoothing": 0.0, "examples": tiny.TRAIN}
    return {"epochs": 20, "batch_size": 33, **plain, **ADAM} | keys


def pruning(schedule):
    every = {"frequency": 30, "rounds": 5} if schedule == "iterative" else {"frequency": 10}
    return Prune(sparsity=0.8, schedule=schedule, begin_step=30, end_step=150, **every)


def mlp():
    return build("mlp", (tiny.FEATURES,), 2, {"hidden": [32, 16]})


def chain(*layers):
    last = keras().layers.Dense(2, activation="softmax")
    return keras().Sequential([keras().layers.InputLayer((tiny.FEATURES,)), *layers, last])


def weights_of(model):
    return [weight for layer in model.layers for weight in layer.get_weights()]


def start(number, make=mlp):
    from auditor.tf import seed

    seed(number)
    return weights_of(make())


def stacked(table, *, make=mlp, prune=None, seeds=SEEDS, activation="softmax", starts=None, inputs=INPUTS):
    steps = total_steps(tiny.TRAIN, table)
    return train_stack(
        make(),
        starts or [start(number, make) for number in seeds],
        seeds,
        inputs,
        table,
        activation=activation,
        masking=prune.changes(steps) if prune else None,
    )


def alone(table, number, *, make=mlp, prune=None, activation="softmax"):
    """Train as the general path does: TFMOT's wrapper around the layers."""
    from auditor.tf import load, seed

    seed(number)
    model = make()
    model = prune.prepare(model, number) if prune else model
    train(model, INPUTS, table, activation, number)
    return weights_of(load().tfmot.strip_pruning(model) if prune else model)


@pytest.mark.parametrize("schedule", ["constant", "polynomial", "iterative", None])
@pytest.mark.parametrize("optimizer", [SGD, ADAM], ids=["sgd", "adam"])
def test_members_of_a_stack_are_those_that_tfmot_gives_one_by_one(optimizer, schedule):
    table, prune = training(**optimizer), schedule and pruning(schedule)
    assert total_steps(tiny.TRAIN, table) == 200
    together = stacked(table, prune=prune)
    for number, member in zip(SEEDS, together.weights, strict=True):
        for ours, theirs in zip(member, alone(table, number, prune=prune), strict=True):
            np.testing.assert_array_equal(ours == 0, theirs == 0)
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6)


STEP = {"kind": "step", "initial": 0.05, "boundaries": [2, 4], "factor": 0.2, "warmup": 0}
SETTINGS = {
    "smoothing": {**SGD, "label_smoothing": 0.2},
    "nesterov": {**SGD, "nesterov": True},
    "step": {**SGD, "learning_rate": STEP},
    "step after a warmup": {**SGD, "learning_rate": {**STEP, "warmup": 1}},
    "cosine": {**ADAM, "learning_rate": {"kind": "cosine", "initial": 0.01, "warmup": 0}},
    "cosine after a warmup": {**SGD, "learning_rate": {"kind": "cosine", "initial": 0.05, "warmup": 2}},
}


@pytest.mark.parametrize("kind", SETTINGS)
def test_each_way_of_training_is_in_a_stack_what_it_is_alone(kind):
    table = training(epochs=5, **SETTINGS[kind])
    together = stacked(table, seeds=SEEDS[:2])
    for number, member in zip(SEEDS, together.weights, strict=False):
        for ours, theirs in zip(member, alone(table, number), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6)


LAYERS = {
    "batch normalisation": lambda k: (k.Dense(8), k.BatchNormalization(), k.ReLU()),
    "batch normalisation without scale": lambda k: (k.Dense(8), k.BatchNormalization(scale=False)),
    "layer normalisation": lambda k: (k.Dense(8, activation="gelu"), k.LayerNormalization()),
    "no bias": lambda k: (k.Dense(8, use_bias=False, activation="tanh"), k.Activation("softplus")),
}


@pytest.mark.parametrize("kind", LAYERS)
def test_each_kind_of_layer_learns_in_a_stack_as_it_does_alone(kind):
    def make():
        return chain(*LAYERS[kind](keras().layers))

    # not Adam: of a bias before a normalisation, whose gradient is 0, it makes steps of the rounding
    table = training(epochs=5, **SGD)
    assert unstackable(make()) is None
    (member,) = stacked(table, make=make, seeds=SEEDS[:1]).weights
    for ours, theirs in zip(member, alone(table, SEEDS[0], make=make), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=5e-6)


@pytest.mark.parametrize("activation", ["sigmoid", None])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_one_output_learns_in_a_stack_as_it_does_alone(activation, smoothing):
    def make():
        k = keras().layers
        head = (k.Activation("sigmoid"),) if activation else ()
        return keras().Sequential([k.InputLayer((tiny.FEATURES,)), k.Dense(1), *head])

    table = training(epochs=5, label_smoothing=smoothing)
    (member,) = stacked(table, make=make, seeds=SEEDS[:1], activation=activation).weights
    for ours, theirs in zip(member, alone(table, SEEDS[0], make=make, activation=activation), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-6)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_a_member_is_the_same_bit_for_bit_whoever_stands_beside_it(dropout):
    def make():
        return build("mlp", (tiny.FEATURES,), 2, {"hidden": [32, 16], "dropout": dropout})

    table, prune = training(epochs=3), Prune(
        sparsity=0.5, schedule="constant", begin_step=5, end_step=25, frequency=5
    )  # fmt: skip
    some = stacked(table, make=make, prune=prune)
    other = stacked(table, make=make, prune=prune, seeds=(5, SEEDS[1], 6))
    for ours, theirs in zip(some.weights[1], other.weights[1], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert any((a != b).any() for a, b in zip(some.weights[0], other.weights[0], strict=True))


def test_dropout_leaves_out_units_while_training_and_the_model_still_learns():
    def make(rate):
        return build("mlp", (tiny.FEATURES,), 2, {"hidden": [64], "dropout": rate})

    table, members = training(epochs=30), {}
    for rate in (0.0, 0.5):
        (members[rate],) = stacked(table, make=lambda rate=rate: make(rate), seeds=SEEDS[:1]).weights
        model = make(rate)
        model.set_weights(members[rate])
        assert (model.predict(INPUTS.test_x, verbose=0).argmax(axis=1) == tiny.truth()).mean() > 0.85
    assert np.abs(members[0.0][0] - members[0.5][0]).max() > 0.01


def test_a_member_whose_loss_is_no_number_is_told_and_spoils_no_other():
    table = training(epochs=2)
    starts = [start(number) for number in SEEDS]
    starts[1] = [np.full_like(weight, np.nan) for weight in starts[1]]
    found = stacked(table, starts=starts)
    assert found.diverged == {1: 1}
    whole = stacked(table)
    for ours, theirs in zip(found.weights[2], whole.weights[2], strict=True):
        np.testing.assert_array_equal(ours, theirs)


REFUSED = {
    "(Softmax) does not go over the last axis": lambda k: (k.Softmax(axis=1),),
    "(Reshape) is of another kind than dense": lambda k: (k.Reshape((4, 3, 1)), k.Conv2D(2, 2), k.Flatten()),
    "(Dense) has a regularizer": lambda k: (k.Dense(4, kernel_regularizer="l2"),),
    "(Dense) is frozen": lambda k: (k.Dense(4, trainable=False),),
    "(Dropout) has a noise shape": lambda k: (k.Dropout(0.5, noise_shape=(1, 12)),),
    "(Activation) has an activation that may look at more": lambda k: (k.Activation(centred),),
}


@pytest.mark.parametrize("said", REFUSED)
def test_what_cannot_be_stacked_is_refused_by_layer(said):
    found = unstackable(chain(*REFUSED[said](keras().layers)))
    assert "layer '" in found
    assert said in found


def test_what_a_layer_is_called_with_and_a_loss_of_the_models_own_are_refused():
    k, x = keras().layers, keras().Input((tiny.FEATURES,))
    out = k.Dense(2, activation="softmax")(k.BatchNormalization()(k.Dense(4)(x), training=False))
    assert "(BatchNormalization) is called with arguments" in unstackable(keras().Model(x, out))
    model = chain(k.Dense(4))
    model.add_loss(lambda: keras().backend.sum(model.layers[0].kernel))
    assert unstackable(model) == "it adds a loss of its own"


def test_a_model_with_branches_is_no_stack():
    k, x = keras().layers, keras().Input((tiny.FEATURES,))
    both = k.Add()([k.Dense(4)(x), k.Dense(4)(x)])
    assert "no plain chain" in unstackable(keras().Model(x, k.Dense(2, activation="softmax")(both)))
    straight = keras().Model(x, k.Dense(2, activation="softmax")(k.Dense(4)(x)))
    assert unstackable(straight) is None
