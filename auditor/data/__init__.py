"""Where the examples come from: one source a kind of file, all with the same two methods."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from auditor.errors import Problem, SpecError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from auditor.records import Dataset, FloatArray, IntArray
    from auditor.spec import AuditSpec

SOURCES = {
    "table": "auditor.data.table:TableSource",
    "celeba": "auditor.data.celeba:CelebaSource",
    "predictions": "auditor.data.predictions:PredictionsSource",
}
"""Where each source lives: only the one asked for is imported."""


class Source(Protocol):
    """What every source of data can do."""

    def load(self) -> Dataset:
        """Read and check all that measuring needs; no pixels, no TensorFlow. Raises DataError with every problem."""

    def materialise(self, folder: Path) -> None:
        """Write what a model reads into an existing empty folder, in the format of `auditor.data.inputs`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the members of one variant decide, by a table that was made elsewhere."""

    members: tuple[str, ...]
    """[K]: what tells each from the others, such as what the star stands for: paired ones share it."""
    decisions: IntArray
    """[K, N]: index of the decided class."""
    probabilities: FloatArray | None
    """[K, N, C], or None where only decisions are known."""


def open_source(spec: AuditSpec, base: Path) -> Source:
    """The declared source; paths in the definition are relative to `base`. Nothing is read yet."""
    name = spec.data.source or ""
    if name not in SOURCES:
        raise SpecError(
            Problem(
                where="data.source",
                message=f'there is no source "{name}"' if name else "no source is declared",
                advice=did_you_mean(name, SOURCES),
            )
        )
    module, _, kind = SOURCES[name].partition(":")
    make = cast("Callable[[AuditSpec, Path], Source]", getattr(import_module(module), kind))
    return make(spec, base)
