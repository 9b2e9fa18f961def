"""A source whose images a function of the user's makes ready for the model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.data.inputs import transform
from auditor.own import beside, module_digests, own_function
from auditor.provenance import digest_of

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.data import Source
    from auditor.records import Dataset

WHERE = "data.preprocess.function"


class PreparedSource:
    """Another source, and then the function."""

    def __init__(self, source: Source, function: str, base: Path) -> None:
        self._source = source
        self._function = function
        self._base = base

    def load(self) -> Dataset:
        """As the source does; the digest covers the function's modules too. Raises ModelError where there is none."""
        module = self._function.partition(":")[0]
        code = module_digests(module, self._base, WHERE)
        dataset = self._source.load()
        return replace(dataset, digest=digest_of({"data": dataset.digest, "preprocess": code}))

    def materialise(self, folder: Path) -> None:
        """As the source does, each image put through the function; raises ModelError or DataError where it cannot."""
        with beside([self._function.partition(":")[0]], self._base):
            function = own_function(self._function, WHERE)
            self._source.materialise(folder)
            transform(folder, function, self._function)
