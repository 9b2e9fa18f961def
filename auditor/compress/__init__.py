"""Ways to compress a model: one file a family, all with the same two methods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from auditor.models import KerasModel
    from auditor.records import FloatArray


class MemberError(Exception):
    """A member that cannot be made, and the reason: it is listed as failed, the audit goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compressed:
    """A compressed model, as the file that would ship."""

    ending: str
    """".keras" or ".tflite"."""
    content: bytes
    measured: Mapping[str, Any]
    """What this family alone can tell, such as the layers left uncompressed."""


class Compressor(Protocol):
    """One way to compress."""

    def prepare(self, model: KerasModel) -> KerasModel:
        """The model to train in place of this one; the same where compression comes after training."""

    def finish(self, model: KerasModel, calibration: FloatArray) -> Compressed:
        """The compressed file of a prepared and trained model, checked to be what was asked for.

        `calibration` is the representative set, float32 [m, ...]. Raises MemberError with the numbers where it is not.
        """


def compressor(recipe: Mapping[str, Any]) -> Compressor:
    """The compressor of a recipe: its `method` and that method's settings."""
    from auditor.compress.prune import Prune  # noqa: PLC0415 - the families import this module
    from auditor.compress.quantize import Quantize  # noqa: PLC0415

    methods: dict[str, Callable[..., Compressor]] = {
        "prune": Prune,
        "float16": Quantize,
        "dynamic_int8": Quantize,
        "int8": Quantize,
    }
    return methods[recipe["method"]](**recipe)
