"""A part of each split is drawn: `data.sample`."""

from __future__ import annotations

import numpy as np
import pytest

from auditor.data.inputs import read_inputs

BALANCED = {"train": 60, "test": 40, "balanced": True}
INT8 = {"compression": [{"method": "int8", "name": "int8"}]}


def sizes(dataset):
    return {one.split: (one.by_class, one.left_out) for one in dataset.splits}


def test_a_balanced_part_holds_as_many_of_each_class_and_says_what_it_leaves_out(table, people):
    whole, part = table(people).load(), table(people, sample=BALANCED).load()
    assert sizes(whole) == {"train": ((40, 80), None), "test": ((26, 54), None), "calibration": ((40, 80), None)}
    assert sizes(part) == {
        "train": ((30, 30), (10, 50)),
        "test": ((20, 20), (6, 34)),
        "calibration": ((30, 30), None),
    }
    assert set(part.examples) < set(whole.examples)
    assert part.examples == tuple(sorted(part.examples))
    assert part.warnings == whole.warnings == ()


def test_without_balance_classes_are_as_frequent_as_chance_draws_them(table, people):
    part = table(people, sample={"test": 60}).load()
    assert sizes(part)["train"] == ((40, 80), None)
    (high, low), (no_high, no_low) = sizes(part)["test"]
    assert (high + low, high + no_high, low + no_low) == (60, 26, 54)
    assert high != low


def test_the_seed_draws_and_a_smaller_part_is_within_a_larger(table, people):
    def drawn(test, seed=0, train=None):
        sample = {"test": test, "balanced": True} | ({} if train is None else {"train": train})
        return set(table(people, sample=sample, also={"audit": {"seed": seed}}).load().examples)

    assert drawn(40) == drawn(40) != drawn(40, seed=1)
    assert drawn(20) < drawn(40)
    assert drawn(40) == drawn(40, train=60)


def test_what_is_drawn_is_what_the_model_reads_and_what_int8_is_calibrated_on(table, people, tmp_path):
    source = table(people.assign(age=np.arange(200.0)), sample=BALANCED, calibration={"size": 50}, also=INT8)
    dataset = source.load()
    folder = tmp_path / "inputs"
    folder.mkdir()
    source.materialise(folder)
    inputs = read_inputs(folder)
    assert [len(x) for x in (inputs.train_x, inputs.test_x, inputs.calibration_x)] == [60, 40, 50]
    assert np.bincount(inputs.train_y).tolist() == [30, 30]
    trained = {round(float(x), 4) for x in inputs.train_x[:, 0]}
    assert {round(float(x), 4) for x in inputs.calibration_x[:, 0]} < trained
    # age is the row's number: standardised by the drawn rows alone, but in their order
    rows = np.array(dataset.examples)
    assert np.allclose(np.diff(inputs.test_x[:, 0]) / np.diff(rows), np.diff(inputs.test_x[:2, 0]) / np.diff(rows[:2]))


def test_the_digest_follows_the_part(table, people):
    samples = [None, {"train": 60}, {"test": 60}, {"train": 60, "balanced": True}, {"train": 58, "balanced": True}]
    assert len({table(people, sample=sample).load().digest for sample in samples}) == 5


@pytest.mark.parametrize(
    ("sample", "said", "advice"),
    [
        (
            {"train": 121},
            "data.sample.train: asks for 121 examples, and the split has 120",
            "Leave it out to take them all.",
        ),
        (
            {"test": 60, "balanced": True},
            'data.sample.test: asks for 30 of each class, and of "high" the split has 26',
            "At most 52 examples can be balanced.",
        ),
        (
            {"train": 61, "balanced": True},
            "data.sample.train: 61 examples cannot hold as many of each of 2 classes",
            "Write 60 or 62.",
        ),
    ],
)
def test_too_few_examples_are_an_error_with_the_numbers(table, people, complaint, sample, said, advice):
    assert complaint(table(people, sample=sample).load) == f"{said}\n    {advice}"


def test_no_id_is_torn_apart_and_what_does_not_fit_in_whole_is_said(table, people):
    frame = people.assign(person=np.arange(200) // 4)
    dataset = table(frame, id="person", sample={"train": 62, "test": 40}).load()
    assert sizes(dataset)["test"][0] != sizes(table(frame).load())["test"][0]
    assert np.bincount(dataset.cluster).tolist() == [4] * 10
    said = "data.sample.train: 60 examples drawn, not 62: no further id fits in whole."
    assert said in dataset.warnings
    assert sum(sizes(dataset)["train"][0]) == 60


def test_a_balanced_part_takes_whole_ids_of_several_classes(table, people):
    frame = people.assign(person=np.arange(200) // 3)
    dataset = table(frame, id="person", sample={"test": 40, "balanced": True}).load()
    high, low = sizes(dataset)["test"][0]
    assert low == 20
    assert 2 * high == pytest.approx(low, abs=2)  # a person is two times low, once high
    assert any(f'"low": 20, "high": {high}' in one or f'"high": {high}, "low": 20' in one for one in dataset.warnings)


def test_a_class_that_is_not_drawn_stays_a_class(table, people):
    frame = people.assign(income=["rare", *["low"] * 119, *["high", "low"] * 40])
    dataset = table(frame, sample={"train": 5, "test": 20}, split={"test": 0.3, "seed": 4}).load()
    assert dataset.classes == ("high", "low", "rare")


def test_a_missing_label_is_refused_whether_it_would_be_drawn_or_not(table, people, complaint):
    frame = people.assign(income=people["income"].where(people.index != 7))
    for sample in ({"train": 2}, {"train": 2, "balanced": True}):
        assert "row 8: the label is missing" in complaint(table(frame, sample=sample).load)


def test_every_split_that_is_dealt_can_be_drawn_from(table, people):
    frame = people.drop(columns="split")
    assert sizes(table(frame, sample={"train": 10, "test": 20}).load())["test"][1] is not None
    whole = table(frame.drop(columns="job"), split="all", sample={"test": 20}).load()
    assert [sum(one.by_class) for one in whole.splits] == [20]
