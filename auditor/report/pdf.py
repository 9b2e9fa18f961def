"""report.pdf: the same page, tagged for screen readers (PDF/UA-1)."""

from __future__ import annotations

import hashlib

from auditor.errors import OutputError, Problem


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
    written: bytes = HTML(string=page, url_fetcher=fetcher).write_pdf(
        pdf_variant="pdf/ua-1", pdf_identifier=hashlib.sha256(page.encode()).digest()[:16]
    )
    return written
