"""The shape of what the store holds: sealed again by another hand, an entry can be whole and yet no result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, JsonValue, ValidationError

from auditor.compress.summaries import LARGEST_EVENTS
from auditor.data.tfrecord_file import read_records
from auditor.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import DTypeLike

Count = Annotated[int, Field(ge=0)]
Amount = Annotated[FiniteFloat, Field(ge=0)]
_OPEN = ConfigDict(strict=True, extra="allow")


class _Sealed(BaseModel):
    """What every entry tells, also one that holds model inputs."""

    model_config = _OPEN

    definition: dict[str, JsonValue]
    files: dict[str, str]


class _Measured(BaseModel):
    """What is measured on every member; a family of compression may add to it."""

    model_config = _OPEN
    __pydantic_extra__: dict[str, JsonValue]

    bytes: Count
    bytes_gzipped: Count
    parameters: Count
    nonzero_parameters: Count
    sparsity: Amount
    latency_ms: Amount


class _Sandbox(BaseModel):
    """What was withheld from the process that made it."""

    model_config = ConfigDict(strict=True, extra="forbid")

    level: Literal["full", "partial", "none"]
    writes: bool
    network: bool
    memory: Count | None
    why: str


class _Ran(_Sealed):
    """What every entry of a job tells."""

    seconds: Amount
    memory: Count = 0
    """Bytes; 0 where it is not told."""
    sandbox: _Sandbox


class _Failed(_Ran):
    failure: str
    measured: dict[str, JsonValue]


class _Stack(_Ran):
    """Members that were trained together, and have decided nothing yet."""

    failure: None
    diverged: dict[str, Count]


class _Rehearsed(_Ran):
    """Methods that were tried on an untrained model, which nobody keeps."""

    failure: None


class _Finished(_Ran):
    failure: None
    measured: _Measured


def misshapen_facts(facts: object, *, of_job: bool = False) -> str:
    """Tell what is wrong with an entry's facts; empty where nothing is."""
    shape = _shape(facts) if of_job and isinstance(facts, dict) else _Sealed
    try:
        shape.model_validate(facts)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        return f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}"
    return ""


def _shape(facts: Mapping[str, object]) -> type[_Sealed]:
    if facts.get("failure") is not None:
        return _Failed
    definition = facts.get("definition")
    marks = definition if isinstance(definition, dict) else {}
    return _Stack if "seeds" in marks else _Rehearsed if "rehearsal" in marks else _Finished


def misshapen_array(path: Path, dtype: DTypeLike, shape: tuple[int, ...], classes: int) -> str:
    """Tell what is wrong with an array that holds decisions or probabilities; empty where nothing is."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)  # mapped: a header can declare any size
    except (OSError, ValueError, EOFError) as error:
        return f"cannot be read: {error}"
    if (array.dtype, array.shape) != (dtype, shape):
        return f"holds {array.dtype} {list(array.shape)}, not {np.dtype(dtype)} {list(shape)}"
    if array.dtype.kind == "i" and array.size and not (array.min() >= 0 and array.max() < classes):
        return f"holds {array.min()} to {array.max()}, which are not numbers of {classes} classes"
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        return "holds what is no finite number"
    return ""


def misshapen_events(path: Path) -> str:
    """Tell what is wrong with a file of events, where there is one; empty where nothing is."""
    if not path.exists():
        return ""
    if (size := path.stat().st_size) > LARGEST_EVENTS:
        return f"its {size:,} bytes are more than it may have ({LARGEST_EVENTS:,})"
    try:
        for _ in read_records(path):
            pass
    except DataError as error:
        problem = error.problems[0]
        return ": ".join(part for part in (problem.where, problem.message) if part)
    return ""
