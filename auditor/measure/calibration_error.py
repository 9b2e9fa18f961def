"""How far probabilities can be believed, by group: only where they are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from auditor.measure.counts import sum_over_groups

if TYPE_CHECKING:
    from auditor.records import Dataset, FloatArray, IntArray, Predictions

BINS = 15
"""Of equal width, as in Guo et al. 2017."""
SURE = 0.9
"""A prediction is uncertain where the class that was decided has less probability."""
CELLS_AT_ONCE = 4_000_000
"""Numbers held by cell at one time: bounds the memory of many members and cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberCalibration:
    """Calibration of each member in each group."""

    members: tuple[int, ...]
    """[K]: their numbers."""
    error: FloatArray | None
    """[K, G]: expected calibration error; NaN in an empty group; None where it cannot be had."""
    uncertain: FloatArray | None
    """[K, G]: share of uncertain predictions."""
    undefined: str | None
    """Why there is none."""


def calibrate(dataset: Dataset, predictions: Predictions) -> MemberCalibration:
    """Compute expected calibration error and the share of uncertain predictions, member by member.

    Error: over 15 equal-width bins (low, high] of the probability of the decided class, the mean over examples of the
    bin's |accuracy - mean probability| (Guo et al. 2017, arXiv 1706.04599). It is biased upwards in small groups.
    Uncertain: .1 < p < .9 of the positive class of a binary task; else that of the decided class is under .9. The
    decided class need not have the largest probability: several outputs may be of one class.
    """
    probabilities, members = predictions.probabilities, predictions.members
    if probabilities is None:
        return _unknown(members, "no probabilities are kept, only decisions")
    broken = sum(not np.isfinite(own).all() for own in probabilities)
    if broken:
        return _unknown(members, f"probabilities of {broken} of {len(members)} members are no finite numbers")
    groups = dataset.groups
    cells = groups.membership.shape[1]
    n = (groups.membership @ np.bincount(groups.cell_of, minlength=cells)).astype(np.float64)
    error = np.full((len(probabilities), len(n)), np.nan)
    uncertain = error.copy()
    step = max(1, CELLS_AT_ONCE // (cells * (BINS + 1)))
    for start in range(0, len(probabilities), step):
        part = slice(start, start + step)
        pairs = zip(predictions.decisions[part], probabilities[part], strict=True)
        by_cell = np.stack([_by_cell(dataset, *pair) for pair in pairs], axis=1)
        # mostly decided classes have the largest probability, and the lowest bins would be summed for nothing
        used = np.append(by_cell[:, :, :BINS].any(axis=(0, 1)), [True])
        columns = by_cell[:, :, used].reshape(cells, -1)
        sums = sum_over_groups(groups.membership, columns).reshape(len(n), -1, used.sum())
        np.divide(np.abs(sums[:, :, :-1]).sum(axis=2).T, n, out=error[part], where=n > 0)
        np.divide(sums[:, :, -1].T, n, out=uncertain[part], where=n > 0)
    return MemberCalibration(members=members, error=error, uncertain=uncertain, undefined=None)


def _unknown(members: tuple[int, ...], why: str) -> MemberCalibration:
    return MemberCalibration(members=members, error=None, uncertain=None, undefined=why)


def _by_cell(dataset: Dataset, decided: IntArray, probabilities: FloatArray) -> FloatArray:
    """Sum, by cell, right minus probability in each bin, and the uncertain: [cell, bins + 1]."""
    cell_of, cells = dataset.groups.cell_of, dataset.groups.membership.shape[1]
    sure = np.take_along_axis(probabilities, decided[:, None].astype(np.intp), axis=1)[:, 0].astype(np.float64)
    edges = np.arange(1, BINS) / BINS
    bins = np.searchsorted(edges, sure, side="left")
    slots = cell_of * BINS + bins
    gaps = np.bincount(slots, weights=(decided == dataset.labels) - sure, minlength=cells * BINS)
    doubt = np.bincount(cell_of, weights=_is_uncertain(dataset.positive, probabilities, sure), minlength=cells)
    return np.hstack([gaps.reshape(cells, BINS), doubt[:, None]])


def _is_uncertain(positive: int | None, probabilities: FloatArray, sure: FloatArray) -> FloatArray:
    """Tell where a prediction is uncertain, [N]; `sure` [N] are the probabilities of what was decided."""
    if positive is None:
        return (sure < SURE).astype(np.float64)
    p = probabilities[:, positive]
    return ((p > 1 - SURE) & (p < SURE)).astype(np.float64)
