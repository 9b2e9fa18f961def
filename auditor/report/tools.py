"""The processes that draw and print, which take seconds to get ready: they are started before anything else is read."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.report.painter import painter
from auditor.report.pdf import press

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from auditor.report.painter import Painter
    from auditor.report.pdf import Press


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """Processes that draw and print; each serves one report."""

    painter: Painter | None = None
    press: Press | None = None


@contextmanager
def tools_for(formats: Iterable[str]) -> Iterator[Tools]:
    """Start what some of these formats need, so that it gets ready while the result is still being made."""
    wanted = set(formats)
    with ExitStack() as held:
        yield Tools(
            painter=held.enter_context(painter()) if wanted & {"html", "pdf"} else None,
            press=held.enter_context(press()) if "pdf" in wanted else None,
        )
