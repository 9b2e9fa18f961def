from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from auditor.data import open_source


def test_missing_columns_are_told_at_once_with_the_nearest(table, people, complaint):
    text = complaint(
        table(
            people,
            attribute=["sexx", "hours"],
            label="incomes",
            id="person",
            features={"use": ["agee"], "drop": ["jobs"]},
            split={"column": "splits"},
        ).load
    )
    for where, name, near in (
        ("data.label", "incomes", "income"),
        ("attribute sexx", "sexx", "sex"),
        ("data.features.use", "agee", "age"),
        ("data.features.drop", "jobs", "job"),
        ("data.split.column", "splits", "split"),
    ):
        assert f'{where}: there is no column "{name}"\n    Did you mean "{near}"?' in text
    assert 'data.id: there is no column "person"' in text


@pytest.mark.parametrize("name", ["income", "split", "sex"])
def test_label_split_and_attribute_are_no_features(table, people, complaint, name):
    assert f'data.features.use: "{name}" is label, split, id or attribute' in complaint(
        table(people, features={"use": [name, "age"]}).load
    )


def test_a_table_without_features_is_an_error(table, people, complaint):
    assert "no column is left" in complaint(table(people, features={"drop": ["age", "hours", "job"]}).load)
    assert 'every column is constant in the training split: "age"' in complaint(
        table(people.assign(age=1), features={"use": ["age"]}).load
    )


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_column_name_that_stands_twice_is_an_error(tmp_path, make_spec, complaint, ending):
    if ending == "csv":
        (tmp_path / "p.csv").write_text("age,age,income,sex\n1,2,a,f\n3,4,b,m\n")
    else:
        columns = [pa.array([1, 2]), pa.array([3, 4]), pa.array(["a", "b"]), pa.array(["f", "m"])]
        pq.write_table(pa.table(columns, names=["age", "age", "income", "sex"]), tmp_path / "p.parquet")
    spec = make_spec({"source": "table", "path": f"p.{ending}", "label": "income"}, ["sex"])
    assert f"p.{ending}: column age: the name stands more than once" in complaint(open_source(spec, tmp_path).load)


def test_all_bad_columns_are_told_at_once_with_their_rows(table, people, complaint):
    people.loc[[16, 150], "income"] = None
    people.loc[3, "hours"] = np.nan
    people.loc[4, "age"] = 1
    people["rate"] = np.where(np.arange(200) == 5, np.inf, np.arange(200))
    people["born"] = pd.to_datetime("2000-01-01")
    people["diary"] = [f"day {number}" for number in range(200)]
    text = complaint(
        table(people, attribute=[{"name": "sex", "groups": {"F": ["Female"]}}], features={"text_limit": 100}).load
    )
    assert "column income: rows 17, 151: the label is missing" in text
    assert "column hours: row 4: no number is there\n    Fill the column, or drop it" in text
    assert "column rate: row 6: the number is infinite" in text
    assert "column born: holds neither numbers nor text" in text
    assert "column diary: 120 distinct values in the training split, more than text_limit = 100" in text
    assert "attribute sex: rows" in text
    assert '"Male" is in none of `groups`' in text


def test_many_rows_are_counted_after_the_first_ten(table, people, complaint):
    people.loc[:29, "hours"] = np.nan
    assert "rows 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 20 more: no number" in complaint(table(people).load)


def test_a_single_class_is_an_error(table, people, complaint):
    assert 'column income: all rows are of one class, "low"' in complaint(table(people.assign(income="low")).load)


def test_a_single_class_in_training_is_an_error_and_in_testing_a_warning(table, people, complaint):
    one_class = people.copy()
    one_class.loc[:119, "income"] = "low"
    assert 'all training rows are of one class, "low"' in complaint(table(one_class).load)
    people.loc[120:, "income"] = "low"
    assert table(people).load().warnings == ('No test row is of class "high".',)


def test_an_unknown_positive_is_an_error_with_the_nearest(table, people, complaint):
    text = complaint(table(people, positive="High").load)
    assert 'data.positive: "High" is none of the classes' in text
    assert 'Did you mean "high"?' in text


def test_classes_that_do_not_cover_the_labels_are_an_error(table, people, complaint):
    assert 'data.classes: column income also holds "low"' in complaint(table(people, classes=["high", "lo"]).load)
    assert "a class stands more than once" in complaint(table(people, classes=["high", "low", "low"]).load)


def test_a_missing_file_is_an_error(tmp_path, make_spec, complaint):
    spec = make_spec({"source": "table", "path": "nowhere.csv", "label": "income"}, ["sex"])
    assert "nowhere.csv: there is no such file" in complaint(open_source(spec, tmp_path).load)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("p.csv", b"", "cannot be read"),
        ("p.csv", b"age,income,sex\n1,a\n", "cannot be read"),
        ("p.csv", b"age,income,sex\n", "the table has no rows"),
        ("p.csv", b"age,income,sex\n1,a,\xff\n2,b,\xff\n", "column sex: holds bytes that are no UTF-8 text"),
        ("p.parquet", b"not parquet at all", "cannot be read"),
        ("p.xlsx", b"", 'tables are CSV or Parquet, and the ending is ".xlsx"'),
    ],
)
def test_a_file_that_is_no_table_is_an_error(tmp_path, make_spec, complaint, name, content, said):
    (tmp_path / name).write_bytes(content)
    spec = make_spec({"source": "table", "path": name, "label": "income"}, ["sex"])
    text = complaint(open_source(spec, tmp_path).load)
    assert name in text
    assert said in text


def test_lists_in_a_column_are_an_error(table, people, complaint):
    people["tags"] = [["a"]] * 200
    assert "column tags: holds lists or structures" in complaint(table(people).load)
