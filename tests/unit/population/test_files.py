from __future__ import annotations

from pathlib import Path

import pytest

from auditor.errors import ModelError
from auditor.population.files import check_partners, given_files, matches


def test_a_star_stands_for_part_of_one_name_and_files_come_as_people_count(tmp_path, monkeypatch):
    for name in ("run2/a.onnx", "run10/a.onnx", "run1/b.onnx", "walk3/a.onnx", "run[4]/a.onnx"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert list(matches(tmp_path, "run*/a.onnx")) == ["2", "10", "[4]"]
    assert list(matches(tmp_path, str(tmp_path / "run1/*.onnx"))) == ["b"]
    assert matches(tmp_path, "run[4]/*.onnx") == {"a": tmp_path / "run[4]/a.onnx"}  # brackets are no pattern
    assert matches(tmp_path, "nowhere/*.onnx") == {}
    assert matches(tmp_path, "plain.onnx") == {"": tmp_path / "plain.onnx"}
    monkeypatch.chdir(tmp_path / "run1")
    assert matches(Path(), "*.onnx") == {"b": Path("b.onnx")}


def test_every_file_that_is_missing_refused_or_not_pinned_is_told_at_once(tmp_path):
    for name in ("1.onnx", "2.onnx"):
        (tmp_path / name).write_bytes(b"no model")
    with pytest.raises(ModelError) as caught:
        given_files(tmp_path, "*.onnx", {"2": "0" * 64, "3": "0" * 64}, {"classes": 2}, "model.path")
    said = str(caught.value)
    assert 'no file is "3" in place of the star' in said
    assert "2.onnx: sha256: the file has the digest" in said
    assert "1.onnx" in said
    with pytest.raises(ModelError, match="no file matches the star"):
        given_files(tmp_path, "none*.onnx", None, {"classes": 2}, "model.path")


def test_files_without_a_partner_are_named(tmp_path):
    check_partners("compression int8", ["1", "2"], ["2", "1"])
    with pytest.raises(ModelError, match='without a partner "3", "10"'):
        check_partners("compression int8", ["1", "10"], ["1", "3"])
