"""A model that is ready to decide, whatever its format: one `predict` for all."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from auditor.errors import ModelError, Problem
from auditor.provenance import THREADS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from auditor.models import KerasModel
    from auditor.models.config import ModelFacts
    from auditor.records import FloatArray

BATCH = 256
"""Examples scored at once; fixed, because Keras may round differently in batches of another size."""
TIMED_BATCH = 64
_TIMED_RUNS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """One tensor of weights, counted."""

    name: str
    shape: tuple[int, ...]
    type: str
    """As it is stored, such as "float32" or "int8"."""
    size: int
    nonzero: int
    distinct: int
    """Values that occur; where each channel has a scale of its own, so that stored integers of two channels are no
    values to compare, the most that one channel has."""


def count_weights(
    name: str, values: np.ndarray[Any, Any], *, zero: float = 0, kind: str = "", channel: int | None = None
) -> Weights:
    """Count a tensor's values; `kind` is a type that NumPy has not, `channel` the axis of scales."""
    if channel is None:
        distinct = len(np.unique(values))
    else:
        rows = np.sort(np.moveaxis(values, channel, 0).reshape(values.shape[channel], -1), axis=1)
        distinct = 1 + int((np.diff(rows, axis=1) != 0).sum(axis=1).max(initial=0))
    return Weights(
        name=name,
        shape=values.shape,
        type=kind or values.dtype.name,
        size=values.size,
        nonzero=int(np.count_nonzero(values != zero)),
        distinct=distinct,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A loaded model."""

    facts: ModelFacts
    score: Callable[[FloatArray], FloatArray]
    """One batch, float32 [b, ...], to the model's own outputs, float32 [b, outputs]."""
    weights: Callable[[], Iterable[Weights]]
    """Every tensor of weights in the file."""
    macs: Callable[[], int | None]
    """Multiply-accumulate operations of one example, zeros counted as any number; None where they are not known."""
    trainable: Callable[[FloatArray], KerasModel] | None = None
    """The model in tf_keras, given a batch to compare by; None where the format is final: no training or compressing
    can start from it."""


def predict(model: Artifact, batches: Iterable[FloatArray]) -> FloatArray:
    """The model's outputs for all examples, float32 [N, outputs]."""
    return np.concatenate([model.score(batch) for batch in batches])


def latency(model: Artifact, batch: FloatArray) -> dict[str, Any]:
    """Milliseconds an example: the median of several runs of one batch, on one thread, after one to warm up."""
    seconds = []
    for _ in range(_TIMED_RUNS + 1):
        start = perf_counter()
        model.score(batch)
        seconds.append(perf_counter() - start)
    per_example = median(seconds[1:]) / len(batch) * 1000
    return {"latency_ms": per_example, "latency_batch": len(batch), "latency_threads": THREADS}


def in_batches(batch: FloatArray, size: int, run: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """Score by a model that reads so many examples at once, no more and no fewer: the last ones are padded."""
    padded = np.concatenate([batch, np.zeros((-len(batch) % size, *batch.shape[1:]), batch.dtype)])
    rows = [run(padded[start : start + size]) for start in range(0, len(padded), size)]
    return np.concatenate(rows)[: len(batch)]


def laid_out(batch: FloatArray, shape: tuple[int | None, ...]) -> FloatArray:
    """The batch in the layout that the model reads, where only one is possible: its shape tells."""
    found = batch.shape[1:]
    if _matches(found, shape):
        return batch
    if len(found) == 3 and _matches((found[2], *found[:2]), shape):
        return batch.transpose(0, 3, 1, 2)  # channels first, as PyTorch has them
    known = tuple(size for size in shape if size is not None)
    if len(known) == len(shape) and (
        shape == (np.prod(found, dtype=int),) or _without_ones(known) == _without_ones(found)
    ):
        return batch.reshape(len(batch), *known)
    raise ModelError(
        Problem(
            message=f"the model reads examples of shape {_words(shape)}, the data has {_words(found)}",
            advice="data.features and data.preprocess say what the model reads.",
        )
    )


def _matches(found: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(found) == len(wanted) and all(
        want is None or want == have for want, have in zip(wanted, found, strict=True)
    )


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(size for size in shape if size != 1)


def _words(shape: tuple[int | None, ...]) -> str:
    return " x ".join("any" if size is None else str(size) for size in shape) or "one number"
