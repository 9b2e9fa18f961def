"""Which layers of a model a method leaves as they are, because audit.toml says so."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from auditor.compress import MemberError
from auditor.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.models import KerasModel


def skipped(model: KerasModel, patterns: Sequence[str]) -> set[str]:
    """The names of the layers that match a name or pattern. Raises MemberError for each pattern that none does."""
    names = [layer.name for layer in model.layers]
    lost = [pattern for pattern in patterns if not any(fnmatchcase(name, pattern) for name in names)]
    if lost:
        raise MemberError(" ".join(f'skip: no layer is named "{p}". {did_you_mean(p, names)}'.strip() for p in lost))
    return {name for name in names for pattern in patterns if fnmatchcase(name, pattern)}
