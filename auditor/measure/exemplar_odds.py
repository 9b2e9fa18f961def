"""Which attributes go with being an exemplar, all others held fixed, by logistic regression (statistics: section 4)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg, special

from auditor.records import EACH, OddsRatio, group_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.measure.setting import Setting
    from auditor.records import BoolArray, FloatArray, GroupKey, Groups, IntArray

PER_COEFFICIENT = 5
"""Exemplars, and others, that each coefficient needs (Vittinghoff and McCulloch 2007)."""
NO_LIMIT = 20.0
"""A standard error of a logarithm of odds that is reached only where the odds have no limit."""
SEPARATED = "what the regression knows tells exemplars from others (separation): the odds have no limit"
COLLINEAR = "cannot be told apart from other attributes (collinear)"

Columns = dict["GroupKey", "BoolArray"]
"""Who is in each group of one attribute, [N]; reference groups among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fit:
    """Every group is in one of both."""

    found: Mapping[GroupKey, tuple[float, float]]
    """Logarithm of the odds ratio and its standard error."""
    lacking: Mapping[GroupKey, str]
    """Why there is none."""


def margins(setting: Setting) -> FloatArray:
    """Give the baseline's margin on each example, [N]: largest minus second largest mean probability, or vote share."""
    shares = setting.votes_baseline if setting.probabilities_baseline is None else setting.probabilities_baseline
    if shares.shape[1] < 2:
        return np.ones(len(shares))
    top = np.partition(shares, shares.shape[1] - 2, axis=1)[:, -2:].astype(np.float64)
    return top[:, 1] - top[:, 0]


def odds_ratios(setting: Setting, chosen: BoolArray) -> tuple[OddsRatio, ...]:
    """Give the odds of being an exemplar, `chosen` [N], in every group against its attribute's reference group.

    Without and with the baseline's margin, since groups that the baseline finds hard hold exemplars without any bias of
    compression. Wald limits, one-sided at the audit's confidence each; with clusters from cluster-robust covariance.
    """
    groups = setting.dataset.groups
    single: dict[GroupKey, int] = {name: g for g, name in enumerate(groups.names) if len(name) == 1}
    members = {name: groups.membership[g][groups.cell_of] for name, g in single.items()}
    reference = {name: _reference(groups, g, members) for name, g in single.items()}
    margin = margins(setting)
    made: list[OddsRatio] = []
    for given in (None, margin):
        fit = _fit(setting, chosen, members, reference, given)
        made += [
            _odds_ratio(setting, name, reference[name], fit, given_margin=given is not None)
            for name in single
            if name != reference[name]
        ]
    return tuple(made)


def _reference(groups: Groups, g: int, members: Columns) -> GroupKey:
    """Give the reference of a group's attribute: its largest group where each group is compared with each other."""
    if groups.reference[g] != EACH:
        return groups.names[groups.reference[g]]
    attribute = groups.names[g][0][0]
    return max((name for name in members if name[0][0] == attribute), key=lambda name: np.count_nonzero(members[name]))


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
    setting: Setting,
    chosen: BoolArray,
    members: Columns,
    reference: Mapping[GroupKey, GroupKey],
    margin: FloatArray | None,
) -> _Fit:
    """Fit what can be fitted."""
    others, cluster = [name for name in members if name != reference[name]], setting.dataset.cluster
    reason = _unfit(chosen, cluster, len(others), margin)
    if reason:
        return _Fit(found={}, lacking=dict.fromkeys(others, reason))
    kept, lacking = _leave_out(chosen, members, reference)
    sizes = {name: int(members[name].sum()) for name in others}
    lacking |= {
        name: f"{n} examples, of the {setting.min_group} that are needed"
        for name, n in sizes.items()
        if n < setting.min_group
    }
    fitted = [name for name in others if members[name][kept].any()]
    if not fitted:
        return _Fit(found={}, lacking=lacking)
    design = _design([members[name] for name in fitted], margin)[kept]
    alone, columns = _identified(design)
    lacking = {name: COLLINEAR for name, one in zip(fitted, alone[1:], strict=False) if not one} | lacking
    ends = _maximise(chosen[kept], design[:, columns], None if cluster is None else cluster[kept])
    of_column = dict(zip(columns.tolist(), zip(*ends, strict=True), strict=True))
    found = {name: of_column[i] for i, name in enumerate(fitted, start=1) if name not in lacking}
    lacking |= {name: SEPARATED for name, (_, error) in found.items() if not 0 < error < NO_LIMIT}
    return _Fit(found={name: end for name, end in found.items() if name not in lacking}, lacking=lacking)


def _unfit(chosen: BoolArray, cluster: IntArray | None, groups: int, margin: FloatArray | None) -> str | None:
    """Say why nothing can be fitted. Clusters, where there are any, count for what they hold."""
    if margin is not None and (not len(margin) or np.ptp(margin) < 1e-12):
        return "the baseline's margin is the same on all examples"
    coefficients = groups + (margin is not None)
    sides = [np.arange(len(chosen))[side] if cluster is None else cluster[side] for side in (chosen, ~chosen)]
    fewest, who = min((len(np.unique(side)), who) for side, who in zip(sides, ("exemplars", "others"), strict=True))
    if fewest >= PER_COEFFICIENT * coefficients:
        return None
    unit = "" if cluster is None else "clusters with "
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
    """Put the intercept, the groups and the margin beside each other; the margin in standard deviations."""
    n = len(columns[0]) if columns else 0
    parts = [np.ones(n), *(column.astype(np.float64) for column in columns)]
    if margin is not None:
        parts.append((margin - margin.mean()) / margin.std())
    return np.stack(parts, axis=1)


def _identified(design: FloatArray) -> tuple[BoolArray, IntArray]:
    """Tell which columns the others cannot make up, and choose columns that span them all."""
    norms = np.sqrt((design**2).sum(axis=0))
    gram = design.T @ design / np.outer(norms, norms)
    values, vectors = np.linalg.eigh(gram)
    null = np.abs(vectors[:, values < 1e-10])
    rank = len(values) - null.shape[1]
    _, order = linalg.qr(gram, mode="r", pivoting=True)
    return ~(null > 1e-6).any(axis=1), np.sort(order[:rank])


def _maximise(chosen: BoolArray, design: FloatArray, cluster: IntArray | None) -> tuple[list[float], list[float]]:
    """Fit by statsmodels: coefficients and standard errors; an error is infinite where a coefficient has no limit.

    Where several columns together separate exemplars from others, the coefficients that have no limit grow with every
    step and the others settle: so steps are limited, and the size of the errors tells which is which.
    """
    from statsmodels.discrete.discrete_model import Logit  # noqa: PLC0415 - slow to import, and only needed here

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        model = Logit(chosen.astype(np.float64), design, check_rank=False)
        start = np.zeros(design.shape[1])
        if (design[:, 0] == 1).all():
            start[0] = np.log(chosen.mean() / (1 - chosen.mean()))  # saves about half of the steps
        try:
            fit = model.fit(start_params=start, method="newton", maxiter=50, disp=0)
            errors = np.nan_to_num(np.asarray(fit.bse), nan=np.inf)
            if cluster is not None:
                options = {"cov_type": "cluster", "cov_kwds": {"groups": cluster}, "disp": 0}
                robust = np.asarray(model.fit(method="newton", start_params=fit.params, maxiter=1, **options).bse)
                errors = np.where(errors < NO_LIMIT, np.nan_to_num(robust, nan=np.inf), np.inf)
        except np.linalg.LinAlgError:
            return [0.0] * design.shape[1], [np.inf] * design.shape[1]
    if not fit.mle_retvals["converged"] and (errors < NO_LIMIT).all():
        errors = np.full(len(errors), np.inf)
    return np.asarray(fit.params).tolist(), errors.tolist()
