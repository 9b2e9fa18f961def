from __future__ import annotations

import numpy as np
import pytest
from tiny import FEATURES, inputs

from auditor.compress import MemberError
from auditor.compress.prune import Prune, plan_pruning
from auditor.errors import SpecError
from auditor.models.architectures import build
from auditor.models.load import keras_bytes, open_model
from auditor.population.train import train
from auditor.spec import Prune as PruneTable
from auditor.spec import Training

TRAINING = Training(epochs=4, batch_size=32, learning_rate=0.01).model_dump(mode="json", exclude={"stacked"})


def table(**settings):
    return PruneTable.model_validate({"method": "prune", "sparsity": 0.8} | settings)


def started(seed=7):
    from auditor.tf import seed as set_seed

    set_seed(seed)
    return build("mlp", (FEATURES,), 2, {"hidden": [16, 8]})


def masked_loop(model, given, recipe, optimizer):
    """Magnitude pruning as Zhu and Gupta describe it, by hand: no TFMOT, one batch after another.

    Before the forward pass of a step at which masks change, each kernel keeps its largest weights; masks are applied
    before every forward pass and at the end.
    """
    from auditor.tf import load

    tf, keras = load().tf, load().tf_keras
    kernels = [layer.kernel for layer in model.layers if hasattr(layer, "kernel")]
    masks = [np.ones(kernel.shape, np.float32) for kernel in kernels]
    loss_of, order, step = keras.losses.SparseCategoricalCrossentropy(), np.random.default_rng(11), 0
    for _ in range(TRAINING["epochs"]):
        rows = order.permutation(len(given.train_x))
        for start in range(0, len(rows), 32):
            step += 1
            begin, end = recipe["begin_step"], recipe["end_step"]
            if begin <= step <= end and (step - begin) % recipe["frequency"] == 0:
                way = (step - begin) / (end - begin)
                share = {
                    "constant": recipe["sparsity"],
                    "polynomial": recipe["sparsity"] * (1 - (1 - way) ** 3),
                    "iterative": 1 - (1 - recipe["sparsity"]) ** ((4 * way + 1) / 5),  # in five rounds
                }[recipe["schedule"]]
                for place, kernel in enumerate(kernels):
                    size = np.abs(kernel.numpy())
                    kept = max(1, round(size.size * (1 - share)))
                    masks[place] = (size >= np.sort(size, axis=None)[-kept]).astype(np.float32)
            for kernel, mask in zip(kernels, masks, strict=True):
                kernel.assign(kernel * mask)
            batch = rows[start : start + 32]
            with tf.GradientTape() as tape:
                loss = loss_of(given.train_y[batch], model(given.train_x[batch], training=True))
            variables = model.trainable_variables
            optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
    for kernel, mask in zip(kernels, masks, strict=True):
        kernel.assign(kernel * mask)
    return [np.asarray(kernel) for kernel in kernels]


@pytest.mark.parametrize(
    ("optimizer", "schedule"), [("adam", "polynomial"), ("sgd", "constant"), ("adam", "iterative")]
)
def test_training_prunes_as_a_loop_by_hand_does(optimizer, schedule):
    from auditor.tf import load

    asked = table(schedule=schedule)
    recipe = {"sparsity": asked.sparsity, "schedule": schedule, **plan_pruning(asked, 40, "here", epochs=1)}
    given = inputs()
    family, training = Prune(**recipe), {**TRAINING, "optimizer": optimizer}
    wrapped = family.prepare(started(), 11)
    train(wrapped, given, training, "softmax", seed=11)
    ours = open_model(keras_bytes(family.strip(wrapped)), ".keras", "pruned").trainable(None)
    legacy = load().tf_keras.optimizers.legacy
    by_hand = masked_loop(started(), given, recipe, {"adam": legacy.Adam, "sgd": legacy.SGD}[optimizer](0.01))
    for layer, expected in zip(ours.layers, by_hand, strict=True):
        np.testing.assert_array_equal(layer.kernel.numpy() != 0, expected != 0)
        np.testing.assert_allclose(layer.kernel.numpy(), expected, atol=1e-6)


def test_the_layers_that_cannot_be_pruned_are_named_and_kept(tmp_path):
    from auditor.tf import load, seed

    seed(1)
    layers = load().tf_keras.layers
    model = load().tf_keras.Sequential(
        [
            layers.InputLayer((8, 8, 3)),
            layers.Rescaling(2.0),
            layers.Conv2D(8, 3, name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.DepthwiseConv2D(3, name="depth"),
            layers.PReLU(name="slope"),
            layers.Flatten(),
            layers.Dense(2, name="head", activation="softmax"),
        ]
    )
    family = Prune(sparsity=0.5, schedule="constant", begin_step=1, end_step=4, frequency=1)
    wrapped = family.prepare(model, 1)
    from auditor.data.inputs import Inputs

    rng = np.random.default_rng(0)
    given = Inputs(
        train_x=rng.integers(0, 256, (32, 8, 8, 3), np.uint8),
        train_y=rng.integers(0, 2, 32).astype(np.int32),
        test_x=np.zeros((1, 8, 8, 3), np.uint8),
        calibration_x=np.zeros((1, 8, 8, 3), np.uint8),
        scale=255.0,
        offset=0.0,
        classes=2,
    )
    train(wrapped, given, {**TRAINING, "optimizer": "adamw", "epochs": 5, "weight_decay": 1e-4}, "softmax", seed=1)
    stripped = family.strip(wrapped)
    assert family.check(stripped) == {
        "zeros_pruned": 108 + 128,
        "left_uncompressed": ["norm", "depth", "slope"],
        "small_layers": [],
    }
    kernel = open_model(keras_bytes(stripped), ".keras", "pruned").trainable(None).get_layer("conv").kernel.numpy()
    assert np.count_nonzero(kernel == 0) == kernel.size // 2


def test_a_sparsity_that_is_not_the_one_asked_for_fails_with_the_numbers():
    family = Prune(sparsity=0.5, schedule="constant", begin_step=50, end_step=60, frequency=1)
    wrapped = family.prepare(started(), 1)
    train(wrapped, inputs(), {**TRAINING, "epochs": 1, "optimizer": "sgd"}, "softmax", seed=1)
    with pytest.raises(
        MemberError, match=r"sparsity 0\.5 was asked for, but dense has sparsity 0\.0000 \(192 weights\)"
    ):
        family.check(family.strip(wrapped))


def test_defaults_prune_from_a_fifth_to_three_quarters_of_training():
    assert plan_pruning(table(), 1000, "here", epochs=1) == {
        "begin_step": 200,
        "end_step": 750,
        "frequency": 27,
    }
    assert plan_pruning(table(), 100_000, "here", epochs=1)["frequency"] == 100


def test_epochs_stand_for_steps():
    asked = table(begin_epoch=1.5, end_epoch=3.0)
    found = plan_pruning(asked, 400, "here", epochs=4)
    assert (found["begin_step"], found["end_step"]) == (151, 300)
    assert plan_pruning(table(begin_epoch=0.0, end_epoch=4.0), 400, "here", epochs=4)["begin_step"] == 1


def test_rounds_are_spread_evenly_and_m_by_n_is_a_single_one():
    asked = table(schedule="iterative", rounds=4, begin_step=10, end_step=50)
    planned = {"begin_step": 10, "end_step": 49, "frequency": 13, "rounds": 4}
    assert plan_pruning(asked, 100, "here", epochs=1) == planned
    assert plan_pruning(table(schedule="iterative"), 1000, "here", epochs=1)["rounds"] == 5
    once = {"begin_step": 20, "end_step": 20, "frequency": 1, "rounds": 1, "schedule": "iterative", "sparsity": 0.5}
    assert plan_pruning(table(sparsity=None, m_by_n=[2, 4]), 100, "here", epochs=1) == once


@pytest.mark.parametrize("steps", [2, 3, 5, 10, 40, 235, 2350])
def test_defaults_reach_the_sparsity_however_short_training_is(steps):
    for schedule in ("polynomial", "constant"):
        plan_pruning(table(schedule=schedule, sparsity=0.99), steps, "here", epochs=1)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"end_step": 101}, "ends at step 101, after the last of 100 steps"),
        ({"begin_step": 80}, "begins at step 80 and ends at step 75"),
        ({"begin_step": 20, "frequency": 90}, "every 90 steps from step 20 to 75, the last time at step 20"),
        (
            {"begin_step": 0, "frequency": 101, "schedule": "constant"},
            r"the last time at step 0, when sparsity is 0\.000: nothing would be pruned",
        ),
        ({"end_epoch": 5.0}, "ends at step 125, after the last of 100 steps"),
        ({"begin_epoch": 4.0, "schedule": "constant"}, "begins at step 101 and ends at step 100, not later"),
        (
            {"schedule": "iterative", "begin_step": 10, "end_step": 12},
            "5 rounds do not fit between step 10 and step 12",
        ),
        ({"schedule": "iterative", "begin_step": 0}, "begins at step 0, but steps count from 1"),
        ({"sparsity": None, "m_by_n": [2, 4], "begin_step": 101}, "at step 101, after the last of 100 steps"),
        ({"begin_step": 20, "end_step": 80, "frequency": 40}, "at step 60, when sparsity is 0.770"),
    ],
)
def test_a_schedule_that_would_not_reach_the_sparsity_is_refused_with_the_numbers(settings, said):
    with pytest.raises(SpecError, match=said):
        plan_pruning(table(**settings), 100, "compression pruned", epochs=4)
