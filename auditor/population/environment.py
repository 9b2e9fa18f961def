"""What of this program, its libraries and the user's modules determines model inputs and members."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor.own import module_digests
from auditor.provenance import THREADS, digest_of_files, library_versions
from auditor.spec import Distill, steps_of

if TYPE_CHECKING:
    from auditor.records import Dataset
    from auditor.spec import AuditSpec

_CODE = (
    "tf.py",
    "data/*.py",
    "population/member.py",
    "population/starting.py",
    "population/recipe.py",
    "population/train.py",
    "population/stacked.py",
    "population/dense.py",
    "population/rates.py",
    "population/augment.py",
    "models/*.py",
    "compress/*.py",
)
"""The auditor's own files that determine a member's result."""


def inputs_definition(dataset: Dataset) -> dict[str, Any]:
    """All that determines what models read of a data set."""
    return {"data": dataset.digest, "calibrations": sorted(dataset.calibrations.values()), "environment": environment()}


def environment() -> dict[str, Any]:
    """What of this program and its libraries determines model inputs and members."""
    package = Path(__file__).parents[1]
    code = digest_of_files((path for pattern in _CODE for path in package.glob(pattern)), package)
    # SciPy computes nothing of a member; its upgrades need not cost a training.
    versions = {name: version for name, version in library_versions().items() if name != "scipy"}
    return {"code": code, "libraries": versions, "threads": THREADS}


def trusted(spec: AuditSpec, base: Path) -> dict[str, dict[str, str]]:
    """The modules of the user's architectures, the model's and the students'.

    Each has the digests of its source and of all sources beside audit.toml that it needs, by their modules.
    """
    named = {spec.model.architecture or "": "model.architecture"}
    for entry in spec.compression:
        for step in steps_of(entry):
            if isinstance(step, Distill):
                named.setdefault(step.student, f"compression {entry.name}: student")
    parts = {name.partition(":")[0]: where for name, where in named.items() if ":" in name}
    return {module: module_digests(module, base, where) for module, where in parts.items()}
