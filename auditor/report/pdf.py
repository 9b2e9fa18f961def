"""report.pdf: the same page on paper, by a process of its own that gets ready while the page is written."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from auditor.errors import OutputError, Problem
from auditor.report import paper
from auditor.report.programs import started

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor, Future

TIME_LIMIT = 600
"""Seconds; twenty pages take about five."""


class Press:
    """The process that sets a page on paper."""

    def __init__(self, process: subprocess.Popen[bytes], waiting: Executor) -> None:
        self._process, self._waiting = process, waiting

    def pdf(self, page: str) -> Future[bytes]:
        """Begin to set report.html on paper, once; the same bytes for the same page.

        The future raises OutputError where the libraries that set text are not installed, fail, or take too long.
        """
        return self._waiting.submit(self._set, page.encode())

    def _set(self, page: bytes) -> bytes:
        try:
            written, said = self._process.communicate(page, timeout=TIME_LIMIT)
        except subprocess.TimeoutExpired:
            raise OutputError(f"the PDF was not made within {TIME_LIMIT} seconds") from None
        if self._process.returncode:
            raise _failure(self._process.returncode, said.decode(errors="replace"))
        return written


@contextmanager
def press() -> Iterator[Press]:
    """Start the process: it loads its libraries while the page is being written."""
    with ThreadPoolExecutor(1) as waiting, started(paper.__file__) as process:  # ended before it is waited for
        yield Press(process, waiting)


def _failure(code: int, said: str) -> OutputError:
    last = (said.strip().splitlines() or [f"its process ended with {code}"])[-1]
    if code != paper.NO_LIBRARIES:
        return OutputError(f"the PDF could not be made: {last[:200]}")
    return OutputError(
        Problem(
            file="report.pdf",
            message=f"the PDF needs Pango, which cannot be loaded: {last}",
            advice="On Debian and Ubuntu: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0",
        )
    )
