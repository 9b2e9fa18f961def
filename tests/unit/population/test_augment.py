from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tiny

from auditor.errors import ModelError
from auditor.models.architectures import build
from auditor.models.load import keras_bytes
from auditor.population.augment import augmented
from auditor.population.train import train
from auditor.spec import Training

BOTH = {"flip": True, "crop": 2}


def images(count=200, height=5, width=7):
    pixels = np.random.default_rng(0).integers(1, 256, (count, height, width, 3))
    return pixels.astype(np.uint8)


def changed(x, settings, seed=0):
    return augmented(x, settings, np.random.default_rng(seed))


def test_each_image_is_a_part_of_itself_within_a_frame_of_zeros_mirrored_or_not():
    x = images()
    framed = np.pad(x, [(0, 0), (2, 2), (2, 2), (0, 0)])
    places = []
    for before, after in zip(framed, changed(x, BOTH), strict=True):
        found = [
            (top, left, mirrored)
            for top in range(5)
            for left in range(5)
            for mirrored in (False, True)
            if (before[top : top + 5, left : left + 7][:, :: -1 if mirrored else 1] == after).all()
        ]
        assert len(found) == 1
        places += found
    assert len({place[:2] for place in places}) == 25
    assert 70 < sum(mirrored for *_, mirrored in places) < 130


def test_what_is_not_asked_for_does_not_happen():
    x = images()
    assert (changed(x, {"flip": False, "crop": 0}) == x).all()
    is_kept = (changed(x, {"flip": True, "crop": 0}) == x).all(axis=(1, 2, 3))
    is_mirrored = (changed(x, {"flip": True, "crop": 0}) == x[:, :, ::-1]).all(axis=(1, 2, 3))
    assert (is_kept ^ is_mirrored).all()
    assert 70 < is_kept.sum() < 130


def trained(seed, *, augment=None):
    from auditor.tf import seed as set_seed

    set_seed(seed)
    model = build("cnn", (5, 7, 3), 2, {"filters": [4], "dense": []})
    x = images(tiny.TRAIN)
    inputs = replace(tiny.inputs(), train_x=x, scale=255.0)
    table = Training(epochs=2, batch_size=32, augment=augment).model_dump(mode="json")
    train(model, inputs, {**table, "examples": len(x)}, "softmax", seed)
    return keras_bytes(model)


def test_a_member_sees_other_images_by_its_own_seed_and_the_same_ones_again():
    first = trained(1, augment=BOTH)
    assert trained(2, augment=BOTH) != first
    assert trained(1, augment=BOTH) == first
    assert trained(1) != first


def test_rows_of_numbers_are_no_images():
    from auditor.tf import seed as set_seed

    set_seed(1)
    table = {**Training(augment=BOTH).model_dump(mode="json"), "examples": tiny.TRAIN}
    with pytest.raises(ModelError, match="is for images"):
        train(build("mlp", (tiny.FEATURES,), 2, {}), tiny.inputs(), table, "softmax", 1)
