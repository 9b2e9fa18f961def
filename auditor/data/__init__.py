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
    "images": "auditor.data.image_source:ImageSource",
    "arrays": "auditor.data.arrays:ArraySource",
    "celeba": "auditor.data.celeba:CelebaSource",
    "cifar10": "auditor.data.cifar:CifarSource",
    "cifar100": "auditor.data.cifar:CifarSource",
    "tfrecord": "auditor.data.tfrecord:open_tfrecord",
    "tfds": "auditor.data.tfds:open_tfds",
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
    source = make(spec, base)
    function = spec.data.preprocess.function
    if function is None:
        return source
    from auditor.data.prepared import PreparedSource  # noqa: PLC0415 - it asks for this module

    return PreparedSource(source, function, base)
