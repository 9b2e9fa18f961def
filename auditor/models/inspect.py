"""Look at a model file before anything opens it: its bytes, without TensorFlow. security.md, "Models"."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

from auditor.errors import ModelError, Problem, did_you_mean
from auditor.models.apart import check_apart, config_apart
from auditor.models.config import ModelFacts, read_config
from auditor.models.hdf5 import parse_json
from auditor.models.tflite import parse_tflite

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_MEMBERS = {CONFIG, METADATA, WEIGHTS}
_CONFIG_LIMIT = 64 << 20
"""Bytes of a configuration; the largest published models have under 2 MB."""


def inspect_model(
    content: bytes, ending: str, file: str, trusted: Collection[str] = (), *, own: bool = False
) -> ModelFacts:
    """Facts of a file's bytes. Raises ModelError with everything that is refused, naming layer or operation.

    `own`: this process has written them itself, a moment ago: their weights need no process apart to look at them.
    """
    if own and ending == ".keras":
        return _inspect_keras(content, file, trusted, own=True)
    if ending not in INSPECTORS:
        advice = did_you_mean(ending, INSPECTORS)
        raise ModelError(Problem(file=file, message=f'files that end in "{ending}" are not read', advice=advice))
    try:
        return INSPECTORS[ending](content, file, trusted)
    except ModelError:
        raise
    except Exception as error:  # what h5py, zipfile and json raise on damaged files is not told by their documentation
        said = f"it cannot be read: {type(error).__name__}: {error}"
        raise ModelError(Problem(file=file, message=said)) from error


def _inspect_keras(content: bytes, file: str, trusted: Collection[str], *, own: bool = False) -> ModelFacts:
    config, metadata, weights = _members(content, file)
    facts = parse_json(metadata, file)
    version = facts.get("keras_version") if isinstance(facts, dict) else None
    if not str(version).startswith("2."):
        raise ModelError(
            Problem(
                file=file,
                message=f"it was written by Keras {version}; this version reads files of tf_keras (Keras 2)",
                advice="Save it with tf_keras, or convert it to .tflite.",
            )
        )
    if not own:
        check_apart(weights, file)
    return read_config(parse_json(config, file), file, ".keras", trusted)


def _inspect_h5(content: bytes, file: str, trusted: Collection[str]) -> ModelFacts:
    return read_config(parse_json(config_apart(content, file), file), file, ".h5", trusted)


def _inspect_tflite(content: bytes, file: str, trusted: Collection[str]) -> ModelFacts:  # noqa: ARG001 - one signature
    parsed = parse_tflite(content, file)
    if len(parsed.inputs) != 1 or len(parsed.outputs) != 1:
        said = f"the model has {len(parsed.inputs)} inputs and {len(parsed.outputs)} outputs, not one of each"
        raise ModelError(Problem(file=file, message=said))
    # Quantised models end by turning integers back to reals: that is no activation.
    ends = [name for name in parsed.operations if name not in {"DEQUANTIZE", "QUANTIZE", "RESHAPE"}]
    last = ends[-1] if ends else ""
    return ModelFacts(
        ending=".tflite",
        layers=tuple((str(number), name) for number, name in enumerate(parsed.operations)),
        input_shape=parsed.inputs[0].shape[1:],
        outputs=parsed.outputs[0].shape[-1] if parsed.outputs[0].shape else None,
        activation={"SOFTMAX": "softmax", "LOGISTIC": "sigmoid"}.get(last),
    )


INSPECTORS: dict[str, Callable[[bytes, str, Collection[str]], ModelFacts]] = {
    ".keras": _inspect_keras,
    ".h5": _inspect_h5,
    ".hdf5": _inspect_h5,
    ".tflite": _inspect_tflite,
}


def _members(content: bytes, file: str) -> tuple[bytes, bytes, bytes]:
    """Configuration, metadata and weights of a `.keras` file, whose members must be exactly these, uncompressed."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if said := _archive_refusal(archive.infolist(), len(content)):
                raise ModelError(Problem(file=file, message=said))
            return archive.read(CONFIG), archive.read(METADATA), archive.read(WEIGHTS)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise ModelError(Problem(file=file, message=f"it is not a readable .keras file: {error}")) from error


def _archive_refusal(members: list[zipfile.ZipInfo], size: int) -> str | None:
    names = sorted(member.filename for member in members)
    if names != sorted(_MEMBERS):
        return f"its members are {', '.join(names) or 'none'}, not {', '.join(sorted(_MEMBERS))}"
    # Keras stores without compression, so that no member can be larger than the file.
    if any(member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1 for member in members):
        return "its members are compressed or encrypted, as Keras never writes them"
    if sum(member.file_size for member in members) > size:
        return f"its members declare more bytes than the file has ({size:,})"
    if any(member.file_size > _CONFIG_LIMIT for member in members if member.filename != WEIGHTS):
        return f"its configuration has more than {_CONFIG_LIMIT:,} bytes"
    return None
