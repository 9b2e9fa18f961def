"""Folders of SavedModels, packed and read without TensorFlow: what runs when they decide must only compute.

TensorFlow has operators that read and write files, call Python or other computers; loading runs none of them, the
first call does. Formats: saved_model.proto, graph.proto, function.proto of TensorFlow.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.errors import ModelError, Problem
from auditor.models import LARGEST
from auditor.models.protobuf import LARGEST_MESSAGE, Message
from auditor.models.saved_graph import Graph, running_objects, sizes
from auditor.regular import read_regular

if TYPE_CHECKING:
    from pathlib import Path

GRAPH = "saved_model.pb"
PACKED = ".savedmodel"
"""The ending of a folder that was packed into one file."""
_VARIABLES = re.compile(r"variables/variables\.(index|data-\d{5}-of-\d{5})", re.ASCII)
_LOOSE = frozenset({GRAPH, "fingerprint.pb", "keras_metadata.pb"})
_TYPES = {
    1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 9: "int64", 14: "bfloat16",
    19: "float16",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What a SavedModel can be asked."""

    name: str
    input: str
    type: str
    """Such as "float32"."""
    shape: tuple[int | None, ...]
    outputs: tuple[tuple[str, tuple[int | None, ...]], ...]
    """Name and shape of each."""
    operators: tuple[tuple[str, str], ...]
    """Name and kind of all that decides."""


def pack(folder: Path) -> bytes:
    """A SavedModel's folder as one archive, the same whenever it is made.

    Raises ModelError for what it never holds, OSError where a file cannot be read or all together are too large.
    """
    if not (folder / GRAPH).is_file():
        raise ModelError(Problem(file=str(folder), message=f"the folder is no SavedModel: it holds no {GRAPH}"))
    problems, left = [], LARGEST
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                problems.append(Problem(file=str(path), message="it is a link or a device: no part of a SavedModel"))
            elif path.is_file() and not _belongs(name):
                said = "it is no part of a SavedModel that is audited: tables and other assets are not read"
                problems.append(Problem(file=str(path), message=said))
            elif path.is_file():
                content = read_regular(path, LARGEST_MESSAGE if name in _LOOSE else left)
                left -= len(content)
                archive.writestr(zipfile.ZipInfo(name), content)
    if problems:
        raise ModelError(*problems)
    return out.getvalue()


def _belongs(name: str) -> bool:
    return name in _LOOSE or _VARIABLES.fullmatch(name) is not None


def members(content: bytes, file: str) -> dict[str, bytes]:
    """The files of a packed SavedModel. Raises ModelError where it is not as `pack` makes it."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            listed = archive.infolist()
            names = [member.filename for member in listed]
            stored = all(member.compress_type == zipfile.ZIP_STORED for member in listed)
            small = sum(member.file_size for member in listed) <= len(content)
            if len(set(names)) < len(names) or not all(map(_belongs, names)) or not (stored and small):
                raise ModelError(Problem(file=file, message="it is no packed SavedModel"))
            return {name: archive.read(name) for name in names}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise ModelError(Problem(file=file, message=f"it is no packed SavedModel: {error}")) from error


def digest_of_members(files: dict[str, bytes]) -> str:
    """SHA-256 of the list that `find . -type f | sort | xargs sha256sum` prints in the folder."""
    lines = (f"{hashlib.sha256(files[name]).hexdigest()}  ./{name}\n" for name in sorted(files))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def parse_saved_model(content: bytes, file: str) -> Signature:
    """Look into a packed SavedModel. Raises ModelError where it is damaged, or does anything but compute."""
    files = members(content, file)
    if GRAPH not in files:
        raise ModelError(Problem(file=file, message=f"there is no {GRAPH} in it"))
    try:
        graphs = Message(memoryview(files[GRAPH])).messages(2)
        # Only so does TensorFlow 2 load it as its own: older files name an operator that runs when they are loaded.
        if len(graphs) != 1 or not graphs[0].has(7) or "serve" not in graphs[0].message(1).texts(4):
            raise ModelError(Problem(file=file, message="it is not one graph for serving, saved by TensorFlow 2"))
        problems = [Problem(file=file, where=where, message=said) for where, said in running_objects(graphs[0])]
        if problems:
            raise ModelError(*problems)
        return _signature(graphs[0], file)
    except (ValueError, RecursionError) as error:
        raise ModelError(Problem(file=file, message=f"{GRAPH} is damaged: {error}")) from error


def _signature(meta: Message, file: str) -> Signature:
    signatures = {name: each for name, each in meta.entries(5).items() if each.has(1) and each.has(2)}
    name = next((each for each in ("serving_default", "serve") if each in signatures), "")
    if not name:
        said = f"it has no signature serving_default or serve, only {', '.join(signatures) or 'none'}"
        raise ModelError(Problem(file=file, message=said, advice="Save it with model.export(...)."))
    inputs, outputs = signatures[name].entries(1), signatures[name].entries(2)
    if len(inputs) != 1 or not outputs:
        said = f"its signature has {len(inputs)} inputs and {len(outputs)} outputs, not one of each"
        raise ModelError(Problem(file=file, message=said))
    asked, given = next(iter(inputs.items()))
    graph, returned = Graph(meta), [each.text(1) for each in outputs.values()]
    problems = [
        Problem(file=file, where=where, message=said) for where, said in dict.fromkeys(graph.refusals(name, returned))
    ]
    if problems:
        raise ModelError(*problems)
    return Signature(
        name=name,
        input=asked,
        type=_TYPES.get(given.number(2), "unknown"),
        shape=_shape(given.message(3)),
        outputs=tuple((name, _shape(each.message(3))) for name, each in outputs.items()),
        operators=tuple(graph.deciding(returned)),
    )


def _shape(shape: Message) -> tuple[int | None, ...]:
    """Sizes, None for those that are left open."""
    return tuple(None if size.number(1) >> 63 or not size.has(1) else size.number(1) for size in sizes(shape))
