from __future__ import annotations

import numpy as np
import pytest

from auditor.data.inputs import Inputs, new_array, read_inputs, to_float, transform, write_facts, write_inputs
from auditor.errors import DataError
from auditor.spec import Preprocess


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
    write_facts(tmp_path, np.array([0, 1]), Preprocess(), classes=2)
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


def test_mean_and_deviation_of_each_channel_come_after_scale_and_offset(tmp_path):
    pixels = np.array([[[[0, 51, 255]]]], np.uint8)
    for name in ("train_x", "test_x", "calibration_x"):
        new_array(tmp_path, name, pixels.shape)[:] = pixels
    preprocess = Preprocess(scale=255.0, mean=[0.5, 0.1, 0.0], std=[0.5, 0.1, 2.0])
    write_facts(tmp_path, np.array([0]), preprocess, classes=2)
    inputs = read_inputs(tmp_path)
    np.testing.assert_allclose(to_float(inputs.test_x, inputs).ravel(), [-1, 1, 0.5], rtol=1e-6)
    write_facts(tmp_path, np.array([0]), Preprocess(mean=[0.5], std=[0.25]), classes=2)
    inputs = read_inputs(tmp_path)
    np.testing.assert_allclose(to_float(inputs.test_x, inputs).ravel(), [-2, -1.2, 2], rtol=1e-6)


def test_a_function_sees_pixels_chunk_by_chunk_and_what_it_returns_is_read_as_it_is(tmp_path):
    seen = []

    def function(pixels):
        seen.append((len(pixels), str(pixels.dtype), pixels.max()))
        return pixels.mean(axis=(1, 2))  # another shape than the image's

    for name, count in (("train_x", 0), ("test_x", 300), ("calibration_x", 1)):
        new_array(tmp_path, name, (count, 2, 2, 3))[:] = 7
    write_facts(tmp_path, np.zeros(0), Preprocess(), classes=2)
    transform(tmp_path, function, "own:function")
    inputs = read_inputs(tmp_path)
    assert inputs.test_x.dtype == np.float32
    assert [x.shape for x in (inputs.train_x, inputs.test_x, inputs.calibration_x)] == [(0, 3), (300, 3), (1, 3)]
    assert np.unique(inputs.test_x).tolist() == [7]
    assert seen == [(1, "float32", 0), (256, "float32", 7), (44, "float32", 7), (1, "float32", 7)]
    assert not list(tmp_path.glob("*.new"))


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda pixels: pixels[:1], "returned float32"),
        (lambda pixels: np.full(len(pixels), np.nan), "no finite number"),
        (lambda pixels: np.array(["a"] * len(pixels)), "returned <U1"),
    ],
    ids=["too few", "nan", "text"],
)
def test_a_function_that_does_not_return_numbers_for_every_image_is_refused(tmp_path, function, said):
    for name in ("train_x", "test_x", "calibration_x"):
        new_array(tmp_path, name, (2, 2, 2, 1))
    with pytest.raises(DataError, match=said):
        transform(tmp_path, function, "own:function")


def test_a_model_may_read_the_same_pixels_by_its_own_arithmetic(tmp_path):
    pixels = np.array([[[[0, 51, 255]]]], np.uint8)
    np.save(tmp_path / "test_x.npy", pixels)
    for name in ("train_x", "calibration_x"):
        np.save(tmp_path / f"{name}.npy", pixels)
    write_facts(tmp_path, np.array([0]), Preprocess(scale=255.0), classes=2)
    inputs, own = read_inputs(tmp_path), {"scale": 127.5, "offset": -1.0, "mean": [0.0, 0.1, 0.0], "std": []}
    np.testing.assert_allclose(to_float(inputs.test_x, inputs, own).ravel(), [-1, -0.7, 1], rtol=1e-6)
    np.testing.assert_allclose(to_float(inputs.test_x, inputs).ravel(), [0, 0.2, 1], rtol=1e-6)
