"""The user's own modules that an audit runs: what they are goes into every member's key, and how they are imported."""

from __future__ import annotations

import ast
import contextlib
import sys
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor.errors import ModelError, Problem
from auditor.provenance import digest_of_files

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

_PLACES = "It is looked for beside audit.toml and among the installed packages."


def module_digest(module: str, base: Path, where: str = "model.architecture") -> str:
    """SHA-256 of a module's source alone: the whole package that it is in. Nothing of it is run.

    `where` is the key that names it. Raises ModelError where there is none beside audit.toml, which is in `base`, or
    among the packages.
    """
    top = module.partition(".")[0]
    found = PathFinder.find_spec(top) or PathFinder.find_spec(top, [str(base)])
    if found is None or not (found.submodule_search_locations or found.origin):
        raise ModelError(Problem(where=where, message=f'there is no module "{module}"', advice=_PLACES))
    paths, folder = _sources(found)
    return digest_of_files(paths, folder)


def module_digests(module: str, base: Path, where: str = "model.architecture") -> dict[str, str]:
    """The digest of a module's source, and of each one beside audit.toml that it needs. Raises as `module_digest`."""
    needed = _needed([module], base) - {module.partition(".")[0]}
    return {name: module_digest(name, base, where) for name in (module, *sorted(needed))}


def _sources(found: ModuleSpec) -> tuple[list[Path], Path]:
    """A module's files, the whole package that it is, and the folder that they are in."""
    if found.submodule_search_locations:
        folder = Path(next(iter(found.submodule_search_locations)))
        return list(folder.rglob("*.py")), folder
    origin = Path(str(found.origin))
    return [origin], origin.parent


@contextlib.contextmanager
def beside(modules: Iterable[str], base: Path) -> Iterator[None]:
    """These modules, and what they import, may lie beside audit.toml; none of it stands in for an installed module.

    Nothing else there can be imported: libraries look for modules that are not installed, and take what they find.
    """
    finder = _Beside(_needed(modules, base), base)
    sys.meta_path.append(finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Beside(MetaPathFinder):
    def __init__(self, names: set[str], base: Path) -> None:
        self._names = names
        self._base = base

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:  # noqa: ARG002
        """Find a module of its names; the parts of packages are found by their packages."""
        return PathFinder.find_spec(fullname, [str(self._base)]) if fullname in self._names else None


def _needed(modules: Iterable[str], base: Path) -> set[str]:
    """What must be importable from beside audit.toml: the modules' top levels, and those that their source imports."""
    needed: set[str] = set()
    left = [module.partition(".")[0] for module in modules]
    while left:
        name = left.pop()
        if name in needed or name in sys.stdlib_module_names:  # Python's own come first
            continue
        if (found := PathFinder.find_spec(name, [str(base)])) is None:
            continue
        needed.add(name)
        for path in _sources(found)[0]:
            left += _imports(path)
    return needed


def _imports(path: Path) -> Iterator[str]:
    """The top levels of what a file imports; nothing of a file that Python cannot read either."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


@contextlib.contextmanager
def imported(modules: Collection[str], base: Path) -> Iterator[None]:
    """The user's own modules are imported, wherever audit.toml names any.

    A process that only opens what another has trained needs them too: they register their layers. Raises ModelError
    where one cannot be imported.
    """
    if not modules:
        yield
        return
    with beside(modules, base):
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
