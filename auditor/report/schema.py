"""The types of result.json, schema 1: its own, apart from the records, so that neither changes the other unseen."""

from __future__ import annotations

import io
from base64 import b64decode
from typing import Annotated, Any, Literal

from PIL import Image
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, NonNegativeInt

from auditor.data.thumbnails import LONGEST
from auditor.report.row import Group, Label, Row
from auditor.report.schema_further import DescriptionRow, SelectionsRow

SCHEMA = 1

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Verdict = Literal["PASS", "FAIL", "INCONCLUSIVE", "UNDEFINED"]
Claim = Literal["recipe", "artifact"]
Compare = Literal[
    "value", "change", "ratio", "ratio_change", "disparity", "disparity_change", "to_overall", "to_overall_change"
]
Severity = Literal["error", "warning"]
Pair = tuple[float, float]


class DeclaredStatistics(BaseModel):
    """What every reader of the definition needs of `[statistics]`."""

    model_config = ConfigDict(extra="allow", strict=True, allow_inf_nan=False)

    confidence: float = Field(ge=0.5, lt=1)
    min_group: int
    discovery: str


class DeclaredAudit(BaseModel):
    """What every reader of the definition needs of `[audit]`."""

    model_config = ConfigDict(extra="allow", strict=True)

    name: str
    title: str | None = None
    intended_use: str | None = None
    out_of_scope: str | None = None
    owner: str | None = None
    reviewers: list[str] = []
    risk_notes: str | None = None


class Declared(BaseModel):
    """The tables of a resolved audit.toml that reports read."""

    model_config = ConfigDict(extra="allow", strict=True)

    audit: DeclaredAudit
    statistics: DeclaredStatistics


def _readable(definition: dict[str, Any]) -> dict[str, Any]:
    Declared.model_validate(definition)
    return definition


def _small_jpeg(text: str) -> str:
    """Refuse what is no JPEG, and what would take more memory, drawn, than its file says."""
    try:
        with Image.open(io.BytesIO(b64decode(text, validate=True)), formats=["JPEG"]) as picture:
            size = picture.size
    except (ValueError, OSError, Image.DecompressionBombError):
        raise ValueError("no JPEG file in base64") from None
    if max(size) > LONGEST:
        raise ValueError(f"a picture of {size[0]} x {size[1]} pixels: at most {LONGEST} x {LONGEST} are a thumbnail")
    return text


class AuditRow(Row):
    """Which definition was audited."""

    file: str
    digest: Digest = Field(description="SHA-256 of the definition's canonical JSON")
    definition: Annotated[dict[str, JsonValue], AfterValidator(_readable)] = Field(description="audit.toml as resolved")


class SplitRow(Row):
    """Sizes of one split."""

    split: str
    examples: NonNegativeInt
    by_class: tuple[NonNegativeInt, ...]
    left_out: tuple[NonNegativeInt, ...] | None = Field(
        None, description="by class, the examples that data.sample left out; null: the split is whole"
    )


class GroupRow(Row):
    """Test examples of one group."""

    group: Group
    by_class: tuple[NonNegativeInt, ...]


class DataRow(Row):
    """The data, as far as a report tells of it."""

    source: str
    digest: str
    classes: tuple[Label, ...]
    positive: Label | None
    splits: tuple[SplitRow, ...]
    groups: tuple[GroupRow, ...]
    reference: dict[str, str]
    clusters: NonNegativeInt | None
    warnings: tuple[str, ...]


class SandboxRow(Row):
    """What was withheld from the processes that opened models."""

    level: Literal["full", "partial", "none"] = Field(description="both of the next two, one of them, or none")
    writes: bool = Field(description="nothing could be written outside the store and its temporary folder")
    network: bool = Field(description="no socket of any kind could be had")
    memory: NonNegativeInt | None = Field(description="bytes that a process could take")
    why: str = Field(description="why it is less than full")


class VariantRow(Row):
    """One variant: what was asked for and what came of it."""

    name: str
    method: str
    claim: Claim
    paired: bool
    fixed_baseline: bool
    asked: NonNegativeInt
    finished: NonNegativeInt
    compared: NonNegativeInt
    failed: NonNegativeInt
    collapsed: NonNegativeInt
    asked_for: dict[str, JsonValue]
    measured: dict[str, JsonValue]


class FailureRow(Row):
    """A member that could not be made or scored."""

    variant: str
    member: NonNegativeInt
    reason: str


class TargetRow(Row):
    """Whom one comparison of a gate is about."""

    class_: Label | None = Field(alias="class")
    group: Group
    against: Group | None


class GateRow(Row):
    """A declared limit, with everything filled in."""

    name: str
    line: int | None
    metric: str
    targets: tuple[TargetRow, ...]
    compare: Compare
    variants: tuple[str, ...]
    min: float | None
    max: float | None
    decide_on: Literal["interval", "point"]
    severity: Severity
    why: str
    limits_changed: bool


class TermRow(Row):
    """One source of variance in a bound."""

    source: Literal["examples", "members", "baseline members"]
    variance: float
    df: float
    covariance: float
    variance_below: float


class BoundRow(Row):
    """One end of an interval: the L at which center - L below is sqrt(sum of t(df)^2 variance at L) away from 0.

    The variance at L is variance - 2 L covariance + L^2 variance_below; for a plain number `below` is 1, and the end is
    center -/+ that root.
    """

    center: float
    below: float
    terms: tuple[TermRow, ...]


class Components(Row):
    """What judging again at another limit or level needs."""

    lower: BoundRow | None
    upper: BoundRow | None


class EstimateRow(Row):
    """A number: rate x gap x contrast, for one variant, class and group."""

    id: str
    variant: str
    metric: str
    class_: Label | None = Field(alias="class")
    group: Group
    against: Group | None = Field(description="the group that a gap is to")
    compare: Compare
    value: float | None
    low: float | None
    high: float | None
    n: NonNegativeInt
    members: NonNegativeInt
    claim: Claim
    undefined: str | None
    method: str
    spread: float | None = Field(description="standard deviation between members on the probit scale")
    components: Components


class DealsRow(Row):
    """How members were dealt to tell what is chance."""

    kind: Literal["deals", "swaps within pairs"]
    count: NonNegativeInt
    enumerated: bool
    smallest_p: float


class ClassTestRow(Row):
    """Whether a class's or group's recall moved apart from overall accuracy."""

    variant: str
    class_: Label = Field(alias="class")
    group: Group
    paired: bool
    published: bool
    shift: float | None
    p: float | None
    p_holm: float | None
    p_bh: float | None
    p_max_t: float | None
    undefined: str | None


class ClassTestFamilyRow(Row):
    """The class tests that are corrected together."""

    variant: str
    about: Literal["classes", "groups"]
    published: bool
    tested: NonNegativeInt
    expected: float | None = Field(description="tests at p <= 0.05, uncorrected, that chance alone gives")
    detectable: float | None = Field(description="shift found with 80% power, in between-member standard deviations")
    deals: DealsRow | None
    undefined: str | None


class ExemplarGroupRow(Row):
    """Exemplars and changed decisions among one group, or one class of everybody."""

    group: Group
    class_: Label | None = Field(alias="class")
    n: NonNegativeInt
    count: NonNegativeInt
    rate: float | None
    over_indexing: float | None
    over_indexing_low: float | None
    over_indexing_high: float | None
    over_indexing_undefined: str | None
    negative_flips: float | None
    positive_flips: float | None
    churn: float | None
    expected: float | None
    between_halves: float | None
    excess: float | None
    p: float | None
    p_max_t: float | None
    excess_undefined: str | None
    undefined: str | None


class ExemplarRow(Row):
    """One exemplar, for review by eye."""

    example: str | int
    class_: Label = Field(alias="class")
    group: Group
    decision_baseline: Label
    decision: Label
    share_baseline: float
    share: float
    score: float


class HalvesRow(Row):
    """Exemplar rates between halves of populations."""

    members: NonNegativeInt
    splits: NonNegativeInt
    between: float
    baseline: float
    variant: float


class OddsRatioRow(Row):
    """Odds of being an exemplar against the attribute's reference group."""

    group: Group
    reference: str
    given_margin: bool
    value: float | None
    low: float | None
    high: float | None
    p: float | None
    undefined: str | None


class ExemplarsRow(Row):
    """Test examples whose modal decision differs between baseline and variant."""

    count: NonNegativeInt
    rate: float
    expected: float | None = Field(description="chance level of the rate, at half the members")
    halves: HalvesRow | None
    halves_undefined: str | None
    excess: float | None
    p: float | None
    excess_undefined: str | None
    deals: DealsRow | None
    accuracy_all: Pair
    accuracy_on: Pair | None
    accuracy_off: Pair | None
    by_group: tuple[ExemplarGroupRow, ...]
    odds_ratios: tuple[OddsRatioRow, ...]
    top: tuple[ExemplarRow, ...]


class FindingRow(Row):
    """One comparison of one gate, judged."""

    gate: str
    gate_line: int | None
    variant: str
    metric: str
    class_: Label | None = Field(alias="class")
    group: Group
    against: Group | None
    compare: Compare
    claim: Claim
    verdict: Verdict
    severity: Severity
    waived: bool
    estimate_id: str
    estimate: float | None
    low: float | None
    high: float | None
    limit: float | None
    p: float | None
    p_holm: float | None
    reason: str
    needed: str
    seeds_only: Verdict | None
    baseline_fails_too: bool | None
    further_model: float | None


class ExtremeRow(Row):
    """The worst group and the spread between groups of one attribute or intersection, with bootstrap intervals."""

    variant: str
    metric: str
    class_: Label | None = Field(alias="class")
    family: str
    worst_group: Group | None
    worst: float | None
    worst_interval: Pair | None
    spread: float | None
    spread_interval: Pair | None
    groups: NonNegativeInt
    undefined: str | None


class EarlierLookRow(Row):
    """A plan that a question was judged by, and what came of it."""

    members: NonNegativeInt | None
    examples: NonNegativeInt | None
    seed: int | None
    min: float | None
    max: float | None
    verdict: Verdict | None


class LookRow(Row):
    """A gate that was judged before for a variant, on the same data by other plans."""

    gate: str
    variant: str
    earlier: tuple[EarlierLookRow, ...] = Field(min_length=1)


class FixedSequenceRow(Row):
    """Which is the most compressed variant of a recipe that passes, tested from the mildest on."""

    variants: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    chosen: str | None


class ThumbnailRow(Row):
    """One exemplar as a small picture."""

    example: str | int
    jpeg: Annotated[str, Field(max_length=65_536), AfterValidator(_small_jpeg)] = Field(
        description="a JPEG file of at most 96 x 96 pixels, in base64"
    )


class ResultFile(Row):
    """result.json, schema 1."""

    schema_: Literal[1] = Field(alias="schema")
    digest: Digest = Field(
        description="SHA-256 of the canonical JSON of this file without `timings`, `sandbox` and `digest`"
    )
    status: Literal["complete", "incomplete"]
    audit: AuditRow
    provenance: dict[str, JsonValue]
    timings: dict[str, float] = Field(
        description="seconds by stage; identical runs differ in these, and in the sandbox"
    )
    sandbox: SandboxRow | None = Field(
        description="the weakest that a member was made in, perhaps by an earlier run; null where no model was opened"
    )
    data: DataRow
    failures: tuple[FailureRow, ...]
    variants: tuple[VariantRow, ...]
    gates: tuple[GateRow, ...]
    estimates: tuple[EstimateRow, ...]
    class_tests: tuple[ClassTestRow, ...]
    class_test_families: tuple[ClassTestFamilyRow, ...]
    exemplars: dict[str, ExemplarsRow]
    extremes: tuple[ExtremeRow, ...]
    descriptions: tuple[DescriptionRow, ...]
    selections: tuple[SelectionsRow, ...]
    findings: tuple[FindingRow, ...]
    looks: tuple[LookRow, ...]
    fixed_sequences: tuple[FixedSequenceRow, ...]
    thumbnails: tuple[ThumbnailRow, ...] = Field(
        (), description="the exemplars that go by in `exemplars.top` first, where report.thumbnails allows it"
    )
