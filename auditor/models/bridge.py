"""From Keras 3 to tf_keras, on which alone TFMOT works: every layer rebuilt from its configuration, weights copied.

What tf_keras cannot express is refused by layer; what it can is still compared, output by output, on a real batch.
"""

from __future__ import annotations

import inspect
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from auditor.errors import ModelError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.models import KerasModel
    from auditor.records import FloatArray

_TOLERANCE = 1e-4
"""Largest difference of outputs, relative to the largest output: more than rounding in another order."""
_ADVICE = "It can still be audited as it is, against compressed files made elsewhere; or save it with tf_keras."
_NO_EFFECT = frozenset({"seed", "use_cudnn", "optional", "renorm_momentum", "auto_vectorize"})
"""Settings of Keras 3 alone that change no output of a trained model."""
_OWN_NAMES = {"batch_shape": "batch_input_shape"}
_PAIRS = frozenset({"Add", "Subtract", "Multiply", "Maximum", "Minimum"})
"""Operators on two tensors that tf_keras has as layers of the same name."""
_CURVES = frozenset({"Relu", "Sigmoid", "Tanh", "Silu", "Gelu", "Softplus", "Softsign", "Elu", "Selu"})
"""Operators that are activations, without settings of their own in what is carried over."""


class _Unlike(Exception):  # noqa: N818 - it is told, by layer, in a ModelError
    """What tf_keras does not have."""


def carry_over(model: KerasModel, batch: FloatArray, file: str) -> KerasModel:
    """The same model in tf_keras. `batch`, float32 [b, ...], is what both must say the same of.

    Raises ModelError naming the layers that cannot be expressed, or the first one that says something else.
    """
    carrier = _Carrier()
    carried = carrier.model(model.get_config(), sequential=type(model).__name__ == "Sequential")
    if carrier.problems or carried is None:
        raise ModelError(
            *(
                Problem(file=file, where=f'layer "{layer}"', message=f"tf_keras, which compression needs, {said}",
                        advice=_ADVICE)
                for layer, said in carrier.problems
            )
        )  # fmt: skip
    _copy_weights(model, carried, file)
    if said := _differs(model, carried, batch):
        layer = _first_difference(model, carried, batch)
        where = f'layer "{layer}"' if layer else ""
        raise ModelError(Problem(file=file, where=where, message=f"carried over to tf_keras, {said}", advice=_ADVICE))
    return carried


class _Carrier:
    """Rebuilds models, and notes what it cannot."""

    def __init__(self) -> None:
        from auditor.tf import load

        self._keras = load().tf_keras
        self.problems: list[tuple[str, str]] = []

    def model(self, config: dict[str, Any], *, sequential: bool) -> KerasModel | None:
        """A model of Keras 3's configuration; None where a layer of it cannot be had."""
        before = len(self.problems)
        used = {layer["config"]["name"] for layer in config["layers"]} if sequential else _needed(config)
        layers = {
            layer["config"]["name"]: self._layer(layer) for layer in config["layers"] if layer["config"]["name"] in used
        }
        if len(self.problems) > before:
            return None
        if sequential:
            return self._keras.Sequential(list(layers.values()), name=config["name"])
        return self._connected(config, layers)

    def _layer(self, serialised: dict[str, Any]) -> Any:  # noqa: ANN401 - a layer of tf_keras
        """The layer, or an operator as a layer; None where there is none, which is noted."""
        kind, config = serialised["class_name"], serialised["config"]
        try:
            if kind in {"Sequential", "Functional"}:
                return self.model(config, sequential=kind == "Sequential")
            if str(serialised.get("module")).startswith("keras.src.ops"):
                return self._operator(kind, config)
            made = self._converted({"class_name": kind, "config": config})
            found = getattr(self._keras.layers, kind)
            # Attention rebuilds its parts from an input that its configuration does not hold.
            return found(**made["config"]) if "Attention" in kind else found.from_config(made["config"])
        except (_Unlike, TypeError, ValueError) as error:
            # tf_keras repeats the whole configuration before it says why.
            self.problems.append((str(config.get("name")), str(error).rpartition("Exception encountered: ")[2]))
            return None

    def _operator(self, kind: str, config: dict[str, Any]) -> Any:  # noqa: ANN401
        if kind in _PAIRS:
            return getattr(self._keras.layers, kind)(name=config["name"])
        if kind in _CURVES:
            return self._keras.layers.Activation(kind.lower(), name=config["name"])
        raise _Unlike(f"has no layer that does what the operator {kind} does")

    def _converted(self, value: Any) -> Any:  # noqa: ANN401 - any part of a configuration
        """A part of a configuration in tf_keras's words. Raises _Unlike."""
        if isinstance(value, list | tuple):
            return [self._converted(item) for item in value]
        if not isinstance(value, dict):
            return value
        if "class_name" not in value:
            return {key: self._converted(item) for key, item in value.items()}
        kind, config = value["class_name"], value["config"]
        if kind == "DTypePolicy":
            return config["name"]
        for names in ("initializers", "regularizers", "constraints", "layers"):
            found = getattr(getattr(self._keras, names), kind, None)
            if isinstance(found, type):
                return {"class_name": kind, "config": self._settings(found, config)}
        raise _Unlike(f"has no {kind}")

    def _settings(self, kind: type, config: dict[str, Any]) -> dict[str, Any]:
        known = {"name", "trainable", "dtype", "batch_input_shape"}
        if issubclass(kind, self._keras.layers.RNN):
            known.add("zero_output_for_mask")
        for each in kind.__mro__:
            if "__init__" in each.__dict__:
                known |= inspect.signature(each.__init__).parameters.keys()  # type: ignore[misc]
        named = {_OWN_NAMES.get(key, key): value for key, value in config.items()}
        lost = {key: value for key, value in named.items() if key not in known and key not in _NO_EFFECT}
        if told := [f"{key} = {value!r}" for key, value in lost.items() if value not in {None, False}]:
            raise _Unlike(f"has a {kind.__name__} without {', '.join(told)}")
        return {key: self._converted(value) for key, value in named.items() if key in known}

    def _connected(self, config: dict[str, Any], layers: dict[str, Any]) -> KerasModel | None:
        """The graph: each layer called on what it was called on, as soon as that is there."""
        tensors = {(name, 0, 0): layers[name].output for name, _, _ in _places(config["input_layers"])}
        calls = [
            (layer["config"]["name"], number, node)
            for layer in config["layers"]
            if layer["config"]["name"] in layers
            for number, node in enumerate(layer["inbound_nodes"])
        ]
        while calls:
            later = []
            for name, number, node in calls:
                if not all(key in tensors for key in _read_by(node)):
                    later.append((name, number, node))
                    continue
                try:
                    out = _called(layers[name], node, tensors)
                except (TypeError, ValueError) as error:
                    self.problems.append((name, f"cannot call it as Keras 3 did: {error}"))
                    return None
                for place, tensor in enumerate(out if isinstance(out, list | tuple) else [out]):
                    tensors[name, number, place] = tensor
            if len(later) == len(calls):
                self.problems.append((calls[0][0], "cannot tell what it is called on"))
                return None
            calls = later
        ends = ([tensors[place] for place in _places(config[key])] for key in ("input_layers", "output_layers"))
        inputs, outputs = (end[0] if len(end) == 1 else end for end in ends)
        return self._keras.Model(inputs, outputs, name=config["name"])


_Tensors = dict[tuple[str, int, int], Any]
"""By name of the layer, number of the call, and place among its outputs."""


def _called(layer: Any, node: dict[str, Any], tensors: _Tensors) -> Any:  # noqa: ANN401
    """What a layer gives where it is called as before."""
    args, named = _filled(node["args"], tensors), _filled(_arguments(node), tensors)
    if len(args) == 2 and type(layer).__name__ in _PAIRS:
        return layer(args)  # a merging layer takes one list, an operator of Keras 3 two arguments
    return layer(*args, **named)


def _places(listed: list[Any]) -> list[tuple[str, int, int]]:
    """Names of tensors: one is written without the list around it."""
    each = [listed] if isinstance(listed[0], str) else listed
    return [(name, node, place) for name, node, place in each]


def _is_tensor(value: object) -> bool:
    return isinstance(value, dict) and value.get("class_name") == "__keras_tensor__"


def _keys(value: Any) -> Iterator[tuple[str, int, int]]:  # noqa: ANN401 - arguments of a call, at any depth
    if _is_tensor(value):
        name, node, place = value["config"]["keras_history"]
        yield name, node, place
    elif isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _keys(item)


def _filled(value: Any, tensors: _Tensors) -> Any:  # noqa: ANN401
    """Arguments with tensors in the place of their names."""
    if _is_tensor(value):
        return tensors[next(_keys(value))]
    if isinstance(value, dict):
        return {key: _filled(item, tensors) for key, item in value.items()}
    return [_filled(item, tensors) for item in value] if isinstance(value, list | tuple) else value


def _arguments(node: dict[str, Any]) -> dict[str, Any]:
    """What a layer was called with by name; a mask goes from layer to layer by itself in tf_keras."""
    return {
        key: value for key, value in node["kwargs"].items() if value is not None and key not in {"training", "mask"}
    }


def _read_by(node: dict[str, Any]) -> Iterator[tuple[str, int, int]]:
    """The tensors that a call needs."""
    yield from _keys([node["args"], _arguments(node)])


def _needed(config: dict[str, Any]) -> set[str]:
    """The layers that the outputs come of."""
    nodes = {layer["config"]["name"]: layer["inbound_nodes"] for layer in config["layers"]}
    needed: set[str] = set()
    asked = [name for name, _, _ in _places(config["input_layers"]) + _places(config["output_layers"])]
    while asked:
        name = asked.pop()
        if name not in needed:
            needed.add(name)
            asked += [of for node in nodes[name] for of, _, _ in _read_by(node)]
    return needed


def _copy_weights(model: KerasModel, carried: KerasModel, file: str) -> None:
    kept = {layer.name for layer in carried.layers}
    for layer in model.layers:
        if layer.name not in kept:
            continue  # an operator that only made a mask
        # The state of random generators is a weight in Keras 3 alone.
        values = [np.asarray(weight) for weight in layer.weights if "seed_generator" not in weight.path]
        target = carried.get_layer(layer.name)
        if hasattr(layer, "layers") and hasattr(target, "layers"):
            _copy_weights(layer, target, file)
            continue
        shapes = [tuple(weight.shape) for weight in target.weights]
        if type(layer).__name__ == "Normalization" and len(shapes) == len(values) + 1:
            values.append(np.zeros(shapes[-1]))  # tf_keras also counts what it has seen
        if Counter(shapes) != Counter(value.shape for value in values) or shapes != [value.shape for value in values]:
            said = f"its weights are {[value.shape for value in values]}, in tf_keras {shapes}"
            raise ModelError(Problem(file=file, where=f'layer "{layer.name}"', message=said, advice=_ADVICE))
        target.set_weights(values)


def _differs(model: KerasModel, carried: KerasModel, batch: FloatArray) -> str | None:
    """How far the outputs of two models, or parts of them, are from each other, if further than rounding."""
    ours, theirs = (np.asarray(each(batch, training=False), np.float64) for each in (carried, model))
    if ours.shape != theirs.shape:
        return f"its output has the shape {ours.shape}, in Keras 3 {theirs.shape}"
    if not np.isfinite(theirs).all():
        return "its outputs are not all finite numbers"
    apart = np.abs(ours - theirs).max(initial=0) / max(np.abs(theirs).max(initial=0), 1e-30)
    return None if apart <= _TOLERANCE else f"its output differs by {apart:.1e} of the largest, more than rounding does"


def _first_difference(model: KerasModel, carried: KerasModel, batch: FloatArray) -> str:
    """The first layer, in the order of the model, whose output differs; empty where none can be told."""
    from auditor.tf import keras3, load

    for layer in model.layers[1:]:
        try:
            theirs = keras3().Model(model.inputs[0], layer.output)
            ours = load().tf_keras.Model(carried.inputs[0], carried.get_layer(layer.name).output)
            if _differs(theirs, ours, batch):
                return str(layer.name)
        except (ValueError, AttributeError, TypeError):
            continue  # a layer used several times, or with several outputs, has no one output to compare
    return ""
