"""How a built-in architecture starts: from weights that a file holds, and with layers that are not trained."""

from __future__ import annotations

from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import numpy as np

from auditor.errors import ModelError, Problem, did_you_mean
from auditor.models.apart import outputs_apart
from auditor.models.hdf5 import hdf5_layers
from auditor.models.inspect import inspect_model
from auditor.models.load import open_model

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from auditor.models import KerasModel

OPTIONS = ("weights", "weights_sha256", "frozen")
"""Of every built-in architecture, beside its own."""
_HDF5 = {".h5", ".hdf5"}
_ENDINGS = (".keras", *sorted(_HDF5))
Arrays = list[tuple[str, list[Any]]]
"""Name of each layer that has weights, and those, as arrays or as they lie in a file."""


def check_start(options: Mapping[str, Any]) -> Iterator[Problem]:
    """Say what is wrong with these options by themselves."""
    weights, pin, frozen = (options.get(key) for key in OPTIONS)
    if weights is not None and not (isinstance(weights, str) and weights.lower().endswith(_ENDINGS)):
        message = f"is the name of a file that ends in {', '.join(_ENDINGS)}, not {weights!r}"
        yield Problem(where="model.options.weights", message=message)
    if pin is not None and not (isinstance(pin, str) and len(pin) == 64 and set(pin) <= set("0123456789abcdef")):
        yield Problem(where="model.options.weights_sha256", message=f"is a SHA-256 in 64 hex digits, not {pin!r}")
    if pin is not None and weights is None:
        yield Problem(where="model.options.weights_sha256", message="has no meaning without weights")
    is_count = type(frozen) is int and frozen > 0
    is_names = isinstance(frozen, list) and frozen and all(isinstance(each, str) for each in frozen)
    if frozen is not None and not is_count and not is_names:
        message = f'is a number of first layers, or a list of names and patterns such as ["conv1*"], not {frozen!r}'
        yield Problem(where="model.options.frozen", message=message)


def freeze(model: KerasModel, frozen: int | Sequence[str]) -> None:
    """Take layers out of training: the first ones (as `model.layers` counts them), or those whose names match.

    Their weights stay as they are, normalisation by batches too, but pruning makes the smallest of them zero. Raises
    ModelError where nothing matches, or nothing is left to train.
    """
    names = [layer.name for layer in model.layers]
    where = "model.options.frozen"
    if isinstance(frozen, int):
        chosen = set(names[:frozen])
    else:
        chosen = {name for name in names for pattern in frozen if fnmatchcase(name, pattern)}
        lost = [pattern for pattern in frozen if not any(fnmatchcase(name, pattern) for name in names)]
        if lost:
            raise ModelError(
                *(Problem(where=where, message=f'no layer is named "{p}"', advice=did_you_mean(p, names)) for p in lost)
            )
    for layer in model.layers:
        layer.trainable = layer.name not in chosen
    if not model.trainable_weights:
        raise ModelError(Problem(where=where, message=f"nothing of {len(names)} layers is left to train"))


def look_at_weights(content: bytes, ending: str, file: str) -> int | None:
    """Look at a file of weights without TensorFlow: give the outputs of its last layer, None where it does not say.

    Raises ModelError where the file is refused.
    """
    if ending in _HDF5:
        return outputs_apart(content, file)
    return inspect_model(content, ending, file).outputs


def load_weights(model: KerasModel, content: bytes, ending: str, file: str, *, fresh_head: bool) -> None:
    """Put the weights of a looked-at file into a model of the same architecture, layer by layer in their order.

    With `fresh_head` the model's last layer keeps its own. Raises ModelError where the file holds other layers.
    """
    own: Arrays = [(layer.name, layer.weights) for layer in model.layers if layer.weights]
    own = own[:-1] if fresh_head else own
    with _held(content, ending, file) as held:
        # The file may have the head that is left out, or none.
        found = held[: len(own)] if fresh_head and len(held) == len(own) + 1 else held
        if said := _difference(own, found):
            advice = "Weights are those of a model of the same architecture and options, on images with as many colors."
            raise ModelError(Problem(file=file, where="model.options.weights", message=said, advice=advice))
        for (_, weights), (_, arrays) in zip(own, found, strict=True):
            for weight, array in zip(weights, arrays, strict=True):
                weight.assign(np.asarray(array, np.float32))


@contextmanager
def _held(content: bytes, ending: str, file: str) -> Iterator[Arrays]:
    if ending in _HDF5:
        with hdf5_layers(content, file) as layers:
            yield layers
        return
    opened = open_model(content, ending, file)
    shape = [size or 1 for size in opened.facts.input_shape or ()]
    keras = opened.trainable(np.zeros((1, *shape), np.float32)) if opened.trainable else None
    yield [(layer.name, layer.weights) for layer in keras.layers if layer.weights] if keras is not None else []


def _difference(own: Arrays, found: Arrays) -> str | None:
    """Say where two lists of layers first differ in shapes; nothing of the arrays is read."""
    for (name, weights), (other, arrays) in zip(own, found, strict=False):
        shapes, theirs = ([tuple(each.shape) for each in part] for part in (weights, arrays))
        if shapes != theirs:
            return f'its layer "{other}" has weights of shapes {theirs}, the model\'s "{name}" {shapes}'
    if len(own) != len(found):
        return f"it holds {len(found)} layers with weights, the model has {len(own)}"
    return None
