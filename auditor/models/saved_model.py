"""Folders of SavedModels, packed and read without TensorFlow: what runs when they decide must only compute.

TensorFlow has operators that read and write files, call Python or other computers; loading runs none of them, the
first call does. Formats: saved_model.proto, graph.proto, function.proto of TensorFlow.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from math import prod
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from auditor.errors import ModelError, Problem
from auditor.models.protobuf import Message

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GRAPH = "saved_model.pb"
PACKED = ".savedmodel"
"""The ending of a folder that was packed into one file."""
_VARIABLES = "variables/variables."
_LOOSE = frozenset({GRAPH, "fingerprint.pb", "keras_metadata.pb"})
_CONSTANTS = 1 << 30
"""Bytes that all constants together may grow to: one number can stand for an array of any size."""
_COMPUTING = """
    Abs Acos Acosh Add AddN AddV2 All Any ArgMax ArgMin Asin Asinh Atan Atan2 Atanh AvgPool AvgPool3D BatchMatMul
    BatchMatMulV2 BatchMatMulV3 BatchNormWithGlobalNormalization BatchToSpace BatchToSpaceND BiasAdd BiasAddV1
    Bincount Bitcast BitwiseAnd BitwiseOr BitwiseXor BroadcastArgs BroadcastGradientArgs BroadcastTo Bucketize Case
    Cast Ceil CheckNumerics ClipByValue Concat ConcatV2 Const Conv Conv2D Conv3D Cos Cosh CropAndResize Cross
    CudnnRNNV3 Cumprod Cumsum CumulativeLogsumexp DepthToSpace DepthwiseConv2dNative Dequantize Diag DiagPart Div
    DivNoNan DynamicPartition DynamicStitch Einsum Elu Empty EmptyTensorList EnsureShape Enter Equal Erf Erfc Erfinv
    Exit Exp ExpandDims Expm1 ExtractImagePatches FakeQuantWithMinMaxArgs FakeQuantWithMinMaxVars
    FakeQuantWithMinMaxVarsPerChannel Fill Floor FloorDiv FloorMod FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3
    Gather GatherNd GatherV2 Greater GreaterEqual Identity IdentityN If InTopK InTopKV2 InvertPermutation IsFinite
    IsInf IsNan L2Loss LRN LeakyRelu Less LessEqual Lgamma LinSpace Log Log1p LogSoftmax LogicalAnd LogicalNot
    LogicalOr LoopCond MatMul MatrixBandPart MatrixDiag MatrixDiagPart MatrixDiagPartV3 MatrixDiagV3 MatrixInverse
    MatrixSetDiag MatrixSetDiagV3 Max MaxPool MaxPool3D MaxPoolV2 Maximum Mean Merge Min Minimum MirrorPad Mod Mul
    MulNoNan Neg NextIteration NoOp NonMaxSuppressionV3 NonMaxSuppressionV4 NotEqual OneHot OnesLike Pack Pad PadV2
    ParallelDynamicStitch PartitionedCall Placeholder PlaceholderWithDefault Pow PreventGradient Prod
    QuantizeAndDequantizeV2 QuantizeAndDequantizeV3 QuantizeAndDequantizeV4 QuantizeV2 Range Rank ReadVariableOp Real
    RealDiv Reciprocal Relu Relu6 Reshape ResizeBicubic ResizeBilinear ResizeNearestNeighbor ResourceGather Reverse
    ReverseSequence ReverseV2 RightShift Rint Roll Round Rsqrt ScatterNd SegmentMax SegmentMean SegmentMin SegmentSum
    Select SelectV2 Selu Shape ShapeN Sigmoid Sign Sin Sinh Size Slice Softmax Softplus Softsign SpaceToBatch
    SpaceToBatchND SpaceToDepth Split SplitV Sqrt Square SquaredDifference Squeeze StatefulPartitionedCall
    StatelessCase StatelessIf StatelessWhile StopGradient StridedSlice Sub Sum Switch Tan Tanh TensorListConcatV2
    TensorListElementShape TensorListFromTensor TensorListGather TensorListGetItem TensorListLength TensorListPopBack
    TensorListPushBack TensorListReserve TensorListResize TensorListScatterV2 TensorListSetItem TensorListSplit
    TensorListStack TensorScatterAdd TensorScatterUpdate Tile TopK TopKV2 Transpose TruncateDiv TruncateMod Unique
    UniqueV2 Unpack UnravelIndex UnsortedSegmentMax UnsortedSegmentSum Unstack Where While Xdivy XlaSharding Xlog1py
    Xlogy ZerosLike Zeta
"""
COMPUTING = frozenset(_COMPUTING.split())
"""Operators that make numbers of numbers."""
_KEEPING = """
    AssignAddVariableOp AssignSubVariableOp AssignVariableOp DestroyResourceOp DisableCopyOnRead MergeV2Checkpoints
    RandomStandardNormal RandomUniform RandomUniformInt RestoreV2 SaveV2 ShardedFilename StatelessRandomGetKeyCounter
    StatelessRandomNormalV2 StatelessRandomUniformV2 StaticRegexFullMatch StringJoin TruncatedNormal VarHandleOp
    VarIsInitializedOp VariableV2
"""
KEEPING = frozenset(_KEEPING.split())
"""Operators that make, save and restore variables: in every file, outside what decides."""
_DECIDING = COMPUTING | {"VarHandleOp"}
_RUNNING = {
    5: "it is a file that the model reads",
    10: "it is a table or another resource, which is filled when it is loaded",
    11: "it brings functions of its own to save and restore it",
    13: "it is of a class that its maker registered",
    16: "it is saved and restored by a class that its maker registered",
}
"""Fields of SavedObject that TensorFlow acts upon while it loads."""
_TYPES = {
    1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 9: "int64", 14: "bfloat16",
    19: "float16",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What a SavedModel can be asked."""

    name: str
    input: str
    type: str
    """Such as "float32"."""
    shape: tuple[int | None, ...]
    output: str
    output_shape: tuple[int | None, ...]
    operators: tuple[tuple[str, str], ...]
    """Name and kind of all that decides."""


def pack(folder: Path) -> bytes:
    """A SavedModel's folder as one archive, the same whenever it is made. Raises ModelError for what it never holds."""
    if not (folder / GRAPH).is_file():
        raise ModelError(Problem(file=str(folder), message=f"the folder is no SavedModel: it holds no {GRAPH}"))
    problems = []
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                problems.append(Problem(file=str(path), message="it is a link or a device: no part of a SavedModel"))
            elif path.is_file() and not _belongs(name):
                said = "it is no part of a SavedModel that is audited: tables and other assets are not read"
                problems.append(Problem(file=str(path), message=said))
            elif path.is_file():
                archive.writestr(zipfile.ZipInfo(name), path.read_bytes())
    if problems:
        raise ModelError(*problems)
    return out.getvalue()


def _belongs(name: str) -> bool:
    return name in _LOOSE or (name.startswith(_VARIABLES) and PurePosixPath(name).parent.name == "variables")


def members(content: bytes, file: str) -> dict[str, bytes]:
    """The files of a packed SavedModel. Raises ModelError where it is not as `pack` makes it."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            listed = archive.infolist()
            names = [member.filename for member in listed]
            stored = all(member.compress_type == zipfile.ZIP_STORED for member in listed)
            small = sum(member.file_size for member in listed) <= len(content)
            if len(set(names)) < len(names) or not all(map(_belongs, names)) or not (stored and small):
                raise ModelError(Problem(file=file, message="it is no packed SavedModel"))
            return {name: archive.read(name) for name in names}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise ModelError(Problem(file=file, message=f"it is no packed SavedModel: {error}")) from error


def digest_of_members(files: dict[str, bytes]) -> str:
    """SHA-256 of the list that `find . -type f | sort | xargs sha256sum` prints in the folder."""
    lines = (f"{hashlib.sha256(files[name]).hexdigest()}  ./{name}\n" for name in sorted(files))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def parse_saved_model(content: bytes, file: str) -> Signature:
    """Look into a packed SavedModel. Raises ModelError where it is damaged, or does anything but compute."""
    files = members(content, file)
    if GRAPH not in files:
        raise ModelError(Problem(file=file, message=f"there is no {GRAPH} in it"))
    try:
        graphs = Message(memoryview(files[GRAPH])).messages(2)
        # Only so does TensorFlow 2 load it as its own: older files name an operator that runs when they are loaded.
        if len(graphs) != 1 or not graphs[0].has(7) or "serve" not in graphs[0].message(1).texts(4):
            raise ModelError(Problem(file=file, message="it is not one graph for serving, saved by TensorFlow 2"))
        problems = [Problem(file=file, where=where, message=said) for where, said in _objects(graphs[0])]
        if problems:
            raise ModelError(*problems)
        return _signature(graphs[0], file)
    except (ValueError, RecursionError) as error:
        raise ModelError(Problem(file=file, message=f"{GRAPH} is damaged: {error}")) from error


def _objects(meta: Message) -> Iterator[tuple[str, str]]:
    """Place and reason of every saved object that runs something when it is loaded."""
    for number, each in enumerate(meta.message(7).messages(1)):
        for field, said in _RUNNING.items():
            if each.has(field):
                yield f"object {number}", said


def _signature(meta: Message, file: str) -> Signature:
    signatures = {name: each for name, each in meta.entries(5).items() if each.has(1) and each.has(2)}
    name = next((each for each in ("serving_default", "serve") if each in signatures), "")
    if not name:
        said = f"it has no signature serving_default or serve, only {', '.join(signatures) or 'none'}"
        raise ModelError(Problem(file=file, message=said, advice="Save it with model.export(...)."))
    inputs, outputs = signatures[name].entries(1), signatures[name].entries(2)
    if len(inputs) != 1 or len(outputs) != 1:
        said = f"its signature has {len(inputs)} inputs and {len(outputs)} outputs, not one of each"
        raise ModelError(Problem(file=file, message=said))
    (asked, given), (answered, returned) = next(iter(inputs.items())), next(iter(outputs.items()))
    graph = _Graph(meta.message(2))
    problems = [
        Problem(file=file, where=f"operator {kind}", message=said)
        for kind, said in dict.fromkeys(graph.refusals(returned.text(1)))
    ]
    if problems:
        raise ModelError(*problems)
    return Signature(
        name=name,
        input=asked,
        type=_TYPES.get(given.number(2), "unknown"),
        shape=_shape(given.message(3)),
        output=answered,
        output_shape=_shape(returned.message(3)),
        operators=tuple(graph.deciding(returned.text(1))),
    )


class _Graph:
    """The nodes of the graph and of its functions."""

    def __init__(self, graph: Message) -> None:
        nodes, functions = graph.messages(1), graph.message(2).messages(1)
        self._main = {node.text(1): node for node in nodes}
        self._functions = {function.message(1).text(1): function.messages(3) for function in functions}
        if (len(self._main), len(self._functions)) != (len(nodes), len(functions)):
            raise ValueError("two operators or functions have one name")

    def deciding(self, output: str) -> Iterator[tuple[str, str]]:
        """Name and kind of every node that the output comes of, through all functions."""
        return ((node.text(1), node.text(2)) for node in self._deciding(output))

    def _deciding(self, output: str) -> Iterator[Message]:
        found, asked = set(), [output]
        called: list[str] = []
        while asked:
            name = asked.pop().lstrip("^").partition(":")[0]
            if name in found or name not in self._main:
                continue
            found.add(name)
            yield self._main[name]
            asked += self._main[name].texts(3)
            called += _functions_of(self._main[name])
        entered = set()
        while called:
            function = called.pop()
            if function in entered:
                continue
            entered.add(function)
            for node in self._functions.get(function, ()):
                yield node
                called += _functions_of(node)

    def refusals(self, output: str) -> Iterator[tuple[str, str]]:
        """Kind and reason of every operator that is refused."""
        deciding = {id(node) for node in self._deciding(output)}
        grown = 0
        for node in (*self._main.values(), *(node for nodes in self._functions.values() for node in nodes)):
            kind = node.text(2)
            if id(node) in deciding and kind not in _DECIDING:
                yield kind, "what decides must make numbers of numbers alone: no files, no code, no chance"
            elif kind not in COMPUTING | KEEPING:
                yield kind, "it is not known to do no more than compute"
            if kind == "Const":
                grown += _grown(node)
        if grown > _CONSTANTS:
            yield "Const", f"the constants together grow to {grown:,} bytes"


def _functions_of(node: Message) -> Iterator[str]:
    """Names of the functions that a node may call."""
    for value in node.entries(5).values():
        if value.has(10):
            yield value.message(10).text(1)
        yield from (each.text(1) for each in value.message(1).messages(9))


def _grown(node: Message) -> int:
    """Bytes that a constant takes at most once it is an array."""
    tensor = node.entries(5).get("value", Message(memoryview(b""))).message(8)
    return 8 * prod(max(size.number(1), 0) for size in tensor.message(2).messages(2))


def _shape(shape: Message) -> tuple[int | None, ...]:
    """Sizes, None for those that are left open."""
    return tuple(None if size.number(1) >> 63 or not size.has(1) else size.number(1) for size in shape.messages(2))
