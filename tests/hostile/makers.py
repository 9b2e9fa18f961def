"""Model files made by hand, ordinary unless told otherwise, without TensorFlow."""

from __future__ import annotations

import io
import json
import warnings
import zipfile

import flatbuffers
import h5py
import numpy as np

# --------------------------------------------------------------------------------------------------------------- Keras


def layer(kind, name, **config):
    return {"module": "keras.layers", "class_name": kind, "config": {"name": name, **config}, "registered_name": None}


def sequential(*layers, **extra):
    first = layer("InputLayer", "in", batch_input_shape=[None, 3])
    config = {"name": "model", "layers": [first, *layers]}
    return {"module": "keras", "class_name": "Sequential", "config": config, "registered_name": None, **extra}


DENSE = layer("Dense", "head", units=2, activation="softmax")
LAMBDA = layer("Lambda", "evil", function={"class_name": "__lambda__", "config": {"value": "4wEAAAA"}})


def weights(fill=None):
    file = io.BytesIO()
    with h5py.File(file, "w") as root:
        root["layers/head/vars/0"] = np.zeros((3, 2), np.float32)
        if fill:
            fill(root)
    return file.getvalue()


def archive(parts, stored=zipfile.ZIP_STORED):
    """A zip of names and contents, in order; a name may come twice."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", stored) as out, warnings.catch_warnings(action="ignore"):
        for name, content in parts:
            out.writestr(name, content)
    return file.getvalue()


def keras_parts(config, *, version="2.21.0", hdf5=None):
    return [
        ("metadata.json", json.dumps({"keras_version": version})),
        ("config.json", config if isinstance(config, str | bytes) else json.dumps(config)),
        ("model.weights.h5", hdf5 or weights()),
    ]


def keras_file(config, *, members=None, stored=zipfile.ZIP_STORED, version="2.21.0", hdf5=None):
    parts = dict(keras_parts(config, version=version, hdf5=hdf5)) | (members or {})
    return archive(parts.items(), stored)


def h5_file(config, fill=None):
    def with_config(root):
        root.attrs["model_config"] = config if isinstance(config, str) else json.dumps(config)
        if fill:
            fill(root)

    return weights(with_config)


# -------------------------------------------------------------------------------------------------------------- TFLite


def flat(value, builder):
    """A value as a FlatBuffers object: {field: value} a table, others by type; (kind, number) stands in its table."""
    if isinstance(value, str):
        return builder.CreateString(value)
    if isinstance(value, bytes):
        return builder.CreateByteVector(value)
    if isinstance(value, np.ndarray):
        return builder.CreateNumpyVector(value)
    if isinstance(value, list):
        places = [flat(each, builder) for each in value]
        builder.StartVector(4, len(places), 4)
        for place in reversed(places):
            builder.PrependUOffsetTRelative(place)
        return builder.EndVector()
    fields = {number: each if isinstance(each, tuple) else flat(each, builder) for number, each in value.items()}
    builder.StartObject(max(fields, default=-1) + 1)
    for number, each in fields.items():
        if isinstance(each, tuple):
            getattr(builder, f"Prepend{each[0]}Slot")(number, each[1], 0)
        else:
            builder.PrependUOffsetTRelativeSlot(number, each, 0)
    return builder.EndObject()


def tensor(name, shape, *, buffer=0, kind=0, **more):
    """A tensor; further fields as `f10=…`."""
    fields = {0: np.array(shape, np.int32), 1: ("Int8", kind), 2: ("Uint32", buffer), 3: name}
    return fields | {int(field[1:]): value for field, value in more.items()}


def operation(code, inputs, outputs):
    return {0: ("Uint32", code), 1: np.array(inputs, np.int32), 2: np.array(outputs, np.int32)}


TENSORS = [tensor("x", [1, 3]), tensor("w", [2, 3], buffer=1), tensor("y", [1, 2])]
WEIGHTS = np.ones((2, 3), np.float32).tobytes()


def op_code(number, custom=None):
    """An operation's code, in the old field of a byte and the new one."""
    fields = {0: ("Int8", min(number, 127)), 3: ("Int32", number)}
    return fields | ({1: custom} if custom else {})


def tflite_file(*, codes=None, tensors=None, operations=None, buffers=None, graphs=None, ends=((0,), (2,)), **more):
    """One fully connected layer of three inputs and two outputs; further fields of the file as `f8=…`."""
    codes = codes or [op_code(9)]
    graph = {
        0: TENSORS if tensors is None else tensors,
        1: np.array(ends[0], np.int32),
        2: np.array(ends[1], np.int32),
        3: [operation(0, [0, 1], [2])] if operations is None else operations,
    }
    buffers = [{}, {0: WEIGHTS}] if buffers is None else buffers
    model = {0: ("Uint32", 3), 1: codes, 2: [graph] if graphs is None else graphs, 4: buffers}
    builder = flatbuffers.Builder(1024)
    builder.ForceDefaults(forceDefaults=True)
    root = flat(model | {int(field[1:]): value for field, value in more.items()}, builder)
    builder.Finish(root, b"TFL3")
    return bytes(builder.Output())


# ------------------------------------------------------------------------------------------------- protocol buffers


def varint(number):
    number &= (1 << 64) - 1
    parts = []
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])


def proto(*fields):
    """A message of (field, value): integers, texts, bytes, and lists of such pairs, which are messages."""
    found = b""
    for number, value in fields:
        if isinstance(value, int):
            found += varint(number << 3) + varint(value)
            continue
        content = proto(*value) if isinstance(value, list) else value.encode() if isinstance(value, str) else value
        found += varint(number << 3 | 2) + varint(len(content)) + content
    return found


def onnx_value(name, *sizes):
    shape = [(1, [(1, size)] if isinstance(size, int) else [(2, size)]) for size in sizes]
    return [(1, name), (2, [(1, [(1, 1), (2, shape)])])]


def onnx_node(kind, inputs, outputs, *more):
    return [*((1, name) for name in inputs), *((2, name) for name in outputs), (4, kind), *more]


def onnx_constant(*more, dims=(3, 2), content=None):
    content = np.ones((3, 2), np.float32).tobytes() if content is None else content
    return [*((1, size) for size in dims), (2, 1), (8, "w"), *([(9, content)] if content else []), *more]


def onnx_graph(nodes=None, constants=None, more=(), ends=(("x", "batch", 3), ("y", "batch", 2))):
    nodes = [onnx_node("MatMul", ["x", "w"], ["y"])] if nodes is None else nodes
    constants = [onnx_constant()] if constants is None else constants
    return [
        *((1, node) for node in nodes), (2, "g"), *((5, constant) for constant in constants),
        (11, onnx_value(*ends[0])), (12, onnx_value(*ends[1])), *more,
    ]  # fmt: skip


def onnx_file(*more, **graph):
    """A product of three inputs and a constant."""
    return proto((1, 8), (8, [(1, ""), (2, 13)]), (7, onnx_graph(**graph)), *more)


def op(name, kind, inputs=(), *attributes):
    """A node of TensorFlow; attributes as (name, value message)."""
    attrs = [(5, [(1, key), (2, value)]) for key, value in attributes]
    return [(1, name), (2, kind), *((3, each) for each in inputs), *attrs]


def called(name):
    return ("f", [(10, [(1, name)])])


def library(*functions):
    """Functions of a graph as (name, nodes, attributes…)."""
    return [(1, [(1, [(1, name)]), *((3, node) for node in nodes), *more]) for name, nodes, *more in functions]


SERVED = [op("x", "Placeholder"), op("y", "StatefulPartitionedCall", ["x"], called("served"))]
SERVING = ("served", [op("r", "Relu", ["x"])])


def objects(*, function="served", name="serving_default", kind="signature_map", more=()):
    """The root, its signatures, and the function of one of them, as TensorFlow saves them."""
    return [
        [(1, [(1, 1), (2, "signatures")]), (4, [(1, "_generic_user_object")])],
        [(1, [(1, 2), (2, name)]), (4, [(1, kind)]), *more],
        [(8, [(1, function)])],
    ]


def _tensor_info(name, *sizes):
    return [(1, name), (2, 1), (3, [(2, [(1, size)]) for size in sizes])]


SIGNATURE = [(1, [(1, "in"), (2, _tensor_info("x:0", -1, 3))]), (2, [(1, "out"), (2, _tensor_info("y:0", -1, 2))])]


def saved_model(
    nodes=None, functions=(SERVING,), *, saved=None, more=(), signature=SIGNATURE, tag="serve", members=(), twice=()
):
    """A packed SavedModel of one function.

    `saved` are its objects, `more` further fields of its graph's message, `twice` of the file's.
    """
    graph = [*((1, node) for node in (SERVED if nodes is None else nodes)), (2, library(*functions))]
    meta = [
        (1, [(4, tag)]), (2, graph), (5, [(1, "serving_default"), (2, signature)]),
        (7, [(1, list(each)) for each in (objects() if saved is None else saved)]), *more,
    ]  # fmt: skip
    return archive([("saved_model.pb", proto((1, 1), (2, meta), *twice)), *members])
