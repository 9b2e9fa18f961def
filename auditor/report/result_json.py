"""result.json: written the same byte for byte for the same result, and read back exactly."""

from __future__ import annotations

import gc
import json
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn

from pydantic import ValidationError

from auditor.errors import Problem, ResultError
from auditor.provenance import digest_of
from auditor.regular import read_regular
from auditor.report.result_records import records
from auditor.report.result_rows import as_object, plain
from auditor.report.result_sense import misfits
from auditor.report.schema import SCHEMA, ResultFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auditor.records import AuditResult

Json = dict[str, Any]
_OUTSIDE_DIGEST = frozenset({"timings", "sandbox", "judged_on", "digest"})
"""What identical runs may differ in.

The day of judging is among it: the same audit, run tomorrow, is the same result. What the day does is within: each
finding says whether it is waived, so the digest changes on the day that a waiver ends, and on no other.
"""
MOST_BYTES = 1 << 30
"""Of a result that is read: reading it takes ten times as much memory."""
_SHOWN_PROBLEMS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class AsWritten:
    """A result.json that holds a result, so that it needs not be made again."""

    text: bytes
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A result that was read from a file, or just made."""

    result: AuditResult
    edited: bool
    """Whether the file was changed after it was written: its digest is another than the one it states."""
    written: AsWritten | None = None
    """The file; None where it was edited, or there is none of this very result."""


def dump(result: AuditResult) -> str:
    """Write a result as result.json: one record a line, finite numbers only."""
    return text_of(content_of(result))


def text_of(content: Json) -> str:
    """Lay out the content of result.json, one record a line."""
    return "{\n" + ",\n".join(f"{json.dumps(key)}: {_lines(value)}" for key, value in content.items()) + "\n}\n"


@contextmanager
def _uncollected() -> Iterator[None]:
    """Spare the collector of garbage the many objects of a result, of which none refers back to another."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@_uncollected()
def load(text: str | bytes) -> Loaded:
    """Read result.json.

    Raises:
        ResultError: no JSON, another schema version, values that the schema does not allow, or rows that name what is
            not there; all at once.
    """
    content = _parse(text)
    if content.get("schema") != SCHEMA:
        raise ResultError(
            Problem(
                where="schema",
                message=f"version {json.dumps(content.get('schema'))[:40]}, but this auditor reads version {SCHEMA}",
                advice="Read the file with the version of auditor that wrote it.",
            )
        )
    digest = _digest(content)
    del content  # of a large result a gigabyte, for which the rows then have room
    try:
        file = ResultFile.model_validate_json(text)
    except ValidationError as error:
        raise ResultError(*_problems(error)) from None
    if problems := list(islice(misfits(file), _SHOWN_PROBLEMS + 1)):
        raise ResultError(*problems[:_SHOWN_PROBLEMS], *(["and more"] if len(problems) > _SHOWN_PROBLEMS else []))
    edited = digest != file.digest
    as_written = None if edited else AsWritten(text=text if isinstance(text, bytes) else text.encode(), digest=digest)
    return Loaded(result=records(file), edited=edited, written=as_written)


def audit_of(path: Path) -> str | None:
    """Name the audit that a result.json of any version is of; None where it cannot be told."""
    try:
        name = json.loads(read_regular(path, MOST_BYTES))["audit"]["definition"]["audit"]["name"]
    except (OSError, ValueError, RecursionError, LookupError, TypeError):
        return None
    return name if isinstance(name, str) else None


def json_schema() -> str:
    """Give the JSON schema that stands beside this module, for readers in other languages."""
    return json.dumps(ResultFile.model_json_schema(by_alias=True), indent=2) + "\n"


@_uncollected()
def content_of(result: AuditResult) -> Json:
    """Give what result.json holds; its `digest`, which identical runs share, covers all but `_OUTSIDE_DIGEST`."""
    stated = plain(result)
    stated["audit"]["digest"] = digest_of(stated["audit"]["definition"])
    unsigned = json.dumps(stated | {"digest": "0" * 64}, allow_nan=False, default=as_object)
    del stated
    content = ResultFile.model_validate_json(unsigned).model_dump(mode="json", by_alias=True)
    del unsigned
    return content | {"digest": _digest(content)}


def _digest(content: Json) -> str:
    return digest_of({key: value for key, value in content.items() if key not in _OUTSIDE_DIGEST})


def _lines(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Write a list or an object with one item a line."""
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(json.dumps(item) for item in value) + "\n]"
    if isinstance(value, dict) and value:
        return "{\n" + ",\n".join(f"{json.dumps(key)}: {json.dumps(item)}" for key, item in value.items()) + "\n}"
    return json.dumps(value)


def _parse(text: str | bytes) -> Json:
    try:
        content = json.loads(text, parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise ResultError(
            Problem(message=f"line {error.lineno}: no JSON, or cut off: {error.msg} (column {error.colno})")
        ) from None
    except (ValueError, RecursionError) as error:
        raise ResultError(f"no JSON that can be read: {error}") from None
    if not isinstance(content, dict):
        raise ResultError(f"expected an object at the top, found {type(content).__name__}")
    return content


def _once(pairs: list[tuple[str, Any]]) -> Json:
    """Refuse a key that stands twice: two readers may take it for two results."""
    made = dict(pairs)
    if len(made) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(
            f"the key {next(key for key in keys if keys.count(key) > 1)[:40]!r} stands in one object twice"
        )
    return made


def _refuse(number: str) -> NoReturn:
    raise ValueError(f"{number[:40]} is not a finite number")


def _finite(number: str) -> float:
    value = float(number)
    if value in {float("inf"), float("-inf")}:
        _refuse(number)
    return value


def _problems(error: ValidationError) -> list[Problem]:
    found = [
        Problem(where="".join(map(_place, e["loc"])).lstrip("."), message=e["msg"])
        for e in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    more = len(found) - _SHOWN_PROBLEMS
    return found[:_SHOWN_PROBLEMS] + ([Problem(message=f"and {more} more problems")] if more > 0 else [])


def _place(part: str | int) -> str:
    return f"[{part}]" if isinstance(part, int) else f".{part[:80]}"
