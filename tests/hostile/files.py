"""What a hostile file is."""

from __future__ import annotations

import base64
import marshal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Content = bytes | Callable[[Path], bytes]
RUNS = "code of the file runs and writes the canary"
READS = "bytes of another file come back as weights"
FILLS = "memory is filled"
BREAKS = "a parser crashes, or reads what nobody checked"
MISLEADS = "what is looked at is not what is opened"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hostile:
    """A file that must be refused."""

    name: str
    ending: str
    content: Content
    """The bytes, or what makes them, given the place of the canary."""
    said: str
    """Words that its refusal must contain."""
    does: str
    """What happens to those who open it."""

    def write(self, folder: Path) -> Path:
        """Make the file in a folder; its canary is a file beside it, which is there only once its code has run."""
        path = folder / f"{self.name}{self.ending}"
        path.write_bytes(self.content if isinstance(self.content, bytes) else self.content(canary(path)))
        return path


def canary(path: Path) -> Path:
    """Where a file's code leaves its trace."""
    return path.with_name(f"{path.name}.canary")


def code(place: Path) -> str:
    """A function's bytecode as Keras stores it: called with a tensor, it writes the canary and gives it back."""
    source = f"lambda x: (open({str(place)!r}, 'w').close(), x)[1]"
    return base64.b64encode(marshal.dumps(eval(source).__code__)).decode("ascii")  # noqa: S307 - our own text
