"""The values that pass between the stages: declare, load, compress and run, measure, judge, report.

Frozen, keyword-only, no behaviour but naming. Arrays are read-only. N is test examples, K members, C classes, G groups.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from auditor.description import Description, Selections
    from auditor.sandbox import Sandbox

IntArray = npt.NDArray[np.integer[Any]]
FloatArray = npt.NDArray[np.floating[Any]]
BoolArray = npt.NDArray[np.bool_]

Label = str | int | float | bool
"""A class as the data names it."""
GroupKey = tuple[tuple[str, str], ...]
"""Attribute and group pairs, such as (("sex", "Female"), ("race", "Black")); () is everybody."""
EVERYBODY: GroupKey = ()
BASELINE = "baseline"
NONE, EACH = -1, -2
"""Stand for no reference group, and for each other group of the attribute (reference = "best")."""
MISSING = "(missing)"
"""The group of those whose attribute is not recorded."""

Compare = Literal[
    "value", "change", "ratio", "ratio_change", "disparity", "disparity_change", "to_overall", "to_overall_change"
]
Claim = Literal["recipe", "artifact"]
GateTarget = tuple["Label | None", "GroupKey", "GroupKey | None"]
"""Class (None for accuracy and error), group, and the group that a gap is to (None without one)."""
Severity = Literal["error", "warning"]


class Verdict(StrEnum):
    """What a gate says of one comparison. UNDEFINED never counts as PASS."""

    PASS = "PASS"  # noqa: S105 - no password
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    UNDEFINED = "UNDEFINED"


def group_name(group: GroupKey) -> str:
    """The group in words, such as "Female × Black"."""
    return " × ".join(name for _, name in group) or "everybody"


def written(group: GroupKey) -> str:
    """Write a group as in an estimate's id, such as "sex=Female,race=Black"; "everybody" for all."""
    return ",".join(f"{attribute}={name}" for attribute, name in group) or "everybody"


def family_name(group: GroupKey) -> str:
    """The attribute or intersection that a group belongs to, such as "sex x race"."""
    return " x ".join(attribute for attribute, _ in group) or "overall"


# ---------------------------------------------------------------------------------------------------------------- load


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """Who is who among the test examples."""

    names: tuple[GroupKey, ...]
    """[G], the first is everybody; then attributes and intersections in declared order."""
    membership: BoolArray
    """[G, cell]: whether the cell belongs to the group."""
    cell_of: IntArray
    """[N]: the cell (combination of all attributes that occurs) of each example."""
    reference: IntArray
    """[G]: index of the group that this one is compared with; its own index for a reference; NONE for everybody; EACH
    where every other group of the attribute is compared with, since the best of them is the reference."""

    def compared_with(self, g: int) -> tuple[int, ...]:
        """Give the groups that gaps of a group are to."""
        if self.reference[g] != EACH:
            return () if self.reference[g] in {NONE, g} else (int(self.reference[g]),)
        family = family_name(self.names[g])
        return tuple(h for h, name in enumerate(self.names) if h != g and family_name(name) == family)


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitSize:
    """How many examples of what are in one split."""

    split: str
    """"train", "test" or "calibration"."""
    examples: int
    by_class: tuple[int, ...]
    """[C]."""
    left_out: tuple[int, ...] | None = None
    """[C]: the split's other examples, of which this is the part that `data.sample` drew; None: this is all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """All that measuring needs of the data. What a model reads is made by the source, and only when a job needs it."""

    source: str
    """The source's name and the path as declared."""
    classes: tuple[Label, ...]
    """[C], the order of the model's outputs."""
    positive: int | None
    """Index of the class that recall and selection are about, in a binary task."""
    examples: tuple[str | int, ...]
    """[N]: row number or file name in the source."""
    labels: IntArray
    """[N]: index of the true class."""
    groups: Groups
    attributes: Mapping[str, tuple[str, ...]]
    """For each attribute the group of each test example, [N]."""
    cluster: IntArray | None
    """[N]: examples with one number share an id; None where every example stands for itself."""
    splits: tuple[SplitSize, ...]
    digest: str
    """SHA-256 over the source's bytes and the declaration: all that determines what a model reads and is scored on."""
    calibrations: Mapping[str, str] = field(default_factory=dict)
    """Representative sets that are a single variant's own: for the name of each a digest of its rows."""
    warnings: tuple[str, ...] = ()


# ----------------------------------------------------------------------------------------------------- compress and run


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A member that could not be made or scored. Never dropped."""

    variant: str
    member: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """What the finished members of one variant decide about the test examples."""

    members: tuple[int, ...]
    """[K]: number of each finished member among those asked for."""
    decisions: IntArray
    """[K, N]: index of the decided class."""
    probabilities: FloatArray | None = None
    """[K, N, C], or None where only decisions are known."""
    digests: tuple[str, ...]
    """[K]: SHA-256 of each member's model, or of its decisions where no model is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """One variant, run: what was asked for and what came of it."""

    name: str
    """The variant's name; "baseline" for the baseline."""
    method: str
    claim: Claim
    paired: bool
    """Whether member k derives from baseline member k."""
    fixed_baseline: bool
    """Whether all members derive from one given baseline: then only the compression is sampled."""
    asked: int
    predictions: Predictions
    failures: tuple[Failure, ...]
    asked_for: Mapping[str, Any]
    """The recipe, as declared."""
    measured: tuple[Mapping[str, Any], ...]
    """[K]: what was measured on each member: sparsity, bytes, parameters, latency."""
    stack: int | None = None
    """How many members were trained side by side at most; None where each was trained by itself, or none."""
    sandbox: Sandbox | None = None
    """The weakest that a member was made in; None where no model was opened."""
    events: Mapping[int, bytes] = field(default_factory=dict)
    """By member: what pruning did while it trained, as a file of TensorBoard, where that was asked for."""
    models: Mapping[int, Path] = field(default_factory=dict)
    """By member: its model's file in the store; empty where decisions come from a table."""


# -------------------------------------------------------------------------------------------------------------- measure


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One source of variance in a bound."""

    source: Literal["examples", "members", "baseline members"]
    variance: float
    """Of the estimate, or of a ratio's numerator, from this source alone."""
    df: float
    """Degrees of freedom of that variance."""
    covariance: float = 0.0
    """Of a ratio's numerator with its denominator."""
    variance_below: float = 0.0
    """Of a ratio's denominator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """One end of an interval, so that it can be had again at any level and judged at any limit.

    At a limit L the contrast is center - L x below; its variance from each source is variance - 2 L covariance +
    L^2 variance_below, and the end is the L at which sqrt(sum of t(df)^2 variance) reaches it.
    """

    center: float
    """The number, or a ratio's numerator, with the pseudo-examples on this end's side."""
    terms: tuple[Term, ...]
    below: float = 1.0
    """1, or a ratio's denominator, with the pseudo-examples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number: rate x gap x contrast, for one variant, class and group. Undefined is None with a reason, never 0."""

    variant: str
    metric: str
    label: Label | None
    """The class that the rate is about; None for accuracy and error."""
    group: GroupKey
    compare: Compare
    value: float | None
    low: float | None
    high: float | None
    """One-sided bounds at the audit's confidence, each."""
    n: int
    """Test examples in the rate's denominator; mean over members where the decisions make it (precision)."""
    members: int
    claim: Claim
    undefined: str | None = None
    """Why there is no value."""
    method: str
    """How the bounds were made: "sum of terms", "clopper-pearson" or "none"."""
    lower: Bound | None = None
    upper: Bound | None = None
    against: GroupKey | None = None
    """The group that a gap is to; None where there is none, or where it is to everybody."""
    spread: float | None = None
    """Standard deviation between members of the underlying rates on the probit scale, beyond what examples make: the
    largest of the populations and groups involved. None where members are no sample."""

    @property
    def id(self) -> str:
        """Stable name of the estimand, unique in an audit."""
        label = "" if self.label is None else f"[{self.label}]"
        other = "" if self.against is None else f"/{written(self.against)}"
        return f"{self.variant}/{self.metric}{label}/{written(self.group)}/{self.compare}{other}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deals:
    """How members were dealt to tell what is chance (statistics: section 4)."""

    kind: Literal["deals", "swaps within pairs"]
    count: int
    """Deals compared with: all distinct ones, the observed among them, or so many random ones."""
    enumerated: bool
    """Whether these are all there are."""
    smallest_p: float
    """The smallest p that can come out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassTest:
    """Whether a class's or group's recall moved apart from overall accuracy (Hooker et al. 2019, section 3)."""

    variant: str
    label: Label
    group: GroupKey
    paired: bool
    published: bool
    """True: normalised by the population's mean accuracy, as published; False: by each member's own."""
    shift: float | None
    """Variant minus baseline, of recall relative to accuracy."""
    p: float | None
    p_holm: float | None
    p_bh: float | None
    p_max_t: float | None
    """From deals of members, step-down (Westfall and Young 1993); None where members cannot be dealt."""
    undefined: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassTestFamily:
    """The class tests that are corrected together: of one variant and version, all classes or all groups."""

    variant: str
    about: Literal["classes", "groups"]
    published: bool
    tested: int
    """Tests that are defined."""
    expected: float | None
    """Tests at p <= 0.05, uncorrected, that chance alone gives: the mean over deals."""
    detectable: float | None
    """Shift, in between-member standard deviations, that one test at 0.05 finds with 80% power."""
    deals: Deals | None
    undefined: str | None
    """Why there are no deals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExemplarGroup:
    """Compression-identified exemplars, and changed decisions, among one group, or one class of everybody."""

    group: GroupKey
    label: Label | None
    n: int
    count: int
    rate: float | None
    over_indexing: float | None
    """The group's share among exemplars over its share of the test set."""
    over_indexing_low: float | None
    """Score limits at the audit's confidence, one-sided each, given these members."""
    over_indexing_high: float | None
    over_indexing_undefined: str | None
    """Why over-indexing, or its limits alone, are missing."""
    negative_flips: float | None
    """Share of right decisions of the baseline that are wrong in the variant, of all, over pairs of members."""
    positive_flips: float | None
    churn: float | None
    """Share of decisions that differ, over pairs of members."""
    expected: float | None
    """Chance level of the rate at half the members: halves of one population against each other."""
    between_halves: float | None
    """The rate at half the members: halves of the baseline against halves of the variant."""
    excess: float | None
    """Disagreement between members of baseline and variant beyond that within them; 0 expected without an effect."""
    p: float | None
    """Of no excess, from deals; one-sided."""
    p_max_t: float | None
    """Corrected for all classes, or for all groups."""
    excess_undefined: str | None
    """Why excess or its p are missing."""
    undefined: str | None
    """Why flips, churn and halves are missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemplar:
    """One exemplar, for review by eye."""

    example: str | int
    label: Label
    group: GroupKey
    """The example's group by every attribute."""
    decision_baseline: Label
    """The modal one."""
    decision: Label
    share_baseline: float
    """Of the baseline's members that decide as their modal decision."""
    share: float
    score: float
    """Taxicab distance between the vote shares of both populations, 0 to 2 (Hooker et al. 2020)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Halves:
    """Exemplar rates between halves of populations: what chance gives, at equal numbers of members."""

    members: int
    """In a half."""
    splits: int
    """Random splits that are averaged."""
    between: float
    """A half of the baseline against a half of the variant, of other seeds."""
    baseline: float
    """Two halves of the baseline."""
    variant: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OddsRatio:
    """Odds of being an exemplar against the attribute's reference group, other attributes held fixed."""

    group: GroupKey
    """One attribute and group."""
    reference: str
    given_margin: bool
    """Whether the baseline's margin is held fixed too."""
    value: float | None
    low: float | None
    """Wald limits at the audit's confidence, one-sided each."""
    high: float | None
    p: float | None
    """Two-sided, of odds ratio 1."""
    undefined: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemplars:
    """Test examples whose modal decision differs between baseline and variant (PIEs; Hooker et al. 2019)."""

    variant: str
    count: int
    rate: float
    expected: float | None
    """Chance level of the rate at half the members: mean of both populations' halves against each other."""
    halves: Halves | None
    halves_undefined: str | None
    excess: float | None
    """As in ExemplarGroup, of everybody."""
    p: float | None
    excess_undefined: str | None
    deals: Deals | None
    accuracy_all: tuple[float, float]
    """Baseline and variant, mean over members, on all test examples."""
    accuracy_on: tuple[float, float] | None
    """On the exemplars; None without any."""
    accuracy_off: tuple[float, float] | None
    by_group: tuple[ExemplarGroup, ...]
    odds_ratios: tuple[OddsRatio, ...]
    top: tuple[Exemplar, ...]
    """The exemplars of highest score, at most 50; ties in the order of examples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extreme:
    """The worst group and the spread between groups of one attribute or intersection: described, never judged."""

    variant: str
    metric: str
    label: Label | None
    family: str
    """The attribute or intersection, such as "sex x race"."""
    worst_group: GroupKey | None
    worst: float | None
    """The least rate of any group with enough examples."""
    worst_interval: tuple[float, float] | None
    """From a joint bootstrap of examples and members, with the audit's confidence at each end."""
    spread: float | None
    """Greatest less least rate."""
    spread_interval: tuple[float, float] | None
    groups: int
    """Groups that have enough examples."""
    undefined: str | None = None


# ---------------------------------------------------------------------------------------------------------------- judge


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A declared limit, with everything filled in."""

    name: str
    line: int | None
    """Line of the gate in audit.toml."""
    metric: str
    targets: tuple[GateTarget, ...]
    """What each comparison is about."""
    compare: Compare
    variants: tuple[str, ...]
    min: float | None
    max: float | None
    decide_on: Literal["interval", "point"]
    severity: Severity
    why: str
    limits_changed: bool = False
    """Whether the limits were set after the result was known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """Comparisons of a gate that somebody accepts for a while although they do not hold."""

    gate: str
    line: int | None
    """Line of the waiver in audit.toml."""
    variant: str | None
    """None for every variant, class or group."""
    label: Label | None
    group: GroupKey | None
    reason: str
    owner: str
    expires: str
    """The last day on which it counts, such as "2026-12-31", so that days compare as texts do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One comparison of one gate, judged."""

    gate: str
    estimate: Estimate
    verdict: Verdict
    severity: Severity
    limit: float | None
    """The limit that decided: the one broken, or the nearer one."""
    p: float | None
    """One-sided p of "within the limit", unadjusted; None where nothing is tested."""
    p_holm: float | None
    reason: str
    needed: str
    """What would settle it, if the true harm were 0; empty unless INCONCLUSIVE."""
    seeds_only: Verdict | None
    """What an interval over members alone, the usual one, would have said."""
    baseline_fails_too: bool | None
    """Whether the baseline's own value lies beyond the same limit; None where the gate is about a change."""
    further_model: float | None = None
    """Where one further model of the recipe may lie, on the side of the limit, at the same confidence; None for a
    claim about a file, which is that model."""
    waived: bool = False
    """Whether its waiver counts: then the finding does not."""
    waiver: Waiver | None = None
    """The waiver that is about it, also where it has expired; None where it passes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierLook:
    """A plan that a question was judged by, and what came of it; all None where what was kept cannot be read."""

    members: int | None
    examples: int | None
    """Of the test set."""
    seed: int | None
    """None, too, where nothing was trained."""
    min: float | None
    max: float | None
    verdict: Verdict | None
    """Over all comparisons of the gate for the variant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A gate that was judged before for a variant, on the same data by other plans: its level no longer holds."""

    gate: str
    variant: str
    earlier: tuple[EarlierLook, ...]
    """From the first on; never empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedSequence:
    """Which is the most compressed variant of a recipe that passes: a choice that keeps its level.

    Variants are tested from the mildest on, up to the first that does not PASS.
    """

    variants: tuple[str, ...]
    """From the mildest to the strongest."""
    verdicts: tuple[Verdict, ...]
    """Of each, over the gates that decide."""
    chosen: str | None
    """None where the mildest does not pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantSummary:
    """What a report says of a variant beside its rates."""

    name: str
    method: str
    claim: Claim
    paired: bool
    fixed_baseline: bool
    asked: int
    finished: int
    compared: int
    """Finished members that are compared: of a paired variant those whose baseline finished too."""
    failed: int
    collapsed: int
    """Members that say one class always, or are at chance: scored like any other."""
    asked_for: Mapping[str, Any]
    measured: Mapping[str, Any]
    """Means over members of what was measured; lists by layer from the first member."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSummary:
    """The data, as far as a report tells of it."""

    source: str
    digest: str
    classes: tuple[Label, ...]
    positive: Label | None
    splits: tuple[SplitSize, ...]
    groups: tuple[tuple[GroupKey, tuple[int, ...]], ...]
    """For each group the test examples of each class."""
    reference: Mapping[str, str]
    """For each attribute or intersection the name of its reference group."""
    clusters: int | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditResult:
    """Everything an audit found: what every report is made from."""

    status: Literal["complete", "incomplete"]
    """"incomplete" where a population fell short of the members that must finish."""
    definition: Mapping[str, Any]
    """audit.toml as resolved."""
    definition_file: str
    provenance: Mapping[str, Any]
    timings: Mapping[str, float]
    """Seconds by stage; differs between identical runs, as does the sandbox, which the kernel decides."""
    sandbox: Sandbox | None
    """The weakest that a member was made in; None where no model was opened."""
    data: DataSummary
    variants: tuple[VariantSummary, ...]
    """The baseline first."""
    failures: tuple[Failure, ...]
    gates: tuple[Gate, ...]
    estimates: tuple[Estimate, ...]
    class_tests: tuple[ClassTest, ...]
    class_test_families: tuple[ClassTestFamily, ...]
    exemplars: tuple[Exemplars, ...]
    extremes: tuple[Extreme, ...]
    descriptions: tuple[Description, ...]
    """Further measures of every compressed variant: shown, never judged."""
    selections: tuple[Selections, ...]
    """Selection tables of every variant, the baseline first."""
    findings: tuple[Finding, ...]
    looks: tuple[Look, ...]
    fixed_sequences: tuple[FixedSequence, ...]
    thumbnails: Mapping[str | int, bytes] = field(default_factory=dict)
    """Exemplars as JPEG files, by example; only where the user says that the licence of the images allows it."""
    waivers: tuple[Waiver, ...] = ()
    judged_on: str | None = None
    """The day, in UTC, that waivers had to last to: it is kept so that a report says the same for ever. None in a
    result of before there were waivers."""
