"""TFLite models, run by the interpreter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from auditor.models.artifact import Artifact, in_batches, laid_out
from auditor.models.macs import tflite_macs
from auditor.models.tflite import parse_tflite
from auditor.provenance import THREADS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.models.artifact import Weights
    from auditor.models.config import ModelFacts
    from auditor.records import FloatArray


def tflite_artifact(content: bytes, facts: ModelFacts) -> Artifact:
    """A TFLite model, run by the interpreter on one thread; quantised inputs and outputs are carried over."""

    def weights() -> Iterator[Weights]:
        for tensor in parse_tflite(content, "model.tflite").tensors:
            if tensor.weights:
                yield tensor.counted()

    return Artifact(
        facts=facts,
        score=_Interpreted(content, facts.output),
        weights=weights,
        macs=lambda: tflite_macs(parse_tflite(content, "model.tflite")),
    )


class _Interpreted:
    """An interpreter that is resized to the batch at hand."""

    def __init__(self, content: bytes, output: int) -> None:
        self._output = output
        from auditor.tf import load, quiet

        with quiet():
            self._interpreter = load().tf.lite.Interpreter(model_content=content, num_threads=THREADS)
            self._interpreter.allocate_tensors()
        self._shape = tuple(self._interpreter.get_input_details()[0]["shape"])
        # Some graphs hold their batch size in a constant: those are run in batches of that size.
        self._resizable = self._resizes(self._shape[0] + 1)

    def __call__(self, batch: FloatArray) -> FloatArray:
        batch = laid_out(batch, self._shape[1:])
        if self._resizable:
            self._resize(len(batch))
            return self._run(batch)
        return in_batches(batch, self._shape[0], self._run)

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
        source, target = self._interpreter.get_input_details()[0], self._interpreter.get_output_details()[self._output]
        self._interpreter.set_tensor(source["index"], _quantised(batch, source))
        # The converter lets a recurrent layer keep its state from one call to the next: each example starts anew.
        self._interpreter.reset_all_variables()
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
