"""Which attributes go with being an exemplar, all others held fixed, by logistic regression (statistics: section 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg, special

from auditor.measure.logistic import fit_logistic
from auditor.measure.places import count_units
from auditor.records import EACH, OddsRatio, group_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from auditor.measure.setting import Setting
    from auditor.records import BoolArray, FloatArray, GroupKey, Groups, IntArray

PER_COEFFICIENT = 5
"""Exemplars, and others, that each coefficient needs (Vittinghoff and McCulloch 2007)."""
NO_LIMIT = 20.0
"""A standard error of a logarithm of odds that is reached only where the odds have no limit."""
SEPARATED = "what the regression knows tells exemplars from others (separation): the odds have no limit"
UNSETTLED = "the regression did not converge"
FEW_CLUSTERS = "too few clusters"
COLLINEAR = "cannot be told apart from other attributes (collinear)"

Columns = dict["GroupKey", "BoolArray"]
"""Which rows are in each group of one attribute, [T]; reference groups among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """Examples that the regression does not tell apart are one row; every example is one where there are clusters."""

    chosen: BoolArray
    """[T]: whether they are exemplars."""
    n: IntArray
    """[T]: how many examples a row stands for."""
    cell_of: IntArray
    """[T]."""
    margin: FloatArray | None
    """[T]: in standard deviations over examples; None where it is not held fixed."""
    cluster: IntArray | None
    """[T]."""

    def among(self, kept: BoolArray) -> _Rows:
        """Keep some rows, [T]."""
        return _Rows(
            chosen=self.chosen[kept],
            n=self.n[kept],
            cell_of=self.cell_of[kept],
            margin=None if self.margin is None else self.margin[kept],
            cluster=None if self.cluster is None else self.cluster[kept],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fit:
    """Every group is in one of both."""

    found: Mapping[GroupKey, tuple[float, float]]
    """Logarithm of the odds ratio and its standard error."""
    lacking: Mapping[GroupKey, str]
    """Why there is none."""


def margins(setting: Setting) -> FloatArray | str:
    """Give the baseline's margin on each example, [N]: largest minus second largest mean probability, or vote share.

    Or say why there is none: where the largest probability does not decide, as with a threshold, a small margin is no
    hard example.
    """
    shares, likely = setting.votes_baseline, setting.probabilities_baseline
    if likely is not None:
        if not all(map(_is_largest, setting.decisions_baseline, likely)):
            return "the baseline does not decide by its largest probability, so its margin is not how sure it was"
        shares = likely.mean(axis=0)
    if shares.shape[1] < 2:
        return np.ones(len(shares))
    top = np.partition(shares, shares.shape[1] - 2, axis=1)[:, -2:].astype(np.float64)
    return top[:, 1] - top[:, 0]


def _is_largest(decided: IntArray, likely: FloatArray) -> bool:
    """Tell whether one member decides for a class of the largest probability, [N, C], on every example."""
    own = np.take_along_axis(likely, decided[:, None].astype(np.intp), axis=1)[:, 0]
    return bool((own >= likely.max(axis=1)).all())


def odds_ratios(setting: Setting, chosen: BoolArray) -> tuple[OddsRatio, ...]:
    """Give the odds of being an exemplar, `chosen` [N], in every group against its attribute's reference group.

    Without and with the baseline's margin, since groups that the baseline finds hard hold exemplars without any bias of
    compression. Wald limits, one-sided at the audit's confidence each; with clusters from cluster-robust covariance.
    """
    groups = setting.dataset.groups
    single: dict[GroupKey, int] = {name: g for g, name in enumerate(groups.names) if len(name) == 1}
    units = count_units(setting.dataset, setting.total)
    sizes = {name: int(units.total[g]) for name, g in single.items()}
    reference = {name: _reference(groups, g, sizes) for name, g in single.items()}
    others = [name for name in single if name != reference[name]]
    small = {name: why for name in others if (why := units.too_few(sizes[name], setting.min_group))}
    made: list[OddsRatio] = []
    for given_margin, margin in ((False, None), (True, _standardised(margins(setting)))):
        if isinstance(margin, str):
            fit = _Fit(found={}, lacking=dict.fromkeys(others, margin))
        else:
            rows = _rows(setting, chosen, margin)
            members = {name: groups.membership[g][rows.cell_of] for name, g in single.items()}
            fit = _fit(rows, members, reference, small)
        made += [_odds_ratio(setting, name, reference[name], fit, given_margin=given_margin) for name in others]
    return tuple(made)


def _standardised(margin: FloatArray | str) -> FloatArray | str:
    """Express a margin, [N], in standard deviations over examples; or say why there is none to hold fixed."""
    if isinstance(margin, str):
        return margin
    if not len(margin) or np.ptp(margin) < 1e-12:
        return "the baseline's margin is the same on all examples"
    standardised: FloatArray = (margin - margin.mean()) / margin.std()
    return standardised


def _rows(setting: Setting, chosen: BoolArray, margin: FloatArray | None) -> _Rows:
    data = setting.dataset
    cell_of, n, first = data.groups.cell_of, np.ones(len(chosen), np.int64), np.arange(len(chosen))
    if data.cluster is None:
        known, place = (np.zeros(1), 0) if margin is None else np.unique(margin, return_inverse=True)
        kind = (cell_of.astype(np.int64) * len(known) + place) * 2 + chosen
        _, first, n = np.unique(kind, return_index=True, return_counts=True)
    return _Rows(
        chosen=chosen[first],
        n=n,
        cell_of=cell_of[first],
        margin=None if margin is None else margin[first],
        cluster=None if data.cluster is None else data.cluster,
    )


def _reference(groups: Groups, g: int, sizes: Mapping[GroupKey, int]) -> GroupKey:
    """Give the reference of a group's attribute: its largest group where each group is compared with each other."""
    if groups.reference[g] != EACH:
        return groups.names[groups.reference[g]]
    attribute = groups.names[g][0][0]
    return max((name for name in sizes if name[0][0] == attribute), key=lambda name: sizes[name])


def _odds_ratio(setting: Setting, name: GroupKey, reference: GroupKey, fit: _Fit, *, given_margin: bool) -> OddsRatio:
    value = low = high = p = None
    if name in fit.found:
        coefficient, error = fit.found[name]
        half = float(special.ndtri(setting.confidence)) * error
        value, low, high = (float(np.exp(coefficient + shift)) for shift in (0.0, -half, half))
        p = float(2 * special.ndtr(-abs(coefficient) / error))
    return OddsRatio(
        group=name,
        reference=group_name(reference),
        given_margin=given_margin,
        value=value,
        low=low,
        high=high,
        p=p,
        undefined=fit.lacking.get(name),
    )


def _fit(
    rows: _Rows,
    members: Columns,
    reference: Mapping[GroupKey, GroupKey],
    small: Mapping[GroupKey, str],
) -> _Fit:
    """Fit what can be fitted; groups that are too `small` are in it, but are not shown."""
    others = [name for name in members if name != reference[name]]
    if reason := _unfit(rows, len(others)):
        return _Fit(found={}, lacking=dict.fromkeys(others, reason))
    kept, lacking = _leave_out(rows.chosen, members, reference)
    lacking |= small
    fitted = [name for name in others if members[name][kept].any()]
    if not fitted:
        return _Fit(found={}, lacking=lacking)
    rows = rows.among(kept)
    if reason := _unfit(rows, len(fitted)):
        return _Fit(found={}, lacking=dict.fromkeys(fitted, reason) | lacking)
    design = _design([members[name][kept] for name in fitted], rows.margin)
    alone, columns = _identified(design, rows.n)
    lacking = {name: COLLINEAR for name, one in zip(fitted, alone[1:], strict=False) if not one} | lacking
    of_column = dict(zip(columns.tolist(), _maximise(rows, design[:, columns]), strict=True))
    found: dict[GroupKey, tuple[float, float]] = {}
    for i, name in enumerate(fitted, start=1):
        if name not in lacking:
            coefficient, error, why = of_column[i]
            if why:
                lacking[name] = why
            else:
                found[name] = coefficient, error
    return _Fit(found=found, lacking=lacking)


def _unfit(rows: _Rows, groups: int) -> str | None:
    """Say why nothing can be fitted. Clusters, where there are any, count for what they hold."""
    coefficients = groups + (rows.margin is not None)
    sizes = [
        int(rows.n[side].sum()) if rows.cluster is None else len(np.unique(rows.cluster[side]))
        for side in (rows.chosen, ~rows.chosen)
    ]
    fewest, who = min(zip(sizes, ("exemplars", "others"), strict=True))
    if fewest >= PER_COEFFICIENT * coefficients:
        return None
    unit = "" if rows.cluster is None else "clusters with "
    return f"{fewest} {unit}{who} for {coefficients} odds ratios; {PER_COEFFICIENT * coefficients} are needed"


def _leave_out(
    chosen: BoolArray, members: Columns, reference: Mapping[GroupKey, GroupKey]
) -> tuple[BoolArray, dict[GroupKey, str]]:
    """Leave out the examples of groups that hold no exemplars or nothing else, until none is left.

    Such a group's odds have no limit; the others' are those that its examples do not bear on.
    """
    kept = np.ones(len(chosen), bool)
    lacking: dict[GroupKey, str] = {}
    while True:
        separated = [name for name, own in members.items() if len(np.unique(chosen[own & kept])) == 1]
        if not separated:
            break
        for name in separated:
            what = "only" if chosen[members[name] & kept].any() else "no"
            lacking[name] = f"{group_name(name)} holds {what} exemplars (separation): the odds have no limit"
        kept &= ~np.any([members[name] for name in separated], axis=0)
    for name, base in reference.items():
        if name != base and name not in lacking:
            if base in lacking:
                lacking[name] = f"the reference group {lacking[base]}"
            elif not (members[name] & kept).any():
                lacking[name] = "holds no examples but those of groups without a limit to their odds"
    return kept, {name: why for name, why in lacking.items() if name != reference[name]}


def _design(columns: list[BoolArray], margin: FloatArray | None) -> FloatArray:
    """Put the intercept, the groups and the margin beside each other."""
    n = len(columns[0]) if columns else 0
    parts: list[FloatArray] = [np.ones(n), *(column.astype(np.float64) for column in columns)]
    if margin is not None:
        parts.append(margin)
    return np.stack(parts, axis=1)


def _identified(design: FloatArray, n: IntArray) -> tuple[BoolArray, IntArray]:
    """Tell which columns the others cannot make up, and choose columns that span them all."""
    design = design * np.sqrt(n)[:, None]
    norms = np.sqrt((design**2).sum(axis=0))
    gram = design.T @ design / np.outer(norms, norms)
    values, vectors = np.linalg.eigh(gram)
    null = np.abs(vectors[:, values < 1e-10])
    rank = len(values) - null.shape[1]
    _, order = linalg.qr(gram, mode="r", pivoting=True)
    return ~(null > 1e-6).any(axis=1), np.sort(order[:rank])


def _maximise(rows: _Rows, design: FloatArray) -> Iterator[tuple[float, float, str]]:
    """Fit: of each column the coefficient, its standard error, and why there is none; empty where there is."""
    fit = fit_logistic(rows.chosen, design, rows.n, rows.cluster)
    lacks = [~(fit.errors < NO_LIMIT), ~fit.settled, ~((fit.robust > 0) & (fit.robust < NO_LIMIT))]
    why = np.select(lacks, [SEPARATED, UNSETTLED, FEW_CLUSTERS], "")
    yield from zip(fit.coefficients.tolist(), fit.robust.tolist(), why.tolist(), strict=True)
