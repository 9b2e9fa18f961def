"""A compression as steps: each method's settings and training, as JSON that a job holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auditor.compress.distill import check_student
from auditor.compress.prune import plan_pruning
from auditor.data.representative import name_of_set
from auditor.errors import ModelError, Problem
from auditor.population.train import total_steps
from auditor.spec import Distill, Prune, Quantize, QuantizeAware, Trained, steps_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.records import Dataset
    from auditor.spec import AuditSpec, Compression, Method

_NOT_OF_A_STEP = {
    "name", "then", "export", "export_member", "epochs", "learning_rate", "begin_epoch", "end_epoch"
}  # fmt: skip
"""Keys of a compression that say nothing of what one method does, or say it in other words."""
_KEPT = {"prune": "sparsity", "cluster": "clusters"}
"""What methods make that quantisation-aware training after them shall keep."""


def recipe_of(entry: Compression, spec: AuditSpec, dataset: Dataset) -> list[dict[str, Any]]:
    """Settings and training of each method of a compression, one after another.

    Raises AuditorError where a method cannot do what it is asked for, before anything is trained.
    """
    steps: list[dict[str, Any]] = []
    for method in steps_of(entry):
        step = _step(method, f"compression {entry.name}", spec, dataset)
        if isinstance(method, QuantizeAware):
            step["keeps"] = [_KEPT[before["method"]] for before in steps if before["method"] in _KEPT]
        steps.append(step)
    return steps


def _step(method: Method, where: str, spec: AuditSpec, dataset: Dataset) -> dict[str, Any]:
    settings = method.model_dump(mode="json", exclude=_NOT_OF_A_STEP)
    if isinstance(method, Distill):
        check_student(method.student, method.options, where)
    if isinstance(method, Quantize):
        name = name_of_set(method, spec)
        settings["calibration"] = None if name is None else dataset.calibrations[name]
    if not isinstance(method, Trained):
        return settings | {"training": None}
    training = training_of(spec, dataset, method.epochs or spec.training.epochs)
    if method.learning_rate is not None:
        training["learning_rate"] = method.learning_rate
    if isinstance(method, Prune):
        steps = total_steps(training["examples"], training)
        settings |= plan_pruning(method, steps, where, epochs=training["epochs"])
    return settings | {"training": training}


def training_of(spec: AuditSpec, dataset: Dataset, epochs: int) -> dict[str, Any]:
    """All that determines a training but model and seed. Raises ModelError where there is nothing to train on."""
    examples = sum(size.examples for size in dataset.splits if size.split == "train")
    if not examples:
        message, advice = "there is no training split to train on", "data.split names one."
        raise ModelError(Problem(where="training", message=message, advice=advice))
    declared = spec.training.model_dump(mode="json", exclude={"stacked"})
    return {**declared, "epochs": epochs, "examples": examples}


def settings_of(step: Mapping[str, Any]) -> dict[str, Any]:
    """What of a step its method is made of."""
    return {key: value for key, value in step.items() if key not in {"training", "seed"}}
