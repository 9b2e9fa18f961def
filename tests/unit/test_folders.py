from __future__ import annotations

import os

import pytest

from auditor.folders import remove, temporary_folder
from auditor.population.store import Store

DEPTH = 1100


def deepen(folder):
    """Make folders in folders, more than a path can name and than Python can call functions."""
    number = os.open(folder, os.O_RDONLY)
    for _ in range(DEPTH):
        os.mkdir("d" * 5, dir_fd=number)
        inner = os.open("d" * 5, os.O_RDONLY, dir_fd=number)
        os.close(number)
        number = inner
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=number))
    os.close(number)


def test_deep_folders_are_removed_wherever_the_store_removes_any(tmp_path):
    store = Store(tmp_path / "store")
    left = store.root / ".scratch" / ("a" * 32)
    left.mkdir(parents=True)
    deepen(left)
    store.sweep()
    assert not left.exists()
    with store.scratch() as scratch:
        deepen(scratch)
    assert not scratch.exists()
    job = store.root / "jobs" / "x"
    job.mkdir(parents=True)
    deepen(job)
    store.discard(job)
    assert not list((store.root / ".scratch").iterdir())


def test_a_temporary_folder_is_gone_whatever_was_put_into_it():
    with temporary_folder() as folder:
        deepen(folder)
        (folder / "closed").mkdir(mode=0)
        (folder / "file").write_text("x")
    assert not folder.exists()


def test_what_a_link_leads_to_stays(tmp_path):
    kept, gone = tmp_path / "kept", tmp_path / "gone"
    kept.mkdir()
    (kept / "file").write_text("x")
    (gone / "inner").mkdir(parents=True)
    for place in (gone / "link", gone / "inner" / "link"):
        place.symlink_to(kept)
    remove(gone)
    link = tmp_path / "link"
    link.symlink_to(kept)
    remove(link)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept"]
    assert (kept / "file").exists()


@pytest.mark.skipif(os.getuid() == 0, reason="root may remove anything")
def test_what_cannot_be_removed_is_left_and_is_no_error(tmp_path):
    (tmp_path / "closed" / "inner").mkdir(parents=True)
    (tmp_path / "closed").chmod(0o500)
    remove(tmp_path / "closed" / "inner")
    assert (tmp_path / "closed" / "inner").exists()
    (tmp_path / "closed").chmod(0o700)


def test_removing_what_is_not_there_is_no_error(tmp_path):
    remove(tmp_path / "none")
