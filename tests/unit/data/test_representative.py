"""Representative sets: how many of which groups, and one variant's own beside the audit's."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from auditor.data.inputs import read_inputs, representative
from auditor.data.representative import name_of_set

TEAMS = {"name": "team", "groups": {"first": ["a"], "second": ["b", "c"]}}


@pytest.fixture
def skewed(people):
    """The same people, of whom few training rows are of team b or c; the age tells which row is which."""
    people["age"] = np.arange(200)
    people["team"] = ["b" if row % 20 == 0 else "c" if row % 20 == 1 else "a" for row in range(200)]
    return people


def int8(**calibration):
    return {"name": "own", "method": "int8", "calibration": calibration}


def sets_of(source, folder, frame):
    """The rows of each representative set by the ages in it, the common one as None."""
    folder.mkdir()
    source.materialise(folder)
    inputs = read_inputs(folder)
    ages = {round(float(x), 5): row for row, x in enumerate(_standardised(frame))}
    return {
        rows: [ages[round(float(x), 5)] for x in representative(inputs, rows)[:, 0]]
        for rows in (None, *inputs.calibrations)
    }


def _standardised(frame):
    ages = frame["age"].to_numpy(np.float64)
    train = ages[frame["split"] == "train"]
    return ((ages - train.mean()) / train.std()).astype(np.float32)


def teams(frame, rows):
    return Counter(frame["team"].iloc[rows])


def test_a_stratified_set_has_as_many_of_each_group_so_far_as_it_has_them(table, skewed, tmp_path):
    source = table(skewed, ["sex", "team"], calibration={"size": 30, "select": "stratified", "by": ["team"]})
    assert teams(skewed, sets_of(source, tmp_path / "inputs", skewed)[None]) == {"a": 18, "b": 6, "c": 6}


def test_the_groups_are_those_of_the_attribute_and_of_several_their_intersections(table, skewed, tmp_path):
    declared = {"size": 16, "select": "stratified", "by": ["sex", "team"]}
    source = table(skewed, ["sex", TEAMS], calibration=declared)
    rows = sets_of(source, tmp_path / "inputs", skewed)[None]
    cells = Counter(
        (sex, team == "a") for sex, team in zip(skewed["sex"].iloc[rows], skewed["team"].iloc[rows], strict=True)
    )
    assert set(cells.values()) == {4}


def test_a_variant_can_be_calibrated_without_a_group_and_the_others_are_not(table, skewed, tmp_path):
    plain = {"name": "int8", "method": "int8"}
    also = {"compression": [plain, int8(without={"team": ["b"]})]}
    source = table(skewed, ["sex", "team"], also=also, calibration={"size": 100})
    dataset = source.load()
    sets = sets_of(source, tmp_path / "inputs", skewed)
    (own,) = sets.keys() - {None}
    assert dataset.calibrations == {name_of_set(source._spec.compression[1], source._spec): own}
    assert teams(skewed, sets[None])["b"] > 0
    assert teams(skewed, sets[own]) == {"a": 94, "c": 6}
    assert len(set(sets[None]) & set(sets[own])) > 90  # no other difference than has to be


def test_what_a_variant_does_not_declare_is_as_the_audit_declares_it(table, skewed, tmp_path):
    also = {"compression": [int8(size=8)]}
    source = table(skewed, ["sex", "team"], also=also, calibration={"size": 30, "select": "stratified", "by": ["team"]})
    sets = sets_of(source, tmp_path / "inputs", skewed)
    (own,) = sets.keys() - {None}
    assert sorted(teams(skewed, sets[own]).values()) == [2, 3, 3]


def test_a_set_that_is_declared_again_is_the_common_one(table, skewed):
    assert table(skewed, also={"compression": [int8(size=20)]}, calibration={"size": 20}).load().calibrations == {}


def test_other_groups_of_an_attribute_make_other_sets(table, skewed):
    also = {"compression": [int8(without={"team": ["first"]}, size=5)]}
    loaded = [
        table(skewed, ["sex", {"name": "team", "groups": groups}], also=also).load()
        for groups in (TEAMS["groups"], {"first": ["a", "c"], "second": ["b"]})
    ]
    names = [list(one.calibrations) for one in loaded]
    assert names[0] == names[1]
    assert loaded[0].calibrations != loaded[1].calibrations
    assert loaded[0].digest == loaded[1].digest


def test_a_group_that_nobody_is_in_is_an_error_with_the_nearest(table, people, complaint):
    text = complaint(table(people, also={"compression": [int8(without={"sex": ["female"]})]}).load)
    assert 'without: no example to calibrate on is in the group "female" of sex' in text
    assert 'Did you mean "Female"?' in text


def test_leaving_out_every_group_is_an_error(table, people, complaint):
    text = complaint(table(people, calibration={"without": {"sex": ["Female", "Male"]}}).load)
    assert "data.calibration: `without` leaves no example" in text


def test_a_small_set_of_a_variants_own_is_told_with_its_name(table, people):
    warnings = table(people, also={"compression": [int8(without={"sex": ["Female"]})]}).load().warnings
    assert any(one.startswith("The representative set of compression own holds") for one in warnings)
