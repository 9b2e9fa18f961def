"""exemplars.csv: every exemplar that result.json holds, for a spreadsheet."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from auditor.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.records import AuditResult

COLUMNS = ("variant", "example", "class", "decision_baseline", "decision", "share_baseline", "share", "score")
_FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
"""What makes a spreadsheet run the text of a cell, with white space before it or without; the last four are wide."""


def exemplars_csv(result: AuditResult) -> str:
    """Write a row an exemplar and variant, as RFC 4180 has it; an attribute's column is named group_ATTRIBUTE."""
    tops = [(found.variant, exemplar) for found in result.exemplars for exemplar in found.top]
    attributes = list(dict.fromkeys(attribute for _, exemplar in tops for attribute, _ in exemplar.group))
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(_cells([*COLUMNS, *(f"group_{attribute}" for attribute in attributes)]))
    for variant, one in tops:
        groups = dict(one.group)
        decided = (one.label, one.decision_baseline, one.decision)
        scores = (one.share_baseline, one.share, one.score)
        own = (groups.get(attribute, "") for attribute in attributes)
        writer.writerow(_cells([variant, one.example, *decided, *scores, *own]))
    return stream.getvalue()


def _cells(values: Iterable[str | float]) -> list[str | float]:
    return [_text(value) if isinstance(value, str) else value for value in values]


def _text(text: str) -> str:
    """Keep a spreadsheet from running a text (OWASP, CSV injection); what cannot be seen is replaced."""
    shown = clean(text, len(text))
    return f"'{shown}" if text.lstrip().startswith(_FORMULA) else shown
