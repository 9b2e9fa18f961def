"""Keras models made TFLite files, and what the types in those files show of how they were quantised."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auditor.compress import MemberError
from auditor.models.tflite import parse_tflite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from auditor.models import KerasModel
    from auditor.models.tflite import Operation, Tensor, TFLiteFile

_CHANNELS = {"FULLY_CONNECTED": 0, "CONV_2D": 0, "DEPTHWISE_CONV_2D": -1}
"""Operations with a kernel, their second input, and which of its axes holds the output channels."""
_BETWEEN = {"QUANTIZE", "DEQUANTIZE", "RESHAPE"}
"""Operations that compute nothing: they go from one type or shape to another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The types that a file shall have."""

    method: str
    weights: str
    activations: str | None = None
    """Of what is computed; None: float32, whatever the weights are."""
    io: str = "float32"
    """Of input and output."""
    per_channel: bool | None = None
    """Whether kernels have a scale a channel; None: either."""


def convert(model: KerasModel, set_up: Callable[[Any, Any], None]) -> bytes:
    """The TFLite file of a model, with the converter's default optimisations.

    `set_up` is given TensorFlow and the converter.
    """
    from auditor.tf import load, quiet

    tf = load().tf
    converter = _converter(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    set_up(tf, converter)
    with quiet():
        content: bytes = converter.convert()
    return content


def _converter(model: KerasModel) -> Any:  # noqa: ANN401 - TensorFlow publishes no types
    """A converter, which takes recurrent layers only where the batch has one size: then examples come one by one."""
    from auditor.tf import load

    tf, layers = load().tf, load().tf_keras.layers
    if not any(isinstance(each, layers.RNN) for each in model.submodules):
        return tf.lite.TFLiteConverter.from_keras_model(model)
    example = tf.TensorSpec([1, *model.input_shape[1:]], tf.float32)
    call = tf.function(lambda x: model(x, training=False)).get_concrete_function(example)
    return tf.lite.TFLiteConverter.from_concrete_functions([call], model)


def check_converted(content: bytes, model: KerasModel, asked: Asked) -> dict[str, Any]:
    """What a file's types are, and which layers stayed in float.

    Raises MemberError with the numbers where nothing is quantised as asked, or input, output or scales are otherwise.
    """
    file = parse_tflite(content, f"{asked.method}.tflite")
    weights, computed = _count_weights(file), _count_computed(file)
    in_float = _left(file, integer=asked.activations is not None)
    layers = _layers(model)
    left = list(dict.fromkeys(_layer(names, layers) for names in in_float))
    because = f"; in float stayed {', '.join(left)}" if left else ""
    for kind, types, what in (
        (asked.weights, weights, "the weights are"),
        (asked.activations, computed, "what is computed is"),
    ):
        if kind and not types[kind]:
            raise MemberError(
                f"{asked.method} was asked for, but nothing became {kind}: {what} {_listed(types)}{because}"
            )
    ends = {"input_type": file.inputs[0].type, "output_type": file.outputs[0].type}
    if set(ends.values()) != {asked.io}:
        raise MemberError(
            f'io = "{asked.io}" was asked for, but the input is {ends["input_type"]} and the output '
            f"{ends['output_type']}{because}"
        )
    _check_scales(file, model, asked)
    return {
        "weight_types": dict(sorted(weights.items())),
        "activation_types": dict(sorted(computed.items())),
        **ends,
        "left_uncompressed": left,
    }


def refuse_many_words(model: KerasModel, method: str) -> None:
    """Raise MemberError where inputs are numbers of things, more than the levels that inputs are rounded to."""
    from auditor.tf import load

    levels = 1 << (15 if method == "int16x8" else 8)
    for each in model.submodules:
        if isinstance(each, load().tf_keras.layers.Embedding) and each.input_dim > levels:
            raise MemberError(
                f"{method} would round the numbers of words that the model reads to {levels:,} levels, and the layer "
                f"{each.name} tells {each.input_dim:,} words apart: dynamic_int8 and float16 leave them whole"
            )


def refuse_loops(model: KerasModel, method: str) -> None:
    """Raise MemberError where a recurrent layer becomes a loop in the file: the converter crashes when it rounds one.

    LSTM as Keras has it by default becomes a single operation; that one exists with 8 bits, and not with 16.
    """
    from auditor.tf import load

    layers = load().tf_keras.layers
    for each in model.submodules:
        if not isinstance(each, layers.RNN) or each.unroll:
            continue
        # What one kernel of a GPU can compute is what one operation of TFLite can.
        is_single = isinstance(each, layers.LSTM) and each._could_use_gpu_kernel  # noqa: SLF001 - there is no public way
        if method == "int16x8" or not is_single:
            raise MemberError(
                f"{method} of the {type(each).__name__} layer {each.name} is not possible with the TFLite converter: "
                "int8 has LSTM with tanh, sigmoid and biases, int16x8 no recurrent layer; float16 leaves all whole"
            )


def kernels(file: TFLiteFile, model: KerasModel) -> Iterator[tuple[str, Tensor, int]]:
    """For each operation with a stored kernel its layer, the kernel, and the axis of the output channels."""
    layers = _layers(model)
    for operation in file.graph:
        if operation.name in _CHANNELS and operation.inputs[1].data:
            yield _layer([operation.inputs[1].name], layers), operation.inputs[1], _CHANNELS[operation.name]


def _listed(types: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {kind}" for kind, count in sorted(types.items())) or "none"


def _count_weights(file: TFLiteFile) -> Counter[str]:
    types = Counter[str]()
    for tensor in file.tensors:
        types[tensor.type] += tensor.weights
    return +types


def _count_computed(file: TFLiteFile) -> Counter[str]:
    """How many tensors of each type are computed, but for those that only carry a type over."""
    return Counter(tensor.type for each in _computing(file) for tensor in each.outputs)


def _computing(file: TFLiteFile) -> Iterator[Operation]:
    return (operation for operation in file.graph if operation.name not in _BETWEEN)


def _left(file: TFLiteFile, *, integer: bool) -> Iterator[list[str]]:
    """The kernels that are float32; where all is to be computed in integers also what is computed in float32.

    For each the names that may tell its layer, the best one first.
    """
    for tensor in file.tensors:
        if tensor.type == "float32" and tensor.weights and len(tensor.shape) > 1:
            yield [tensor.name]
    for operation in _computing(file) if integer else ():
        if any(tensor.type == "float32" for tensor in operation.outputs):
            yield [tensor.name for tensor in (*operation.outputs, *operation.inputs)]


def _check_scales(file: TFLiteFile, model: KerasModel, asked: Asked) -> None:
    """Kernels of several channels have a scale each, or none of them has."""
    found = [(layer, kernel.scales) for layer, kernel, axis in kernels(file, model) if kernel.shape[axis] > 1]
    found = [(layer, scales) for layer, scales in found if scales]
    if asked.per_channel is None or not found or any(scales > 1 for _, scales in found) == asked.per_channel:
        return
    said = ", ".join(f"{layer} has {scales}" for layer, scales in found)
    raise MemberError(f"per_channel = {str(asked.per_channel).lower()} was asked for, but of scales {said}")


def _layers(model: KerasModel) -> set[str]:
    """The names of a model's layers: a walk of seconds through a large model, to be made once."""
    return {each.name for each in model.submodules if hasattr(each, "input_spec")} - {model.name}


def _layer(names: Sequence[str], layers: set[str]) -> str:
    """The name of the layer that one of these names of tensors tells, the first that tells any; else the first."""
    for name in names:
        found = [part for part in name.partition(";")[0].split("/") if part in layers]
        if found:
            return _unwrapped(found[-1], layers)
    return names[0]


def _unwrapped(layer: str, layers: set[str]) -> str:
    """A layer's own name, where it is that of TFMOT's wrapper."""
    inner = layer.removeprefix("quant_")
    return inner if inner in layers else layer
