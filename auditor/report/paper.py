"""A program of its own: report.html in, report.pdf out, tagged for screen readers (PDF/UA-1).

Reads the page from standard input and writes the PDF to standard output. Where the libraries that set text are not
installed it ends with `NO_LIBRARIES`, and says on standard error what is missing.
"""

from __future__ import annotations

import gc
import hashlib
import sys
from typing import Any

NO_LIBRARIES = 3
"""The exit code."""


def pdf(page: str) -> bytes:
    """Set report.html on paper; the same bytes for the same page, and nothing outside it is read."""
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher

    fetcher = URLFetcher(allowed_protocols={"data"}, allow_redirects=False, fail_on_errors=True)
    identifier = hashlib.sha256(page.encode()).digest()[:16]
    document = HTML(string=page, url_fetcher=fetcher)
    written: bytes = document.write_pdf(pdf_variant="pdf/ua-1", pdf_identifier=identifier, finisher=_say_scopes)
    return written


def _say_scopes(_: object, written: Any) -> None:  # noqa: ANN401 - WeasyPrint's own, imported only where it is used
    """Say of every table heading whether it is a column's or a row's: WeasyPrint only lists each cell's headings."""
    elements = {one.reference: one for one in written.objects if hasattr(one, "get") and one.get("S")}
    for one in elements.values():
        if one["S"] == "/TH":
            part = elements[elements[one["P"]]["P"]]
            one["A"]["Scope"] = "/Column" if part["S"] == "/THead" else "/Row"


def main() -> None:
    """Load the libraries, which takes a second, before the page is there."""
    try:
        import weasyprint  # noqa: F401
    except (ImportError, OSError) as error:
        sys.stderr.write(str(error).splitlines()[0][:200])
        sys.exit(NO_LIBRARIES)
    # The boxes of a document are many, refer to each other, and all live to its end: there is no garbage.
    gc.disable()
    sys.stdout.buffer.write(pdf(sys.stdin.buffer.read().decode()))


if __name__ == "__main__":
    main()
