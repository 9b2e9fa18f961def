"""What a stored result is: its files, and its facts, sealed so that any change of a byte shows."""

from __future__ import annotations

import json
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from auditor.compress.summaries import EVENTS, LARGEST_EVENTS
from auditor.population.facts import misshapen_array, misshapen_events
from auditor.provenance import canonical, digest_of
from auditor.regular import read_regular

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from auditor.records import FloatArray, IntArray
    from auditor.sandbox import Sandbox

ENTRY = "entry.json"
LARGEST_ENTRY = 16 << 20
"""Bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A stored result."""

    folder: Path
    failure: str | None
    """Why the member failed; None where it finished."""
    measured: Mapping[str, Any]
    seconds: float
    sandbox: Sandbox
    """What was withheld from the process that made it."""
    model: Path | None
    """The member's model file."""
    digest: str
    """SHA-256 of the model file; empty where there is none."""

    def decisions(self) -> IntArray:
        """int16 [N]."""
        return np.load(self.folder / "decisions.npy", allow_pickle=False)

    def probabilities(self) -> FloatArray | None:
        """float32 [N, C], or None where only decisions are known."""
        path = self.folder / "probabilities.npy"
        return np.load(path, allow_pickle=False) if path.exists() else None

    def events(self) -> bytes | None:
        """What pruning did while the member trained, for TensorBoard; None where that was not asked for."""
        path = self.folder / EVENTS
        return read_regular(path, LARGEST_EVENTS) if path.exists() else None

    def check(self, *, examples: int, classes: int) -> None:
        """Raise DamagedError where what is stored is not a member's decisions on so many examples."""
        if self.failure is not None:
            return
        if self.model is None:
            raise DamagedError("it holds no model file")
        for name, dtype, shape in (
            ("decisions.npy", np.int16, (examples,)),
            ("probabilities.npy", np.float32, (examples, classes)),
        ):
            path = self.folder / name
            if name == "probabilities.npy" and not path.exists():
                continue
            if said := misshapen_array(path, dtype, shape, classes):
                raise DamagedError(f"{name} {said}")
        if said := misshapen_events(self.folder / EVENTS):
            raise DamagedError(f"{EVENTS}: {said}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One file of a stored result, and the result's facts."""

    facts: Mapping[str, Any]
    content: bytes | None
    """None where the result has no such file."""
    ending: str


class DamagedError(Exception):
    """An entry that is not what was written, or not of the shape of what is written."""


def sealed_bytes(facts: dict[str, Any]) -> bytes:
    """Write facts with the checksum of them."""
    return canonical({"facts": facts, "sha256": digest_of(facts)})


def unsealed(path: Path) -> dict[str, Any]:
    """The facts of an entry, if every byte of it is as written. Raises DamagedError."""
    try:
        if path.exists() and not is_plain_file(path):
            raise DamagedError(f"{ENTRY} is no file any more")
        text = read_regular(path, LARGEST_ENTRY)
        facts: dict[str, Any] = json.loads(text)["facts"]
        if text == sealed_bytes(facts):
            return facts
    except FileNotFoundError as error:
        raise DamagedError(f"{ENTRY} is missing") from error
    except OSError as error:
        raise DamagedError(f"{ENTRY} cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DamagedError(f"{ENTRY} cannot be read: {error}") from error
    raise DamagedError(f"{ENTRY} has changed since it was written")


def is_plain_file(path: Path) -> bool:
    """Tell whether it is what this program writes: no folder, no link, nothing that could be read for ever."""
    return stat.S_ISREG(path.lstat().st_mode)
