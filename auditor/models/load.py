"""From a model file to a model: hash, check the pin, look inside, and only then open; always the same bytes."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.errors import ModelError, Problem
from auditor.models import LARGEST
from auditor.models.inspect import inspect_model
from auditor.models.interpreted import tflite_artifact
from auditor.models.opened import open_keras, open_onnx, open_saved_model
from auditor.models.protobuf import LARGEST_MESSAGE
from auditor.models.saved_model import PACKED, digest_of_members, members, pack
from auditor.regular import read_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from auditor.models import KerasModel
    from auditor.models.artifact import Artifact
    from auditor.models.config import ModelFacts


def read_pinned(path: Path, sha256: str | None) -> tuple[bytes, str]:
    """A file's bytes and their SHA-256. Raises ModelError where it is missing or is not the file that was pinned.

    The folder of a SavedModel is packed; its digest is that of the list of its files' digests.
    """
    content, found = read_model(path)
    if sha256 is not None and found != sha256:
        raise ModelError(
            Problem(
                file=str(path),
                where="sha256",
                message=f"the file has the digest {found}, the audit names {sha256}",
                advice="It is another file than the one meant: find the right one, or look at it and change the pin.",
            )
        )
    return content, found


def read_model(path: Path) -> tuple[bytes, str]:
    """A model's bytes and digest, as `read_pinned` gives them."""
    try:
        most = LARGEST_MESSAGE if path.suffix.lower() == ".onnx" else LARGEST
        content = pack(path) if path.is_dir() else read_regular(path, most)
    except OSError as error:
        file = str(error.filename or path)
        raise ModelError(Problem(file=file, message=f"it cannot be read: {error.strerror or error}")) from error
    if ending_of(path) == PACKED:
        return content, digest_of_members(members(content, str(path)))
    return content, hashlib.sha256(content).hexdigest()


def load_model(path: Path, sha256: str | None, trusted: Collection[str] = ()) -> Artifact:
    """The model in a file, ready to decide. Raises ModelError where the file is refused, before TensorFlow sees it."""
    content, _ = read_pinned(path, sha256)
    return open_model(content, ending_of(path), str(path), trusted)


def open_model(
    content: bytes,
    ending: str,
    file: str,
    trusted: Collection[str] = (),
    *,
    own: bool = False,
    output: str | None = None,
) -> Artifact:
    """The model in these bytes; `file` is its name in errors, `own` and `output` as in `inspect_model`."""
    facts = inspect_model(content, ending, file, trusted, own=own, output=output)
    try:
        return OPENERS[ending](content, facts)
    except (ValueError, TypeError, KeyError, OSError, RuntimeError, AttributeError) as error:
        raise ModelError(Problem(file=file, message=f"TensorFlow cannot open it: {error}")) from error


def ending_of(path: Path) -> str:
    """A file's ending in lower case, which says its format; a folder is a SavedModel."""
    return PACKED if path.is_dir() else path.suffix.lower()


def keras_bytes(model: KerasModel) -> bytes:
    """The model as a `.keras` file that is the same, byte for byte, whenever it is written."""
    import io  # noqa: PLC0415
    import zipfile  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        # The format is named: a thread that has loaded a model before, and did not import tf_keras, would write HDF5.
        model.save(path, save_format="keras_v3")
        with zipfile.ZipFile(path) as written:
            members = {name: written.read(name) for name in sorted(written.namelist())}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            # The date of the file and the one in its metadata are all that differs between two savings.
            archive.writestr(zipfile.ZipInfo(name), _undated(content) if name == "metadata.json" else content)
    return out.getvalue()


def _undated(metadata: bytes) -> bytes:
    import json  # noqa: PLC0415

    return json.dumps({**json.loads(metadata), "date_saved": "1980-01-01@00:00:00"}).encode()


OPENERS: dict[str, Callable[[bytes, ModelFacts], Artifact]] = {
    ".keras": open_keras,
    ".h5": open_keras,
    ".hdf5": open_keras,
    ".tflite": tflite_artifact,
    ".savedmodel": open_saved_model,
    ".onnx": open_onnx,
}
"""Where further formats attach, beside their inspector."""
