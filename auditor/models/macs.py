"""Multiply-accumulate operations of one example: what a model costs to run, whatever runs it.

Zeros are counted like any number: hardware mostly multiplies by them too. Additions, activations, normalisation and
pooling are not counted, as is usual.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.models.tflite import Operation, TFLiteFile

_BY_OUTPUT = {"Dense", "Conv1D", "Conv2D", "Conv3D", "DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D",
              "SeparableConv2D"}  # fmt: skip
"""Each weight is used once for each place of the output."""
_BY_INPUT = {"Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"}
_NONE = {"Embedding", "Normalization"}
"""Layers that look up, or scale."""


def keras_macs(model: Any) -> int | None:  # noqa: ANN401 - a model of either Keras
    """The sum over all layers of a tf_keras or Keras 3 model.

    None where a layer has kernels and is of a kind that is not known here (recurrent, attention, the user's own), or
    where a size is open.
    """
    found = [_of_layer(layer) for layer in _flat(model)]
    known = [macs for macs in found if macs is not None]
    return sum(known) if len(known) == len(found) else None


def _flat(model: Any) -> Iterator[Any]:  # noqa: ANN401
    for layer in model.layers:
        # One that is called several times costs as often, and is not looked into: its kind is none that is known.
        if hasattr(layer, "layers") and len(getattr(layer, "_inbound_nodes", ())) <= 1:
            yield from _flat(layer)
        else:
            yield layer


def _of_layer(layer: Any) -> int | None:  # noqa: ANN401
    kind = type(layer).__name__
    kernels = [weight for weight in layer.weights if len(weight.shape) > 1]
    if not kernels or kind in _NONE:
        return 0
    if kind not in _BY_OUTPUT | _BY_INPUT:
        return None
    try:
        shape = tuple((layer.output if kind in _BY_OUTPUT else layer.input).shape)[1:]
    except (AttributeError, ValueError):
        return None  # used in several places
    first = getattr(layer, "data_format", "channels_last") == "channels_first"
    places = shape[1:] if first else shape[:-1]
    if None in places:
        return None
    return prod(places) * sum(prod(weight.shape) for weight in kernels)


_UNKNOWN = {f"operation {number}" for number in (16, 24, 27, 35, 44, 46, 52, 118, 119, 132, 141)}
"""Recurrent operations, branches, loops and convolutions of volumes, by their numbers in TensorFlow's schema.fbs."""


def tflite_macs(parsed: TFLiteFile) -> int | None:
    """The sum over the main graph of a TFLite file; None where an operation that is not known here is in it."""
    if any(operation.name in _UNKNOWN for operation in parsed.operations):
        return None
    batch = max(1, parsed.inputs[0].shape[0]) if parsed.inputs and parsed.inputs[0].shape else 1
    return sum(_of_operation(operation) for operation in parsed.operations) // batch


def _of_operation(operation: Operation) -> int:
    if operation.name in {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"}:
        return prod(operation.outputs[0].shape[:-1]) * prod(operation.inputs[1].shape)
    if operation.name == "TRANSPOSE_CONV":
        return prod(operation.inputs[2].shape[:-1]) * prod(operation.inputs[1].shape)
    if operation.name == "BATCH_MATMUL":
        return prod(operation.outputs[0].shape) * operation.inputs[0].shape[-1]
    return 0
