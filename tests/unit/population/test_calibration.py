"""What a representative set does that lacks a group: the effect, from audit.toml's keys to decisions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import tiny

from auditor import population
from auditor.data import open_source
from auditor.progress import Silent

TRAIN, ALL = 1000, 2000


@pytest.fixture
def people(tmp_path):
    """Two teams; of the rare one the model reads numbers that lie far beyond all of the others."""
    rng = np.random.default_rng(3)
    large = rng.random(ALL) < 0.05
    signal = rng.normal(size=ALL)
    frame = pd.DataFrame(
        {
            "small": np.where(large, 0, signal),
            "large": np.where(large, 10 + signal, 0),
            "team": np.where(large, "large", "small"),
            "split": ["train"] * TRAIN + ["test"] * (ALL - TRAIN),
            "label": np.where(signal > 0, "yes", "no"),
        }
    )
    frame.to_csv(tmp_path / "people.csv", index=False)
    return frame


def test_a_group_that_the_representative_set_lacks_loses_recall_and_the_other_does_not(people, tmp_path):
    int8 = {"method": "int8"}
    declared = tiny.spec(
        {"name": "with", **int8},
        {"name": "without", **int8, "calibration": {"without": {"team": ["large"]}}},
        data={"source": "table", "path": "people.csv", "label": "label", "positive": "yes"},
        attribute=["team"],
        training={"epochs": 30, "batch_size": 32, "learning_rate": 0.01, "stacked": False},
        population={"size": 1},
    )
    source = open_source(declared, tmp_path)
    dataset = source.load()
    found = population.run(
        declared, source, dataset, base=tmp_path, store_folder=tmp_path / "store", progress=Silent(), force=False
    )
    tested = people[TRAIN:]

    def recall(team):
        members = ((tested["team"] == team) & (tested["label"] == "yes")).to_numpy()
        yes = dataset.classes.index("yes")
        return {each.name: float(np.mean(each.predictions.decisions[0][members] == yes)) for each in found}

    large, small = recall("large"), recall("small")
    print(large, small)
    assert large["with"] > large["baseline"] - 0.1
    assert large["without"] < large["baseline"] - 0.3
    assert abs(small["without"] - small["baseline"]) < 0.1
