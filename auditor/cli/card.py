"""Puts an audit into a model card that is there already."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.report.result_json import Loaded


def put_into(path: Path, loaded: Loaded) -> None:
    """Put the audit into a model card; nothing is written where that cannot be done."""
    from auditor.errors import OutputError, Problem
    from auditor.output import write
    from auditor.regular import read_regular
    from auditor.report.card_file import MOST_BYTES
    from auditor.report.rendering import Draft

    try:
        text = read_regular(path, MOST_BYTES).decode()
        made = Draft(loaded.result, edited=loaded.edited, written=loaded.written).card_into(text)
    except OSError as error:
        raise OutputError(Problem(file=str(path), message=f"cannot be read: {error.strerror}")) from None
    except UnicodeDecodeError as error:
        raise OutputError(Problem(file=str(path), message=f"is no UTF-8 text: byte {error.start:,}")) from None
    except OutputError as error:
        raise OutputError(*(replace(problem, file=str(path)) for problem in error.problems)) from None
    place = path.resolve()
    write(place.parent, {place.name: made.encode()}, "Choose another card.")
