"""report.pdf: the same page, tagged for screen readers (PDF/UA-1)."""

from __future__ import annotations

import contextlib
import gc
import hashlib
from typing import TYPE_CHECKING

from auditor.errors import OutputError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator


def pdf(page: str) -> bytes:
    """Set report.html on paper; the same bytes for the same page.

    Raises:
        OutputError: the libraries that set text are not installed.
    """
    try:
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher
    except (ImportError, OSError) as error:
        raise OutputError(
            Problem(
                file="report.pdf",
                message=f"the PDF needs Pango, which cannot be loaded: {str(error).splitlines()[0][:200]}",
                advice="On Debian and Ubuntu: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0",
            )
        ) from None
    fetcher = URLFetcher(allowed_protocols={"data"}, allow_redirects=False, fail_on_errors=True)
    identifier = hashlib.sha256(page.encode()).digest()[:16]
    with _no_collection():
        written: bytes = HTML(string=page, url_fetcher=fetcher).write_pdf(
            pdf_variant="pdf/ua-1", pdf_identifier=identifier
        )
    return written


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Collect no garbage meanwhile: the boxes of a document are many, refer to each other, and all live to its end."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
