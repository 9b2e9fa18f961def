from __future__ import annotations

import numpy as np
import pytest

from auditor.population.rates import learning_rate
from auditor.spec import Training

EPOCHS, STEPS = 10, 4
"""Four steps an epoch: the last batch of 7 examples is smaller."""


def rates(**schedule):
    """The rate of each step."""
    table = Training(epochs=EPOCHS, batch_size=2, learning_rate={"initial": 0.4, **schedule}).model_dump(mode="json")
    at = learning_rate({**table, "examples": 7})
    return np.array([float(at(step)) for step in range(EPOCHS * STEPS)])


def test_a_number_stays_what_it_is():
    assert learning_rate(Training(learning_rate=0.1).model_dump(mode="json")) == 0.1


def test_steps_fall_with_the_first_step_of_an_epoch():
    found = rates(kind="step", boundaries=[3, 6], factor=0.5)
    np.testing.assert_allclose(found, np.repeat([0.4, 0.2, 0.1], [12, 12, 16]), rtol=1e-6)


@pytest.mark.parametrize("schedule", [{"kind": "step", "boundaries": [5]}, {"kind": "cosine"}])
def test_a_warmup_rises_in_a_line_and_is_followed_by_the_highest_rate(schedule):
    found = rates(warmup=2, **schedule)
    np.testing.assert_allclose(found[:8], 0.4 * np.arange(8) / 8, rtol=1e-6)
    assert found[8] == pytest.approx(0.4)
    assert (np.diff(found[8:]) <= 0).all()


def test_a_cosine_falls_to_zero_at_the_end_of_the_training():
    found = rates(kind="cosine")
    expected = 0.2 * (1 + np.cos(np.pi * np.arange(EPOCHS * STEPS) / (EPOCHS * STEPS)))
    np.testing.assert_allclose(found, expected, atol=1e-7)
