"""Whether the rows of a well-formed result.json fit together: whatever is named is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.errors import Problem, did_you_mean
from auditor.records import BASELINE, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.records import GroupKey
    from auditor.report.row import Label
    from auditor.report.schema import GateRow, ResultFile

Named = dict[str, str]


def misfits(file: ResultFile) -> Iterator[Problem]:
    """Find what the file names and does not hold: variants, classes, groups, gates and numbers."""
    variants = [variant.name for variant in file.variants]
    if not variants or variants[0] != BASELINE or len(set(variants)) != len(variants):
        yield Problem(where="variants", message=f"the first must be {BASELINE}, and no two may have one name")
    for number, row in enumerate(file.data.groups):
        if len(row.by_class) != len(file.data.classes):
            message = f"counts {len(row.by_class)} classes, and there are {len(file.data.classes)}"
            yield Problem(where=f"data.groups[{number}].by_class", message=message)
    known = _Known(file)
    for number, estimate in enumerate(file.estimates):
        if estimate.variant not in variants:
            message, advice = f"there is no {estimate.variant[:80]!r}", did_you_mean(estimate.variant[:80], variants)
            yield Problem(where=f"estimates[{number}].variant", message=message, advice=advice)
        yield from known.strangers(f"estimates[{number}]", estimate.class_, estimate.group, estimate.against)
    for number, gate in enumerate(file.gates):
        yield from _of_gate(f"gates[{number}]", gate, variants[1:], known)
    names = {gate.name for gate in file.gates}
    for number, finding in enumerate(file.findings):
        if finding.gate not in names:
            yield Problem(where=f"findings[{number}].gate", message=f"there is no gate {finding.gate[:80]!r}")


class _Known:
    """What a file holds, to be looked up."""

    def __init__(self, file: ResultFile) -> None:
        self.classes = {repr(label) for label in file.data.classes}
        self.groups = {_key(row.group) for row in file.data.groups}

    def strangers(self, where: str, label: Label | None, *groups: Named | None) -> Iterator[Problem]:
        """Name a class and groups that the data do not have."""
        if label is not None and repr(label) not in self.classes:
            yield Problem(where=f"{where}.class", message=f"{repr(label)[:80]} is no class of the data")
        for group in groups:
            if group is not None and _key(group) not in self.groups:
                name = written(_key(group))[:80]
                yield Problem(where=f"{where}.group", message=f"{name!r} is no group of the data")


def _of_gate(where: str, gate: GateRow, variants: list[str], known: _Known) -> Iterator[Problem]:
    for variant in gate.variants:
        if variant not in variants:
            message, advice = f"there is no {variant[:80]!r}", did_you_mean(variant[:80], variants)
            yield Problem(where=f"{where}.variants", message=message, advice=advice)
    for number, target in enumerate(gate.targets):
        yield from known.strangers(f"{where}.targets[{number}]", target.class_, target.group, target.against)


def _key(group: Named) -> GroupKey:
    return tuple(group.items())
