"""What the graph of a SavedModel computes with, and which of its functions TensorFlow runs when it decides.

TensorFlow takes a signature's function from the saved objects, not from the graph's nodes, and may put one function in
another's place. Formats: saved_object_graph.proto, graph.proto, function.proto of TensorFlow.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.models.protobuf import Message

_CONSTANTS = 1 << 30
"""Bytes that all constants together may grow to: one number can stand for an array of any size."""
_COMPUTING = """
    Abs Acos Acosh Add AddN AddV2 All Any ArgMax ArgMin Asin Asinh Atan Atan2 Atanh AvgPool AvgPool3D BatchMatMul
    BatchMatMulV2 BatchMatMulV3 BatchNormWithGlobalNormalization BatchToSpace BatchToSpaceND BiasAdd BiasAddV1
    Bincount Bitcast BitwiseAnd BitwiseOr BitwiseXor BroadcastArgs BroadcastGradientArgs BroadcastTo Bucketize Case
    Cast Ceil CheckNumerics ClipByValue Concat ConcatOffset ConcatV2 Const Conv Conv2D Conv3D Cos Cosh CropAndResize
    Cross CudnnRNNBackpropV3 CudnnRNNV3 Cumprod Cumsum CumulativeLogsumexp DepthToSpace DepthwiseConv2dNative
    Dequantize Diag DiagPart Div DivNoNan DynamicPartition DynamicStitch Einsum Elu Empty EmptyTensorList
    EnsureShape Enter Equal Erf Erfc Erfinv Exit Exp ExpandDims Expm1 ExtractImagePatches FakeQuantWithMinMaxArgs
    FakeQuantWithMinMaxVars FakeQuantWithMinMaxVarsPerChannel Fill Floor FloorDiv FloorMod FusedBatchNorm
    FusedBatchNormV2 FusedBatchNormV3 Gather GatherNd GatherV2 Greater GreaterEqual Identity IdentityN If InTopK
    InTopKV2 InvertPermutation IsFinite IsInf IsNan L2Loss LRN LeakyRelu Less LessEqual Lgamma LinSpace Log Log1p
    LogSoftmax LogicalAnd LogicalNot LogicalOr LoopCond MatMul MatrixBandPart MatrixDiag MatrixDiagPart
    MatrixDiagPartV3 MatrixDiagV3 MatrixInverse MatrixSetDiag MatrixSetDiagV3 Max MaxPool MaxPool3D MaxPoolV2
    Maximum Mean Merge Min Minimum MirrorPad Mod Mul MulNoNan Neg NextIteration NoOp NonMaxSuppressionV3
    NonMaxSuppressionV4 NotEqual OneHot OnesLike Pack Pad PadV2 ParallelDynamicStitch PartitionedCall Placeholder
    PlaceholderWithDefault Pow PreventGradient Prod QuantizeAndDequantizeV2 QuantizeAndDequantizeV3
    QuantizeAndDequantizeV4 QuantizeV2 Range Rank ReadVariableOp Real RealDiv Reciprocal Relu Relu6 Reshape
    ResizeBicubic ResizeBilinear ResizeNearestNeighbor ResourceGather Reverse ReverseSequence ReverseV2 RightShift
    Rint Roll Round Rsqrt ScatterNd SegmentMax SegmentMean SegmentMin SegmentSum Select SelectV2 Selu Shape ShapeN
    Sigmoid Sign Sin Sinh Size Slice Softmax Softplus Softsign SpaceToBatch SpaceToBatchND SpaceToDepth Split SplitV
    Sqrt Square SquaredDifference Squeeze StatefulPartitionedCall StatelessCase StatelessIf StatelessWhile
    StopGradient StridedSlice Sub Sum Switch Tan Tanh TensorListConcatV2 TensorListElementShape TensorListFromTensor
    TensorListGather TensorListGetItem TensorListLength TensorListPopBack TensorListPushBack TensorListReserve
    TensorListResize TensorListScatterV2 TensorListSetItem TensorListSplit TensorListStack TensorScatterAdd
    TensorScatterUpdate Tile TopK TopKV2 Transpose TruncateDiv TruncateMod Unique UniqueV2 Unpack UnravelIndex
    UnsortedSegmentMax UnsortedSegmentSum Unstack Where While Xdivy XlaSharding Xlog1py Xlogy ZerosLike Zeta
"""
COMPUTING = frozenset(_COMPUTING.split())
"""Operators that make numbers of numbers."""
_KEEPING = """
    AssignAddVariableOp AssignSubVariableOp AssignVariableOp DestroyResourceOp DisableCopyOnRead RandomStandardNormal
    RandomUniform RandomUniformInt StatelessRandomGetKeyCounter StatelessRandomNormalV2 StatelessRandomUniformV2
    TruncatedNormal VarHandleOp VarIsInitializedOp VariableV2
"""
KEEPING = frozenset(_KEEPING.split())
"""Operators that make and change variables, and draw: in every file, outside what decides."""
SAVING = frozenset(
    {"MergeV2Checkpoints", "RestoreV2", "SaveV2", "ShardedFilename", "StaticRegexFullMatch", "StringJoin"}
)
"""Operators that read and write files: in every file too, in two functions that nothing but its saver calls."""
_KNOWN = COMPUTING | KEEPING | SAVING
_DECIDING = COMPUTING | {"VarHandleOp"}
_RUNNING = {
    5: "it is a file that the model reads",
    10: "it is a table or another resource, which is filled when it is loaded",
    11: "it brings functions of its own to save and restore it",
    13: "it is of a class that its maker registered",
    16: "it is saved and restored by a class that its maker registered",
}
"""Fields of SavedObject that TensorFlow acts upon while it loads."""
_USER_OBJECT, _CONCRETE = 4, 8
_KINDS = range(4, 13)
"""Fields of SavedObject of which an object has one: what it is."""
_RANK = 254
"""Sizes that a shape may have: as many as TensorFlow itself takes."""


def running_objects(meta: Message) -> Iterator[tuple[str, str]]:
    """Place and reason of every saved object that runs something when it is loaded."""
    for number, each in enumerate(meta.message(7).messages(1)):
        for field, said in _RUNNING.items():
            if each.has(field):
                yield f"object {number}", said


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    name: str
    kind: str
    inputs: tuple[str, ...]
    calls: tuple[str, ...]
    """Functions that it may call."""
    grown: int
    """Bytes that it takes at most once it is an array, if it is a constant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Function:
    nodes: tuple[_Node, ...]
    interface: bytes
    """Functions that name the same one are put in each other's places, whichever suits the device."""


class Graph:
    """The nodes of the graph and of its functions."""

    def __init__(self, meta: Message) -> None:
        graph = meta.message(2)
        nodes, functions = graph.messages(1), graph.message(2).messages(1)
        self._main = {node.name: node for node in map(_node, nodes)}
        self._functions = {function.message(1).text(1): _function(function) for function in functions}
        if (len(self._main), len(self._functions)) != (len(nodes), len(functions)):
            raise ValueError("two operators or functions have one name")
        self._objects = meta.message(7)
        self._saving = self._saver_functions(meta.message(3))

    def deciding(self, outputs: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Name and kind of every node that outputs come of, through all functions."""
        for node in self._before(outputs):
            yield node.name, node.kind
        for name in self._entered(outputs):
            for node in self._functions[name].nodes:
                yield node.name, node.kind

    def refusals(self, signature: str, outputs: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Place and reason of everything that is refused; a signature's function makes all outputs, or none."""
        asked, served = [self._main.get(_node_of(each)) for each in outputs], _served(self._objects, signature)
        if any(each is None or each.calls != (served,) for each in asked):
            yield f"signature {signature}", "the function that TensorFlow loads is not the one that its graph calls"
        for name in sorted(self._functions.keys() & _KNOWN):
            yield f"function {name}", "it has the name of an operator, and would be run in its place"
        before = {node.name for node in self._before(outputs)}
        for node in self._main.values():
            yield from _refusals_of(node, decides=node.name in before, saves=False)
        entered = set(self._entered(outputs))
        for name, function in self._functions.items():
            for node in function.nodes:
                yield from _refusals_of(node, decides=name in entered, saves=name in self._saving)
        grown = sum(node.grown for node in self._nodes())
        if grown > _CONSTANTS:
            yield "operator Const", f"the constants together grow to {grown:,} bytes"

    def _nodes(self) -> Iterator[_Node]:
        yield from self._main.values()
        for function in self._functions.values():
            yield from function.nodes

    def _before(self, outputs: Sequence[str]) -> Iterator[_Node]:
        """The nodes of the main graph that outputs come of."""
        found, asked = set(), list(outputs)
        while asked:
            name = _node_of(asked.pop())
            if name in self._main and name not in found:
                found.add(name)
                yield self._main[name]
                asked += self._main[name].inputs

    def _entered(self, outputs: Sequence[str]) -> Iterator[str]:
        """The functions that outputs come of, and those that may be put in their places."""
        called = [name for node in self._before(outputs) for name in node.calls]
        of_interface: dict[bytes, list[str]] = {}
        for name, function in self._functions.items():
            of_interface.setdefault(function.interface, []).append(name)
        entered = set()
        while called:
            name = called.pop()
            if name in entered or name not in self._functions:
                continue
            entered.add(name)
            yield name
            function = self._functions[name]
            called += [each for node in function.nodes for each in node.calls]
            called += of_interface[function.interface] if function.interface else []

    def _saver_functions(self, saver: Message) -> frozenset[str]:
        """The functions that the saver's nodes call, and nothing else can: TensorFlow 2 never runs those nodes."""
        own = {_node_of(saver.text(2)), _node_of(saver.text(3))}
        saving = {name for node in self._main.values() if node.name in own for name in node.calls}
        others = {
            name for node in self._nodes() if node.name not in self._main or node.name not in own for name in node.calls
        }
        exchanged = {name for name, function in self._functions.items() if function.interface}
        return frozenset(saving - others - exchanged - _named_by(self._objects))


def _refusals_of(node: _Node, *, decides: bool, saves: bool) -> Iterator[tuple[str, str]]:
    place = f"operator {node.kind}"
    if decides and node.kind not in _DECIDING:
        yield place, "what decides must make numbers of numbers alone: no files, no code, no chance"
    elif node.kind not in _KNOWN:
        yield place, "it is not known to do no more than compute"
    elif node.kind in SAVING and not saves:
        yield place, "it may read or write files, and something else than the saving of the model can call it"


def _node_of(output: str) -> str:
    """The node's name in that of one of its outputs."""
    return output.lstrip("^").partition(":")[0]


def _node(node: Message) -> _Node:
    kind, attributes = node.text(2), node.entries(5)
    calls = tuple(name for value in attributes.values() for name in _functions_of(value))
    grown = _grown(attributes["value"]) if kind == "Const" and "value" in attributes else 0
    return _Node(name=node.text(1), kind=kind, inputs=tuple(node.texts(3)), calls=calls, grown=grown)


def _function(function: Message) -> _Function:
    attributes = function.entries(5)
    named = attributes["api_implements"].raw(2) if "api_implements" in attributes else []
    return _Function(nodes=tuple(map(_node, function.messages(3))), interface=bytes(named[-1]) if named else b"")


def _functions_of(value: Message) -> Iterator[str]:
    """Names of the functions that an attribute names."""
    if value.has(10):
        yield value.message(10).text(1)
    yield from (each.text(1) for each in value.message(1).messages(9))


def _grown(value: Message) -> int:
    """Bytes that a constant takes at most once it is an array."""
    return 8 * prod(max(size.number(1), 0) for size in sizes(value.message(8).message(2)))


def sizes(shape: Message) -> list[Message]:
    """The sizes in a shape. Raises ValueError where there are more than any array has."""
    return shape.messages(2, most=_RANK)


def _served(objects: Message, signature: str) -> str:
    """The function that is run for a signature: the root's "signatures", and what they call so; "" if not so."""
    nodes = objects.messages(1)
    root = nodes[0] if nodes else None
    signatures = None if root is None or not _is(root, _USER_OBJECT) else _child(nodes, root, "signatures")
    if signatures is None or not _is(signatures, _USER_OBJECT):
        return ""
    function = _child(nodes, signatures, signature)
    if signatures.message(_USER_OBJECT).text(1) != "signature_map" or function is None or not _is(function, _CONCRETE):
        return ""
    return function.message(_CONCRETE).text(1)


def _is(node: Message, kind: int) -> bool:
    return [field for field in _KINDS if node.has(field)] == [kind]


def _child(nodes: list[Message], parent: Message, name: str) -> Message | None:
    """The one child of a name; of several the last one would count, which nobody writes."""
    places = [child.number(1) for child in parent.messages(1) if child.text(2) == name]
    return nodes[places[0]] if len(places) == 1 and places[0] < len(nodes) else None


def _named_by(objects: Message) -> set[str]:
    """Every function that a saved object names, and so somebody can call."""
    named = {entry.text(1) for entry in objects.messages(2)}
    for each in objects.messages(1):
        named |= {*each.message(6).texts(1), each.message(_CONCRETE).text(1), each.message(12).text(2)}
    return named
