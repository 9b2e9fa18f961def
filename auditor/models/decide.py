"""From a model's outputs to decisions on the classes of the data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from auditor.errors import ModelError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.records import FloatArray, IntArray

OutputKind = Literal["probabilities", "logits"]
_SUM_TOLERANCE = 0.02
"""How far from 1 a row of probabilities may sum: int8 outputs come in steps of 1/256."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a model's outputs are read."""

    classes: int
    """C, the number of classes of the data."""
    kind: OutputKind | None = None
    """As declared; None: only what is certain."""
    class_of: Mapping[str, int] = field(default_factory=dict)
    """Number of an output, as JSON writes keys, to index of a class; empty: output c is class c."""
    other: int | None = None
    """The class of every output that `class_of` does not name."""

    def misfit(self, outputs: int) -> str | None:
        """Why a model with so many outputs cannot be read, or None."""
        many = "1 output" if outputs == 1 else f"{outputs} outputs"
        if not self.class_of:
            fits = outputs == self.classes or (outputs == 1 and self.classes == 2)
            return None if fits else f"the model has {many}, the data has {self.classes} classes"
        if (last := max(map(int, self.class_of))) >= outputs:
            return f"data.classes names output {last}, the model has {many}, counted from 0"
        missing = [str(number) for number in range(outputs) if str(number) not in self.class_of]
        if missing and self.other is None:
            return f"data.classes says nothing of the outputs {', '.join(missing)}"
        return None


ADVICE = (
    "data.classes names the classes in the order of the model's outputs; or, as a table, the class of each output: "
    '{ 3 = "yes" }.'
)


def decide(outputs: FloatArray, reading: Reading, activation: str | None) -> tuple[IntArray, FloatArray | None]:
    """Decisions, int16 [N], and probabilities, float32 [N, C], from a model's outputs [N, outputs].

    The largest output decides, the first of equals, and is then mapped to its class; one sigmoid output becomes two
    columns. Probabilities are given where every row sums to 1, those of a class summed over its outputs. Raises
    ModelError where the outputs do not fit the classes, or where a single one may be a probability or a logit.
    """
    if not np.isfinite(outputs).all():
        raise ValueError("the model's outputs are not all finite numbers")
    if said := reading.misfit(outputs.shape[1]):
        raise ModelError(Problem(message=said, advice=ADVICE))
    if outputs.shape[1] == 1:
        outputs = _two_columns(outputs, reading, activation)
    decided = outputs.argmax(axis=1)
    likely = _probabilities(outputs, reading, activation)
    if reading.class_of:
        classes = np.array([reading.class_of.get(str(n), reading.other) for n in range(outputs.shape[1])], np.int16)
        decided = classes[decided]
        likely = None if likely is None else likely @ (classes[:, None] == np.arange(reading.classes))
    return decided.astype(np.int16), None if likely is None else likely.astype(np.float32)


def _probabilities(outputs: FloatArray, reading: Reading, activation: str | None) -> FloatArray | None:
    proper = (outputs >= 0).all() and np.abs(outputs.sum(axis=1) - 1).max(initial=0) <= _SUM_TOLERANCE
    if proper:
        return outputs
    if reading.kind != "logits" or activation == "softmax":
        return None
    raised = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    softmax: FloatArray = raised / raised.sum(axis=1, keepdims=True)
    return softmax


def _two_columns(outputs: FloatArray, reading: Reading, activation: str | None) -> FloatArray:
    """Probabilities of both classes from one output, a sigmoid's or a logit."""
    kind = "probabilities" if activation == "sigmoid" else reading.kind
    if kind is None:
        raise ModelError(
            Problem(
                message="the model's single output may be a probability or a logit: its file does not end in a sigmoid",
                advice='Say which, beside the file: outputs = "probabilities" (above 0.5 is the second class) or '
                'outputs = "logits" (above 0).',
            )
        )
    if kind == "logits":
        outputs = 1 / (1 + np.exp(-outputs.astype(np.float64)))  # in 32 bits the smallest logits would all be 0.5
    elif ((outputs < 0) | (outputs > 1)).any():
        message = "the model's single output is no probability: it leaves 0 to 1"
        raise ModelError(Problem(message=message, advice='If it is a logit: outputs = "logits".'))
    return np.concatenate([1 - outputs, outputs], axis=1)
