"""Ordinary files alone are opened, wherever somebody else chose the file."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest
from PIL import Image
from tiny import UNCONFINED

from auditor import regular
from auditor.data.array_files import ArrayFolder, look
from auditor.data.celeba import read_attribute_list, read_partition_list
from auditor.data.cifar import VERSIONS, _class_names, _read_binary, _unpickled
from auditor.data.images import FolderImages, decode
from auditor.data.tfexample import ExampleError, read_example
from auditor.data.tfrecord_file import read_records
from auditor.errors import DataError, ModelError
from auditor.models.load import read_model
from auditor.population.entry import DamagedError
from auditor.population.store import Store
from auditor.provenance import digest_of_file
from auditor.regular import read_regular


def test_a_pipe_a_device_and_a_folder_are_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "model.onnx")
    (tmp_path / "zero.keras").symlink_to("/dev/zero")
    for name in ("model.onnx", "zero.keras"):
        with pytest.raises(ModelError, match="no ordinary file"):
            read_model(tmp_path / name)
    with pytest.raises(OSError, match="no ordinary file"):
        read_regular(tmp_path)
    os.mkfifo(tmp_path / "y.npy")
    with pytest.raises(DataError, match="no ordinary file"):
        look(ArrayFolder(tmp_path), "y")


def test_an_entry_of_a_store_that_is_too_large_is_damaged(tmp_path):
    store = Store(tmp_path / "store")
    folder = store.job_folder("ab" * 32)
    folder.mkdir(parents=True)
    with (folder / "entry.json").open("wb") as file:
        file.truncate(17 << 20)
    with pytest.raises(DamagedError, match="more than it may have"):
        store.facts(folder, of_job=True)


def test_an_image_of_too_many_pixels_is_refused_before_it_is_unpacked(tmp_path):
    Image.new("1", (5001, 5000)).save(tmp_path / "large.png")
    preprocess = SimpleNamespace(crop=None, color="rgb", resize=(8, 8))
    with pytest.raises(ValueError, match="5001 x 5000 pixels are more than 25,000,000"):
        decode((tmp_path / "large.png").read_bytes(), preprocess)


def test_no_more_values_of_a_record_are_kept_than_are_declared():
    from hostile.makers import proto

    record = proto((1, [(1, [(1, "a"), (2, [(1, b"\x0a\x00" * 100_000)])])]))
    with pytest.raises(ExampleError, match="more than 1 values"):
        read_example(record, {"a": SimpleNamespace(kind="image", shape=())})


@pytest.mark.parametrize(
    ("name", "size", "limit"),
    [("a.onnx", 3 << 30, "2,147,483,648"), ("a.h5", 9 << 30, "8,589,934,592"), ("a.tflite", 9 << 30, "8,589,934,592")],
)
def test_a_model_file_of_any_size_is_refused_before_it_is_read(tmp_path, name, size, limit):
    sparse(tmp_path / name, size)
    with pytest.raises(ModelError, match=rf"its {size:,} bytes are more than it may have \({limit}\)"):
        read_model(tmp_path / name)


def test_the_files_of_a_saved_model_are_limited_each_and_together(tmp_path):
    sparse(tmp_path / "saved_model.pb", 3 << 30)
    with pytest.raises(ModelError, match=r"saved_model\.pb: it cannot be read: .* \(2,147,483,648\)"):
        read_model(tmp_path)
    sparse(tmp_path / "saved_model.pb", 10)
    (tmp_path / "variables").mkdir()
    sparse(tmp_path / "variables" / "variables.data-00000-of-00001", (8 << 30) - 9)
    with pytest.raises(ModelError, match=r"variables\.data-00000-of-00001: .* \(8,589,934,582\)"):
        read_model(tmp_path)


def sparse(path, size):
    """A file of zeros that takes no room."""
    with path.open("wb") as file:
        file.truncate(size)


READERS = {
    "the digest of a file": digest_of_file,
    "a list of CelebA's attributes": read_attribute_list,
    "a list of CelebA's partitions": lambda path: read_partition_list(path, []),
    "a file of CIFAR": lambda path: _read_binary(path, VERSIONS["cifar10"][0], "label"),
    "a pickled file of CIFAR": _unpickled,
    "names of CIFAR's classes": lambda path: _class_names(path, "label_names", binary=True),
    "a TFRecord file": lambda path: next(read_records(path)),
    "a folder of images": lambda path: FolderImages(path.parent).identify([path.name]),
}


@pytest.mark.parametrize("what", READERS)
def test_no_pipe_is_waited_for_and_no_device_read(tmp_path, what):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    for name in ("pipe", "zero"):
        with pytest.raises((DataError, OSError), match="no ordinary file"):
            READERS[what](tmp_path / name)


def test_no_more_is_read_than_there_was_when_the_limit_was_checked(tmp_path, monkeypatch):
    def late(found, most, path):
        check(found, most, path)
        os.truncate(path, 100)

    file, check = tmp_path / "a.png", regular._check
    file.write_bytes(b"x" * 10)
    assert read_regular(file, 10) == b"x" * 10
    monkeypatch.setattr(regular, "_check", late)
    with pytest.raises(OSError, match="it grows while it is read"):
        read_regular(file, 10)


def test_a_stored_file_that_became_a_pipe_is_damage(tmp_path):
    store, key = Store(tmp_path / "store"), "ab" * 32

    def fill(folder):
        (folder / "model.keras").write_bytes(b"model")
        return {"failure": "of a test", "measured": {}, "seconds": 0.0, "sandbox": UNCONFINED}

    store.publish(store.job_folder(key), {}, fill, replace=False)
    assert store.part(key, "model").content == b"model"
    (store.job_folder(key) / "model.keras").unlink()
    os.mkfifo(store.job_folder(key) / "model.keras")
    with pytest.raises(DamagedError, match=r"model\.keras is no file any more"):
        store.part(key, "model")
