"""card.md: a Hugging Face model card, or an audit's section of a card that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.report.card_file import put
from auditor.report.card_index import model_index
from auditor.report.card_text import section
from auditor.report.markdown import escaped

if TYPE_CHECKING:
    from auditor.records import AuditResult
    from auditor.report.view.blocks import View


def card(result: AuditResult, view: View) -> str:
    """Write a card of one's own: front matter, heading and the audit's section."""
    return into(f"# {escaped(view.title)}\n", result, view)


def into(text: str, result: AuditResult, view: View) -> str:
    """Put the audit into a card: its results among the front matter's, its section between marks of its own.

    What else the card holds stays as it is, and what an earlier audit of this name put there is replaced.

    Raises:
        OutputError: the front matter or the marks are not to be understood.
    """
    index = model_index(result)
    body = "\n".join(section(result, view, left=index.left)) + "\n"
    return put(text, audit=str(result.definition["audit"]["name"]), body=body, metadata=index.metadata)
