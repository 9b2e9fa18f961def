"""Digests, and the public names of the package."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import pytest

import auditor
from auditor.provenance import canonical, describe, digest_of, digest_of_file, digest_of_files, library_versions


def test_equal_values_have_equal_digests_whatever_their_order():
    assert digest_of({"a": 1, "b": [1, 2]}) == digest_of({"b": [1, 2], "a": 1})
    assert digest_of({"a": 1}) != digest_of({"a": 2})
    assert canonical({"ä": 1}) == b'{"\\u00e4":1}'


def test_what_json_cannot_say_has_no_digest():
    with pytest.raises(ValueError, match="not JSON compliant"):
        digest_of({"a": float("nan")})


def test_digests_of_files_are_of_their_bytes_and_names(tmp_path):
    (tmp_path / "a.py").write_bytes(b"x")
    (tmp_path / "b.py").write_bytes(b"y")
    assert digest_of_file(tmp_path / "a.py") == hashlib.sha256(b"x").hexdigest()
    both = digest_of_files(tmp_path.glob("*.py"), tmp_path)
    (tmp_path / "b.py").rename(tmp_path / "c.py")
    assert digest_of_files(tmp_path.glob("*.py"), tmp_path) != both


def test_provenance_names_versions_seed_threads_and_digests():
    found = describe(seed=3, definition={"a": 1}, data="d", models={"baseline": ("x",)}, stacks={"baseline": 1})
    assert found["seed"] == 3
    assert found["definition"] == digest_of({"a": 1})
    assert found["models"] == {"baseline": ["x"]}
    assert found["trained_side_by_side"] == {"baseline": 1}
    assert {"tensorflow", "numpy"} <= set(library_versions())
    assert found["threads"] == 1


def test_every_public_name_can_be_had_and_importing_the_package_imports_none():
    for name in auditor.__all__:
        assert getattr(auditor, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = auditor.nothing
    code = "import auditor, sys; print(len({'numpy', 'pandas', 'tensorflow', 'pydantic'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "0\n"
