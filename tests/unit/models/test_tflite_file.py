from __future__ import annotations

import struct

import numpy as np
import pytest

from auditor.errors import ModelError
from auditor.models.tflite import parse_tflite


@pytest.fixture(scope="module")
def converted(small):
    from auditor.compress.quantize import Quantize

    calibration = np.random.default_rng(0).normal(size=(20, 6)).astype(np.float32)
    return {kind: Quantize(method=kind).convert(small, calibration).content for kind in ("float16", "int8")}


def test_tensors_and_operations_are_those_that_the_interpreter_sees(converted):
    from auditor.tf import load, quiet

    for content in converted.values():
        with quiet():
            interpreter = load().tf.lite.Interpreter(
                model_content=content,
                experimental_op_resolver_type=load().tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            )
        parsed = parse_tflite(content, "model")
        seen = {
            detail["name"]: (tuple(detail["shape"]), np.dtype(detail["dtype"]).name)
            for detail in interpreter.get_tensor_details()
        }
        assert {tensor.name: (tensor.shape, tensor.type) for tensor in parsed.tensors} == seen
        assert [operation.name for operation in parsed.operations] == [
            each["op_name"] for each in interpreter._get_ops_details()
        ]


def test_every_single_bit_of_a_header_or_a_cut_gives_an_error_or_a_file_never_a_crash(converted):
    content = converted["int8"]
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        damaged = bytearray(content)
        damaged[rng.integers(len(content))] ^= 1 << int(rng.integers(8))
        try:
            parse_tflite(bytes(damaged[: rng.integers(8, len(content) + 1)]), "model")
        except ModelError:
            refused += 1
    assert refused > 200


def test_a_custom_operation_is_refused_by_its_name(converted):
    # The operation codes are a vector of tables: the first one's number becomes 32, "custom".
    content = bytearray(converted["float16"])
    root = struct.unpack_from("<I", content, 0)[0]
    fields = root - struct.unpack_from("<i", content, root)[0]
    place = root + struct.unpack_from("<H", content, fields + 4 + 2)[0]
    vector = place + struct.unpack_from("<I", content, place)[0]
    code = vector + 4 + struct.unpack_from("<I", content, vector + 4)[0]
    slots = code - struct.unpack_from("<i", content, code)[0]
    old, new = (struct.unpack_from("<H", content, slots + 4 + 2 * field)[0] for field in (0, 3))
    content[code + (old or new)] = 32
    if new:
        struct.pack_into("<i", content, code + new, 32)
    with pytest.raises(ModelError, match="custom and Flex operations are refused"):
        parse_tflite(bytes(content), "model")


def test_what_is_no_tflite_file_is_said():
    for content in (b"", b"x" * 100, b"\0\0\0\0TFL3", b"\xff\xff\xff\x7fTFL3" + b"\0" * 50):
        with pytest.raises(ModelError, match=r"not a TFLite file|damaged"):
            parse_tflite(content, "model")


def many_buffers(count, size):
    """A file whose buffers are all the same table, with one vector of `size` bytes."""
    slots = struct.pack("<7H", 14, 8, 0, 0, 0, 0, 4) + b"\0\0"
    root = struct.pack("<iI", len(slots), 4)
    vector = struct.pack("<I", count)
    start = 8 + len(slots) + len(root)
    shared = start + 4 + 4 * count + 8
    offsets = b"".join(struct.pack("<I", shared - (start + 4 + 4 * index)) for index in range(count))
    table = struct.pack("<4H", 6, 8, 4, 0) + struct.pack("<iI", 8, 4) + struct.pack("<I", size) + b"x" * size
    return struct.pack("<I", 8 + len(slots)) + b"TFL3" + slots + root + vector + offsets + table


def test_buffers_that_together_declare_more_than_the_file_has_are_refused():
    with pytest.raises(ModelError, match="together declare more bytes than the file has"):
        parse_tflite(many_buffers(1000, 5000), "model")


def test_values_are_parts_of_the_file_not_copies(converted):
    content = converted["float16"]
    constants = [tensor.data for tensor in parse_tflite(content, "model").tensors if tensor.data]
    assert constants
    assert all(data.obj is content for data in constants)
