"""Look at a model file before anything opens it: its bytes, without TensorFlow. security.md, "Models"."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

from auditor.errors import ModelError, Problem, did_you_mean
from auditor.models.apart import check_apart, config_apart
from auditor.models.config import ModelFacts, read_config
from auditor.models.hdf5 import parse_json
from auditor.models.onnx import parse_onnx
from auditor.models.outputs import place_of
from auditor.models.saved_model import PACKED, parse_saved_model
from auditor.models.tflite import parse_tflite

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_MEMBERS = {CONFIG, METADATA, WEIGHTS}
_CONFIG_LIMIT = 64 << 20
"""Bytes of a configuration; the largest published models have under 2 MB."""


def inspect_model(
    content: bytes,
    ending: str,
    file: str,
    trusted: Collection[str] = (),
    *,
    own: bool = False,
    output: str | None = None,
) -> ModelFacts:
    """Facts of a file's bytes. Raises ModelError with everything that is refused, naming layer or operation.

    `own`: this process has written them itself, a moment ago: their weights need no process apart to look at them.
    `output` is the name of the one that is audited, where there are several.
    """
    if own and ending == ".keras":
        return _inspect_keras(content, file, trusted, output, own=True)
    if ending not in INSPECTORS:
        advice = did_you_mean(ending, INSPECTORS)
        raise ModelError(Problem(file=file, message=f'files that end in "{ending}" are not read', advice=advice))
    try:
        return INSPECTORS[ending](content, file, trusted, output)
    except ModelError:
        raise
    except Exception as error:  # what h5py, zipfile and json raise on damaged files is not told by their documentation
        said = f"it cannot be read: {type(error).__name__}: {error}"
        raise ModelError(Problem(file=file, message=said)) from error


def _inspect_keras(
    content: bytes, file: str, trusted: Collection[str], output: str | None, *, own: bool = False
) -> ModelFacts:
    config, metadata, weights = _members(content, file)
    facts = parse_json(metadata, file)
    version = facts.get("keras_version") if isinstance(facts, dict) else None
    if not own:
        check_apart(weights, file)
    keras3 = _is_keras3(version, file)
    return read_config(parse_json(config, file), file, ".keras", trusted, keras3=keras3, output=output)


def _is_keras3(version: object, file: str) -> bool:
    """Whether Keras 3 wrote the file, or else tf_keras (Keras 2, and before)."""
    major = str(version).partition(".")[0]
    if major not in {"1", "2", "3"}:
        raise ModelError(Problem(file=file, message=f"it was written by Keras {version}, not 2 (tf_keras) or 3"))
    return major == "3"


def _inspect_h5(content: bytes, file: str, trusted: Collection[str], output: str | None) -> ModelFacts:
    config, version = config_apart(content, file)
    keras3 = bool(version) and _is_keras3(version, file)  # the oldest files do not say it
    return read_config(parse_json(config, file), file, ".h5", trusted, keras3=keras3, output=output)


def _inspect_tflite(
    content: bytes,
    file: str,
    trusted: Collection[str],  # noqa: ARG001 - one signature
    output: str | None,
) -> ModelFacts:
    parsed = parse_tflite(content, file)
    _check_ends(len(parsed.inputs), len(parsed.outputs), file)
    place = place_of(output, parsed.names, file)
    shape = parsed.outputs[place].shape
    return ModelFacts(
        ending=".tflite",
        layers=tuple((str(number), each.name) for number, each in enumerate(parsed.operations)),
        input_shape=parsed.inputs[0].shape[1:],
        outputs=shape[-1] if shape else None,
        output=place,
        activation={"SOFTMAX": "softmax", "LOGISTIC": "sigmoid"}.get(parsed.ends[place]),
    )


def _inspect_saved_model(
    content: bytes,
    file: str,
    trusted: Collection[str],  # noqa: ARG001
    output: str | None,
) -> ModelFacts:
    signature = parse_saved_model(content, file)
    place = place_of(output, [name for name, _ in signature.outputs], file)
    _, shape = signature.outputs[place]
    return ModelFacts(
        ending=PACKED,
        layers=signature.operators,
        input_shape=signature.shape[1:],
        outputs=shape[-1] if len(shape) > 1 else None,
        output=place,
        activation=None,  # which operator is the last one is not told by the file
    )


def _inspect_onnx(
    content: bytes,
    file: str,
    trusted: Collection[str],  # noqa: ARG001
    output: str | None,
) -> ModelFacts:
    parsed = parse_onnx(content, file)
    _check_ends(len(parsed.inputs), len(parsed.outputs), file)
    place = place_of(output, [each.name for each in parsed.outputs], file)
    shape = parsed.outputs[place].shape
    return ModelFacts(
        ending=".onnx",
        layers=parsed.operators,
        input_shape=parsed.inputs[0].shape[1:],
        outputs=shape[-1] if len(shape) > 1 else None,
        output=place,
        activation={"Softmax": "softmax", "Sigmoid": "sigmoid"}.get(parsed.ends[place]),
    )


def _check_ends(inputs: int, outputs: int, file: str) -> None:
    """One input, and any outputs at all: which of several is audited is told by name."""
    if inputs != 1 or not outputs:
        said = f"the model has {inputs} inputs and {outputs} outputs, not one of each"
        raise ModelError(Problem(file=file, message=said))


INSPECTORS: dict[str, Callable[[bytes, str, Collection[str], str | None], ModelFacts]] = {
    ".keras": _inspect_keras,
    ".h5": _inspect_h5,
    ".hdf5": _inspect_h5,
    ".tflite": _inspect_tflite,
    PACKED: _inspect_saved_model,
    ".onnx": _inspect_onnx,
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
