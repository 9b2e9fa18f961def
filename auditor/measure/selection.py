"""Selection rates of one model as the law of hiring counts them: evidence, not an answer of law."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from auditor.description import SelectionRow, Selections, SelectionTable
from auditor.measure.disparity import families_of
from auditor.measure.further import NO_MEMBER, NO_POSITIVE
from auditor.records import MISSING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.measure.ground import Ground
    from auditor.measure.setting import Setting
    from auditor.records import GroupKey

FOUR_FIFTHS = (4, 5)
"""Under this ratio lies what is generally regarded as evidence of adverse impact (29 CFR 1607.4(D))."""
TIE = 1e-7
"""Logarithms of likelihoods that differ by less are equal."""
SMALL_SHARE = (2, 100)
"""Categories under this share of the data may be left out of the ratio (6 RCNY 5-301)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Whole numbers of one group."""

    group: GroupKey
    applicants: int
    selected: int
    small: str | None
    """Why there are too few applicants for a ratio; None where there are enough."""

    @property
    def rate(self) -> float | None:
        """Selected over applicants."""
        return self.selected / self.applicants if self.applicants else None

    @property
    def is_known(self) -> bool:
        """Whether the category is recorded."""
        return all(name != MISSING for _, name in self.group)


def selections(setting: Setting, ground: Ground) -> Selections:
    """Make the selection tables of one model, by attribute and intersection; for a population of models say why not.

    Impact ratios are on unrounded rates. Examples that share an id are counted each.
    """
    data, name = setting.dataset, setting.population.name
    if data.positive is None:
        return Selections(variant=name, label=None, tables=(), undefined=NO_POSITIVE)
    label, why = data.classes[data.positive], None
    if not len(setting.firsts):
        why = NO_MEMBER
    elif setting.is_sampled or len(setting.firsts) > 1:
        why = "a population of models has no whole number of selected: the table is made for one given model"
    if why:
        return Selections(variant=name, label=label, tables=(), undefined=why)
    selected = setting.ours.decided[0, :, data.positive]
    applicants = setting.total.sum(axis=1)
    tables = []
    for family, places in families_of(data).items():
        counts = [
            Count(
                group=data.groups.names[g],
                applicants=int(applicants[g]),
                selected=int(selected[g]),
                small=ground.small(data, "selection_rate", 0, g),
            )
            for g in places
        ]
        tables.append(selection_table(family, counts, len(data.labels)))
    return Selections(variant=name, label=label, tables=tuple(tables), undefined=None)


def selection_table(family: str, counts: Sequence[Count], everybody: int) -> SelectionTable:
    """Set each group against the one selected most often; `everybody` is the number of examples of the data."""
    known = [count for count in counts if count.is_known]
    reference = _highest([count for count in known if not count.small])
    part, whole = SMALL_SHARE
    listed = [count.is_known and count.applicants * whole >= part * everybody for count in counts]
    highest = _highest([count for count, is_listed in zip(counts, listed, strict=True) if is_listed])
    return SelectionTable(
        family=family,
        reference=reference.group if reference else None,
        local_law_reference=highest.group if highest else None,
        unknown=sum(count.applicants for count in counts if not count.is_known),
        rows=tuple(
            _row(count, reference, highest if is_listed else None)
            for count, is_listed in zip(counts, listed, strict=True)
        ),
    )


def _highest(counts: Sequence[Count]) -> Count | None:
    """Give the group with the highest rate, of equal ones the first."""
    return max((count for count in counts if count.applicants), key=lambda c: c.rate or 0.0, default=None)


def _row(count: Count, reference: Count | None, highest: Count | None) -> SelectionRow:
    unknown = None if count.is_known else "the category is not recorded"
    why = unknown or count.small or _nobody(reference)
    compared = reference if why is None else None
    z = p = fisher = crosses = None
    if compared is not None and compared is not count:
        z, p = two_proportions(count, compared)
        fisher = fisher_exact(count, compared)
        crosses = one_more_crosses(count, compared)
        why = "everybody is selected in both groups: z is undefined" if z is None else None
    small_share = "the category is under 2% of the data" if highest is None else None
    return SelectionRow(
        group=count.group,
        applicants=count.applicants,
        selected=count.selected,
        rate=count.rate,
        impact_ratio=impact_ratio(count, compared),
        z=z,
        p=p,
        fisher_p=fisher,
        one_more_crosses=crosses,
        local_law_ratio=impact_ratio(count, highest),
        undefined=why,
        local_law_undefined=unknown or small_share or _nobody(highest),
    )


def _nobody(reference: Count | None) -> str | None:
    return "nobody is selected in any group" if reference is None or not reference.selected else None


def impact_ratio(count: Count, reference: Count | None) -> float | None:
    """Divide the rate by that of the reference, both unrounded; None where the reference has no rate or one of 0."""
    if reference is None or not reference.rate or count.rate is None:
        return None
    return count.rate / reference.rate


def two_proportions(count: Count, reference: Count) -> tuple[float, float] | tuple[None, None]:
    """Compute the pooled two-proportion z and its two-sided p; None where all are selected, or none."""
    applicants = count.applicants + reference.applicants
    share = (count.selected + reference.selected) / applicants
    if share in {0.0, 1.0}:
        return None, None
    error = np.sqrt(share * (1 - share) * (1 / count.applicants + 1 / reference.applicants))
    z = float((count.selected / count.applicants - reference.selected / reference.applicants) / error)
    return z, float(2 * special.ndtr(-abs(z)))


def fisher_exact(count: Count, reference: Count) -> float:
    """Compute the two-sided p of Fisher's exact test on selected and not selected, of the group and the reference.

    As scipy.stats.fisher_exact: all tables no likelier than this one; by logarithms, many times as fast.
    """
    n, m, selected = count.applicants, reference.applicants, count.selected + reference.selected
    least = max(0, selected - m)
    own = np.arange(least, min(selected, n) + 1)
    likely = -sum(special.gammaln(x + 1) for x in (own, n - own, selected - own, m - selected + own))
    likely -= likely.max()
    # tables as likely as this one may come out a rounding error likelier
    extreme = likely <= likely[count.selected - least] + TIE
    return float(min(np.exp(likely[extreme]).sum() / np.exp(likely).sum(), 1.0))


def one_more_crosses(count: Count, reference: Count) -> bool | None:
    """Tell whether one selection moved puts the impact ratio on the other side of four fifths (29 CFR 1607.4(D)).

    Under it, one more of the group is selected and one fewer of the reference; else one fewer and one more. None where
    there is none to move. In whole numbers, so that no rounding decides.
    """
    part, whole = FOUR_FIFTHS

    def is_under(own: int, other: int) -> bool:
        return whole * own * reference.applicants < part * other * count.applicants

    under = is_under(count.selected, reference.selected)
    step = 1 if under else -1
    own, other = count.selected + step, reference.selected - step
    if not (0 <= own <= count.applicants and 0 <= other <= reference.applicants):
        return None
    return is_under(own, other) != under
