"""A first audit.toml: every one of these validates as it is written."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import numpy as np
import pytest

from auditor import init
from auditor.errors import SpecError
from auditor.init.toml import comment, value

ROOT = Path(__file__).parents[3]
CELEBA = Path(os.environ.get("AUDITOR_CELEBA", ROOT / "audits/celeba/data"))
HOSTILE = ['a"b', "a\\b", "a\nb", "a\tb", "a'b", "a\x00b", "a\x1bb", "a\x7fb", "# a", "[a]", "ä\u2028\u202e", "", "a=b"]


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


def test_what_cannot_be_told_names_its_flag(first, people, complaint):
    anonymous = people[["hours", "gap", "note"]]
    assert "--label: cannot be told from the data" in complaint(first, anonymous)
    text = complaint(first, people[["hours", "approved"]])
    assert "--attribute: cannot be told from the data" in text
    assert "Give --attribute" in text


def test_wrong_names_are_told_with_the_nearest(first, people, complaint):
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


def test_a_link_beside_the_file_is_neither_followed_nor_removed(tmp_path):
    link = tmp_path / f".audit.toml.{os.getpid()}.part"
    link.symlink_to(tmp_path / "elsewhere")
    init.write(tmp_path / "audit.toml", "one", force=False)
    assert {path.name for path in tmp_path.iterdir()} == {"audit.toml", link.name}


def test_a_file_that_is_there_is_replaced_only_by_force(tmp_path, complaint):
    path = tmp_path / "audit.toml"
    init.write(path, "one", force=False)
    with pytest.raises(SpecError, match="is there already"):
        init.write(path, "two", force=False)
    assert path.read_text("utf-8") == "one"
    init.write(path, "two", force=True)
    assert path.read_text("utf-8") == "two"
    assert [p.name for p in tmp_path.iterdir()] == ["audit.toml"]
    assert "cannot be written" in complaint(init.write, tmp_path / "no" / "audit.toml", "x", force=False)
