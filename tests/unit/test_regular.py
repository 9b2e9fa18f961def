"""Ordinary files alone are opened, wherever somebody else chose the file."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest
from PIL import Image

from auditor.data.array_files import ArrayFolder, look
from auditor.data.images import decode
from auditor.data.tfexample import ExampleError, read_example
from auditor.errors import DataError, ModelError
from auditor.models.load import read_model
from auditor.population.store import DamagedError, Store
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
