"""The configuration inside a Keras file: everything it names must be on an allowlist. No TensorFlow.

tf_keras imports and calls what a configuration names, so only names of ordinary layers and their settings get past.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auditor.errors import ModelError, Problem
from auditor.models.allowed import KERAS3, MODELS, TF_KERAS
from auditor.models.outputs import place_of, uniquified

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from auditor.models.allowed import Dialect

_CODE = frozenset({"Lambda", "__lambda__", "TFOpLambda", "SlicingOpLambda"})
_COMPOSITE = ("_COMPOSITE_TYPE", "_CONSTANT_VALUE")
_COMPOSITE_KEY = "_TYPE"
"""Marks behind which Keras decodes a text as a configuration of its own, or takes a value as it is."""
_LARGEST = 1 << 32
_HOLDERS = frozenset({"layer", "cell", "backward_layer", "forward_layer"})
"""Settings that hold a layer."""
_LISTS = frozenset({"layers", "cells"})
"""Settings that hold a list of layers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What a model file says of itself."""

    ending: str
    """The format, such as ".keras" or ".tflite"."""
    layers: tuple[tuple[str, str], ...]
    """Name and kind of each layer, or of each operation of a TFLite file."""
    input_shape: tuple[int | None, ...] | None
    """Of one example, None where the file leaves it open."""
    outputs: int | None
    """Numbers per example, None where only the loaded model can tell."""
    output: int = 0
    """Which of the model's outputs these are, counted from 0 as the file lists them."""
    keras3: bool = False
    """Whether it was saved by Keras 3."""
    activation: str | None
    """The last activation, such as "softmax", "sigmoid" or "linear"; None where the file does not say."""


def read_config(
    config: object,
    file: str,
    ending: str,
    trusted: Collection[str] = (),
    *,
    keras3: bool = False,
    output: str | None = None,
) -> ModelFacts:
    """Facts of a configuration, all of whose names are allowed. Raises ModelError with every name that is not.

    `trusted` are modules whose classes are allowed: those that audit.toml itself names. `output` is the name of the
    one that is audited, where there are several.
    """
    if not isinstance(config, dict) or not isinstance(config.get("config"), dict | list):
        raise ModelError(Problem(file=file, message="it holds no configuration of a Keras model"))
    config = {key: value for key, value in config.items() if key != "compile_config"}
    try:
        dialect = KERAS3 if keras3 else TF_KERAS
        refused = _refusals(config, "", trusted, dialect)
        problems = [Problem(file=file, where=place, message=said) for place, said in refused]
    except RecursionError as error:
        raise ModelError(Problem(file=file, message="its configuration is nested beyond reason")) from error
    if problems:
        raise ModelError(*problems)
    if config.get("class_name") not in MODELS:
        said = f"it holds a {config.get('class_name')}, not a functional or sequential model"
        raise ModelError(Problem(file=file, message=said))
    return _facts(config, file, ending, output, keras3=keras3)


def _refusals(value: object, layer: str, trusted: Collection[str], dialect: Dialect) -> Iterator[tuple[str, str]]:
    """Layer and reason for everything that is not allowed in a value, at any depth."""
    if isinstance(value, str) and (said := _marked(value)):
        yield layer, said
    if isinstance(value, list):
        for item in value:
            yield from _refusals(item, layer, trusted, dialect)
    if not isinstance(value, dict):
        return
    if {"class_name", "module", "registered_name", "spec_name"} & value.keys():
        inner = value.get("config")
        name = inner.get("name") if isinstance(inner, dict) else None
        is_model = str(value.get("class_name")) in MODELS
        layer = f'layer "{name}"' if isinstance(name, str) and not is_model else layer
        if said := _named(value, trusted, dialect):
            yield layer, said
    for key, item in value.items():
        if key == "compile_config" and item:
            yield layer, "a part of the model brings its own compile configuration"
        elif said := _marked(key) or _setting(key, item, dialect) or _held(key, item, value) or _too_large(key, item):
            yield layer, said
        yield from _refusals(item, layer, trusted, dialect)


def _named(  # noqa: PLR0911 - one reason each
    value: dict[str, Any], trusted: Collection[str], dialect: Dialect
) -> str | None:
    """Why an object of the configuration is refused, or None."""
    kind, module, registered = value.get("class_name"), value.get("module"), value.get("registered_name")
    if isinstance(module, str) and module in trusted:
        return None
    if kind == "function":
        return _function(value, dialect)
    if isinstance(kind, str) and kind in _CODE:
        return f"it is a {kind}, which holds code: refused, because opening the file could run it"
    if isinstance(module, str) and isinstance(kind, str) and kind in dialect.operators.get(module, ()):
        return None if registered in {kind, None} else f'its {kind} is registered as "{registered}"'
    if not isinstance(kind, str) or kind not in dialect.classes:
        return f'it is of the kind "{kind}", which is not an ordinary part of a Keras model'
    if not (module is None or (isinstance(module, str) and module in dialect.modules)):
        return f'its {kind} comes from the module "{module}", which is not Keras'
    if registered is not None and registered != kind:
        return f'its {kind} is registered as "{registered}", which is not the ordinary one'
    return None


def _function(value: dict[str, Any], dialect: Dialect) -> str | None:
    word, module = value.get("config"), value.get("module")
    known = isinstance(word, str) and word in dialect.activations and value.get("registered_name") in {word, None}
    if known and (module is None or (isinstance(module, str) and module in dialect.modules)):
        return None
    return f'it names the function "{module}.{word}", which is not a known activation'


def _too_large(key: str, item: object) -> str | None:
    """Why a number is refused, or None. Keras numbers the objects that stand in several places by their addresses."""
    if isinstance(item, list):
        return next(filter(None, (_too_large(key, each) for each in item)), None)
    if isinstance(item, int) and abs(item) > _LARGEST and key != "shared_object_id":
        return f"its {key} is a number of more than 32 bits, which as a size would fill any memory"
    return None


def _marked(text: str) -> str | None:
    mark = next((mark for mark in _COMPOSITE if mark in text), None)
    if text == _COMPOSITE_KEY:
        # tf_keras's _COMPOSITE_TYPE is, once written, the object {"_TYPE": "COMPOSITE"}.
        mark = text
    return mark and f"it holds {mark}, behind which a configuration can hide"


def _held(key: str, item: object, owner: dict[str, Any]) -> str | None:
    """Why what stands in the place of a layer is refused, or None. Keras makes a layer of a mere name, too."""
    if key in _HOLDERS and not isinstance(item, dict):
        return f"its {key} is {_short(item)}, not an object"
    # The oldest sequential models have their layers as the whole of "config".
    listed = key in _LISTS or (
        key == "config" and not isinstance(item, dict) and str(owner.get("class_name")) in MODELS
    )
    if not listed:
        return None
    if not isinstance(item, list):
        return f"its {key} is {_short(item)}, not a list of objects"
    wrong = next((number for number, each in enumerate(item) if not isinstance(each, dict)), None)
    return None if wrong is None else f"item {wrong} of its {key} is {_short(item[wrong])}, not an object"


def _short(item: object) -> str:
    """An item as a message shows it: a list or an object can be of any length."""
    return f'"{item[:80]}"' if isinstance(item, str) else f"of the type {type(item).__name__}"


def _setting(key: str, item: object, dialect: Dialect) -> str | None:
    """Why a setting that names a function or an object is refused, or None. Objects are looked at by their class."""
    kind = next((kind for kind in dialect.settings if key == kind or key.endswith(f"_{kind}")), None)
    if kind is None or item is None or (isinstance(item, dict) and "class_name" in item):
        return None
    if isinstance(item, str) and item.replace("_", "").lower() in dialect.settings[kind]:
        return None
    return f"its {key} is {_short(item)}, which is not a known {kind}"


def _facts(config: dict[str, Any], file: str, ending: str, output: str | None, *, keras3: bool) -> ModelFacts:
    layers = _layers(config)
    key = "batch_shape" if keras3 else "batch_input_shape"
    shapes = [
        layer["config"][key] for layer in layers if layer.get("class_name") == "InputLayer" and key in layer["config"]
    ]
    if not shapes and layers and key in layers[0]["config"]:
        shapes = [layers[0]["config"][key]]
    if len(shapes) > 1:
        raise ModelError(Problem(file=file, message=f"the model has {len(shapes)} inputs, not one"))
    ends = _ends(config, file)
    place = place_of(output, uniquified([name for name, _ in ends]), file)
    outputs, activation = _end(ends[place][1] if ends else None, layers)
    return ModelFacts(
        ending=ending,
        keras3=keras3,
        layers=tuple((str(layer["config"].get("name", "")), str(layer["class_name"])) for layer in layers),
        input_shape=tuple(shapes[0][1:]) if shapes and isinstance(shapes[0], list) else None,
        outputs=outputs,
        output=place,
        activation=activation,
    )


def _layers(config: dict[str, Any]) -> list[dict[str, Any]]:
    """The model's layers, those of models inside it too, in order."""
    inner = config["config"]
    listed = inner if isinstance(inner, list) else inner.get("layers", [])
    found: list[dict[str, Any]] = []
    for layer in listed:
        if isinstance(layer, dict) and isinstance(layer.get("config"), dict | list):
            # A model inside a model has an input of its own, which is none of the outer model's.
            inside = layer.get("class_name") in MODELS
            found += [x for x in _layers(layer) if x["class_name"] != "InputLayer"] if inside else [layer]
    return found


def _ends(config: dict[str, Any], file: str) -> list[tuple[str, str | None]]:
    """Name of each output and of its layer (None: the last one), as `Model.outputs` has them; empty where not told."""
    inner = config["config"]
    listed: Any = inner.get("output_layers") if isinstance(inner, dict) else None
    if not listed:
        # A sequential model ends in its last layer; the oldest ones are a list of them.
        last = (inner if isinstance(inner, list) else inner.get("layers", []))[-1:]
        names = [layer["config"].get("name") for layer in last if isinstance(layer.get("config"), dict)]
        return [(name, None) for name in names if isinstance(name, str)]
    if isinstance(listed, dict) and listed.get("class_name") == "__tuple__":
        listed = listed.get("items")
    if isinstance(listed, dict):
        # Keras sorts by the keys.
        keys = sorted(listed)
        places = [listed[key] for key in keys]
    else:
        # Keras 3 writes a single output without the list around it.
        keys, places = [], [listed] if isinstance(listed[0], str) else listed
    if any(not (isinstance(place, list) and place and isinstance(place[0], str)) for place in places):
        raise ModelError(Problem(file=file, message="its outputs are nested: save it with a plain list of them"))
    layers = [place[0] for place in places]
    return list(zip(keys or layers, layers, strict=True))


def _end(name: str | None, layers: list[dict[str, Any]]) -> tuple[int | None, str | None]:
    """Number of outputs and last activation, as far as the layer tells."""
    named = layers[-1:] if name is None else [layer for layer in layers if layer["config"].get("name") == name]
    last = named[0] if named else None
    if last is None:
        return None, None
    units, activation = last["config"].get("units"), last["config"].get("activation")
    if last["class_name"] == "Softmax":
        activation = "softmax"
    return units if isinstance(units, int) else None, activation if isinstance(activation, str) else None
