"""The process that draws: descriptions of panels in, pictures out."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from auditor.errors import OutputError
from auditor.report import draw
from auditor.report.programs import started

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TIME_LIMIT = 120
"""Seconds for all pictures of a report; a hundred take about ten."""


class Painter:
    """The process that draws."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def svgs(self, panels: Sequence[dict[str, Any]]) -> list[str]:
        """Draw panels, as `figures` describes them, once; the same bytes for the same panel.

        Raises:
            OutputError: the renderer failed, or took longer than the time limit.
        """
        try:
            made, said = self._process.communicate(json.dumps(panels).encode(), timeout=TIME_LIMIT)
            svgs: list[str] = json.loads(made)
        except subprocess.TimeoutExpired:
            raise OutputError(f"the figures were not drawn within {TIME_LIMIT} seconds") from None
        except ValueError as error:
            lines = said.decode(errors="replace").strip().splitlines()
            raise OutputError(f"the figures could not be drawn: {lines[-1] if lines else error}") from None
        return svgs


@contextmanager
def painter() -> Iterator[Painter]:
    """Start the process: it loads its libraries while the figures are still being made."""
    with started(draw.__file__) as process:
        yield Painter(process)
