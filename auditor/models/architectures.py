"""Architectures that the auditor trains itself: the built-in ones, or a function of the user's."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from auditor.errors import ModelError, Problem, did_you_mean
from auditor.own import own_function

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from auditor.models import KerasModel


def mlp(
    input_shape: Sequence[int], classes: int, *, hidden: Sequence[int] = (64, 32), dropout: float = 0.0
) -> KerasModel:
    """Dense layers with ReLU, then softmax over the classes."""
    from auditor.tf import load

    layers = load().tf_keras.layers
    stack = [layers.InputLayer(tuple(input_shape))]
    if len(input_shape) > 1:
        stack.append(layers.Flatten())
    for units in hidden:
        stack.append(layers.Dense(units, activation="relu"))
        if dropout:
            stack.append(layers.Dropout(dropout))
    return load().tf_keras.Sequential([*stack, layers.Dense(classes, activation="softmax")])


def cnn(
    input_shape: Sequence[int], classes: int, *, filters: Sequence[int] = (16, 32, 64), dense: Sequence[int] = (64,)
) -> KerasModel:
    """Blocks of 3x3 convolution, ReLU and 2x2 pooling, then dense layers; for images [height, width, channels]."""
    from auditor.tf import load

    layers = load().tf_keras.layers
    if len(input_shape) != 3:
        raise ValueError(f"it reads images [height, width, channels], the data has examples of shape {input_shape}")
    stack = [layers.InputLayer(tuple(input_shape))]
    for count in filters:
        stack += [layers.Conv2D(count, 3, padding="same", activation="relu"), layers.MaxPooling2D(2, padding="same")]
    stack += [layers.Flatten(), *(layers.Dense(units, activation="relu") for units in dense)]
    return load().tf_keras.Sequential([*stack, layers.Dense(classes, activation="softmax")])


ARCHITECTURES: dict[str, Callable[..., KerasModel]] = {"mlp": mlp, "cnn": cnn}


def check_architecture(name: str, options: Mapping[str, Any]) -> None:
    """Refuse an unknown name or option, without TensorFlow. A user's own function is looked at where it is called."""
    where = "model.architecture"
    if ":" in name:
        return
    if name not in ARCHITECTURES:
        near = did_you_mean(name, ARCHITECTURES)
        advice = f'{near} Or name a function: "package.module:function".'.strip()
        raise ModelError(Problem(where=where, message=f'there is no architecture "{name}"', advice=advice))
    known = list(inspect.signature(ARCHITECTURES[name]).parameters)[2:]
    if unknown := [option for option in options if option not in known]:
        raise ModelError(
            *(
                Problem(
                    where=f"model.options.{option}",
                    message=f'"{name}" has no option "{option}"; it has {", ".join(known)}',
                    advice=did_you_mean(option, known),
                )
                for option in unknown
            )
        )


def build(name: str, input_shape: tuple[int, ...], classes: int, options: Mapping[str, Any]) -> KerasModel:
    """The untrained model. Raises ModelError where it cannot be built or does not fit the classes."""
    check_architecture(name, options)
    make = own_function(name, "model.architecture") if ":" in name else ARCHITECTURES[name]
    try:
        model = make(input_shape, classes, **options)
    except (TypeError, ValueError) as error:
        described = ", ".join(f"{key} = {value!r}" for key, value in options.items()) or "no options"
        message = f'"{name}" cannot be built with {described}: {error}'
        raise ModelError(Problem(where="model.options", message=message)) from error
    _check(name, model, classes)
    return model


def _check(name: str, model: object, classes: int) -> None:
    from auditor.tf import load

    keras = load().tf_keras
    if not isinstance(model, keras.Model):
        found = f"{type(model).__module__}.{type(model).__qualname__}"
        message, advice = f'"{name}" returned a {found}', "Return a tf_keras.Model (not one of Keras 3 or tf.keras)."
    elif not (isinstance(model, keras.Sequential) or model._is_graph_network):  # noqa: SLF001 - TFMOT asks the same
        message, advice = f'"{name}" returned a subclassed model', "Return a functional or sequential one."
    elif model.output_shape != (None, classes) and not (classes == 2 and model.output_shape == (None, 1)):
        message = f'"{name}" has output shape {model.output_shape}, but there are {classes} classes'
        advice = f"End it with {classes} outputs and softmax."
    else:
        return
    raise ModelError(Problem(where="model.architecture", message=message, advice=advice))
