"""Where a result comes from: versions, digests, seeds, device, and the day."""

from __future__ import annotations

import hashlib
import json
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor.regular import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LIBRARIES = ("tensorflow", "tf_keras", "tensorflow-model-optimization", "numpy", "scipy", "pandas", "pillow")
"""Those whose version can change a number."""
THREADS = 1
"""Threads that TensorFlow computes with: other numbers give other last digits."""


def canonical(value: object) -> bytes:
    """Write a value as JSON in one way only, so that equal values have equal digests."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


def digest_of(value: object) -> str:
    """SHA-256 over the canonical JSON of a value."""
    return hashlib.sha256(canonical(value)).hexdigest()


def digest_of_file(path: Path) -> str:
    """SHA-256 over a file's bytes. Raises OSError where it is no ordinary file."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_of_files(paths: Iterable[Path], base: Path) -> str:
    """SHA-256 over files and their names relative to a folder."""
    return digest_of({path.relative_to(base).as_posix(): digest_of_file(path) for path in sorted(paths)})


def library_versions() -> dict[str, str]:
    """Give the versions of the libraries that are installed, without importing them."""
    versions = {}
    for name in LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def today() -> str:
    """Give the day by which waivers are judged, such as "2026-12-31", in UTC: the one place that asks for it."""
    return datetime.now(UTC).date().isoformat()


def describe(
    *,
    seed: int,
    definition: Mapping[str, Any],
    data: str,
    models: Mapping[str, tuple[str, ...]],
    stacks: Mapping[str, int],
) -> dict[str, Any]:
    """Collect everything that a reader needs to judge where a result comes from, and to get it again.

    `models` are the digests of each variant's members; `stacks`, of variants so trained, how many side by side.
    """
    package = Path(__file__).parent
    return {
        "auditor": version("auditor"),
        "code": digest_of_files(package.rglob("*.py"), package),
        "definition": digest_of(definition),
        "data": data,
        "seed": seed,
        "models": {name: list(digests) for name, digests in models.items()},
        "trained_side_by_side": dict(stacks),
        "python": platform.python_version(),
        "libraries": library_versions(),
        "machine": f"{platform.system()} {platform.machine()}",
        "device": "CPU",
        "threads": THREADS,
    }
