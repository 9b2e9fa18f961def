"""Models of several outputs: one of them is audited, by its name, in every format."""

from __future__ import annotations

import numpy as np
import pytest

from auditor.errors import ModelError
from auditor.models.inspect import inspect_model
from auditor.models.load import open_model, read_model
from auditor.models.outputs import place_of, uniquified

X = np.random.default_rng(2).normal(size=(5, 6)).astype(np.float32)


def two_heads(keras, arrange=list):
    """Of 6 inputs: "age" ends in 3 numbers and softmax, "sex" in one and a sigmoid; the heads as they are arranged."""
    layers = keras.layers
    entry = keras.Input((6,), name="person")
    shared = layers.Dense(8, activation="relu", name="shared")(entry)
    age = layers.Dense(3, activation="softmax", name="age")(shared)
    sex = layers.Dense(1, activation="sigmoid", name="sex")(shared)
    return keras.Model(entry, arrange((age, sex)))


def as_table(heads):
    """Keys of their own, which are sorted otherwise than the heads stand."""
    return {"years": heads[0], "gender": heads[1]}


@pytest.fixture(scope="module")
def keras3():
    from auditor.tf import keras3, reseed

    reseed(4)
    return keras3()


@pytest.fixture(scope="module")
def models(keras, keras3, tmp_path_factory):
    """Each file's bytes and ending, and the model that it was made of."""
    from auditor.tf import load, quiet, seed

    seed(4)
    tf = load().tf
    folder = tmp_path_factory.mktemp("heads")
    old, new = two_heads(keras), two_heads(keras3)
    made = {}
    with quiet():
        for model, name in ((old, "old.keras"), (new, "new.keras"), (new, "new.h5")):
            model.save(folder / name)
            made[name] = ((folder / name).read_bytes(), f".{name.partition('.')[2]}", model)
        serve = tf.function(
            lambda x: dict(zip(("age", "sex"), old(x), strict=True)),
            input_signature=[tf.TensorSpec([None, 6], tf.float32)],
        )
        tf.saved_model.save(old, str(folder / "named"), signatures=serve)
        tflite = tf.lite.TFLiteConverter.from_keras_model(old).convert()
    made["saved"] = (read_model(folder / "named")[0], ".savedmodel", old)
    made["tflite"] = (tflite, ".tflite", old)
    return made


FILES = ["old.keras", "new.keras", "new.h5", "saved", "tflite"]


@pytest.mark.parametrize("name", FILES)
def test_the_named_output_is_looked_at_and_decides(models, name):
    content, ending, model = models[name]
    expected = {"age": np.asarray(model(X)[0]), "sex": np.asarray(model(X)[1])}
    for output, activation in (("age", "softmax"), ("sex", "sigmoid")):
        facts = inspect_model(content, ending, name, output=output)
        assert facts.outputs == expected[output].shape[1]
        assert facts.activation in {activation, None if ending == ".savedmodel" else activation}
        opened = open_model(content, ending, name, output=output)
        np.testing.assert_allclose(opened.score(X), expected[output], rtol=1e-5)


@pytest.mark.parametrize("name", FILES)
def test_without_a_name_or_with_another_one_all_names_are_told(models, name):
    content, ending, _ = models[name]
    with pytest.raises(ModelError, match=r'has 2 outputs: ".*sex".*') as refused:
        inspect_model(content, ending, name)
    assert 'output = "' in refused.value.problems[0].advice
    with pytest.raises(ModelError, match=r'no output "sx"; it has .*"age"') as refused:
        inspect_model(content, ending, name, output="sx")
    assert refused.value.problems[0].advice == 'Did you mean "sex"?'


def test_a_model_of_one_output_has_no_other_either(small):
    from auditor.models.load import keras_bytes

    content, name = keras_bytes(small), small.output_names[0]
    assert inspect_model(content, ".keras", "small", output=name).outputs == 2
    with pytest.raises(ModelError, match=f'no output "age"; it has "{name}"'):
        inspect_model(content, ".keras", "small", output="age")


@pytest.mark.parametrize("arrange", [as_table, tuple])
def test_outputs_in_a_table_or_tuple_are_those_that_keras_computes(keras, keras3, tmp_path, arrange):
    for library, name in ((keras, "old"), (keras3, "new")):
        model = two_heads(library, arrange)
        model.save(tmp_path / f"{name}.keras")
        content = (tmp_path / f"{name}.keras").read_bytes()
        out = model(X)
        named = out if isinstance(out, dict) else dict(zip(("age", "sex"), out, strict=True))
        for output, values in named.items():
            opened = open_model(content, ".keras", name, output=output)
            np.testing.assert_allclose(opened.score(X), np.asarray(values), rtol=1e-5)
            assert opened.facts.outputs == values.shape[1]


@pytest.mark.parametrize("name", ["old.keras", "new.keras"])
def test_what_is_compressed_further_is_the_part_that_the_output_comes_of(models, name):
    content, ending, model = models[name]
    opened = open_model(content, ending, name, output="age")
    carried = opened.trainable(X)
    assert [layer.name for layer in carried.layers if layer.weights] == ["shared", "age"]
    np.testing.assert_allclose(np.asarray(carried(X)), np.asarray(model(X)[0]), rtol=1e-5)
    assert sum(each.size for each in opened.weights()) == model.count_params()


def test_an_output_of_an_onnx_file_is_run_alone():
    onnx = pytest.importorskip("onnx", reason="makes the file")
    pytest.importorskip("onnxruntime", reason="the extra onnx")
    helper = onnx.helper
    kernel = np.random.default_rng(1).normal(size=(6, 3)).astype(np.float32)
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"]),
        helper.make_node("Softmax", ["h"], ["age"], axis=-1),
        helper.make_node("Sigmoid", ["h"], ["signs"]),
    ]
    ends = [helper.make_tensor_value_info(name, 1, ("batch", 3)) for name in ("age", "signs")]
    entry = [helper.make_tensor_value_info("x", 1, ("batch", 6))]
    graph = helper.make_graph(nodes, "graph", entry, ends, [onnx.numpy_helper.from_array(kernel, "w")])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    content = made.SerializeToString()
    with pytest.raises(ModelError, match='has 2 outputs: "age", "signs"'):
        inspect_model(content, ".onnx", "model")
    opened = open_model(content, ".onnx", "model", output="signs")
    assert opened.facts.activation == "sigmoid"
    np.testing.assert_allclose(opened.score(X), 1 / (1 + np.exp(-X @ kernel)), rtol=1e-5)


def test_equal_names_are_made_different_as_keras_does_or_told():
    assert uniquified(["a", "b", "a", "a"]) == ["a", "b", "a_1", "a_2"]
    with pytest.raises(ModelError, match='several of its outputs are named "a"'):
        place_of("a", ["a", "a"], "model.tflite")


def test_equal_names_are_told_apart_as_keras_does():
    assert uniquified(["a", "a", "a_1", "a", "b"]) == ["a", "a_1", "a_1_1", "a_2", "b"]
    many = uniquified(["a"] * 30_000)  # in one go, not each against all
    assert (len(set(many)), many[-1]) == (30_000, "a_29999")
