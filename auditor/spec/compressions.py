"""`[[compression]]`: one class a family."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    Tag,
)
from pydantic_core import PydanticCustomError

from auditor.spec.data import OwnScaling
from auditor.spec.tables import Name, Outputs, Pair, Pins, RepresentativeSet, Table, one_or_many

Sparsity = Annotated[float, Field(ge=0, lt=1)]
Share = Annotated[float, Field(gt=0, lt=1)]
Clusters = Annotated[int, Field(ge=2, le=65536)]


class Method(Table):
    """What all methods have that compress here."""

    method: str
    name: Name | None = Field(None, description="of the variant; default: from the method, and `then`")
    then: list[AnyMethod] = Field(
        [],
        description='methods that follow, each a table or only its name: `["int8"]`, `[{ method = "cluster", '
        'clusters = 16 }, { method = "int8" }]`',
    )
    export: str | None = Field(
        None,
        min_length=1,
        description="folder, relative to audit.toml, for the model file of one member: the one to ship, which gets a "
        "verdict of its own",
    )
    export_member: NonNegativeInt = Field(0, description="the member that is exported")


class Trained(Method):
    """What all methods have that train."""

    epochs: PositiveInt | None = Field(None, description="of this method's training; default: training.epochs")
    learning_rate: PositiveFloat | None = Field(
        None, description="of this method's training; default: training.learning_rate"
    )


class LayerByLayer(Trained):
    """What all methods have that change single layers."""

    skip: list[str] = Field([], description='layers that are left as they are, by name or pattern: `["head*"]`')


class Prune(LayerByLayer):
    """`[[compression]]`: pruning while training (Zhu and Gupta 2017), by TFMOT."""

    method: Literal["prune"] = Field(description="`prune`")
    sparsity: Annotated[
        Annotated[Sparsity | None, Tag("~one")] | Annotated[list[Sparsity], Tag("~many"), Field(min_length=1)],
        Discriminator(one_or_many),
    ] = Field(
        None,
        description="share of zero weights a layer; a list makes one variant a value; needed, except with m_by_n",
    )
    schedule: Literal["polynomial", "constant", "iterative"] = Field(
        "polynomial",
        description="how sparsity rises: `polynomial`, most at first; `constant`, at once; `iterative`, in rounds with "
        "fine-tuning between them, from begin_step to end_step",
    )
    begin_step: NonNegativeInt | None = Field(
        None, description="step of the first change, from 1; default: a fifth of all steps"
    )
    end_step: PositiveInt | None = Field(None, description="of the last change; default: three quarters of all steps")
    begin_epoch: NonNegativeFloat | None = Field(
        None, description="instead of begin_step: epochs, or parts of them, before the first change"
    )
    end_epoch: PositiveFloat | None = Field(None, description="instead of end_step: epochs after which masks stay")
    frequency: PositiveInt | None = Field(None, description="steps between mask updates; default: 1 to 100 by length")
    rounds: Annotated[int, Field(ge=2)] | None = Field(
        None, description="iterative only: each prunes the same share of the weights that are left; default: 5"
    )
    criterion: Literal["magnitude", "random"] = Field(
        "magnitude", description="which weights go: the smallest or, as a control, those that the member's seed draws"
    )
    block_size: Pair | None = Field(
        None,
        description="blocks of so many rows and columns go as wholes, `[4, 4]`; of matrices alone: convolutions are "
        "left as they are",
    )
    block_pooling: Literal["avg", "max"] = Field(
        "avg", description="what of a block's magnitudes counts: their mean or the largest"
    )
    m_by_n: Pair | None = Field(
        None,
        description="`[2, 4]`: two zeros among each four weights of neighbouring inputs, chosen at begin_step; instead "
        "of sparsity",
    )
    summaries: bool = Field(
        False, description="whether each layer's sparsity and threshold are written for TensorBoard, an epoch at a time"
    )


class Cluster(LayerByLayer):
    """`[[compression]]`: weight clustering (Han et al. 2016), by TFMOT."""

    method: Literal["cluster"] = Field(description="`cluster`")
    clusters: Annotated[
        Annotated[Clusters, Tag("~one")] | Annotated[list[Clusters], Tag("~many"), Field(min_length=1)],
        Discriminator(one_or_many),
    ] = Field(description="distinct values a kernel, zero too where pruning left it; a list makes one variant a value")
    init: Literal["kmeans++", "linear", "density", "random"] = Field(
        "kmeans++", description="where the centroids start"
    )


class LowRank(LayerByLayer):
    """`[[compression]]`: low-rank factors: SVD of dense kernels, Tucker-2 of convolutions (Kim et al. 2016)."""

    method: Literal["low_rank"] = Field(description="`low_rank`")
    ratio: Annotated[
        Annotated[Share | None, Tag("~one")] | Annotated[list[Share], Tag("~many"), Field(min_length=1)],
        Discriminator(one_or_many),
    ] = Field(None, description="share of the full rank that is kept at least; a list makes one variant a value")
    energy: Share | None = Field(
        None, description="instead of ratio: share of the squared singular values that is kept, layer by layer"
    )


class Distill(Trained):
    """`[[compression]]`: distillation (Hinton et al. 2015) into a smaller model, the student."""

    method: Literal["distill"] = Field(description="`distill`")
    student: str = Field(description="architecture, as model.architecture; it starts fresh")
    options: dict[str, Any] = Field({}, description="of the student's architecture")
    temperature: PositiveFloat = Field(4.0, description="of both softmaxes in the soft part of the loss")
    alpha: float = Field(0.9, ge=0, le=1, description="weight of the teacher's soft targets; the labels have the rest")


class Sham(Trained):
    """`[[compression]]`: no compression, but trained on as long: a control that tells the one from the other."""

    method: Literal["sham"] = Field(description="`sham`")


class Quantize(Method):
    """`[[compression]]`: quantisation after training, by the TFLite converter."""

    method: Literal["float16", "dynamic_int8", "int8", "int16x8"] = Field(
        description="`float16` weights; `dynamic_int8` weights; `int8` weights and activations; `int16x8`: weights of "
        "8 bits and activations of 16"
    )
    io: Literal["float32", "int8", "uint8", "int16"] = Field(
        "float32", description="type of input and output; integers with int8 (`int8`, `uint8`) and int16x8 (`int16`)"
    )
    per_channel: bool = Field(True, description="whether each output channel has a scale of its own; int8 and int16x8")
    calibration: RepresentativeSet | None = Field(None, description="a representative set of its own; int8 and int16x8")


class QuantizeAware(LayerByLayer):
    """`[[compression]]`: quantisation-aware training (Jacob et al. 2018), by TFMOT, then int8."""

    method: Literal["qat"] = Field(description="`qat`")
    io: Literal["float32", "int8", "uint8"] = Field("float32", description="type of input and output")


class Artifact(Table):
    """`[[compression]]`: a compressed model made elsewhere."""

    artifact: str = Field(description="a model of any format that model.path takes; a star as there")
    sha256: Pins = Field(None, description="digest that the file must have; with a star a table of them")
    output: str | None = Field(None, description="as model.output, which is the default")
    outputs: Outputs = Field(None, description="as model.outputs, which is the default")
    preprocess: OwnScaling | None = Field(
        None, description="how pixels or numbers become this file's input, where it is otherwise than data.preprocess"
    )
    name: Name | None = Field(None, description="of the variant; default: the file's name")


class PredictionColumns(Table):
    """`[[compression]]`: a compressed population, as columns of a predictions table."""

    predictions: str = Field(description='columns, one a member: "int8_*"; as in [model]')
    paired: bool = Field(False, description="whether member k derives from baseline member k")
    name: Name | None = Field(None, description="of the variant; default: from the columns")


QUANTIZERS = ("float16", "dynamic_int8", "int8", "int16x8")
CALIBRATED = ("int8", "int16x8", "qat")
"""Methods that need a representative set."""
_KINDS = {
    "prune": "~prune",
    "cluster": "~cluster",
    "low_rank": "~low_rank",
    "distill": "~distill",
    "sham": "~sham",
    "qat": "~qat",
    **dict.fromkeys(QUANTIZERS, "~quantize"),
}
METHODS = (*_KINDS,)
"""All that `method` may be."""


def steps_of(entry: Compression) -> tuple[Method, ...]:
    """Give the methods of an entry, one after another; none where it was compressed elsewhere."""
    return (entry, *entry.then) if isinstance(entry, Method) else ()


def exported_name(variant: str) -> str:
    """Name the variant that an exported file is."""
    return f"{variant}-exported"


def names_of(entry: Compression) -> tuple[str, ...]:
    """Give the names of the variants of an entry that has its name."""
    name = str(entry.name)
    return (name, exported_name(name)) if getattr(entry, "export", None) else (name,)


def _method_kind(raw: Any) -> str | None:  # noqa: ANN401 - pydantic gives whatever the file holds
    keys = raw if isinstance(raw, dict) else vars(raw) if isinstance(raw, Table) else {}
    return _KINDS.get(str(keys.get("method")))


def _compression_kind(raw: Any) -> str | None:  # noqa: ANN401 - pydantic gives whatever the file holds
    keys = raw if isinstance(raw, dict) else vars(raw) if isinstance(raw, Table) else {}
    return next((f"~{key}" for key in ("artifact", "predictions") if key in keys), _method_kind(raw))


def _named(raw: Any) -> Any:  # noqa: ANN401 - pydantic gives whatever the file holds
    if isinstance(raw, dict) and "then" in raw:
        raise PydanticCustomError("then_in_then", "says something of the whole variant")  # before it is looked into
    return {"method": raw} if isinstance(raw, str) else raw


_Made = (
    Annotated[Prune, Tag("~prune")]
    | Annotated[Cluster, Tag("~cluster")]
    | Annotated[LowRank, Tag("~low_rank")]
    | Annotated[Distill, Tag("~distill")]
    | Annotated[Sham, Tag("~sham")]
    | Annotated[Quantize, Tag("~quantize")]
    | Annotated[QuantizeAware, Tag("~qat")]
)
AnyMethod = Annotated[_Made, Discriminator(_method_kind), BeforeValidator(_named, json_schema_input_type=_Made | str)]
Compression = Annotated[
    _Made | Annotated[Artifact, Tag("~artifact")] | Annotated[PredictionColumns, Tag("~predictions")],
    Discriminator(_compression_kind),
]
for _table in (Prune, Cluster, LowRank, Distill, Sham, Quantize, QuantizeAware):
    _table.model_rebuild()
