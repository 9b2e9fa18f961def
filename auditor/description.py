"""What is shown and never judged: records of the further measures (statistics: section 8, "Further measures")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from auditor.records import GroupKey, Label

Measure = Literal[
    "normalised_difference_error",
    "normalised_difference_fpr",
    "normalised_difference_fnr",
    "excess_accuracy_gap",
    "demographic_parity_difference",
    "demographic_parity_ratio",
    "equalized_odds_difference",
    "equalized_odds_ratio",
    "equal_opportunity_difference",
    "equal_opportunity_ratio",
    "expected_calibration_error",
    "uncertain_share",
    "bias_amplification",
    "cev",
    "sde",
    "recall_distortion",
    "ambiguity",
    "discrepancy",
]
MEASURES: tuple[Measure, ...] = get_args(Measure)


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """One number about a variant that is description: it has no bounds, and no gate is about it."""

    variant: str
    measure: Measure
    label: Label | None = None
    """The class that the number is about; None where it is about none or all."""
    group: GroupKey = ()
    """Whom the number is about; () is everybody."""
    family: str = ""
    """For a disparity the attribute or intersection whose groups are compared, such as "sex x race"; else empty."""
    n: int
    """Test examples that the number is over: those of the denominator."""
    before: float | None = None
    """The baseline's, mean over members. For a normalised difference the number of errors; for an excess accuracy gap
    the accuracy; for what is about the pair alone (cev, sde, recall_distortion) None."""
    after: float | None = None
    """The variant's."""
    value: float | None = None
    """What the measure says: of a normalised difference percent of the baseline's rate, else mostly after - before."""
    undefined: str | None = None
    """Why `value` is None."""
    remark: str = ""
    """Which groups or classes are left out, and why; empty where all are in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionRow:
    """One group of a selection table: whole numbers of one model's decisions, against the group selected most often."""

    group: GroupKey
    applicants: int
    """Test examples of the group."""
    selected: int
    """Those decided as the positive class."""
    rate: float | None
    """Selected over applicants, not rounded."""
    impact_ratio: float | None
    """Rate over that of the reference, not rounded (29 CFR 1607.4(D))."""
    z: float | None
    """Pooled two-proportion z against the reference; negative where the group is selected less often."""
    p: float | None
    """Two-sided, of z."""
    fisher_p: float | None
    """Two-sided, of Fisher's exact test against the reference."""
    one_more_crosses: bool | None
    """Whether one selection moved between the group and the reference puts the ratio on the other side of 0.8; None for
    the reference, and where there is none to move."""
    local_law_ratio: float | None
    """Rate over the highest among categories of at least 2% of the data (6 RCNY 5-301)."""
    undefined: str | None
    """Why the impact ratio or a test is None. The reference is not tested against itself."""
    local_law_undefined: str | None
    """Why the ratio of the local law is None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionTable:
    """Selection rates of one attribute or intersection."""

    family: str
    """Such as "sex x race"."""
    reference: GroupKey | None
    """The group selected most often among those of enough examples; None where there is none."""
    local_law_reference: GroupKey | None
    """The same among categories of at least 2% of the data."""
    unknown: int
    """Test examples whose category is not recorded: in no ratio."""
    rows: tuple[SelectionRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selections:
    """The selection tables of one model: evidence, not an answer of law."""

    variant: str
    label: Label | None
    """The class that is a selection; None where none is declared."""
    tables: tuple[SelectionTable, ...]
    undefined: str | None
    """Why there are no tables."""
