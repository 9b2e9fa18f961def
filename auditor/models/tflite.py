"""TFLite files, read without TensorFlow: operations, tensors, and how they are quantised.

Every offset is checked against the file's end; the numbers of the fields are those of TensorFlow's schema.fbs.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from auditor.errors import ModelError, Problem
from auditor.models.artifact import count_weights

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.models.artifact import Weights
    from auditor.records import FloatArray, IntArray

TYPES = {
    0: "float32", 1: "float16", 2: "int32", 3: "uint8", 4: "int64", 5: "string", 6: "bool", 7: "int16", 9: "int8",
    10: "float64", 12: "uint64", 15: "uint32", 16: "uint16", 17: "int4", 18: "bfloat16",
}  # fmt: skip
OPERATIONS = {
    0: "ADD", 1: "AVERAGE_POOL_2D", 2: "CONCATENATION", 3: "CONV_2D", 4: "DEPTHWISE_CONV_2D", 6: "DEQUANTIZE",
    9: "FULLY_CONNECTED", 14: "LOGISTIC", 17: "MAX_POOL_2D", 18: "MUL", 19: "RELU", 21: "RELU6", 22: "RESHAPE",
    25: "SOFTMAX", 28: "TANH", 34: "PAD", 40: "MEAN", 67: "TRANSPOSE_CONV", 114: "QUANTIZE", 117: "HARD_SWISH",
    126: "BATCH_MATMUL",
}  # fmt: skip
"""Names of the commonest operations; the others are told by their number."""
_ELSEWHERE = (8, 9)
"""Fields of a file whose weights are in other files, which it names."""
_REFUSED = {32: "a custom operation", 51: "an operation of a delegate", 127: "a placeholder"}
_NO_END = frozenset({"DEQUANTIZE", "QUANTIZE", "RESHAPE"})
"""Operations at the end of a graph that are no activation."""
_PASSED = 8
"""Of them one after another: no converter writes more than two or three."""
_LARGEST = 1 << 30
"""Numbers in one tensor, also in one that is computed: an interpreter takes their memory before anything runs."""
_RANK = 8
"""Sizes that a shape may have: as many as the interpreter itself takes."""
_DAMAGED = (struct.error, IndexError, ValueError, OverflowError, UnicodeDecodeError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """One tensor of a TFLite file."""

    name: str
    shape: tuple[int, ...]
    type: str
    """Such as "float32" or "int8"."""
    scales: int
    """Number of its scales: none, one, or one a channel."""
    zero_points: IntArray
    """None, one, or one a channel."""
    channel: int
    """The axis of channels, where each has a scale of its own."""
    data: memoryview
    """Of a constant, a part of the file's bytes; empty for what is computed."""

    @property
    def quantised(self) -> bool:
        """Whether it has a scale."""
        return self.scales > 0

    @property
    def weights(self) -> int:
        """Number of weights: 0 unless it is a constant of reals (shapes and indices are integers without a scale)."""
        real = self.quantised or self.type in {"float32", "float16", "bfloat16", "float64"}
        return prod(self.shape) if self.data and real else 0

    def counted(self) -> Weights:
        """The constant, counted."""
        if self.type == "int4":
            packed = np.frombuffer(self.data, np.uint8)
            values: IntArray | FloatArray = np.stack([packed & 15, packed >> 4], axis=-1).ravel()[: self.weights]
        else:
            values = np.frombuffer(self.data, _dtype(self.type))
        # A zero point of its own moves what stands for 0; weights are symmetric, so this is 0 nearly always.
        zero = self.zero_points[0] if self.zero_points.size == 1 else 0
        shaped = values.reshape(self.shape) if values.size == prod(self.shape) else values  # not where it is sparse
        channel = self.channel if self.zero_points.size > 1 and shaped.ndim > self.channel else None
        return count_weights(self.name, shaped, zero=zero, kind=self.type, channel=channel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of a TFLite file, and what it reads and computes."""

    name: str
    inputs: tuple[Tensor, ...]
    """Without those that are left out."""
    outputs: tuple[Tensor, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TFLiteFile:
    """What a TFLite file holds, as far as an audit asks."""

    operations: tuple[Operation, ...]
    """Of the main graph, in order."""
    graph: tuple[Operation, ...]
    """Of all graphs, each in order, the main one first."""
    tensors: tuple[Tensor, ...]
    """Of all graphs."""
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    names: tuple[str, ...]
    """Of the outputs: as the file's signature calls them, or else their tensors' own."""
    ends: tuple[str, ...]
    """The operation that makes each output; what turns integers back to reals, or changes shapes, is passed over."""


def parse_tflite(content: bytes, file: str) -> TFLiteFile:
    """Read a file. Raises ModelError where it is damaged or has operations that run code of others (custom, Flex)."""
    if content[4:8] != b"TFL3":
        raise ModelError(Problem(file=file, message="it is not a TFLite file"))
    try:
        root = _Table(_File(content), struct.unpack_from("<I", content, 0)[0])
        codes = [_code(table) for table in root.tables(1)]
        buffers = [_buffer(table) for table in root.tables(4)]
        graphs = [_Graph(table, buffers) for table in root.tables(2)]
        refused = sorted({name for number, name in codes if number in _REFUSED})
        main = graphs[0]
        ends = main.ends(2)
        operations = tuple(main.operations(codes))
        parsed = TFLiteFile(
            graph=tuple(operation for graph in graphs for operation in graph.operations(codes)),
            operations=operations,
            tensors=tuple(tensor for graph in graphs for tensor in graph.tensors),
            inputs=tuple(main.tensors[index] for index in main.ends(1)),
            outputs=tuple(main.tensors[index] for index in ends),
            names=_names(root, main, ends),
            ends=tuple(_ends(main, [each.name for each in operations], ends)),
        )
    except _DAMAGED as error:
        raise ModelError(Problem(file=file, message=f"the TFLite file is damaged: {error}")) from error
    if any(root.has(field) for field in _ELSEWHERE):
        raise ModelError(Problem(file=file, message="it keeps its weights in other files, which it names: refused"))
    if refused:
        raise ModelError(
            *(Problem(file=file, where=name, message="custom and Flex operations are refused") for name in refused)
        )
    return parsed


def _names(root: _Table, main: _Graph, ends: IntArray) -> tuple[str, ...]:
    signatures = [
        {each.number(1, "<I"): each.text(0) for each in table.tables(1)}
        for table in root.tables(7)
        if not table.number(4, "<I")  # of the main graph
    ]
    wanted = {*ends.tolist()}
    whole = next((names for names in signatures if names.keys() >= wanted), {})
    return tuple(whole.get(index, main.tensors[index].name) for index in ends.tolist())


def _ends(main: _Graph, operations: Sequence[str], ends: IntArray) -> Iterator[str]:
    """The operation that each output of the main graph comes of."""
    makers = {made: number for number, (_, _, outputs) in enumerate(main.links) for made in outputs.tolist()}
    for tensor in ends.tolist():
        number = makers.get(tensor, -1)
        for _ in range(_PASSED):
            if number < 0 or operations[number] not in _NO_END or not main.links[number][1].size:
                break
            number = makers.get(int(main.links[number][1][0]), -1)
        yield operations[number] if number >= 0 else ""


class _File:
    """A file's bytes, of which no more can be taken, all vectors together, than there are.

    Thousands of entries may point at one vector, so that a small file would fill the memory.
    """

    def __init__(self, content: bytes) -> None:
        self.view = memoryview(content)
        self._left = len(content)

    def take(self, start: int, size: int) -> memoryview:
        """Part of the file, not copied, which must lie within it."""
        if start + size > len(self.view):
            raise ValueError("something points beyond the file's end")
        self._left -= size
        if self._left < 0:
            raise ValueError(f"its parts together declare more bytes than the file has ({len(self.view):,})")
        return self.view[start : start + size]


class _Table:
    """A FlatBuffers table: fields by number, each optional."""

    def __init__(self, file: _File, position: int) -> None:
        self._file = file
        self._content = content = file.view
        self._position = position
        self._fields = position - struct.unpack_from("<i", content, position)[0]
        if self._fields < 0:
            raise ValueError("a table points before the file's start")
        self._size = struct.unpack_from("<H", content, self._fields)[0]

    def _field(self, number: int) -> int | None:
        slot = 4 + 2 * number
        offset = struct.unpack_from("<H", self._content, self._fields + slot)[0] if slot < self._size else 0
        return self._position + offset if offset else None

    def number(self, field: int, kind: str) -> int:
        """An integer; 0 where the field is absent."""
        place = self._field(field)
        return 0 if place is None else int(struct.unpack_from(kind, self._content, place)[0])

    def has(self, field: int) -> bool:
        return self._field(field) is not None

    def _vector(self, field: int) -> tuple[int, int]:
        """Where a vector starts and how many items it says it has."""
        place = self._field(field)
        if place is None:
            return 0, 0
        start = place + struct.unpack_from("<I", self._content, place)[0]
        return start + 4, struct.unpack_from("<I", self._content, start)[0]

    def numbers(self, field: int, kind: str) -> IntArray:
        """A vector of numbers of a NumPy type."""
        start, count = self._vector(field)
        return np.frombuffer(self._file.take(start, count * np.dtype(kind).itemsize), kind)

    def text(self, field: int) -> str:
        return str(self.raw(field), "utf-8")

    def raw(self, field: int) -> memoryview:
        start, count = self._vector(field)
        return self._file.take(start, count)

    def slice(self, start: int, count: int) -> memoryview:
        """Part of the file, by its place in the file."""
        return self._file.take(start, count)

    def table(self, field: int) -> _Table | None:
        place = self._field(field)
        return None if place is None else _Table(self._file, place + self.number(field, "<I"))

    def tables(self, field: int) -> list[_Table]:
        """A vector of tables."""
        start, _ = self._vector(field)
        offsets = self.numbers(field, "<u4")
        return [_Table(self._file, start + 4 * index + int(offset)) for index, offset in enumerate(offsets)]


class _Graph:
    def __init__(self, table: _Table, buffers: list[memoryview]) -> None:
        self.table = table
        self.tensors = [_tensor(each, buffers) for each in table.tables(0)]
        self.links = [
            (each.number(0, "<I"), each.numbers(1, "<i4"), each.numbers(2, "<i4")) for each in table.tables(3)
        ]
        """Kind of each operation, and what it reads and makes."""
        for _, read, made in self.links:
            _within(read, -1, len(self.tensors))  # -1: an input that is left out
            _within(made, 0, len(self.tensors))

    def operations(self, codes: list[tuple[int, str]]) -> Iterator[Operation]:
        """The operations, in order; `codes` has number and name of each kind."""
        for number, read, made in self.links:
            yield Operation(
                name=codes[number][1],
                inputs=tuple(self.tensors[index] for index in read if index >= 0),
                outputs=tuple(self.tensors[index] for index in made),
            )

    def ends(self, field: int) -> IntArray:
        """Which tensors go in, or come out."""
        found = self.table.numbers(field, "<i4")
        _within(found, 0, len(self.tensors))
        return found


def _within(indices: IntArray, first: int, end: int) -> None:
    if ((indices < first) | (indices >= end)).any():
        raise ValueError("an operation, or the graph, names a tensor that is not there")


def _code(table: _Table) -> tuple[int, str]:
    """Number and name of an operation; older files have the number in a field of one byte."""
    number = max(table.number(0, "<b"), table.number(3, "<i"))
    custom = table.text(1)
    if number in _REFUSED:
        return number, f'{_REFUSED[number]} "{custom}"'
    return number, OPERATIONS.get(number, f"operation {number}")


def _buffer(table: _Table) -> memoryview:
    # Files over 2 GB keep the values behind the tables, at an offset from the file's start.
    offset = table.number(1, "<Q")
    return table.slice(offset, table.number(2, "<Q")) if offset > 1 else table.raw(0)


def _tensor(table: _Table, buffers: list[memoryview]) -> Tensor:
    quantisation = table.table(4)
    number = table.number(1, "<b")
    shape = table.numbers(0, "<i4")
    if shape.size > _RANK:
        raise ValueError(f'the tensor "{table.text(3)}" has {shape.size:,} sizes, not {_RANK} at most')
    tensor = Tensor(
        name=table.text(3),
        shape=tuple(map(int, shape)),
        type=TYPES.get(number, f"type {number}"),
        scales=0 if quantisation is None else quantisation.numbers(2, "<f4").size,
        zero_points=np.zeros(0, np.int64) if quantisation is None else quantisation.numbers(3, "<i8"),
        channel=0 if quantisation is None else max(quantisation.number(6, "<i"), 0),
        data=buffers[table.number(2, "<I")],
    )
    if min(tensor.shape, default=0) < 0:
        raise ValueError(f'the tensor "{tensor.name}" has the shape {list(tensor.shape)}')
    if prod(tensor.shape) > _LARGEST:
        raise ValueError(f'the tensor "{tensor.name}" has {prod(tensor.shape):,} numbers')
    sparse = table.has(6)
    if tensor.weights and not sparse and len(tensor.data) != _bytes(tensor):
        raise ValueError(f'the tensor "{tensor.name}" should have {_bytes(tensor)} bytes, it has {len(tensor.data)}')
    return tensor


def _bytes(tensor: Tensor) -> int:
    count = prod(tensor.shape)
    return (count + 1) // 2 if tensor.type == "int4" else count * _dtype(tensor.type).itemsize


def _dtype(name: str) -> np.dtype[np.generic]:
    return np.dtype("uint16" if name == "bfloat16" else name)
