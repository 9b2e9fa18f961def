"""A model card as a file: what an audit puts into it, with all else left byte for byte."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

import yaml

from auditor.errors import OutputError, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

Json = dict[str, Any]
Item = TypeVar("Item")

MOST_BYTES = 8 << 20
"""Of a card that is read."""
_FRONT = re.compile(r"\A(\s*---[ \t]*\n)(.*?)^(---[ \t]*(?:\n|\Z))", re.DOTALL | re.MULTILINE)
_INDEX = "model-index"
_NUMBERS = {"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"}
_LONGEST_NUMBER = 100


def put(text: str, *, audit: str, body: str, metadata: Json) -> str:
    """Put a section and metadata into a card; both are replaced where the same audit put them before.

    Raises:
        OutputError: the front matter is no plain YAML mapping, or the section's marks do not stand in pairs.
    """
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    ending = "\r\n" if "\r\n" in text else "\n"
    plain = text[len(mark) :].replace("\r\n", "\n") if ending == "\r\n" else text[len(mark) :]
    if ending == "\r\n" and plain.replace("\n", "\r\n") != text[len(mark) :]:
        raise _refused("its lines end in two ways, some with a carriage return", "Let all end in one way.")
    head, front, foot, rest = _split(plain)
    made = f"{head}{_front(front, audit, metadata)}{foot}{_section(rest, audit, body)}"
    return mark + made.replace("\n", ending)


def _split(text: str) -> tuple[str, str, str, str]:
    """Give the line above the front matter, the front matter, the line below it, and the rest."""
    if found := _FRONT.match(text):
        head, front, foot = found.groups()
        return head, front, foot if foot.endswith("\n") else f"{foot}\n", text[found.end() :]
    if re.match(r"\s*---[ \t]*(\n|\Z)", text):
        raise _refused("its front matter has no end", "Put a line of --- below it.")
    return "---\n", "", "---\n\n" if text else "---\n", text


def _refused(message: str, advice: str = "") -> OutputError:
    return OutputError(Problem(where="card", message=message, advice=advice))


# --------------------------------------------------------------------------------------------------------- front matter


def _front(front: str, audit: str, metadata: Json) -> str:
    """Give the front matter with this audit's results in it; keys that are there, such as base_model, stay."""
    before, top = _read(front)
    index = before.get(_INDEX)
    ours = [_is_of(entry, audit) for entry in index or []]
    models = _placed([[entry] for entry in index or []], ours, metadata[_INDEX])
    lines = front.splitlines(keepends=True)
    new = [key for key in metadata if key not in before and key != _INDEX]
    lines += _yaml({key: metadata[key] for key in new}).splitlines(keepends=True)
    made = "".join(_with_entries(lines, top, ours, metadata[_INDEX]))
    expected = {**before, **{key: metadata[key] for key in new}, _INDEX: models}
    if repr(sorted(_read(made)[0].items(), key=repr)) != repr(sorted(expected.items(), key=repr)):
        raise _refused("its model-index is written in a way that cannot be edited", "Write it in block style.")
    return made


class _Plain(yaml.SafeLoader):
    """YAML without aliases, by which a few lines may stand for gigabytes, and numbers that take hours to read."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Read a value; an alias is refused, and so is a number of very many digits."""
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(problem="an alias (*), which is not read", problem_mark=mark)
        node = super().compose_node(parent, index)
        if isinstance(node, yaml.ScalarNode) and node.tag in _NUMBERS and len(node.value) > _LONGEST_NUMBER:
            problem = f"a number of {len(node.value):,} characters"
            raise yaml.composer.ComposerError(problem=problem, problem_mark=node.start_mark)
        return node


def _read(front: str) -> tuple[Json, yaml.MappingNode | None]:
    """Read front matter, and where its keys stand."""
    try:
        loader = _Plain(front)
        top = loader.get_single_node()
        content = None if top is None else loader.construct_document(top)
    # the last three are what PyYAML itself raises for a value that is not of its tag, such as "!!bool perhaps"
    except (yaml.YAMLError, RecursionError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
        place = getattr(error, "problem_mark", None)
        line = f", line {place.line + 2}" if place else ""
        why = getattr(error, "problem", None) or str(error) or "nested too deeply"
        raise _refused(f"its front matter is no YAML that can be read{line}: {why}") from None
    if top is None:
        return {}, None
    if not isinstance(top, yaml.MappingNode) or top.flow_style or not isinstance(content, dict):
        raise _refused("its front matter is no list of keys, a line each")
    if len(content) != len(top.value):
        raise _refused("its front matter has a key twice", "Remove one of them.")
    if not isinstance(content.get(_INDEX) or [], list):
        raise _refused("its model-index is no list", "Hugging Face has a list of models there.")
    return content, top


def _is_of(entry: object, audit: str) -> bool:
    """Tell whether an entry of the model-index is what this audit put there: all its results say so."""
    results = entry.get("results") if isinstance(entry, dict) else None
    return bool(results) and isinstance(results, list) and all(_names(one, audit) for one in results)


def _names(result: object, audit: str) -> bool:
    for key in ("dataset", "args"):
        result = result.get(key) if isinstance(result, dict) else None
    return isinstance(result, dict) and result.get("audit") == audit


def _with_entries(
    lines: list[str], top: yaml.MappingNode | None, ours: Sequence[bool], entries: list[Json]
) -> list[str]:
    """Put this audit's lines of the model-index in place of its earlier ones, or at the end."""
    found = next(((k, v) for k, v in top.value if k.value == _INDEX), None) if top else None
    if found is None:
        return lines + _yaml({_INDEX: entries}).splitlines(keepends=True)
    key, value = found
    if ours and value.flow_style:
        raise _refused("its model-index is written within brackets, which is not edited", "Write it a line a key.")
    if not ours:  # no value, or an empty list: one line
        start = key.start_mark.line
        return lines[:start] + lines[start + 1 :] + _yaml({_INDEX: entries}).splitlines(keepends=True)
    starts = [item.start_mark.line for item in value.value]
    end = _last(lines, starts[-1], value.end_mark.line)
    bounds = [*starts, end]
    indent = " " * value.start_mark.column
    own = [indent + line for line in _yaml(entries).splitlines(keepends=True)]
    parts = [lines[start:stop] for start, stop in pairwise(bounds)]
    return [*lines[: starts[0]], *_placed(parts, ours, own), *lines[end:]]


def _placed(parts: Sequence[list[Item]], ours: Sequence[bool], new: list[Item]) -> list[Item]:
    """Put what is new in place of the first part that is ours, and leave out the others; at the end without any."""
    kept = [[] if own else part for part, own in zip(parts, ours, strict=True)]
    kept.insert(ours.index(True) if any(ours) else len(kept), new)
    return [item for part in kept for item in part]


def _last(lines: list[str], start: int, end: int) -> int:
    """Give the line below a value's last one: blank lines and comments below it belong to what follows."""
    while end > start + 1 and (not lines[end - 1].strip() or lines[end - 1].startswith("#")):
        end -= 1
    return end


def _yaml(content: Json | list[Json]) -> str:
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=10_000) if content else ""


# -------------------------------------------------------------------------------------------------------------- section


def _section(rest: str, audit: str, body: str) -> str:
    """Put a section between its marks, or at the end with new ones."""
    name = re.sub(r"[^A-Za-z0-9._]+", "-", audit)[:100]
    begin, end = (f"<!-- auditor {name}: {what} -->\n" for what in ("begin", "end"))
    made = f"{begin}{body}{end}"
    if rest.endswith(end.rstrip()):  # an editor took the last line break away
        rest += "\n"
    first, last = rest.count(begin), rest.count(end)
    if not first and not last:
        gap = "" if not rest else "\n" if rest.endswith("\n") else "\n\n"
        return f"{rest}{gap}{made}"
    if (first, last) != (1, 1) or rest.index(begin) > rest.index(end):
        raise _refused(
            f"the marks of this audit's section ({begin.strip()}, {end.strip()}) do not stand once each, in this order",
            "Remove what is left of them; the section is then put at the card's end.",
        )
    return rest[: rest.index(begin)] + made + rest[rest.index(end) + len(end) :]
