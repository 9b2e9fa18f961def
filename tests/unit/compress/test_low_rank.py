from __future__ import annotations

import numpy as np
import pytest
import tiny

from auditor.compress import MemberError
from auditor.compress.factors import factors_of, ranks_of, size_of
from auditor.compress.low_rank import LowRank
from auditor.models.architectures import build
from auditor.models.load import keras_bytes, open_model
from auditor.population.train import train
from auditor.spec import Training

RNG = np.random.default_rng(4)


def keras():
    from auditor.tf import load

    return load().tf_keras


def started(number=7, **options):
    from auditor.tf import seed

    seed(number)
    return build("mlp", (tiny.FEATURES,), 2, {"hidden": [64, 32]} | options)


def of_low_rank(shape, *ranks):
    """A kernel that is exactly of these ranks."""
    *space, a, b = shape
    rows, columns = RNG.normal(size=(a, ranks[0])), RNG.normal(size=(ranks[-1], b))
    return (rows @ RNG.normal(size=(*space, ranks[0], ranks[-1])) @ columns).astype(np.float32)


def lower(model, **settings):
    family = LowRank(**settings)
    return family, family.strip(family.prepare(model, 0))


@pytest.mark.parametrize("shape", [(12, 30), (30, 12), (1, 1, 6, 9), (3, 3, 5, 8), (5, 4, 6), (2, 2, 2, 4, 3)])
def test_at_full_rank_factors_give_the_kernel_itself(shape):
    kernel = RNG.normal(size=shape).astype(np.float32)
    full, ranks = ranks_of(kernel, ratio=1.0, energy=None)
    assert ranks == full
    first, *core, last = (each.astype(np.float64) for each in factors_of(kernel, full))
    product = first @ core[0] @ last if core else first @ last
    np.testing.assert_allclose(np.broadcast_to(product, shape), kernel, atol=1e-5)


def test_a_convolution_is_factored_as_well_as_the_best_of_many_starts():
    kernel = RNG.normal(size=(3, 3, 8, 10))
    rows, core, columns = factors_of(kernel, (3, 4))
    ours = np.linalg.norm(kernel - rows @ core @ columns)
    best = np.inf
    for _ in range(20):
        u, v = (np.linalg.qr(RNG.normal(size=shape))[0] for shape in ((8, 3), (10, 4)))
        for _ in range(50):
            u = np.linalg.svd((kernel @ v).transpose(2, 0, 1, 3).reshape(8, -1))[0][:, :3]
            v = np.linalg.svd((u.T @ kernel).transpose(3, 0, 1, 2).reshape(10, -1))[0][:, :4]
        best = min(best, np.linalg.norm(kernel - u @ (u.T @ kernel @ v) @ v.T))
    assert ours <= best * 1.03  # of noise, where no direction stands out


def test_ratio_keeps_at_least_its_share_of_the_full_rank_and_energy_as_few_as_hold_it():
    kernel = np.diag([4.0, 2, 1, 1]).astype(np.float32)  # squares: 16, 4, 1, 1 of 22
    assert ranks_of(kernel, ratio=0.3, energy=None) == ((4,), (2,))
    assert ranks_of(kernel, ratio=0.01, energy=None) == ((4,), (1,))
    assert [ranks_of(kernel, ratio=None, energy=share)[1] for share in (0.7, 0.8, 0.95, 0.96)] == [
        (1,),
        (2,),
        (3,),
        (4,),
    ]
    assert size_of((12, 30), (5,)) == 5 * 42
    assert size_of((3, 3, 8, 10), (3, 4)) == 8 * 3 + 9 * 3 * 4 + 4 * 10


CONVOLUTIONS = {
    "plain": lambda layers: layers.Conv2D(16, 3, activation="relu"),
    "strided": lambda layers: layers.Conv2D(16, 3, strides=2, padding="same"),
    "dilated": lambda layers: layers.Conv2D(16, 3, dilation_rate=2, padding="same", use_bias=False),
    "of one pixel": lambda layers: layers.Conv2D(16, 1, strides=2, activation="relu"),
}


@pytest.mark.parametrize("kind", CONVOLUTIONS)
def test_kernels_that_are_of_low_rank_give_the_same_outputs_with_fewer_weights(kind):
    layers = keras().layers
    image = layers.Input((9, 9, 12))
    x = CONVOLUTIONS[kind](layers)(image)
    x = layers.Add()([x, x])
    model = keras().Model(image, layers.Dense(16, activation="tanh", name="head")(layers.Flatten()(x)))
    for layer in (model.layers[1], model.get_layer("head")):
        kernel = layer.kernel
        ranks = (3, 3) if np.prod(kernel.shape[:-2]) > 1 else (3,)
        bias = [RNG.normal(size=layer.bias.shape)] if layer.use_bias else []
        layer.set_weights([of_low_rank(kernel.shape, *ranks), *bias])
    _, made = lower(model, energy=0.99999)
    x = RNG.normal(size=(4, 9, 9, 12)).astype(np.float32)
    np.testing.assert_allclose(made(x), model(x), atol=2e-4)
    assert made.count_params() < model.count_params() / 2
    reopened = open_model(keras_bytes(made), ".keras", "lower").trainable(None)
    np.testing.assert_array_equal(reopened(x), made(x))


def test_layers_are_plain_ones_in_the_models_own_graph_and_the_last_keeps_the_name():
    layers = keras().layers
    shared = layers.Dense(32, activation="relu", name="shared", kernel_regularizer="l2")
    first = layers.Input((32,))
    model = keras().Model(
        first, layers.Dense(2, "softmax", name="head")(layers.Add()([shared(first), shared(shared(first))]))
    )
    family, made = lower(model, ratio=0.25, skip=["head"])
    assert [layer.name for layer in made.layers if layer.weights] == ["shared_in", "shared", "head"]
    assert [made.get_layer(n).activation.__name__ for n in ("shared_in", "shared")] == ["linear", "relu"]
    assert len(made.losses) == 2
    by_hand = made.get_layer("shared_in").get_weights()[0] @ made.get_layer("shared").get_weights()[0]
    shared.set_weights([by_hand, shared.get_weights()[1]])
    x = RNG.normal(size=(5, 32)).astype(np.float32)
    np.testing.assert_allclose(made(x), model(x), atol=1e-5)
    measured = family.check(made)
    assert measured["low_rank"] == [
        {"layer": "shared", "full_rank": [32], "rank": [8], "weights_before": 1024, "weights": 512}
    ]
    assert measured["parameters_before"] == model.count_params()
    assert measured["left_uncompressed"] == ["head"]


def test_kinds_without_factors_and_layers_that_would_grow_are_named_and_kept():
    layers = keras().layers
    stack = [
        layers.InputLayer((8, 8, 4)),
        layers.Conv2D(8, 3, groups=2, name="grouped"),
        layers.DepthwiseConv2D(3, name="depth"),
        layers.Conv2D(8, 3, kernel_constraint="max_norm", name="bound"),
        layers.Flatten(),
        layers.Dense(4, name="narrow"),
        layers.Dense(4, name="square"),
        layers.Dense(64, name="head"),
    ]
    model = keras().Sequential(stack)
    family, made = lower(model, ratio=0.5, skip=["head"])
    # at rank 2 of 4, square would have 2 x (4 + 4) weights, as many as it has
    assert family.check(made)["left_uncompressed"] == ["grouped", "depth", "bound", "square", "head"]


def test_an_effect_that_is_none_is_refused_with_the_numbers():
    with pytest.raises(
        MemberError, match=r"ratio 0\.99 makes no layer smaller: dense: 768 weights would be 912 at rank 12 of 12"
    ):
        LowRank(ratio=0.99).prepare(started(), 0)


def test_by_energy_the_trained_weights_decide_so_an_untrained_model_is_not_refused():
    family = LowRank(energy=0.9999)
    ready = family.prepare(started(), 0)
    with pytest.raises(MemberError, match=r"energy 0\.9999 makes no layer smaller"):
        family.check(family.strip(ready))


def test_a_model_without_a_layer_to_factor_is_refused_by_its_kinds():
    layers = keras().layers
    model = keras().Sequential([layers.InputLayer((4, 3)), layers.LSTM(2)])
    with pytest.raises(MemberError, match="no layer of this model can have factors; its layers are LSTM"):
        LowRank(ratio=0.5).prepare(model, 0)


def test_frozen_layers_stay_frozen_and_names_that_are_taken_are_not_given_twice():
    layers = keras().layers
    stack = [layers.InputLayer((32,)), layers.Dense(32, name="a"), layers.Dense(2, name="a_in")]
    model = keras().Sequential(stack)
    model.layers[0].trainable = False
    _, made = lower(model, ratio=0.25, skip=["a_in"])
    assert [(layer.name, layer.trainable) for layer in made.layers] == [("a_in_", False), ("a", False), ("a_in", True)]


def test_fine_tuned_factors_keep_their_rank_and_the_same_seed_gives_the_same_file():
    training = Training(epochs=2, batch_size=32, learning_rate=0.01).model_dump(mode="json", exclude={"stacked"})
    files = []
    for _ in range(2):
        family = LowRank(ratio=0.25)
        ready = family.prepare(started(), 5)
        train(ready, tiny.inputs(), training, "softmax", 5)
        assert [each["rank"] for each in family.check(ready)["low_rank"]] == [[3], [8], [1]]
        files.append(keras_bytes(ready))
    assert files[0] == files[1]


def test_a_file_with_no_fewer_parameters_is_refused():
    with pytest.raises(MemberError, match=r"the file has 1,000 parameters, before low_rank there were 1,000"):
        LowRank(ratio=0.5).confirm({"parameters": 1000, "parameters_before": 1000})
