"""What can be imported from beside audit.toml; nothing here needs TensorFlow."""

from __future__ import annotations

import importlib
import sys

import pytest

from auditor.own import beside, module_digests


@pytest.fixture
def base(tmp_path):
    """A folder with a module, what it imports in several ways, and what only a library might look for."""
    (tmp_path / "own_named.py").write_text("import own_sibling\nfrom own_package.part import x\nimport json\n")
    (tmp_path / "own_sibling.py").write_text("def late():\n    import own_late\n    return own_late.x\n")
    (tmp_path / "own_late.py").write_text("x = 1\n")
    (tmp_path / "own_package").mkdir()
    (tmp_path / "own_package" / "__init__.py").write_text("")
    (tmp_path / "own_package" / "part.py").write_text("from . import other\nx = 2\n")
    (tmp_path / "own_package" / "other.py").write_text("import own_deeper\n")
    (tmp_path / "own_deeper.py").write_text("")
    (tmp_path / "own_stranger.py").write_text("raise AssertionError\n")
    (tmp_path / "json.py").write_text("raise AssertionError\n")
    before = sys.path[:], sys.meta_path[:]
    yield tmp_path
    assert (sys.path, sys.meta_path) == before
    for name in [name for name in sys.modules if name.startswith("own_")]:
        del sys.modules[name]


def test_a_named_module_finds_its_siblings_and_their_packages(base):
    with beside(["own_named"], base):
        named = importlib.import_module("own_named")
        assert named.x == 2
        assert named.own_sibling.late() == 1


def test_what_no_named_module_imports_is_not_found_by_a_library_that_looks_for_it(base):
    with beside(["own_named"], base):
        importlib.import_module("own_named")
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module("own_stranger")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("own_late")


def test_a_module_of_which_python_can_read_nothing_says_so_when_it_is_imported(base):
    (base / "own_named.py").write_text("def\n")
    with beside(["own_named.part"], base), pytest.raises(SyntaxError):
        importlib.import_module("own_named")


def test_the_digests_are_of_all_that_a_module_needs_from_beside_audit_toml_and_of_nothing_else(base):
    before = module_digests("own_named", base)
    assert [*before] == ["own_named", "own_deeper", "own_late", "own_package", "own_sibling"]
    for path in (base / "own_package" / "other.py", base / "own_stranger.py"):
        path.write_text(path.read_text() + "# changed\n")
    after = module_digests("own_named", base)
    assert {name for name in before if before[name] != after[name]} == {"own_package"}
