from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from auditor.data import open_source
from auditor.data.inputs import read_inputs
from auditor.data.reading import read_unchanged
from auditor.errors import DataError, SpecError


def materialised(source, folder):
    folder.mkdir()
    source.materialise(folder)
    return read_inputs(folder)


def split_sizes(dataset):
    return {size.split: size.examples for size in dataset.splits}


def test_a_table_becomes_a_dataset(table, people):
    dataset = table(people, positive="high").load()
    assert dataset.source == "table: people.parquet"
    assert dataset.classes == ("high", "low")
    assert dataset.positive == 0
    assert dataset.examples == tuple(range(120, 200))
    assert dataset.labels.tolist() == [dataset.classes.index(value) for value in people["income"][120:]]
    assert dataset.attributes["sex"] == tuple(people["sex"][120:])
    assert dataset.cluster is None
    assert split_sizes(dataset) == {"train": 120, "test": 80, "calibration": 120}
    assert dataset.splits[1].by_class == (26, 54)
    assert dataset.warnings == ()


def test_csv_and_parquet_give_the_same(table, people, tmp_path, make_spec):
    people.loc[3, "sex"] = None
    one = table(people).load()
    people.to_csv(tmp_path / "people.csv", index=False)
    spec = make_spec({"source": "table", "path": "people.csv", "label": "income"}, ["sex"])
    other = open_source(spec, tmp_path).load()
    assert (one.classes, one.attributes, one.splits) == (other.classes, other.attributes, other.splits)
    assert one.digest != other.digest


def test_the_word_none_in_a_csv_is_a_group_and_an_empty_cell_is_missing(tmp_path, make_spec):
    text = "faith,age,income\nNone,1,a\n,2,b\nNA,3,a\nsome,4,b\n"
    (tmp_path / "people.csv").write_text(text)
    data = {"source": "table", "path": "people.csv", "label": "income", "split": "all"}
    dataset = open_source(make_spec(data, ["faith"]), tmp_path).load()
    assert dataset.attributes["faith"] == ("None", "(missing)", "(missing)", "some")


def test_inputs_are_fitted_on_the_training_split_alone(table, people, tmp_path):
    people.loc[150, "job"] = "pilot"
    people.loc[151, "hours"] = 1000.0
    source = table(people, attribute=[{"name": "sex"}])
    inputs = materialised(source, tmp_path / "inputs")
    assert inputs.train_x.shape == (120, 5)
    assert np.allclose(inputs.train_x[:, :2].mean(axis=0), 0, atol=1e-6)
    assert np.allclose(inputs.train_x[:, :2].std(axis=0), 1, atol=1e-5)
    assert inputs.test_x[30, 2:].tolist() == [0, 0, 0]
    assert inputs.test_x[31, 1] > 10
    assert inputs.train_y.tolist() == [["high", "low"].index(value) for value in people["income"][:120]]
    assert (inputs.scale, inputs.offset, inputs.classes) == (1.0, 0.0, 2)
    assert source.load().warnings == ("Column job: 1 test row with a value unknown to training: all zeros.",)


def test_attributes_are_features_only_where_asked(table, people, tmp_path):
    inputs = materialised(table(people, attribute=[{"name": "sex", "use_as_feature": True}]), tmp_path / "inputs")
    assert inputs.train_x.shape == (120, 7)


def test_features_can_be_chosen_and_dropped(table, people, tmp_path):
    assert materialised(table(people, features={"use": ["age"]}), tmp_path / "a").train_x.shape == (120, 1)
    assert materialised(table(people, features={"drop": ["job"]}), tmp_path / "b").train_x.shape == (120, 2)


def test_a_constant_column_is_left_out_with_a_warning(table, people, tmp_path):
    people["planet"] = 3
    source = table(people)
    assert source.load().warnings == ("Column planet is constant in the training split and is left out.",)
    assert materialised(source, tmp_path / "inputs").train_x.shape == (120, 5)


def test_classes_keep_the_labels_type_and_declared_order(table, people):
    people["income"] = (people["income"] == "high").astype(int)
    assert table(people, positive="1").load().classes == (0, 1)
    dataset = table(people, positive=1, classes=["1", "0"]).load()
    assert dataset.classes == (1, 0)
    assert dataset.positive == 0


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_index_that_pandas_writes_is_no_column(people, tmp_path, make_spec, ending):
    people.index = people.index[::-1] * 7
    path = tmp_path / f"people.{ending}"
    people.to_csv(path) if ending == "csv" else people.to_parquet(path)
    spec = make_spec({"source": "table", "path": path.name, "label": "income"}, ["sex"])
    assert materialised(open_source(spec, tmp_path), tmp_path / "inputs").train_x.shape == (120, 5)


def test_the_digest_follows_what_determines_inputs_and_scoring(table, people):
    digest = table(people).load().digest
    assert len(digest) == 64
    assert table(people).load().digest == digest
    assert table(people, attribute=[{"name": "sex", "reference": "Male"}], positive="high").load().digest == digest
    changed = [
        table(people, features={"drop": ["age"]}),
        table(people, attribute=[{"name": "sex", "use_as_feature": True}]),
        table(people, also={"audit": {"seed": 3}}),
        table(people, classes=["low", "high"]),
    ]
    assert len({source.load().digest for source in changed} | {digest}) == 5


def test_the_digest_follows_the_bytes_and_not_the_path(people, tmp_path, make_spec):
    people.to_csv(tmp_path / "a.csv", index=False)
    people.to_csv(tmp_path / "b.csv", index=False)
    people.assign(age=people["age"] + 1).to_csv(tmp_path / "c.csv", index=False)
    digests = [
        open_source(make_spec({"source": "table", "path": name, "label": "income"}, ["sex"]), tmp_path).load().digest
        for name in ("a.csv", "b.csv", "c.csv")
    ]
    assert digests[0] == digests[1] != digests[2]


def test_a_definition_without_source_is_an_error(make_spec, tmp_path):
    spec = make_spec({"path": "people.csv", "label": "income"}, ["sex"])
    with pytest.raises(SpecError, match=r"data\.source: no source is declared"):
        open_source(spec, tmp_path)


def test_only_the_source_asked_for_is_imported():
    code = "import sys, auditor.data; print('pandas' in sys.modules, 'PIL' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["False", "False"]


def test_a_file_that_changes_while_it_is_read_is_an_error(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("a\n1\n", encoding="utf-8")

    def read():
        path.write_text("a\n2\n", encoding="utf-8")
        return 1

    with pytest.raises(DataError, match="changed while it was read"):
        read_unchanged([path], read)
