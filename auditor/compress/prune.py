"""Magnitude pruning (Zhu and Gupta 2017, arXiv 1710.01878), by TFMOT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from auditor.compress import MemberError, Method
from auditor.compress.layers import skipped
from auditor.errors import Problem, SpecError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from auditor.models import KerasModel
    from auditor.records import BoolArray, FloatArray
    from auditor.spec import Prune as PruneTable

SMALL = 100
"""Layers with fewer weights cannot be pruned to within rounding: they are excepted from the check and listed."""
_POWER = 3


def tolerance(weights: int) -> float:
    """How far a layer's sparsity may lie from what was asked: .01 and one weight."""
    return 0.01 + 1 / weights


@dataclass(frozen=True, slots=True, kw_only=True)
class Prune(Method):
    """The smallest weights of each layer become zero while it trains. Steps count from 1."""

    method: Literal["prune"] = "prune"
    sparsity: float
    schedule: Literal["polynomial", "constant", "iterative"]
    begin_step: int
    end_step: int
    """The last step at which masks may change."""
    frequency: int
    """Steps between two changes of the masks."""
    rounds: int | None = None
    criterion: Literal["magnitude", "random"] = "magnitude"
    block_size: tuple[int, int] | None = None
    block_pooling: Literal["avg", "max"] = "avg"
    m_by_n: tuple[int, int] | None = None
    skip: Sequence[str] = ()
    """Layers that are left as they are, by name or pattern."""
    summaries: bool = False

    def prepare(self, model: KerasModel, seed: int) -> KerasModel:  # noqa: ARG002 - the smallest weights are no chance
        """The same layers and weights, the prunable ones wrapped. Raises MemberError where there is none."""
        from auditor.tf import load

        tfm = load()
        schedule = self._schedule(tfm.tfmot)

        left_out = skipped(model, self.skip)

        def wrap(layer: Any) -> Any:  # noqa: ANN401 - tf_keras publishes no types
            if layer.name in left_out or not _prunable(layer):
                return layer
            return tfm.tfmot.prune_low_magnitude(layer, pruning_schedule=schedule)

        wrapped = tfm.tf_keras.models.clone_model(model, clone_function=wrap)
        if not any(hasattr(layer, "pruning_vars") for layer in wrapped.layers):
            kinds = ", ".join(sorted({type(layer).__name__ for layer in model.layers}))
            raise MemberError(f"TFMOT can prune no layer of this model; its layers are {kinds}")
        return wrapped

    def strip(self, model: KerasModel) -> KerasModel:
        """Without the wrappers."""
        from auditor.tf import load

        return load().tfmot.strip_pruning(model)

    def check(self, model: KerasModel) -> Mapping[str, Any]:
        """Raises MemberError where a layer's sparsity is not the one asked for."""
        left_out = skipped(model, self.skip)
        pruned = [
            (layer.name, np.asarray(weight))
            for layer in model.layers
            if layer.name not in left_out
            for weight in _prunable(layer)
        ]
        self._check(pruned)
        inner = {name for name, _ in pruned}
        return {
            "zeros_pruned": sum(int(weight.size - np.count_nonzero(weight)) for _, weight in pruned),
            "left_uncompressed": [layer.name for layer in model.layers if layer.weights and layer.name not in inner],
            "small_layers": [name for name, weight in pruned if weight.size < SMALL],
        }

    def confirm(self, measured: Mapping[str, Any]) -> None:
        """What comes after may make more zeros, never fewer."""
        zeros = sum(round(each["weights"] * each["sparsity"]) for each in measured["kernels"])
        if zeros < measured["zeros_pruned"]:
            raise MemberError(f"pruning left {measured['zeros_pruned']:,} zeros, but the file that ships has {zeros:,}")

    def changes(self, steps: int) -> tuple[BoolArray, FloatArray]:
        """For each step, from 1: whether masks change, and at which sparsity, by TFMOT's own schedule; [steps] each."""
        from auditor.tf import load

        tfm = load()
        is_change, sparsity = self._schedule(tfm.tfmot)(tfm.tf.range(1, steps + 1, dtype=tfm.tf.int64))
        return np.asarray(is_change), np.broadcast_to(np.asarray(sparsity), (steps,))

    def _check(self, pruned: list[tuple[str, FloatArray]]) -> None:
        wrong = [
            f"{name} has sparsity {found:.4f} ({weight.size:,} weights)"
            for name, weight in pruned
            if weight.size >= SMALL
            and abs((found := 1 - np.count_nonzero(weight) / weight.size) - self.sparsity) > tolerance(weight.size)
        ]
        if wrong:
            raise MemberError(f"pruning to sparsity {self.sparsity:g} was asked for, but {'; '.join(wrong)}")

    def _schedule(self, tfmot: Any) -> Any:  # noqa: ANN401 - TFMOT publishes no types
        if self.schedule == "constant":
            return tfmot.ConstantSparsity(self.sparsity, self.begin_step, self.end_step, frequency=self.frequency)
        return tfmot.PolynomialDecay(
            0.0, self.sparsity, self.begin_step, self.end_step, power=_POWER, frequency=self.frequency
        )


def can_stack(settings: Mapping[str, Any]) -> bool:
    """Whether members can be pruned so while they train side by side: single weights, all dense layers, by size."""
    return settings["criterion"] == "magnitude" and not any(
        settings.get(key) for key in ("skip", "block_size", "m_by_n", "summaries")
    )


def plan_pruning(table: PruneTable, steps: int, where: str) -> dict[str, Any]:
    """The settings of `Prune` that go by the training's length, `steps`, defaults filled in.

    Raises SpecError where the schedule would not reach the sparsity asked for, before anything is trained.
    """
    begin = table.begin_step if table.begin_step is not None else steps // 5
    end = steps if table.schedule == "constant" else table.end_step or max(steps // 5 + 1, steps * 3 // 4)
    frequency = table.frequency or max(1, min(100, (end - begin) // 20))
    if said := _refusal(table, begin, end, frequency, steps):
        advice = (
            f"Training has {steps:,} steps; without these keys, masks change from a fifth to three quarters of them."
        )
        raise SpecError(Problem(where=where, message=said, advice=advice))
    return {
        "begin_step": begin,
        "end_step": end,
        "frequency": frequency,
    }


def _refusal(table: PruneTable, begin: int, end: int, frequency: int, steps: int) -> str | None:
    if end > steps:
        return f"pruning ends at step {end:,}, after the last of {steps:,} steps"
    if begin >= end:
        return f"pruning begins at step {begin:,} and ends at step {end:,}, not later"
    # TFMOT counts steps from 1: with begin 0 the first masks come after one whole period.
    last = begin + (end - begin) // frequency * frequency
    reached = 0.0 if last < 1 else reached_sparsity(table, (last - begin) / (end - begin))
    asked = float(table.sparsity)  # type: ignore[arg-type]
    if asked - reached <= tolerance(SMALL) / 2:
        return None
    return (
        f"masks change every {frequency:,} steps from step {begin:,} to {end:,}, the last time at step {last:,}, "
        f"when sparsity is {reached:.3f}: {asked:g} would not be reached"
    )


def reached_sparsity(table: PruneTable, progress: float) -> float:
    """The sparsity that the schedule asks for at a share of its way."""
    asked = float(table.sparsity)  # type: ignore[arg-type]
    return asked if table.schedule == "constant" else asked * (1 - (1 - progress) ** _POWER)


def _prunable(layer: Any) -> list[Any]:  # noqa: ANN401
    """The weights of this layer that TFMOT prunes; it refuses some kinds and does nothing to others."""
    from auditor.tf import load

    tfm = load()
    if isinstance(layer, tfm.tf_keras.Model):
        return []
    try:
        return list(tfm.tfmot.prune_low_magnitude(layer).layer.get_prunable_weights())
    except (ValueError, AttributeError):
        return []
