"""What is measured on every member's file, compressed or not."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from auditor.models.artifact import Artifact

GZIP_LEVEL = 6
"""The default of the gzip command, so that a reader finds the same size; Python's 9 takes five times as long."""


def measure_file(content: bytes, model: Artifact) -> dict[str, Any]:
    """Sizes in bytes, raw and gzipped; parameters, nonzero ones; sparsity of the kernels, overall and by layer.

    Kernels are weights of two dimensions or more; biases and normalisation count as parameters alone.
    """
    weights = list(model.weights())
    kernels = [weight for weight in weights if len(weight[1]) > 1 and weight[2]]
    size, nonzero = sum(each[2] for each in kernels), sum(each[3] for each in kernels)
    return {
        "bytes": len(content),
        "bytes_gzipped": len(gzip.compress(content, GZIP_LEVEL, mtime=0)),
        "parameters": sum(each[2] for each in weights),
        "nonzero_parameters": sum(each[3] for each in weights),
        "sparsity": 1 - nonzero / size if size else 0.0,
        "sparsity_by_layer": [
            {"layer": name, "weights": count, "sparsity": 1 - left / count} for name, _, count, left in kernels
        ],
    }
