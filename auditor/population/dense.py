"""Dense models along a member axis: which layers may stand in a stack, and what each computes for all members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auditor.models.allowed import ACTIVATIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.models import KerasModel

    Tensor = Any
    """TensorFlow publishes no types."""

_PLAIN = frozenset({"InputLayer", "Flatten", "Activation", "ReLU", "LeakyReLU", "ELU", "Softmax"})
"""Layers without weights that look at one example alone."""


def unstackable(model: KerasModel) -> str | None:
    """Say why a model cannot be trained in a stack, naming the layer; None where it can."""
    if not _is_chain(model):
        return "its layers are no plain chain"
    if len(model.input_shape) != 2:
        return f"its input is not one row of numbers, but has shape {model.input_shape[1:]}"
    for layer in model.layers:
        if said := _refusal(layer):
            return f"layer {layer.name!r} ({type(layer).__name__}) {said}"
    return "it adds a loss of its own" if model.losses else None


def _is_chain(model: KerasModel) -> bool:
    """Tell whether each layer reads the one before it, and nothing else."""
    from auditor.tf import load

    if isinstance(model, load().tf_keras.Sequential):
        return True
    before = [None, *model.layers]
    return all(
        len(layer.inbound_nodes) == 1 and layer.inbound_nodes[0].inbound_layers in (source, [source], [])
        for source, layer in zip(before, model.layers, strict=False)
    )


def _refusal(layer: Any) -> str | None:  # noqa: ANN401, PLR0911 - one reason after another
    from auditor.tf import load

    kind, config, known = type(layer).__name__, layer.get_config(), load().tf_keras.activations
    of_keras = type(layer).__module__.partition(".")[0] == "tf_keras"
    if not of_keras or config.get("dtype", "float32") != "float32" or not layer.trainable:
        return "is frozen, not of float32, or none of tf_keras"
    if any(node.call_kwargs for node in layer.inbound_nodes):
        return "is called with arguments"
    if any(config.get(key) for key in config if key.endswith(("_regularizer", "_constraint"))):
        return "has a regularizer or a constraint"
    activation = getattr(layer, "activation", None)
    if activation is not None and all(activation is not getattr(known, name, None) for name in ACTIVATIONS):
        return "has an activation that may look at more than one example"
    if kind == "Dropout":
        return "has a noise shape" if config["noise_shape"] else None
    if kind == "Softmax" and config["axis"] != -1:
        return "does not go over the last axis, -1"
    if kind in {"BatchNormalization", "LayerNormalization"}:
        last = config["axis"] in {-1, 1} if isinstance(config["axis"], int) else list(config["axis"]) in ([1], [-1])
        return None if last and not config.get("renorm") else "does not normalise the last axis alone"
    return None if kind in _PLAIN | {"Dense"} else "is of another kind than dense"


def forward(
    layers: Sequence[Any], x: Tensor, weights: Sequence[Tensor], shares: Tensor, noise: tuple[Tensor, Tensor]
) -> tuple[Tensor, list[Tensor]]:
    """Compute outputs [K, B, C] of x [K, B, D], and the weights as batch normalisation leaves them.

    `shares` [B] are the examples' shares in a batch's mean.
    """
    after, place = list(weights), 0
    for number, layer in enumerate(layers):
        own = weights[place : place + len(layer.weights)]
        kind = type(layer).__name__
        if kind == "Dense":
            x = _dense(layer, x, own)
        elif kind == "Dropout":
            x = _dropout(layer, x, noise, number)
        elif kind == "LayerNormalization":
            x = _normalised(layer, x, own)
        elif kind == "BatchNormalization":
            x, after[place : place + len(own)] = _batch_normalised(layer, x, own, shares)
        elif kind not in {"InputLayer", "Flatten"}:
            x = layer.call(x)
        place += len(own)
    return x, after


def _dense(layer: Any, x: Tensor, own: Sequence[Tensor]) -> Tensor:  # noqa: ANN401
    from auditor.tf import load

    x = load().tf.matmul(x, own[0])
    return layer.activation(x + own[1][:, None, :] if layer.use_bias else x)


def _dropout(layer: Any, x: Tensor, noise: tuple[Tensor, Tensor], number: int) -> Tensor:  # noqa: ANN401
    """Leave out units by draws that a member's seed, the step and the layer give: no member's depend on another's."""
    from auditor.tf import load

    if not layer.rate:
        return x
    tf = load().tf
    seeds, t = noise
    draws = [
        tf.random.stateless_uniform(x.shape[1:], tf.stack([seeds[k], t * 1000 + number])) for k in range(x.shape[0])
    ]
    return tf.where(tf.stack(draws) >= layer.rate, x / (1 - layer.rate), tf.zeros_like(x))


def _normalised(layer: Any, x: Tensor, own: Sequence[Tensor]) -> Tensor:  # noqa: ANN401
    from auditor.tf import load

    tf = load().tf
    mean, variance = tf.nn.moments(x, axes=[-1], keepdims=True)
    return _scaled(layer, (x - mean) * tf.math.rsqrt(variance + layer.epsilon), own)


def _batch_normalised(layer: Any, x: Tensor, own: Sequence[Tensor], shares: Tensor) -> tuple[Tensor, list[Tensor]]:  # noqa: ANN401
    from auditor.tf import load

    tf = load().tf
    mean = tf.reduce_sum(x * shares[:, None], axis=1)
    variance = tf.reduce_sum(tf.square(x - mean[:, None]) * shares[:, None], axis=1)
    *learnt, moving_mean, moving_variance = own
    moved = [
        old - (old - new) * (1 - layer.momentum) for old, new in ((moving_mean, mean), (moving_variance, variance))
    ]
    x = (x - mean[:, None]) * tf.math.rsqrt(variance + layer.epsilon)[:, None]
    return _scaled(layer, x, learnt), [*learnt, *moved]


def _scaled(layer: Any, x: Tensor, own: Sequence[Tensor]) -> Tensor:  # noqa: ANN401
    """Apply what is learnt of a normalisation: a factor, a shift, or both."""
    learnt = list(own)
    if layer.scale:
        x *= learnt.pop(0)[:, None]
    return x + learnt.pop(0)[:, None] if layer.center else x
