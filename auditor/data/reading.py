"""From CSV and Parquet files to rows in memory, with the place of every row, so that every problem can name it."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from auditor.errors import DataError, Problem, did_you_mean
from auditor.provenance import digest_of_file
from auditor.spec import SplitColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from auditor.records import IntArray
    from auditor.spec import AuditSpec, Split

Value = TypeVar("Value")
Given = ParamSpec("Given")

EMPTY_CELLS = ["", "NA", "N/A", "#N/A", "NaN", "nan", "NULL", "null"]
"""Cells of a CSV file that hold nothing. "None" is not among them: it may well be a group's name."""
SHOWN = 10
"""Problems of one kind told at once."""
PANDAS_INDEX = re.compile(r"__index_level_\d+__|")
"""What pandas calls an unnamed index in Parquet and in CSV: row numbers, which no model should read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The rows of one file, or of several one after another."""

    frame: pd.DataFrame
    """One row an example, numbered from 0."""
    files: tuple[Path, ...]
    starts: tuple[int, ...] = (0,)
    """For each file the position of its first row."""
    names: tuple[str | int, ...] | None = None
    """What each row is called; None where it is a number in its file."""

    @property
    def texts(self) -> tuple[str, ...]:
        """The names, as those of files; empty where rows have none."""
        return tuple(map(str, self.names or ()))

    def examples(self, positions: IntArray) -> tuple[str | int, ...]:
        """For each position the row's name, or its number in its file, from 0."""
        if self.names is not None:
            return tuple(self.names[position] for position in positions)
        starts = np.asarray(self.starts)
        return tuple((positions - starts[np.searchsorted(starts, positions, side="right") - 1]).tolist())

    def problems(self, positions: IntArray, where: str, message: str, advice: str = "") -> tuple[Problem, ...]:
        """One problem for each file that has such rows, the message led by their names or numbers from 1."""
        file_of = np.searchsorted(np.asarray(self.starts), positions, side="right") - 1
        return tuple(
            Problem(file=str(file), where=where, message=f"{self._listed(part)}: {message}", advice=advice)
            for number, file in enumerate(self.files)
            if (part := positions[file_of == number]).size
        )

    def _listed(self, positions: IntArray) -> str:
        first = self.examples(positions[:10])
        shown = ", ".join(str(row + 1) if self.names is None and isinstance(row, int) else str(row) for row in first)
        more = f" and {positions.size - 10:,} more" if positions.size > 10 else ""
        noun = "" if self.names is not None else "row " if positions.size == 1 else "rows "
        return noun + shown + more


class Attempt(Generic[Value]):
    """A step that may fail, so that the problems of several steps can be told at once."""

    def __init__(self, step: Callable[Given, Value], *args: Given.args, **kwargs: Given.kwargs) -> None:
        self.problems: tuple[Problem, ...] = ()
        self._values: list[Value] = []
        try:
            self._values.append(step(*args, **kwargs))
        except DataError as error:
            self.problems = error.problems

    @property
    def value(self) -> Value:
        """What the step gave; only after `raise_all`."""
        return self._values[0]


def raise_all(attempts: Iterable[Attempt[Any]]) -> None:
    """Raise DataError with the problems of all attempts, if there are any."""
    problems = tuple(dict.fromkeys(problem for attempt in attempts for problem in attempt.problems))
    if problems:
        raise DataError(*problems)


def column_names(path: Path) -> tuple[str, ...]:
    """The columns of a table, without its rows; raises DataError where it cannot be read or a name stands twice."""
    with _readable(path) as is_csv:
        found = _csv_names(path) if is_csv else pa.parquet.read_schema(path).names
    names = [name for name in found if not PANDAS_INDEX.fullmatch(name)]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(
            *(
                Problem(file=str(path), where=f"column {name}", message="the name stands more than once")
                for name in twice
            )
        )
    return tuple(names)


def declared_columns(spec: AuditSpec, split: Split) -> dict[str, str]:
    """The columns that the definition names as label, id, split or attribute, by key path."""
    columns = {"data.label": spec.data.label}
    if spec.data.id is not None:
        columns["data.id"] = spec.data.id
    if isinstance(split, SplitColumn):
        columns["data.split.column"] = split.column
    return columns | {f"attribute {attribute.name}": attribute.name for attribute in spec.attribute}


def check_columns(path: Path, names: Sequence[str], wanted: Mapping[str, str]) -> None:
    """Raise DataError for every wanted column (key path in audit.toml to column) that the file lacks."""
    parted = next(
        (sign for mark, sign in ((";", "a semicolon"), ("\t", "a tab")) if len(names) == 1 and mark in names[0]), ""
    )
    problems = [
        Problem(
            file=str(path),
            where=where,
            message=f'there is no column "{name}"',
            advice=f"Is the separator {parted}? Columns are parted by commas." if parted else did_you_mean(name, names),
        )
        for where, name in wanted.items()
        if name not in names
    ]
    if problems:
        raise DataError(*problems)


def read_rows(paths: Sequence[Path], columns: Sequence[str]) -> Rows:
    """Read these columns of all files; raises DataError where a file cannot be read or types differ between files."""
    frames = [_read_frame(path, columns) for path in paths]
    problems = [
        Problem(file=str(path), where=f"column {name}", message=f"holds {here}, but {paths[0].name} {there}")
        for path, frame in zip(paths[1:], frames[1:], strict=True)
        for name in columns
        if (here := _kind(frame[name])) != (there := _kind(frames[0][name])) and "nothing" not in {here, there}
    ]
    if problems:
        raise DataError(*problems)
    starts = np.cumsum([0, *(len(frame) for frame in frames[:-1])])
    frame = pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]
    return Rows(frame=frame, files=tuple(paths), starts=tuple(starts.tolist()))


def _read_frame(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    frame: pd.DataFrame = read_columns(path, columns).to_pandas(ignore_metadata=True)
    if frame.empty:
        raise DataError(Problem(file=str(path), message="the table has no rows"))
    return frame


def read_columns(path: Path, columns: Sequence[str]) -> pa.Table:
    """Read these columns, in this order; raises DataError where the file cannot be read or a column is no column."""
    with _readable(path) as is_csv:
        table = _csv(path, columns) if is_csv else pa.parquet.ParquetFile(path).read(columns=list(columns))
        _check_types(path, table.schema)
        return table.select(list(columns))


def _check_types(path: Path, schema: pa.Schema) -> None:
    kinds = {
        "holds lists or structures": (pa.types.is_nested,),
        "holds bytes that are no UTF-8 text": (
            pa.types.is_binary,
            pa.types.is_large_binary,
            pa.types.is_fixed_size_binary,
        ),
    }
    problems = [
        Problem(file=str(path), where=f"column {field.name}", message=message, advice="Mend the column, or drop it.")
        for message, tests in kinds.items()
        for field in schema
        if any(test(field.type) for test in tests)
    ]
    if problems:
        raise DataError(*problems)


@contextmanager
def _readable(path: Path) -> Iterator[bool]:
    """Whether the file is CSV (else Parquet); every way in which it cannot be read becomes a DataError."""
    ending = path.suffix.lower()
    if ending not in {".csv", ".parquet", ".pq"}:
        advice = "Give the file the ending .csv or .parquet."
        raise DataError(
            Problem(file=str(path), message=f'tables are CSV or Parquet, and the ending is "{ending}"', advice=advice)
        )
    if not path.is_file():
        raise DataError(Problem(file=str(path), message="there is no such file"))
    try:
        yield ending == ".csv"
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = str(error).split("\n", maxsplit=1)[0]
        raise DataError(Problem(file=str(path), message=f"the file cannot be read: {reason}")) from error


def _csv_names(path: Path) -> list[str]:
    with pa.csv.open_csv(path) as reader:
        return list(reader.schema.names)


def _csv(path: Path, columns: Sequence[str]) -> pa.Table:
    convert = pa.csv.ConvertOptions(
        include_columns=list(columns),
        null_values=EMPTY_CELLS,
        strings_can_be_null=True,
    )
    return pa.csv.read_csv(path, convert_options=convert, parse_options=pa.csv.ParseOptions(newlines_in_values=True))


def _kind(column: pd.Series) -> str:
    if column.isna().all():
        return "nothing"
    if pd.api.types.is_bool_dtype(column):
        return "true and false"
    return "numbers" if pd.api.types.is_numeric_dtype(column) else "text"


def data_digest(spec: AuditSpec, content: Iterable[str]) -> str:
    """SHA-256 over the content's digests and what the definition says of inputs and classes; no path enters it."""
    data = spec.data.model_dump(mode="json", exclude={"path", "table", "positive", "predictions"})
    if data["sample"] is None:
        del data["sample"]  # whole splits are what they were before parts of them could be drawn
    if isinstance(data["split"], dict):
        data["split"] = {key: value for key, value in data["split"].items() if not key.endswith("path")}
    features = {attribute.name: attribute.use_as_feature for attribute in spec.attribute}
    by = {*spec.data.calibration.by, *spec.data.calibration.without}
    groups = [attribute.model_dump(mode="json") for attribute in spec.attribute if attribute.name in by]
    declared = {"data": data, "attributes": features, "seed": spec.audit.seed, "content": list(content)}
    declared["calibrated_by"] = groups
    return hashlib.sha256(json.dumps(declared, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def read_unchanged(paths: Sequence[Path], read: Callable[[], Value]) -> tuple[Value, list[str]]:
    """Give what is read of some files with the SHA-256 of each; raises DataError where one changes meanwhile."""
    present = [path for path in paths if path.is_file()]  # what is missing is said by whoever reads
    before = [digest_of_file(path) for path in present]
    value = read()
    refuse_changed(present, before)
    return value, before


def refuse_changed(paths: Sequence[Path], digests: Sequence[str]) -> None:
    """Raise DataError for files whose SHA-256 is no longer what it was."""
    changed = [path for path, digest in zip(paths, digests, strict=True) if digest_of_file(path) != digest]
    if changed:
        raise DataError(*(Problem(file=str(path), message="the file changed while it was read") for path in changed))


def raise_first(problems: Sequence[Problem], file: str) -> None:
    """Raise DataError with the first ten problems and the number of the others, if there are any."""
    if len(problems) > SHOWN:
        rest = Problem(file=file, message=f"and {len(problems) - SHOWN:,} more of this kind")
        raise DataError(*problems[:SHOWN], rest)
    if problems:
        raise DataError(*problems)
