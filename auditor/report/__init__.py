"""From a result to files: each format is one entry of `FORMATS` and one module."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from auditor.errors import OutputError, Problem, did_you_mean
from auditor.report.html import html
from auditor.report.markdown import markdown
from auditor.report.pdf import pdf
from auditor.report.result_json import content_of, text_of
from auditor.report.view import view

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path
    from typing import Any

    from auditor.records import AuditResult
    from auditor.report.view.blocks import View

__all__ = ["FORMATS", "Draft", "Rendered", "render", "write"]


class Draft:
    """A result on its way into files: what several formats share is made once."""

    def __init__(self, result: AuditResult, *, edited: bool = False) -> None:
        self.result, self.edited = result, edited

    @cached_property
    def content(self) -> dict[str, Any]:
        """What result.json holds."""
        return content_of(self.result)

    @cached_property
    def view(self) -> View:
        """The result in words."""
        return view(self.result, digest=self.content["digest"], edited=self.edited)

    @cached_property
    def html(self) -> str:
        """The whole report as one page."""
        return html(self.view)


FORMATS: dict[str, tuple[str, Callable[[Draft], str | bytes]]] = {
    "html": ("report.html", lambda draft: draft.html),
    "pdf": ("report.pdf", lambda draft: pdf(draft.html)),
    "json": ("result.json", lambda draft: text_of(draft.content)),
    "markdown": ("summary.md", lambda draft: markdown(draft.view)),
}
"""Name of a format: its file's name, and what makes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """The files of a report, and the formats that could not be made."""

    files: Mapping[str, bytes]
    """By file name."""
    failed: Mapping[str, OutputError]
    """By format."""
    view: View
    """What they say, for the terminal."""


def render(result: AuditResult, formats: Iterable[str], *, edited: bool = False) -> Rendered:
    """Make the wanted formats; one that cannot be made does not keep the others from being made.

    Raises:
        OutputError: a format is not known.
    """
    wanted = list(dict.fromkeys(formats))
    unknown = [name for name in wanted if name not in FORMATS]
    if unknown:
        raise OutputError(
            *(Problem(where=name, message="no such format", advice=did_you_mean(name, FORMATS)) for name in unknown)
        )
    draft, files, failed = Draft(result, edited=edited), {}, {}
    for name in wanted:
        file, make = FORMATS[name]
        try:
            made = make(draft)
        except OutputError as error:
            failed[name] = error
        else:
            files[file] = made.encode() if isinstance(made, str) else made
    return Rendered(files=files, failed=failed, view=draft.view)


def write(folder: Path, files: Mapping[str, bytes]) -> tuple[Path, ...]:
    """Put files, named by their paths in a folder, into it; folders are made if need be: all whole, or none changed.

    Raises:
        OutputError: the folder or a file cannot be written.
    """
    paths = [folder / name for name in files]
    parts = {path.with_name(f".{path.name}.{os.getpid()}.part"): path for path in paths}
    try:
        for parent in {path.parent for path in paths}:
            parent.mkdir(parents=True, exist_ok=True)
        for part, content in zip(parts, files.values(), strict=True):
            with part.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
        for part, path in parts.items():
            part.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            Problem(file=str(folder), message=f"cannot be written: {reason}", advice="Choose another with --output.")
        ) from None
    finally:
        for part in parts:
            _remove(part)
    return tuple(parts.values())


def _remove(part: Path) -> None:
    try:
        part.unlink(missing_ok=True)
    except OSError:  # the folder itself cannot be reached: there is nothing to remove
        return
