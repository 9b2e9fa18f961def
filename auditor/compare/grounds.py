"""What the verdicts of two audits rest on: gates, waivers, sizes, members, definition, versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from auditor.compare.changes import Change, Members

if TYPE_CHECKING:
    from collections.abc import Container, Hashable, Iterable, Iterator, Sequence

    from auditor.records import AuditResult, Gate, GroupKey, Waiver

K = TypeVar("K")
V = TypeVar("V")
TERMS = ("metric", "compare", "min", "max", "decide_on", "severity")
"""What a gate asks. Whom it asks it about shows in comparisons that are new or gone."""


def _terms(gate: Gate) -> dict[str, Any]:
    return {term: getattr(gate, term) for term in TERMS}


def gates_of(result: AuditResult, names: Mapping[str, str]) -> dict[str, Gate]:
    """Give gates by name; `names` are those of gates that have another name now."""
    return {names.get(gate.name, gate.name): gate for gate in result.gates}


def renamed(old: Sequence[Gate], new: Sequence[Gate]) -> dict[str, str]:
    """Give the new name of each gate that is gone, where one new gate alone asks the same of the same."""
    gone, come = (
        _by_question(gate for gate in side if gate.name not in {other.name for other in others})
        for side, others in ((old, new), (new, old))
    )
    pairs = [(gone[question], come[question]) for question in gone.keys() & come]
    return {before[0]: after[0] for before, after in sorted(pairs) if len(before) == len(after) == 1}


def _by_question(gates: Iterable[Gate]) -> dict[Hashable, list[str]]:
    """Give names of gates by all that decides what they judge, whichever way round an intersection was declared."""
    found: dict[Hashable, list[str]] = {}
    for gate in gates:
        targets = frozenset(
            (label, frozenset(group), other and frozenset(other)) for label, group, other in gate.targets
        )
        question = (*_terms(gate).values(), targets, frozenset(gate.variants))
        found.setdefault(question, []).append(gate.name)
    return found


def asked_otherwise(old: Mapping[str, Gate], new: Mapping[str, Gate], *, level: bool) -> frozenset[str]:
    """Name the gates of both audits that ask otherwise; all of them, where the `level` is another."""
    return frozenset(name for name in old.keys() & new if level or _terms(old[name]) != _terms(new[name]))


def changed_gates(old: Mapping[str, Gate], new: Mapping[str, Gate]) -> Iterator[Change]:
    """Give gates of one audit alone, and the terms that are others."""
    for name in dict.fromkeys((*new, *old)):
        if name not in old or name not in new:
            yield Change(name=name, old=old.get(name), new=new.get(name))
            continue
        for term, a, b in changed(_terms(old[name]), _terms(new[name])):
            yield Change(name=f"{name}: {term}", old=a, new=b)


def level_of(result: AuditResult) -> tuple[Any, ...]:
    """Give what all gates are judged by: the confidence, the smallest group, the members that must finish."""
    statistics = result.definition["statistics"]
    return statistics["confidence"], statistics["min_group"], result.definition["population"].get("minimum")


def waivers_of(result: AuditResult, names: Mapping[str, str]) -> dict[Hashable, Waiver]:
    """Give waivers by what they are about; neither the line of one nor the name of its gate is a change of it."""
    waivers = [replace(w, line=None, gate=names.get(w.gate, w.gate)) for w in result.waivers]
    return {(w.gate, w.variant, w.label, w.group): w for w in waivers}


def members_of(result: AuditResult) -> dict[str, Members]:
    """Count each variant's members."""
    return {v.name: Members(v.asked, v.finished, v.compared, v.collapsed) for v in result.variants}


def models_of(result: AuditResult) -> set[str]:
    """Give the digests of all models."""
    return {digest for digests in result.provenance.get("models", {}).values() for digest in digests}


def sizes_of(result: AuditResult) -> dict[GroupKey, int]:
    """Count each group's test examples."""
    return {group: sum(by_class) for group, by_class in result.data.groups}


def splits_of(result: AuditResult) -> dict[str, int]:
    """Count each split's examples."""
    return {split.split: split.examples for split in result.data.splits}


def changed(old: Mapping[K, V], new: Mapping[K, V]) -> Iterator[tuple[K, V | None, V | None]]:
    """Give what is not the same, or is on one side alone."""
    for key in dict.fromkeys((*new, *old)):
        if (key in old) != (key in new) or old[key] != new[key]:
            yield key, old.get(key), new.get(key)


def changed_keys(old: Mapping[str, Any], new: Mapping[str, Any], but: Container[str]) -> tuple[Change, ...]:
    """Give keys that are others, each with its path; those named by `but` are left out."""
    a, b = (
        dict(entry for key, value in side.items() if key not in but for entry in _flat(key, value))
        for side in (old, new)
    )
    return tuple(Change(name=name, old=one, new=other) for name, one, other in changed(a, b))


def _flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - JSON
    """Give each key with its path, such as "data.path"; the tables of a list by their names."""
    if isinstance(value, list) and value and all(isinstance(item, Mapping) and "name" in item for item in value):
        value = {str(item["name"]): item for item in value}
    if not isinstance(value, Mapping):
        yield path, value
        return
    for key, item in value.items():
        yield from _flat(f"{path}.{key}", item)
