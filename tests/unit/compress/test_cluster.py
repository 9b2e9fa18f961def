from __future__ import annotations

import numpy as np
import pytest
import tiny

from auditor.compress import MemberError, method_of
from auditor.compress.cluster import Cluster
from auditor.compress.measured import measure_file
from auditor.compress.prune import Prune
from auditor.models.architectures import build
from auditor.models.load import keras_bytes, open_model
from auditor.population.train import train
from auditor.spec import Training

TRAINING = Training(epochs=2, batch_size=32, learning_rate=0.01).model_dump(mode="json", exclude={"stacked"})
HALF = {"sparsity": 0.5, "schedule": "constant", "begin_step": 1, "end_step": 20, "frequency": 1}


def started(number=7, hidden=(16, 8)):
    from auditor.tf import seed

    seed(number)
    return build("mlp", (tiny.FEATURES,), 2, {"hidden": list(hidden)})


def made(family, model, number=3):
    """The model after this step, and what is measured of it."""
    ready = family.prepare(model, number)
    train(ready, tiny.inputs(), TRAINING, "softmax", number)
    stripped = family.strip(ready)
    return stripped, family.check(stripped)


def distinct(model):
    return [np.unique(layer.kernel).size for layer in model.layers if hasattr(layer, "kernel")]


@pytest.mark.parametrize("init", ["kmeans++", "linear", "density", "random"])
def test_every_kernel_of_the_file_has_as_many_values_as_asked_for(init):
    model = started()
    before = model.get_weights()
    stripped, measured = made(Cluster(clusters=4, init=init), model)
    reopened = open_model(keras_bytes(stripped), ".keras", "clustered").trainable(None)
    assert distinct(reopened) == [4, 4, 4]
    assert measured["left_uncompressed"] == []
    assert [each["distinct_values"] for each in measured["clustered"]] == [4, 4, 4]
    # the model that the copy was made of is as it was
    np.testing.assert_equal(model.get_weights(), before)


@pytest.mark.parametrize("init", ["kmeans++", "random"])
def test_the_same_seed_gives_the_same_file(init):
    first, second = (keras_bytes(made(Cluster(clusters=4, init=init), started())[0]) for _ in range(2))
    assert first == second


def test_the_seed_places_the_centroids_that_start_at_random():
    def centroids(number):
        wrapped = Cluster(clusters=4, init="random").prepare(started(), number)
        return next(iter(wrapped.layers[0].cluster_centroids.values())).numpy()

    np.testing.assert_array_equal(centroids(1), centroids(1))
    assert not np.array_equal(centroids(1), centroids(2))


def test_zeros_that_pruning_made_stay_and_are_one_of_the_values():
    pruned, _ = made(Prune(**HALF), started())
    stripped, _ = made(Cluster(clusters=4), pruned)
    for layer, before in zip(stripped.layers, pruned.layers, strict=True):
        zeros = before.kernel.numpy() == 0
        assert zeros.mean() == pytest.approx(0.5, abs=0.05)
        assert (layer.kernel.numpy()[zeros] == 0).all()
    assert max(distinct(stripped)) == 4


@pytest.mark.parametrize("left", [0, 1, 3])
def test_a_layer_that_pruning_left_with_fewer_values_than_asked_for_keeps_its_zeros(left):
    model = started()
    kernel = model.layers[-1].kernel.numpy()
    kept = np.abs(kernel) >= np.sort(np.abs(kernel), axis=None)[-left] if left else np.zeros(kernel.shape, bool)
    model.layers[-1].kernel.assign(kernel * kept)
    stripped, measured = made(Cluster(clusters=8), model)
    assert ((stripped.layers[-1].kernel.numpy() != 0) == kept).all()
    assert measured["clustered"][-1]["distinct_values"] <= left + 1


def test_without_pruning_no_zeros_are_made():
    stripped, _ = made(Cluster(clusters=4), started())
    assert all((layer.kernel.numpy() != 0).all() for layer in stripped.layers)


def test_layers_that_are_skipped_too_small_or_of_other_kinds_are_named_and_kept():
    from auditor.tf import load, seed

    seed(1)
    layers = load().tf_keras.layers
    model = load().tf_keras.Sequential(
        [
            layers.InputLayer((8, 8, 3)),
            layers.Conv2D(8, 3, name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.DepthwiseConv2D(3, name="depth"),
            layers.SeparableConv2D(8, 3, name="apart"),
            layers.PReLU(name="slope"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(1, name="narrow"),
            layers.Dense(2, name="head", activation="softmax"),
        ]
    )
    family = Cluster(clusters=8, skip=["he*"])
    before = model.get_layer("norm").get_weights()
    stripped = family.strip(family.prepare(model, 1))
    measured = family.check(stripped)
    assert [each["layer"] for each in measured["clustered"]] == ["conv", "apart"]
    assert measured["left_uncompressed"] == ["norm", "depth", "apart", "slope", "narrow", "head"]
    np.testing.assert_equal(stripped.get_layer("norm").get_weights(), before)
    assert np.unique(stripped.get_layer("apart").depthwise_kernel).size > 8


def test_a_recurrent_layer_is_clustered_in_both_of_its_kernels():
    from auditor.tf import load, seed

    seed(1)
    layers = load().tf_keras.layers
    stack = [layers.InputLayer((6, 4)), layers.LSTM(8, name="words"), layers.Dense(2, "softmax", name="head")]
    family = Cluster(clusters=4)
    stripped = family.strip(family.prepare(load().tf_keras.Sequential(stack), 1))
    measured = family.check(stripped)
    assert [each["layer"] for each in measured["clustered"]] == ["words", "words", "head"]
    assert measured["left_uncompressed"] == []


def test_more_clusters_than_any_layer_has_values_are_refused_with_the_numbers():
    with pytest.raises(
        MemberError, match="no layer has more than 256 values to begin with: dense has 192; dense_1 has"
    ):
        Cluster(clusters=256).prepare(started(), 1)


def test_a_model_without_a_layer_to_cluster_is_refused_by_its_kinds():
    from auditor.tf import load

    layers = load().tf_keras.layers
    model = load().tf_keras.Sequential([layers.InputLayer((4,)), layers.BatchNormalization()])
    with pytest.raises(MemberError, match="TFMOT can cluster no layer of this model; its layers are BatchNormal"):
        Cluster(clusters=4).prepare(model, 1)


def test_kernels_of_more_values_than_asked_for_fail_with_the_numbers():
    with pytest.raises(MemberError, match="2 to 4 values a kernel were asked for, but dense has 192; dense_1 has 128"):
        Cluster(clusters=4).check(started())


def test_a_file_that_lost_the_clusters_is_refused():
    kernels = [{"type": "float32", "distinct_values": count} for count in (4, 90)]
    family, clustered = Cluster(clusters=4), [{"layer": "dense"}, {"layer": "dense_1"}]
    found = {"clustered": clustered, "has_normalisation": False}
    with pytest.raises(MemberError, match="2 kernels were clustered to 4 values, but those of the file have 4, 90"):
        family.confirm({"kernels": kernels, **found})
    family.confirm({"kernels": [kernels[0], {"type": "int8", "distinct_values": 3}], **found})


@pytest.mark.parametrize("method", ["float16", "int8"])
def test_normalisation_that_the_converter_folds_into_a_kernel_is_no_loss_of_clusters(method):
    from auditor.tf import load, seed

    seed(1)
    layers = load().tf_keras.layers
    model = load().tf_keras.Sequential(
        [
            layers.InputLayer((8, 8, 3)),
            layers.Conv2D(8, 3, use_bias=False),
            layers.BatchNormalization(gamma_initializer="random_normal"),
            layers.ReLU(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, "softmax"),
        ]
    )
    family = Cluster(clusters=4)
    stripped = family.strip(family.prepare(model, 0))
    images = np.random.default_rng(0).normal(size=(20, 8, 8, 3)).astype(np.float32)
    content = method_of({"method": method}).convert(stripped, images).content
    family.confirm({**family.check(stripped), **measure_file(content, open_model(content, ".tflite", "made"))})


@pytest.mark.parametrize("left", [4, 1])
def test_a_small_kernel_with_fewer_values_than_asked_for_keeps_them_few_and_its_zeros(left):
    model = started(hidden=(8, 2))
    small = model.layers[1].kernel  # 16 weights, of which pruning leaves so many
    small.assign(np.where(np.arange(16).reshape(8, 2) % (16 // left), 0, small.numpy()))
    stripped, measured = made(Cluster(clusters=6), model)
    kernel = stripped.layers[1].kernel.numpy()
    assert np.unique(kernel).size <= max(3, left + 1)
    assert (kernel[small.numpy() == 0] == 0).all()
    assert "dense_1" not in measured["left_uncompressed"]


def test_two_clusters_cannot_keep_zeros_beside_two_values():
    model = started()
    model.layers[0].kernel.assign(np.where(np.arange(192).reshape(12, 16) % 2, 0, model.layers[0].kernel.numpy()))
    with pytest.raises(MemberError, match="dense was pruned: beside zero there must be two values, clusters 3 or more"):
        Cluster(clusters=2).prepare(model, 1)
