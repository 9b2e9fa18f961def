"""What a student learns beside the labels: its teacher's outputs, softened by a temperature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from auditor.models import KerasModel
    from auditor.records import FloatArray

_TINY = float(np.finfo(np.float32).tiny)
_BELOW_ONE = float(np.nextafter(np.float32(1), np.float32(0)))
_CHUNK = 256
"""Examples that the teacher sees at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A teacher, and how much its word counts. Hinton et al. 2015, section 2."""

    teacher: KerasModel
    activation: str | None
    """Of the teacher's last layer: "softmax" and "sigmoid" give probabilities, all else logits."""
    temperature: float
    """T, of both softmaxes."""
    alpha: float
    """Weight of the soft targets; the labels have the rest."""

    def targets(self, x: FloatArray) -> FloatArray:
        """The teacher's probabilities at temperature T of examples [n, ...]; float32 [n, C]."""
        from auditor.tf import load

        tf = load().tf
        parts = [
            np.asarray(tf.nn.softmax(self._logits(self.teacher(x[i : i + _CHUNK], training=False), self.activation)))
            for i in range(0, len(x), _CHUNK)
        ]
        return np.concatenate(parts)

    @property
    def classes(self) -> int:
        """C: a single output is told as two."""
        return max(2, int(self.teacher.output_shape[-1]))

    def loss(self, soft: Any, outputs: Any, activation: str | None) -> Any:  # noqa: ANN401 - tensors
        """Divergence of the student's outputs [n, ...] from `soft` [n, C], both at T, times T squared; a mean of n.

        Its gradient then is of the size of the labels' own, whatever T is.
        """
        from auditor.tf import load

        tf = load().tf
        said = tf.nn.log_softmax(self._logits(outputs, activation))
        apart = tf.reduce_sum(tf.math.xlogy(soft, soft) - soft * said, axis=-1)
        return self.temperature**2 * tf.reduce_mean(apart)

    def _logits(self, outputs: Any, activation: str | None) -> Any:  # noqa: ANN401 - tensors
        """Logits over T, [n, C], each row up to a constant: the logarithm of a probability is one."""
        from auditor.tf import load

        tf = load().tf
        is_single = outputs.shape[-1] == 1
        if activation in {"softmax", "sigmoid"}:
            outputs = _logit(tf, outputs) if is_single else tf.math.log(tf.maximum(outputs, _TINY))
        if is_single:
            outputs = tf.concat([tf.zeros_like(outputs), outputs], axis=-1)
        return outputs / self.temperature


def _logit(tf: Any, likely: Any) -> Any:  # noqa: ANN401 - tensors
    likely = tf.clip_by_value(likely, _TINY, _BELOW_ONE)
    return tf.math.log(likely) - tf.math.log1p(-likely)
