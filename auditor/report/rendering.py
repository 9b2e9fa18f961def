"""From a result to files: each format is one entry of `FORMATS` and one module."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath
from typing import TYPE_CHECKING

from auditor.errors import OutputError, Problem, did_you_mean
from auditor.report.card import card, into
from auditor.report.exemplars_csv import exemplars_csv
from auditor.report.figures import pictures
from auditor.report.html import html
from auditor.report.junit import junit
from auditor.report.markdown import markdown
from auditor.report.outcome import Reading
from auditor.report.painter import painter
from auditor.report.result_json import content_of, text_of
from auditor.report.sarif import sarif
from auditor.report.tools import Tools, tools_for
from auditor.report.view import view

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from auditor.records import AuditResult
    from auditor.report.figures import Pictures
    from auditor.report.result_json import AsWritten
    from auditor.report.view.blocks import View

_Made = str | bytes | Future[bytes]


class Draft:
    """A result on its way into files: what several formats share is made once."""

    def __init__(
        self,
        result: AuditResult,
        *,
        edited: bool = False,
        written: AsWritten | None = None,
        reading: Reading | None = None,
        tools: Tools | None = None,
    ) -> None:
        self.result, self.edited, self.written, self.tools = result, edited, written, tools or Tools()
        self.reading = reading or Reading(definition=PurePath(result.definition_file).name)

    @cached_property
    def content(self) -> dict[str, Any]:
        """What result.json holds."""
        return content_of(self.result)

    @property
    def digest(self) -> str:
        """The result's own, as result.json states it."""
        return self.written.digest if self.written else str(self.content["digest"])

    def json(self) -> str | bytes:
        """The whole result: the file that it was read from, if that holds it."""
        return self.written.text if self.written else text_of(self.content)

    @cached_property
    def view(self) -> View:
        """The result in words."""
        return view(self.result, digest=self.digest, edited=self.edited)

    @cached_property
    def pictures(self) -> Pictures:
        """The figures' panels, drawn while the digest is made where there is none yet."""
        with (
            nullcontext(self.tools.painter) if self.tools.painter else painter() as ready,
            ThreadPoolExecutor(1) as waiting,
        ):
            drawn = waiting.submit(pictures, view(self.result, digest="", edited=self.edited).figures, ready)
            self.digest  # noqa: B018 - made meanwhile
            return drawn.result()

    @cached_property
    def html(self) -> str:
        """The whole report as one page."""
        return html(self.view, self.pictures)

    def pdf(self) -> Future[bytes]:
        """Begin to set the page on paper; other formats can be made meanwhile."""
        if self.tools.press is None:
            raise OutputError("the PDF needs a press, and none was started")
        return self.tools.press.pdf(html(self.view, self.pictures, paper=True))

    def junit(self) -> bytes:
        """The cases of a test run."""
        return junit(self.result, self.reading)

    def sarif(self) -> str:
        """The findings of a code scan."""
        return sarif(self.result, self.reading)

    def card(self) -> str:
        """The model card."""
        return card(self.result, self.view)

    def card_into(self, text: str) -> str:
        """Put the audit into a model card that is there; raises OutputError where that is not to be understood."""
        return into(text, self.result, self.view)


FORMATS: dict[str, tuple[str, Callable[[Draft], _Made]]] = {
    "html": ("report.html", lambda draft: draft.html),
    "pdf": ("report.pdf", Draft.pdf),
    "json": ("result.json", Draft.json),
    "exemplars": ("exemplars.csv", lambda draft: exemplars_csv(draft.result)),
    "junit": ("junit.xml", Draft.junit),
    "sarif": ("results.sarif", Draft.sarif),
    "markdown": ("summary.md", lambda draft: markdown(draft.view)),
    "card": ("card.md", Draft.card),
}
"""Name of a format: its file's name, and what makes it or begins to; the one that takes longest is begun first."""
ALWAYS = ("json", "exemplars")
"""What a run writes whatever formats are asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """The files of a report, and the formats that could not be made."""

    files: Mapping[str, bytes]
    """By file name."""
    failed: Mapping[str, OutputError]
    """By format."""
    view: View
    """What they say, for the terminal."""
    digest: str
    """Of the result."""


def render(
    result: AuditResult,
    formats: Iterable[str],
    *,
    edited: bool = False,
    written: AsWritten | None = None,
    reading: Reading | None = None,
    tools: Tools | None = None,
) -> Rendered:
    """Make the wanted formats; one that cannot be made does not keep the others from being made.

    `written` is the result.json that holds this very result, where there is one. `tools` are what `tools_for` started;
    without them, they are started here.

    Raises:
        OutputError: a format is not known.
    """
    wanted = list(dict.fromkeys(formats))
    unknown = [name for name in wanted if name not in FORMATS]
    if unknown:
        raise OutputError(
            *(Problem(where=name, message="no such format", advice=did_you_mean(name, FORMATS)) for name in unknown)
        )
    with nullcontext(tools) if tools else tools_for(wanted) as ready:
        draft = Draft(result, edited=edited, written=written, reading=reading, tools=ready)
        begun = {name: _attempt(FORMATS[name][1], draft) for name in sorted(wanted, key=list(FORMATS).index)}
        made = {name: _attempt(one.result) if isinstance(one, Future) else one for name, one in begun.items()}
    return Rendered(
        files={FORMATS[name][0]: one for name, one in made.items() if isinstance(one, bytes)},
        failed={name: one for name, one in made.items() if isinstance(one, OutputError)},
        view=draft.view,
        digest=draft.digest,
    )


def _attempt(make: Callable[..., _Made], *arguments: Draft) -> bytes | Future[bytes] | OutputError:
    """Give what is made, or why it could not be."""
    try:
        made = make(*arguments)
    except OutputError as error:
        return error
    return made.encode() if isinstance(made, str) else made
