from __future__ import annotations

import pytest
import tiny

from auditor.compress import MemberError
from auditor.compress.sham import Sham
from auditor.models.architectures import build
from auditor.population.train import train
from auditor.spec import Training

TRAINING = Training(epochs=1, batch_size=32).model_dump(mode="json", exclude={"stacked"})


def started():
    from auditor.tf import seed

    seed(7)
    return build("mlp", (tiny.FEATURES,), 2, {"hidden": [8]})


def test_it_is_trained_on_and_keeps_its_sizes():
    family, model = Sham(), started()
    ready = family.prepare(model, 1)
    train(ready, tiny.inputs(), TRAINING, "softmax", 1)
    after = family.strip(ready)
    family.check(after)
    assert after.count_params() == started().count_params()


def test_a_training_that_changed_nothing_is_refused_with_the_numbers():
    family = Sham()
    with pytest.raises(MemberError, match="training on changed none of 122 weights"):
        family.check(family.strip(family.prepare(started(), 1)))


def test_another_model_than_before_is_refused_with_the_shapes():
    family = Sham()
    family.prepare(started(), 1)
    with pytest.raises(MemberError, match=r"changes no sizes, but weights of shapes \[\(12, 8\)"):
        family.check(build("mlp", (tiny.FEATURES,), 2, {"hidden": [9]}))
