"""What a store holds, seen from an audit: counted, checked, and cleared of what nothing needs."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from tiny import PRUNED, UNCONFINED, dataset, spec

from auditor.errors import IncompleteError
from auditor.population.environment import inputs_definition
from auditor.population.inventory import holdings, inputs_key, pending, remove, take_inventory, unneeded, verify
from auditor.population.plan import plan
from auditor.population.store import Store
from auditor.provenance import digest_of
from auditor.stock import WORKER, _held, store_of

MEASURED = {
    "bytes": 5, "bytes_gzipped": 9, "parameters": 4, "nonzero_parameters": 2, "sparsity": 0.5, "latency_ms": 0.1
}  # fmt: skip
INT8 = {"name": "int8", "method": "int8"}


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def audit(tmp_path, *compressions, **tables):
    """The variants of an audit whose members are trained in stacks of two."""
    return plan(spec(*(compressions or (PRUNED, INT8)), **{"training": {}} | tables), dataset(), tmp_path)


def member(folder):
    (folder / "model.keras").write_bytes(b"model")
    return {"failure": None, "measured": MEASURED, "seconds": 3.0, "memory": 900 << 20, "sandbox": UNCONFINED}


def together(folder):
    (folder / "weights-000.bin").write_bytes(b"weights")
    return {"failure": None, "diverged": {}, "seconds": 10.0, "memory": 800 << 20, "sandbox": UNCONFINED}


def put(store, *jobs):
    for job in jobs:
        store.publish(
            store.job_folder(job.key), job.definition, together if job.is_stack else member, replace=False
        )  # fmt: skip


def put_inputs(store):
    definition = inputs_definition(dataset())
    store.publish(store.inputs_folder(inputs_key(dataset())), definition, lambda _: {}, replace=False)


def test_an_inventory_counts_what_an_audit_has_and_what_is_of_others(store, tmp_path):
    baseline, pruned, _int8 = variants = audit(tmp_path)
    other = audit(tmp_path, audit={"seed": 9})[0]
    put(store, *baseline.stacks, *baseline.jobs, pruned.stacks[0], pruned.jobs[0], *other.jobs, *other.stacks)
    put_inputs(store)
    found = take_inventory(store, variants, dataset())
    assert [(each.variant, each.members, each.stored) for each in found.variants] == [
        ("baseline", 2, 2), ("pruned", 2, 1), ("int8", 2, 0)
    ]  # fmt: skip
    assert found.variants[0].bytes == sum(h.bytes for h in holdings(store) if h.key in keys(baseline))
    assert found.inputs > 0
    assert {kind: count for kind, (count, _) in found.others.items()} == {"member": 2, "stack": 1}
    assert not take_inventory(Store(tmp_path / "none"), variants, dataset()).others


def keys(variant):
    return {job.key for job in (*variant.jobs, *variant.stacks)}


def test_verifying_reads_every_byte_and_names_what_is_damaged(store, tmp_path):
    baseline, *_ = audit(tmp_path)
    put(store, *baseline.jobs, *baseline.stacks)
    assert [said for _, said in verify(store)] == ["", "", ""]
    stack, first, second = (store.job_folder(job.key) for job in (*baseline.stacks, *baseline.jobs))
    (stack / "weights-000.bin").write_bytes(b"weightz")
    moved = first.with_name(first.name[:2] + "0" * 62)
    first.rename(moved)
    (second / "model.keras").unlink()
    (second / "model.keras").mkdir()
    said = {holding.folder.name: said for holding, said in verify(store)}
    assert said[stack.name] == "weights-000.bin has changed since it was written"
    assert said[moved.name] == "it belongs to another job than its name says"
    assert said[second.name] == "model.keras is no file any more"
    (second / "model.keras").rmdir()
    (second / "model.keras").symlink_to("/dev/zero")
    (stack / "entry.json").unlink()
    said = {holding.folder.name: said for holding, said in verify(store)}
    assert said[second.name] == "model.keras is no file any more"
    assert said[stack.name] == "entry.json is missing"
    store.set_aside(stack)
    assert stack.name not in {holding.folder.name for holding, _ in verify(store)}


def test_what_no_audit_needs_is_found_and_removed_and_nothing_else(store, tmp_path):
    baseline, pruned, _ = variants = audit(tmp_path)
    another = audit(tmp_path, audit={"seed": 9})
    put(store, *baseline.stacks, *baseline.jobs, pruned.stacks[0], pruned.jobs[0], *another[0].jobs)
    put_inputs(store)
    damaged = store.set_aside(store.job_folder(another[0].jobs[1].key))
    found = unneeded(store, [(variants, dataset())])
    # the pruned stack is needed for the member that is missing
    assert {holding.key for holding in found} == {
        baseline.stacks[0].key, another[0].jobs[0].key, another[0].jobs[1].key
    }  # fmt: skip
    assert {holding.kind for holding in found} == {"stack", "member", "damaged"}
    both = unneeded(store, [(variants, dataset()), (another, dataset())])
    assert another[0].jobs[0].key not in {holding.key for holding in both}
    with store.in_use(), pytest.raises(IncompleteError, match="an audit is running on this store"):
        remove(store, found)
    assert remove(store, found) == (found, ())
    assert remove(store, found) == (found, ()), "another has removed it"
    assert not list((store.root / ".scratch").iterdir())
    assert not damaged.exists()
    assert {h.key for h in holdings(store)} == (keys(baseline) | {pruned.stacks[0].key, pruned.jobs[0].key}) - {
        baseline.stacks[0].key
    } | {inputs_key(dataset())}


def test_what_this_program_has_not_made_is_never_removed(store, tmp_path):
    variants = audit(tmp_path)
    precious = tmp_path / "precious" / ("ab" + "0" * 62)
    precious.mkdir(parents=True)
    jobs = store.root / "jobs"
    jobs.mkdir(parents=True)
    (jobs / "ab").symlink_to(precious.parent)
    (jobs / "zz").mkdir()
    (jobs / "zz" / "photos").mkdir()
    (jobs / "cd").mkdir()
    (jobs / "cd" / precious.name).mkdir()
    (jobs / "ef").mkdir()
    (jobs / "ef" / ("ef" + "0" * 62)).symlink_to(precious)
    (store.root / "data" / "celeba").mkdir(parents=True)
    assert unneeded(store, [(variants, dataset())]) == ()
    other = Store(tmp_path / "other")
    other.root.mkdir()
    (other.root / "data").symlink_to(precious.parent)
    assert holdings(other) == ()


def test_a_plan_is_not_upset_by_an_entry_of_another_hand(store, tmp_path):
    folder = store.job_folder(digest_of({}))
    store.publish(folder, {}, member, replace=False)
    assert pending(store, audit(tmp_path))[0].seconds is None


def test_a_plan_goes_by_what_is_stored_of_the_same_kind(store, tmp_path):
    variants = audit(tmp_path)
    assert [each.seconds for each in pending(store, variants)] == [None, None, None]
    baseline, pruned, _int8 = variants
    put(store, *baseline.stacks, *baseline.jobs, *pruned.stacks, pruned.jobs[0])
    found = pending(store, variants)
    assert [(each.stored, each.together) for each in found] == [(2, 2), (1, 2), (0, 0)]
    assert [each.seconds for each in found] == [0, 3.0, None]
    # another seed: all of it again, a stack and two members
    other = audit(tmp_path, PRUNED, audit={"seed": 9})
    assert [each.seconds for each in pending(store, other)] == [16.0, 16.0]
    assert [each.memory for each in pending(store, other)] == [900 << 20, 900 << 20]


def test_where_nothing_like_it_has_run_a_process_holds_a_given_file_twice_at_least(tmp_path):
    (tmp_path / "given.keras").write_bytes(b"x" * 1000)
    job = SimpleNamespace(given=tmp_path / "given.keras")
    variants = [SimpleNamespace(name="baseline", jobs=(job, job))]
    unknown = SimpleNamespace(variant="baseline", memory=None)
    assert _held(unknown, variants) == WORKER + 2000
    assert _held(SimpleNamespace(variant="baseline", memory=5), variants) == 5


def test_audits_that_reach_one_store_by_different_ways_share_it(tmp_path):
    def declared(folder):
        spec_ = SimpleNamespace(run=SimpleNamespace(store="../store"))
        return store_of(SimpleNamespace(base=tmp_path / folder, spec=spec_))

    (tmp_path / "link").symlink_to(tmp_path / "store")
    linked = SimpleNamespace(base=tmp_path, spec=SimpleNamespace(run=SimpleNamespace(store="link")))
    assert declared("a") == declared("b") == store_of(linked) == Store(tmp_path / "store")
