"""Which columns of a predictions table belong to which variant, member and class."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from auditor.data.values import listed, natural
from auditor.errors import DataError, Problem, did_you_mean
from auditor.spec import CLASS, PredictionColumns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from auditor.spec import AuditSpec

_WILD = re.compile(r"(\*|\?|\[[^]]+\]|\{class\})")
"""What stands for other text in a pattern: as in a shell, and the class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of decisions or probabilities."""

    file: Path
    name: str
    """In the file."""
    where: str
    """What problems call it, such as "column base_2"."""
    read: Callable[[], pd.Series]
    """Its values in the order of the examples; read when called, and not kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Where one member's decisions stand, or its probabilities."""

    name: str
    """What tells it from the variant's others: what the star stands for."""
    columns: Mapping[str, Column]
    """One column named "" (decisions, or probabilities of the positive class), or one a class by its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Match:
    star: str
    label: str
    column: str


def patterns(spec: AuditSpec) -> tuple[str, ...]:
    """What each variant declares as its predictions, the baseline's first."""
    own = () if spec.model.predictions is None else (spec.model.predictions,)
    return (*own, *(one.predictions for one in spec.compression if isinstance(one, PredictionColumns)))


def match_columns(
    file: Path, columns: Mapping[str, Column], wanted: Sequence[str], *, joined: bool = False
) -> dict[str, tuple[Member, ...]]:
    """For each pattern its members in natural order.

    `columns` are by name, FILE/COLUMN where several files are `joined`; a pattern without a slash is then about columns
    of every file. Raises DataError for patterns without columns, columns of two patterns or members, missing classes.
    """
    matched = {p: _matches(p, columns, in_every_file=joined and "/" not in p) for p in wanted}
    problems = [
        Problem(
            file=str(file),
            where="predictions",
            message=f'no column matches "{pattern}"',
            advice=did_you_mean(pattern, columns),
        )
        for pattern, found in matched.items()
        if not found
    ]
    claimed = Counter(match.column for pattern in wanted for match in matched[pattern])
    for name, count in claimed.items():
        if count > 1:
            both = [pattern for pattern in wanted if any(match.column == name for match in matched[pattern])]
            message = f"the patterns {listed(both)} both claim it"
            problems.append(Problem(file=str(columns[name].file), where=columns[name].where, message=message))
    for pattern, found in matched.items():
        problems += _ambiguous(file, pattern, found)
    if problems:
        raise DataError(*problems)
    return {pattern: _members(found, columns) for pattern, found in matched.items()}


def columns_by_class(pattern: str, names: Iterable[str]) -> dict[str, str]:
    """The columns that a pattern with a class matches, by the class that they are named after."""
    expression = _expression(pattern)
    return {match["label"]: name for name in names if (match := expression.fullmatch(name))}


def _matches(pattern: str, columns: Iterable[str], *, in_every_file: bool) -> list[_Match]:
    expression = _expression(pattern)
    found = []
    for name in columns:
        match = expression.fullmatch(name.partition("/")[2] if in_every_file else name)
        if match:
            parts = match.groupdict()
            label = parts.pop("label", "")
            found.append(_Match(star="/".join(parts.values()), label=label, column=name))
    return sorted(found, key=lambda match: (natural(match.star), natural(match.label), natural(match.column)))


def _expression(pattern: str) -> re.Pattern[str]:
    parts = []
    for place, part in enumerate(_WILD.split(pattern)):
        if place % 2 == 0:
            parts.append(re.escape(part))
        elif part == CLASS:
            parts.append("(?P<label>.+)")
        else:
            parts.append(f"(?P<s{place}>{_held(part)})")
    return re.compile("".join(parts), re.DOTALL)


def _held(wild: str) -> str:
    if wild in {"*", "?"}:
        return ".*?" if wild == "*" else "."
    among = wild[1:-1].removeprefix("!").replace("\\", r"\\").replace("^", r"\^")
    return f"[^{among}]" if wild[1] == "!" else f"[{among}]"


def _ambiguous(file: Path, pattern: str, found: Sequence[_Match]) -> list[Problem]:
    """Members that two columns would be, and classes that a member lacks."""
    problems = []
    if CLASS not in pattern:
        twice = [star for star, count in Counter(match.star for match in found).items() if count > 1]
        for star in twice:
            names = listed([match.column for match in found if match.star == star])
            message = f'"{pattern}" takes {names} for one member'
            advice = 'Name the file too, such as "base/member_*".'
            problems.append(Problem(file=str(file), where="predictions", message=message, advice=advice))
        return problems
    every = {match.label for match in found}
    for star, group in groupby(found, key=lambda match: match.star):
        labels = Counter(match.label for match in group)
        for label in sorted(every - labels.keys()):
            message = f'"{pattern}" finds no column of member "{star}" and class "{label}"'
            problems.append(Problem(file=str(file), where="predictions", message=message))
        for label in sorted(label for label, count in labels.items() if count > 1):
            message = f'"{pattern}" finds several columns of member "{star}" and class "{label}"'
            problems.append(Problem(file=str(file), where="predictions", message=message))
    return problems


def _members(found: Sequence[_Match], columns: Mapping[str, Column]) -> tuple[Member, ...]:
    return tuple(
        Member(name=star, columns={match.label: columns[match.column] for match in group})
        for star, group in groupby(found, key=lambda match: match.star)
    )
