"""Architectures that the auditor trains itself: the built-in ones, or a function of the user's."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from auditor.errors import ModelError, Problem, did_you_mean
from auditor.models import start
from auditor.models.networks import cnn, inception_v3, mlp, mobilenet_v2, resnet18, resnet50, wide_resnet
from auditor.own import own_function

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from auditor.models import KerasModel


_KEYS = ("model.architecture", "model.options")
"""The keys of audit.toml that name an architecture and its options."""
ARCHITECTURES: dict[str, Callable[..., KerasModel]] = {
    make.__name__: make for make in (mlp, cnn, resnet18, wide_resnet, resnet50, inception_v3, mobilenet_v2)
}


def check_architecture(name: str, options: Mapping[str, Any], keys: tuple[str, str] = _KEYS) -> None:
    """Refuse an unknown name or option, without TensorFlow. A user's own function is looked at where it is called.

    `keys` are where both stand, in errors.
    """
    where, where_options = keys
    if ":" in name:
        return
    if name not in ARCHITECTURES:
        near = did_you_mean(name, ARCHITECTURES)
        advice = f'{near} Or name a function: "package.module:function".'.strip()
        raise ModelError(Problem(where=where, message=f'there is no architecture "{name}"', advice=advice))
    known = [*list(inspect.signature(ARCHITECTURES[name]).parameters)[2:], *start.OPTIONS]
    problems = [
        Problem(
            where=f"{where_options}.{option}",
            message=f'"{name}" has no option "{option}"; it has {", ".join(known)}',
            advice=did_you_mean(option, known),
        )
        for option in options
        if option not in known
    ]
    if problems := [*problems, *start.check_start(options)]:
        raise ModelError(*problems)


def build(
    name: str,
    input_shape: tuple[int, ...],
    classes: int,
    options: Mapping[str, Any],
    keys: tuple[str, str] = _KEYS,
) -> KerasModel:
    """The untrained model, its frozen layers marked. Raises ModelError where it cannot be built or does not fit.

    Weights that the options name are not loaded here. `keys` as in `check_architecture`.
    """
    check_architecture(name, options, keys)
    make = own_function(name, keys[0]) if ":" in name else ARCHITECTURES[name]
    own = options if ":" in name else {key: value for key, value in options.items() if key not in start.OPTIONS}
    try:
        model = make(input_shape, classes, **own)
    except (TypeError, ValueError) as error:
        described = ", ".join(f"{key} = {value!r}" for key, value in options.items()) or "no options"
        message = f'"{name}" cannot be built with {described}: {error}'
        raise ModelError(Problem(where=keys[1], message=message)) from error
    _check(name, model, classes, keys[0])
    if ":" not in name and "frozen" in options:
        start.freeze(model, options["frozen"])
    return model


def _check(name: str, model: object, classes: int, where: str) -> None:
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
    raise ModelError(Problem(where=where, message=message, advice=advice))
