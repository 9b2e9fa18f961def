"""What commands write: the formats that were asked for, the manifest of all files, what plugins report."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import click

from auditor.output import write

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from auditor.declare import Declaration
    from auditor.errors import AuditorError
    from auditor.pipeline import Audit
    from auditor.report.answer_json import Written
    from auditor.report.outcome import Reading
    from auditor.report.rendering import Rendered
    from auditor.report.reporter import Asked
    from auditor.report.result_json import Loaded
    from auditor.report.tools import Tools

ANOTHER = "Choose another with --output."
_MOST_BYTES = 64 << 20
_FOOT = rb"Audit ([A-Za-z0-9_\\-]+), result [0-9a-f]{16}\."
_NAMED_IN = {
    "report.html": _FOOT,
    "summary.md": _FOOT,
    "card.md": _FOOT,
    "results.sarif": rb'"id": "auditor/([A-Za-z0-9_-]+)/"',
    "junit.xml": rb'<testsuites name="([A-Za-z0-9_-]+)"',
}
"""Files that name their audit, and where; the last place counts, since what stands before it may be anybody's text."""


def need_folder(folder: Path, audit: str) -> None:
    """Refuse a folder, before anything long is done for it, that cannot be written to or holds another audit's files.

    Raises:
        OutputError: it is not writable, its result.json is another audit's, or none, or where there is no result.json,
            one of the reports that name their audit is another's.
    """
    from auditor.errors import OutputError, Problem

    try:
        there = next(place for place in (folder, *folder.absolute().parents) if _is_there(place))
    except OSError as error:
        raise OutputError(
            Problem(file=str(folder), message=f"cannot be written: {error.strerror}", advice=ANOTHER)
        ) from None
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        reason = "no folder can be made there" if there != folder or not there.is_dir() else "it is not writable"
        raise OutputError(Problem(file=str(folder), message=f"cannot be written: {reason}", advice=ANOTHER))
    for name, other in _owners(folder):
        if other != audit:
            whose = "is no result that can be read" if other is None else f'is of another audit, "{other}"'
            message = f'holds a {name} that {whose}; this one is "{audit}"'
            raise OutputError(Problem(file=str(folder), message=message, advice=f"{ANOTHER} Or remove what is there."))


def _owners(folder: Path) -> Iterator[tuple[str, str | None]]:
    """Give the audits that files of a folder are of, by what they say themselves; None is said by no one.

    A result.json answers for all of them. Where there is none, as in a folder that only renderings went to, those are
    asked that hold the name of their audit; a PDF or exemplars alone tell nothing.
    """
    from auditor.regular import read_regular
    from auditor.report.result_json import audit_of

    if (folder / "result.json").exists():
        yield "result.json", audit_of(folder / "result.json")
        return
    for name, pattern in _NAMED_IN.items():
        try:
            found = re.findall(pattern, read_regular(folder / name, _MOST_BYTES))
        except OSError:
            continue
        if found:
            yield name, found[-1].replace(b"\\", b"").decode()


def _is_there(place: Path) -> bool:
    """Tell whether there is anything, if only a link to nowhere. Raises OSError where nobody can tell."""
    try:
        place.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def formats_asked(declaration: Declaration) -> Asked:
    """Find who makes a definition's formats, before an audit takes its time; a plugin that cannot is told of."""
    from auditor.report.rendering import ALWAYS, FORMATS
    from auditor.report.reporter import ask

    wanted = declaration.spec.report
    with declaration.naming_places():
        asked = ask([*ALWAYS, *wanted.formats], wanted.options, FORMATS)
    _warn(asked.failed, "cannot be made")
    return asked


def decisions(audit: Audit) -> dict[str, bytes]:
    """Give what a run alone can write, by name: every decision, and what masks did where that was asked for."""
    from auditor.compress.summaries import EVENTS
    from auditor.report.predictions_table import predictions_parquet

    made = {f"predictions/{p.name}.parquet": predictions_parquet(audit.dataset, p) for p in audit.populations}
    for population in audit.populations:
        for member, events in population.events.items():
            made[f"tensorboard/{population.name}/member_{member}/{EVENTS}"] = events
    return made


def write_reports(
    loaded: Loaded,
    formats: Sequence[str],
    folder: Path,
    *,
    reading: Reading,
    more: dict[str, bytes] | None = None,
    tools: Tools | None = None,
) -> Rendered:
    """Render everything before anything is written; a format that cannot be made is said, and stops no other.

    `more` is what a run alone writes, whose manifest lists nothing of an earlier one.
    """
    from auditor.report.manifest import MANIFEST, listed, manifest
    from auditor.report.rendering import render

    need_folder(folder, loaded.result.definition["audit"]["name"])
    rendered = render(
        loaded.result, formats, edited=loaded.edited, written=loaded.written, reading=reading, tools=tools
    )
    _warn(rendered.failed, "was not made")
    files = {**(more or {}), **rendered.files}
    files[MANIFEST] = manifest(files, {} if more is not None else listed(folder))
    write(folder, files, ANOTHER)
    return rendered


def publish_reports(
    asked: Asked,
    loaded: Loaded,
    rendered: Rendered,
    folder: Path,
    *,
    more: Iterable[str] = (),
    models: Mapping[str, Mapping[int, Path]] | None = None,
) -> Written:
    """Let plugins report when everything else is written (`more` beside the rendered); what fails is only told."""
    from auditor.errors import OutputError
    from auditor.report.answer_json import Written
    from auditor.report.manifest import MANIFEST, listed, manifest
    from auditor.report.rendering import FORMATS
    from auditor.report.reporter import Finished, publish

    finished = Finished(
        result=loaded.result,
        digest=rendered.digest,
        view=rendered.view,
        folder=folder,
        files={name: folder / name for name in (*more, *rendered.files)},
        models=models or {},
    )
    published = publish(asked, finished, [MANIFEST, *(name for name, _ in FORMATS.values())])
    failed = dict(published.failed)
    if published.files:
        try:
            write(folder, {MANIFEST: manifest(published.files, listed(folder))}, ANOTHER)
        except OutputError as error:
            failed[MANIFEST] = error
    _warn(failed, "was not made")
    files = [*finished.files.values(), *(folder / name for name in published.files)]
    return Written(files=files, failed={**rendered.failed, **failed})


def _warn(failed: Mapping[str, AuditorError], what: str) -> None:
    for name, error in failed.items():
        click.echo(f"warning: {name} {what}: {error}", err=True)
