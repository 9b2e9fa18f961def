"""Distributions as pip would install them: what makes their entry points known, without pip."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def install(folder: Path, project: Path) -> None:
    """Put a project's metadata into a folder of the search path; `project` holds its pyproject.toml."""
    told = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = []
    for group, points in told["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
    offer(folder, told["name"], told["version"], "\n".join(lines))


def offer(folder: Path, name: str, version: str, entry_points: str) -> None:
    """Make a distribution of this name known, with these entry points."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"{entry_points}\n", encoding="utf-8")
