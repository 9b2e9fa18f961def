"""No compression: trained on as long, so that what training does is told from what compression does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from auditor.compress import MemberError, Method

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.models import KerasModel
    from auditor.records import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Sham(Method):
    """The model itself, with other weights."""

    method: Literal["sham"] = "sham"
    _before: list[FloatArray] = field(init=False, repr=False, default_factory=list)
    """The weights that training started from."""

    def prepare(self, model: KerasModel, seed: int) -> KerasModel:  # noqa: ARG002 - nothing is drawn at random
        """The model as it is."""
        self._before[:] = model.get_weights()
        return model

    def check(self, model: KerasModel) -> Mapping[str, Any]:
        """Raises MemberError where it is another model than before, or the same one still."""
        after = model.get_weights()
        before, shapes = [w.shape for w in self._before], [w.shape for w in after]
        if before != shapes:
            raise MemberError(f"a sham changes no sizes, but weights of shapes {before} became {shapes}")
        if all(map(np.array_equal, self._before, after)):
            sizes = sum(weight.size for weight in after)
            raise MemberError(f"training on changed none of {sizes:,} weights: it would be the baseline again")
        return {}
