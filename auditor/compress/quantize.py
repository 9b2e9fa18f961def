"""Quantisation after training, by the TFLite converter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from auditor.compress import Compressed, Method
from auditor.compress.converted import Asked, check_converted, convert, refuse_loops, refuse_many_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.models import KerasModel
    from auditor.records import FloatArray

_ACTIVATIONS = {"int8": "int8", "int16x8": "int16"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantize(Method):
    """Weights in fewer bits; for int8 and int16x8 what is computed between them too."""

    method: Literal["float16", "dynamic_int8", "int8", "int16x8"]
    io: Literal["float32", "int8", "uint8", "int16"] = "float32"
    per_channel: bool = True
    calibration: str | None = None
    """Which representative set: None is the audit's."""

    def prepare(self, model: KerasModel, seed: int) -> KerasModel:  # noqa: ARG002 - nothing is drawn
        """The model as it is. Raises MemberError where its inputs or layers cannot be rounded."""
        if self.method in _ACTIVATIONS:
            refuse_many_words(model, self.method)
            refuse_loops(model, self.method)
        return model

    def convert(self, model: KerasModel, calibration: FloatArray) -> Compressed:
        """The TFLite file. Raises MemberError where its types are not those asked for."""
        self.prepare(model, 0)
        content = convert(model, lambda tf, converter: self._set_up(tf, converter, calibration))
        asked = Asked(
            method=self.method,
            weights="float16" if self.method == "float16" else "int8",
            activations=_ACTIVATIONS.get(self.method),
            io=self.io,
            per_channel=self.per_channel if self.method in _ACTIVATIONS else None,
        )
        measured = check_converted(content, model, asked)
        return Compressed(ending=".tflite", content=content, measured=measured)

    def _set_up(self, tf: Any, converter: Any, calibration: FloatArray) -> None:  # noqa: ANN401 - the modules
        if self.method == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if self.method not in _ACTIVATIONS:
            return
        converter.representative_dataset = lambda: _one_by_one(calibration)
        converter.inference_input_type = converter.inference_output_type = tf.as_dtype(self.io)
        converter._experimental_disable_per_channel = not self.per_channel  # noqa: SLF001 - there is no public way
        if self.method == "int16x8":
            sets = tf.lite.OpsSet
            # what has no form of 16 bits stays in float, and is named
            converter.target_spec.supported_ops = [
                sets.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8,
                sets.TFLITE_BUILTINS,
            ]


def _one_by_one(calibration: FloatArray) -> Iterator[list[Any]]:
    for start in range(len(calibration)):
        yield [calibration[start : start + 1]]
