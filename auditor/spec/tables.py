"""What all tables of audit.toml are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PositiveInt,
    Tag,
)
from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    from collections.abc import Iterator

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$", max_length=80)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Fraction = Annotated[float, Field(gt=0, lt=1)]
LabelValue = str | int | float | bool
CLASS = "{class}"
"""In the name of columns: stands for a class."""


class Table(BaseModel):
    """A TOML table: unknown keys are errors, values keep their type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def tables_in(*annotations: Any) -> Iterator[type[Table]]:  # noqa: ANN401 - annotations are anything
    """Give the tables that annotations speak of."""
    for annotation in annotations:
        if isinstance(annotation, type) and issubclass(annotation, Table):
            yield annotation
        elif isinstance(annotation, list):
            yield from tables_in(*annotation)
        else:
            yield from tables_in(*get_args(annotation))


class RepresentativeSet(Table):
    """`compression.calibration`: a representative set of its own; keys left out are those of `[data.calibration]`."""

    size: PositiveInt = Field(256, description="examples")
    select: Literal["random", "stratified"] = Field(
        "random",
        description="`random`: each example as likely; `stratified`: as many of each group, so far as it has them",
    )
    by: list[str] = Field(
        [], description="stratified only: attributes whose groups, of several their intersections, count alike"
    )
    without: dict[str, list[str]] = Field(
        {}, description='groups that are left out, to see what their absence does: `{ sex = ["Female"] }`'
    )


def one_or_many(raw: Any) -> str:  # noqa: ANN401 - pydantic gives whatever the file holds
    """Tell a list from a single value."""
    return "~many" if isinstance(raw, list) else "~one"


def _two(raw: Any) -> Any:  # noqa: ANN401 - pydantic gives whatever the file holds
    if not isinstance(raw, list | tuple) or len(raw) != 2:
        raise PydanticCustomError("pair", "should be a list of two whole numbers")
    return raw


Pair = Annotated[tuple[PositiveInt, PositiveInt], Field(strict=False), BeforeValidator(_two)]

OUTPUTS = "`probabilities` or `logits`: needed where a single output's file does not end in a sigmoid"
OUTPUT = "name of the one that is audited, where the file has several"
Outputs = Literal["probabilities", "logits"] | None


def _kind(raw: Any) -> str:  # noqa: ANN401 - pydantic gives whatever the file holds
    return "~many" if isinstance(raw, dict) else "~one"


Pins = Annotated[
    Annotated[Digest | None, Tag("~one")] | Annotated[dict[str, Digest], Tag("~many")], Discriminator(_kind)
]
"""A digest, or one for each text that the star of a path stands for."""

NamedGroup = Annotated[
    Annotated[str | None, Tag("~one")] | Annotated[dict[str, str], Tag("~many")], Discriminator(_kind)
]
"""A group as a table, or as it is written: "sex = Female, race = Black"."""
