"""The user's own modules that an audit runs: what they are goes into every member's key."""

from __future__ import annotations

from importlib.machinery import PathFinder
from pathlib import Path

from auditor.errors import ModelError, Problem
from auditor.provenance import digest_of_files


def module_digest(module: str, base: Path) -> str:
    """SHA-256 of a module's source: the whole package that it is in. Nothing of it is run.

    Raises ModelError where there is none beside audit.toml, which is in `base`, or among the packages.
    """
    top = module.partition(".")[0]
    found = PathFinder.find_spec(top) or PathFinder.find_spec(top, [str(base)])
    if found is None or not (found.submodule_search_locations or found.origin):
        message, advice = f'there is no module "{module}"', "It is looked for beside audit.toml and among the packages."
        raise ModelError(Problem(where="model.architecture", message=message, advice=advice))
    if found.submodule_search_locations:
        folder = Path(next(iter(found.submodule_search_locations)))
        return digest_of_files(folder.rglob("*.py"), folder)
    origin = Path(str(found.origin))
    return digest_of_files([origin], origin.parent)
