"""ONNX files: read without onnxruntime, run by it."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from auditor.errors import ModelError
from auditor.models.inspect import inspect_model
from auditor.models.load import open_model
from auditor.models.onnx import parse_onnx

onnx = pytest.importorskip("onnx", reason="makes the files")
pytest.importorskip("onnxruntime", reason="the extra onnx")
RNG = np.random.default_rng(1)
KERNEL = RNG.normal(size=(6, 3)).astype(np.float32)
KERNEL[0] = 0
X = RNG.normal(size=(7, 6)).astype(np.float32)


def model(nodes, constants, shape=("batch", 6), out=("batch", 3), *, opsets=(("", 13),), kind=1, **graph):
    """The bytes of a model with one input x and one output y."""
    helper = onnx.helper
    made = helper.make_graph(
        nodes, "graph", [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info("y", 1, out)], constants, **graph,
    )  # fmt: skip
    whole = helper.make_model(made, opset_imports=[helper.make_opsetid(*opset) for opset in opsets], ir_version=8)
    return whole.SerializeToString()


def node(kind, inputs, outputs, **attributes):
    return onnx.helper.make_node(kind, inputs, outputs, **attributes)


def tensor(name, values):
    return onnx.numpy_helper.from_array(np.asarray(values), name)


def dense(**more):
    nodes = [node("MatMul", ["x", "w"], ["h"]), node("Softmax", ["h"], ["y"], axis=-1)]
    return model(nodes, [tensor("w", KERNEL)], **more)


def softmax(x):
    raised = np.exp(x - x.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def test_a_file_decides_as_its_weights_say_and_they_are_counted():
    facts = inspect_model(dense(), ".onnx", "model")
    assert (facts.input_shape, facts.outputs, facts.activation) == ((6,), 3, "softmax")
    assert [kind for _, kind in facts.layers] == ["MatMul", "Softmax"]
    opened = open_model(dense(), ".onnx", "model")
    np.testing.assert_allclose(opened.score(X), softmax(X @ KERNEL), rtol=1e-5)
    assert [(each.name, each.shape, each.size, each.nonzero) for each in opened.weights()] == [("w", (6, 3), 18, 15)]
    assert opened.trainable is None


def test_a_fixed_batch_size_is_kept_to():
    opened = open_model(dense(shape=(4, 6), out=(4, 3)), ".onnx", "model")
    np.testing.assert_allclose(opened.score(X), softmax(X @ KERNEL), rtol=1e-5)


def test_images_are_laid_out_with_channels_first():
    kernel = RNG.normal(size=(2, 3, 4, 5)).astype(np.float32)
    nodes = [node("Conv", ["x", "w"], ["c"]), node("Flatten", ["c"], ["y"])]
    content = model(nodes, [tensor("w", kernel)], shape=("n", 3, 4, 5), out=("n", 2))
    images = RNG.normal(size=(3, 4, 5, 3)).astype(np.float32)
    expected = np.einsum("nhwc,ochw->no", images, kernel)
    np.testing.assert_allclose(open_model(content, ".onnx", "model").score(images), expected, rtol=1e-4)


def test_quantised_weights_are_counted_around_their_zero_point():
    whole = np.array([[128, 130, 128]] * 6, np.uint8)
    nodes = [node("DequantizeLinear", ["q", "scale", "zero"], ["w"]), node("MatMul", ["x", "w"], ["y"])]
    constants = [tensor("q", whole), tensor("scale", np.float32(0.5)), tensor("zero", np.uint8(128))]
    parsed = parse_onnx(model(nodes, constants), "model")
    found = [(each.name, each.shape, each.size, each.nonzero) for each in parsed.weights()]
    assert found == [("q", (6, 3), 18, 6), ("scale", (), 1, 1)]


@pytest.mark.parametrize("kind", ["float_data", "double", "half"])
def test_numbers_are_read_from_whichever_field_holds_them(kind):
    types = {"float_data": onnx.TensorProto.FLOAT, "double": onnx.TensorProto.DOUBLE, "half": onnx.TensorProto.FLOAT16}
    values = [0.0, 1.5, -2.0]
    constant = onnx.helper.make_tensor("w", types[kind], [3], values)
    parsed = parse_onnx(model([node("Identity", ["x"], ["y"])], [constant], out=("batch", 6)), "model")
    np.testing.assert_array_equal(parsed.initializers[0].values.astype(float), values)


def external():
    constant = tensor("w", KERNEL)
    constant.ClearField("raw_data")
    constant.data_location = onnx.TensorProto.EXTERNAL
    entry = constant.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    return constant


def inside_a_branch(inner):
    branch = onnx.helper.make_graph([inner], "b", [], [onnx.helper.make_tensor_value_info("y", 1, ("n", 3))])
    return node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)


def bomb():
    constant = tensor("w", KERNEL)
    constant.dims[0] = 1 << 40
    return constant


MATMUL = node("MatMul", ["x", "w"], ["y"]) if onnx else None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (model([MATMUL], [external()]), "its values are in another file"),
        (model([node("MatMul", ["x", "w"], ["y"], domain="evil")], []), 'operator MatMul: it is of the domain "evil"'),
        (model([node("PythonOp", ["x"], ["y"], domain="com.microsoft")], []), "operator PythonOp"),
        (model([node("EPContext", ["x"], ["y"], domain="com.microsoft")], []), "operator EPContext"),
        (model([inside_a_branch(node("Run", ["x"], ["y"], domain="evil"))], []), "operator Run"),
        (model([node("Constant", [], ["y"], value=external())], []), "in another file"),
        (model([MATMUL], [bomb()]), "declares 3,298,534,883,328 numbers and holds 18"),
        (model([MATMUL], [tensor("w", KERNEL)])[:-20], "damaged"),
        (b"", "no ONNX graph"),
        (b"\x93NUMPY", "damaged"),
    ],
    ids=["external", "domain", "python", "context", "branch", "constant", "bomb", "cut", "empty", "numpy"],
)
def test_what_leads_out_of_the_file_or_does_not_fit_in_it_is_refused(content, said):
    with pytest.raises(ModelError, match=said):
        inspect_model(content, ".onnx", "model")


def test_a_function_of_the_file_itself_is_no_code_of_others():
    helper = onnx.helper
    function = helper.make_function(
        "own", "Twice", ["a"], ["b"], [node("Add", ["a", "a"], ["b"])], [helper.make_opsetid("", 13)]
    )
    graph = helper.make_graph(
        [node("Twice", ["x"], ["y"], domain="own")], "graph", [helper.make_tensor_value_info("x", 1, ("n", 6))],
        [helper.make_tensor_value_info("y", 1, ("n", 6))],
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("own", 1)]
    content = helper.make_model(graph, opset_imports=opsets, functions=[function], ir_version=8).SerializeToString()
    np.testing.assert_allclose(open_model(content, ".onnx", "model").score(X), 2 * X)
    function.node[0].domain = "evil"
    content = helper.make_model(graph, opset_imports=opsets, functions=[function], ir_version=8).SerializeToString()
    with pytest.raises(ModelError, match='domain "evil"'):
        inspect_model(content, ".onnx", "model")


def test_flipped_bits_are_an_error_or_another_model_but_nothing_else():
    content = dense()
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        try:
            inspect_model(bytes(damaged), ".onnx", "damaged")
        except ModelError:
            continue


def test_the_runtime_is_told_to_report_to_nobody_before_it_is_imported(tmp_path):
    script = """
import sys
from auditor.models.load import open_model
open_model(sys.stdin.buffer.read(), ".onnx", "model")
"""
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    environment.pop("ORT_DISABLE_TELEMETRY", None)
    content = model([MATMUL], [tensor("w", KERNEL)])
    subprocess.run([sys.executable, "-c", script], input=content, env=environment, check=True)
    assert not list(tmp_path.iterdir())


def test_a_file_of_more_fields_than_are_looked_at_is_refused(monkeypatch):
    from hostile.makers import onnx_file

    from auditor.models import protobuf

    parse_onnx(onnx_file(), "model.onnx")
    monkeypatch.setattr(protobuf, "MOST_FIELDS", 20)
    with pytest.raises(ModelError, match="more than 20 fields"):
        parse_onnx(onnx_file(), "model.onnx")
