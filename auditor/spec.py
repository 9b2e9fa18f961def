"""What audit.toml may say: one class a table, one field a key. The reference in the README is made from this file."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    Tag,
)

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$", max_length=80)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Fraction = Annotated[float, Field(gt=0, lt=1)]
LabelValue = str | int | float | bool
CLASS = "{class}"
"""In the name of columns: stands for a class."""


class Table(BaseModel):
    """A TOML table: unknown keys are errors, values keep their type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


_OUTPUTS = "`probabilities` or `logits`: needed where a single output's file does not end in a sigmoid"
Outputs = Literal["probabilities", "logits"] | None


def _pins_kind(raw: Any) -> str:  # noqa: ANN401 - pydantic gives whatever the file holds
    return "~many" if isinstance(raw, dict) else "~one"


Pins = Annotated[
    Annotated[Digest | None, Tag("~one")] | Annotated[dict[str, Digest], Tag("~many")], Discriminator(_pins_kind)
]
"""A digest, or one for each text that the star of a path stands for."""


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
    outputs: Outputs = Field(None, description=_OUTPUTS)
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


class Calibration(Table):
    """`[data.calibration]`: the representative set that int8 is calibrated on."""

    size: PositiveInt = Field(256, description="examples")
    split: LabelValue | None = Field(None, description="value of the split column; default: the training split")


class Preprocess(Table):
    """`data.preprocess`: from image to model input."""

    crop: tuple[NonNegativeInt, NonNegativeInt, PositiveInt, PositiveInt] | None = Field(
        None, description="left, top, right, bottom, in pixels", strict=False
    )
    resize: tuple[PositiveInt, PositiveInt] | None = Field(
        None, description="width, height, bilinear; default [64, 64]", strict=False
    )
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


Sparsity = Annotated[float, Field(ge=0, lt=1)]


def _one_or_many(raw: Any) -> str:  # noqa: ANN401 - pydantic gives whatever the file holds
    return "~many" if isinstance(raw, list) else "~one"


class Prune(Table):
    """`[[compression]]`: magnitude pruning (Zhu and Gupta 2017), by TFMOT."""

    method: Literal["prune"] = Field(description="`prune`")
    name: Name | None = Field(
        None, description="of the variant; default: pruned, and the sparsity where there are several"
    )
    sparsity: Annotated[
        Annotated[Sparsity, Tag("~one")] | Annotated[list[Sparsity], Tag("~many"), Field(min_length=1)],
        Discriminator(_one_or_many),
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
    outputs: Outputs = Field(None, description="as model.outputs, which is the default")
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
    Annotated[str, Tag("~one")] | Annotated[list[str], Tag("~many"), Field(min_length=1)], Discriminator(_one_or_many)
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


Format = Literal["html", "pdf", "json", "markdown"]


class Report(Table):
    """`[report]`: what is written."""

    formats: list[Format] = Field(["html", "pdf", "json", "markdown"], description="`result.json` is written always")


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
    intersection: list[Intersection] = []
    compression: list[Compression] = Field(min_length=1)
    statistics: Statistics = Statistics()
    gate: list[GateTable] = []
    run: Run = Run()
    report: Report = Report()
