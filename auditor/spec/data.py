"""`[data]`: where the examples come from, and how a model reads them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    Tag,
)

from auditor.spec.tables import Fraction, LabelValue, Pair, RepresentativeSet, Table


class SplitColumn(Table):
    """`data.split`: a column that names the split of each row."""

    column: str = Field(description="its name")
    train: LabelValue = Field("train", description="value of the rows to train on")
    test: LabelValue = Field("test", description="value of the rows to test on")


class SplitFractions(Table):
    """`data.split`: seeded and random."""

    test: Fraction = Field(0.3, description="share of the examples (of the ids, where there is one)")
    seed: NonNegativeInt | None = Field(None, description="default: audit.seed")


class SplitPaths(Table):
    """`data.split`: one file a split."""

    train_path: str | None = Field(None, description="default: data.path")
    test_path: str = Field(description="the test split")


def _split_kind(raw: Any) -> str:  # noqa: ANN401 - pydantic gives whatever the file holds
    if isinstance(raw, dict):
        return "~column" if "column" in raw else "~paths" if {"test_path", "train_path"} & raw.keys() else "~fractions"
    kinds: dict[type, str] = {SplitColumn: "~column", SplitFractions: "~fractions", SplitPaths: "~paths"}
    return kinds.get(type(raw), "~all")


Split = Annotated[
    Annotated[SplitColumn, Tag("~column")]
    | Annotated[SplitFractions, Tag("~fractions")]
    | Annotated[SplitPaths, Tag("~paths")]
    | Annotated[Literal["all"], Tag("~all")],
    Discriminator(_split_kind),
]


class Sample(Table):
    """`data.sample`: a random part of each split, by audit.seed."""

    train: PositiveInt | None = Field(None, description="examples to train on; default: the whole split")
    test: PositiveInt | None = Field(None, description="examples to test on; default: the whole split")
    balanced: bool = Field(False, description="whether a part holds as many examples of each class")


class Features(Table):
    """`[data.features]`: which columns of a table the model reads."""

    use: list[str] | None = Field(None, description="columns; default: all but label, split, id and attributes")
    drop: list[str] = Field([], description="columns left out")
    text_limit: PositiveInt = Field(1000, description="most distinct values of a text column before it is an error")


class Text(Table):
    """`data.text`: a column of a table that the model reads as numbers of words."""

    column: str = Field(description="its name; the model reads nothing else")
    vocabulary: int = Field(
        10_000,
        ge=3,
        lt=2**24,
        description="numbers are below it: 0 no word, 1 unknown, then the most frequent words of the training split",
    )
    length: PositiveInt = Field(200, description="words of a text that are read; shorter texts end in zeros")


class Calibration(RepresentativeSet):
    """`[data.calibration]`: the representative set that int8, int16x8 and qat are calibrated on."""

    split: LabelValue | None = Field(None, description="value of the split column; default: the training split")


class Preprocess(Table):
    """`data.preprocess`: from image to model input."""

    crop: tuple[NonNegativeInt, NonNegativeInt, PositiveInt, PositiveInt] | None = Field(
        None, description="left, top, right, bottom, in pixels", strict=False
    )
    resize: Pair | None = Field(None, description="width, height, bilinear; default [64, 64]")
    color: Literal["rgb", "bgr", "grey"] = Field("rgb", description="channels")
    scale: PositiveFloat = Field(255.0, description="input = (pixel / scale + offset - mean) / std")
    offset: float = Field(0.0, description="see scale")
    mean: list[float] = Field([], max_length=3, description="one a channel, or one for all; default: 0")
    std: list[PositiveFloat] = Field([], max_length=3, description="one a channel, or one for all; default: 1")
    function: str | None = Field(
        None,
        description='"package.module:function" of your own instead of scale, offset, mean and std: from pixels, '
        "float32 [n, height, width, channels], 0 to 255, to the model's input, float32 [n, ...]",
    )


class OwnScaling(Table):
    """`preprocess` of an artifact: how this file reads the same inputs, in place of what `data.preprocess` computes."""

    scale: PositiveFloat = Field(description="input = (x / scale + offset - mean) / std: x is the pixel, or the number")
    offset: float = Field(0.0, description="see scale")
    mean: list[float] = Field([], description="one a channel (the last axis), or one for all; default: 0")
    std: list[PositiveFloat] = Field([], description="one a channel (the last axis), or one for all; default: 1")


def _preprocess(raw: Any) -> Any:  # noqa: ANN401 - pydantic gives whatever the file holds
    return {"function": raw} if isinstance(raw, str) else raw


AnyPreprocess = Annotated[Preprocess, BeforeValidator(_preprocess, json_schema_input_type=Preprocess | str)]


def _classes_kind(raw: Any) -> str:  # noqa: ANN401 - pydantic gives whatever the file holds
    return "~map" if isinstance(raw, dict) else "~order"


OutputNumber = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,5})$")]
Classes = Annotated[
    Annotated[list[LabelValue] | None, Tag("~order")]
    | Annotated[dict[OutputNumber, LabelValue], Tag("~map"), Field(min_length=1)],
    Discriminator(_classes_kind),
]


class RecordFeature(Table):
    """`[data.tfrecord.NAME]`: a feature of the records."""

    kind: Literal["image", "int", "float", "string"] = Field(
        description="`image`: the bytes of a PNG or JPEG file; `int`, `float`: numbers; `string`: a text"
    )
    shape: list[PositiveInt] = Field([], description="of numbers that the model reads; default: one value")


SourceName = Literal["table", "images", "arrays", "celeba", "cifar10", "cifar100", "tfrecord", "tfds", "predictions"]


class Long(Table):
    """`data.long`: the columns of predictions that have a row an example, variant and member."""

    example: str = Field("example", description="column: which example")
    variant: str = Field("variant", description="column: which variant, as `predictions` names it")
    member: str | None = Field(None, description="column: which member; left out: every variant is one model")
    decision: str | None = Field(None, description="column: the decided class")
    probability: str | None = Field(
        None, description='instead: column of the positive class\'s probability, or "p_{class}": one a class'
    )


class Data(Table):
    """`[data]`: where the examples come from."""

    source: SourceName | None = Field(
        None,
        description="`table` (CSV, Parquet), `images` (a manifest, or class folders), `arrays` (npz, or a folder of "
        "npy), `celeba`, `cifar10`, `cifar100`, `tfrecord`, `tfds` (prepared by TensorFlow Datasets), `predictions`; "
        "default: from the path's ending",
    )
    path: str = Field(
        description="file, or the folder of the images, arrays or official files; for tfrecord a pattern, such as "
        "`train-*.tfrecord`; for tfds its data_dir"
    )
    label: str = Field(
        description="column or array that holds the true class; for celeba one of the 40 attributes, for cifar10 "
        "`label`, for cifar100 `fine_label` or `coarse_label`; class folders: what to call the class"
    )
    name: str | None = Field(None, description="of a tfds data set, such as `celeb_a:2.1.0`")
    input: str | None = Field(
        None,
        description='what the model reads: an array (default "x"), a feature of records (default "image"), or the '
        'column of a table that names the image file (default "image")',
    )
    table: str | None = Field(
        None, description="attributes of class folders or of cifar, CSV or Parquet: one row an example"
    )
    positive: LabelValue | None = Field(None, description="binary tasks: the class that recall and selection are about")
    predictions: list[str] | None = Field(
        None,
        min_length=1,
        description='files of predictions beside `path`, joined by `example`: ["base.parquet", "runs/int8_*.parquet"]',
    )
    example: str | None = Field(None, description="column of a predictions table that names each example")
    long: Long | None = Field(None, description="predictions with a row an example, variant and member")
    threshold: float | None = Field(
        None,
        ge=0,
        le=1,
        description="predictions are probabilities of the positive class, which is decided for from here on; inclusive",
    )
    split: Split | None = Field(
        None,
        description='`{ column, train, test }`, `{ test = 0.3, seed }`, `{ train_path, test_path }`, or "all": '
        "everything is test; default: a column named `split`, else 30% test",
    )
    sample: Sample | None = Field(
        None, description="a part of each split: `{ train = 10000, test = 2000, balanced = true }`; default: all of it"
    )
    id: str | None = Field(None, description="examples that share it are one cluster: intervals go by cluster")
    classes: Classes = Field(
        None,
        description="the model's output order; default: sorted; or, where a model tells more apart than the label, a "
        'table of output and class, `{ 3 = "yes" }`: the largest of all outputs decides first; of two classes the '
        "other stands for all outputs that are not named",
    )
    features: Features = Field(Features(), description="columns that a table's model reads")
    text: Text | None = Field(None, description="a column of texts, read as numbers of words instead")
    tfrecord: dict[str, RecordFeature] = Field({}, description="features of records, by name")
    calibration: Calibration = Field(Calibration(), description="representative set for int8")
    preprocess: AnyPreprocess = Field(
        Preprocess(), description="from image to model input: a table, or only its `function`"
    )
