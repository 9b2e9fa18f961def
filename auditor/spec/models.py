"""`[model]`, `[training]` and `[population]`: what is compressed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    Discriminator,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    Tag,
)

from auditor.spec.tables import OUTPUT, OUTPUTS, Outputs, Pins, Table


class Model(Table):
    """`[model]`: the baseline: an architecture to train, a trained file, or columns of a predictions table."""

    architecture: str | None = Field(
        None,
        description="`mlp`, `cnn`, `resnet18`, `wide_resnet`, `resnet50`, `inception_v3`, `mobilenet_v2`, or "
        '"package.module:function" to train',
    )
    options: dict[str, Any] = Field({}, description="arguments of the architecture, such as `{ hidden = [64, 32] }`")
    path: str | None = Field(
        None,
        description="a trained model: `.keras`, `.h5` or `.hdf5` (of Keras 3 or tf_keras), `.tflite`, `.onnx`, or the "
        'folder of a SavedModel; with a star, "runs/*/base.keras", a population of them',
    )
    sha256: Pins = Field(None, description="digest that the file must have; with a star a table of them")
    output: str | None = Field(None, description=OUTPUT)
    outputs: Outputs = Field(None, description=OUTPUTS)
    predictions: str | None = Field(
        None,
        description='columns of a predictions table, one a member: "base_*"; one a member and class: '
        '"base_*_p_{class}"; those of base.parquet among `data.predictions`: "base/member_*"; with `data.long` a value '
        "of its variant column",
    )


class Schedule(Table):
    """`training.learning_rate`: falling while a member trains, in epochs."""

    kind: Literal["step", "cosine"] = Field(description="`step`: in steps, at boundaries; `cosine`: to 0 at the end")
    initial: PositiveFloat = Field(description="the highest rate")
    boundaries: list[PositiveInt] = Field([], description="step only: epochs after which the rate is multiplied")
    factor: PositiveFloat = Field(0.1, description="step only: by what")
    warmup: NonNegativeInt = Field(0, description="epochs in which the rate first rises from 0 to initial, in a line")


class Augment(Table):
    """`training.augment`: random changes of training images, drawn from the member's seed."""

    flip: bool = Field(False, description="half of the images are mirrored, left to right")
    crop: NonNegativeInt = Field(0, description="pixels of zeros around an image, of which a part of its size is cut")


def _number_or_table(raw: Any) -> str:  # noqa: ANN401 - pydantic gives whatever the file holds
    return "~table" if isinstance(raw, dict | Table) else "~number"


class Training(Table):
    """`[training]`: only where something is trained."""

    epochs: PositiveInt = Field(10, description="passes over the training split")
    batch_size: PositiveInt = Field(128, description="examples a step")
    optimizer: Literal["adam", "adamw", "sgd"] = Field("adam", description="of tf_keras")
    learning_rate: Annotated[
        Annotated[PositiveFloat, Tag("~number")] | Annotated[Schedule, Tag("~table")], Discriminator(_number_or_table)
    ] = Field(
        1e-3,
        description="a number, or a schedule such as "
        '`{ kind = "step", initial = 0.1, boundaries = [60, 120, 160], factor = 0.2 }`',
    )
    momentum: float = Field(0.0, ge=0, lt=1, description="sgd only")
    nesterov: bool = Field(False, description="sgd with momentum only: Nesterov's")
    weight_decay: float = Field(0.0, ge=0, description="decoupled, a step")
    label_smoothing: float = Field(
        0.0, ge=0, lt=1, description="share of a label that is spread evenly over all classes in the loss"
    )
    augment: Augment | None = Field(None, description="images only, such as `{ flip = true, crop = 4 }`")
    stacked: Literal["auto"] | bool = Field(
        "auto",
        description="members of a dense model are trained side by side in one compiled loop: auto: the built-in mlp on "
        "a table; true: also a function of your own; false: each by itself",
    )


class PopulationTable(Table):
    """`[population]`: how many models a variant, and where they start."""

    size: PositiveInt = Field(10, description="members a variant")
    minimum: PositiveInt | None = Field(
        None, description="members that must finish, else UNDEFINED; default: all that were asked for"
    )
    start: Literal["scratch", "baseline"] = Field(
        "scratch",
        description="`scratch`: trained anew and pruned meanwhile, unpaired; "
        "`baseline`: baseline member k is pruned and fine-tuned, paired",
    )
