"""Quantisation-aware training (Jacob et al. 2018, arXiv 1712.05877), by TFMOT, then int8 by the TFLite converter."""

from __future__ import annotations

import contextlib
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from auditor.compress import Compressed, MemberError, Method
from auditor.compress.converted import Asked, check_converted, convert, kernels, refuse_many_words
from auditor.compress.layers import skipped
from auditor.models.tflite import parse_tflite

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from auditor.models import KerasModel
    from auditor.models.tflite import Tensor
    from auditor.records import FloatArray, IntArray

_ACTIVATIONS = {"linear", "relu", "sigmoid", "softmax", "tanh", "swish", "gelu"}
"""Those that TFMOT can train with."""
_FOLDED = {"Conv2D", "DepthwiseConv2D"}
"""Layers into which a normalisation that follows is folded; of Dense, TFMOT folds it so that both are float in the
file."""
_WHOLE = {"Bidirectional", "Lambda", "MultiHeadAttention", "Attention", "AdditiveAttention", "TimeDistributed"}
"""Layers that TFMOT's wrapper cannot run."""
_BATCH = 64
"""Examples that ranges are taken from at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What of a kernel training shall keep."""

    zeros: float
    """Share of its weights that are 0."""
    distinct: int
    """Number of its distinct values."""


@dataclass(slots=True, kw_only=True)
class QuantizeAware(Method):
    """Rounding is simulated while the model trains; ranges of activations start as those of the float model."""

    method: Literal["qat"] = "qat"
    io: Literal["float32", "int8", "uint8"] = "float32"
    skip: Sequence[str] = ()
    """Layers that are left as they are, by name or pattern."""
    keeps: Sequence[Literal["sparsity", "clusters"]] = ()
    """What the methods before have made, which training shall not undo."""
    _before: dict[str, Kept | None] = field(default_factory=dict, init=False)
    """What each layer had of it before."""
    _float: list[str] = field(default_factory=list, init=False)
    """Layers with weights that are trained in float."""

    def prepare(self, model: KerasModel, seed: int) -> KerasModel:  # noqa: ARG002 - nothing is drawn
        """A copy whose layers simulate int8. Raises MemberError where none can."""
        from auditor.tf import load, qat

        refuse_many_words(model, self.method)
        tfq, scheme, given = qat(), self._scheme(), model
        # Layers that other methods have wrapped were parts of other models too, and look as if they were called twice.
        model = load().tf_keras.models.clone_model(given)
        model.set_weights(given.get_weights())
        plan = self._plan(model, scheme.get_quantize_registry())
        if "aware" not in plan.values():
            kinds = ", ".join(sorted({type(layer).__name__ for layer in model.layers}))
            raise MemberError(f"TFMOT can simulate the rounding of no layer of this model; its layers are {kinds}")
        configs = {"output": tfq.configs.Default8BitOutputQuantizeConfig, "skip": tfq.configs.NoOpQuantizeConfig}

        def annotate(layer: Any) -> Any:  # noqa: ANN401 - tf_keras publishes no types
            how = plan[layer.name]
            if how is None:
                return layer
            return tfq.keras.quantize_annotate_layer(layer, configs[how]() if how in configs else None)

        try:
            annotated = load().tf_keras.models.clone_model(model, clone_function=annotate)
            with tfq.keras.quantize_scope():
                prepared = tfq.keras.quantize_apply(annotated, scheme)
        except (RuntimeError, ValueError, TypeError) as error:
            raise MemberError(f"TFMOT cannot prepare this model for quantisation-aware training: {error}") from error
        self._before = {layer.name: _kept(layer) for layer in model.layers if plan[layer.name] == "aware"}
        self._float = [layer.name for layer in model.layers if layer.weights and plan[layer.name] != "aware"]
        return prepared

    def calibrate(self, model: KerasModel, examples: FloatArray) -> None:
        """Let the ranges of activations start where those of the float model are.

        TFMOT's start at -6 and 6 and move by a thousandth a step: until thousands of steps are done, larger values
        would be cut off, and small ones would have few of the 256 levels.
        """
        with _observing():
            for start in range(0, len(examples), _BATCH):
                model(examples[start : start + _BATCH], training=False)

    def strip(self, model: KerasModel) -> KerasModel:
        """Without what only keeping clusters needed; the wrappers stay, whose ranges the converter reads."""
        from auditor.tf import qat

        return qat().strip_clusters(model) if "clusters" in self.keeps else model

    def convert(self, model: KerasModel, calibration: FloatArray) -> Compressed:  # noqa: ARG002
        """The TFLite file: ranges are learnt, no example is needed.

        With a representative set, layers that were not trained so would be rounded too, with more harm.
        Raises MemberError where its types are not int8, or where it has lost what the methods before have made.
        """

        def set_up(tf: Any, converter: Any) -> None:  # noqa: ANN401 - the modules
            converter.inference_input_type = converter.inference_output_type = tf.as_dtype(self.io)

        content = convert(model, set_up)
        asked = Asked(method=self.method, weights="int8", activations="int8", io=self.io)
        measured = check_converted(content, model, asked)
        self._check_kept(content, model)
        return Compressed(ending=".tflite", content=content, measured={**measured, "trained_in_float": self._float})

    def _scheme(self) -> Any:  # noqa: ANN401 - TFMOT publishes no types
        from auditor.tf import qat

        if "clusters" in self.keeps:
            return _LayerByLayer(qat().keep_clusters(preserve_sparsity="sparsity" in self.keeps))
        return qat().keep_sparsity() if self.keeps else qat().default()

    def _plan(self, model: KerasModel, registry: Any) -> dict[str, str | None]:  # noqa: ANN401
        """What becomes of each layer.

        "aware": weights and activations are rounded as in the file. "output": TFMOT cannot simulate the layer, only its
        output is rounded, without which the layer after it would be left in float too. "skip": nothing is. None: TFMOT
        cannot even wrap it.
        """
        left_out = skipped(model, self.skip)
        plan: dict[str, str | None] = {}
        for layer in model.layers:
            if layer.name in left_out:
                plan[layer.name] = "skip"
            elif _is_supported(layer, registry) or _is_folded(layer, plan):
                plan[layer.name] = "aware"
            else:
                plan[layer.name] = "output" if _is_plain(layer) else None
        return plan

    def _check_kept(self, content: bytes, model: KerasModel) -> None:
        """Raises MemberError where the file has fewer zeros, or a channel more values, than the model had before."""
        said = []
        for layer, kernel, _ in kernels(parse_tflite(content, "qat.tflite"), model):
            if kernel.type != "int8" or (before := self._before.get(layer)) is None:
                continue
            zeros, distinct = _in_file(kernel)
            if "sparsity" in self.keeps and zeros < before.zeros:
                said.append(f"{layer} had sparsity {before.zeros:.4f} and has {zeros:.4f}")
            if "clusters" in self.keeps and distinct > before.distinct:
                said.append(f"{layer} had {before.distinct:,} distinct values and has {distinct:,}")
        if said:
            raise MemberError(f"quantisation-aware training undid what was to be kept: {'; '.join(said)}")


@dataclass(frozen=True, slots=True)
class _LayerByLayer:
    """A scheme of TFMOT whose layers share no quantiser: one without zeros would tell those after it to keep none."""

    scheme: Any

    def get_layout_transformer(self) -> Any:  # noqa: ANN401
        return self.scheme.get_layout_transformer()

    def get_quantize_registry(self) -> _Registry:
        return _Registry(self.scheme.get_quantize_registry())


@dataclass(frozen=True, slots=True)
class _Registry:
    registry: Any

    def supports(self, layer: Any) -> bool:  # noqa: ANN401
        return bool(self.registry.supports(layer))

    def get_quantize_config(self, layer: Any) -> Any:  # noqa: ANN401
        config = self.registry.get_quantize_config(layer)
        if hasattr(config, "weight_quantizer"):
            config.weight_quantizer = copy(config.weight_quantizer)
        return config


def _kept(layer: Any) -> Kept | None:  # noqa: ANN401
    """What a kernel has that training shall keep; None where the layer is of a kind that is not compressed."""
    if type(layer).__name__ not in {"Conv2D", "Dense"}:
        return None
    values = layer.kernel.numpy()
    return Kept(zeros=float(np.mean(values == 0)), distinct=np.unique(values).size)


def _in_file(kernel: Tensor) -> tuple[float, int]:
    """The share of zeros, and the most distinct values of those that share a scale."""
    values: IntArray = np.frombuffer(kernel.data, np.int8).reshape(kernel.shape)
    parts = values if kernel.scales > 1 else values[None]
    return float(np.mean(values == 0)), max(np.unique(part).size for part in parts)


def _is_supported(layer: Any, registry: Any) -> bool:  # noqa: ANN401
    """Whether TFMOT simulates this layer; its registry goes by the class alone, and by weights where it keeps them."""
    from auditor.tf import qat

    activation = getattr(getattr(layer, "activation", None), "__name__", "linear")
    known = qat().registry().supports(layer) and registry.supports(layer)
    return known and activation in _ACTIVATIONS and _is_used_once(layer)


def _is_folded(layer: Any, plan: Mapping[str, str | None]) -> bool:  # noqa: ANN401
    """Whether this is a normalisation that the converter makes part of the layer before it, which is simulated."""
    from auditor.tf import load

    if type(layer).__name__ != "BatchNormalization" or not _is_used_once(layer):
        return False
    before = load().tf.nest.flatten(layer._inbound_nodes[0].inbound_layers)  # noqa: SLF001 - there is no public way
    return (
        len(before) == 1
        and type(before[0]).__name__ in _FOLDED
        and before[0].activation.__name__ == "linear"
        and plan[before[0].name] == "aware"
        and len(before[0]._outbound_nodes) == 1  # noqa: SLF001
    )


def _is_plain(layer: Any) -> bool:  # noqa: ANN401
    """Whether TFMOT's wrapper can run this layer, whatever it computes: of the library, one call, one output."""
    from auditor.tf import load

    tf_keras = load().tf_keras
    known = type(layer).__module__.startswith("tf_keras.") and type(layer).__name__ not in _WHOLE
    other = isinstance(layer, (tf_keras.Model, tf_keras.layers.InputLayer, tf_keras.layers.RNN))
    operator = type(layer).__name__.endswith("OpLambda")
    return known and not other and not operator and _is_used_once(layer)


def _is_used_once(layer: Any) -> bool:  # noqa: ANN401
    return len(layer._inbound_nodes) == 1  # noqa: SLF001


@contextlib.contextmanager
def _observing() -> Iterator[None]:
    """While this holds, a prepared model computes in float, and each range grows to what passes by it."""
    from auditor.tf import load, qat

    tf, operations = load().tf, qat().operations
    names = ("MovingAvgQuantize", "AllValuesQuantize", "LastValueQuantize")
    kept = {name: getattr(operations, name) for name in names}
    seen = set()

    def observe(inputs: Any, min_var: Any, max_var: Any, **_: Any) -> Any:  # noqa: ANN401
        low, high = tf.minimum(tf.reduce_min(inputs), 0.0), tf.maximum(tf.reduce_max(inputs), 0.0)
        if min_var.ref() in seen:
            low, high = tf.minimum(low, min_var), tf.maximum(high, max_var)
        if low < high:  # what is always zero has no range
            seen.add(min_var.ref())
            min_var.assign(low)
            max_var.assign(high)
        return inputs

    operations.MovingAvgQuantize = operations.AllValuesQuantize = observe
    # A tensor, as rounded weights are: a layer would take the variable itself for one more of its own.
    operations.LastValueQuantize = lambda weights, *_, **__: tf.identity(weights)
    try:
        yield
    finally:
        for name, operation in kept.items():
            setattr(operations, name, operation)
