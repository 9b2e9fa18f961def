"""Panels about exemplars and class tests: pairs joined by a line, ratios on a logarithmic axis, ranked shifts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor.report.view.blocks import Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One row: two numbers in percent; None is undefined."""

    label: str
    first: float | None
    """A square."""
    second: float | None
    """A circle."""
    whole: float | None = None
    """A stroke: a third number that is not of the pair."""
    missing: str = ""
    """What the row says of a pair that is undefined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Two numbers a variant, joined by a line, one row a variant."""

    title: str
    alt: str
    names: tuple[str, str]
    """Of the two, for the legend."""
    rows: tuple[Pair, ...]
    whole: str = ""
    """Name of the third number; empty where there is none."""
    from_zero: bool = False
    """Whether the axis begins at 0, as that of a share does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratios:
    """Multiples of what is expected, with intervals, one row a group; the axis is logarithmic, 1 is as expected."""

    title: str
    alt: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """How far a class moved, in points; None is undefined."""

    label: str
    value: float | None
    found: bool
    """Whether the test discovered it: a filled triangle that points the way it moved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shifts:
    """A few shifts with a row each, lowest first."""

    title: str
    alt: str
    marks: tuple[Shift, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """Very many shifts as one curve, lowest first; those that were discovered are marked, the extreme ones named."""

    title: str
    alt: str
    values: tuple[tuple[float, bool], ...]
    """Ascending: each shift in points, and whether it was discovered."""
    lowest: tuple[str, ...]
    """Lines of text that name who lost most."""
    highest: tuple[str, ...]
