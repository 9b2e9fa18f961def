from __future__ import annotations

import subprocess

import numpy as np
import pytest
from tiny import FEATURES, inputs

from auditor.compress import MemberError
from auditor.compress.measured import measure_file
from auditor.compress.quantize import Quantize
from auditor.models.architectures import build
from auditor.models.load import keras_bytes, open_model


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
