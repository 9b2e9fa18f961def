"""ONNX files, read without onnxruntime: what they compute with, and that nothing in them leads out. onnx.proto."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from auditor.errors import ModelError, Problem
from auditor.models.artifact import count_weights
from auditor.models.protobuf import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.models.artifact import Weights

_STANDARD = frozenset({"", "ai.onnx", "ai.onnx.ml"})
_RANK = 32
"""Sizes that a shape may have."""
_OTHER_FORMAT = b"ORTM"
"""At bytes 4 to 7, onnxruntime takes a file for one of its own format, whatever it is as ONNX."""
_RESERVED = ("ai.onnx", "com.microsoft")
_QUANTISED = """
    Attention BiasGelu BiasSoftmax DequantizeLinear DynamicQuantizeLSTM DynamicQuantizeMatMul EmbedLayerNormalization
    FastGelu FusedConv FusedGemm FusedMatMul Gelu LayerNormalization MatMulIntegerToFloat MultiHeadAttention NhwcMaxPool
    QAttention QGemm QLinearAdd QLinearAveragePool QLinearConcat QLinearGlobalAveragePool QLinearLeakyRelu QLinearMul
    QLinearReduceMean QLinearSigmoid QLinearSoftmax QuantizeLinear QuickGelu SkipLayerNormalization
"""
_MICROSOFT = frozenset(_QUANTISED.split())
"""Of onnxruntime's own operators, those that compute: others call Python or read files."""
_TYPES = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 9: "bool", 10: "float16",
    11: "float64", 12: "uint32", 13: "uint64", 16: "bfloat16",
}  # fmt: skip
_WEIGHTS = frozenset({"float32", "float16", "bfloat16", "float64", "int8", "uint8"})
"""Types of weights: other integers are shapes, indices and the biases of quantised layers."""
_ZERO_POINTS = {
    "DequantizeLinear": (0, 2), "QLinearConv": (3, 5), "QLinearMatMul": (3, 5), "QGemm": (3, 5),
    "MatMulInteger": (1, 3), "ConvInteger": (1, 3), "MatMulIntegerToFloat": (1, 5),
}  # fmt: skip
"""Operators that read quantised weights: which input they are, and which is their zero point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Initializer:
    """A constant of the graph."""

    name: str
    shape: tuple[int, ...]
    type: str
    """Such as "float32"."""
    values: np.ndarray[tuple[int, ...], np.dtype[np.generic]]
    """Flat; bfloat16 as uint16."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """An input or output of the graph."""

    name: str
    type: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxFile:
    """What an ONNX file holds, as far as an audit asks."""

    operators: tuple[tuple[str, str], ...]
    """Name and kind, of the main graph."""
    ends: tuple[str, ...]
    """The kind of the operator that makes each output."""
    initializers: tuple[Initializer, ...]
    zero_points: dict[str, str]
    """Name of quantised weights to the name of their zero points."""
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]

    def weights(self) -> Iterator[Weights]:
        """Every constant that is weights, not the scales' zero points."""
        constants = {constant.name: constant for constant in self.initializers}
        points = set(self.zero_points.values())
        for constant in self.initializers:
            if constant.type not in _WEIGHTS or constant.name in points or not constant.values.size:
                continue
            point = constants.get(self.zero_points.get(constant.name, ""))
            zero = point.values[0] if point is not None and point.values.size == 1 else 0
            yield count_weights(constant.name, constant.values.reshape(constant.shape), zero=zero, kind=constant.type)


def parse_onnx(content: bytes, file: str) -> OnnxFile:
    """Read a file. Raises ModelError where it is damaged, reads other files, or has operators of others."""
    if content[4:8] == _OTHER_FORMAT:
        raise ModelError(Problem(file=file, message="onnxruntime would read it as a file of its own format, not ONNX"))
    try:
        model = Message(memoryview(content))
        graph = model.message(7)
        if not graph.has(1):
            raise ModelError(Problem(file=file, message="it holds no ONNX graph"))
        if model.has(20):
            raise ModelError(Problem(file=file, message="it holds what training needs: save it for inference"))
        refusals = list(dict.fromkeys(_refusals(graph, model.messages(25))))
        parsed = None if refusals else _parsed(graph)
    except (ValueError, RecursionError) as error:
        raise ModelError(Problem(file=file, message=f"the ONNX file is damaged: {error}")) from error
    if parsed is None:
        raise ModelError(*(Problem(file=file, where=where, message=said) for where, said in refusals))
    return parsed


def _parsed(graph: Message) -> OnnxFile:
    nodes = graph.messages(1)
    initializers = tuple(_initializer(each) for each in graph.messages(5))
    constants = {each.name for each in initializers}
    outputs = tuple(_value(each) for each in graph.messages(12))
    makers = {name: node.text(4) for node in nodes for name in node.texts(2)}
    return OnnxFile(
        operators=tuple((node.text(3) or str(number), node.text(4)) for number, node in enumerate(nodes)),
        ends=tuple(makers.get(each.name, "") for each in outputs),
        initializers=initializers,
        zero_points=dict(_points(nodes)),
        # Older files list the weights among the inputs.
        inputs=tuple(value for value in map(_value, graph.messages(11)) if value.name not in constants),
        outputs=outputs,
    )


def _points(nodes: list[Message]) -> Iterator[tuple[str, str]]:
    for node in nodes:
        weight, point = _ZERO_POINTS.get(node.text(4), (0, -1))
        inputs = node.texts(1)
        if 0 <= point < len(inputs):
            yield inputs[weight], inputs[point]


def _refusals(graph: Message, functions: list[Message]) -> Iterator[tuple[str, str]]:
    """Place and reason of all that is refused in the graph, in functions, and in the graphs inside their operators."""
    own = {(function.text(10), function.text(1)) for function in functions}
    graphs, nodes = [graph], [node for function in functions for node in function.messages(7)]
    yield from _functions_refused(functions)
    while graphs or nodes:
        if not nodes:
            graph = graphs.pop()
            nodes = graph.messages(1)
            for constant in graph.messages(5):
                yield from _stored_elsewhere(constant)
            if graph.has(15):
                yield "", "it holds sparse weights, which are not read"
            continue
        node = nodes.pop()
        kind, domain = node.text(4), node.text(7)
        known = domain in _STANDARD or (domain == "com.microsoft" and kind in _MICROSOFT)
        if not known and (domain, kind) not in own:
            yield f"operator {kind}", f'it is of the domain "{domain}": code that is no part of ONNX'
        for attribute in node.messages(5):
            for constant in attribute.messages(5) + attribute.messages(10):
                yield from _stored_elsewhere(constant)
            if attribute.has(22) or attribute.has(23):
                yield f"operator {kind}", "it holds sparse weights, which are not read"
            graphs += attribute.messages(6) + attribute.messages(11)


def _functions_refused(functions: list[Message]) -> Iterator[tuple[str, str]]:
    for function in functions:
        name, domain = function.text(1), function.text(10)
        if domain in _STANDARD or domain.startswith(_RESERVED):
            yield f"function {name}", f'it is of the domain "{domain}", and onnxruntime may run its own instead of it'
        if function.has(11):
            yield "", "a function of its own has settings by default, which are not read"


def _stored_elsewhere(constant: Message) -> Iterator[tuple[str, str]]:
    if constant.number(14) or constant.has(13):
        yield constant.text(8), "its values are in another file"


def _initializer(constant: Message) -> Initializer:
    name, kind = constant.text(8), constant.number(2)
    shape = tuple(constant.numbers(1, most=_RANK))
    if len(shape) > _RANK:
        raise ValueError(f'the constant "{name}" has more than {_RANK} sizes')
    if kind not in _TYPES:
        raise ValueError(f'the constant "{name}" is of the type {kind}, which is not read')
    dtype = np.dtype("uint16" if _TYPES[kind] == "bfloat16" else _TYPES[kind]).newbyteorder("<")
    declared = prod(shape)
    if min(shape, default=0) < 0:
        raise ValueError(f'the constant "{name}" declares the shape {list(shape)}')
    values = _values(constant, dtype, declared)
    if values.size != declared:
        raise ValueError(f'the constant "{name}" declares {declared:,} numbers and holds {values.size:,}')
    return Initializer(name=name, shape=shape, type=_TYPES[kind], values=values)


def _values(
    constant: Message, dtype: np.dtype[np.generic], declared: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    """The numbers of a constant, which are in one of several fields, hardly more than it declares."""
    if raw := constant.raw(9):
        return np.frombuffer(raw[-1], dtype)
    for field, kind in ((4, "<f4"), (10, "<f8")):
        if packed := constant.raw(field):
            return np.frombuffer(b"".join(packed), kind).astype(dtype)
    whole = [number for field in (5, 7, 11) for number in constant.numbers(field, most=declared)]
    # Reals of 16 bits stand there as the integers of the same bits.
    return (
        np.array(whole, np.int64).astype(np.uint16).view(dtype) if dtype.kind == "f" else np.array(whole).astype(dtype)
    )


def _value(info: Message) -> Value:
    tensor = info.message(2).message(1)
    sizes = [size.number(1) if size.has(1) else None for size in tensor.message(2).messages(1, most=_RANK)]
    return Value(name=info.text(1), type=_TYPES.get(tensor.number(1), "unknown"), shape=tuple(sizes))
