"""tf.train.Example, read from its bytes (Protocol Buffers): the features that are asked for, and no others."""

from __future__ import annotations

import math
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import numpy.typing as npt

    from auditor.spec import RecordFeature

_T = TypeVar("_T")
VARINT, FIXED64, DELIMITED, FIXED32 = 0, 1, 2, 5
LISTS = {"image": 1, "string": 1, "float": 2, "int": 3}
"""The number of the list in a Feature that holds values of a kind."""
LIST_NAMES = {1: "bytes", 2: "floats", 3: "whole numbers"}


class ExampleError(ValueError):
    """The record is no Example, or a feature is not what is declared."""


def read_example(record: bytes, wanted: Mapping[str, RecordFeature]) -> dict[str, Any]:
    """The wanted features: bytes, text, a number, or an array of the declared shape; raises ExampleError."""
    try:
        found = _features(memoryview(record), wanted)
        return {name: _value(name, found.get(name), feature) for name, feature in wanted.items()}
    except (IndexError, OverflowError) as error:
        raise ExampleError("it is no tf.train.Example") from error


def _features(record: memoryview, wanted: Mapping[str, RecordFeature]) -> dict[str, memoryview]:
    """The bytes of each wanted Feature; as in Protocol Buffers, the last of one name counts."""
    found: dict[str, memoryview] = {}
    for features in _delimited(record, 1):
        for entry in _delimited(features, 1):
            title, value = _last(_delimited(entry, 1)), _last(_delimited(entry, 2))
            name = "" if title is None else bytes(title).decode("utf-8", errors="replace")
            if name in wanted and value is not None:
                found[name] = value
    return found


def _value(name: str, feature: memoryview | None, declared: RecordFeature) -> Any:  # noqa: ANN401 - by kind
    if feature is None:
        raise ExampleError(f'there is no feature "{name}"')
    present = ((number, content) for number, _, content in _fields(feature) if number in LIST_NAMES)
    number, content = _last(present) or (0, memoryview(b""))
    if number != LISTS[declared.kind]:
        held = LIST_NAMES.get(number, "nothing")
        raise ExampleError(f'feature "{name}" holds {held}, and is declared to be {declared.kind}')
    count = math.prod(declared.shape)
    values = _values(content, number, count)
    if len(values) != count:
        held = f"{len(values):,}" if len(values) < count else f"more than {count:,}"
        raise ExampleError(f'feature "{name}" has {held} values, and its shape {declared.shape} has {count:,}')
    if declared.kind == "image":
        return bytes(values[0])
    if declared.kind == "string":
        return _text(name, bytes(values[0]))
    return np.asarray(values).reshape(declared.shape) if declared.shape else values[0]


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ExampleError(f'feature "{name}" is no UTF-8 text') from error


def _values(content: Any, number: int, most: int) -> Any:  # noqa: ANN401 - by number
    """The values of a list, each by itself or numbers packed one after another; hardly more of them than `most`."""
    if number == 1:
        return list(islice(_delimited(content, 1), most + 1))
    parts: list[npt.NDArray[Any]] = []
    found = 0
    for field, _, held in _fields(content):
        if field != 1:
            continue
        if number == 2:
            parts.append(_floats(held))
        else:
            parts.append(_integers(held))
        found += parts[-1].size
        if found > most:
            break
    return np.concatenate(parts) if parts else np.zeros(0)


def _floats(content: memoryview) -> npt.NDArray[np.float32]:
    if len(content) % 4:
        raise ExampleError("it is no tf.train.Example")
    return np.frombuffer(content, "<f4")


def _integers(content: memoryview) -> npt.NDArray[np.int64]:
    """Varints one after another: seven bits a byte, the lowest first; the top bit says that more follow."""
    held = np.frombuffer(content, dtype=np.uint8)
    if not held.size:
        return np.zeros(0, dtype=np.int64)
    ends = np.flatnonzero(held < 0x80)
    starts = np.append(0, ends[:-1] + 1)
    if not ends.size or ends[-1] != held.size - 1 or (ends - starts).max() > 9:
        raise ExampleError("it is no tf.train.Example")
    shift = 7 * (np.arange(held.size) - np.repeat(starts, ends - starts + 1))
    return np.add.reduceat((held & 0x7F).astype(np.uint64) << shift.astype(np.uint64), starts).view(np.int64)


def _last(found: Iterable[_T]) -> _T | None:
    """The last one, the others not kept; None where there is none."""
    return next(iter(deque(found, maxlen=1)), None)


def _delimited(content: memoryview, wanted: int) -> Iterator[memoryview]:
    return (held for number, wire, held in _fields(content) if number == wanted and wire == DELIMITED)


def _fields(content: memoryview) -> Iterator[tuple[int, int, memoryview]]:
    """Number, wire type and bytes of each field; raises IndexError where the bytes end in one."""
    at = 0
    while at < len(content):
        key, at = _varint(content, at)
        wire, start = key & 7, at
        if wire == VARINT:
            _, at = _varint(content, at)
        elif wire == DELIMITED:
            length, start = _varint(content, at)
            at = start + length
        elif wire in {FIXED64, FIXED32}:
            at += 8 if wire == FIXED64 else 4
        else:
            raise ExampleError("it is no tf.train.Example")
        if at > len(content):
            raise IndexError
        yield key >> 3, wire, content[start:at]


def _varint(content: memoryview, at: int) -> tuple[int, int]:
    """The number that begins there, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ExampleError("it is no tf.train.Example")
