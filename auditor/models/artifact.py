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
class Artifact:
    """A loaded model."""

    facts: ModelFacts
    score: Callable[[FloatArray], FloatArray]
    """One batch, float32 [b, ...], to the model's own outputs, float32 [b, outputs]."""
    keras: KerasModel | None
    """The tf_keras model; None where the format is final and cannot be trained or compressed further."""


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


def keras_artifact(model: KerasModel, facts: ModelFacts) -> Artifact:
    """A loaded tf_keras model."""
    from auditor.tf import load

    if not isinstance(model.input_shape, tuple) or not isinstance(model.output_shape, tuple):
        raise ModelError("the model has several inputs or outputs, not one of each")
    if len(model.output_shape) != 2:
        said = f"the model's output has the shape {model.output_shape}, not one row of numbers an example"
        raise ModelError(said)
    tf = load().tf
    run = tf.function(
        lambda x: model(x, training=False), input_signature=[tf.TensorSpec([None, *model.input_shape[1:]], tf.float32)]
    )

    def score(batch: FloatArray) -> FloatArray:
        return np.asarray(run(_laid_out(batch, model.input_shape[1:])), np.float32)

    return Artifact(facts=facts, score=score, keras=model)


def tflite_artifact(content: bytes, facts: ModelFacts) -> Artifact:
    """A TFLite model, run by the interpreter on one thread; quantised inputs and outputs are carried over."""
    return Artifact(facts=facts, score=_Interpreted(content), keras=None)


class _Interpreted:
    """An interpreter that is resized to the batch at hand."""

    def __init__(self, content: bytes) -> None:
        from auditor.tf import load, quiet

        with quiet():
            self._interpreter = load().tf.lite.Interpreter(model_content=content, num_threads=THREADS)
            self._interpreter.allocate_tensors()
        self._shape = tuple(self._interpreter.get_input_details()[0]["shape"])
        # Some graphs hold their batch size in a constant: those are run in batches of that size.
        self._resizable = self._resizes(self._shape[0] + 1)

    def __call__(self, batch: FloatArray) -> FloatArray:
        batch = _laid_out(batch, self._shape[1:])
        if self._resizable:
            self._resize(len(batch))
            return self._run(batch)
        size = self._shape[0]
        padded = np.concatenate([batch, np.zeros((-len(batch) % size, *batch.shape[1:]), batch.dtype)])
        rows = [self._run(padded[start : start + size]) for start in range(0, len(padded), size)]
        return np.concatenate(rows)[: len(batch)]

    def _resizes(self, size: int) -> bool:
        try:
            self._resize(size)
            out = self._run(np.zeros((size, *self._shape[1:]), np.float32))
        except (RuntimeError, ValueError):
            out = None
        if out is not None and len(out) == size:
            return True
        self._resize(self._shape[0])
        return False

    def _resize(self, size: int) -> None:
        details = self._interpreter.get_input_details()[0]
        if details["shape"][0] != size:
            self._interpreter.resize_tensor_input(details["index"], [size, *self._shape[1:]])
            self._interpreter.allocate_tensors()

    def _run(self, batch: FloatArray) -> FloatArray:
        source, target = self._interpreter.get_input_details()[0], self._interpreter.get_output_details()[0]
        self._interpreter.set_tensor(source["index"], _quantised(batch, source))
        self._interpreter.invoke()
        out = _real(self._interpreter.get_tensor(target["index"]), target)
        return out.reshape(len(out), -1)


def _quantised(batch: FloatArray, details: dict[str, Any]) -> np.ndarray[Any, Any]:
    """Reals as the model's input reads them: round(x / scale) + zero point, within the type's range."""
    kind = np.dtype(details["dtype"])
    scale, zero = details["quantization"]
    if kind.kind == "f":
        return batch.astype(kind)
    if not scale:
        return np.rint(batch).astype(kind)
    limits = np.iinfo(kind)
    return np.clip(np.rint(batch / scale) + zero, limits.min, limits.max).astype(kind)


def _real(values: np.ndarray[Any, Any], details: dict[str, Any]) -> FloatArray:
    scale, zero = details["quantization"]
    if values.dtype.kind == "f" or not scale:
        return values.astype(np.float32)
    return (values.astype(np.float32) - np.float32(zero)) * np.float32(scale)


def _laid_out(batch: FloatArray, shape: tuple[int | None, ...]) -> FloatArray:
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
