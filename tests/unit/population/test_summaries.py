"""What pruning did while members trained, from the masks to the files that TensorBoard shows."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import tiny

from auditor.cli import files
from auditor.compress.summaries import EVENTS
from auditor.report import predictions_table

WATCHED = {"name": "watched", "method": "prune", "sparsity": 0.5, "schedule": "constant", "summaries": True}


@pytest.fixture(scope="module")
def populations(tmp_path_factory):
    # declared as a stack: what is watched is trained by itself
    return tiny.run(tiny.stacked(tiny.PRUNED, WATCHED, population={"size": 2}), tmp_path_factory.mktemp("watched"))


def read(content, folder):
    from auditor.tf import load

    path = folder / EVENTS
    path.write_bytes(content)
    events = list(load().tf.compat.v1.train.summary_iterator(str(path)))
    assert events[0].file_version == "brain.Event:2"
    return {event.step: {value.tag: value.simple_value for value in event.summary.value} for event in events[1:]}


def test_each_member_tells_each_layers_sparsity_and_threshold_after_each_epoch(populations, tmp_path):
    _, pruned, watched = populations
    assert (len(pruned.events), watched.stack) == (0, None)
    assert [*watched.events] == [0, 1]
    told = read(watched.events[0], tmp_path)
    assert [*told] == [10, 20, 30, 40]
    layers = ("dense", "dense_1", "dense_2")
    assert set(told[40]) == {f"{layer}/kernel/{what}" for layer in layers for what in ("sparsity", "threshold")}
    # masks change from a fifth of the 40 steps on
    assert [told[step]["dense/kernel/sparsity"] for step in told] == [0.5] * 4
    assert told[40]["dense/kernel/threshold"] > 0
    assert told[40]["dense/kernel/threshold"] != read(watched.events[1], tmp_path)[40]["dense/kernel/threshold"]


def test_the_files_are_among_the_outputs_by_variant_and_member(populations, monkeypatch):
    monkeypatch.setattr(predictions_table, "predictions_parquet", lambda *_: b"")
    made = files.decisions(SimpleNamespace(dataset=None, populations=populations))
    assert [name for name in made if name.startswith("tensorboard")] == [
        f"tensorboard/watched/member_{member}/events.out.tfevents.pruning" for member in (0, 1)
    ]


def test_the_files_hold_nothing_of_when_they_were_written(populations, tmp_path):
    again = tiny.run(tiny.stacked(tiny.PRUNED, WATCHED, population={"size": 2}), tmp_path)
    assert again[2].events == populations[2].events
