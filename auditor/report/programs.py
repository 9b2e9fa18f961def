"""Programs of this folder as processes of their own: one that is stuck can be ended without harm."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def started(file: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program that reads standard input and writes standard output; afterwards it is gone.

    It gets ready while its input is still being made, and imports nothing from the folder that it is started in.
    """
    pipe = subprocess.PIPE
    # The program is this very Python with a file of this package.
    with subprocess.Popen([sys.executable, "-I", file], stdin=pipe, stdout=pipe, stderr=pipe) as process:  # noqa: S603
        try:
            yield process
        finally:
            process.kill()
