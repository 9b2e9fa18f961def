"""What a store holds, whether it is whole, what nothing needs any more, and what an audit would still have to run."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from auditor.errors import Problem
from auditor.population.entry import DamagedError
from auditor.population.environment import inputs_definition
from auditor.population.store import DAMAGED
from auditor.provenance import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from auditor.population.job import Job, Variant
    from auditor.population.store import Store
    from auditor.records import Dataset

Kind = Literal["member", "stack", "inputs", "damaged"]
SHELF = re.compile(r"[0-9a-f]{2}")
NAME = re.compile(r"[0-9a-f]{64}(\.damaged-[0-9]+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One folder of a store."""

    folder: Path
    kind: Kind
    bytes: int

    @property
    def key(self) -> str:
        """Digest of what it is, as its folder is named."""
        return self.folder.name.partition(".")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What is stored of one variant."""

    variant: str
    members: int
    stored: int
    bytes: int
    """Of its members, and of the stacks that trained them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """A store, seen from one audit."""

    root: Path
    variants: tuple[Stored, ...]
    inputs: int
    """Bytes of the audit's materialised inputs; 0 where they are not stored."""
    others: Mapping[Kind, tuple[int, int]]
    """What this audit does not need, by kind: how many folders, and their bytes."""


def holdings(store: Store) -> tuple[Holding, ...]:
    """Give every folder of results and inputs, in order of their names; what this program has not made is left out."""
    shelves = [shelf for shelf in sorted(store.root.glob("jobs/*")) if SHELF.fullmatch(shelf.name)]
    return tuple(
        Holding(folder=folder, kind=_kind(folder), bytes=_size(folder))
        for shelf in (*shelves, store.root / "data")
        if not any(path.is_symlink() for path in (shelf, shelf.parent))
        for folder in sorted(shelf.glob("*"))
        if _is_own(folder, shelf)
    )


def _is_own(folder: Path, shelf: Path) -> bool:
    if not NAME.fullmatch(folder.name) or not folder.name.startswith("" if shelf.name == "data" else shelf.name):
        return False
    return folder.is_dir() and not folder.is_symlink()


def _kind(folder: Path) -> Kind:
    if DAMAGED in folder.name:
        return "damaged"
    if folder.parent.name == "data":
        return "inputs"
    return "stack" if any(folder.glob("weights-*")) else "member"


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())


def take_inventory(store: Store, variants: Sequence[Variant], dataset: Dataset) -> Inventory:
    """Count what an audit has in a store, and what else is there. Nothing is read but sizes."""
    held = {holding.key: holding for holding in holdings(store) if holding.kind != "damaged"}
    own = {job.key for variant in variants for job in (*variant.jobs, *variant.stacks)} | {inputs_key(dataset)}
    others = [holding for holding in holdings(store) if holding.kind == "damaged" or holding.key not in own]
    count = Counter(holding.kind for holding in others)
    size = Counter[Kind]()
    for holding in others:
        size[holding.kind] += holding.bytes
    return Inventory(
        root=store.root,
        variants=tuple(_of_variant(variant, held) for variant in variants),
        inputs=held[inputs_key(dataset)].bytes if inputs_key(dataset) in held else 0,
        others={kind: (count[kind], size[kind]) for kind in count},
    )


def _of_variant(variant: Variant, held: Mapping[str, Holding]) -> Stored:
    keys = [job.key for job in (*variant.jobs, *variant.stacks) if job.key in held]
    return Stored(
        variant=variant.name,
        members=len(variant.jobs),
        stored=sum(job.key in held for job in variant.jobs),
        bytes=sum(held[key].bytes for key in keys),
    )


def inputs_key(dataset: Dataset) -> str:
    """Give the key of a data set's materialised inputs."""
    return digest_of(inputs_definition(dataset))


# -------------------------------------------------------------------------------------------------------------- verify


def verify(store: Store) -> Iterator[tuple[Holding, str]]:
    """Read every entry, every byte of it, and say what is wrong with it; empty where nothing is."""
    for holding in holdings(store):
        if holding.kind == "damaged":
            continue
        try:
            store.verify(holding.folder, key=holding.folder.name, of_job=holding.kind != "inputs")
        except DamagedError as error:
            yield holding, str(error)
        else:
            yield holding, ""


# ------------------------------------------------------------------------------------------------------------------ gc


def unneeded(store: Store, audits: Iterable[tuple[Sequence[Variant], Dataset]]) -> tuple[Holding, ...]:
    """Give what no audit of these would read again.

    That is what belongs to none of them, what was set aside as damaged, and the weights of stacks whose members are all
    stored: those are needed again only where a member is lost, and are then made again.
    """
    held = holdings(store)
    present = {holding.key for holding in held if holding.kind != "damaged"}
    kept: set[str] = set()
    for variants, dataset in audits:
        kept.add(inputs_key(dataset))
        for variant in variants:
            kept |= {job.key for job in variant.jobs}
            kept |= {job.parent for job in variant.jobs if job.parent is not None and job.key not in present}
    return tuple(holding for holding in held if holding.kind == "damaged" or holding.key not in kept)


def remove(store: Store, found: Iterable[Holding]) -> tuple[tuple[Holding, ...], tuple[Problem, ...]]:
    """Remove folders of a store: give those that are gone, and why others are not.

    Raises IncompleteError where an audit runs on the store.
    """
    gone, problems = [], []
    with store.alone():
        for holding in found:
            try:
                store.discard(holding.folder)
            except OSError as error:
                message = f"cannot be removed: {error.strerror or error}"
                problems.append(Problem(file=str(holding.folder), message=message, advice="Remove it by hand."))
            else:
                gone.append(holding)
    return tuple(gone), tuple(problems)


# ---------------------------------------------------------------------------------------------------------------- plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """What a run would do for one variant."""

    variant: str
    method: str
    members: int
    stored: int
    together: int
    """Members a stack; 0 where each is trained by itself, or nothing is trained."""
    seconds: float | None
    """Of all that is missing, one after another, going by what is stored of the same kind; None where nothing is."""
    bytes: int | None
    """That the missing results will take, going by the same."""
    memory: int | None
    """Bytes that a process held at most that made results of these kinds; None where some are not known."""


def pending(store: Store, variants: Sequence[Variant]) -> tuple[Pending, ...]:
    """Tell what a run would do, and about how long it would take."""
    known = _known(store)
    return tuple(_pending(store, variant, known) for variant in variants)


_Cost = tuple[float, int, int]
"""Seconds, bytes of the result, and bytes of memory."""
_Costs = dict[str, list[_Cost]]


def _known(store: Store) -> _Costs:
    """Give the costs of what is stored, by kind of job."""
    costs: _Costs = {}
    for holding in holdings(store):
        if holding.kind in {"damaged", "inputs"}:
            continue
        try:
            facts = store.facts(holding.folder, of_job=True)
            kind = _sort(facts["definition"])
        except (DamagedError, KeyError, TypeError, AttributeError):
            continue  # damaged, or made by another hand
        if facts["failure"] is None:
            costs.setdefault(kind, []).append((facts["seconds"], holding.bytes, facts.get("memory", 0)))
    return costs


def _sort(definition: Mapping[str, Any]) -> str:
    """Name the kind of a job: jobs of one kind take about as long."""
    trainings = [definition["training"], *(step.get("training") for step in definition["steps"])]
    recipe = [step["method"] for step in definition["steps"]]
    start = {key: definition["start"].get(key) for key in ("architecture", "options")}
    size = [*((own["epochs"], own["examples"]) for own in trainings if own), len(definition.get("seeds", ()))]
    return digest_of([definition["data"], recipe, start, "place" in definition["start"], size])


def _pending(store: Store, variant: Variant, known: _Costs) -> Pending:
    missing = [job for job in variant.jobs if not store.job_folder(job.key).is_dir()]
    wanted = {job.parent for job in missing}
    stacks = [stack for stack in variant.stacks if stack.key in wanted and not store.job_folder(stack.key).is_dir()]
    costs = [_cost(job, known) for job in (*stacks, *missing)]
    whole = [cost for cost in costs if cost is not None]
    return Pending(
        variant=variant.name,
        method=variant.method,
        members=len(variant.jobs),
        stored=len(variant.jobs) - len(missing),
        together=max((len(stack.seeds) for stack in variant.stacks), default=0),
        seconds=sum(seconds for seconds, _, _ in whole) if len(whole) == len(costs) else None,
        bytes=sum(size for _, size, _ in whole) if len(whole) == len(costs) else None,
        memory=max((held for _, _, held in whole), default=0) if len(whole) == len(costs) else None,
    )


def _cost(job: Job, known: _Costs) -> _Cost | None:
    found = known.get(_sort(job.definition))
    if not found:
        return None
    seconds, sizes, memories = zip(*found, strict=True)
    return sum(seconds) / len(found), round(sum(sizes) / len(found)), max(memories)
