from __future__ import annotations

import errno
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from tiny import UNCONFINED

from auditor.compress.summaries import EVENTS
from auditor.errors import IncompleteError
from auditor.population.entry import DamagedError, sealed_bytes
from auditor.population.store import Store

DEFINITION = {"what": "a job", "seed": 1}
MEASURED = {
    "bytes": 5, "bytes_gzipped": 9, "parameters": 4, "nonzero_parameters": 2, "sparsity": 0.5, "latency_ms": 0.1,
    "small_layers": ["dense_2"],
}  # fmt: skip


def fill(folder):
    np.save(folder / "decisions.npy", np.arange(5, dtype=np.int16))
    (folder / "model.keras").write_bytes(b"model")
    return {"failure": None, "measured": MEASURED, "seconds": 1.5, "sandbox": UNCONFINED}


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


@pytest.fixture
def folder(store):
    place = store.job_folder("ab12")
    store.publish(place, DEFINITION, fill, replace=False)
    return place


def test_what_was_published_is_read_back(store, folder):
    entry = store.entry("ab12", DEFINITION)
    assert entry.decisions().tolist() == [0, 1, 2, 3, 4]
    assert (entry.measured, entry.seconds, entry.failure) == (MEASURED, 1.5, None)
    assert entry.model.read_bytes() == b"model"
    assert entry.probabilities() is None
    assert len(entry.digest) == 64
    assert not list((store.root / ".scratch").iterdir())


def test_nothing_stored_is_none(store):
    assert store.entry("ab12", DEFINITION) is None


def test_any_changed_byte_is_found(store, folder):
    rng = np.random.default_rng(0)
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        for place in rng.choice(len(whole), min(len(whole), 250), replace=False):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << int(rng.integers(8))
            path.write_bytes(damaged)
            with pytest.raises(DamagedError):
                store.entry("ab12", DEFINITION)
        path.write_bytes(whole)
    assert store.entry("ab12", DEFINITION) is not None


def test_a_missing_or_additional_file_is_damage(store, folder):
    (folder / "more.npy").write_bytes(b"")
    with pytest.raises(DamagedError, match=r"more\.npy"):
        store.entry("ab12", DEFINITION)
    (folder / "more.npy").unlink()
    (folder / "entry.json").unlink()
    with pytest.raises(DamagedError, match=r"entry\.json is missing"):
        store.entry("ab12", DEFINITION)


def test_an_entry_of_another_job_is_refused(store, folder):
    with pytest.raises(IncompleteError, match="belongs to another job"):
        store.entry("ab12", {**DEFINITION, "seed": 2})


def test_a_damaged_folder_is_kept_under_a_new_number(store, folder):
    assert store.set_aside(folder).name == "ab12.damaged-1"
    store.publish(folder, DEFINITION, fill, replace=False)
    assert store.set_aside(folder).name == "ab12.damaged-2"


def test_the_first_of_two_equal_results_stays_unless_replaced(store, folder):
    def other(scratch):
        return {**fill(scratch), "seconds": 9.0}

    store.publish(folder, DEFINITION, other, replace=False)
    assert store.entry("ab12", DEFINITION).seconds == 1.5
    store.publish(folder, DEFINITION, other, replace=True)
    assert store.entry("ab12", DEFINITION).seconds == 9.0
    assert not list((store.root / ".scratch").iterdir())


def test_a_full_disk_leaves_nothing_half_written_and_is_said(store):
    def full(scratch):
        (scratch / "half.npy").write_bytes(b"x")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(IncompleteError, match="the disk is full") as caught:
        store.publish(store.job_folder("ab12"), DEFINITION, full, replace=False)
    assert str(store.root) in str(caught.value)
    assert not list((store.root / ".scratch").iterdir())
    assert not store.job_folder("ab12").exists()


def test_leftovers_of_processes_that_are_gone_are_swept_and_no_others(store):
    script = f"""
import os, pathlib
from auditor.population.store import Store
def die(folder):
    (folder / "half").write_bytes(b"x")
    os._exit(9)
Store(pathlib.Path({str(store.root)!r})).publish(pathlib.Path("/nowhere"), {{}}, die, replace=False)
"""
    subprocess.run([sys.executable, "-c", script], check=False)
    assert len(list((store.root / ".scratch").iterdir())) == 1
    seen = []

    def sweeping(folder):
        Store(store.root).sweep()
        seen.extend((store.root / ".scratch").iterdir())
        return fill(folder)

    store.publish(store.job_folder("ab12"), DEFINITION, sweeping, replace=False)
    assert len(seen) == 1
    assert store.entry("ab12", DEFINITION) is not None


def test_an_unreadable_file_of_the_data_is_not_blamed_on_the_store(store, tmp_path):
    with pytest.raises(FileNotFoundError):
        store.publish(store.job_folder("ab12"), DEFINITION, lambda _: (tmp_path / "gone").read_bytes(), replace=False)


def test_the_entry_is_plain_json(folder):
    facts = json.loads((folder / "entry.json").read_text())["facts"]
    assert facts["definition"] == DEFINITION
    assert set(facts["files"]) == {"decisions.npy", "model.keras"}


def test_a_sweep_removes_nothing_that_is_not_this_programs(store, tmp_path):
    mine = store.root / ".scratch" / "experiments"
    mine.mkdir(parents=True)
    (store.root / ".scratch" / ("a" * 32)).symlink_to(tmp_path)
    store.sweep()
    assert mine.exists()
    assert tmp_path.exists()


def test_a_scratch_folder_that_leads_elsewhere_is_refused(store, tmp_path):
    victim = tmp_path / "victim"
    (victim / ("b" * 32)).mkdir(parents=True)
    store.root.mkdir(exist_ok=True)
    (store.root / ".scratch").symlink_to(victim)
    with pytest.raises(IncompleteError, match="is a link"):
        store.sweep()
    assert (victim / ("b" * 32)).exists()


def test_a_model_is_read_with_its_checksum(store):
    def with_model(folder):
        (folder / "model.keras").write_bytes(b"weights")
        return {"failure": None, "measured": MEASURED, "seconds": 0.0, "sandbox": UNCONFINED}

    store.publish(store.job_folder("ab12"), DEFINITION, with_model, replace=False)
    assert store.model("ab12") == (b"weights", ".keras")
    (store.job_folder("ab12") / "model.keras").write_bytes(b"others!")
    with pytest.raises(DamagedError, match=r"model\.keras has changed"):
        store.model("ab12")


def sealed(store, more=None, **facts):
    """Put an entry in place that is whole, with other facts or files than a member's."""

    def odd(folder):
        told = {**fill(folder), **facts}
        for name, content in (more or {}).items():
            (folder / name).unlink(missing_ok=True)
            if content is not None:
                np.save(folder / name, content, allow_pickle=False)
        return {key: value for key, value in told.items() if value != "left out"}

    store.publish(store.job_folder("ab12"), DEFINITION, odd, replace=True)
    return store


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"failure": "left out"}, "failure: Field required"),
        ({"measured": "left out"}, "measured: Field required"),
        ({"seconds": "left out"}, "seconds: Field required"),
        ({"seconds": "soon"}, "seconds: "),
        ({"failure": 7}, "failure: "),
        ({"sandbox": "left out"}, "sandbox: Field required"),
        ({"sandbox": {**UNCONFINED, "level": "total"}}, "sandbox.level: "),
        ({"failure": "out of ideas", "measured": None}, "measured: "),
        ({"measured": {**MEASURED, "bytes": [5]}}, "measured.bytes: "),
        ({"measured": {key: value for key, value in MEASURED.items() if key != "sparsity"}}, "measured.sparsity: "),
    ],
)
def test_facts_of_another_shape_are_damage(store, facts, said):
    with pytest.raises(DamagedError, match=said):
        sealed(store, **facts).entry("ab12", DEFINITION)


@pytest.mark.parametrize("facts", [[], "text", {"files": {}}, {"definition": DEFINITION, "files": ["decisions.npy"]}])
def test_an_entry_that_is_sealed_and_no_entry_is_damage(store, folder, facts):
    (folder / "entry.json").write_bytes(sealed_bytes(facts))
    for read in (lambda: store.entry("ab12", DEFINITION), lambda: store.model("ab12")):
        with pytest.raises(DamagedError, match=r"entry\.json"):
            read()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"decisions.npy": np.zeros(4, np.int16)}, r"decisions\.npy holds int16 \[4\], not int16 \[5\]"),
        ({"decisions.npy": np.zeros(5, np.int64)}, "holds int64"),
        ({"decisions.npy": np.zeros((5, 1), np.int16)}, r"holds int16 \[5, 1\]"),
        ({"decisions.npy": np.full(5, 9, np.int16)}, "holds 9 to 9"),
        ({"decisions.npy": np.full(5, -1, np.int16)}, "holds -1 to -1"),
        ({"decisions.npy": None}, r"decisions\.npy cannot be read"),
        ({"probabilities.npy": np.zeros((5, 3), np.float32)}, r"probabilities\.npy holds float32 \[5, 3\]"),
        ({"probabilities.npy": np.full((5, 9), np.nan, np.float32)}, "no finite number"),
        ({"model.keras": None}, "no model file"),
    ],
)
def test_arrays_of_another_shape_are_damage(store, more, said):
    entry = sealed(store, more).entry("ab12", DEFINITION)
    with pytest.raises(DamagedError, match=said):
        entry.check(examples=5, classes=9)


def test_an_array_whose_header_declares_more_than_it_holds_is_damage_and_takes_no_memory(store):
    def boast(folder):
        told = fill(folder)
        content = (folder / "decisions.npy").read_bytes()
        (folder / "decisions.npy").write_bytes(content.replace(b"(5,), }       ", b"(5000000000,)}"))
        return told

    store.publish(store.job_folder("ab12"), DEFINITION, boast, replace=False)
    with pytest.raises(DamagedError, match=r"decisions\.npy cannot be read"):
        store.entry("ab12", DEFINITION).check(examples=5_000_000_000, classes=9)


@pytest.mark.parametrize(
    ("content", "size", "said"),
    [
        (b"", (64 << 20) + 1, r"67,108,865 bytes are more than it may have \(67,108,864\)"),
        (b"hostile", 4096, "record 1: it is damaged"),
        (b"hostile", 7, "record 1: the file ends in it"),
    ],
)
def test_events_that_are_too_large_or_no_records_are_damage(store, content, size, said):
    def watched(folder):
        with (folder / EVENTS).open("wb") as file:
            file.write(content)
            file.truncate(size)
        return fill(folder)

    store.publish(store.job_folder("ab12"), DEFINITION, watched, replace=False)
    with pytest.raises(DamagedError, match=f"{EVENTS}: .*{said}"):
        store.entry("ab12", DEFINITION).check(examples=5, classes=9)


def test_a_member_that_failed_needs_no_decisions(store):
    entry = sealed(store, {"decisions.npy": None, "model.keras": None}, failure="out of ideas", measured={}).entry(
        "ab12", DEFINITION
    )
    entry.check(examples=5, classes=9)
    assert entry.failure == "out of ideas"


def test_a_model_that_is_not_there_is_damage(store):
    with pytest.raises(DamagedError, match="no model file"):
        sealed(store, {"model.keras": None}).model("ab12")
