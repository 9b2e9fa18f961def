"""The learning rate of each step: the number that is declared, or tf_keras's schedule for it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def learning_rate(training: Mapping[str, Any]) -> Any:  # noqa: ANN401 - tf_keras publishes no types
    """A number, or a schedule of tf_keras that takes the step, from 0. What is declared in epochs begins with them."""
    declared = training["learning_rate"]
    if not isinstance(declared, dict):
        return declared
    from auditor.tf import load

    schedules = load().tf_keras.optimizers.schedules
    epoch = math.ceil(training["examples"] / training["batch_size"])
    initial, warmup = declared["initial"], declared["warmup"] * epoch
    if declared["kind"] == "cosine":
        steps = training["epochs"] * epoch - warmup
        if not warmup:
            return schedules.CosineDecay(initial, steps)
        return schedules.CosineDecay(0.0, steps, warmup_target=initial, warmup_steps=warmup)
    # tf_keras takes a boundary for the last step of the rate before it.
    boundaries = [boundary * epoch - 1 for boundary in declared["boundaries"]]
    steps = schedules.PiecewiseConstantDecay(
        boundaries, [initial * declared["factor"] ** power for power in range(len(boundaries) + 1)]
    )
    return _warmed_up(steps, initial, warmup) if warmup else steps


def _warmed_up(after: Any, initial: float, warmup: int) -> Any:  # noqa: ANN401
    """The schedule `after`, but rising in a line from 0 to `initial` over the first `warmup` steps."""
    from auditor.tf import load

    tfm = load()

    class WarmUp(tfm.tf_keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc, name-defined]
        def __call__(self, step: Any) -> Any:  # noqa: ANN401
            done = tfm.tf.cast(step, tfm.tf.float32)
            return tfm.tf.where(done < warmup, done * (initial / warmup), after(done))

        def get_config(self) -> dict[str, Any]:
            return {"after": after.get_config(), "initial": initial, "warmup": warmup}

    return WarmUp()
