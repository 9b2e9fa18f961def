"""The format of audit.toml, told by its schema: for editors as JSON, for readers as Markdown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from auditor.spec import AuditSpec

if TYPE_CHECKING:
    from collections.abc import Iterator


def as_json_schema() -> str:
    """Give the JSON schema of audit.toml."""
    return json.dumps(AuditSpec.model_json_schema(by_alias=True), indent=2, ensure_ascii=False)


def as_markdown() -> str:
    """Give a table of keys for each table of audit.toml."""
    schema = AuditSpec.model_json_schema(by_alias=True)
    names: dict[str, None] = {}
    _refer(schema, schema["$defs"], names)
    told: set[tuple[str, str, str]] = set()
    return "\n\n".join(_section(schema["$defs"][name], told) for name in names)


def _refer(part: Any, tables: dict[str, Any], names: dict[str, None]) -> None:  # noqa: ANN401 - JSON
    """Add the tables that a part of the schema refers to, each before its own, in the order of their keys."""
    if isinstance(part, list):
        for item in part:
            _refer(item, tables, names)
    elif isinstance(part, dict):
        name = str(part.get("$ref", "")).rpartition("/")[2]
        if name and name not in names:
            names[name] = None
            _refer(tables[name], tables, names)
        for key, item in part.items():
            if key not in {"$defs", "$ref"}:
                _refer(item, tables, names)


def _section(table: dict[str, Any], told: set[tuple[str, str, str]]) -> str:
    """Give the rows of a table; what an earlier one of the same name has told is only named."""
    required, title = table.get("required", []), str(table["description"]).rstrip(".")
    rows, again = [], []
    for key, field in table["properties"].items():
        meaning = (title.partition(":")[0], key, str(field.get("description", "")))
        if meaning in told:
            again.append(f"`{key}`")
        else:
            rows.append(_row(key, field, required=key in required))
        told.add(meaning)
    if again:
        rows.append(f"| {', '.join(again)} | | as above |")
    return "\n".join([f"**{title}**", "", "| key | default | meaning |", "|---|---|---|", *rows])


def _row(key: str, field: dict[str, Any], *, required: bool) -> str:
    default = "required" if required else _shown(field.get("default"))
    description, choices = str(field.get("description", "")), [f"`{choice}`" for choice in _choices(field)]
    parts = [description, "" if all(choice in description for choice in choices) else ", ".join(choices)]
    meaning = "; ".join(part for part in parts if part)
    return f"| `{key}` | {default} | {meaning} |".replace("|  |", "| |")


def _shown(default: Any) -> str:  # noqa: ANN401 - JSON
    return "" if default is None or isinstance(default, dict) else f"`{json.dumps(default)}`"


def _choices(field: dict[str, Any]) -> Iterator[str]:
    """Give the values that a key may have, where they are few and named."""
    if "enum" in field:
        yield from map(str, field["enum"])
    parts = [*field.get("anyOf", ()), *field.get("oneOf", ())]
    for part in [*parts, field["items"]] if isinstance(field.get("items"), dict) else parts:
        yield from _choices(part)
