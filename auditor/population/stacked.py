"""Train many members of a dense model at once: every weight has a member axis, and one compiled loop steps them all.

A small model's step costs more in calls than in arithmetic; side by side, members share the calls. Members stay apart:
each has its own initial weights, order of examples, masks and optimizer state, and none reads another's. What TFMOT's
wrapper does in each step is done here in the same order (masks, masked weights, forward, update), and it is the oracle
of the tests.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from auditor.data.inputs import to_float
from auditor.population.dense import forward
from auditor.population.rates import learning_rate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from auditor.data.inputs import Inputs
    from auditor.models import KerasModel
    from auditor.records import BoolArray, FloatArray, IntArray

    Tensor = Any
    """TensorFlow publishes no types."""

MOST = 32
"""Most members of a stack. Their results depend on its size in the last digits, so it is fixed by the definition."""
_STEPS = 256
"""Most steps in one call of the compiled loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Trained members."""

    weights: tuple[tuple[FloatArray, ...], ...]
    """Of each member, in the order of the model's layers and of each layer's own weights; masked."""
    diverged: Mapping[int, int]
    """Members whose loss or weights were no numbers any more, with the epoch of it, from 1."""


def train_stack(
    model: KerasModel,
    starts: Sequence[Sequence[FloatArray]],
    seeds: Sequence[int],
    inputs: Inputs,
    training: Mapping[str, Any],
    *,
    activation: str | None,
    masking: tuple[BoolArray, FloatArray] | None = None,
) -> Stack:
    """Train a stack of K members of `model`, whose own weights are not looked at.

    `starts` are the initial weights of each, ordered as `Stack.weights`; `seeds` give the order of examples as in
    `train`, and the units that Dropout leaves out. `masking` is, for each step of the training (from 1), whether masks
    change and at which sparsity, [T] each; without it nothing is pruned. All kernels of dense layers are pruned.
    """
    from auditor.tf import load

    tf = load().tf
    examples, batch = len(inputs.train_x), training["batch_size"]
    loop = _compiled(_shape(model, len(seeds), training, activation), _Held(model))
    weights = tuple(tf.constant(np.stack(each)) for each in zip(*starts, strict=True))
    places = _prunable(model)
    masks = tuple(tf.ones_like(weights[place]) for place in places)
    slots = tuple(tf.zeros_like(each) for each in weights)
    state = [weights, masks, slots, slots]
    x, y = tf.constant(to_float(inputs.train_x, inputs)), tf.constant(np.asarray(inputs.train_y))
    noise = tf.constant(np.array(seeds, np.uint32).astype(np.int32))
    orders = [np.random.default_rng(seed) for seed in seeds]
    per_epoch = -(-examples // batch)
    changes, keep = _kept(masking, training["epochs"] * per_epoch, [weights[place].shape[1:] for place in places])
    diverged: dict[int, int] = {}
    done = 0
    for epoch in range(training["epochs"]):
        total = np.zeros(len(seeds), np.float32)
        order = np.stack([each.permutation(examples) for each in orders])
        for rows, sizes in _calls(order, batch):
            part = slice(done, done + len(sizes))
            own = [_padded(each, min(per_epoch, _STEPS)) for each in (rows, sizes, changes[part], keep[part])]
            counts = tf.constant(len(sizes)), tf.constant(done)
            *state, losses = loop(*counts, *state, x, y, noise, *map(tf.constant, own))
            total += losses.numpy()
            done += len(sizes)
        for member in np.flatnonzero(~(np.isfinite(total) & _finite(state[0]))):
            diverged.setdefault(int(member), epoch + 1)
        # as TFMOT does at the end of an epoch: what is masked then cannot grow back at the next change of masks
        state[0] = _masked(state[0], places, state[1])
    last = [np.asarray(each) for each in state[0]]
    return Stack(weights=tuple(tuple(each[k] for each in last) for k in range(len(seeds))), diverged=diverged)


def _finite(weights: Sequence[Any]) -> BoolArray:
    """Tell of each member whether all its weights are numbers [K]."""
    return np.all([np.isfinite(each).all(axis=tuple(range(1, len(each.shape)))) for each in weights], axis=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """All that the compiled loop depends on: stacks that have it in common are compiled once a process."""

    layers: str
    members: int
    batch: int
    training: str
    activation: str | None


def _shape(model: KerasModel, members: int, training: Mapping[str, Any], activation: str | None) -> _Shape:
    return _Shape(
        layers=json.dumps([[type(each).__name__, _anonymous(each.get_config())] for each in model.layers], default=str),
        members=members,
        batch=training["batch_size"],
        training=json.dumps(training, sort_keys=True),
        activation=activation,
    )


class _Held:
    """A model that says nothing of whether two shapes are one."""

    def __init__(self, model: KerasModel) -> None:
        self.model = model

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held)

    def __hash__(self) -> int:
        return 0


def _anonymous(config: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key != "name"}


def _prunable(model: KerasModel) -> list[int]:
    """Give the places of the dense kernels among all weights, in the order of the layers."""
    kinds = [(layer, weight) for layer in model.layers for weight in layer.weights]
    return [i for i, (layer, weight) in enumerate(kinds) if type(layer).__name__ == "Dense" and weight is layer.kernel]


def _masked(weights: Sequence[Tensor], places: Sequence[int], masks: Sequence[Tensor]) -> tuple[Tensor, ...]:
    masked = list(weights)
    for place, mask in zip(places, masks, strict=True):
        masked[place] = masked[place] * mask
    return tuple(masked)


def _kept(
    masking: tuple[BoolArray, FloatArray] | None, steps: int, shapes: Sequence[Sequence[int]]
) -> tuple[BoolArray, IntArray]:
    """Give for each step whether masks change, [T], and how many weights of each layer are then kept, [T, layers]."""
    if masking is None:
        return np.zeros(steps, bool), np.ones((steps, max(len(shapes), 1)), np.int32)
    sizes = np.array([np.prod(shape) for shape in shapes], np.float32)
    # as TFMOT counts them: in single precision, half to even
    kept = np.maximum(np.round(sizes * (np.float32(1) - masking[1][:, None].astype(np.float32))), 1)
    return masking[0], kept.astype(np.int32)


def _calls(order: IntArray, batch: int) -> list[tuple[IntArray, IntArray]]:
    """Cut an epoch's order [K, n] into calls: rows [steps, K, batch], and how many of each batch are real [steps]."""
    members, examples = order.shape
    steps = -(-examples // batch)
    rows = np.zeros((members, steps * batch), np.int32)
    rows[:, :examples] = order
    sizes = np.full(steps, batch, np.int32)
    sizes[-1] = examples - (steps - 1) * batch
    by_step = rows.reshape(members, steps, batch).swapaxes(0, 1)
    return [(by_step[at : at + _STEPS], sizes[at : at + _STEPS]) for at in range(0, steps, _STEPS)]


def _padded(array: Any, steps: int) -> Any:  # noqa: ANN401 - an array of any kind
    """Make a call's arrays as long as every call's: one shape is compiled once."""
    short = steps - len(array)
    return np.pad(array, [(0, short)] + [(0, 0)] * (array.ndim - 1)) if short else np.ascontiguousarray(array)


def _step(shape: _Shape, model: KerasModel) -> Callable[..., Any]:
    """Give a step of all members: from the state and the step's own inputs to the state after it, and the losses."""
    from auditor.tf import load

    tf = load().tf
    training = json.loads(shape.training)
    layers, places = list(model.layers), _prunable(model)
    trainable = [any(w is each for each in layer.trainable_weights) for layer in layers for w in layer.weights]
    loss_of = _loss(model, shape.activation, training["label_smoothing"])
    update = _optimizer(training)

    def changed(weights: Tensor, keep: Tensor) -> tuple[Tensor, ...]:
        """Keep the largest weights of each kernel, and what is as large as the smallest of them."""
        masks = []
        for layer, place in enumerate(places):
            size = tf.reshape(tf.abs(weights[place]), [shape.members, -1])
            least = tf.gather(tf.sort(size, axis=1, direction="DESCENDING"), keep[layer] - 1, axis=1)
            masks.append(tf.cast(tf.reshape(size >= least[:, None], weights[place].shape), tf.float32))
        return tuple(masks)

    def step(weights: Tensor, masks: Tensor, first: Tensor, second: Tensor, t: Tensor, given: Tensor) -> Tensor:
        x, y, noise, size, changes, keep = given
        masks = tf.cond(changes, lambda: changed(weights, keep), lambda: masks)
        weights = _masked(weights, places, masks)
        # the last batch of an epoch may be smaller: what fills it up counts nowhere
        present = tf.cast(tf.range(shape.batch) < size, tf.float32)
        count = tf.cast(size, tf.float32)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([w for w, is_trained in zip(weights, trainable, strict=True) if is_trained])
            outputs, weights_after = forward(layers, x, weights, present / count, (noise, t))
            losses = tf.reduce_sum(loss_of(y, outputs) * present, axis=1) / count
            total = tf.reduce_sum(losses)
        learnt = [i for i, is_trained in enumerate(trainable) if is_trained]
        gradients = tape.gradient(total, [weights[i] for i in learnt])
        first, second = list(first), list(second)
        for i, gradient in zip(learnt, gradients, strict=True):
            weights_after[i], first[i], second[i] = update(weights[i], first[i], second[i], gradient, t)
        return tuple(weights_after), masks, tuple(first), tuple(second), losses

    return step


@functools.lru_cache(maxsize=2)
def _compiled(shape: _Shape, held: _Held) -> Callable[..., Any]:
    """Compile the loop over a call's steps."""
    from auditor.tf import load

    tf, step = load().tf, _step(shape, held.model)

    @tf.function(jit_compile=True, autograph=False)  # type: ignore[untyped-decorator]
    def loop(  # noqa: PLR0913, PLR0917 - each is an input of the graph
        steps: Tensor,
        done: Tensor,
        weights: Tensor,
        masks: Tensor,
        first: Tensor,
        second: Tensor,
        x: Tensor,
        y: Tensor,
        noise: Tensor,
        rows: Tensor,
        sizes: Tensor,
        changes: Tensor,
        keep: Tensor,
    ) -> Tensor:
        def body(s: Tensor, weights: Tensor, masks: Tensor, first: Tensor, second: Tensor, total: Tensor) -> Tensor:
            given = (tf.gather(x, rows[s]), tf.gather(y, rows[s]), noise, sizes[s], changes[s], keep[s])
            *state, losses = step(weights, masks, first, second, done + s + 1, given)
            return (s + 1, *state, total + losses)

        begin = (tf.constant(0), weights, masks, first, second, tf.zeros([shape.members]))
        return tf.while_loop(lambda s, *_: s < steps, body, begin)[1:]

    return loop


def _loss(model: KerasModel, activation: str | None, smoothing: float) -> Callable[[Tensor, Tensor], Tensor]:
    """Give each example's cross-entropy [K, B], as `train` takes its mean."""
    from auditor.tf import load

    tfm = load()
    losses, outputs = tfm.tf_keras.losses, model.output_shape[-1]
    from_logits = activation != ("sigmoid" if outputs == 1 else "softmax")
    settings = {"from_logits": from_logits, "label_smoothing": smoothing}
    if outputs == 1:
        return lambda y, p: losses.binary_crossentropy(tfm.tf.cast(y[..., None], p.dtype), p, **settings)
    if smoothing:
        return lambda y, p: losses.categorical_crossentropy(tfm.tf.one_hot(y, outputs), p, **settings)
    return lambda y, p: losses.sparse_categorical_crossentropy(y, p, from_logits=from_logits)


def _optimizer(training: Mapping[str, Any]) -> Callable[..., tuple[Tensor, Tensor, Tensor]]:
    """Give a step of SGD or Adam as tf_keras has them: weight, both slots, gradient and step to weight and slots."""
    from auditor.tf import load

    tf, rate, momentum, nesterov = load().tf, learning_rate(training), training["momentum"], training["nesterov"]
    one, beta_1, beta_2 = np.float32(1), np.float32(0.9), np.float32(0.999)

    def rate_at(t: Tensor) -> Tensor:
        return rate(tf.cast(t - 1, tf.float32)) if callable(rate) else rate

    def sgd(w: Tensor, velocity: Tensor, unused: Tensor, gradient: Tensor, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        part = rate_at(t) * gradient
        velocity = momentum * velocity - part
        return w + (momentum * velocity - part if nesterov else velocity), velocity, unused

    def adam(w: Tensor, m: Tensor, v: Tensor, gradient: Tensor, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        at = tf.cast(t, tf.float32)
        alpha = rate_at(t) * tf.sqrt(one - tf.pow(beta_2, at)) / (one - tf.pow(beta_1, at))
        m += (gradient - m) * (one - beta_1)
        v += (tf.square(gradient) - v) * (one - beta_2)
        return w - m * alpha / (tf.sqrt(v) + 1e-7), m, v

    return sgd if training["optimizer"] == "sgd" else adam
