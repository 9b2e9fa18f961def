"""What audit.toml may say: one class a table, one field a key. The reference in the README is made from here."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    Tag,
)

from auditor.spec.compressions import (
    CALIBRATED,
    METHODS,
    QUANTIZERS,
    Artifact,
    Cluster,
    Compression,
    Distill,
    LowRank,
    Method,
    PredictionColumns,
    Prune,
    Quantize,
    QuantizeAware,
    Sham,
    Trained,
    exported_name,
    names_of,
    steps_of,
)
from auditor.spec.data import (
    Data,
    Long,
    Preprocess,
    RecordFeature,
    Sample,
    Split,
    SplitColumn,
    SplitFractions,
    SplitPaths,
    Text,
)
from auditor.spec.models import Augment, Model, PopulationTable, Schedule, Training
from auditor.spec.tables import (
    CLASS,
    LabelValue,
    Name,
    NamedGroup,
    Pins,
    RepresentativeSet,
    Table,
    one_or_many,
)

__all__ = [
    "CALIBRATED",
    "CLASS",
    "METHODS",
    "QUANTIZERS",
    "Artifact",
    "Attribute",
    "Audit",
    "AuditSpec",
    "Augment",
    "Cluster",
    "Compression",
    "Data",
    "Distill",
    "Format",
    "GateTable",
    "Intersection",
    "Long",
    "LowRank",
    "Method",
    "Model",
    "NamedAttribute",
    "Pins",
    "PopulationTable",
    "PredictionColumns",
    "Preprocess",
    "Prune",
    "Quantize",
    "QuantizeAware",
    "RecordFeature",
    "Report",
    "RepresentativeSet",
    "Run",
    "Sample",
    "Schedule",
    "Sham",
    "Split",
    "SplitColumn",
    "SplitFractions",
    "SplitPaths",
    "Statistics",
    "Table",
    "Text",
    "Trained",
    "Training",
    "WaiverTable",
    "exported_name",
    "names_of",
    "steps_of",
]


class Audit(Table):
    """`[audit]`: what the audit is called and what it is for."""

    name: Name | None = Field(
        None, description="outputs go to audits/NAME below the current folder; default: the name of the file's folder"
    )
    title: str | None = Field(None, max_length=200, description="heading of the report; default: the name")
    seed: NonNegativeInt = Field(0, description="every random number derives from it")
    intended_use: str | None = Field(None, description="printed in the report")
    out_of_scope: str | None = Field(None, description="uses the model is not meant for; printed in the report")
    owner: str | None = Field(None, description="who answers for the model; printed in the report")
    reviewers: list[str] = Field([], description="who signs; printed in the report")
    risk_notes: str | None = Field(None, description="printed in the report")


class Attribute(Table):
    """`[[attribute]]`: a sensitive attribute."""

    name: str = Field(description="column")
    reference: str = Field(
        "majority",
        description='the group that others are compared with, "majority", or "best": gaps are then to each other '
        "group, so that whichever is best counts",
    )
    bins: list[float] | None = Field(
        None, min_length=1, description="inner edges, left-closed: [30, 45] gives <30, 30-44, 45+ for whole numbers"
    )
    groups: dict[str, list[LabelValue]] | None = Field(None, description="group names to the values they hold")
    use_as_feature: bool = Field(False, description="whether the model reads it")


def _attribute(raw: Any) -> Any:  # noqa: ANN401 - pydantic gives whatever the file holds
    return {"name": raw} if isinstance(raw, str) else raw


NamedAttribute = Annotated[Attribute, BeforeValidator(_attribute, json_schema_input_type=Attribute | str)]


class Intersection(Table):
    """`[[intersection]]`: groups of two or more attributes at once."""

    attributes: list[str] = Field(min_length=2, description="declared attributes")


class Statistics(Table):
    """`[statistics]`: how sure is sure."""

    confidence: float = Field(
        0.95, ge=0.5, lt=1, description="one-sided, for verdicts; intervals shown have the same tails"
    )
    min_group: int = Field(10, ge=2, description="examples in a rate's denominator; fewer: UNDEFINED")
    discovery: Literal["bh", "holm", "max_t"] = Field(
        "bh", description="correction by which the class test discovers: Benjamini–Hochberg, Holm, max-T from deals"
    )
    permutations: int = Field(
        1000, ge=99, le=100_000, description="random deals of members; at most 1,000 distinct ones are all made instead"
    )


Names = Annotated[
    Annotated[str, Tag("~one")] | Annotated[list[str], Tag("~many"), Field(min_length=1)], Discriminator(one_or_many)
]
Metric = Literal["accuracy", "error", "recall", "fnr", "fpr", "tnr", "selection_rate", "precision"]


class GateTable(Table):
    """`[[gate]]`: a limit that must be shown to hold."""

    name: str | None = Field(None, max_length=200, description="default: made from the keys below")
    metric: Metric = Field(description="a rate")
    of: LabelValue | None = Field(None, description='`positive`, "*", or a class; default: positive, or every class')
    over: Names | None = Field(
        None,
        description='attributes, intersections ("sex x race"), "overall", "class" (every class, for everybody), "*"; '
        "default: all attributes and intersections; with none declared, the classes",
    )
    compare: Literal[
        "value", "change", "ratio", "ratio_change", "disparity", "disparity_change", "to_overall", "to_overall_change"
    ] = Field(
        "change",
        description="with what: nothing, the baseline, the reference group (quotient or difference), everybody, or "
        "the change of such a gap from the baseline",
    )
    variants: Names = Field("*", description="compressed variants")
    min: float | None = Field(None, description="inclusive; a share or a difference of shares: -0.02 is 2 points less")
    max: float | None = Field(None, description="inclusive; as min")
    decide_on: Literal["interval", "point"] = Field("interval", description="what must lie within the limit")
    severity: Literal["error", "warning"] = Field("error", description="only errors count for the exit code")
    why: str = Field("", description="printed beside the verdict")


class WaiverTable(Table):
    """`[[waiver]]`: comparisons that do not hold are known and accepted for a while: shown, marked, not counted."""

    gate: str = Field(description="name of a gate: the one it has, or the one that the report gives it")
    variant: str | None = Field(
        None, description="compressed variant; default: all, but for what is UNDEFINED because members are missing"
    )
    class_: LabelValue | None = Field(None, alias="class", description="class that the rate is of; default: every one")
    group: NamedGroup = Field(
        None,
        description='`{ sex = "Female", race = "Black" }`, "sex = Female, race = Black", or "everybody"; default: '
        "every one, but for what is UNDEFINED because the group is small",
    )
    reason: str = Field(description="why it is accepted; printed beside the verdict")
    owner: str = Field(description="who answers for it; printed beside the verdict")
    expires: date = Field(
        description="the last day, in UTC, on which the waiver counts, without quotes: 2026-12-31; from the next on "
        "what it is about counts again"
    )


class Run(Table):
    """`[run]`: where and how."""

    executor: Literal["local", "inline", "dask"] = Field(
        "local", description="worker processes, this process, or the workers of a Dask cluster"
    )
    workers: PositiveInt | Literal["auto"] = Field(
        "auto", description="processes; auto: one a core; with dask, how many `auditor plan` reckons with"
    )
    address: str | None = Field(
        None, description="of the Dask scheduler: `tls://HOST:PORT`, or `tcp://127.0.0.1:PORT` on this computer"
    )
    resources: dict[str, dict[str, PositiveFloat]] = Field(
        {},
        description="what a Dask worker must offer to run members of a variant, of `baseline`, or of `*`, all others: "
        '`{ "*" = { memory = 8e9 } }`',
    )
    require_sandbox: bool = Field(
        False,
        description="open no model where the kernel cannot keep it from the network and from writing elsewhere",
    )
    store: str = Field(".auditor", description="folder of finished jobs, relative to the file")
    member_timeout: PositiveInt = Field(
        86_400,
        description="seconds after which a member is ended and counts as failed; K members trained side by side have "
        "K times as long",
    )


Format = Literal["html", "pdf", "json", "junit", "sarif", "markdown", "card", "exemplars"]
"""Those built in."""


def _format_kind(raw: Any) -> str:  # noqa: ANN401 - pydantic gives whatever the file holds
    return "~own" if raw in get_args(Format) else "~other"


AnyFormat = Annotated[Annotated[Format, Tag("~own")] | Annotated[str, Tag("~other")], Discriminator(_format_kind)]


class Report(Table):
    """`[report]`: what is written."""

    formats: list[AnyFormat] = Field(
        ["html", "pdf", "json", "junit", "sarif", "markdown", "card"],
        description="built in, or a plugin's; `result.json` and `exemplars.csv` are written always",
    )
    options: dict[str, dict[str, Any]] = Field(
        {}, description='by name of a plugin\'s format, what it takes: `wandb = { project = "levels" }`'
    )
    thumbnails: bool = Field(
        False,
        description="show exemplars as small pictures in the report, and keep them in result.json: only where the "
        "licence of the images, and the people in them, allow it",
    )


class AuditSpec(Table):
    """audit.toml, schema 1."""

    schema_: Literal[1] = Field(alias="schema", description="version of this format: 1")
    audit: Audit = Audit()
    model: Model
    training: Training = Training()
    population: PopulationTable = PopulationTable()
    data: Data
    attribute: list[NamedAttribute] = Field(
        description="sensitive attributes; a name alone has the defaults; []: only classes are audited"
    )
    intersection: list[Intersection] = Field([])
    compression: list[Compression] = Field(min_length=1)
    statistics: Statistics = Statistics()
    gate: list[GateTable] = Field([])
    waiver: list[WaiverTable] = Field([])
    run: Run = Run()
    report: Report = Report()
