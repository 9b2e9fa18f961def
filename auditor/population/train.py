"""Train one tf_keras model, on one thread, in an order that its own generator gives."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from auditor.compress import MemberError
from auditor.data.inputs import to_float

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from auditor.data.inputs import Inputs
    from auditor.models import KerasModel
    from auditor.records import FloatArray, IntArray

_STEPS = 64
"""Most steps in one call of the compiled graph: enough for the cost of a call to vanish."""
_BYTES = 32 << 20
"""Most bytes of input in one call."""


def total_steps(examples: int, training: Mapping[str, Any]) -> int:
    """Steps of a whole training; the last batch of an epoch may be smaller."""
    return int(training["epochs"]) * math.ceil(examples / training["batch_size"])


def train(model: KerasModel, inputs: Inputs, training: Mapping[str, Any], activation: str | None, seed: int) -> None:
    """Train in place. Raises MemberError where the loss stops being a number.

    As `fit` would, but many steps a call of the graph: a small model's step costs less than its call.
    """
    from auditor.tf import load

    order = np.random.default_rng(seed)
    step = _compiled(model, training, activation)
    # Nothing but resetting its step counter and masking after each epoch: the wrappers count and prune in the graph.
    pruning = load().tfmot.UpdatePruningStep()
    pruning.set_model(model)
    pruning.on_train_begin()
    for epoch in range(training["epochs"]):
        losses = [step(x, y) for x, y in _calls(inputs, order.permutation(len(inputs.train_x)), training["batch_size"])]
        pruning.on_epoch_end(epoch)
        if not np.isfinite(sum(float(loss) for loss in losses)):
            raise MemberError(diverged_in(epoch + 1))


def diverged_in(epoch: int) -> str:
    """The reason why a member has no model: its loss was no number."""
    return f"the loss became NaN or infinite in epoch {epoch}"


def _calls(inputs: Inputs, order: IntArray, batch: int) -> Iterator[tuple[FloatArray, IntArray]]:
    """Steps by the call: x [steps, batch, ...], y [steps, batch]; the smaller batch of the end by itself."""
    example = 4 * int(np.prod(inputs.train_x.shape[1:]))
    steps = max(1, min(_STEPS, _BYTES // (example * batch)))
    whole = len(order) // batch * batch
    stack = order[:whole].reshape(-1, batch)
    calls = [stack[start : start + steps] for start in range(0, len(stack), steps)]
    if whole < len(order):
        calls.append(order[None, whole:])
    for rows in calls:
        yield to_float(inputs.train_x[rows], inputs), inputs.train_y[rows]


def _compiled(
    model: KerasModel, training: Mapping[str, Any], activation: str | None
) -> Callable[[FloatArray, IntArray], Any]:
    """One call: a training step for each batch of a stack, giving the sum of their losses."""
    from auditor.tf import load

    tf = load().tf
    loss_of, optimizer = _loss(model, activation), _optimizer(training)
    variables = model.trainable_variables
    shape = model.input_shape[1:]

    @tf.function(  # type: ignore[untyped-decorator] # TensorFlow publishes no types
        input_signature=[tf.TensorSpec([None, None, *shape], tf.float32), tf.TensorSpec([None, None], tf.int32)]
    )
    def steps(xs: Any, ys: Any) -> Any:  # noqa: ANN401
        total = tf.constant(0.0)
        for index in tf.range(tf.shape(xs)[0]):
            with tf.GradientTape() as tape:
                loss = loss_of(ys[index], model(xs[index], training=True))
                if model.losses:
                    loss += tf.add_n(model.losses)
            gradients = zip(tape.gradient(loss, variables), variables, strict=True)
            # There is one replica to gather from; gathering would register a function that keeps this graph for ever.
            optimizer.apply_gradients(gradients, experimental_aggregate_gradients=False)
            total += loss
        return total

    return steps


def _loss(model: KerasModel, activation: str | None) -> Any:  # noqa: ANN401
    """Cross-entropy that fits the outputs: one sigmoid, softmax, or neither (logits)."""
    from auditor.tf import load

    losses = load().tf_keras.losses
    if model.output_shape[-1] == 1:
        return losses.BinaryCrossentropy(from_logits=activation != "sigmoid")
    return losses.SparseCategoricalCrossentropy(from_logits=activation != "softmax")


def _optimizer(training: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Weight decay exists in the newer classes alone; without it the older ones are the same, fused and faster."""
    from auditor.tf import load

    optimizers, name = load().tf_keras.optimizers, training["optimizer"]
    settings: dict[str, Any] = {"learning_rate": training["learning_rate"]}
    if name == "sgd":
        settings["momentum"] = training["momentum"]
    if training["weight_decay"] == 0:
        return {"adam": optimizers.legacy.Adam, "adamw": optimizers.legacy.Adam, "sgd": optimizers.legacy.SGD}[name](
            **settings
        )
    kinds = {"adam": optimizers.Adam, "adamw": optimizers.AdamW, "sgd": optimizers.SGD}
    return kinds[name](**settings, weight_decay=training["weight_decay"], jit_compile=False)
