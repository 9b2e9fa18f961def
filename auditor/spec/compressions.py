"""`[[compression]]`: one class a family."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    Discriminator,
    Field,
    NonNegativeInt,
    PositiveInt,
    Tag,
)

from auditor.spec.data import OwnScaling
from auditor.spec.tables import Name, Outputs, Pins, Table, one_or_many

Sparsity = Annotated[float, Field(ge=0, lt=1)]


class Prune(Table):
    """`[[compression]]`: magnitude pruning (Zhu and Gupta 2017), by TFMOT."""

    method: Literal["prune"] = Field(description="`prune`")
    name: Name | None = Field(
        None, description="of the variant; default: pruned, and the sparsity where there are several"
    )
    sparsity: Annotated[
        Annotated[Sparsity, Tag("~one")] | Annotated[list[Sparsity], Tag("~many"), Field(min_length=1)],
        Discriminator(one_or_many),
    ] = Field(description="share of zero weights a layer; a list makes one variant a value")
    schedule: Literal["polynomial", "constant"] = Field("polynomial", description="how sparsity rises")
    begin_step: NonNegativeInt | None = Field(None, description="default: a fifth of all steps")
    end_step: PositiveInt | None = Field(None, description="default: three quarters of all steps")
    frequency: PositiveInt | None = Field(None, description="steps between mask updates; default: 1 to 100 by length")
    epochs: PositiveInt | None = Field(
        None, description="of fine-tuning, with start = baseline; default: training.epochs"
    )


class Quantize(Table):
    """`[[compression]]`: quantisation after training, by the TFLite converter."""

    method: Literal["float16", "dynamic_int8", "int8"] = Field(
        description="`float16` weights, `dynamic_int8` weights, `int8` weights and activations"
    )
    name: Name | None = Field(None, description="of the variant; default: the method")


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


def _compression_kind(raw: Any) -> str | None:  # noqa: ANN401 - pydantic gives whatever the file holds
    keys = raw if isinstance(raw, dict) else vars(raw) if isinstance(raw, Table) else {}
    for key in ("artifact", "predictions"):
        if key in keys:
            return f"~{key}"
    quantizers = {"float16", "dynamic_int8", "int8"}
    return {"prune": "~prune", **dict.fromkeys(quantizers, "~quantize")}.get(str(keys.get("method")))


Compression = Annotated[
    Annotated[Prune, Tag("~prune")]
    | Annotated[Quantize, Tag("~quantize")]
    | Annotated[Artifact, Tag("~artifact")]
    | Annotated[PredictionColumns, Tag("~predictions")],
    Discriminator(_compression_kind),
]
