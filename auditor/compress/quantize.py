"""Quantisation after training, by the TFLite converter; input and output stay float32."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from auditor.compress import Compressed, MemberError, Method
from auditor.models.tflite import parse_tflite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.models import KerasModel
    from auditor.models.tflite import Tensor
    from auditor.records import FloatArray

_WEIGHT_TYPE = {"float16": "float16", "dynamic_int8": "int8", "int8": "int8"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantize(Method):
    """Weights in fewer bits; for int8 what is computed between them too."""

    method: Literal["float16", "dynamic_int8", "int8", "int16x8"]
    io: Literal["float32", "int8", "uint8", "int16"] = "float32"
    per_channel: bool = True

    def convert(self, model: KerasModel, calibration: FloatArray) -> Compressed:
        """The TFLite file. Raises MemberError where nothing in it is quantised."""
        content = self._convert(model, calibration)
        tensors = parse_tflite(content, f"{self.method}.tflite").tensors
        types = Counter[str]()
        for tensor in tensors:
            types[tensor.type] += tensor.weights
        wanted = _WEIGHT_TYPE[self.method]
        if not types[wanted] or (self.method == "int8" and not _computes_in(tensors, wanted)):
            found = ", ".join(f"{count:,} {kind}" for kind, count in sorted(types.items()) if count) or "none"
            raise MemberError(f"{self.method} was asked for, but nothing became {wanted}: the weights are {found}")
        left = [
            tensor.name for tensor in tensors if tensor.type == "float32" and tensor.weights and len(tensor.shape) > 1
        ]
        measured = {
            "weight_types": {kind: count for kind, count in sorted(types.items()) if count},
            "left_uncompressed": left,
        }
        return Compressed(ending=".tflite", content=content, measured=measured)

    def _convert(self, model: KerasModel, calibration: FloatArray) -> bytes:
        from auditor.tf import load, quiet

        tf = load().tf
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if self.method == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if self.method == "int8":
            converter.representative_dataset = lambda: _one_by_one(calibration)
        with quiet():
            content: bytes = converter.convert()
        return content


def _one_by_one(calibration: FloatArray) -> Iterator[list[Any]]:
    for start in range(len(calibration)):
        yield [calibration[start : start + 1]]


def _computes_in(tensors: tuple[Tensor, ...], kind: str) -> bool:
    """Whether some tensor that is computed, not stored, has this type."""
    return any(tensor.type == kind and tensor.quantised and not tensor.data for tensor in tensors)
