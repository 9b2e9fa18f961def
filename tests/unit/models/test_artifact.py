from __future__ import annotations

import numpy as np
import pytest

from auditor.compress.quantize import Quantize
from auditor.errors import ModelError
from auditor.models.artifact import laid_out, predict
from auditor.models.decide import Reading, decide
from auditor.models.load import keras_bytes, load_model, open_model

X = np.random.default_rng(1).normal(size=(37, 6)).astype(np.float32)


def batches(x, size):
    return (x[start : start + size] for start in range(0, len(x), size))


def by_hand(content, x):
    """The plainest loop over an interpreter: one example at a time."""
    from auditor.tf import load, quiet

    with quiet():
        interpreter = load().tf.lite.Interpreter(model_content=content, num_threads=1)
        interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    rows = []
    for row in x:
        interpreter.set_tensor(source["index"], row[None])
        interpreter.invoke()
        rows.append(interpreter.get_tensor(target["index"])[0])
    return np.stack(rows)


def test_keras_files_give_the_outputs_of_the_model_that_was_saved(small, saved):
    expected = np.asarray(small(X, training=False))
    for name in ("small.keras", "small.h5"):
        model = load_model(saved / name, None)
        np.testing.assert_allclose(predict(model, batches(X, 10)), expected, rtol=1e-5)


def test_saving_twice_gives_the_same_bytes(small, saved):
    assert keras_bytes(small) == (saved / "small.keras").read_bytes()


@pytest.mark.parametrize("method", ["float16", "dynamic_int8", "int8"])
def test_tflite_scores_are_those_of_a_plain_loop_whatever_the_batch_size(small, method):
    content = Quantize(method=method).convert(small, X).content
    model = open_model(content, ".tflite", "model")
    expected = by_hand(content, X)
    for size in (1, 10, 37):
        np.testing.assert_array_equal(predict(model, batches(X, size)), expected)


def test_integer_inputs_and_outputs_are_carried_over_by_scale_and_zero_point(small):
    from auditor.tf import load, quiet

    tf = load().tf
    converter = tf.lite.TFLiteConverter.from_keras_model(small)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([row[None]] for row in X)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    with quiet():
        integer = converter.convert()
    model = open_model(integer, ".tflite", "model")
    out = predict(model, batches(X, 16))
    floats = predict(open_model(Quantize(method="int8").convert(small, X).content, ".tflite", "model"), batches(X, 16))
    np.testing.assert_array_equal(out, floats)
    decisions, probabilities = decide(out, Reading(classes=2), model.facts.activation)
    assert (decisions == np.asarray(small(X)).argmax(axis=1)).mean() > 0.9
    assert probabilities is not None


def test_a_graph_with_its_batch_size_in_a_constant_is_run_in_batches_of_that_size(keras):
    from auditor.tf import load, quiet, seed

    seed(1)
    entry = keras.Input((6,), batch_size=4)
    model = keras.Model(entry, keras.layers.Dense(2, activation="softmax")(load().tf.reshape(entry, (4, 6))))
    with quiet():
        content = load().tf.lite.TFLiteConverter.from_keras_model(model).convert()
    out = predict(open_model(content, ".tflite", "fixed"), batches(X, 10))
    expected = np.concatenate([np.asarray(model(np.resize(part, (4, 6))))[: len(part)] for part in batches(X, 4)])
    np.testing.assert_allclose(out, expected, rtol=1e-5)


def test_one_sigmoid_output_becomes_two_columns():
    decisions, probabilities = decide(np.array([[0.2], [0.5], [0.8]], np.float32), Reading(classes=2), "sigmoid")
    assert decisions.tolist() == [0, 0, 1]
    np.testing.assert_allclose(probabilities, [[0.8, 0.2], [0.5, 0.5], [0.2, 0.8]], rtol=1e-6)


def test_a_single_output_that_is_no_probability_is_refused():
    with pytest.raises(ModelError, match="no probability"):
        decide(np.array([[-3.0], [0.5]], np.float32), Reading(classes=2, kind="probabilities"), None)


def test_the_largest_output_decides_and_only_probabilities_are_kept_as_such():
    logits = np.array([[1.0, 3.0, 3.0], [-1.0, -2.0, -3.0]], np.float32)
    decisions, probabilities = decide(logits, Reading(classes=3), "linear")
    assert decisions.tolist() == [1, 0]
    assert decisions.dtype == np.int16
    assert probabilities is None


def test_another_number_of_outputs_is_refused_with_both_numbers():
    with pytest.raises(ModelError, match="7 outputs, the data has 2 classes"):
        decide(np.zeros((3, 7), np.float32), Reading(classes=2), None)
    with pytest.raises(ModelError, match="1 output, the data has 3 classes"):
        decide(np.zeros((3, 1), np.float32), Reading(classes=3), "sigmoid")


def test_examples_of_another_shape_are_refused_with_both_shapes(small, saved):
    tflite = open_model(Quantize(method="float16").convert(small, X).content, ".tflite", "model")
    for model in (load_model(saved / "small.keras", None), tflite):
        with pytest.raises(ModelError, match="reads examples of shape 6, the data has 5"):
            model.score(X[:, :5])


def test_a_single_output_that_no_sigmoid_ends_is_asked_for_and_then_read_as_declared():
    logits = np.array([[-1e-9], [1e-9], [40]], np.float32)
    with pytest.raises(ModelError, match="probability or a logit"):
        decide(logits, Reading(classes=2), "linear")
    decisions, probabilities = decide(logits, Reading(classes=2, kind="logits"), "linear")
    assert decisions.tolist() == [0, 1, 1]
    np.testing.assert_allclose(probabilities[:, 1], [0.5, 0.5, 1])
    assert decide(np.array([[0.7]]), Reading(classes=2, kind="probabilities"), None)[0].tolist() == [1]


def test_logits_become_probabilities_where_they_are_declared():
    logits = np.array([[1.0, 3.0, 2.0]], np.float32)
    _, probabilities = decide(logits, Reading(classes=3, kind="logits"), "linear")
    np.testing.assert_allclose(probabilities, np.exp(logits) / np.exp(logits).sum(), rtol=1e-6)


def test_the_largest_of_all_outputs_decides_before_it_is_mapped_to_a_class():
    outputs = np.array([[0.3, 0.3, 0.4, 0.0], [0.1, 0.1, 0.3, 0.5]], np.float32)
    reading = Reading(classes=2, class_of={"2": 1}, other=0)
    decisions, probabilities = decide(outputs, reading, "softmax")
    assert decisions.tolist() == [1, 0]  # class 0 has 0.6 of the first row, but no output of its own is as large
    np.testing.assert_allclose(probabilities, [[0.6, 0.4], [0.7, 0.3]], rtol=1e-6)
    assert decide(outputs, Reading(classes=3, class_of={"0": 2, "1": 1, "2": 0, "3": 1}), None)[0].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("reading", "said"),
    [
        (Reading(classes=2, class_of={"4": 1}, other=0), "names output 4, the model has 4 outputs, counted from 0"),
        (Reading(classes=3, class_of={"0": 1, "2": 0}), "says nothing of the outputs 1, 3"),
        (Reading(classes=2), "has 4 outputs, the data has 2 classes"),
    ],
)
def test_outputs_that_no_class_stands_for_are_refused(reading, said):
    with pytest.raises(ModelError, match=said):
        decide(np.zeros((1, 4), np.float32), reading, None)


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        ((4, 5, 3), (3, 4, 5)),
        ((4, 5, 1), (4, 5)),
        ((4, 5), (1, 4, 5)),
        ((4, 5, 3), (60,)),
        ((4, 5, 3), (3, None, None)),
    ],
)
def test_a_batch_islaid_out_as_the_model_reads_it_where_one_way_is_possible(found, wanted):
    batch = np.arange(2 * np.prod(found), dtype=np.float32).reshape(2, *found)
    out = laid_out(batch, wanted)
    assert out.shape == (2, *(o if w is None else w for o, w in zip(out.shape[1:], wanted, strict=True)))
    if len(wanted) == 3 and wanted[0] == 3:
        assert np.array_equal(out[:, 1], batch[..., 1])


@pytest.mark.parametrize(("found", "wanted"), [((4, 5, 3), (5, 4, 3)), ((6,), (3, 2)), ((4, 5, 3), (4, 5, 1))])
def test_a_batch_of_another_shape_is_refused(found, wanted):
    with pytest.raises(ModelError, match="reads examples of shape"):
        laid_out(np.zeros((2, *found), np.float32), wanted)


def test_a_model_is_written_the_same_in_any_thread_whatever_the_thread_has_done_before(small, saved):
    from concurrent.futures import ThreadPoolExecutor

    content = (saved / "small.keras").read_bytes()

    def load_then_write():
        return keras_bytes(open_model(content, ".keras", "model").trainable(X))

    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(load_then_write).result() == content
