"""What a store holds, seen from an audit: counted, checked, and cleared of what nothing needs."""

from __future__ import annotations

import pytest
from tiny import PRUNED, dataset, spec

from auditor.population.inventory import holdings, inputs_key, pending, remove, take_inventory, unneeded, verify
from auditor.population.plan import inputs_definition, plan
from auditor.population.store import Store

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
    return {"failure": None, "measured": MEASURED, "seconds": 3.0}


def together(folder):
    (folder / "weights-000.bin").write_bytes(b"weights")
    return {"failure": None, "diverged": {}, "seconds": 10.0}


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
    first.rename(first.with_name("0" * 64))
    said = {holding.folder.name: said for holding, said in verify(store)}
    assert said[stack.name] == "weights-000.bin has changed since it was written"
    assert said["0" * 64] == "it belongs to another job than its name says"
    assert said[second.name] == ""
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
    remove(found)
    assert not damaged.exists()
    assert {h.key for h in holdings(store)} == (keys(baseline) | {pruned.stacks[0].key, pruned.jobs[0].key}) - {
        baseline.stacks[0].key
    } | {inputs_key(dataset())}


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
