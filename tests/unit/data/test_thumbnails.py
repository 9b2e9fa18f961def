"""Small pictures of exemplars: what models saw, small, and only where inputs are pictures."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from adult_result import adult
from PIL import Image

from auditor.data.thumbnails import PICTURED, thumbnails, to_picture


class Data:
    examples = ("a.png", "b.png", 7)


def picture(found):
    with Image.open(io.BytesIO(found)) as image:
        return np.asarray(image).astype(int)


def test_a_thumbnail_shows_the_example_it_is_called_by():
    pixels = np.zeros((3, 32, 32, 3), np.uint8)
    pixels[1, :, :, 0] = 200
    pixels[2] = 255
    found = thumbnails(pixels, Data, ["b.png", 7])
    assert list(found) == ["b.png", 7]
    assert np.abs(picture(found["b.png"]) - [200, 0, 0]).max() < 10
    assert picture(found[7]).min() > 245


def test_large_pictures_are_made_small_in_proportion_and_grey_ones_stay_grey():
    found = thumbnails(np.full((3, 218, 178, 1), 128, np.uint8), Data, ["a.png"])
    assert picture(found["a.png"]).shape == (96, 78)


@pytest.mark.parametrize("inputs", [np.zeros((3, 8, 8, 3), np.float32), np.zeros((3, 64), np.uint8)])
def test_inputs_that_are_no_pictures_have_none(inputs):
    assert thumbnails(inputs, Data, ["a.png"]) == {}


def test_each_variant_shows_those_that_stand_first_and_none_twice():
    one = next(found for found in adult().exemplars if found.top)
    many = replace(one, top=tuple(replace(one.top[0], example=i) for i in range(50)))
    assert to_picture([many, many]) == tuple(range(PICTURED))
