"""Models that their own library runs: tf_keras, Keras 3, SavedModel, ONNX."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from auditor.errors import ModelError, Problem
from auditor.models import saved_model
from auditor.models.artifact import Artifact, count_weights, in_batches, laid_out
from auditor.models.bridge import carry_over
from auditor.models.macs import keras_macs
from auditor.models.onnx import parse_onnx
from auditor.provenance import THREADS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from auditor.models import KerasModel
    from auditor.models.artifact import Weights
    from auditor.models.config import ModelFacts
    from auditor.records import FloatArray


def open_keras(content: bytes, facts: ModelFacts) -> Artifact:
    """A checked `.keras` or `.h5` file, of tf_keras or of Keras 3."""
    from auditor.tf import keras3, load

    library = keras3() if facts.keras3 else load().tf_keras
    # Keras reads names alone: a private file that nobody else can change between the look and the opening.
    number, name = tempfile.mkstemp(suffix=facts.ending)
    try:
        with os.fdopen(number, "wb") as out:
            out.write(content)
        whole = library.models.load_model(name, compile=False)
    finally:
        Path(name).unlink()
    model = whole
    if not isinstance(whole.output_shape, tuple) and len(whole.inputs) == 1:
        # The others are left out: what is compressed further is the part that the audited one comes of.
        model = library.Model(whole.inputs[0], whole.outputs[facts.output])

    def trainable(batch: FloatArray) -> KerasModel:
        return carry_over(model, laid_out(batch, model.input_shape[1:]), facts.ending) if facts.keras3 else model

    return Artifact(
        facts=facts,
        score=_scored(model),
        weights=lambda: _counted(whole.weights),
        macs=lambda: keras_macs(whole),
        trainable=trainable,
    )


def _scored(model: KerasModel) -> Callable[[FloatArray], FloatArray]:
    """Score by a model of either Keras."""
    from auditor.tf import load

    if not isinstance(model.input_shape, tuple) or not isinstance(model.output_shape, tuple):
        raise ModelError("the model has several inputs, or outputs within others, not one of each")
    if len(model.output_shape) != 2:
        said = f"the model's output has the shape {model.output_shape}, not one row of numbers an example"
        raise ModelError(said)
    tf = load().tf
    run = tf.function(
        lambda x: model(x, training=False), input_signature=[tf.TensorSpec([None, *model.input_shape[1:]], tf.float32)]
    )
    return lambda batch: np.asarray(run(laid_out(batch, model.input_shape[1:])), np.float32)


def _counted(variables: Iterable[Any]) -> Iterator[Weights]:
    for variable in variables:
        values = np.asarray(variable)
        # Keras 3 has short names, and the layer before them in the path.
        name = str(getattr(variable, "path", None) or variable.name).removesuffix(":0")
        if values.dtype.kind == "f":  # not the states of random generators
            yield count_weights(name, values)


def open_saved_model(content: bytes, facts: ModelFacts) -> Artifact:
    """A checked, packed SavedModel, run by its signature."""
    from auditor.tf import load

    tf = load().tf
    signature = saved_model.parse_saved_model(content, "SavedModel")
    answered, _ = signature.outputs[facts.output]
    with tempfile.TemporaryDirectory() as folder:
        for name, part in saved_model.members(content, "SavedModel").items():
            path = Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(part)
        loaded = tf.saved_model.load(folder)
    function = loaded.signatures[signature.name]

    def score(batch: FloatArray) -> FloatArray:
        given = tf.constant(_as_read(laid_out(batch, signature.shape[1:]), signature.type))
        out = np.asarray(function(**{signature.input: given})[answered], np.float32)
        return out.reshape(len(out), -1)

    # The loaded object owns the variables: nothing else here keeps it.
    return Artifact(
        facts=facts,
        score=score,
        weights=lambda: _counted((loaded, function)[1].variables),
        macs=lambda: None,
    )


def open_onnx(content: bytes, facts: ModelFacts) -> Artifact:
    """A checked ONNX file, run by onnxruntime on one thread. Raises ModelError where the extra is not installed."""
    # It reports to its maker from the moment of its import, under a number that it keeps in the home folder.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        import onnxruntime
    except ImportError as error:
        message, advice = f"onnxruntime is not installed: {error}", 'pip install "auditor[onnx]"'
        raise ModelError(Problem(message=message, advice=advice)) from error
    parsed = parse_onnx(content, "model.onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = THREADS
    options.use_deterministic_compute = True
    options.log_severity_level = 3
    # The format that was looked at: otherwise it goes by the first bytes.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    (given,), output = parsed.inputs, parsed.outputs[facts.output].name
    size = given.shape[0]

    def run(batch: FloatArray) -> FloatArray:
        out = np.asarray(session.run([output], {given.name: _as_read(batch, given.type)})[0], np.float32)
        return out.reshape(len(out), -1)

    def score(batch: FloatArray) -> FloatArray:
        ready = laid_out(batch, given.shape[1:])
        return run(ready) if size is None else in_batches(ready, size, run)

    return Artifact(facts=facts, score=score, weights=parsed.weights, macs=lambda: None)


def _as_read(batch: FloatArray, kind: str) -> np.ndarray[Any, Any]:
    """Reals in the type that a model reads; integers are rounded."""
    return np.rint(batch).astype(kind) if np.dtype(kind).kind in "iu" else batch.astype(kind)
