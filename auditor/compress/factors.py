"""Kernels as products of smaller ones. [..., a, b]: where the leading axes are one or none, it is a matrix."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.records import FloatArray

_SWEEPS = 3
"""Of orthogonal iteration: the error falls by less than a thousandth after the second."""

_ROUNDING = 1e-9
"""So that .7 of 10 is 7."""


def ranks_of(
    kernel: FloatArray, *, ratio: float | None, energy: float | None
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The full rank and the one that is asked for, by ratio or energy: one of a matrix, two of a convolution.

    The share that is asked for is kept at least, and rank 1. Energy is that of each side by itself, so that a
    convolution keeps somewhat less of the whole (De Lathauwer et al. 2000).
    """
    spectra = _spectra(kernel)
    full = tuple(len(each) for each in spectra)
    if energy is None:
        return full, tuple(math.ceil(float(ratio or 0) * size - _ROUNDING) or 1 for size in full)
    kept = (np.cumsum(each) / max(each.sum(), np.finfo(float).tiny) for each in spectra)
    return full, tuple(min(len(each), int(np.searchsorted(each, energy)) + 1) for each in kept)


def size_of(shape: Sequence[int], ranks: Sequence[int]) -> int:
    """How many weights the factors of a kernel of this shape have."""
    *space, a, b = shape
    if len(ranks) == 1:
        return ranks[0] * (a + b)
    return a * ranks[0] + math.prod(space) * ranks[0] * ranks[1] + ranks[1] * b


def factors_of(kernel: FloatArray, ranks: Sequence[int]) -> list[FloatArray]:
    """Kernels of layers one after another that do what this one did, as nearly as these ranks can; float32.

    A matrix gives two, [..., a, r] and [..., r, b], by SVD; a convolution three, [1, ..., a, r], [..., r, s] and
    [1, ..., s, b], by Tucker-2 with orthogonal iteration.
    """
    *space, a, b = kernel.shape
    one = (1,) * len(space)
    whole = kernel.astype(np.float64).reshape(-1, a, b)
    if len(ranks) == 1:
        left, values, right = np.linalg.svd(whole[0], full_matrices=False)
        root = np.sqrt(values[: ranks[0]])
        made = [
            (left[:, : ranks[0]] * root).reshape(*one, a, -1),
            (root[:, None] * right[: ranks[0]]).reshape(*one, -1, b),
        ]
    else:
        rows, columns = _directions(_by_rows(whole), ranks[0]), _directions(_by_columns(whole), ranks[1])
        for _ in range(_SWEEPS):
            rows = _directions(_by_rows(whole @ columns), ranks[0])
            columns = _directions(_by_columns(rows.T @ whole), ranks[1])
        core = (rows.T @ whole @ columns).reshape(*space, *ranks)
        made = [rows.reshape(*one, a, -1), core, columns.T.reshape(*one, -1, b)]
    return [each.astype(np.float32) for each in made]


def _spectra(kernel: FloatArray) -> list[FloatArray]:
    """Squared singular values, falling: of a matrix, or of a convolution's unfoldings by input and output channels."""
    *space, a, b = kernel.shape
    whole = kernel.astype(np.float64).reshape(-1, a, b)
    if math.prod(space) == 1:
        return [np.linalg.svd(whole[0], compute_uv=False) ** 2]
    grams = (_by_rows(whole), _by_columns(whole))
    # No rank is above the number of what the other axes hold.
    most = (min(a, len(whole) * b), min(b, len(whole) * a))
    return [np.linalg.eigvalsh(gram)[::-1][:size].clip(0) for gram, size in zip(grams, most, strict=True)]


def _by_rows(whole: FloatArray) -> FloatArray:
    """[a, a]: products of the unfolding by input channels with itself, which is far smaller than the unfolding."""
    return np.einsum("sab,scb->ac", whole, whole, optimize=True)


def _by_columns(whole: FloatArray) -> FloatArray:
    return np.einsum("sab,sac->bc", whole, whole, optimize=True)


def _directions(gram: FloatArray, rank: int) -> FloatArray:
    """The leading singular vectors of an unfolding, [channels, rank]."""
    found: FloatArray = np.linalg.eigh(gram)[1][:, ::-1][:, :rank]
    return found
