"""Weight clustering (Han et al. 2016, arXiv 1510.00149), by TFMOT: the weights of a layer share a few values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from auditor.compress import MemberError, Method
from auditor.compress.layers import skipped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from auditor.models import KerasModel
    from auditor.records import FloatArray

_INITS = {"kmeans++": "KMEANS_PLUS_PLUS", "linear": "LINEAR", "density": "DENSITY_BASED", "random": "RANDOM"}
"""TFMOT's names of where the centroids start; only the last one goes by a seed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster(Method):
    """Each kernel keeps `clusters` values, which are trained; zero, where pruning has left it, is one of them."""

    method: Literal["cluster"] = "cluster"
    clusters: int
    init: Literal["kmeans++", "linear", "density", "random"] = "kmeans++"
    skip: Sequence[str] = ()
    """Layers that are left as they are, by name or pattern."""

    def prepare(self, model: KerasModel, seed: int) -> KerasModel:
        """A copy, the layers that TFMOT clusters wrapped. Raises MemberError where there is none.

        A layer with zeros among its weights keeps them: nothing but pruning makes a weight exactly zero.
        """
        from auditor.tf import load, reseed

        tfm = load()
        left_out = skipped(model, self.skip)
        # A wrapper takes the layer itself and puts a tensor in its kernel's place: the model would be lost.
        copy = tfm.tf_keras.models.clone_model(model)
        copy.set_weights(model.get_weights())
        reseed(seed)

        def wrap(layer: Any) -> Any:  # noqa: ANN401 - tf_keras publishes no types
            weights = [] if layer.name in left_out else _clusterable(layer)
            return self._wrapped(layer, weights) if any(map(self._shares, weights)) else layer

        wrapped = tfm.tf_keras.models.clone_model(copy, clone_function=wrap)
        if not any(hasattr(layer, "cluster_centroids") for layer in wrapped.layers):
            raise MemberError(self._nothing(model, left_out))
        for layer in wrapped.layers:
            _keep_state(layer)
        return wrapped

    def strip(self, model: KerasModel) -> KerasModel:
        """Without the wrappers, every kernel made of its centroids."""
        from auditor.tf import load

        return load().clustering.strip_clustering(model)

    def check(self, model: KerasModel) -> Mapping[str, Any]:
        """Raises MemberError where a kernel has more values than asked for, or one alone that is not zero."""
        kernels = [each for each in self._kernels(model, skipped(model, self.skip)) if self._shares(each[1])]
        found = [(name, np.unique(weight).size) for name, weight in kernels]
        # A kernel that pruning has emptied stays so.
        least = [1 + weight.any() for _, weight in kernels]
        wrong = [
            f"{name} has {count:,}"
            for (name, count), few in zip(found, least, strict=True)
            if not few <= count <= self.clusters
        ]
        if wrong:
            raise MemberError(f"2 to {self.clusters} values a kernel were asked for, but {'; '.join(wrong)}")
        inner = Counter(name for name, _ in found)
        return {
            "has_normalisation": any("BatchNormalization" in type(layer).__name__ for layer in model.layers),
            "clustered": [{"layer": name, "distinct_values": count} for name, count in found],
            "left_uncompressed": [
                layer.name
                for layer in model.layers
                # Of a separable convolution TFMOT clusters the second half alone.
                if layer.weights and inner[layer.name] < max(1, sum(len(weight.shape) > 1 for weight in layer.weights))
            ],
        }

    def confirm(self, measured: Mapping[str, Any]) -> None:
        """As many kernels of the file have few values; of integers with a scale a channel, each channel has.

        Real kernels that the converter folds normalisation into have few a channel too, but are not counted so.
        """
        kernels, asked = measured["kernels"], len(measured["clustered"])
        if measured["has_normalisation"] and any(each["type"] != "float32" for each in kernels):
            integers = [each for each in kernels if each["type"].startswith("int")]
            kernels, asked = integers, asked - (len(kernels) - len(integers))
        found = [each["distinct_values"] for each in kernels]
        if sum(count <= self.clusters for count in found) < asked:
            listed = ", ".join(map(str, found))
            raise MemberError(
                f"{asked} kernels were clustered to {self.clusters} values, but those of the file have {listed}"
            )

    def _kernels(self, model: KerasModel, left_out: set[str]) -> Iterator[tuple[str, FloatArray]]:
        for layer in model.layers:
            if layer.name not in left_out:
                yield from ((layer.name, weight) for weight in _clusterable(layer))

    def _wrapped(self, layer: Any, weights: list[FloatArray]) -> Any:  # noqa: ANN401
        from auditor.tf import load

        clustering = load().clustering
        has_zeros, fewest = any((w == 0).any() for w in weights), min(np.unique(w).size for w in weights)
        least = 3 if has_zeros else 2
        if self.clusters < least:
            raise MemberError(f"{layer.name} was pruned: beside zero there must be two values, clusters 3 or more")
        # A small kernel that was pruned may have fewer values, which it would lose if it were trained freely.
        number = min(self.clusters, max(fewest, least))
        if any(weight.size <= number for weight in weights):
            return layer
        return clustering.cluster_weights(
            layer,
            number_of_clusters=number,
            # All other ways to start need as many values as clusters.
            cluster_centroids_init=clustering.CentroidInitialization[
                _INITS[self.init if number <= fewest else "linear"]
            ],
            preserve_sparsity=has_zeros,
        )

    def _shares(self, weight: FloatArray) -> bool:
        """Whether weights of this kernel share values, or must come to."""
        return weight.size > self.clusters or np.unique(weight).size < weight.size

    def _nothing(self, model: KerasModel, left_out: set[str]) -> str:
        counts = [f"{name} has {np.unique(weight).size:,}" for name, weight in self._kernels(model, left_out)]
        if counts:
            return f"no layer has more than {self.clusters} values to begin with: {'; '.join(counts)}"
        kinds = ", ".join(sorted({type(layer).__name__ for layer in model.layers}))
        return f"TFMOT can cluster no layer of this model; its layers are {kinds}"


def _keep_state(layer: Any) -> None:  # noqa: ANN401
    """Make weights of what a wrapper that keeps zeros holds as constants, so that its graph serves other members."""
    from auditor.tf import load

    tfm = load()
    for held in (getattr(layer, "sparsity_masks", {}), getattr(layer, "zero_idx", {})):
        for name, value in list(held.items()):
            constant = tfm.tf_keras.initializers.Constant(value.numpy())
            held[name] = layer.add_weight(
                name=f"kept_{name.replace('/', '_')}",
                shape=value.shape,
                dtype=value.dtype,
                trainable=False,
                initializer=constant,
            )


def _clusterable(layer: Any) -> list[FloatArray]:  # noqa: ANN401
    """The weights of this layer that TFMOT clusters; it refuses some kinds and does nothing to others."""
    from auditor.tf import load

    tfm = load()
    # Of an attention TFMOT gives back the wrapped layer itself, not a plain one.
    if isinstance(layer, tfm.tf_keras.Model | tfm.tf_keras.layers.MultiHeadAttention):
        return []
    try:
        tfm.clustering.cluster_weights(
            layer, number_of_clusters=2, cluster_centroids_init=tfm.clustering.CentroidInitialization.LINEAR
        )
        return [np.asarray(weight) for _, weight in layer.get_clusterable_weights()]
    except (ValueError, AttributeError, KeyError):
        return []
