"""Variants by name: one compression in audit.toml may make several."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING

from auditor.spec import CLASS, Artifact, PredictionColumns, steps_of

if TYPE_CHECKING:
    from auditor.spec import Compression


_SWEPT = ("sparsity", "clusters", "ratio")
"""Keys whose lists make one variant a value."""
_NAMES = {"prune": "pruned", "cluster": "clustered", "distill": "distilled", "low_rank": "low-rank"}


def expand(entry: Compression) -> list[Compression]:
    """Make one variant a value of a list, and give each its name: the declared one, or the methods'."""
    name = entry.name or default_name(entry)
    for key in _SWEPT:
        if isinstance(values := getattr(entry, key, None), list):
            return [entry.model_copy(update={"name": f"{name}-{value:g}", key: value}) for value in values]
    return [entry.model_copy(update={"name": name})]


def default_name(entry: Compression) -> str:
    """Name an entry that declares no name."""
    if isinstance(entry, Artifact):
        return as_name(PurePath(entry.artifact).stem) or "artifact"
    if isinstance(entry, PredictionColumns):
        file, _, columns = entry.predictions.rpartition("/")
        head = columns.partition("*")[0].replace(CLASS, "") if CLASS in columns else columns
        return as_name(file) or as_name(head) or "predictions"
    return "-".join(_NAMES.get(step.method, step.method) for step in steps_of(entry))


def as_name(text: str) -> str:
    """Make a name of a text: letters, digits, hyphens and underscores."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-_")[:80]
