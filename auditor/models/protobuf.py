"""Messages of protocol buffers as fields by number: ONNX and SavedModel files, without the code that made them."""

from __future__ import annotations

import struct
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_WIDTHS = {_FIXED64: 8, _FIXED32: 4}
LARGEST_MESSAGE = 2 << 30
"""Bytes of a file that is one message: no library reads a longer one."""
MOST_FIELDS = 2_000_000
"""Fields of a file that are looked at, those of messages in messages too: MobileNetV2 has 0.1 million."""


class _Fixed(int):
    """Of a fixed width, as reals are: where an integer is expected, others skip it."""


class _Left:
    """How many fields may still be looked at in a file: two bytes make one, which takes a hundred times its size."""

    __slots__ = ("fields",)

    def __init__(self) -> None:
        self.fields = MOST_FIELDS


class Message:
    """One message. Nothing in it points elsewhere, so that all of it is as large as the file at most.

    Every method raises ValueError where the bytes are no message, or the whole file has too many fields.
    """

    __slots__ = ("_left", "_values")

    def __init__(self, content: memoryview, left: _Left | None = None) -> None:
        self._values: dict[int, list[int | memoryview]] = {}
        self._left = left or _Left()
        for number, value in _fields(content):
            self._left.fields -= 1
            if self._left.fields < 0:
                raise ValueError(f"it has more than {MOST_FIELDS:,} fields")
            self._values.setdefault(number, []).append(value)

    def has(self, field: int) -> bool:
        """Whether the field is there at all."""
        return field in self._values

    def raw(self, field: int) -> list[memoryview]:
        """Every value of a field of bytes."""
        found = []
        for value in self._values.get(field, ()):
            if isinstance(value, int):
                raise ValueError(f"field {field} holds a number, not bytes")  # noqa: TRY004 - damage of the file
            found.append(value)
        return found

    def number(self, field: int) -> int:
        """An integer, 0 where it is absent; of several the last one counts."""
        values = self._values.get(field, [0])
        if any(not isinstance(value, int) or isinstance(value, _Fixed) for value in values):
            raise ValueError(f"field {field} holds bytes, not an integer")
        return int(values[-1])

    def numbers(self, field: int, *, most: int) -> list[int]:
        """Integers, packed or not; negative ones too. Where there are more than `most`, one more than that."""
        found: list[int] = []
        for value in self._values.get(field, ()):
            found += (
                [value] if isinstance(value, int) else islice(_varints(value), min(len(value), most + 1 - len(found)))
            )
            if len(found) > most:
                break
        return [value - (1 << 64) if value >> 63 else value for value in found]

    def text(self, field: int) -> str:
        """A text, "" where it is absent."""
        values = self.raw(field)
        return str(values[-1], "utf-8") if values else ""

    def texts(self, field: int) -> list[str]:
        """Every text of a field."""
        return [str(value, "utf-8") for value in self.raw(field)]

    def message(self, field: int) -> Message:
        """A message; an empty one where it is absent. Where it comes in several parts, they are one, as for others."""
        values = self.raw(field)
        return Message(values[0] if len(values) == 1 else memoryview(b"".join(values)), self._left)

    def messages(self, field: int, *, most: int = MOST_FIELDS) -> list[Message]:
        """Every message of a field. Raises ValueError where there are more than `most`."""
        values = self.raw(field)
        if len(values) > most:
            raise ValueError(f"field {field} stands there {len(values):,} times, not {most} at most")
        return [Message(value, self._left) for value in values]

    def entries(self, field: int) -> dict[str, Message]:
        """A map from text to messages."""
        return {entry.text(1): entry.message(2) for entry in self.messages(field)}


def _fields(content: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    place = 0
    while place < len(content):
        key, place = _varint(content, place)
        number, kind = key >> 3, key & 7
        # Others keep the lower 32 bits of a longer tag, and see another field than is seen here.
        if key > 0xFFFF_FFFF or number == 0:
            raise ValueError(f"there is no field {number}")
        if kind == _VARINT:
            value, place = _varint(content, place)
            yield number, value
            continue
        if kind == _BYTES:
            size, place = _varint(content, place)
        elif kind in _WIDTHS:
            size = _WIDTHS[kind]
        else:
            raise ValueError(f"field {number} is of a kind that does not exist, {kind}")
        if place + size > len(content):
            raise ValueError(f"field {number} reaches beyond its message's end")
        part = content[place : place + size]
        yield number, part if kind == _BYTES else _Fixed(struct.unpack("<Q" if size == 8 else "<I", part)[0])
        place += size


def _varint(content: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if place >= len(content):
            raise ValueError("a number reaches beyond the end")
        byte = content[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & 0xFFFF_FFFF_FFFF_FFFF, place
        shift += 7
        if shift > 63:
            raise ValueError("a number has more than 64 bits")


def _varints(content: memoryview) -> Iterator[int]:
    place = 0
    while place < len(content):
        value, place = _varint(content, place)
        yield value
