"""What all rows of result.json share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=0, lt=2**53)]
"""Up to what every reader of JSON holds exactly: a larger one is no count of anything."""
Label = str | int | float | bool
Group = Annotated[
    dict[str, str],
    Field(description='{"sex": "Female", "race": "Black"}: attribute to group; {} is everybody'),
]


class Row(BaseModel):
    """An object of the file: unknown keys are errors, values keep their type, numbers are finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, serialize_by_alias=True)
