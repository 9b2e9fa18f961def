from __future__ import annotations

import numpy as np

from auditor.data import open_source
from auditor.data.inputs import read_inputs

INT8 = {"compression": [{"method": "int8", "name": "int8"}]}


def materialised(source, folder):
    folder.mkdir()
    source.materialise(folder)
    return read_inputs(folder)


def split_sizes(dataset):
    return {size.split: size.examples for size in dataset.splits}


def test_without_a_split_column_30_percent_test(table, people):
    frame = people.drop(columns="split")
    dataset = table(frame).load()
    assert split_sizes(dataset) == {"train": 140, "test": 60, "calibration": 140}
    assert dataset.examples == tuple(sorted(dataset.examples))
    assert table(frame).load().examples == dataset.examples
    assert table(frame, also={"audit": {"seed": 1}}).load().examples != dataset.examples
    assert table(frame, split={"seed": 1}).load().examples == table(frame, also={"audit": {"seed": 1}}).load().examples


def test_rows_of_one_id_go_to_one_side(table, people):
    frame = people.drop(columns="split").assign(person=np.arange(200) // 4)
    dataset = table(frame, id="person", split={"test": 0.2}).load()
    assert split_sizes(dataset)["test"] == 40
    assert len({row // 4 for row in dataset.examples}) == 10
    assert dataset.cluster.tolist() == [number // 4 for number in range(40)]
    assert dataset.warnings == ()


def test_everything_can_be_test(table, people, tmp_path):
    source = table(people.drop(columns=["job", "split"]), split="all")
    assert split_sizes(source.load()) == {"test": 200}
    inputs = materialised(source, tmp_path / "inputs")
    assert inputs.train_x.shape == (0, 2)
    assert inputs.test_x[:, 0].tolist() == people["age"].tolist()


def test_text_without_training_rows_is_an_error(table, people, complaint):
    assert "column job: text becomes one input" in complaint(table(people.drop(columns="split"), split="all").load)


def test_one_path_a_split(people, tmp_path, make_spec):
    people[:120].to_parquet(tmp_path / "a.parquet", index=False)
    people[120:].to_csv(tmp_path / "b.csv", index=False)
    data = {"source": "table", "path": "a.parquet", "label": "income", "features": {"drop": ["split"]}}
    dataset = open_source(make_spec(data | {"split": {"test_path": "b.csv"}}, ["sex"]), tmp_path).load()
    assert dataset.examples == tuple(range(80))
    assert split_sizes(dataset)["train"] == 120
    other = {"split": {"train_path": "a.parquet", "test_path": "b.csv"}}
    assert open_source(make_spec(data | other, ["sex"]), tmp_path).load().examples == dataset.examples


def test_files_of_other_types_or_columns_are_errors(people, tmp_path, make_spec, complaint):
    people[:120].drop(columns="hours").to_csv(tmp_path / "a.csv", index=False)
    people[120:].assign(age="old").to_csv(tmp_path / "b.csv", index=False)
    data = {"source": "table", "path": "a.csv", "label": "income", "split": {"test_path": "b.csv"}}
    assert 'a.csv: column hours: there is no column "hours"' in complaint(
        open_source(make_spec(data, ["sex"]), tmp_path).load
    )
    data["features"] = {"drop": ["hours", "split"]}
    assert "b.csv: column age: holds text, but a.csv numbers" in complaint(
        open_source(make_spec(data, ["sex"]), tmp_path).load
    )


def test_rows_are_numbered_in_their_own_file(people, tmp_path, make_spec, complaint):
    people.loc[125, "hours"] = np.nan
    people[:120].to_csv(tmp_path / "a.csv", index=False)
    people[120:].to_csv(tmp_path / "b.csv", index=False)
    data = {"source": "table", "path": "a.csv", "label": "income", "split": {"test_path": "b.csv"}}
    assert "b.csv: column hours: row 6:" in complaint(open_source(make_spec(data, ["sex"]), tmp_path).load)


def test_rows_of_neither_split_are_counted(table, people):
    people.loc[:9, "split"] = "later"
    people.loc[10:11, "split"] = None
    people.loc[0, "income"] = None
    dataset = table(people).load()
    assert split_sizes(dataset) == {"train": 108, "test": 80, "calibration": 108}
    assert dataset.warnings == ('12 rows in neither split, by column split ("(missing)": 2, "later": 10).',)


def test_an_empty_split_is_an_error_with_the_nearest_value(table, people, complaint):
    text = complaint(table(people, split={"column": "split", "train": "Trains", "test": "tests"}).load)
    assert 'column split: no row holds "Trains": the train split is empty' in text
    assert 'Did you mean "train"?' in text
    assert 'no row holds "tests"' in text


def test_one_row_cannot_be_split(table, people, complaint):
    assert "1 row of one example" in complaint(table(people[:1].drop(columns="split")).load)


def test_the_same_value_for_both_splits_is_an_error(table, people, complaint):
    assert "train and test are the same value" in complaint(
        table(people, split={"column": "split", "train": "test", "test": "test"}).load
    )


def test_test_rows_that_are_training_rows_are_counted(table, people):
    people.loc[130:132] = people.loc[[0, 1, 2]].assign(split="test").to_numpy()
    people = people.astype({"age": int, "hours": float})
    (warning,) = table(people).load().warnings
    assert warning == (
        "3 of the 80 test examples (3.8%) equal a training example in features, attributes and label. If they are the "
        "same cases, a model may know them by heart, and the audit shows less harm than new cases will meet: take them "
        "out of the test split. Different cases that happen to look alike may stay."
    )


def test_ids_in_both_splits_are_counted(table, people):
    people["person"] = np.arange(200)
    people.loc[199, "person"] = 0
    (warning,) = table(people, id="person").load().warnings
    assert warning == (
        "1 of the 80 test examples shares its id with a training example. What is known by id is no test: split so "
        "that an id is on one side only."
    )


def test_a_missing_id_is_an_error_with_its_row(table, people, complaint):
    people["person"] = [None, *map(str, range(199))]
    assert "column person: row 1: the id is missing" in complaint(table(people, id="person").load)


def test_the_representative_set_holds_training_rows_that_are_no_test_rows(table, people, tmp_path):
    people.loc[130:139, ["age", "hours", "job"]] = people.loc[0:9, ["age", "hours", "job"]].to_numpy()
    people = people.astype({"age": int, "hours": float})
    inputs = materialised(table(people, calibration={"size": 200}), tmp_path / "inputs")
    assert inputs.calibration_x.shape == (110, 5)
    assert np.array_equal(inputs.calibration_x, inputs.train_x[10:])


def test_the_representative_set_is_sampled_by_the_seed(table, people, tmp_path):
    sets = [
        materialised(table(people, calibration={"size": 10}, also={"audit": {"seed": seed}}), tmp_path / name)
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    ]
    assert np.array_equal(sets[0].calibration_x, sets[1].calibration_x)
    assert not np.array_equal(sets[0].calibration_x, sets[2].calibration_x)
    assert len(sets[0].calibration_x) == 10


def test_a_small_representative_set_is_a_warning_where_int8_needs_it(table, people):
    assert table(people, also=INT8).load().warnings == (
        "The representative set holds 120 examples, not the 256 asked for.",
    )


def test_an_empty_representative_set_is_an_error_where_int8_needs_it(table, people, complaint):
    frame = people.drop(columns=["job", "split"])
    assert "data.calibration: int8 is calibrated on training rows" in complaint(
        table(frame, split="all", also=INT8).load
    )


def test_a_declared_calibration_split_is_used(table, people, tmp_path):
    people.loc[:29, "split"] = "calibration"
    source = table(people, calibration={"split": "calibration", "size": 256})
    dataset = source.load()
    assert split_sizes(dataset) == {"train": 90, "test": 80, "calibration": 30}
    assert dataset.warnings == ()
    assert len(materialised(source, tmp_path / "inputs").calibration_x) == 30


def test_calibrating_on_the_test_split_is_an_error(table, people, complaint):
    text = complaint(table(people, calibration={"split": "test"}).load)
    assert 'data.calibration.split: "test" is the test split' in text


def test_a_calibration_split_that_overlaps_the_test_split_is_an_error_with_its_rows(table, people, complaint):
    people.loc[:2, "split"] = "calibration"
    people.loc[[0, 2], ["age", "hours", "job"]] = people.loc[[150, 151], ["age", "hours", "job"]].to_numpy()
    people = people.astype({"age": int, "hours": float})
    text = complaint(table(people, calibration={"split": "calibration"}).load)
    assert "rows 1, 3: 2 calibration examples also in the test split" in text


def test_a_calibration_split_without_a_split_column_is_an_error(table, people, complaint):
    text = complaint(table(people.drop(columns="split"), calibration={"split": "calibration"}).load)
    assert "data.calibration.split: names a value of the split column" in text


def test_an_unknown_calibration_split_is_an_error(table, people, complaint):
    text = complaint(table(people, calibration={"split": "trian"}).load)
    assert 'no row holds "trian": the calibration split is empty' in text
