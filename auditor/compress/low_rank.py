"""Low-rank factors: SVD of matrices, Tucker-2 of convolutions (Kim et al. 2016, arXiv 1511.06530).

A layer becomes two or three plain ones, so that whatever follows finds nothing unusual; the last one has its name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from auditor.compress import MemberError, Method
from auditor.compress.factors import factors_of, ranks_of, size_of
from auditor.compress.layers import skipped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from auditor.models import KerasModel
    from auditor.records import FloatArray

_KINDS = ("Dense", "Conv1D", "Conv2D", "Conv3D")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layer:
    """A layer that can have factors."""

    kernel: FloatArray
    full: tuple[int, ...]
    """Its full rank; of a convolution those of its input and output channels."""
    ranks: tuple[int, ...]
    """Those that are asked for."""

    @property
    def is_smaller(self) -> bool:
        return size_of(self.kernel.shape, self.ranks) < self.kernel.size

    def __str__(self) -> str:
        of = ", ".join(f"{rank} of {full}" for rank, full in zip(self.ranks, self.full, strict=True))
        return f"{self.kernel.size:,} weights would be {size_of(self.kernel.shape, self.ranks):,} at rank {of}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LowRank(Method):
    """By `ratio` of the full rank, or by `energy`, the share of the squared singular values that is kept."""

    method: Literal["low_rank"] = "low_rank"
    ratio: float | None = None
    energy: float | None = None
    skip: Sequence[str] = ()
    """Layers that are left as they are, by name or pattern."""
    _layers: dict[str, _Layer] = field(init=False, repr=False, default_factory=dict)
    """All that can have factors, as they were."""
    _parts: dict[str, list[str]] = field(init=False, repr=False, default_factory=dict)
    """The names of those that took the place of one."""

    def prepare(self, model: KerasModel, seed: int) -> KerasModel:  # noqa: ARG002 - nothing is drawn at random
        """A model with factors in the place of kernels that get smaller by it. Raises MemberError where none does."""
        left_out = skipped(model, self.skip)
        for layer in model.layers:
            if layer.name not in left_out and _has_factors(layer):
                kernel = layer.kernel.numpy()
                full, ranks = ranks_of(kernel, ratio=self.ratio, energy=self.energy)
                self._layers[layer.name] = _Layer(kernel=kernel, full=full, ranks=ranks)
        if not self._layers:
            kinds = ", ".join(sorted({type(layer).__name__ for layer in model.layers}))
            raise MemberError(f"no layer of this model can have factors; its layers are {kinds}")
        # What is asked for by energy goes by the weights, which an untrained model does not have yet.
        if self.ratio is not None:
            self._check_effect()
        return _rebuilt(model, {name: each for name, each in self._layers.items() if each.is_smaller}, self._parts)

    def check(self, model: KerasModel) -> Mapping[str, Any]:
        """Raises MemberError where no layer got smaller, or one has a higher rank than asked for."""
        self._check_effect()
        found = {name: [model.get_layer(part).kernel.numpy() for part in parts] for name, parts in self._parts.items()}
        measured = [_measured(name, self._layers[name], kernels) for name, kernels in found.items()]
        wrong = [
            f"{each['layer']} has {each['rank']}, not {list(self._layers[each['layer']].ranks)}"
            for each in measured
            if any(r > a for r, a in zip(each["rank"], self._layers[each["layer"]].ranks, strict=True))
        ]
        if wrong:
            raise MemberError(f"lower ranks were asked for: {'; '.join(wrong)}")
        inner = {part for parts in self._parts.values() for part in parts}
        saved = sum(each["weights_before"] - each["weights"] for each in measured)
        return {
            "low_rank": measured,
            "parameters_before": model.count_params() + saved,
            "left_uncompressed": [layer.name for layer in model.layers if layer.weights and layer.name not in inner],
        }

    def confirm(self, measured: Mapping[str, Any]) -> None:
        """The file has fewer parameters than the model before."""
        before, found = measured["parameters_before"], measured["parameters"]
        if found >= before:
            raise MemberError(f"the file has {found:,} parameters, before low_rank there were {before:,}")

    def _check_effect(self) -> None:
        if not any(each.is_smaller for each in self._layers.values()):
            asked = f"ratio {self.ratio:g}" if self.ratio is not None else f"energy {self.energy:g}"
            told = "; ".join(f"{name}: {each}" for name, each in self._layers.items())
            raise MemberError(f"{asked} makes no layer smaller: {told}")


def _has_factors(layer: Any) -> bool:  # noqa: ANN401 - tf_keras publishes no types
    """Dense layers and convolutions; not in groups, nor with a constraint that is one on the whole kernel."""
    from auditor.tf import load

    kinds = [getattr(load().tf_keras.layers, kind) for kind in _KINDS]
    return type(layer) in kinds and getattr(layer, "groups", 1) == 1 and layer.kernel_constraint is None


def _measured(name: str, before: _Layer, kernels: Sequence[FloatArray]) -> dict[str, Any]:
    """Ranks as the trained factors have them: of the outer ones, one of which is the rank of a matrix."""
    sides = [int(np.linalg.matrix_rank(k.reshape(k.shape[-2:]))) for k in (kernels[0], kernels[-1])]
    return {
        "layer": name,
        "full_rank": list(before.full),
        "rank": sides if len(kernels) == 3 else [min(sides)],
        "weights_before": before.kernel.size,
        "weights": sum(kernel.size for kernel in kernels),
    }


def _rebuilt(model: KerasModel, changed: Mapping[str, _Layer], parts: dict[str, list[str]]) -> KerasModel:
    """The model of the same configuration, but for these layers, with all weights."""
    from auditor.tf import load

    keras = load().tf_keras
    config, taken = model.get_config(), {layer.name for layer in model.layers}
    kernels: dict[str, FloatArray] = {}
    listed: list[dict[str, Any]] = []
    for entry in config["layers"]:
        name = entry["config"]["name"]
        if name not in changed:
            listed.append(entry)
            continue
        made = factors_of(changed[name].kernel, changed[name].ranks)
        entries = list(_chain(entry, made, taken))
        parts[name] = [each["config"]["name"] for each in entries]
        kernels |= dict(zip(parts[name], made, strict=True))
        listed += entries
    is_sequence = isinstance(model, keras.Sequential)
    with keras.utils.custom_object_scope({type(layer).__name__: type(layer) for layer in model.layers}):
        rebuilt = (keras.Sequential if is_sequence else keras.Model).from_config({**config, "layers": listed})
    for layer in rebuilt.layers:
        if layer.name not in kernels:
            layer.set_weights(model.get_layer(layer.name).get_weights())
            continue
        own = model.get_layer(layer.name).get_weights()[1:] if layer.name in changed else []
        layer.set_weights([kernels[layer.name], *own])
    return rebuilt


def _chain(entry: Mapping[str, Any], made: Sequence[FloatArray], taken: set[str]) -> Iterator[dict[str, Any]]:
    """The layers in the place of one, each called on the one before; the last is what others are called on still."""
    config, is_matrix = entry["config"], len(made) == 2
    plain = {key: config[key] for key in ("trainable", "dtype", "kernel_regularizer")} | {"use_bias": False}
    last = {key: value for key, value in config.items() if key != "batch_input_shape"}
    if "units" in config:
        settings = [plain | {"units": made[0].shape[-1]}, last]
    else:
        over = {"data_format": config["data_format"]}
        whole = {key: config[key] for key in ("kernel_size", "strides", "padding", "dilation_rate")}
        point: dict[str, Any] = {"kernel_size": 1, "strides": 1, "padding": "valid", "dilation_rate": 1}
        settings = [
            plain
            | over
            | point
            | ({"strides": config["strides"]} if is_matrix else {})
            | {"filters": made[0].shape[-1]},
            *([] if is_matrix else [plain | over | whole | {"filters": made[1].shape[-1]}]),
            last | point,
        ]
    calls, before = entry.get("inbound_nodes"), None
    for each, role in zip(settings, ("in", "core") if not is_matrix else ("in",), strict=False):
        each["name"] = _free(f"{config['name']}_{role}", taken)
        yield _entry(entry, each, calls, before)
        before = each["name"]
    yield _entry(entry, settings[-1], calls, before)


def _entry(
    entry: Mapping[str, Any], settings: dict[str, Any], calls: Sequence[Any] | None, before: str | None
) -> dict[str, Any]:
    """A layer as its model's configuration lists it, called as often as the original, on the same or on `before`."""
    # How the original was built says nothing of its parts.
    listed = {key: value for key, value in entry.items() if key != "build_config"} | {"config": settings}
    if calls is None:
        return listed
    after: list[Any] = [[[before, number, 0, {}]] for number in range(len(calls))]
    return listed | {"name": settings["name"], "inbound_nodes": calls if before is None else after}


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    taken.add(name)
    return name
