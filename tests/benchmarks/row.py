"""What a benchmark tells."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Seconds on both sides, and what the other side is."""

    ours: float
    theirs: float
    other: str
    note: str = ""
