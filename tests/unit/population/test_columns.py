from __future__ import annotations

import numpy as np
import pytest
from tiny import dataset, spec

from auditor import population
from auditor.data import Given
from auditor.errors import DataError
from auditor.population import together
from auditor.progress import Silent

TABLE = {f"{kind}_{k}": np.full(4, k + 10 * place) for place, kind in enumerate(("base", "int8")) for k in (2, 1, 10)}


class Columns:
    def __init__(self, **more):
        self.table = TABLE | more

    def members(self, pattern):
        names = [name for name in self.table if name.startswith(pattern.rstrip("*"))]
        decisions = np.stack([self.table[name] for name in names])
        stars = tuple(name.removeprefix(pattern.rstrip("*")) for name in names)
        return Given(members=stars, decisions=decisions, probabilities=None)


def run(*compressions, source=None, baseline="base_*"):
    declared = spec(*compressions, model={"predictions": baseline})
    return population.run(declared, source or Columns(), dataset(), base=None, store_folder=None, progress=Silent())


def test_populations_are_the_columns_of_the_table():
    baseline, int8 = run({"name": "int8", "predictions": "int8_*"})
    assert (baseline.name, baseline.claim, baseline.asked, baseline.paired) == ("baseline", "recipe", 3, False)
    assert (int8.claim, int8.paired, int8.fixed_baseline) == ("recipe", False, False)
    assert int8.predictions.decisions[:, 0].tolist() == [12, 11, 20]
    assert len(set(int8.predictions.digests)) == 3


def test_equal_columns_have_equal_digests_and_all_are_kept():
    _, twice = run({"name": "twice", "predictions": "same_*"}, source=Columns(same_a=np.zeros(4), same_b=np.zeros(4)))
    assert twice.predictions.digests[0] == twice.predictions.digests[1]
    assert len(twice.predictions.members) == 2


def test_paired_columns_are_matched_by_what_the_star_stands_for():
    shuffled = {f"q_{k}": np.full(4, k) for k in (10, 2, 1)}
    baseline, paired = run({"name": "q", "predictions": "q_*", "paired": True}, source=Columns(**shuffled))
    assert paired.paired
    assert paired.predictions.decisions[:, 0].tolist() == baseline.predictions.decisions[:, 0].tolist() == [2, 1, 10]


def test_columns_without_a_partner_are_named():
    with pytest.raises(DataError, match="'3'"):
        run({"name": "q", "predictions": "q_*", "paired": True}, source=Columns(q_1=np.zeros(4), q_3=np.zeros(4)))


def test_one_column_against_one_is_an_artifact_and_many_against_one_leave_the_baseline_fixed():
    baseline, one, many = run(
        {"name": "one", "predictions": "int8_1"}, {"name": "many", "predictions": "base_*"}, baseline="base_2"
    )
    assert (baseline.claim, one.claim) == ("artifact", "recipe")
    assert many.fixed_baseline


def test_what_only_some_members_measured_is_left_out_of_the_means():
    measured = [{"bytes": 5, "rank": 3, "layers": ["a"]}, {"bytes": 7, "rank": "three", "layers": ["b"]}]
    assert together.alike(measured) == ({"bytes": 5, "layers": ["a"]}, {"bytes": 7, "layers": ["b"]})
    assert together.alike([]) == ()
