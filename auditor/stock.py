"""An audit and its store: what a run would do, what is stored, and what nothing needs any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor import data, population
from auditor.population import inventory
from auditor.population.store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.declare import Declaration
    from auditor.population.inventory import Holding, Inventory, Pending
    from auditor.population.job import Variant
    from auditor.records import Dataset

WORKER = 700 << 20
"""Bytes that a worker process holds beside the data: TensorFlow, mostly (measured: 560 to 690 MiB)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run would do."""

    pending: tuple[Pending, ...]
    workers: int
    memory: int
    """Bytes, about: of all workers, and of the decisions that are measured together."""
    memory_is_known: bool
    """Whether each worker's is what others like it have held; else it is the least that one holds."""


def plan(declaration: Declaration) -> Plan:
    """Tell what would run, without running it. Reads the data and every model file that is named."""
    variants, dataset = _planned(declaration)
    spec = declaration.spec
    workers = population.count_workers(spec.run)
    pending = inventory.pending(store_of(declaration), variants)
    missing = [each for each in pending if each.stored < each.members]
    held = max((_held(each, variants) for each in missing), default=0)
    processes = min(workers, sum(each.members - each.stored for each in missing))
    decisions = sum(each.members for each in pending) * len(dataset.labels) * (2 + 4 * len(dataset.classes))
    return Plan(
        pending=pending,
        workers=workers,
        memory=processes * held + decisions,
        memory_is_known=all(each.memory for each in missing),
    )


def _held(pending: Pending, variants: Sequence[Variant]) -> int:
    """Bytes that a process holds which makes this: as others have, or TensorFlow's and twice those of a given file."""
    if pending.memory:
        return pending.memory
    files = [job.given for variant in variants if variant.name == pending.variant for job in variant.jobs if job.given]
    return WORKER + 2 * max((file.stat().st_size for file in files), default=0)


def take_inventory(declaration: Declaration) -> Inventory:
    """Count what an audit has in its store, and what else is there."""
    return inventory.take_inventory(store_of(declaration), *_planned(declaration))


def unneeded(declarations: Sequence[Declaration]) -> dict[Store, tuple[Holding, ...]]:
    """Give what none of these audits would read again, of each store that they name."""
    by_store: dict[Store, list[tuple[tuple[Variant, ...], Dataset]]] = {}
    for declaration in declarations:
        by_store.setdefault(store_of(declaration), []).append(_planned(declaration))
    return {store: inventory.unneeded(store, audits) for store, audits in by_store.items()}


def store_of(declaration: Declaration) -> Store:
    """Give an audit's store; audits that reach one store by different ways have the same."""
    return Store((declaration.base / declaration.spec.run.store).resolve())


def _planned(declaration: Declaration) -> tuple[tuple[Variant, ...], Dataset]:
    with declaration.naming_places():
        dataset = data.open_source(declaration.spec, declaration.base).load()
        return population.plan(declaration.spec, dataset, declaration.base), dataset
