from __future__ import annotations

import numpy as np
import pandas as pd

from auditor.data.features import Category, Number, category_of, fit, kind, transform, unscaled


def test_numbers_are_standardised_by_what_was_fitted_on():
    features, constant = fit(pd.DataFrame({"age": [10.0, 20.0, 30.0]}))
    assert constant == ()
    assert np.allclose(transform(features, pd.DataFrame({"age": [20.0, 20 + np.sqrt(200 / 3)]})), [[0], [1]], atol=1e-7)


def test_booleans_are_numbers():
    features, _ = fit(pd.DataFrame({"veteran": [True, False]}))
    assert transform(features, pd.DataFrame({"veteran": [True, False]})).tolist() == [[1], [-1]]


def test_text_is_one_hot_in_the_order_of_names():
    features, _ = fit(pd.DataFrame({"job": ["cook", "clerk", None]}))
    assert features == (Category(column="job", categories=("(missing)", "clerk", "cook")),)
    assert transform(features, pd.DataFrame({"job": ["cook", None]})).tolist() == [[0, 0, 1], [1, 0, 0]]


def test_unseen_text_is_all_zeros():
    features, _ = fit(pd.DataFrame({"job": ["cook", "clerk"]}))
    unseen = pd.Series(["pilot", "cook", None])
    assert transform(features, pd.DataFrame({"job": unseen})).tolist() == [[0, 0], [0, 1], [0, 0]]
    assert category_of(features[0], unseen).tolist() == [-1, 1, -1]


def test_categorical_columns_are_text():
    column = pd.Series(pd.Categorical(["b", "a"], categories=["a", "b", "c"]), name="job")
    features, _ = fit(pd.DataFrame({"job": column}))
    assert features == (Category(column="job", categories=("a", "b")),)


def test_constant_columns_are_left_out():
    features, constant = fit(pd.DataFrame({"a": [1, 1], "b": ["x", "x"], "c": [1, 2]}))
    assert constant == ("a", "b")
    assert [feature.column for feature in features] == ["c"]


def test_without_training_rows_numbers_stay_as_they_are():
    assert unscaled(("age",)) == (Number(column="age", mean=0.0, sd=1.0),)
    assert transform(unscaled(("age",)), pd.DataFrame({"age": [7, 8]})).tolist() == [[7], [8]]


def test_columns_stand_beside_each_other_in_order():
    frame = pd.DataFrame({"job": ["a", "b"], "age": [1, 3], "sex": ["f", "m"]})
    inputs = transform(fit(frame)[0], frame)
    assert inputs.dtype == np.float32
    assert inputs.tolist() == [[1, 0, -1, 1, 0], [0, 1, 1, 0, 1]]


def test_dates_are_neither_numbers_nor_text():
    assert kind(pd.Series(pd.to_datetime(["2020-01-01"]))) == "other"
    assert kind(pd.Series([True, None], dtype=object)) == "text"
    assert kind(pd.Series([1, 2], dtype="Int64")) == "number"
