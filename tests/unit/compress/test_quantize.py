from __future__ import annotations

import subprocess
from dataclasses import replace

import numpy as np
import pytest
from tiny import FEATURES, inputs

from auditor.compress import MemberError
from auditor.compress.converted import Asked, check_converted
from auditor.compress.measured import measure_file
from auditor.compress.quantize import Quantize
from auditor.models.architectures import build
from auditor.models.artifact import predict
from auditor.models.load import keras_bytes, open_model
from auditor.models.tflite import parse_tflite


@pytest.fixture(scope="module")
def model():
    from auditor.tf import seed

    seed(3)
    return build("mlp", (FEATURES,), 2, {"hidden": [64, 32]})


@pytest.mark.parametrize("method", ["float16", "dynamic_int8", "int8"])
def test_the_types_of_the_weights_are_those_asked_for(model, method):
    made = Quantize(method=method).convert(model, inputs().calibration_x)
    kind = "float16" if method == "float16" else "int8"
    assert made.ending == ".tflite"
    assert made.measured["weight_types"][kind] >= 64 * 32
    assert sorted(made.measured["left_uncompressed"]) == (
        # The converter leaves layers of under 1,024 weights as they are.
        ["dense", "dense_2"] if method == "dynamic_int8" else []
    )


def test_a_quantised_model_without_quantised_weights_fails_with_what_it_holds():
    from auditor.tf import seed

    seed(3)
    small = build("mlp", (FEATURES,), 2, {"hidden": [16]})
    with pytest.raises(
        MemberError, match="dynamic_int8 was asked for, but nothing became int8: the weights are 224 float"
    ):
        Quantize(method="dynamic_int8").convert(small, inputs().calibration_x)


def decisions(content, x):
    return predict(open_model(content, ".tflite", "model"), [x]).argmax(axis=1)


@pytest.mark.parametrize(
    ("method", "io", "computed", "changed"),
    [("int8", "float32", "int8", 0.03), ("int8", "int8", "int8", 0.03), ("int8", "uint8", "int8", 0.03),
     ("int16x8", "float32", "int16", 0.01), ("int16x8", "int16", "int16", 0.01)],
)  # fmt: skip
def test_input_output_and_what_is_computed_have_the_types_asked_for_and_decide_as_in_float(
    model, method, io, computed, changed
):
    made = Quantize(method=method, io=io).convert(model, inputs().calibration_x)
    assert (made.measured["input_type"], made.measured["output_type"]) == (io, io)
    assert computed in made.measured["activation_types"]
    assert made.measured["left_uncompressed"] == []
    x = inputs().test_x
    assert np.mean(decisions(made.content, x) != model.predict(x, verbose=0).argmax(axis=1)) <= changed


@pytest.mark.parametrize("method", ["int8", "int16x8"])
def test_kernels_have_a_scale_a_channel_or_one_in_all(model, method):
    def scales(*, per_channel):
        made = Quantize(method=method, per_channel=per_channel).convert(model, inputs().calibration_x)
        file = parse_tflite(made.content, "model")
        return [each.inputs[1].scales for each in file.graph if each.name == "FULLY_CONNECTED"]

    assert scales(per_channel=True) == [64, 32, 2]
    assert scales(per_channel=False) == [1, 1, 1]


def test_a_file_that_is_not_what_was_asked_for_fails_with_what_it_is(model):
    content = Quantize(method="int8", io="int8").convert(model, inputs().calibration_x).content
    asked = Asked(method="int8", weights="int8", activations="int8", io="int8", per_channel=False)
    with pytest.raises(
        MemberError, match=r"per_channel = false was asked for, but of scales dense has 64, dense_1 has"
    ):
        check_converted(content, model, asked)
    with pytest.raises(MemberError, match=r'io = "uint8" was asked for, but the input is int8 and the output int8'):
        check_converted(content, model, replace(asked, io="uint8", per_channel=None))
    with pytest.raises(MemberError, match="nothing became int16: what is computed is 4 int8"):
        check_converted(content, model, replace(asked, activations="int16"))


def test_what_has_no_form_of_16_bits_stays_in_float_and_is_named():
    from auditor.tf import load, seed

    seed(3)
    layers = load().tf_keras.layers
    parts = [layers.InputLayer((FEATURES,)), layers.Dense(16), layers.PReLU(name="slope"), layers.Dense(2)]
    made = Quantize(method="int16x8").convert(load().tf_keras.Sequential(parts), inputs().calibration_x)
    assert made.measured["left_uncompressed"] == ["slope"]


def test_recurrent_layers_are_quantised_and_decide_example_by_example():
    from auditor.tf import load, seed

    seed(3)
    layers = load().tf_keras.layers
    model = load().tf_keras.Sequential([layers.InputLayer((FEATURES, 1)), layers.LSTM(8), layers.Dense(2, "softmax")])
    x = inputs().test_x[:, :, None]
    made = Quantize(method="int8").convert(model, x[:50])
    assert made.measured["weight_types"]["int8"] >= 8 * 4 * 9
    found = predict(open_model(made.content, ".tflite", "model"), [x])
    np.testing.assert_allclose(found, model.predict(x, verbose=0), atol=0.05)
    float16 = open_model(Quantize(method="float16").convert(model, x[:50]).content, ".tflite", "model")
    x = x[:20]
    np.testing.assert_allclose(predict(float16, [x]), model.predict(x, verbose=0), atol=1e-3)
    np.testing.assert_array_equal(predict(float16, [x[::-1]])[::-1], predict(float16, [x]))


def test_recurrent_layers_that_the_converter_cannot_round_are_refused_before_it_crashes():
    from auditor.tf import load

    layers = load().tf_keras.layers

    def prepare(method, layer):
        parts = [layers.InputLayer((FEATURES, 1)), layer, layers.Dense(2)]
        Quantize(method=method).prepare(load().tf_keras.Sequential(parts), 0)

    for layer in (layers.GRU(4, name="it"), layers.SimpleRNN(4, name="it"), layers.LSTM(4, "relu", name="it")):
        with pytest.raises(MemberError, match=r"int8 of the \w+ layer it is not possible"):
            prepare("int8", layer)
    with pytest.raises(MemberError, match="int16x8 of the LSTM layer forward_inner is not possible"):
        prepare("int16x8", layers.Bidirectional(layers.LSTM(4, name="inner")))
    prepare("int8", layers.Bidirectional(layers.LSTM(4)))
    prepare("int8", layers.GRU(4, unroll=True))
    prepare("float16", layers.GRU(4))


def test_more_words_than_8_bits_tell_apart_are_refused():
    from auditor.tf import load

    layers = load().tf_keras.layers
    parts = [layers.InputLayer((5,)), layers.Embedding(300, 4, name="words"), layers.Flatten(), layers.Dense(2)]
    model = load().tf_keras.Sequential(parts)
    with pytest.raises(MemberError, match=r"int8 would round .* 256 levels, and the layer words tells 300 words apart"):
        Quantize(method="int8").prepare(model, 0)
    assert Quantize(method="int16x8").prepare(model, 0) is Quantize(method="float16").prepare(model, 0) is model


def test_converting_twice_gives_the_same_bytes(model):
    first, second = (Quantize(method="int8").convert(model, inputs().calibration_x).content for _ in range(2))
    assert first == second


def test_what_is_measured_is_what_the_file_holds(model):
    content = keras_bytes(model)
    kernel = model.layers[0].kernel
    before = kernel.numpy()
    kernel.assign(np.where(np.arange(before.size).reshape(before.shape) % 4 == 0, 0, before))
    try:
        measured = measure_file(content, open_model(keras_bytes(model), ".keras", "model"))
        quantised = Quantize(method="int8").convert(model, inputs().calibration_x).content
        integer = measure_file(quantised, open_model(quantised, ".tflite", "model"))
    finally:
        kernel.assign(before)
    kernels, biases = FEATURES * 64 + 64 * 32 + 32 * 2, 64 + 32 + 2
    assert measured["bytes"] == len(content)
    shrunk = subprocess.run(["gzip", "--no-name", "--stdout"], input=content, capture_output=True, check=True).stdout
    assert measured["bytes_gzipped"] == pytest.approx(len(shrunk), rel=0.01)  # zlib and gzip's own code differ by bytes
    assert measured["parameters"] == kernels + biases
    assert integer["parameters"] == kernels  # the converter drops biases that are all zero
    assert measured["nonzero_parameters"] == kernels - FEATURES * 16  # biases start at zero
    assert measured["sparsity"] == pytest.approx(FEATURES * 16 / kernels)
    assert [layer["sparsity"] for layer in measured["kernels"]] == [0.25, 0, 0]
    assert max(layer["sparsity"] for layer in integer["kernels"]) == pytest.approx(0.25, abs=0.02)
