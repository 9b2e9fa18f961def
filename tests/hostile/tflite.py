"""TFLite files with operations of others, with weights elsewhere, and with offsets that lead nowhere."""

from __future__ import annotations

import struct

from hostile.files import BREAKS, FILLS, READS, RUNS, Hostile
from hostile.makers import TENSORS, WEIGHTS, op_code, operation, tensor, tflite_file

WHOLE = tflite_file()


def _operations():
    for name, codes in {
        "flex": [op_code(32, "FlexWriteFile")],
        "flex_of_python": [op_code(32, "FlexPyFunc")],
        "custom": [op_code(32, "TFLite_Detection_PostProcess")],
        "custom_without_a_name": [op_code(32)],
        "custom_in_the_old_field_alone": [{0: ("Int8", 32), 1: "FlexEagerPyFunc"}],
        "custom_that_is_not_used": [op_code(9), op_code(32, "FlexReadFile")],
    }.items():
        yield Hostile(
            name=f"tflite_{name}",
            ending=".tflite",
            content=tflite_file(codes=codes),
            said="a custom operation",
            does=RUNS,
        )
    for name, number, said in (("delegate", 51, "of a delegate"), ("placeholder", 127, "a placeholder")):
        content = tflite_file(codes=[op_code(number, "x")])
        yield Hostile(name=f"tflite_{name}", ending=".tflite", content=content, said=said, does=RUNS)


def _elsewhere():
    group = [{0: "/etc/passwd"}]
    buffer = [{0: ("Uint32", 1), 1: ("Uint32", 0), 2: ("Uint64", 0), 3: ("Uint64", 24)}]
    named = [TENSORS[0], tensor("w", [2, 3], f10=("Uint32", 1)), TENSORS[2]]
    for name, content in {
        "weights_of_another_file": tflite_file(tensors=named, f8=group, f9=buffer),
        "names_of_other_files": tflite_file(f8=group),
    }.items():
        yield Hostile(
            name=f"tflite_{name}", ending=".tflite", content=content, said="weights in other files", does=READS
        )


def _indices():
    x, w, y = TENSORS
    for name, changed, said in (
        ("no_graph", {"graphs": []}, "damaged"),
        ("tensor_without_a_buffer", {"tensors": [x, tensor("w", [2, 3], buffer=9), y]}, "damaged"),
        ("operation_without_a_code", {"operations": [operation(5, [0, 1], [2])]}, "damaged"),
        (
            "input_that_is_not_there",
            {"operations": [operation(0, [0, 1, 99], [2])]},
            "names a tensor that is not there",
        ),
        ("input_before_the_first", {"operations": [operation(0, [0, -7], [2])]}, "names a tensor that is not there"),
        (
            "output_that_is_not_there",
            {"operations": [operation(0, [0, 1], [1 << 30])]},
            "names a tensor that is not there",
        ),
        ("output_left_out", {"operations": [operation(0, [0, 1], [-1])]}, "names a tensor that is not there"),
        ("graph_input_from_the_end", {"ends": ((-1,), (2,))}, "names a tensor that is not there"),
        ("graph_output_that_is_not_there", {"ends": ((0,), (7,))}, "names a tensor that is not there"),
        ("several_inputs", {"ends": ((0, 1), (2,))}, "2 inputs and 1 outputs"),
        ("no_output", {"ends": ((0,), ())}, "1 inputs and 0 outputs"),
        ("weights_too_few", {"buffers": [{}, {0: WEIGHTS[:-4]}]}, "should have 24 bytes"),
        ("weights_too_many", {"buffers": [{}, {0: WEIGHTS + WEIGHTS}]}, "should have 24 bytes"),
        (
            "weights_behind_the_end",
            {"buffers": [{}, {1: ("Uint64", 1 << 40), 2: ("Uint64", 24)}]},
            "beyond the file's end",
        ),
        (
            "weights_of_all_bytes",
            {"buffers": [{}, {1: ("Uint64", 2), 2: ("Uint64", (1 << 64) - 1)}]},
            "beyond the file's end",
        ),
        ("negative_shape", {"tensors": [tensor("x", [-5, 3]), w, y]}, "has the shape [-5, 3]"),
        ("negative_weights", {"tensors": [x, tensor("w", [-2, -3], buffer=1), y]}, "has the shape [-2, -3]"),
    ):
        yield Hostile(name=f"tflite_{name}", ending=".tflite", content=tflite_file(**changed), said=said, does=BREAKS)
    for name, shape in (
        ("wide", [1 << 30, 1 << 30]),
        ("that_wraps_around", [1 << 16] * 4),
        ("that_fits_no_memory", [1, 1 << 30, 5]),
        ("of_20_000_sizes", [(1 << 31) - 1] * 20_000),
    ):
        content = tflite_file(tensors=[x, w, tensor("y", shape)])
        yield Hostile(
            name=f"tflite_output_{name}", ending=".tflite", content=content, said='tensor "y" has', does=FILLS
        )


def _moved(offset, value):
    found = bytearray(WHOLE)
    struct.pack_into("<I", found, offset, value & 0xFFFFFFFF)
    return bytes(found)


def _root():
    return struct.unpack_from("<I", WHOLE, 0)[0]


def _damaged():
    for name, content, said in (
        ("root_beyond_the_end", _moved(0, 1 << 31), "damaged"),
        ("root_in_its_own_offset", _moved(0, 0), "damaged"),
        ("fields_before_the_start", _moved(_root(), 1 << 30), "damaged"),
        ("fields_beyond_the_end", _moved(_root(), -(1 << 30)), "damaged"),
        ("signature_elsewhere", b"TFL3" + WHOLE, "not a TFLite file"),
        ("other_signature", WHOLE.replace(b"TFL3", b"TFL9", 1), "not a TFLite file"),
        ("first_half", WHOLE[: len(WHOLE) // 2], "damaged"),
        ("header_alone", WHOLE[:8], "damaged"),
        ("empty", b"", "not a TFLite file"),
        ("program", b"\x7fELF" + bytes(100), "not a TFLite file"),
        (
            "lengths_of_four_gigabytes",
            WHOLE.replace(struct.pack("<I", 24) + WEIGHTS, b"\xff\xff\xff\xff" + WEIGHTS),
            "damaged",
        ),
        ("name_that_is_no_text", WHOLE.replace(b"\x01\0\0\0w\0", b"\x01\0\0\0\xff\0"), "damaged"),
    ):
        yield Hostile(name=f"tflite_{name}", ending=".tflite", content=content, said=said, does=BREAKS)


FILES = (*_operations(), *_elsewhere(), *_indices(), *_damaged())
