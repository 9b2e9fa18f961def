"""Masks of weights while a layer trains: TFMOT's wrapper, with schedules, patterns and a control that it has not.

TFMOT's blocks are pooled over other weights than are then masked where a kernel does not divide into blocks, and fail
where one side is a single block; its m-by-n masks come at the first step whatever the schedule, which would prune an
untrained model, and the wrapper's configuration leaves m and n out. All of that is done here in its place; masks of
single weights are TFMOT's own.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from auditor.models import KerasModel

    Tensor = Any
    """TensorFlow publishes no types."""

_DRAWS = 2
"""Of the member's seed: the streams 0 and 1 are those of the order of examples and of augmentation."""


def wrapped(layer: Any, schedule: Any, pattern: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """The layer, to be pruned while it trains.

    `pattern` is JSON of `criterion`, `block_size` and `m_by_n` (each [2] or None) and `block_pooling`.
    """
    return _wrapper()(layer, schedule, pattern)


def draw_scores(model: KerasModel, seed: int) -> None:
    """Give the weights of a random control the order in which they go, each layer a permutation of its own."""
    rng = np.random.default_rng([seed, _DRAWS])
    for layer in model.layers:
        for scores in getattr(layer, "pruning_scores", ()):
            order = rng.permutation(int(np.prod(scores.shape))) + 1
            scores.assign(order.reshape(scores.shape).astype(scores.dtype.as_numpy_dtype))


def rounds_of(sparsity: float, rounds: int, begin_step: int, frequency: int) -> Any:  # noqa: ANN401
    """A schedule of so many rounds; each prunes the same share of the weights that are left."""
    return _schedule()(sparsity, rounds, begin_step, frequency)


@functools.cache
def _schedule() -> Any:  # noqa: ANN401 - the class; what it derives from is imported here
    from auditor.tf import load

    tfm = load()
    tf = tfm.tf

    class Rounds(tfm.tfmot.PruningSchedule):  # type: ignore[misc, name-defined] # TFMOT publishes no types
        """Sparsity rises at `begin_step` and every `frequency` steps after it, `rounds` times."""

        def __init__(self, sparsity: float, rounds: int, begin_step: int, frequency: int) -> None:
            self._config = {
                "sparsity": sparsity, "rounds": rounds, "begin_step": begin_step, "frequency": frequency
            }  # fmt: skip
            # after so many rounds
            self._reached = (1 - (1 - sparsity) ** (np.arange(rounds + 1) / rounds)).astype(np.float32)

        def __call__(self, step: Tensor) -> tuple[Tensor, Tensor]:
            begin, frequency, rounds = (self._config[key] for key in ("begin_step", "frequency", "rounds"))
            end = begin + (rounds - 1) * frequency
            done = tf.clip_by_value((step - begin) // frequency + 1, 0, rounds)
            return self._should_prune_in_step(step, begin, end, frequency), tf.gather(self._reached, done)

        def get_config(self) -> dict[str, Any]:
            return {"class_name": type(self).__name__, "config": self._config}

    return Rounds


@functools.cache
def _wrapper() -> Any:  # noqa: ANN401 - as above
    from auditor.tf import load, pruning_classes

    tf = load().tf
    Wrapper, Pruning = pruning_classes()

    class Masks(Pruning):  # type: ignore[misc, valid-type] # TFMOT publishes no types
        """When masks change, and to what."""

        def __init__(self, layer: Any, pattern: Mapping[str, Any]) -> None:  # noqa: ANN401
            super().__init__(lambda: layer.pruning_step, layer.pruning_vars, layer.pruning_schedule, (1, 1), "AVG")
            weights = (weight for weight, _, _ in layer.pruning_vars)
            self._scores = {w.ref(): scores for w, scores in zip(weights, layer.pruning_scores, strict=False)}
            self._pattern = pattern

        def _maybe_update_block_mask(self, weights: Tensor) -> tuple[Tensor, Tensor]:
            """The threshold and the new mask."""
            sizes = tf.abs(self._scores.get(weights.ref(), weights))
            if self._pattern["m_by_n"]:
                return tf.zeros([], weights.dtype), _among_each(sizes, *self._pattern["m_by_n"])
            if not self._pattern["block_size"]:
                return self._update_mask(sizes)
            high, wide = self._pattern["block_size"]
            threshold, kept = self._update_mask(_pooled(sizes, high, wide, self._pattern))
            mask = tf.repeat(tf.repeat(kept, high, axis=0), wide, axis=1)
            return threshold, mask[: sizes.shape[0], : sizes.shape[1]]

    class PrunedLayer(Wrapper):  # type: ignore[misc, valid-type] # likewise
        """All that it keeps from step to step is among its weights."""

        def __init__(self, layer: Any, pruning_schedule: Any, pattern: Mapping[str, Any], **settings: Any) -> None:  # noqa: ANN401
            super().__init__(layer, pruning_schedule, **settings)
            self._pattern = dict(pattern)
            self.pruning_scores: Sequence[Any] = ()

        def build(self, input_shape: Any) -> None:  # noqa: ANN401
            super().build(input_shape)
            if self._pattern["criterion"] == "random":
                self.pruning_scores = [
                    self.add_weight("scores", shape=mask.shape, dtype=mask.dtype, initializer="zeros", trainable=False)
                    for _, mask, _ in self.pruning_vars
                ]
            self.pruning_obj = Masks(self, self._pattern)

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "pattern": dict(self._pattern)}

    return PrunedLayer


def _among_each(sizes: Tensor, zeros: int, n: int) -> Tensor:
    """Keep the largest of each n weights of one output, all but `zeros`, along the axis of inputs: the last but one."""
    from auditor.tf import load

    tf = load().tf
    by_output = tf.linalg.matrix_transpose(sizes)
    kept = tf.math.top_k(tf.reshape(by_output, [-1, n]), n - zeros).indices
    mask = tf.reduce_sum(tf.one_hot(kept, n, dtype=sizes.dtype), axis=1)
    return tf.linalg.matrix_transpose(tf.reshape(mask, by_output.shape))


def _pooled(sizes: Tensor, high: int, wide: int, pattern: Mapping[str, Any]) -> Tensor:
    """What counts of each block [blocks down, blocks across]; those at the lower and the right edge may be smaller."""
    from auditor.tf import load

    tf = load().tf
    if pattern["criterion"] == "random":
        return sizes[::high, ::wide]  # one score a block: pooled ones would go by its size

    def blocks(values: Tensor) -> Tensor:
        padded = tf.pad(values, [[0, -values.shape[0] % high], [0, -values.shape[1] % wide]])
        return tf.reshape(padded, [padded.shape[0] // high, high, padded.shape[1] // wide, wide])

    if pattern["block_pooling"] == "max":
        return tf.reduce_max(blocks(sizes), axis=[1, 3])
    return tf.reduce_sum(blocks(sizes), axis=[1, 3]) / tf.reduce_sum(blocks(tf.ones_like(sizes)), axis=[1, 3])
