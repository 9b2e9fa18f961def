"""ONNX files and packed SavedModels that do more than compute, or that two parsers read differently."""

from __future__ import annotations

import struct

from hostile.files import BREAKS, FILLS, MISLEADS, READS, RUNS, Hostile
from hostile.makers import (
    SERVED,
    SERVING,
    SIGNATURE,
    archive,
    called,
    objects,
    onnx_constant,
    onnx_file,
    onnx_graph,
    onnx_node,
    op,
    proto,
    saved_model,
    varint,
)

# ---------------------------------------------------------------------------------------------------------------- ONNX
ELSEWHERE = ((13, [(1, "location"), (2, "/etc/passwd")]), (14, 1))
OUTSIDE = onnx_constant(*ELSEWHERE, content=b"")
CUSTOM = onnx_node("Run", ["x"], ["y"], (7, "evil.domain"))


def _held(attribute):
    """An ordinary operator with an attribute."""
    return onnx_file(nodes=[onnx_node("Identity", ["x"], ["y"], (5, attribute))])


def _deep(levels):
    node = proto(*CUSTOM)
    for _ in range(levels):
        node = proto(*onnx_node("If", ["c"], ["y"], (5, [(1, "then_branch"), (20, 5), (6, [(1, node), (2, "g")])])))
    return onnx_file(nodes=[node])


def _function(*more, node=None):
    node = node or onnx_node("Identity", ["a"], ["b"])
    return (25, [(1, "Own"), (4, "a"), (5, "b"), (7, node), (10, "own"), *more])


OWN = {"nodes": [onnx_node("Own", ["x"], ["y"], (7, "own"))]}
ONNX = {
    "external_data": (onnx_file(constants=[OUTSIDE]), "in another file", READS),
    "external_data_by_a_path_above": (
        onnx_file(constants=[onnx_constant((13, [(1, "location"), (2, "../../../etc/passwd")]), (14, 1), content=b"")]),
        "in another file", READS,
    ),
    "external_data_beside_its_own": (onnx_file(constants=[onnx_constant(*ELSEWHERE)]), "in another file", READS),
    "external_data_of_an_attribute": (_held([(1, "value"), (20, 4), (5, OUTSIDE)]), "in another file", READS),
    "external_data_among_attributes": (_held([(1, "value"), (20, 9), (10, OUTSIDE)]), "in another file", READS),
    "external_data_of_a_function": (
        onnx_file(_function(node=onnx_node("Constant", [], ["b"], (5, [(1, "value"), (20, 4), (5, OUTSIDE)]))), **OWN),
        "in another file", READS,
    ),
    "external_data_of_a_functions_default": (
        onnx_file(_function((11, [(1, "k"), (20, 4), (5, OUTSIDE)])), **OWN), "settings by default", READS,
    ),
    "sparse_weights": (onnx_file(more=[(15, [(1, OUTSIDE)])]), "sparse weights", READS),
    "sparse_attribute": (_held([(1, "sparse_value"), (20, 11), (22, [(1, OUTSIDE)])]), "sparse weights", READS),
    "custom_domain": (onnx_file(nodes=[CUSTOM]), 'domain "evil.domain"', RUNS),
    "custom_domain_in_a_branch": (_deep(1), 'domain "evil.domain"', RUNS),
    "custom_domain_in_fifty_branches": (_deep(50), 'domain "evil.domain"', RUNS),
    "custom_domain_in_thousands_of_branches": (_deep(3000), 'domain "evil.domain"', BREAKS),
    "custom_domain_in_a_function": (onnx_file(_function(node=CUSTOM), **OWN), 'domain "evil.domain"', RUNS),
    "custom_domain_that_looks_alike": (
        onnx_file(nodes=[onnx_node("Relu", ["x"], ["y"], (7, "ai.\u043ennx"))]), "no part of ONNX", RUNS,
    ),
    "python_operator": (onnx_file(nodes=[onnx_node("PyOp", ["x"], ["y"], (7, "ai.onnx.contrib"))]), "PyOp", RUNS),
    "python_operator_of_the_runtime": (
        onnx_file(nodes=[onnx_node("PythonOp", ["x"], ["y"], (7, "com.microsoft"))]), "PythonOp", RUNS,
    ),
    "model_of_an_accelerator": (
        onnx_file(nodes=[onnx_node("EPContext", ["x"], ["y"], (7, "com.microsoft"))]), "EPContext", READS,
    ),
    "graph_in_two_parts": (
        onnx_file((7, [(2, "g")]), nodes=[CUSTOM]), "evil.domain", MISLEADS,
    ),
    "graph_after_another": (
        proto((1, 8), (7, onnx_graph(nodes=[CUSTOM])), (7, onnx_graph())), "evil.domain", MISLEADS,
    ),
    "constant_in_two_parts": (
        onnx_file(nodes=[onnx_node("Constant", [], ["y"], (5, [(1, "value"), (5, OUTSIDE), (5, onnx_constant())]))]),
        "in another file", MISLEADS,
    ),
    "format_of_the_runtime": (
        b"\x08\x08\x22\x01ORTM" + bytes(83) + onnx_file(), "its own format", MISLEADS,
    ),
    "tag_of_33_bits": (onnx_file(more=[(5 | 1 << 29, OUTSIDE)]), "no field", READS),
    "field_0": (onnx_file((0, 1)), "no field 0", MISLEADS),
    "constant_of_20_000_sizes": (
        onnx_file(constants=[onnx_constant(dims=[(1 << 63) - 1] * 20_000)]), "more than 32 sizes", FILLS,
    ),
    "input_of_20_000_sizes": (onnx_file(ends=(("x", *[9] * 20_000), ("y", 2))), "times, not 32", FILLS),
    "numbers_without_an_end": (
        onnx_file(constants=[onnx_constant((2, 7), (7, b"\x01" * 2_000_000), content=b"")]), "and holds 7", FILLS,
    ),
    "function_of_the_standard_domain": (
        onnx_file(_function((10, "")), nodes=[onnx_node("Own", ["x"], ["y"])]), "may run its own", MISLEADS,
    ),
    "function_of_the_runtimes_domain": (
        onnx_file(_function((10, "com.microsoft")), nodes=[onnx_node("Own", ["x"], ["y"], (7, "com.microsoft"))]),
        "may run its own", MISLEADS,
    ),
    "training": (onnx_file((20, [(2, onnx_graph(nodes=[CUSTOM]))])), "training", RUNS),
    "bomb_of_a_constant": (onnx_file(constants=[onnx_constant(dims=(1 << 40, 2))]), "declares 2,199,023", FILLS),
    "bomb_that_wraps_around": (onnx_file(constants=[onnx_constant(dims=(1 << 32, 1 << 32))]), "declares 18,446", FILLS),
    "negative_size": (onnx_file(constants=[onnx_constant(dims=(-3, -2))]), "declares", BREAKS),
    "constant_cut_short": (onnx_file(constants=[onnx_constant(content=bytes(23))]), "damaged", BREAKS),
    "constant_of_an_unknown_type": (onnx_file(constants=[onnx_constant((2, 99))]), "type 99", BREAKS),
    "several_inputs": (onnx_file(more=[(11, [(1, "z")])]), "2 inputs and 1 outputs", BREAKS),
    "first_half": (onnx_file()[:60], "damaged", BREAKS),
    "length_of_all_bytes": (varint(7 << 3 | 2) + varint((1 << 63) - 1), "damaged", FILLS),
    "number_without_an_end": (b"\x08" + b"\xff" * 40, "damaged", BREAKS),
    "group": (b"\x3b\x3c" + onnx_file(), "damaged", BREAKS),
    "graph_that_is_a_number": (proto((7, 5)), "damaged", BREAKS),
    "pickle": (b"\x80\x04\x8c\x05posix\x8c\x06system\x93.", "damaged", RUNS),
    "program": (b"\x7fELF" + bytes(100), "damaged", RUNS),
}  # fmt: skip


# ---------------------------------------------------------------------------------------------------------- SavedModel
def _running(kind):
    """A graph whose output comes of an operator."""
    return saved_model([op("x", "Placeholder"), op("y", kind, ["x"])])


def _beside(kind):
    """A graph with an operator that nothing comes of, which a loader or a signature may run all the same."""
    return saved_model([*SERVED, op("z", kind)])


HIDDEN = [op("z", "WriteFile")]
CALLING = [op("x", "Placeholder"), op("y", "PartitionedCall", ["x"], called("inner"))]
BRANCH = [op("x", "Placeholder"), op("y", "StatelessIf", ["x"], ("then_branch", [(10, [(1, "inner")])]))]
BIG = ("value", [(8, [(1, 1), (2, [(2, [(1, 1 << 40)])])])])
FIXED = ("value", [(8, [(1, 1), (2, [(2, proto((1, 1 << 40)) + b"\x09" + struct.pack("<Q", 0))])])])


RUNNING = (
    "WriteFile", "ReadFile", "MatchingFiles", "PyFunc", "EagerPyFunc", "PyFuncStateless", "PrintV2", "Save",
    "ReaderReadV2", "WholeFileReaderV2", "FixedLengthRecordDataset", "TFRecordDataset", "InitializeTableFromTextFileV2",
    "RpcCall", "DecodeProtoV2", "XlaCallModule", "OperatorOfALibrary", "RaggedTensorToVariant", "Assert",
)  # fmt: skip


def _saved():
    for kind in RUNNING:
        yield f"runs_{kind}", _running(kind), f"operator {kind}", RUNS
    for kind in ("WriteFile", "PyFunc", "InitializeTableFromTextFileV2"):
        yield f"has_{kind}_beside", _beside(kind), f"operator {kind}", RUNS
    for kind in ("SaveV2", "RestoreV2", "MergeV2Checkpoints", "AssignVariableOp", "RandomUniform"):
        yield f"decides_by_{kind}", _running(kind), "what decides must make numbers of numbers alone", READS
    yield "function_that_writes", saved_model(CALLING, [("inner", HIDDEN)]), "operator WriteFile", RUNS
    yield "branch_that_writes", saved_model(BRANCH, [("inner", HIDDEN)]), "operator WriteFile", RUNS
    yield "function_that_nobody_calls", saved_model(None, [SERVING, ("inner", HIDDEN)]), "operator WriteFile", RUNS
    twice = saved_model(CALLING, [("inner", HIDDEN), ("inner", [op("z", "Relu")])])
    yield "functions_of_one_name", twice, "have one name", MISLEADS
    same = saved_model([SERVED[0], op("y", "WriteFile", ["x"]), SERVED[1]])
    yield "nodes_of_one_name", same, "have one name", MISLEADS
    yield "graph_in_two_parts", saved_model([*SERVED, *HIDDEN], more=[(2, [])]), "operator WriteFile", MISLEADS
    yield "graph_after_another", saved_model(HIDDEN, more=[(2, [(1, node) for node in SERVED])]), "WriteFile", MISLEADS
    late = saved_model(functions=[SERVING, ("inner", HIDDEN)], more=[(2, [(2, [])])])
    yield "functions_in_two_parts", late, "operator WriteFile", MISLEADS
    yield "two_graphs", saved_model(twice=[(2, [(1, [(4, "serve")])])]), "not one graph for serving", MISLEADS
    yield "another_tag", saved_model(tag="train"), "not one graph for serving", MISLEADS
    for field, said in (
        (5, "a file that the model reads"),
        (10, "a table"),
        (11, "functions of its own"),
        (13, "a class"),
    ):
        yield f"object_of_field_{field}", saved_model(saved=objects(more=[(field, [])])), said, RUNS
    late = saved_model(saved=objects(more=[(10, [])]), more=[(7, [])])
    yield "objects_in_two_parts", late, "a table", MISLEADS
    yield "bomb_of_a_constant", saved_model([*SERVED, op("c", "Const", (), BIG)]), "grow to", FILLS
    yield "bomb_with_two_sizes", saved_model([*SERVED, op("c", "Const", (), FIXED)]), "not an integer", FILLS
    many = [op(f"c{number}", "Const", (), ("value", [(8, [(2, [(2, [(1, 1 << 27)])])])])) for number in range(20)]
    yield "bomb_of_many_constants", saved_model([*SERVED, *many]), "grow to", FILLS
    yield "no_signature", saved_model(signature=[]), "no signature", BREAKS
    second = [*SIGNATURE, (2, [(1, "b"), (2, [])])]
    yield "output_from_elsewhere", saved_model(signature=second), "not the one that its graph calls", BREAKS
    yield from _of_another_function()
    for name, member in {
        "name_with_a_line": "variables/variables.index\nx", "name_of_ones_own": "variables/variables.words",
        "name_of_a_folder": "variables/variables.data-00000-of-00001/x",
        "asset": "assets/words.txt", "library": "variables/../evil.so", "absolute_member": "/etc/cron.d/evil",
        "text_graph": "saved_model.pbtxt", "parts_of_a_graph": "saved_model.cpb", "second_graph": "saved_model.pb",
    }.items():  # fmt: skip
        yield f"with_{name}", saved_model(members=[(member, "x")]), "no packed SavedModel", RUNS
    yield "without_a_graph", archive([("variables/variables.index", "x")]), "there is no saved_model.pb", BREAKS
    yield "graph_that_is_no_message", archive([("saved_model.pb", b"\x0b\xff\xff")]), "damaged", BREAKS
    yield "no_archive", proto((1, 1)), "no packed SavedModel", BREAKS


WRITES = ("writes", [op("z", "SaveV2", ["x"])])
SAVER = [op("s", "Placeholder"), op("save", "StatefulPartitionedCall", ["s"], called("writes"))]
SAVED_BY = (3, [(1, "s:0"), (2, "save:0"), (3, "save")])
NOT_THE_SAVER = "something else than the saving of the model can call it"


def _same(name="same"):
    return (5, [(1, "api_implements"), (2, [(2, name)])])


def _of_another_function():
    """Files whose graph and objects, or whose functions, say different things."""
    two, other = [SERVING, ("other", [op("r", "Relu", ["x"])])], "not the one that its graph calls"
    for name, saved in {
        "another_function": objects(function="other"),
        "a_function_of_another_kind": [*objects()[:2], [(6, [(1, "served")])]],
        "a_map_of_another_kind": objects(kind="trackable_dict_wrapper"),
        "no_function": objects(name="other"),
        "no_objects": [],
        "two_functions": [*objects(more=[(1, [(1, 3), (2, "serving_default")])]), [(8, [(1, "other")])]],
        "an_object_that_is_not_there": objects(more=[(1, [(1, 9), (2, "serving_default")])])[:2],
    }.items():
        yield f"objects_serve_{name}", saved_model(functions=two, saved=saved), other, MISLEADS
    saver = {"nodes": [*SERVED, *SAVER], "more": [SAVED_BY]}
    for name, changed in {
        "another_node": {"nodes": [*SERVED, *SAVER, op("n", "PartitionedCall", [], called("writes"))]},
        "another_function": {
            "functions": [SERVING, WRITES, ("third", [op("n", "PartitionedCall", [], called("writes"))])]
        },
        "an_object": {"saved": [*objects(), [(8, [(1, "writes")])]]},
        "an_object_of_several_functions": {"saved": [*objects(), [(6, [(1, "writes")])]]},
        "a_list_of_functions": {"more": [SAVED_BY, (7, [(2, [(1, "writes")])])]},
        "another_interface": {"functions": [SERVING, (*WRITES, _same())]},
        "no_saver": {"more": []},
    }.items():
        parts = {"functions": [SERVING, WRITES]} | saver | changed
        yield f"file_operators_that_{name}_reaches", saved_model(**parts), NOT_THE_SAVER, RUNS
    inside = [
        ("served", [op("r", "PartitionedCall", ["x"], called("good"))]),
        ("good", [op("r", "Relu", ["x"])], _same()),
    ]
    for name, kind in (("draws", "RandomUniform"), ("writes", "SaveV2")):
        swapped = saved_model(functions=[*inside, ("evil", [op("z", kind)], _same())])
        yield f"function_of_the_same_interface_{name}", swapped, "what decides must make numbers", MISLEADS
    hidden = [SERVING, ("Relu", [op("z", "RandomUniform")])]
    yield "function_named_as_an_operator", saved_model(functions=hidden), "the name of an operator", MISLEADS
    yield "tag_of_33_bits", saved_model(twice=[(2 | 1 << 29, [(1, [(4, "serve")])])]), "no field", MISLEADS
    rank = ("value", [(8, [(2, [(2, [(1, (1 << 63) - 1)])] * 20_000)])])
    yield "shape_of_20_000_sizes", saved_model([*SERVED, op("c", "Const", (), rank)]), "times, not 254", FILLS


def _all():
    for name, (content, said, does) in ONNX.items():
        yield Hostile(name=f"onnx_{name}", ending=".onnx", content=content, said=said, does=does)
    for name, content, said, does in _saved():
        yield Hostile(name=f"saved_{name}", ending=".savedmodel", content=content, said=said, does=does)


FILES = tuple(_all())
