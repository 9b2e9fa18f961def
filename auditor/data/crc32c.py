"""CRC-32C (Castagnoli) of many byte strings at once: the checksum of TFRecord files, which no library at hand gives."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Sums = npt.NDArray[np.uint32]

POLYNOMIAL = 0x82F63B78
PIECE = 4096
"""Most bytes that are gone through one after another; all pieces of all strings go side by side."""
ONES = np.uint32(0xFFFFFFFF)


@lru_cache
def _table() -> Sums:
    """What each byte makes of an empty register."""
    register = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        register = np.where(register & 1, register >> 1 ^ np.uint32(POLYNOMIAL), register >> 1)
    return register


def _run(register: Sums, columns: npt.NDArray[np.uint8]) -> Sums:
    """The registers, [n], after as many bytes each, [bytes, n]."""
    table = _table()
    for column in columns:
        register = table[(register ^ column) & 0xFF] ^ register >> 8
    return register


@lru_cache
def _far() -> Sums:
    """What a piece of zeros makes of each byte of a register, [4, 256]: registers are sums (XOR) of their bytes."""
    bytes_alone = (np.arange(256, dtype=np.uint32) << np.arange(0, 32, 8, dtype=np.uint32)[:, None]).reshape(-1)
    return _run(bytes_alone, np.zeros((PIECE, 1), dtype=np.uint8)).reshape(4, 256)


def crc32c(strings: Sequence[bytes | memoryview]) -> Sums:
    """The checksum of each string.

    Long ones are cut into pieces from their end, and all are filled with zeros in front, which leave an empty register
    as it is. To begin with a register of ones, as is defined, is to begin with an empty one and invert four bytes.
    """
    length = min(PIECE, max(4, *map(len, strings)))
    pieces = [max(1, -(-len(string) // length)) for string in strings]
    ends = np.cumsum(pieces)
    content = np.zeros((int(ends[-1]), length), dtype=np.uint8)
    flat = content.reshape(-1)
    for string, end in zip(strings, ends * length, strict=True):
        flat[end - len(string) : end] = np.frombuffer(string, dtype=np.uint8)
        if len(string) >= 4:
            flat[end - len(string) : end - len(string) + 4] ^= 0xFF
    alone = _run(np.zeros(len(content), dtype=np.uint32), np.ascontiguousarray(content.T))
    sums = _joined(alone, np.array(pieces), ends)
    for place, string in enumerate(strings):
        if len(string) < 4:
            sums[place] = _run(np.array([ONES]), np.frombuffer(string, dtype=np.uint8).reshape(-1, 1))[0]
    return sums ^ ONES


def _joined(alone: Sums, pieces: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> Sums:
    """The registers of whole strings from those of their pieces."""
    far, register = _far(), np.zeros(len(pieces), dtype=np.uint32)
    for behind in range(int(pieces.max()) - 1, -1, -1):
        has = np.flatnonzero(pieces > behind)
        before = register[has]
        moved = far[0][before & 0xFF] ^ far[1][before >> 8 & 0xFF] ^ far[2][before >> 16 & 0xFF] ^ far[3][before >> 24]
        register[has] = moved ^ alone[ends[has] - 1 - behind]
    return register
