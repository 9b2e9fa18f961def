from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import tiny

from auditor.compress import MemberError
from auditor.compress.distill import Distill, check_student
from auditor.compress.lesson import Lesson
from auditor.errors import ModelError
from auditor.models.architectures import build
from auditor.population import train as training_of
from auditor.population.train import train
from auditor.spec import Training

TRAINING = Training(epochs=3, batch_size=32, learning_rate=0.02).model_dump(mode="json", exclude={"stacked"})
STUDENT = {"student": "mlp", "options": {"hidden": [8]}}


def taught(teacher, given, *, seed=5, activation="softmax", training=TRAINING, reuse=True, **settings):
    """A student after its lesson."""
    from auditor.tf import seed as fresh

    fresh(seed)  # as every member begins
    family = Distill(**{**STUDENT, "temperature": 4.0, "alpha": 0.9} | settings)
    lesson = family.lesson(teacher, activation)
    student = family.prepare(teacher, seed)
    train(student, given, training, "softmax", seed, reuse=reuse, lesson=lesson)
    return student


@pytest.fixture(scope="module")
def teacher():
    from auditor.tf import seed

    seed(3)
    model = build("mlp", (tiny.FEATURES,), 2, {"hidden": [32, 16]})
    train(model, tiny.inputs(), {**TRAINING, "epochs": 10}, "softmax", 3)
    return model


def decisions(model):
    return np.asarray(model(tiny.inputs().test_x)).argmax(axis=1)


def test_a_student_learns_from_soft_targets_what_the_labels_do_not_tell(teacher):
    silent = replace(tiny.inputs(), train_y=np.zeros(tiny.TRAIN, np.int32))
    student = taught(teacher, silent, alpha=1.0, training={**TRAINING, "epochs": 10})
    assert (decisions(student) == decisions(teacher)).mean() > 0.9
    assert 0.3 < decisions(student).mean() < 0.7
    assert decisions(taught(teacher, silent, alpha=0.0)).mean() < 0.05


def test_without_soft_targets_it_is_plain_training_bit_for_bit(teacher):
    student = taught(teacher, tiny.inputs(), alpha=0.0)
    plain = Distill(**STUDENT, temperature=4.0, alpha=0.0).prepare(teacher, 5)
    train(plain, tiny.inputs(), TRAINING, "softmax", 5)
    for ours, theirs in zip(student.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_temperature_softens_what_the_teacher_says(teacher):
    x = tiny.inputs().test_x
    said = [Lesson(teacher=teacher, activation="softmax", temperature=T, alpha=1.0).targets(x) for T in (1.0, 4.0)]
    np.testing.assert_allclose(said[0], teacher(x), atol=1e-6)
    odds = [np.log(each[:, 1] / each[:, 0]) for each in said]
    np.testing.assert_allclose(odds[0], odds[1] * 4, atol=1e-3)
    cold, warm = (taught(teacher, tiny.inputs(), temperature=T).get_weights()[0] for T in (1.0, 8.0))
    assert np.abs(cold - warm).max() > 1e-3


@pytest.mark.parametrize("ending", ["softmax", "sigmoid", "linear", "one linear"])
def test_probabilities_and_logits_of_one_output_or_more_teach_the_same(ending):
    from auditor.tf import load

    tf, keras = load().tf, load().tf_keras
    logits = np.array([[0.0, 3.0], [0.0, -1.0], [0.0, 40.0]], np.float32)
    given = {
        "softmax": tf.nn.softmax(logits),
        "sigmoid": tf.sigmoid(logits[:, 1:]),
        "linear": logits,
        "one linear": logits[:, 1:],
    }[ending]
    said = np.asarray(given)
    teacher = keras.Sequential([keras.layers.InputLayer((said.shape[1],)), keras.layers.Activation("linear")])
    lesson = Lesson(teacher=teacher, activation=ending.split()[-1], temperature=2.0, alpha=1.0)
    expected = np.asarray(tf.nn.softmax(logits / 2))
    np.testing.assert_allclose(lesson.targets(said)[:2], expected[:2], rtol=1e-5)
    assert lesson.targets(said)[2] == pytest.approx(expected[2], abs=3e-4)  # a sigmoid of 40 is 1
    assert lesson.classes == 2
    # who says the same has nothing to learn
    apart = lesson.loss(lesson.targets(said), said, ending.split()[-1])
    assert float(apart) == pytest.approx(0, abs=1e-5)


def test_the_soft_loss_is_the_divergence_at_temperature_times_its_square():
    p, q, T = np.array([[0.7, 0.2, 0.1]]), np.array([[0.5, 0.3, 0.2]]), 3.0
    soft, said = (each ** (1 / T) / (each ** (1 / T)).sum() for each in (p, q))
    lesson = Lesson(teacher=None, activation="softmax", temperature=T, alpha=1.0)
    found = lesson.loss(soft.astype(np.float32), q.astype(np.float32), "softmax")
    assert float(found) == pytest.approx(T**2 * (soft * np.log(soft / said)).sum(), rel=1e-4)


def test_students_that_use_a_graph_again_are_those_of_a_new_one(teacher):
    expected = taught(teacher, tiny.inputs(), seed=2, reuse=False).get_weights()
    training_of._loops.clear()
    taught(build("mlp", (tiny.FEATURES,), 2, {"hidden": [64]}), tiny.inputs(), seed=1)  # another teacher's
    found = taught(teacher, tiny.inputs(), seed=2).get_weights()
    assert len(training_of._loops) == 1
    np.testing.assert_equal(found, expected)


def test_with_augmented_images_the_teacher_sees_what_the_student_sees():
    from auditor.tf import load, seed

    seed(1)
    layers = load().tf_keras.layers
    # how bright the left edge is: which class that is changes with the mirror
    teacher = load().tf_keras.Sequential(
        [
            layers.InputLayer((8, 8, 1)),
            layers.Cropping2D(((0, 0), (0, 7))),
            layers.Flatten(),
            layers.Dense(64),
            layers.Dense(2),
        ]
    )
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (64, 8, 8, 1), np.uint8)
    given = replace(tiny.inputs(), train_x=pixels, train_y=np.zeros(64, np.int32), scale=255.0)
    training = {**TRAINING, "augment": {"flip": True, "crop": 0}}
    lesson = Lesson(teacher=teacher, activation="linear", temperature=2.0, alpha=1.0)
    soft = training_of._soft_targets(lesson, given, training)
    streams = np.random.default_rng(1), np.random.default_rng(2)
    for x, _, targets in training_of._calls(given, training, *streams, soft):
        assert targets.shape == (*x.shape[:2], 2)
        np.testing.assert_allclose(targets[0], lesson.targets(x[0]), atol=1e-6)


def test_a_student_that_is_not_smaller_is_refused_with_both_numbers(teacher):
    family = Distill(student="mlp", options={"hidden": [64, 64]}, temperature=4.0, alpha=0.9)
    with pytest.raises(MemberError, match='the student "mlp" has 5,122 parameters, its teacher 978: it is not smaller'):
        family.prepare(teacher, 1)
    with pytest.raises(MemberError, match="the file has 978 parameters, the teacher had 978"):
        family.confirm({"parameters": 978, "teacher_parameters": 978})


def test_a_student_that_cannot_be_built_is_refused_with_the_key(teacher):
    with pytest.raises(MemberError, match=r'options: "cnn" cannot be built with .*it reads images'):
        Distill(student="cnn", temperature=4.0, alpha=0.9).prepare(teacher, 1)


def test_the_seed_gives_the_student_its_first_weights(teacher):
    first, second, third = (Distill(**STUDENT, temperature=4.0, alpha=0.9).prepare(teacher, n) for n in (1, 1, 2))
    np.testing.assert_equal(first.get_weights(), second.get_weights())
    assert not np.array_equal(first.get_weights()[0], third.get_weights()[0])


def test_unknown_students_and_options_are_refused_by_key_without_tensorflow():
    with pytest.raises(ModelError, match='compression small: student: there is no architecture "mpl"'):
        check_student("mpl", {}, "compression small")
    with pytest.raises(ModelError, match=r'compression small: options\.hiden: "mlp" has no option "hiden"'):
        check_student("mlp", {"hiden": [8]}, "compression small")
    with pytest.raises(ModelError, match=r"options\.weights: is not for a student, which starts fresh"):
        check_student("mlp", {"weights": "a.h5", "frozen": 1}, "compression small")
    code = "import sys, auditor.population.plan; sys.exit('tensorflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
