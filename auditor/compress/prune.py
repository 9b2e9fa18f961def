"""Pruning (Zhu and Gupta 2017, arXiv 1710.01878), by TFMOT: weights, blocks of them, or some of each few."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from auditor.compress import MemberError, Method
from auditor.compress.layers import skipped
from auditor.compress.masks import draw_scores, rounds_of, wrapped
from auditor.errors import Problem, SpecError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from auditor.models import KerasModel
    from auditor.records import BoolArray, FloatArray
    from auditor.spec import Prune as PruneTable

SMALL = 100
"""Layers with fewer weights cannot be pruned to within rounding: they are excepted from the check and listed."""
ROUNDS = 5
_POWER = 3
_BY_INPUT = frozenset(
    {"Dense", "Conv1D", "Conv2D", "Conv3D", "SeparableConv1D", "SeparableConv2D", "LSTM", "GRU", "SimpleRNN"}
)
"""Layers whose kernels' last axis but one is what an output sums over: n of those weights stand side by side where
hardware reads them."""


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
    """Changes of the masks, of the iterative schedule alone."""
    criterion: Literal["magnitude", "random"] = "magnitude"
    block_size: Sequence[int] | None = None
    """Rows and columns."""
    block_pooling: Literal["avg", "max"] = "avg"
    m_by_n: Sequence[int] | None = None
    """Zeros, and weights they are among."""
    skip: Sequence[str] = ()
    """Layers that are left as they are, by name or pattern."""
    summaries: bool = False
    _before: list[float] = field(init=False, repr=False, compare=False, default_factory=list)
    """The sparsity that training started from, of each of the weights that become sparse."""

    def prepare(self, model: KerasModel, seed: int) -> KerasModel:
        """The same layers and weights, the prunable ones wrapped.

        Raises MemberError where there is none, and where one does not divide into groups of n.
        """
        from auditor.tf import load

        tf_keras = load().tf_keras
        if not (isinstance(model, tf_keras.Sequential) or model._is_graph_network):  # noqa: SLF001 - TFMOT asks the same
            raise MemberError(
                f"{type(model).__name__} is a subclassed model, whose layers cannot be wrapped one by one"
            )
        pruned = self._pruned(model)
        if not pruned:
            raise MemberError(f"{self._needs()}; its layers are {_listed(model.layers)}")
        self._refuse_indivisible(pruned)
        self._before[:] = [self._sparsity_of(np.asarray(weight))[0] for _, weight in pruned]
        schedule, names = self._schedule(), {name for name, _ in pruned}
        pattern = {key: getattr(self, key) for key in ("criterion", "block_size", "block_pooling", "m_by_n")}
        prepared = tf_keras.models.clone_model(
            model, clone_function=lambda layer: wrapped(layer, schedule, pattern) if layer.name in names else layer
        )
        draw_scores(prepared, seed)
        return prepared

    def strip(self, model: KerasModel) -> KerasModel:
        """Without the wrappers."""
        from auditor.tf import load

        return load().tfmot.strip_pruning(model)

    def check(self, model: KerasModel) -> Mapping[str, Any]:
        """Raises MemberError where a layer has fewer zeros than asked for, or more beyond those that it had before."""
        pruned = [(name, np.asarray(weight)) for name, weight in self._pruned(model)]
        started = self._before or [0.0] * len(pruned)
        faults = [self._fault(weight, before) for (_, weight), before in zip(pruned, started, strict=True)]
        wrong = [f"{name} {said}" for (name, _), said in zip(pruned, faults, strict=True) if said]
        if self.sparsity and not wrong and all(weight.all() for _, weight in pruned):
            wrong = ["no weight of any layer is zero"]
        if wrong:
            raise MemberError(f"pruning to {self._asked()} was asked for, but {'; '.join(wrong)}")
        inner = {name for name, _ in pruned}
        return {
            "zeros_pruned": sum(int(weight.size - np.count_nonzero(weight)) for _, weight in pruned),
            "left_uncompressed": [layer.name for layer in model.layers if layer.weights and layer.name not in inner],
            "small_layers": [name for name, weight in pruned if self._is_excepted(weight)],
        }

    def confirm(self, measured: Mapping[str, Any]) -> None:
        """What comes after may make more zeros, never fewer."""
        zeros = sum(round(each["weights"] * each["sparsity"]) for each in measured["kernels"])
        if zeros < measured["zeros_pruned"]:
            raise MemberError(f"pruning left {measured['zeros_pruned']:,} zeros, but the file that ships has {zeros:,}")

    def changes(self, steps: int) -> tuple[BoolArray, FloatArray]:
        """For each step, from 1: whether masks change, and at which sparsity, by the schedule itself; [steps] each."""
        from auditor.tf import load

        tf = load().tf
        is_change, sparsity = self._schedule()(tf.range(1, steps + 1, dtype=tf.int64))
        return np.asarray(is_change), np.broadcast_to(np.asarray(sparsity), (steps,))

    def _pruned(self, model: KerasModel) -> list[tuple[str, Any]]:
        """The weights that become sparse, each with its layer's name."""
        left_out = skipped(model, self.skip)
        return [
            (layer.name, weight)
            for layer in model.layers
            if layer.name not in left_out and self._fits(layer)
            for weight in _prunable(layer)
        ]

    def _fits(self, layer: Any) -> bool:  # noqa: ANN401
        """Whether the pattern exists in such a layer; a weight alone does in any."""
        if self.m_by_n:
            return type(layer).__name__ in _BY_INPUT
        return not self.block_size or all(len(weight.shape) == 2 for weight in _prunable(layer))

    def _needs(self) -> str:
        if self.m_by_n:
            return f"no layer of this model can be pruned to {self._asked()}: that needs {_listed(_BY_INPUT)}"
        if self.block_size:
            return f"no layer of this model can be pruned to {self._asked()}: that needs a matrix, as of Dense"
        return "TFMOT can prune no layer of this model" + (" that is not skipped" if self.skip else "")

    def _refuse_indivisible(self, pruned: list[tuple[str, Any]]) -> None:
        if not self.m_by_n:
            return
        uneven = {name: weight.shape[-2] for name, weight in pruned if weight.shape[-2] % self.m_by_n[1]}
        if uneven:
            inputs = "; ".join(f"{name} has {width} inputs" for name, width in uneven.items())
            names = ", ".join(f'"{name}"' for name in uneven)
            message = f"m_by_n: {inputs}, which do not divide into groups of {self.m_by_n[1]}"
            raise MemberError(f"{message}; leave out what cannot be pruned so: skip = [{names}]")

    def _asked(self) -> str:
        if self.m_by_n:
            return "{} zeros among each {} weights".format(*self.m_by_n)
        if self.block_size:
            return f"sparsity {self.sparsity:g} in blocks of {{}} x {{}}".format(*self.block_size)
        return f"sparsity {self.sparsity:g}"

    def _is_excepted(self, weight: FloatArray) -> bool:
        return weight.size < SMALL and not self.block_size and not self.m_by_n

    def _fault(self, weight: FloatArray, before: float) -> str | None:
        """What is not as asked of a layer's weights, which had the sparsity `before` when training started.

        Weights that were zero already may be among those that pruning keeps: so many more zeros are no fault of its.
        """
        if self.m_by_n:
            zeros, n = self.m_by_n
            held = np.count_nonzero(np.swapaxes(weight, -2, -1).reshape(-1, n), axis=1)
            over = np.count_nonzero(held > n - zeros)
            return f"has {over:,} of {held.size:,} groups with fewer zeros" if over else None
        found, size = self._sparsity_of(weight)
        most = self.sparsity + before
        if self._is_excepted(weight) or self.sparsity - tolerance(size) <= found <= most + tolerance(size):
            return None
        return f"has sparsity {found:.4f} ({size:,} {'blocks' if self.block_size else 'weights'})"

    def _sparsity_of(self, weight: FloatArray) -> tuple[float, int]:
        """The share of zeros, or of blocks of zeros, and of how many."""
        kept = _blocks(weight, *self.block_size) if self.block_size else weight != 0
        return 1 - np.count_nonzero(kept) / kept.size, kept.size

    def _schedule(self) -> Any:  # noqa: ANN401 - TFMOT publishes no types
        from auditor.tf import load

        tfmot = load().tfmot
        if self.rounds:
            return rounds_of(self.sparsity, self.rounds, self.begin_step, self.frequency)
        if self.schedule == "constant":
            return tfmot.ConstantSparsity(self.sparsity, self.begin_step, self.end_step, frequency=self.frequency)
        return tfmot.PolynomialDecay(
            0.0, self.sparsity, self.begin_step, self.end_step, power=_POWER, frequency=self.frequency
        )


def _listed(what: Iterable[Any]) -> str:
    """Kinds of layers, each once."""
    return ", ".join(sorted({each if isinstance(each, str) else type(each).__name__ for each in what}))


def _blocks(weight: FloatArray, high: int, wide: int) -> BoolArray:
    """Whether a block holds anything but zeros [blocks down, blocks across]."""
    padded = np.pad(weight, [(0, -weight.shape[0] % high), (0, -weight.shape[1] % wide)])
    blocks = padded.reshape(padded.shape[0] // high, high, padded.shape[1] // wide, wide)
    return np.any(blocks != 0, axis=(1, 3))


def can_stack(settings: Mapping[str, Any]) -> bool:
    """Whether members can be pruned so while they train side by side: single weights, all dense layers, by size."""
    return settings["criterion"] == "magnitude" and not any(
        settings.get(key) for key in ("skip", "block_size", "m_by_n", "summaries")
    )


def plan_pruning(table: PruneTable, steps: int, where: str, *, epochs: int) -> dict[str, Any]:
    """The settings of `Prune` that go by the training's length, `steps` in `epochs`, defaults filled in.

    Raises SpecError where the schedule would not reach the sparsity asked for, before anything is trained.
    """
    further: dict[str, Any] = {}
    if table.m_by_n is not None:
        # a single round: weights go once, and what is left is trained on (Mishra et al. 2021, arXiv 2104.08378)
        further = {"sparsity": table.m_by_n[0] / table.m_by_n[1], "schedule": "iterative", "rounds": 1}
    elif table.schedule == "iterative":
        further = {"rounds": table.rounds or ROUNDS}
    table = table.model_copy(update=further)
    begin, end = _span(table, steps, steps // epochs)
    frequency = _frequency(table, begin, end)
    if said := _refusal(table, begin, end, frequency, steps):
        advice = (
            f"Training has {steps:,} steps in {epochs:,} epochs; without these keys, masks change from a fifth to "
            f"three quarters of them."
        )
        raise SpecError(Problem(where=where, message=said, advice=advice))
    if table.rounds:
        end = begin + (table.rounds - 1) * frequency
    return {"begin_step": begin, "end_step": end, "frequency": frequency, **further}


def _span(table: PruneTable, steps: int, per_epoch: int) -> tuple[int, int]:
    """The first and the last step at which masks may change, as declared or by default."""
    begin, end = steps // 5, max(steps // 5 + 1, steps * 3 // 4)
    if table.rounds:
        begin = max(1, begin)
    if table.begin_step is not None:
        begin = table.begin_step
    elif table.begin_epoch is not None:
        begin = math.floor(table.begin_epoch * per_epoch) + 1
    if table.m_by_n is not None:
        end = begin
    elif table.schedule == "constant":
        end = steps
    elif table.end_step is not None:
        end = table.end_step
    elif table.end_epoch is not None:
        end = round(table.end_epoch * per_epoch)
    return begin, end


def _frequency(table: PruneTable, begin: int, end: int) -> int:
    if table.rounds:
        return max(1, (end - begin) // max(1, table.rounds - 1))
    return table.frequency or max(1, min(100, (end - begin) // 20))


def _refusal(table: PruneTable, begin: int, end: int, frequency: int, steps: int) -> str | None:
    if end > steps:
        return f"pruning ends at step {end:,}, after the last of {steps:,} steps"
    if begin >= end and table.m_by_n is None:
        return f"pruning begins at step {begin:,} and ends at step {end:,}, not later"
    if table.rounds:
        return _refusal_of_rounds(table.rounds, begin, end)
    # TFMOT counts steps from 1: with begin 0 the first masks come after one whole period.
    last = begin + (end - begin) // frequency * frequency
    reached = 0.0 if last < 1 else reached_sparsity(table, (last - begin) / (end - begin))
    asked = float(table.sparsity)  # type: ignore[arg-type]
    if asked - reached <= tolerance(SMALL) / 2:
        return None
    outcome = f"{asked:g} would not be reached" if reached else "nothing would be pruned"
    return (
        f"masks change every {frequency:,} steps from step {begin:,} to {end:,}, the last time at step {last:,}, "
        f"when sparsity is {reached:.3f}: {outcome}"
    )


def _refusal_of_rounds(rounds: int, begin: int, end: int) -> str | None:
    if begin < 1:
        return "pruning begins at step 0, but steps count from 1"
    if end - begin < rounds - 1:
        return f"{rounds:,} rounds do not fit between step {begin:,} and step {end:,}"
    return None


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
