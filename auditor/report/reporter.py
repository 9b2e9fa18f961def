"""Reporters: what other distributions make of a finished audit. The contract is `Reporter` and `Finished`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pydantic import ValidationError

from auditor import plugins
from auditor.declare.mistakes import Mistake, explain
from auditor.errors import OutputError, Problem, SpecError, did_you_mean
from auditor.output import write
from auditor.plugins import REPORTERS, PluginError
from auditor.spec import Table
from auditor.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pydantic_core import ErrorDetails

    from auditor.errors import AuditorError
    from auditor.records import AuditResult
    from auditor.report.view.blocks import View

OWN_FOLDERS = {"predictions", "tensorboard"}
"""Folders of an audit's output that are its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """An audit that is over, with all its own files written."""

    result: AuditResult
    """Every number, verdict and failure; `auditor.records` describes it."""
    digest: str
    """Of the result, as result.json states it: identical audits have the same."""
    view: View
    """The same in words and tables, as every report tells it; `auditor.report.view.blocks` describes it."""
    folder: Path
    """Where the files are."""
    files: Mapping[str, Path]
    """What was written, by its name in the folder, such as "report.html": the formats that were asked for."""
    models: Mapping[str, Mapping[int, Path]]
    """By variant and member: model files, to be read only. Empty where a result is rendered again."""


class Reporter(Table, ABC):
    """What an entry point of the group `auditor.reporters` names: a subclass, whose fields are its options.

    The fields are given in audit.toml, `[report.options.NAME]`, and checked by pydantic, strictly, before the audit
    runs: a validator that raises ValueError is told with the key's line. One object serves one audit.
    """

    @abstractmethod
    def report(self, finished: Finished) -> Mapping[str, bytes]:
        """Make files, or publish elsewhere: called once, after everything else is written.

        Gives the content of each file by its name in the output folder ("acme/table.csv" is in a folder of it), or {}.
        What it raises is told with the distribution's name, stops no other format and changes no exit code. It runs in
        this process, which can catch it but not end it: who waits for a network brings a time limit of its own.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The formats of a report that were asked for."""

    formats: tuple[str, ...]
    """Those built in."""
    reporters: Mapping[str, Reporter] = field(default_factory=dict)
    """Plugins' own, with their options."""
    failed: Mapping[str, AuditorError] = field(default_factory=dict)
    """Plugins that cannot serve, and why."""


def ask(names: Iterable[str], options: Mapping[str, Mapping[str, object]], built_in: Iterable[str]) -> Asked:
    """Find who makes these formats; only a plugin that is asked for is imported.

    Raises:
        OutputError: a name is neither built in nor any plugin's.
        SpecError: options that their reporter does not take, as keys below report.options.
    """
    own, offered = list(built_in), plugins.names(REPORTERS)
    wanted = list(dict.fromkeys(names))
    check_names(wanted, own, offered)
    reporters: dict[str, Reporter] = {}
    failed: dict[str, AuditorError] = {}
    mistakes: list[Mistake] = []
    for name in (name for name in wanted if name not in own):
        try:
            kind = plugins.load(REPORTERS, name, Reporter)  # type: ignore[type-abstract]
            with plugins.blamed_on(plugins.origin(REPORTERS, name)):
                made = _made(kind, name, options.get(name, {}))
        except PluginError as error:
            failed[name] = error
            continue
        if isinstance(made, Reporter):
            reporters[name] = made
        else:
            mistakes += made
    if mistakes:
        raise SpecError(*(Problem(where=m.where, message=m.message, advice=m.advice) for m in mistakes))
    return Asked(formats=tuple(name for name in wanted if name in own), reporters=reporters, failed=failed)


def check_names(wanted: Iterable[str], own: Iterable[str], offered: Iterable[str]) -> None:
    """Raise OutputError with every name that nobody knows."""
    known = [*own, *offered]
    problems = [
        Problem(where=name, message="no such format", advice=plugins.unknown(name, known))
        for name in wanted
        if name not in known
    ]
    if problems:
        raise OutputError(*problems)


def _made(kind: type[Reporter], name: str, options: Mapping[str, object]) -> Reporter | list[Mistake]:
    """Give a reporter with its options, or what is wrong with these."""
    try:
        return kind(**options)
    except ValidationError as error:
        return [_explained(kind, name, detail) for detail in error.errors(include_url=False)]


def _explained(kind: type[Reporter], name: str, detail: ErrorDetails) -> Mistake:
    path = ("report", "options", name, *detail["loc"])
    if detail["type"] == "extra_forbidden" and len(detail["loc"]) == 1:
        key = str(detail["loc"][0])
        return Mistake(path=path, message=f"unknown key {key!r}", advice=did_you_mean(key, kind.model_fields))
    if detail["type"] in {"value_error", "assertion_error"}:
        return Mistake(path=path, message=str(detail["ctx"]["error"]))
    detail["loc"] = path
    return explain([detail])[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What became of plugins' reports."""

    files: Mapping[str, bytes]
    """What was written, by its name in the folder."""
    failed: Mapping[str, AuditorError]
    """By format."""


def publish(asked: Asked, finished: Finished, reserved: Iterable[str]) -> Published:
    """Let every reporter report, and write what it gives; one that cannot is told of, and stops no other.

    `reserved` are the names of files that are no plugin's to write, whether they are there or not.
    """
    failed, written = dict(asked.failed), dict[str, bytes]()
    own = {name.casefold() for name in (*reserved, *OWN_FOLDERS)}
    taken = {name.casefold() for name in finished.files}
    for name, reporter in asked.reporters.items():
        owner = plugins.origin(REPORTERS, name)
        try:
            with plugins.blamed_on(owner):
                given = reporter.report(finished)
                files = dict(given) if isinstance(given, Mapping) else given
                _check_files(files, finished.folder, own, taken)
            write(finished.folder, files, "Choose another with --output.")
            written |= files
            taken |= {file.casefold() for file in files}
        except (PluginError, OutputError) as error:
            failed[name] = error
    return Published(files=written, failed=failed)


def _check_files(files: object, folder: Path, own: set[str], taken: set[str]) -> None:
    """Raise OutputError where these are no files that a plugin may write."""
    if not isinstance(files, Mapping):
        raise OutputError(f"gives {type(files).__name__}, not a mapping of file names to bytes")
    problems = [
        Problem(message=f"{name!r} {said}") for name, content in files.items() if (said := _misplaced(name, folder))
    ]
    problems += [
        Problem(message=f"{name!r} is {type(content).__name__}, not bytes")
        for name, content in files.items()
        if not isinstance(content, bytes)
    ]
    if not problems:
        first = {name: PurePosixPath(name).parts[0].casefold() for name in files}
        problems = [
            Problem(message=f"{name!r} is another's: the audit's own, or an earlier reporter's")
            for name in files
            if first[name] in own or name.casefold() in taken
        ]
    if problems:
        raise OutputError(*problems)


def _misplaced(name: object, folder: Path) -> str:
    """Say why a name is none of a file in this folder; empty where it is."""
    if not isinstance(name, str) or not name or clean(name) != name or "\\" in name:
        return "is no file name"
    path = PurePosixPath(name)
    if str(path) != name or not path.parts or path.is_absolute() or ".." in path.parts:
        return "is no place in the output folder"
    if not (folder / name).parent.resolve().is_relative_to(folder.resolve()):
        return "leads out of the output folder, by a link"
    return ""
