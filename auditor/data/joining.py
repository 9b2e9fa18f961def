"""A table of attributes beside data that hold none: one row an example, and neither more nor fewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from auditor.data.reading import check_columns, column_names, raise_first, read_rows
from auditor.data.values import text
from auditor.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def join(table: Path, wanted: Mapping[str, str], keys: Mapping[str, str], examples: pd.DataFrame) -> pd.DataFrame:
    """The wanted columns for each example; raises DataError for rows without example and examples without row.

    Args:
        table: CSV or Parquet.
        wanted: by key path in audit.toml the columns that are read.
        keys: likewise the columns that tell which example a row is about.
        examples: the same columns, one row an example, all of them distinct.
    """
    check_columns(table, column_names(table), {**keys, **wanted})
    names = list(keys.values())
    rows = read_rows([table], list(dict.fromkeys([*names, *wanted.values()])))
    given, sought = _named(rows.frame[names]), _named(examples[names])
    place, known = dict(zip(reversed(given), range(len(given) - 1, -1, -1), strict=True)), set(sought)
    problems = [
        *(
            Problem(file=str(table), where=f"row {row + 1}", message=message)
            for row, name in enumerate(given)
            if (message := _complaint(name, known, is_first=place[name] == row))
        ),
        *(
            Problem(file=str(table), where=name, message="no row is about this example")
            for name in sought
            if name not in place
        ),
    ]
    raise_first(problems, str(table))
    return (
        rows.frame[list(dict.fromkeys(wanted.values()))].iloc[[place[name] for name in sought]].reset_index(drop=True)
    )


def _complaint(name: str, known: set[str], *, is_first: bool) -> str:
    if name not in known:
        return f"there is no example {name}"
    return "" if is_first else f"a second row is about {name}"


def _named(frame: pd.DataFrame) -> Sequence[str]:
    """What each row is about, in words; a missing value is told as such."""
    columns = [
        ["(missing)" if pd.isna(value) else text(value) for value in frame[name].tolist()] for name in frame.columns
    ]
    return [" ".join(row) for row in zip(*columns, strict=True)]
