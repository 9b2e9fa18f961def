"""The only door to TensorFlow: import order, quiet logs, one thread, determinism, no accelerator.

The import costs seconds and 600 MB, so `load` is called inside the functions that need it.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import logging
import os
import sys
import tempfile
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auditor.errors import IncompleteError, Problem
from auditor.provenance import THREADS

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorFlow:
    """The modules, set up; none of them publishes types."""

    tf: Any
    tf_keras: Any
    tfmot: Any
    """Pruning by TFMOT."""
    clustering: Any
    """Clustering by TFMOT."""


@functools.cache
def load() -> TensorFlow:
    """Import and set up once a process. Raises IncompleteError where TensorFlow was started otherwise already."""
    # TFMOT works on tf_keras objects alone; it sets this itself, but too late for TensorFlow's own choice.
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with quiet(), _lightly():
        import tensorflow as tf
        import tensorflow_model_optimization as tfmot
        import tf_keras
    tf.get_logger().setLevel(logging.ERROR)
    _set_up(tf)
    # What TensorFlow has made by now stays for good: later collections need not look through half a million objects.
    gc.collect()
    gc.freeze()
    return TensorFlow(tf=tf, tf_keras=tf_keras, tfmot=tfmot.sparsity.keras, clustering=tfmot.clustering.keras)


@contextlib.contextmanager
def _lightly() -> Iterator[None]:
    """Import for a quarter less: without collections of garbage, and without what nobody uses.

    TFMOT looks in `keras` for a module that Keras 3 does not have, and so imports all of it, with whatever backend the
    user's own configuration prefers.
    """
    collects, unwanted = gc.isenabled(), "keras" not in sys.modules
    gc.disable()
    if unwanted:
        sys.modules["keras"] = None  # type: ignore[assignment]  # how Python is told that there is none
    try:
        yield
    finally:
        if unwanted:
            del sys.modules["keras"]
        if collects:
            gc.enable()


def pruning_classes() -> tuple[Any, Any]:
    """TFMOT's wrapper of a layer, and what that asks for masks: classes to derive from, which have no public name."""
    load()
    from tensorflow_model_optimization.python.core.sparsity.keras import pruning_wrapper

    return pruning_wrapper.PruneLowMagnitude, pruning_wrapper.pruning_impl.Pruning


@functools.cache
def keras3() -> Any:  # noqa: ANN401 - the module
    """Keras 3, for models that were saved by it: their own code decides, and TFMOT works on a copy in tf_keras."""
    load()
    os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever the user's own configuration prefers
    with quiet():
        import keras
    return keras


@dataclass(frozen=True, slots=True, kw_only=True)
class QAT:
    """What TFMOT has for quantisation-aware training, much of it where only its own modules lead."""

    keras: Any
    """Its public functions."""
    configs: Any
    registry: Any
    operations: Any
    default: Any
    keep_sparsity: Any
    keep_clusters: Any
    strip_clusters: Any


@functools.cache
def qat() -> QAT:
    """Quantisation-aware training, set up as everything else."""
    load()
    import tensorflow_model_optimization as tfmot
    from tensorflow_model_optimization.python.core.quantization.keras import quant_ops
    from tensorflow_model_optimization.python.core.quantization.keras.collab_opts.cluster_preserve import cluster_utils
    from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import (
        default_8bit_quantize_configs,
        default_8bit_quantize_registry,
        default_8bit_quantize_scheme,
    )

    combined = tfmot.experimental.combine
    return QAT(
        keras=tfmot.quantization.keras,
        configs=default_8bit_quantize_configs,
        registry=default_8bit_quantize_registry.Default8BitQuantizeRegistry,
        operations=quant_ops,
        default=default_8bit_quantize_scheme.Default8BitQuantizeScheme,
        keep_sparsity=combined.Default8BitPrunePreserveQuantizeScheme,
        keep_clusters=combined.Default8BitClusterPreserveQuantizeScheme,
        strip_clusters=cluster_utils.strip_clustering_cqat,
    )


def seed(number: int) -> None:
    """Forget all graphs and layer names of earlier members, then seed every generator of this process."""
    keras = load().tf_keras
    keras.backend.clear_session()
    gc.collect()  # graphs refer to themselves: without this, memory grows with every member
    reseed(number)


def reseed(number: int) -> None:
    """Seed every generator of this process."""
    load().tf_keras.utils.set_random_seed(number)


def _set_up(tf: Any) -> None:  # noqa: ANN401 - the module
    try:
        tf.config.set_visible_devices([], "GPU")
        tf.config.threading.set_intra_op_parallelism_threads(THREADS)
        tf.config.threading.set_inter_op_parallelism_threads(THREADS)
    except RuntimeError as error:
        raise IncompleteError(
            Problem(
                message="TensorFlow was started in this process before the audit, with other settings",
                where="run.executor",
                advice='Results depend on the number of threads: use executor = "local", or start a new process.',
            )
        ) from error
    tf.config.experimental.enable_op_determinism()
    # It runs one function in place of another, whichever a file says suits the device.
    tf.config.optimizer.set_experimental_options({"implementation_selector": False})


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hold back what C++ and Python print while TensorFlow imports, converts or opens; shown if that fails."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    with tempfile.TemporaryFile() as held, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        os.dup2(held.fileno(), 1)
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(kept[1], held.read())
            raise
        finally:
            for number, original in enumerate(kept, start=1):
                os.dup2(original, number)
                os.close(original)
