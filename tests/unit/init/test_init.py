"""A first audit.toml: every one of these validates as it is written."""

from __future__ import annotations

import json
import os
import re
import tomllib
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from auditor import init
from auditor.declare import load_spec
from auditor.errors import AuditorError, SpecError
from auditor.init.toml import comment, value
from auditor.validation import validate

ROOT = Path(__file__).parents[3]
CELEBA = Path(os.environ.get("AUDITOR_CELEBA", ROOT / "audits/celeba/data"))
HOSTILE = ['a"b', "a\\b", "a\nb", "a\tb", "a'b", "a\x00b", "a\x1bb", "a\x7fb", "# a", "[a]", "ä\u2028\u202e", "", "a=b"]


@pytest.fixture
def people():
    rng = np.random.default_rng(0)
    n = 600
    return pd.DataFrame(
        {
            "person_id": np.arange(n),
            "age": rng.integers(18, 90, n),
            "maritalStatus": rng.choice(["single", "married"], n),
            "hours": rng.normal(40, 8, n),
            "note": [f"text {i}" for i in range(n)],
            "hired_on": pd.date_range("2024-01-01", periods=n),
            "gap": np.where(rng.random(n) < 0.1, np.nan, 1.0),
            "approved": rng.choice(["no", "yes"], n, p=[0.3, 0.7]),
        }
    )


@pytest.fixture
def first(tmp_path):
    """Write an audit.toml for a frame, and give it as text and as what validating tells."""

    def make(frame=None, ending="parquet", ask=init.decided, **wishes):
        path = wishes.pop("data", tmp_path / f"people.{ending}")
        if frame is not None:
            frame.to_parquet(path, index=False) if ending == "parquet" else frame.to_csv(path, index=False)
        text = init.draft(init.Wishes(data=path, **wishes), ask, tmp_path)
        (tmp_path / "audit.toml").write_text(text, encoding="utf-8")
        return text, validate(load_spec(tmp_path / "audit.toml"))

    return make


def complaint(step, *args, **kwargs):
    with pytest.raises(AuditorError) as caught:
        step(*args, **kwargs)
    return str(caught.value)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_table_is_typed_and_what_is_guessed_is_marked(first, people, ending):
    text, checked = first(people, ending)
    declared = tomllib.loads(text)
    assert 'label = "approved"  # guessed' in text
    assert 'positive = "yes"  # guessed' in text
    assert [one["name"] for one in declared["attribute"]] == ["age", "maritalStatus"]
    assert all(18 < edge < 90 and edge % 10 == 0 for edge in declared["attribute"][0]["bins"])
    assert set(declared["data"]["features"]["drop"]) >= {"person_id", "gap"}
    assert "# gap: numbers are missing" in text
    assert checked.data.positive == "yes"
    assert [name for name, _ in checked.variants] == ["baseline", "int8", "pruned-0.5", "pruned-0.9"]


def test_flags_are_not_guesses(first, people):
    text, checked = first(people, label="maritalStatus", positive="married", attributes=("approved",))
    assert "# guessed" not in text
    assert checked.data.classes == ("married", "single")
    assert checked.data.positive == "married"


def test_the_adult_table_needs_no_flag(first):
    text, checked = first(data=ROOT / "audits/adult/adult.parquet")
    declared = tomllib.loads(text)
    assert (declared["data"]["label"], declared["data"]["positive"]) == ("income", ">50K")
    assert declared["data"]["split"] == {"column": "split", "train": "train", "test": "test"}
    assert {"age", "race", "sex"} <= {one["name"] for one in declared["attribute"]}
    assert "under 10 test rows of class >50K (statistics.min_group), UNDEFINED: Married-AF-spouse" in text
    assert len(checked.data.splits) == 3


def test_a_table_of_predictions(first, people):
    for name in ("base_0", "base_1", "int8_0", "int8_1"):
        people[name] = people["approved"]
    text, checked = first(people, predictions=("base_*", "int8_*"))
    assert "threshold" not in text
    assert [name for name, _ in checked.variants] == ["baseline", "int8"]


def test_a_table_of_probabilities_has_a_threshold(first, people):
    for name in ("base_0", "base_1", "int8_0"):
        people[name] = np.linspace(0, 1, len(people))
    text, _ = first(people, predictions=("base_*", "int8_*"))
    assert tomllib.loads(text)["data"]["threshold"] == 0.5


def test_a_column_a_class_needs_no_threshold(first, people):
    for name in ("base_0_p_no", "base_0_p_yes", "int8_0_p_no", "int8_0_p_yes"):
        people[name] = 0.5
    text, _ = first(people, predictions=("base_*_p_{class}", "int8_*_p_{class}"))
    assert "threshold" not in tomllib.loads(text)["data"]


@pytest.mark.skipif(not (CELEBA / "list_attr_celeba.txt").is_file(), reason="AUDITOR_CELEBA names no folder of CelebA")
def test_celebas_official_folder(first):
    text, checked = first(data=CELEBA, label="Blond_Hair")
    assert [one["name"] for one in tomllib.loads(text)["attribute"]] == ["Male", "Pale_Skin", "Young"]
    assert checked.data.positive == 1


def test_what_cannot_be_told_names_its_flag(first, people):
    anonymous = people[["hours", "gap", "note"]]
    assert "--label: cannot be told from the data" in complaint(first, anonymous)
    text = complaint(first, people[["hours", "approved"]])
    assert "--attribute: cannot be told from the data" in text
    assert "Give --attribute" in text


def test_wrong_names_are_told_with_the_nearest(first, people):
    assert 'there is no column "aproved"\n    Did you mean "approved"?' in complaint(first, people, label="aproved")
    assert '--positive: "yess" is no value of approved' in complaint(first, people, positive="yess")
    assert '--attribute: there is no column "sex"' in complaint(first, people, attributes=("sex",))
    assert '--predictions: no column matches "base_*"' in complaint(first, people, predictions=("base_*", "int8_*"))
    assert "--predictions: a variant is missing" in complaint(first, people, predictions=("age",))


def test_what_no_flag_says_is_asked(first, people):
    asked = []

    def ask(flag, question, guess, advice):
        asked.append((flag, guess))
        return {"--label": "maritalStatus", "--positive": "married", "--attribute": "approved, age"}[flag]

    text, _ = first(people, ask=ask)
    assert asked == [("--label", "approved"), ("--positive", "single"), ("--attribute", "age")]
    assert [one["name"] for one in tomllib.loads(text)["attribute"]] == ["approved", "age"]


def test_ids_that_repeat_are_clusters(first, people):
    people["person_id"] //= 3
    text, checked = first(people)
    assert tomllib.loads(text)["data"]["id"] == "person_id"
    assert checked.data.clusters is not None


@pytest.mark.parametrize("name", [name for name in HOSTILE if name])
def test_hostile_names_are_quoted(first, people, name):
    renamed = people.rename(columns={"approved": name, "maritalStatus": f"sex {name}", "note": f"note {name}"})
    renamed[name] = renamed[name].replace({"yes": name})
    text, checked = first(renamed, label=name, positive=name)
    declared = tomllib.loads(text)
    assert declared["data"]["label"] == declared["data"]["positive"] == name
    assert f"sex {name}" in [one["name"] for one in declared["attribute"]]
    assert checked.data.positive == name


@pytest.mark.parametrize("given", [*HOSTILE, 1, -2.5, 1e300, True, False, [], [1, "a"], {"a": {"b": ["c"]}}])
def test_values_are_read_as_they_were_written(given):
    assert tomllib.loads(f"x = {value(given)}") == {"x": given}


@pytest.mark.parametrize("text", HOSTILE)
def test_a_comment_stays_one(text):
    assert tomllib.loads(f"{comment(text)}\nx = 1") == {"x": 1}


def test_a_file_that_is_there_is_replaced_only_by_force(tmp_path):
    path = tmp_path / "audit.toml"
    init.write(path, "one", force=False)
    with pytest.raises(SpecError, match="is there already"):
        init.write(path, "two", force=False)
    assert path.read_text("utf-8") == "one"
    init.write(path, "two", force=True)
    assert path.read_text("utf-8") == "two"
    assert [p.name for p in tmp_path.iterdir()] == ["audit.toml"]
    assert "cannot be written" in complaint(init.write, tmp_path / "no" / "audit.toml", "x", force=False)


def model_file(path):
    """An .h5 of tf_keras by its configuration alone: three numbers in, a softmax over two classes out."""
    layers = [
        {"class_name": "InputLayer", "config": {"name": "in", "batch_input_shape": [None, 3], "dtype": "float32"}},
        {"class_name": "Dense", "config": {"name": "out", "units": 2, "activation": "softmax"}},
    ]
    config = {"class_name": "Sequential", "config": {"name": "small", "layers": layers}}
    with h5py.File(path, "w") as root:
        root.attrs["model_config"] = json.dumps(config)
        root.attrs["keras_version"] = "2.21.0"
        root.attrs["backend"] = "tensorflow"
        root.create_group("model_weights")
    return path


def test_a_given_model_is_looked_into_and_pinned(first, people, tmp_path):
    text, checked = first(people, model=model_file(tmp_path / "small.h5"))
    declared = tomllib.loads(text)
    assert "# small.h5: input 3, outputs 2, ends in softmax" in text
    assert declared["model"]["path"] == "small.h5"
    assert len(declared["model"]["sha256"]) == 64
    assert checked.variants == (("baseline", 1), ("int8", 1))
    offered = re.sub("(?m)^# ", "", text[text.index("# [population]") :].partition("\n\n")[0])
    assert tomllib.loads(offered)["compression"][0]["method"] == "prune"


def test_an_artifact_needs_its_baseline(first, people, tmp_path):
    path = model_file(tmp_path / "small.h5")
    assert "--artifact: is compared with a baseline, which is missing" in complaint(first, people, artifact=path)
    text, checked = first(people, model=path, artifact=path)
    assert [one.get("artifact") for one in tomllib.loads(text)["compression"]] == ["small.h5", None]
    assert [name for name, _ in checked.variants] == ["baseline", "small", "int8"]
