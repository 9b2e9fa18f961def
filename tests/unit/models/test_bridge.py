"""Keras 3 models in tf_keras: the same outputs, or a refusal that names the layer."""

from __future__ import annotations

import numpy as np
import pytest

from auditor.errors import ModelError
from auditor.models.bridge import carry_over
from auditor.models.inspect import inspect_model
from auditor.models.load import open_model


@pytest.fixture(scope="session")
def keras3():
    from auditor.tf import keras3, reseed

    reseed(1)
    return keras3()


def perturbed(model, seed=0):
    """The model with weights that are all different: fresh ones are zeros and ones in many places."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        values = np.asarray(weight)
        if values.dtype.kind == "f":
            noise = rng.normal(0, 0.02, values.shape)
            weight.assign(values + (np.abs(noise) if "variance" in weight.path else noise))
    return model


def attending(keras):
    layers = keras.layers
    tokens = keras.Input((12,))
    x = layers.Embedding(50, 16)(tokens)
    x = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 8)(x, x))
    inner = layers.Dense(16)(layers.Dense(32, activation="gelu")(x))
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(layers.Add()([x, inner])))
    return keras.Model(tokens, layers.Dense(3, activation="softmax")(x))


def recurrent(keras):
    layers = keras.layers
    tokens = keras.Input((12,))
    x = layers.Embedding(50, 16, mask_zero=True)(tokens)
    x = layers.Bidirectional(layers.LSTM(8, return_sequences=True))(x)
    x = layers.TimeDistributed(layers.Dense(4, activation="relu"))(layers.GRU(8, return_sequences=True)(x))
    return keras.Model(tokens, layers.Dense(1, activation="sigmoid")(layers.SimpleRNN(5)(x)))


def nested(keras):
    layers = keras.layers
    inner = keras.Sequential([keras.Input((12,)), layers.Dense(12, activation="relu"), layers.BatchNormalization()])
    start = keras.Input((12,))
    x = inner(start)
    return keras.Model(start, layers.Dense(2, activation="softmax")(keras.ops.relu(inner(x) * x)))


def published(name, side=64):
    return lambda keras: getattr(keras.applications, name)(weights=None, input_shape=(side, side, 3), classes=5)


@pytest.mark.parametrize(
    ("make", "batch"),
    [
        (attending, "tokens"),
        (recurrent, "tokens"),
        (nested, "numbers"),
        (published("MobileNetV2", 96), "image"),
        (published("ResNet50"), "image"),
        (published("InceptionV3", 96), "image"),
        (published("EfficientNetB0"), "pixels"),
    ],
    ids=["attention", "recurrent", "nested", "MobileNetV2", "ResNet50", "InceptionV3", "EfficientNetB0"],
)
def test_the_copy_says_what_the_model_says_and_the_file_of_the_model_is_accepted(keras3, make, batch, tmp_path):
    model = perturbed(make(keras3))
    rng = np.random.default_rng(1)
    shape = (4, *model.input_shape[1:])
    x = rng.integers(0, 50, shape) if batch == "tokens" else rng.normal(0, 60 if batch == "pixels" else 1, shape)
    x = x.astype(np.float32)
    carried = carry_over(model, x, "model")
    ours, theirs = np.asarray(carried(x)), np.asarray(model(x))
    assert np.ptp(theirs) > 1e-3  # outputs that are all alike would agree whatever the weights
    np.testing.assert_allclose(ours, theirs, atol=2e-6 * np.abs(theirs).max())
    assert not [layer for layer in carried.layers if "Lambda" in type(layer).__name__]
    model.save(tmp_path / "model.keras")
    facts = inspect_model((tmp_path / "model.keras").read_bytes(), ".keras", "model")
    assert facts.keras3
    assert facts.outputs == model.output_shape[-1]
    assert facts.input_shape == model.input_shape[1:]


def small(keras3, *layers):
    return keras3.Sequential([keras3.Input((6,)), keras3.layers.Dense(4, name="first"), *layers])


def test_layers_that_tf_keras_does_not_have_are_refused_by_name(keras3):
    start = keras3.Input((6,))
    x = keras3.layers.RMSNormalization(name="rms")(keras3.layers.Dense(4, name="first")(start))
    model = keras3.Model(start, keras3.ops.cumsum(x, axis=1))
    with pytest.raises(ModelError) as caught:
        carry_over(model, np.zeros((1, 6), np.float32), "model.keras")
    said = str(caught.value)
    assert 'layer "rms": tf_keras, which compression needs, has no RMSNormalization' in said
    assert "has no layer that does what the operator Cumsum does" in said
    assert "first" not in said


def test_a_setting_that_tf_keras_does_not_have_is_refused_unless_it_has_no_effect(keras3):
    kept = small(keras3, keras3.layers.Dropout(0.5, seed=7))
    assert len(carry_over(kept, np.ones((1, 6), np.float32), "model").layers) == 2
    lost = small(keras3, keras3.layers.Dense(2, lora_rank=1, name="lora"))
    with pytest.raises(ModelError, match=r'"lora": .*without lora_rank = 1'):
        carry_over(lost, np.ones((1, 6), np.float32), "model")


def test_a_layer_that_computes_something_else_in_tf_keras_is_found_by_comparing(keras3):
    # hard_sigmoid is another function in the two
    model = perturbed(small(keras3, keras3.layers.Dense(3, activation="hard_sigmoid", name="hard")))
    x = np.random.default_rng(2).normal(0, 2, (8, 6)).astype(np.float32)
    with pytest.raises(ModelError, match=r'layer "hard": carried over to tf_keras, its output differs by'):
        carry_over(model, x, "model")


def test_files_of_keras_3_decide_by_their_own_library_and_can_be_trained_as_copies(keras3, tmp_path):
    model = perturbed(small(keras3, keras3.layers.Dense(2, activation="softmax")))
    x = np.random.default_rng(3).normal(size=(5, 6)).astype(np.float32)
    for ending in (".keras", ".h5"):
        model.save(tmp_path / f"model{ending}")
        opened = open_model((tmp_path / f"model{ending}").read_bytes(), ending, "model")
        assert opened.facts.keras3
        assert opened.facts.activation == "softmax"
        np.testing.assert_allclose(opened.score(x), np.asarray(model(x)), rtol=1e-6)
        assert sum(each.size for each in opened.weights()) == 6 * 4 + 4 + 4 * 2 + 2
        from auditor.tf import load

        copy = opened.trainable(x)
        assert isinstance(copy, load().tf_keras.Model)
        np.testing.assert_allclose(np.asarray(copy(x)), opened.score(x), rtol=1e-6)
