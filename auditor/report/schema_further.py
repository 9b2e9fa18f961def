"""The rows of result.json that hold description and selection tables."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from auditor.report.row import Count, Group, Label, Row

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


class DescriptionRow(Row):
    """A further measure of a variant: shown, never judged."""

    variant: str
    measure: Measure
    class_: Label | None = Field(alias="class")
    group: Group
    family: str = Field(description='for a disparity the attribute or intersection, such as "sex x race"; else empty')
    n: Count
    before: float | None = Field(description="the baseline's: errors, accuracy, or the measure itself")
    after: float | None = Field(description="the variant's")
    value: float | None
    undefined: str | None
    remark: str = Field(description="which groups or classes are left out")


class SelectionGroupRow(Row):
    """One group of a selection table, in whole numbers of one model's decisions."""

    group: Group
    applicants: Count
    selected: Count
    rate: float | None
    impact_ratio: float | None = Field(description="29 CFR 1607.4(D), on unrounded rates")
    z: float | None
    p: float | None
    fisher_p: float | None
    one_more_crosses: bool | None
    local_law_ratio: float | None = Field(description="6 RCNY 5-301")
    undefined: str | None
    local_law_undefined: str | None


class SelectionTableRow(Row):
    """Selection rates of one attribute or intersection."""

    family: str
    reference: Group | None
    local_law_reference: Group | None
    unknown: Count
    rows: tuple[SelectionGroupRow, ...]


class SelectionsRow(Row):
    """The selection tables of one model, or why there are none."""

    variant: str
    class_: Label | None = Field(alias="class")
    tables: tuple[SelectionTableRow, ...]
    undefined: str | None
