"""TFRecord files: records one after another, each with its length and the checksums of both. No TensorFlow."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

from auditor.data.crc32c import crc32c
from auditor.data.ordinary import opened
from auditor.data.streams import CHUNK_BYTES
from auditor.errors import DataError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import IO

    import numpy.typing as npt

LARGEST_RECORD = 64 << 20
MOST_AT_ONCE = 4096
MASK = np.uint32(0xA282EAD8)
GZIP = b"\x1f\x8b\x08"


def read_records(path: Path) -> Iterator[list[bytes]]:
    """All records, some at once; raises DataError naming the one that is damaged, cut off, or too large."""
    with opened(path) as file:
        head = file.read(12)
        # a length may begin as gzip does, but then its checksum is right
        if head.startswith(GZIP) and head[8:] != _masked([head[:8]]).tobytes():
            advice = "Unpack it first (gunzip)."
            raise DataError(Problem(file=str(path), message="it is packed by gzip, which is not read", advice=advice))
        file.seek(0)
        done = 0
        while batch := _batch(file, path, done):
            _verify(batch, path, done)
            yield [content for _, _, content, _ in batch]
            done += len(batch)


Framed = tuple[bytes, int, bytes, int]
"""The eight bytes of the length and their checksum, the content and its checksum."""


def _batch(file: IO[bytes], path: Path, done: int) -> list[Framed]:
    """The next records, about as many as make a chunk."""
    batch: list[Framed] = []
    size = 0
    while size < CHUNK_BYTES and len(batch) < MOST_AT_ONCE and (head := file.read(12)):
        number = done + len(batch) + 1
        length = int.from_bytes(head[:8], "little")
        if len(head) == 12 and length > LARGEST_RECORD:
            framed = (head[:8], int.from_bytes(head[8:], "little"), b"", int(_masked([b""])[0]))
            _verify([*batch, framed], path, done)  # a length that is damaged is told as such
            raise DataError(_problem(path, number, f"{length:,} bytes are more than a record may have"))
        content = file.read(length + 4) if len(head) == 12 else b""
        if len(head) < 12 or len(content) < length + 4:
            _verify(batch, path, done)
            raise DataError(_problem(path, number, "the file ends in it: it is cut off"))
        batch.append((head[:8], *struct.unpack("<I", head[8:]), content[:-4], *struct.unpack("<I", content[-4:])))
        size += length
    return batch


def _verify(batch: Sequence[Framed], path: Path, done: int) -> None:
    if not batch:
        return
    lengths, of_lengths, contents, of_contents = zip(*batch, strict=True)
    right = (_masked(lengths) == of_lengths) & (_masked(contents) == of_contents)
    if not right.all():
        raise DataError(_problem(path, done + int(np.argmin(right)) + 1, "it is damaged: its checksum differs"))


def _masked(strings: Sequence[bytes]) -> npt.NDArray[np.uint32]:
    """Checksums as they stand in the file: turned by 15 bits, and shifted."""
    sums = crc32c(strings)
    return (sums >> np.uint32(15) | sums << np.uint32(17)) + MASK


def _problem(path: Path, number: int, message: str) -> Problem:
    return Problem(file=str(path), where=f"record {number:,}", message=message)
