"""Declare: audit.toml -> AuditSpec with every default filled in, or every mistake at once, each with its line."""

from __future__ import annotations

import re
import tomllib
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError

from auditor.declare.lines import Lines, absolute_paths, assign, parse_value
from auditor.declare.mistakes import KeyPath, Mistake, explain
from auditor.declare.sense import check
from auditor.declare.sense_data import source_of
from auditor.declare.variants import as_name, expand
from auditor.errors import AuditorError, Problem, SpecError
from auditor.spec import AuditSpec, Compression, NamedAttribute
from auditor.spec.data import SplitPaths

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What a file declares."""

    spec: AuditSpec
    """Resolved: names, source and one compression a variant."""
    file: Path
    lines: Lines
    """Lines of its keys."""
    places: Mapping[str, KeyPath]
    """Where "attribute NAME" and "compression VARIANT" stand in it."""

    @property
    def base(self) -> Path:
        """The folder that the file's paths are relative to."""
        return self.file.parent

    @contextmanager
    def naming_places(self) -> Iterator[None]:
        """Give problems that later stages find a file: the definition with its line for a key, else the data's."""
        try:
            yield
        except AuditorError as error:
            raise type(error)(*map(self._placed, error.problems)) from error

    def _placed(self, problem: Problem) -> Problem:
        if problem.file == str(self.file):
            return problem
        entry, _, key = problem.where.partition(": ")
        keys = problem.where.split(".")
        path: KeyPath = tuple(keys) if keys[0] in AuditSpec.model_fields else ()
        if entry in self.places:
            path = (*self.places[entry], *filter(None, key.split(".")))
        elif not problem.where:
            path = self._files.get(problem.file, ())
        if path:
            message = f"{problem.file}: {problem.message}" if problem.file else problem.message
            where = problem.where or ".".join(map(str, path))
            return replace(problem, where=where, message=message, file=str(self.file), line=self.lines.of(path))
        return replace(problem, file=problem.file or str(self.base / self.spec.data.path))

    @property
    def _files(self) -> dict[str, KeyPath]:
        """The keys that name files of data, by file."""
        data = self.spec.data
        named: dict[KeyPath, str | None] = {("data", "path"): data.path, ("data", "table"): data.table}
        if isinstance(data.split, SplitPaths):
            named |= {
                ("data", "split", "train_path"): data.split.train_path,
                ("data", "split", "test_path"): data.split.test_path,
            }
        return {str(self.base / file): key for key, file in named.items() if file}


def load_spec(file: Path | str, settings: Sequence[str] = ()) -> Declaration:
    """Read audit.toml, with settings such as "data.path=people.csv" laid over it.

    Raises SpecError with every mistake. Paths in settings are relative to the current folder, those in the file to it.
    """
    path = Path(file).resolve()
    text = _read(path)
    raw, lines = _parse(text, path), Lines(text)
    problems: list[Problem] = []
    given: dict[KeyPath, str] = {}
    for setting in settings:
        try:
            given |= _apply(raw, setting)
        except ValueError as error:
            problems.append(Problem(message=str(error), where=f"--set {setting}"))
    spec, mistakes = _validate(raw)
    problems += [_placed(mistake, given, path, lines) for mistake in mistakes]
    if problems or spec is None:
        raise SpecError(*problems)
    return Declaration(spec=resolve(spec, path), file=path, lines=lines, places=_places(spec))


def _placed(mistake: Mistake, given: Mapping[KeyPath, str], file: Path, lines: Lines) -> Problem:
    """Say where a mistake is: in the file, or in what `--set` gives in its place, told by key path."""
    for path, key in given.items():
        if mistake.path[: len(path)] == path:
            return Problem(message=mistake.message, where=f"--set {key}", advice=mistake.advice)
    line = lines.of(mistake.path)
    return Problem(message=mistake.message, where=mistake.where, advice=mistake.advice, file=str(file), line=line)


def _places(spec: AuditSpec) -> dict[str, KeyPath]:
    places: dict[str, KeyPath] = {f"attribute {entry.name}": ("attribute", i) for i, entry in enumerate(spec.attribute)}
    for i, entry in enumerate(spec.compression):
        places |= {f"compression {variant.name}": ("compression", i) for variant in expand(entry)}
    return places


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        advice = "write one with: auditor init --data FILE" if path.name == "audit.toml" else ""
        raise SpecError(Problem(message="there is no such file", file=str(path), advice=advice)) from None
    except IsADirectoryError:
        advice = f"name the file in it: {path / 'audit.toml'}"
        raise SpecError(Problem(message="is a folder", file=str(path), advice=advice)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(Problem(message=f"cannot be read: {error}", file=str(path))) from None


def _parse(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        line = int(found[1]) if found else None
        advice = _twofold(text.splitlines()[line - 1]) if line and "immutable" in str(error) else ""
        raise SpecError(Problem(message=f"is no TOML: {error}", file=str(path), line=line, advice=advice)) from None
    except RecursionError:
        message, advice = "has tables or lists in each other, too deep to be read", "No key needs more than a few."
        raise SpecError(Problem(message=message, file=str(path), advice=advice)) from None


def _twofold(line: str) -> str:
    """Advice for the heading of an entry whose list stands already as a value: attribute = [...], [[attribute]]."""
    heading = re.match(r"\s*\[\[\s*([\w-]+)", line)
    return f"{heading[1]} stands already as a list: write all as [[{heading[1]}]]" if heading else ""


def _apply(raw: dict[str, Any], setting: str) -> dict[KeyPath, str]:
    """Lay a setting over the file; give its key by the path of it. Raises ValueError where it is none."""
    key, separator, value = (part.strip() for part in setting.partition("="))
    if not separator:
        raise ValueError("expected KEY=VALUE")
    return {assign(raw, key, absolute_paths(key, parse_value(value))): key}


class _Partial(AuditSpec):
    """What is left of a file without its ill-formed entries: possibly no attribute and no compression."""

    attribute: list[NamedAttribute] = Field([])
    compression: list[Compression] = Field([])


def _validate(raw: dict[str, Any]) -> tuple[AuditSpec | None, list[Mistake]]:
    """Validate the form, and check for sense what is well formed: both kinds of mistake are told at once."""
    try:
        spec = AuditSpec.model_validate(raw)
    except ValidationError as error:
        mistakes = explain(error.errors(include_url=False))
        whole, places = _without(raw, [mistake.path for mistake in mistakes])
        try:
            partial = _Partial.model_validate(whole)
        except ValidationError:
            return None, mistakes
        return None, mistakes + check(partial, raw, places)
    mistakes = check(spec, raw, {})
    return (None if mistakes else spec), mistakes


def _without(raw: dict[str, Any], broken: list[KeyPath]) -> tuple[dict[str, Any], dict[str, list[int]]]:
    """Leave out broken entries of lists and broken optional tables; tell for each list which places are left."""
    whole = {key: value for key, value in raw.items() if (key,) not in broken}
    places: dict[str, list[int]] = {}
    for key, value in list(whole.items()):
        wrong = {path[1] for path in broken if path[0] == key and len(path) > 1}
        if isinstance(value, list):
            places[key] = [i for i in range(len(value)) if i not in wrong]
            whole[key] = [value[i] for i in places[key]]
        elif wrong and isinstance(value, dict):
            whole[key] = {name: item for name, item in value.items() if name not in wrong}
    return whole, places


def resolve(spec: AuditSpec, path: Path) -> AuditSpec:
    """Fill in the audit's name, the source, and one named compression a variant."""
    audit = spec.audit.model_copy(update={"name": spec.audit.name or as_name(path.parent.name) or "audit"})
    data = spec.data.model_copy(update={"source": source_of(spec)})
    compression = [variant for entry in spec.compression for variant in expand(entry)]
    return spec.model_copy(update={"audit": audit, "data": data, "compression": compression})
