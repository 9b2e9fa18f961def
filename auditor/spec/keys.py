"""Which keys audit.toml has: for completion in a shell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, get_args, get_origin

from auditor.spec import AuditSpec
from auditor.spec.tables import Table, tables_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic.fields import FieldInfo


def keys(raw: Mapping[str, Any]) -> list[str]:
    """Give every key that `--set` knows, such as "data.path"; entries of lists by their names in this file, `raw`."""
    return list(dict.fromkeys(_keys(AuditSpec, "", raw)))


def _keys(table: type[Table], prefix: str, raw: object) -> Iterator[str]:
    for name, field in table.model_fields.items():
        key = field.alias or name
        inner = raw.get(key) if isinstance(raw, dict) else None
        tables = list(tables_in(field.annotation, field.metadata))
        if get_origin(field.annotation) is list and tables:
            yield from _entries(tables, f"{prefix}{key}.", inner)
            continue
        if not tables or _has_values(field):
            yield f"{prefix}{key}"
        for own in tables if get_origin(field.annotation) is not dict else ():
            yield from _keys(own, f"{prefix}{key}.", inner)


def _has_values(field: FieldInfo) -> bool:
    """Tell whether something else than a table may stand there."""
    return any(not list(tables_in(part)) and part is not type(None) for part in get_args(field.annotation))


def _entries(tables: list[type[Table]], prefix: str, raw: object) -> Iterator[str]:
    for place, entry in enumerate(raw if isinstance(raw, list) else ()):
        if isinstance(entry, dict):
            name = str(entry.get("name", entry.get("method", "")))
            called = name if re.fullmatch(r"[\w-]+", name) else str(place)
            for table in [table for table in tables if _fits(table, entry)] or tables:
                yield from (f"{prefix}{called}.{key}" for key in table.model_fields)


def _fits(table: type[Table], entry: Mapping[str, Any]) -> bool:
    """Tell whether an entry may be such a table, by its keys and its method."""
    method = table.model_fields.get("method")
    return entry.keys() <= table.model_fields.keys() and (
        method is None or entry.get("method") in get_args(method.annotation)
    )
