"""Ways to compress a model: one file a family, all with the same methods; a recipe is a chain of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from auditor.compress.lesson import Lesson
    from auditor.compress.summaries import Logged
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
    """What the methods alone can tell, such as the layers left uncompressed."""
    logged: Sequence[Logged] = ()
    """What pruning did while it trained, where that was asked for."""


class Method(Protocol):
    """One way to compress: a step of a recipe. What a family has no use for, it inherits."""

    def prepare(self, model: KerasModel, seed: int) -> KerasModel:  # noqa: ARG002 - most draw nothing at random
        """The model to train in place of this one.

        Raises MemberError, naming key and layer, where this model cannot be compressed so.
        """
        return model

    def lesson(self, model: KerasModel, activation: str | None) -> Lesson | None:  # noqa: ARG002
        """What is to be learnt beside the labels, where `prepare` gives another model than the one before, `model`.

        `activation` is that of its last layer.
        """
        return None

    def calibrate(self, model: KerasModel, examples: FloatArray) -> None:  # noqa: ARG002 - most learn nothing of them
        """Set in a prepared model what it shall know of the representative set, float32 [m, ...], before it trains."""
        return

    def strip(self, model: KerasModel) -> KerasModel:
        """A prepared and trained model without what only training needed."""
        return model

    def check(self, model: KerasModel) -> Mapping[str, Any]:  # noqa: ARG002
        """What is measured of this method alone on the stripped model.

        Raises MemberError with the numbers where it is not what was asked for.
        """
        return {}

    def confirm(self, measured: Mapping[str, Any]) -> None:
        """Raise MemberError with the numbers where the file that is scored has lost what this method did.

        `measured` is what `measure_file` and the checks found.
        """

    def convert(self, model: KerasModel, calibration: FloatArray) -> Compressed | None:  # noqa: ARG002
        """The file, where this method makes another format, checked too; such a method is a recipe's last.

        `calibration` is the representative set, float32 [m, ...].
        """
        return None


def method_of(settings: Mapping[str, Any]) -> Method:
    """The method of one step: its `method` and that method's settings."""
    from auditor.compress.cluster import Cluster  # noqa: PLC0415 - the families import this module
    from auditor.compress.distill import Distill  # noqa: PLC0415
    from auditor.compress.low_rank import LowRank  # noqa: PLC0415
    from auditor.compress.prune import Prune  # noqa: PLC0415
    from auditor.compress.qat import QuantizeAware  # noqa: PLC0415
    from auditor.compress.quantize import Quantize  # noqa: PLC0415
    from auditor.compress.sham import Sham  # noqa: PLC0415

    methods: dict[str, Callable[..., Method]] = {
        "distill": Distill,
        "sham": Sham,
        "low_rank": LowRank,
        "prune": Prune,
        "cluster": Cluster,
        "float16": Quantize,
        "dynamic_int8": Quantize,
        "int8": Quantize,
        "int16x8": Quantize,
        "qat": QuantizeAware,
    }
    return methods[settings["method"]](**settings)
