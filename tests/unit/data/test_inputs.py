from __future__ import annotations

import numpy as np
import pytest

from auditor.data.inputs import Inputs, new_array, read_inputs, to_float, write_facts, write_inputs


def made(x):
    return Inputs(
        train_x=x, train_y=np.arange(len(x)), test_x=x[:1], calibration_x=x[:0], scale=127.5, offset=-1.0, classes=3
    )


def test_what_is_written_is_read_and_mapped(tmp_path):
    x = np.arange(6, dtype=np.float32).reshape(3, 2)
    write_inputs(tmp_path, made(x))
    inputs = read_inputs(tmp_path)
    assert isinstance(inputs.train_x, np.memmap)
    assert np.array_equal(inputs.train_x, x)
    assert inputs.train_y.dtype == np.int32
    assert inputs.calibration_x.shape == (0, 2)
    assert (inputs.scale, inputs.offset, inputs.classes) == (127.5, -1.0, 3)
    with pytest.raises(ValueError, match="read-only"):
        inputs.train_x[0] = 1


def test_an_array_is_filled_in_its_file(tmp_path):
    for name in ("train_x", "test_x", "calibration_x"):
        new_array(tmp_path, name, (2, 4, 4, 3))[1] = 7
    write_facts(tmp_path, np.array([0, 1]), scale=255.0, offset=0.0, classes=2)
    assert read_inputs(tmp_path).test_x[1].min() == 7


def test_pickled_arrays_are_refused(tmp_path):
    write_inputs(tmp_path, made(np.zeros((1, 1), dtype=np.float32)))
    np.save(tmp_path / "train_x.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="Python objects"):
        read_inputs(tmp_path)


def test_bytes_become_scaled_floats_and_floats_stay():
    inputs = made(np.zeros((1, 2), dtype=np.uint8))
    scaled = to_float(np.array([[0, 255]], dtype=np.uint8), inputs)
    assert scaled.dtype == np.float32
    assert scaled.tolist() == [[-1, 1]]
    same = np.ones((2, 2), dtype=np.float32)
    assert to_float(same, inputs) is same
