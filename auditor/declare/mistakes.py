"""Mistakes in audit.toml, in words: what was found, what was expected, the nearest valid name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auditor.errors import did_you_mean
from auditor.spec import METHODS, AuditSpec, Preprocess, Table
from auditor.spec.tables import tables_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_core import ErrorDetails

TOML_TYPES = {
    "dict": "a table",
    "stri": "a text",
    "list": "a list",
    "inte": "a whole number",
    "numb": "a number",
    "bool": "true or false",
}
KeyPath = tuple[str | int, ...]

LATER_VALUES = {
    "metric": {
        "pie_excess": "the report tests the excess of changed decisions by deals of members; an interval of it, which "
        "a limit could be held against, is not made"
    },
}
"""What the format knows and this version does not yet, with what there is instead."""
MISSING: dict[KeyPath, str] = {
    (
        "attribute",
    ): 'name the sensitive attributes, ["sex", "race"]; [] where there are none, and only classes are audited'
}
"""What to do where a key is missing."""
A_DATE = "a day as TOML writes it, without quotes and without a time: 2026-12-31"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One mistake at a key path."""

    path: KeyPath
    message: str
    advice: str = ""

    @property
    def where(self) -> str:
        """The key path as text, such as gate[2].metric."""
        return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in self.path).lstrip(".")


def explain(details: Sequence[ErrorDetails]) -> list[Mistake]:
    """Put pydantic's errors into this format's words."""
    missing = {plain_path(detail["loc"]) for detail in details if detail["type"] == "missing"}
    return [_explain(detail, missing) for detail in details]


def _explain(detail: ErrorDetails, missing: set[KeyPath]) -> Mistake:
    path, kind, given = plain_path(detail["loc"]), detail["type"], detail["input"]
    limits = detail.get("ctx", {})
    if kind == "extra_forbidden":
        return _explain_unknown(path, detail, [str(key) for *table, key in missing if tuple(table) == path[:-1]])
    if kind in {"union_tag_invalid", "union_tag_not_found"}:
        return _explain_union(path, given)
    if kind == "literal_error":
        return _explain_choice(path, given, str(limits.get("expected", "")))
    if kind == "then_in_then":
        return Mistake(path=(*path, "then"), message=str(detail["msg"]), advice="list all methods beside the first one")
    if kind == "missing":
        return Mistake(path=path, message=f"key {path[-1]!r} is missing", advice=MISSING.get(path, ""))
    message = re.sub(r"^(Input|String|List|Value) ", "", str(detail["msg"]))
    message = re.sub(
        r"a valid (dictionary.*|string|list|integer|number|boolean)$", lambda m: TOML_TYPES[m[1][:4]], message
    )
    message = re.sub(r"^should have at least 1 item .*", "needs one entry at least", message)
    advice = A_DATE if kind == "date_type" else ""
    if kind == "list_type" and isinstance(given, str):
        advice = f'a list even of one: ["{given}"]'
    if kind == "less_than" and limits.get("lt") == 1 and 1 < given <= 100:
        advice = f"it is a share: {given:g}% is {given / 100:g}"
    return Mistake(path=path, message=f"{message}, not {_shown(given)}", advice=advice)


def _explain_unknown(path: KeyPath, detail: ErrorDetails, missing: Sequence[str]) -> Mistake:
    key = str(path[-1])
    if path[0] == "compression" and path[-2] == "preprocess" and key in Preprocess.model_fields:
        advice = "data.preprocess does it, for all models alike; a file has scale, offset, mean and std of its own"
        return Mistake(path=path, message=f"{key!r} is no matter of a single file", advice=advice)
    if _field(AuditSpec, key) and not isinstance(detail["input"], dict):
        advice = f"{key} belongs at the top, before the first [table]"
    else:
        advice = did_you_mean(key, _fields_at(detail["loc"][:-1]), missing)
    return Mistake(path=path, message=f"unknown key {key!r}", advice=advice)


def _explain_choice(path: KeyPath, given: Any, expected: str) -> Mistake:  # noqa: ANN401 - whatever the file holds
    field = next((part for part in reversed(path) if isinstance(part, str)), "")
    advice = LATER_VALUES.get(field, {}).get(given) if isinstance(given, str) else None
    if advice:
        return Mistake(path=path, message=f"{given!r}: not yet in this version", advice=advice)
    if path == ("schema",):
        advice = f"this version reads schema = {expected}"
    else:
        advice = did_you_mean(str(given), re.findall(r"'([^']*)'", expected))
    return Mistake(path=path, message=f"{given!r} is not known here", advice=advice)


def _explain_union(path: KeyPath, given: Any) -> Mistake:  # noqa: ANN401 - whatever the file holds
    method = given.get("method") if isinstance(given, dict) else None
    if method is None:
        return Mistake(
            path=path, message="needs a method, an artifact or predictions", advice=did_you_mean("", METHODS)
        )
    return Mistake(
        path=(*path, "method"), message=f"{method!r} is not known here", advice=did_you_mean(str(method), METHODS)
    )


def _shown(value: Any) -> str:  # noqa: ANN401 - whatever the file holds
    try:
        text = repr(value)
    except RecursionError:
        return "tables or lists in each other"
    return text if len(text) <= 60 else f"{text[:57]}..."


def plain_path(location: tuple[str | int, ...]) -> KeyPath:
    """Drop the names of union members: the schema marks them with a tilde, and the file does not hold them."""
    return tuple(part for part in location if not str(part).startswith("~"))


def _field(table: type[Table], key: str | int) -> str | None:
    """Give the name of the field that a key stands for: the key itself, but for aliases."""
    return next((name for name, field in table.model_fields.items() if key in {name, field.alias}), None)


def _fields_at(location: tuple[str | int, ...]) -> list[str]:
    """Give the keys that are known where an unknown one was found."""
    tables: set[type[Table]] = {AuditSpec}
    for part in location:
        fields = [table.model_fields[str(name)] for table in tables for name in [_field(table, part)] if name]
        if fields:
            tables = {table for field in fields for table in tables_in(field.annotation, field.metadata)}
    return [field.alias or name for table in tables for name, field in table.model_fields.items()]
