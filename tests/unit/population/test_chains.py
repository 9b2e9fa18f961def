"""Whole members of several methods, one after another: from audit.toml's words to what is measured on the file."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tiny

from auditor.compress import method_of
from auditor.compress.measured import measure_file
from auditor.errors import ModelError
from auditor.models.architectures import build
from auditor.models.load import keras_bytes, open_model
from auditor.population import plan
from auditor.population.train import total_steps, train
from auditor.spec import Training

PRUNE = {"method": "prune", "sparsity": 0.5, "schedule": "constant"}
CLUSTER = {"method": "cluster", "clusters": 6}
LOW = {"method": "low_rank", "ratio": 0.4}
DISTILL = {"method": "distill", "student": "mlp", "options": {"hidden": [16]}, "temperature": 3.0}


@pytest.fixture(scope="module")
def populations(tmp_path_factory):
    """A tiny audit of every chain, by name."""
    declared = tiny.spec(
        {"name": "sham", "method": "sham"},
        {"name": "distilled", **DISTILL},
        {"name": "taught-pruned", **DISTILL, "then": [PRUNE]},
        {"name": "low", **LOW},
        {"name": "all", **LOW, "then": [PRUNE, CLUSTER, "int8"]},
        {"name": "shared", **PRUNE, "then": [CLUSTER]},
        {"name": "large", **DISTILL, "options": {"hidden": [64, 64]}},
        model={"architecture": "mlp", "options": {"hidden": [64, 32]}},
        training={"epochs": 3, "batch_size": 32, "learning_rate": 0.01, "stacked": False},
    )
    found = tiny.run(declared, tmp_path_factory.mktemp("chains"))
    return {each.name: each for each in found}


@pytest.mark.parametrize("name", ["sham", "distilled", "taught-pruned", "low", "all", "shared"])
def test_every_member_of_a_chain_is_made_and_decides(populations, name):
    population = populations[name]
    assert [failure.reason for failure in population.failures] == []
    accuracy = (population.predictions.decisions == tiny.truth()).mean()
    assert accuracy > 0.7


def test_what_is_measured_on_the_files_is_what_was_asked_for(populations):
    measured = {name: each.measured[0] for name, each in populations.items() if each.measured}
    assert measured["sham"]["parameters"] == measured["baseline"]["parameters"] == 2978
    assert measured["distilled"]["parameters"] == 242
    assert measured["taught-pruned"]["sparsity"] == pytest.approx(0.5, abs=0.02)
    assert [each["rank"] for each in measured["low"]["low_rank"]] == [[5], [13], [1]]
    assert measured["low"]["parameters"] == 1760
    assert measured["shared"]["distinct_values"] <= 6
    assert measured["shared"]["sparsity"] == pytest.approx(0.5, abs=0.1)
    assert measured["all"]["weight_types"].keys() >= {"int8"}
    assert measured["all"]["bytes"] < measured["baseline"]["bytes"]


def test_a_student_that_is_larger_fails_with_both_numbers(populations):
    (reason, *_) = [failure.reason for failure in populations["large"].failures]
    assert 'the student "mlp" has 5,122 parameters, its teacher 2,978' in reason


def test_unknown_students_are_refused_by_the_plan_with_every_one_of_them(tmp_path):
    wrong = [{"name": "a", **DISTILL, "student": "mpl"}, {"name": "b", **DISTILL, "options": {"hiden": [8]}}]
    with pytest.raises(ModelError) as caught:
        plan(tiny.spec(*wrong), tiny.dataset(), tmp_path)
    assert [each.where for each in caught.value.problems] == ["compression a: student", "compression b: options.hiden"]


def test_a_student_of_the_users_own_is_trained_and_opened_again(tmp_path):
    (tmp_path / "own_student.py").write_text(tiny.OWN)
    student = {"name": "own", "method": "distill", "student": "own_student:gated"}
    declared = tiny.spec(student, model={"architecture": "mlp", "options": {"hidden": [64]}}, population={"size": 1},
                         run={"executor": "local", "workers": 1})  # fmt: skip
    _, found = tiny.run(declared, tmp_path)
    assert [failure.reason for failure in found.failures] == []
    assert found.measured[0]["parameters"] < found.measured[0]["teacher_parameters"]


def images():
    """Small pictures, the two classes of which differ in where they are bright."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 96).astype(np.int32)
    x = rng.normal(size=(96, 8, 8, 3)).astype(np.float32)
    x[y == 1, :, :4] += 0.7
    return replace(tiny.inputs(), train_x=x, train_y=y, test_x=x, calibration_x=x)


@pytest.mark.parametrize(
    "chain",
    [
        [{**DISTILL, "student": "cnn", "options": {"filters": [8], "dense": [8]}, "alpha": 0.5}, PRUNE],
        [LOW, PRUNE, CLUSTER],
        [PRUNE, CLUSTER],
    ],
    ids=["distill-prune", "low_rank-prune-cluster", "prune-cluster"],
)  # fmt: skip
def test_chains_compress_a_convolutional_network(chain):
    from auditor.tf import seed

    given, training = images(), Training(epochs=3, batch_size=16, learning_rate=0.01).model_dump(mode="json")
    seed(2)
    model = build("cnn", (8, 8, 3), 2, {"filters": [8, 16], "dense": [16]})
    train(model, given, training, "softmax", 2)
    before, measured = model.count_params(), {}
    for number, settings in enumerate(chain):
        known = {"begin_step": 2, "end_step": total_steps(96, training), "frequency": 1}
        method = method_of({**settings, **(known if settings["method"] == "prune" else {})})
        lesson = method.lesson(model, "softmax")
        model = method.prepare(model, number)
        train(model, given, training, "softmax", number, lesson=lesson)
        model = method.strip(model)
        measured |= method.check(model)
        measured |= measure_file(keras_bytes(model), open_model(keras_bytes(model), ".keras", "made"))
        method.confirm(measured)
    assert measured["nonzero_parameters"] < before * 0.7
    assert measured["sparsity"] > 0.45
