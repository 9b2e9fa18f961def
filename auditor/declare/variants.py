"""Variants by name: one compression in audit.toml may make several."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING

from auditor.spec import CLASS, Artifact, PredictionColumns, Prune

if TYPE_CHECKING:
    from auditor.spec import Compression


def expand(entry: Compression) -> list[Compression]:
    """Make one variant a sparsity, and give each its name: the declared one, or the method's."""
    name = entry.name or default_name(entry)
    if not isinstance(entry, Prune) or not isinstance(entry.sparsity, list):
        return [entry.model_copy(update={"name": name})]
    return [entry.model_copy(update={"name": f"{name}-{s:g}", "sparsity": float(s)}) for s in entry.sparsity]


def default_name(entry: Compression) -> str:
    """Name an entry that declares no name."""
    if isinstance(entry, Prune):
        return "pruned"
    if isinstance(entry, Artifact):
        return as_name(PurePath(entry.artifact).stem) or "artifact"
    if isinstance(entry, PredictionColumns):
        file, _, columns = entry.predictions.rpartition("/")
        head = columns.partition("*")[0].replace(CLASS, "") if CLASS in columns else columns
        return as_name(file) or as_name(head) or "predictions"
    return entry.method


def as_name(text: str) -> str:
    """Make a name of a text: letters, digits, hyphens and underscores."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-_")[:80]
