"""The user's own modules that an audit runs: what they are goes into every member's key, and how they are imported."""

from __future__ import annotations

import contextlib
import sys
from importlib import import_module
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor.errors import ModelError, Problem
from auditor.provenance import digest_of_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_PLACES = "It is looked for beside audit.toml and among the installed packages."


def module_digest(module: str, base: Path, where: str = "model.architecture") -> str:
    """SHA-256 of a module's source: the whole package that it is in. Nothing of it is run.

    `where` is the key that names it. Raises ModelError where there is none beside audit.toml, which is in `base`, or
    among the packages.
    """
    top = module.partition(".")[0]
    found = PathFinder.find_spec(top) or PathFinder.find_spec(top, [str(base)])
    if found is None or not (found.submodule_search_locations or found.origin):
        raise ModelError(Problem(where=where, message=f'there is no module "{module}"', advice=_PLACES))
    if found.submodule_search_locations:
        folder = Path(next(iter(found.submodule_search_locations)))
        return digest_of_files(folder.rglob("*.py"), folder)
    origin = Path(str(found.origin))
    return digest_of_files([origin], origin.parent)


@contextlib.contextmanager
def beside(base: Path) -> Iterator[None]:
    """What lies beside audit.toml can be imported; none of it stands in for an installed module."""
    sys.path.append(str(base))
    try:
        yield
    finally:
        sys.path.remove(str(base))


@contextlib.contextmanager
def imported(modules: Iterable[str], base: Path) -> Iterator[None]:
    """The user's own modules are imported, wherever audit.toml names any.

    A process that only opens what another has trained needs them too: they register their layers. Raises ModelError
    where one cannot be imported.
    """
    if not modules:
        yield
        return
    with beside(base):
        for module in modules:
            _import(module, module, "model.architecture")
        yield


def own_function(name: str, where: str) -> Callable[..., Any]:
    """The function "package.module:function". Raises ModelError where it cannot be imported; `where` names its key."""
    module, _, function = name.partition(":")
    try:
        found: Callable[..., Any] = getattr(_import(module, name, where), function)
    except AttributeError as error:
        raise _not_imported(name, where, error) from error
    return found


def _import(module: str, name: str, where: str) -> Any:  # noqa: ANN401 - a module
    from auditor.tf import load

    load()  # before the module can start TensorFlow otherwise
    try:
        return import_module(module)
    except ImportError as error:
        raise _not_imported(name, where, error) from error


def _not_imported(name: str, where: str, error: Exception) -> ModelError:
    return ModelError(Problem(where=where, message=f'"{name}" cannot be imported: {error}', advice=_PLACES))
