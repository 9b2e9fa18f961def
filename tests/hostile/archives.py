"""`.keras` files that are no such archive, or archives of something else."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import pickle
import struct
import tarfile
import zipfile

import numpy as np

from hostile.files import BREAKS, FILLS, MISLEADS, RUNS, Hostile
from hostile.makers import DENSE, LAMBDA, archive, keras_file, keras_parts, sequential

GOOD = sequential(DENSE)
WHOLE = keras_file(GOOD)


def _with(*more):
    return archive([*keras_parts(GOOD), *more])


def _linked():
    entry = zipfile.ZipInfo("model.weights.h5")
    entry.external_attr = 0o120777 << 16
    return _with((entry, "/etc/passwd"))


def _patched(content, signature, offset, kind, value, nth=0):
    """The content with a number of a zip header replaced."""
    place = -1
    for _ in range(nth + 1):
        place = content.index(signature, place + 1)
    found = bytearray(content)
    struct.pack_into(kind, found, place + offset, value)
    return bytes(found)


LOCAL, CENTRAL, END = b"PK\3\4", b"PK\1\2", b"PK\5\6"


def _npz(value):
    file = io.BytesIO()
    np.savez(file, a=np.array([value], object))
    return file.getvalue()


def _tar():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as out:
        for name, text in keras_parts(GOOD)[:2]:
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            out.addfile(entry, io.BytesIO(text.encode()))
    return file.getvalue()


def _members():
    second = json.dumps(sequential(LAMBDA))
    extra = {
        "duplicate_configuration": _with(("config.json", second)),
        "duplicate_weights": _with(("model.weights.h5", b"x")),
        "absolute_member": _with(("/etc/cron.d/evil", "x")),
        "member_above": _with(("../../evil.py", "x")),
        "member_of_windows": _with(("C:\\evil.py", "x")),
        "member_that_is_a_link": _linked(),
        "folder": _with(("assets/", "")),
        "member_of_another_case": archive([*keras_parts(GOOD)[:1], ("CONFIG.JSON", "{}"), *keras_parts(GOOD)[2:]]),
        "member_missing": archive(keras_parts(GOOD)[:2]),
        "empty_archive": archive([]),
        "archive_in_an_archive": archive([("model.keras", WHOLE)]),
        "npz_of_pickled_objects": _npz({"a": 1}),
        "torch_file": archive([("archive/data.pkl", pickle.dumps({})), ("archive/version", "3")]),
    }
    for name, content in extra.items():
        does = MISLEADS if "duplicate" in name else RUNS if "evil" in name else BREAKS
        yield Hostile(name=name, ending=".keras", content=content, said="its members are", does=does)


def _packed():
    zeros = archive([*keras_parts(GOOD)[:2], ("model.weights.h5", bytes(50 << 20))], zipfile.ZIP_DEFLATED)
    for name, content in {
        "deflate_bomb": zeros,
        "bzip2": keras_file(GOOD, stored=zipfile.ZIP_BZIP2),
        "lzma": keras_file(GOOD, stored=zipfile.ZIP_LZMA),
        "encrypted": _patched(_patched(WHOLE, CENTRAL, 8, "<H", 1), LOCAL, 6, "<H", 1),
        "unknown_compression": _patched(_patched(WHOLE, CENTRAL, 10, "<H", 99), LOCAL, 8, "<H", 99),
    }.items():
        yield Hostile(name=name, ending=".keras", content=content, said="compressed or encrypted", does=FILLS)


def _lying():
    checksum = struct.unpack_from("<I", WHOLE, WHOLE.index(CENTRAL) + 16)[0]
    big = _patched(WHOLE, CENTRAL, 24, "<I", 0xFFFFFFF0, nth=2)
    for name, content, said in (
        ("size_of_four_gigabytes", big, "declare more bytes than the file has"),
        ("other_name_within", WHOLE.replace(b"config.json", b"evilig.json", 1), "not a readable .keras file"),
        ("other_checksum", _patched(WHOLE, CENTRAL, 16, "<I", checksum ^ 1), "not a readable .keras file"),
        ("offset_beyond_the_end", _patched(WHOLE, CENTRAL, 42, "<I", 1 << 30), "not a readable .keras file"),
        ("directory_beyond_the_start", _patched(WHOLE, END, 16, "<I", 1 << 30), "not a readable .keras file"),
        ("thousands_of_members", archive((f"{number}", "") for number in range(5000)), "its members are"),
        ("end_missing", WHOLE[:-22], "not a readable .keras file"),
        ("start_missing", WHOLE[100:], "not a readable .keras file"),
        ("byte_of_weights_flipped", _flipped(), "not a readable .keras file"),
    ):
        yield Hostile(name=name, ending=".keras", content=content, said=said, does=MISLEADS)


def _flipped():
    place = WHOLE.index(b"\x89HDF") + 500
    return WHOLE[:place] + bytes([WHOLE[place] ^ 1]) + WHOLE[place + 1 :]


def _others():
    for name, content in {
        "tar": _tar(),
        "gzip": gzip.compress(WHOLE),
        "xz": lzma.compress(WHOLE),
        "rar": b"Rar!\x1a\x07\x01\x00" + bytes(100),
        "seven_zip": b"7z\xbc\xaf\x27\x1c" + bytes(100),
        "pickle": pickle.dumps(RUNS),
        "npy_of_pickled_objects": b"\x93NUMPY\x01\x00v\x00"
        + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117)
        + b"\n\x80\x04N.",
        "program": b"\x7fELF" + bytes(200),
        "page": b"<html><script>alert(1)</script></html>",
        "python": b"import os; os.system('true')\n",
    }.items():
        yield Hostile(
            name=f"keras_that_is_{name}", ending=".keras", content=content, said="not a readable .keras file", does=RUNS
        )


def _metadata():
    for name, text, said in (
        ("list", "[]", "written by Keras None"),
        ("text", '"2.21.0"', "written by Keras None"),
        ("object_for_a_version", '{"keras_version": {"2.": 1}}', "written by Keras {"),
        ("twice", '{"keras_version": "2.1", "keras_version": "3.0"}', "stands twice"),
        ("nothing", "", "cannot be read"),
    ):
        content = keras_file(GOOD, members={"metadata.json": text})
        yield Hostile(name=f"metadata_is_{name}", ending=".keras", content=content, said=said, does=MISLEADS)


def _endings():
    for ending in (".pkl", ".pt", ".pth", ".joblib", ".npz", ".py", ".yaml", ".safetensors.py", ""):
        name = f"ending{ending.replace('.', '_') or '_missing'}"
        yield Hostile(name=name, ending=ending, content=pickle.dumps({}), said="are not read", does=RUNS)


FILES = (*_members(), *_packed(), *_lying(), *_others(), *_metadata(), *_endings())
