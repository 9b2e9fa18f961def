"""What is no fault of a member is never stored as one."""

from __future__ import annotations

import errno

import numpy as np
import pytest
import tiny
from tiny import PRUNED, spec

from auditor.errors import IncompleteError, ModelError, Problem
from auditor.population.job import Site
from auditor.population.member import run_job
from auditor.population.plan import plan
from auditor.population.store import Store


def test_inputs_that_are_gone_are_told_and_fail_no_member(tmp_path):
    store = Store(tmp_path / "store")
    job = plan(spec(PRUNED), tiny.dataset(), tmp_path)[0].jobs[0]
    site = Site(store=store, inputs=store.inputs_folder("0" * 64), base=tmp_path, force=False)
    with pytest.raises(IncompleteError, match=r"(?s)train_x\.npy: .*cannot be read: No such file.*Run again"):
        run_job(job, site)
    assert not store.job_folder(job.key).exists()


def test_a_full_disk_fails_no_member(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("auditor.population.member.read_inputs", full)
    store = Store(tmp_path / "store")
    job = plan(spec(PRUNED), tiny.dataset(), tmp_path)[0].jobs[0]
    with pytest.raises(IncompleteError, match="the disk is full"):
        run_job(job, Site(store=store, inputs=tmp_path, base=tmp_path, force=False))
    assert not store.job_folder(job.key).exists()


@pytest.fixture(scope="module")
def heads(tmp_path_factory):
    """A folder with a two-headed model and one of a single head; the head "smile" says the same in both."""
    from auditor.models.load import keras_bytes
    from auditor.tf import load, seed

    keras, folder = load().tf_keras, tmp_path_factory.mktemp("heads")
    seed(1)
    entry = keras.Input((tiny.FEATURES,))
    smile = keras.layers.Dense(2, activation="softmax", name="smile")(entry)
    other = keras.layers.Dense(3, activation="softmax", name="other")(entry)
    (folder / "two.keras").write_bytes(keras_bytes(keras.Model(entry, [other, smile])))
    (folder / "one.keras").write_bytes(keras_bytes(keras.Model(entry, smile)))
    return folder


def decided(declared, folder, where):
    """What every variant's first member decides, by name."""
    store = Store(where / "store")
    inputs = store.inputs_folder("0" * 64)
    inputs.mkdir(parents=True)
    tiny.Source().materialise(inputs)
    site, found = Site(store=store, inputs=inputs, base=folder, force=False), {}
    for variant in plan(declared, tiny.dataset(), folder):
        run_job(variant.jobs[0], site)
        entry = store.entry(variant.jobs[0].key, variant.jobs[0].definition)
        assert entry.failure is None, entry.failure
        found[variant.name] = entry.probabilities()
    return found


def test_the_named_output_is_audited_and_what_is_compressed_of_it_has_no_other(heads, tmp_path):
    shipped = {"name": "shipped", "artifact": "one.keras"}
    declared = spec({"name": "f16", "method": "float16"}, shipped, model={"path": "two.keras", "output": "smile"})
    found = decided(declared, heads, tmp_path)
    np.testing.assert_array_equal(found["shipped"], found["baseline"])
    np.testing.assert_allclose(found["f16"], found["baseline"], atol=1e-3)


def test_a_file_that_compression_made_and_nothing_can_open_fails_its_member_alone(heads, tmp_path, monkeypatch):
    from auditor.models.load import open_model

    def refusing(content, ending, *rest, **further):
        if ending == ".tflite":
            raise ModelError(Problem(message="node 1 failed to prepare"))
        return open_model(content, ending, *rest, **further)

    monkeypatch.setattr("auditor.population.member.open_model", refusing)
    with pytest.raises(AssertionError, match="the file that was made cannot be used: node 1 failed to prepare"):
        decided(spec({"name": "f16", "method": "float16"}, model={"path": "one.keras"}), heads, tmp_path)


def test_a_file_reads_the_same_inputs_by_its_own_arithmetic(heads, tmp_path):
    from auditor.models.load import open_model

    own = {"scale": 0.5, "offset": 0.25, "mean": [0.1] * tiny.FEATURES, "std": [2.0]}
    shipped = {"name": "shipped", "artifact": "one.keras", "preprocess": own}
    same = {"name": "same", "artifact": "one.keras", "preprocess": {"scale": 1.0}}
    found = decided(spec(shipped, same, model={"path": "one.keras"}), heads, tmp_path)
    np.testing.assert_array_equal(found["same"], found["baseline"])
    model = open_model((heads / "one.keras").read_bytes(), ".keras", "one")
    expected = model.score((tiny.inputs().test_x / 0.5 + 0.25 - np.float32(0.1)) / 2)
    np.testing.assert_allclose(found["shipped"], expected, atol=1e-6)
    assert not np.allclose(found["shipped"], found["baseline"], atol=0.01)


def test_a_mean_of_other_channels_than_the_inputs_is_refused(heads, tmp_path):
    wrong = {"name": "wrong", "artifact": "one.keras", "preprocess": {"scale": 1.0, "mean": [0.1, 0.2]}}
    with pytest.raises(ModelError, match=r"one\.keras: preprocess\.mean: 2 numbers, and the last axis .* has 12"):
        decided(spec(wrong, model={"path": "one.keras"}), heads, tmp_path)
