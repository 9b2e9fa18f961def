"""TOML as it is written: values and comments of whatever the data holds."""

from __future__ import annotations

import json
import re

from auditor.text import clean

Value = "Label | Sequence[Value] | Mapping[str, Value]"


def value(given: object) -> str:
    """Write a text, number, truth, list or or inline table."""
    if isinstance(given, str):
        return _text(given)
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, int | float):
        return repr(given)
    if isinstance(given, dict):
        return "{ " + ", ".join(f"{key(name)} = {value(held)}" for name, held in given.items()) + " }"
    if isinstance(given, list | tuple):
        return "[" + ", ".join(map(value, given)) + "]"
    raise TypeError(f"{type(given).__name__} is no value of TOML")


def key(name: str) -> str:
    """Write a key: bare, as those of audit.toml are, or in quotes where it must be."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _text(name)


def _text(given: str) -> str:
    """A basic string is one of JSON, but for DEL, which TOML wants escaped, and surrogates, which it does not know."""
    return json.dumps(given, ensure_ascii=False).replace("\x7f", "\\u007f")


def comment(text: str) -> str:
    """Write one line of comment; what cannot be seen is replaced, so that no name ends the line."""
    return f"# {clean(text)}"
