"""Train one tf_keras model, on one thread, in an order that its own generator gives."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from auditor.compress import MemberError
from auditor.data.inputs import to_float
from auditor.population.augment import augmented, check_augmentable
from auditor.population.rates import learning_rate
from auditor.provenance import digest_of
from auditor.records import FloatArray, IntArray

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from auditor.compress.lesson import Lesson
    from auditor.data.inputs import Inputs
    from auditor.models import KerasModel

_STEPS = 64
"""Most steps in one call of the compiled graph: enough for the cost of a call to vanish."""
_BYTES = 32 << 20
"""Most bytes of input in one call."""
_TOLD = 1024
"""Examples that are read at once for a teacher."""


def total_steps(examples: int, training: Mapping[str, Any]) -> int:
    """Steps of a whole training; the last batch of an epoch may be smaller."""
    return int(training["epochs"]) * math.ceil(examples / training["batch_size"])


def train(  # noqa: PLR0913 - two of them only where a member is taught, or watched
    model: KerasModel,
    inputs: Inputs,
    training: Mapping[str, Any],
    activation: str | None,
    seed: int,
    *,
    reuse: bool = True,
    watch: Callable[[KerasModel], None] | None = None,
    lesson: Lesson | None = None,
) -> None:
    """Train in place, by the labels and by a lesson if there is one.

    Raises MemberError where the loss or a weight stops being a number.

    As `fit` would, but many steps a call of the graph: a small model's step costs less than its call. The graph is the
    one of an earlier member like this, if there was one: tracing it takes as long as hundreds of steps. Without `reuse`
    it is a new one, as it must be where code that the model's configuration only names may have changed. `watch` is
    shown the model after each epoch, with the weights that it has then.
    """
    from auditor.tf import load

    if training["augment"]:
        check_augmentable(inputs.train_x)
    # Two streams, so that a member reads its examples in the same order with augmentation and without.
    order, draws = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    loop = (_loop_for if reuse else _compiled)(model, training, activation, lesson)
    soft = None if lesson is None else _soft_targets(lesson, inputs, training)
    # Nothing but resetting its step counter and masking after each epoch: the wrappers count and prune in the graph.
    pruning = load().tfmot.UpdatePruningStep()
    pruning.set_model(loop.model)
    pruning.on_train_begin()
    for epoch in range(training["epochs"]):
        losses = [loop.steps(*call) for call in _calls(inputs, training, order, draws, soft)]
        pruning.on_epoch_end(epoch)
        if watch is not None:
            watch(loop.model)
        # A loss alone does not show it: a fused activation takes what is no number for zero.
        weights = loop.model.get_weights()
        if not all(np.isfinite(each).all() for each in (*weights, *(float(loss) for loss in losses))):
            raise MemberError(diverged_in(epoch + 1))
    _copy(loop.model, model)


def diverged_in(epoch: int) -> str:
    """The reason why a member has no model: its loss or a weight was no number."""
    return f"the loss or a weight became NaN or infinite in epoch {epoch}"


_Soft = Callable[[IntArray, FloatArray], FloatArray]
"""Soft targets [steps, batch, C] of the rows [steps, batch], read as x [steps, batch, ...]."""


def _soft_targets(lesson: Lesson, inputs: Inputs, training: Mapping[str, Any]) -> _Soft:
    """The teacher's, told once for all epochs, unless each epoch shows other images."""
    if training["augment"]:
        return lambda _, x: lesson.targets(x.reshape(-1, *x.shape[2:])).reshape(*x.shape[:2], -1)
    parts = range(0, len(inputs.train_x), _TOLD)
    known = np.concatenate([lesson.targets(to_float(inputs.train_x[i : i + _TOLD], inputs)) for i in parts])
    return lambda rows, _: known[rows]


def _calls(
    inputs: Inputs,
    training: Mapping[str, Any],
    orders: np.random.Generator,
    draws: np.random.Generator,
    soft: _Soft | None,
) -> Iterator[tuple[FloatArray | IntArray, ...]]:
    """One epoch by the call: x [steps, batch, ...], y [steps, batch] and soft targets, if there are any.

    The smaller batch of the end stands by itself.
    """
    order, batch = orders.permutation(len(inputs.train_x)), training["batch_size"]
    example = 4 * int(np.prod(inputs.train_x.shape[1:]))
    steps = max(1, min(_STEPS, _BYTES // (example * batch)))
    whole = len(order) // batch * batch
    stack = order[:whole].reshape(-1, batch)
    calls = [stack[start : start + steps] for start in range(0, len(stack), steps)]
    if whole < len(order):
        calls.append(order[None, whole:])
    for rows in calls:
        x = inputs.train_x[rows]
        if training["augment"]:
            x = augmented(x.reshape(-1, *x.shape[2:]), training["augment"], draws).reshape(x.shape)
        read, y = to_float(x, inputs), inputs.train_y[rows]
        yield (read, y) if soft is None else (read, y, soft(rows, read))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loop:
    """A compiled graph, with the model and the optimizer that it is of."""

    model: KerasModel
    optimizer: Any
    steps: Callable[..., Any]
    """One call with what `_calls` gives: a training step for each batch of a stack; the sum of their losses."""


_KEPT = 2
"""Loops kept by a process; it mostly trains one variant after another."""
_loops: OrderedDict[str, _Loop] = OrderedDict()


def _loop_for(model: KerasModel, training: Mapping[str, Any], activation: str | None, lesson: Lesson | None) -> _Loop:
    """Give a loop that stands where a new one for this model would: its weights, masks and counters, nothing learnt."""
    if not _is_reusable(model, training):
        return _compiled(model, training, activation, lesson)
    # The teacher is none of the graph's: what it says comes with the examples.
    taught = None if lesson is None else [lesson.temperature, lesson.alpha]
    # How many centroids a layer has depends on its weights: that is no setting, but a shape.
    shapes = [list(weight.shape) for weight in model.weights]
    parts = {"model": model.to_json(), "shapes": shapes, "activation": activation, "lesson": taught}
    key = digest_of({**parts, "training": dict(training)})
    if (loop := _loops.pop(key, None)) is None:
        loop = _compiled(model, training, activation, lesson)
    else:
        _copy(model, loop.model)
        for variable in loop.optimizer.variables():
            variable.assign(np.zeros(variable.shape, variable.dtype.as_numpy_dtype))
    _loops[key] = loop
    while len(_loops) > _KEPT:
        _loops.popitem(last=False)
    return loop


def _is_reusable(model: KerasModel, training: Mapping[str, Any]) -> bool:
    """Whether all that a graph keeps from step to step is in weights and in slots that start at zero.

    Random layers have the state of their generators beside, a layer of the user's own may have anything, what keeps
    zeros or clusters while rounding holds masks that are no weights, and the newer optimizers, which weight decay
    needs, keep their learning rate in a variable.
    """
    from auditor.tf import load

    layers = [part for part in model.submodules if isinstance(part, load().tf_keras.layers.Layer)]
    known = all(type(layer).__module__.startswith(_KNOWN) and not _holds_masks(layer) for layer in layers)
    return known and not training["weight_decay"] and not any(hasattr(layer, "_random_generator") for layer in layers)


_KNOWN = ("tf_keras.", "tensorflow_model_optimization.", "auditor.compress.masks")


def _holds_masks(layer: Any) -> bool:  # noqa: ANN401
    """Whether this is a wrapper of quantisation-aware training that has more than variables."""
    from auditor.tf import load

    variable = load().tf.Variable
    held = (part for *_, held in getattr(layer, "_weight_vars", ()) for part in held.values())
    return not all(isinstance(part, variable) for part in held)


def _copy(source: KerasModel, target: KerasModel) -> None:
    if source is not target:
        for mine, theirs in zip(target.weights, source.weights, strict=True):
            mine.assign(theirs)


def _compiled(model: KerasModel, training: Mapping[str, Any], activation: str | None, lesson: Lesson | None) -> _Loop:
    from auditor.tf import load

    tf = load().tf
    loss_of, optimizer = _loss(model, activation, training["label_smoothing"], lesson), _optimizer(training)
    variables = model.trainable_variables
    # With its slots made before, the graph is traced once and not twice.
    make_slots = optimizer.build if training["weight_decay"] else optimizer._create_all_weights  # noqa: SLF001
    make_slots(variables)
    taken = [tf.TensorSpec([None, None, *model.input_shape[1:]], tf.float32), tf.TensorSpec([None, None], tf.int32)]
    if lesson is not None:
        taken.append(tf.TensorSpec([None, None, lesson.classes], tf.float32))

    @tf.function(input_signature=taken)  # type: ignore[untyped-decorator] # TensorFlow publishes no types
    def steps(xs: Any, ys: Any, *soft: Any) -> Any:  # noqa: ANN401
        total = tf.constant(0.0)
        for index in tf.range(tf.shape(xs)[0]):
            with tf.GradientTape() as tape:
                loss = loss_of(ys[index], model(xs[index], training=True), *(each[index] for each in soft))
                if model.losses:
                    loss += tf.add_n(model.losses)
            gradients = zip(tape.gradient(loss, variables), variables, strict=True)
            # There is one replica to gather from; gathering would register a function that keeps this graph for ever.
            optimizer.apply_gradients(gradients, experimental_aggregate_gradients=False)
            total += loss
        return total

    return _Loop(model=model, optimizer=optimizer, steps=steps)


def _loss(model: KerasModel, activation: str | None, smoothing: float, lesson: Lesson | None) -> Any:  # noqa: ANN401
    """The labels' loss, or its mean with a lesson's, which takes the soft targets too (Hinton et al. 2015)."""
    hard = _hard_loss(model, activation, smoothing)
    if lesson is None:
        return hard
    alpha = lesson.alpha
    return lambda y, p, soft: (1 - alpha) * hard(y, p) + alpha * lesson.loss(soft, p, activation)


def _hard_loss(model: KerasModel, activation: str | None, smoothing: float) -> Any:  # noqa: ANN401
    """Cross-entropy that fits the outputs: one sigmoid, softmax, or neither (logits)."""
    from auditor.tf import load

    tfm, outputs = load(), model.output_shape[-1]
    losses = tfm.tf_keras.losses
    if outputs == 1:
        return losses.BinaryCrossentropy(from_logits=activation != "sigmoid", label_smoothing=smoothing)
    if smoothing:
        smooth = losses.CategoricalCrossentropy(from_logits=activation != "softmax", label_smoothing=smoothing)
        return lambda y, p: smooth(tfm.tf.one_hot(y, outputs), p)
    return losses.SparseCategoricalCrossentropy(from_logits=activation != "softmax")


def _optimizer(training: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Weight decay exists in the newer classes alone; without it the older ones are the same, fused and faster."""
    from auditor.tf import load

    optimizers, name = load().tf_keras.optimizers, training["optimizer"]
    settings: dict[str, Any] = {"learning_rate": learning_rate(training)}
    if name == "sgd":
        settings |= {"momentum": training["momentum"], "nesterov": training["nesterov"]}
    if training["weight_decay"] == 0:
        return {"adam": optimizers.legacy.Adam, "adamw": optimizers.legacy.Adam, "sgd": optimizers.legacy.SGD}[name](
            **settings
        )
    kinds = {"adam": optimizers.Adam, "adamw": optimizers.AdamW, "sgd": optimizers.SGD}
    return kinds[name](**settings, weight_decay=training["weight_decay"], jit_compile=False)
