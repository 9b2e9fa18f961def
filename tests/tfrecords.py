"""TFRecord files and the Examples in them, written by hand: what tests of their readers start from."""

from __future__ import annotations

import struct

from auditor.data.crc32c import crc32c


def varint(value):
    value %= 1 << 64
    out = b""
    while value >= 128:
        out += bytes([value % 128 + 128])
        value //= 128
    return out + bytes([value])


def field(number, content):
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def feature(values):
    if isinstance(values[0], bytes):
        return field(1, b"".join(field(1, value) for value in values))
    if isinstance(values[0], float):
        return field(2, field(1, struct.pack(f"<{len(values)}f", *values)))
    return field(3, field(1, b"".join(map(varint, values))))


def example(held):
    entries = (field(1, field(1, name.encode()) + field(2, feature(values))) for name, values in held.items())
    return field(1, b"".join(entries))


def masked(content):
    (one,) = crc32c([content]).tolist()
    return struct.pack("<I", ((one >> 15 | one << 17) + 0xA282EAD8) % 2**32)


def record(content):
    length = struct.pack("<Q", len(content))
    return length + masked(length) + content + masked(content)


def write(path, people):
    path.write_bytes(b"".join(record(example(one)) for one in people))
