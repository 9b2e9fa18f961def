"""What masks do while a member trains, as an event file that TensorBoard shows.

TFMOT's own `PruningSummaries` needs the loop of `fit`, an optimizer that counts and the package tensorboard to write;
these need nothing, and hold no time: members that are alike have files that are alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from auditor.models import KerasModel

EVENTS = "events.out.tfevents.pruning"
"""Name of the file; TensorBoard looks for the part before the last dot."""
LARGEST_EVENTS = 64 << 20
"""Bytes."""
Logged = tuple[int, dict[str, float]]
"""A step, and each weight's sparsity and threshold after it."""


def look(model: KerasModel) -> Logged:
    """What the masks of a wrapped model are now."""
    step, found = 0, {}
    for layer in model.layers:
        for weight, mask, threshold in getattr(layer, "pruning_vars", ()):
            name = weight.name.partition(":")[0]
            found[f"{name}/sparsity"] = 1 - float(np.mean(mask.numpy()))
            found[f"{name}/threshold"] = float(threshold.numpy())
            step = int(layer.pruning_step.numpy())
    return step, found


def write_events(path: Path, logged: Iterable[tuple[int, Mapping[str, float]]]) -> None:
    """Write one event a step."""
    from auditor.tf import load

    tf = load().tf
    event: Any = tf.compat.v1.Event
    with tf.io.TFRecordWriter(str(path)) as file:
        file.write(event(file_version="brain.Event:2").SerializeToString())
        for step, values in logged:
            shown = tf.compat.v1.Summary()
            for tag, value in values.items():
                shown.value.add(tag=tag, simple_value=value)
            file.write(event(step=step, summary=shown).SerializeToString())
