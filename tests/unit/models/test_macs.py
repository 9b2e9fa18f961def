from __future__ import annotations

import numpy as np
import pytest

from auditor.models import macs
from auditor.models.artifact import count_weights
from auditor.models.macs import keras_macs, tflite_macs
from auditor.models.tflite import parse_tflite


def keras():
    from auditor.tf import load

    return load().tf_keras


def network():
    k = keras().layers
    return keras().Sequential(
        [
            k.InputLayer((9, 9, 4)),
            k.Conv2D(8, 3, strides=2, padding="same", name="conv"),
            k.BatchNormalization(),
            k.DepthwiseConv2D(3),
            k.Conv2D(6, 3, groups=2, padding="same", use_bias=False),
            k.Flatten(),
            k.Dense(5),
        ]
    )


# 5 x 5 places of 3 x 3 x 4 x 8 weights; 3 x 3 of 3 x 3 x 8; 3 x 3 of 3 x 3 x (8 / 2) x 6; 54 x 5
EXPECTED = 25 * 288 + 9 * 72 + 9 * 216 + 270


def test_multiplications_are_those_counted_by_hand():
    assert keras_macs(network()) == EXPECTED


@pytest.mark.parametrize("method", ["float16", "int8"])
def test_a_converted_model_costs_what_its_original_costs(method):
    from auditor.compress.quantize import Quantize

    calibration = np.random.default_rng(0).normal(size=(8, 9, 9, 4)).astype(np.float32)
    content = Quantize(method=method).convert(network(), calibration).content
    assert tflite_macs(parse_tflite(content, "model")) == EXPECTED


def test_what_is_not_known_is_not_measured_rather_than_nothing():
    k = keras().layers
    assert keras_macs(keras().Sequential([k.InputLayer((5, 3)), k.LSTM(4), k.Dense(2)])) is None
    assert keras_macs(keras().Sequential([k.InputLayer((None, None, 3)), k.Conv2D(4, 3)])) is None
    assert keras_macs(keras().Sequential([k.InputLayer((5,)), k.Embedding(9, 4), k.Flatten(), k.Dense(2)])) == 40


def test_a_model_inside_a_model_counts_once_and_is_not_known_where_it_is_called_twice():
    k = keras().layers
    for calls, expected in ((1, 8 * 16 + 16 * 8 + 8 * 2), (2, None)):
        first = k.Input((8,))
        inner = keras().Sequential([k.InputLayer((8,)), k.Dense(16), k.Dense(8)])
        last = k.Dense(2)(k.add([inner(first) for _ in range(calls)]) if calls > 1 else inner(first))
        assert keras_macs(keras().Model(first, last)) == expected


def test_operations_that_are_not_known_have_the_numbers_of_the_schema():
    from tensorflow.lite.python.schema_py_generated import BuiltinOperator as Known

    names = {
        "LSTM", "RNN", "SVDF", "UNIDIRECTIONAL_SEQUENCE_RNN", "UNIDIRECTIONAL_SEQUENCE_LSTM",
        "BIDIRECTIONAL_SEQUENCE_RNN", "BIDIRECTIONAL_SEQUENCE_LSTM", "IF", "WHILE", "CONV_3D", "CONV_3D_TRANSPOSE",
    }  # fmt: skip
    assert {f"operation {getattr(Known, name)}" for name in names} == macs._UNKNOWN


def test_distinct_values_are_those_of_one_channel_where_each_has_its_own_scale():
    values = np.array([[1, 1, 0], [2, 3, 4]], np.int8)
    assert count_weights("w", values).distinct == 5
    assert count_weights("w", values, channel=0).distinct == 3
    assert count_weights("w", values, channel=1).distinct == 2
    assert count_weights("w", values, zero=1).nonzero == 4
