from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from auditor.data.inputs import read_inputs
from auditor.data.words import encode, learn, split_words

TEXTS = ["A good film", "a bad, BAD film", "good good plot", "Dull plot!"]


@pytest.fixture
def reviews():
    """The first 60 train."""
    rng = np.random.default_rng(0)
    text = [" ".join(rng.choice(["good", "bad", "film", "plot"], 6)) for _ in range(90)]
    split = ["train"] * 60 + ["test"] * 30
    sex = np.resize(["F", "M"], 90)
    return pd.DataFrame({"review": text, "sex": sex, "split": split, "income": np.resize(["low", "high"], 90)})


def test_letters_marks_and_digits_make_words_in_any_script():
    assert split_words("Don't PANIC: it's 42%...") == ["don", "t", "panic", "it", "s", "42"]
    assert split_words("Straße – ÉCOLE\u3000日本語, हिन्दी") == ["straße", "école", "日本語", "हिन्दी"]
    assert split_words("e\u0301cole") == split_words("\u00e9cole")
    assert split_words(" \t!? ") == []


def test_words_are_numbered_by_frequency_then_alphabet():
    assert learn(TEXTS, 100) == {"good": 2, "a": 3, "bad": 4, "film": 5, "plot": 6, "dull": 7}
    assert learn(TEXTS, 5) == {"good": 2, "a": 3, "bad": 4}


def test_texts_become_numbers_with_zeros_behind_and_one_for_the_unknown():
    frame = pd.DataFrame({"t": ["Good new plot", "", "bad " * 9]})
    numbers = encode("t", learn(TEXTS, 100), 4, frame)
    assert numbers.dtype == np.float32
    assert numbers.tolist() == [[2, 1, 6, 0], [0, 0, 0, 0], [4, 4, 4, 4]]


def test_a_table_of_texts_becomes_inputs_by_the_training_split_alone(table, reviews, tmp_path):
    reviews.loc[70, "review"] = "unseen good"
    reviews.loc[71, "review"] = "!"
    source = table(reviews, text={"column": "review", "vocabulary": 6, "length": 5})
    assert source.load().warnings[:2] == (
        "Column review: 1 test text without any word: all zeros.",
        "Column review: 28 test texts with more than 5 words, and cut there.",
    )
    (tmp_path / "inputs").mkdir()
    source.materialise(tmp_path / "inputs")
    inputs = read_inputs(tmp_path / "inputs")
    assert inputs.train_x.shape == (60, 5)
    assert (inputs.train_x.min(), inputs.train_x.max()) == (2, 5)
    assert inputs.test_x[10, 0] == 1
    assert inputs.test_x[11].tolist() == [0] * 5


def test_more_rows_than_are_turned_at_once_keep_their_order(table, reviews, tmp_path, monkeypatch):
    def inputs(folder):
        source = table(reviews, text={"column": "review", "length": 5})
        folder.mkdir()
        source.materialise(folder)
        return read_inputs(folder)

    whole = inputs(tmp_path / "a")
    monkeypatch.setattr("auditor.data.table.ROWS", 7)
    assert np.array_equal(inputs(tmp_path / "b").train_x, whole.train_x)


def test_the_digest_goes_by_how_texts_are_read(table, reviews):
    first = table(reviews, text={"column": "review"}).load().digest
    assert table(reviews, text={"column": "review", "length": 9}).load().digest != first


def test_texts_that_cannot_be_read_are_told(table, reviews, complaint):
    said = complaint(table(reviews, text={"column": "reviev"}).load)
    assert 'data.text.column: there is no column "reviev"' in said
    assert 'Did you mean "review"?' in said
    assert '"sex" is label, split, id or attribute' in complaint(table(reviews, text={"column": "sex"}).load)
    reviews.loc[3, "review"] = None
    assert "column review: row 4: no text is there" in complaint(table(reviews, text={"column": "review"}).load)
    numbers = reviews.assign(review=1.5)
    assert "rows 1, 2, 3" in complaint(table(numbers, text={"column": "review"}).load)
    empty = reviews.assign(review="...")
    assert "no training row holds a word" in complaint(table(empty, text={"column": "review"}).load)
    alone = complaint(table(reviews, text={"column": "review"}, split="all").load)
    assert "words are numbered by the training split" in alone
