"""From gates as declared to gates as judged: defaults filled in, classes, groups and variants by name."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from itertools import chain, count
from typing import TYPE_CHECKING, Any

from auditor.declare.sense import misfit
from auditor.errors import Problem, SpecError, did_you_mean
from auditor.measure.contrasts import RATIOS, VERSUS_BASELINE
from auditor.measure.rates import RATES
from auditor.records import EVERYBODY, Gate, Waiver, family_name, written
from auditor.spec import exported_name, names_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from auditor.declare import Declaration
    from auditor.records import Dataset, GateTarget, GroupKey, Label
    from auditor.spec import GateTable, WaiverTable

NOWHERE = {
    "gate": "of this audit",
    "variant": "that is compressed",
    "class": "of the data",
    "group": "of the test split",
}
"""Where the names of a waiver are looked up."""
SETTING = re.compile(r"gate\.(?P<gate>\d+)\.(?P<key>min|max)=(?P<value>[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?)")


def declared_gates(declaration: Declaration, dataset: Dataset) -> tuple[Gate, ...]:
    """Give the gates of a file, now that its data is known."""
    spec = declaration.spec
    names = [name for entry in spec.compression for name in names_of(entry)]
    lines = {place: declaration.lines.of(("gate", place)) for place in range(len(spec.gate))}
    return resolve_gates(spec.gate, dataset, names, lines, str(declaration.file))


def sign_doubts(gates: Sequence[Gate]) -> tuple[str, ...]:
    """Warnings about limits of changes that nothing unchanged keeps: mostly the sign is mistaken."""
    said = []
    for place, gate in enumerate(gates):
        for key, limit, asks, allows in (("min", gate.min, "rise", "fall"), ("max", gate.max, "fall", "rise")):
            if gate.compare in VERSUS_BASELINE and limit is not None and limit * (1 if key == "min" else -1) > 0:
                size = f"{abs(limit):g}" if gate.compare in RATIOS else f"{abs(limit) * 100:g} points"
                said.append(
                    f"gate[{place}] ({gate.name}): {key} = {limit:g} of a change demands that every group has a {asks} "
                    f"of {size}; a {allows} of at most {size} is {-limit:g}"
                )
    return tuple(said)


def resolve_gates(
    tables: Sequence[GateTable], dataset: Dataset, variants: Sequence[str], lines: Mapping[int, int | None], file: str
) -> tuple[Gate, ...]:
    """Fill in what a gate leaves open, now that classes and groups are known; all mistakes at once.

    `lines` maps the place of each gate in audit.toml to its line there.
    """
    gates, problems = [], []
    for place, table in enumerate(tables):
        try:
            gates.append(_resolve(table, dataset, variants, lines.get(place)))
        except ValueError as error:
            where = f"gate[{place}] {table.name or ''}".strip()
            problems.append(Problem(message=str(error), where=where, file=file, line=lines.get(place)))
    if problems:
        raise SpecError(*problems)
    return _distinct(gates)


def _resolve(table: GateTable, dataset: Dataset, variants: Sequence[str], line: int | None) -> Gate:
    targets = tuple(
        dict.fromkeys(target for over in _over(table, dataset) for target in _targets(table, over, dataset))
    )
    if not targets:
        raise ValueError("matches no group of the test split")
    return Gate(
        name=table.name or _derived_name(table, dataset),
        line=line,
        metric=table.metric,
        targets=targets,
        compare=table.compare,
        variants=tuple(variants) if table.variants == "*" else _chosen(as_list(table.variants), variants),
        min=table.min,
        max=table.max,
        decide_on=table.decide_on,
        severity=table.severity,
        why=table.why,
    )


def declared_waivers(declaration: Declaration, dataset: Dataset, gates: Sequence[Gate]) -> tuple[Waiver, ...]:
    """Give the waivers of a file, now that its data and its gates' names are known."""
    spec = declaration.spec
    variants = [name for entry in spec.compression for name in names_of(entry)]
    lines = {place: declaration.lines.of(("waiver", place)) for place in range(len(spec.waiver))}
    known: dict[str, dict[str, Any]] = {
        "gate": {gate.name: gate.name for gate in gates},
        "variant": {name: name for name in variants},
        "class": {str(label): label for label in dataset.classes},
        "group": {_spelt(written(group)): group for group in dataset.groups.names},
    }
    return resolve_waivers(spec.waiver, known, lines, str(declaration.file))


def resolve_waivers(
    tables: Sequence[WaiverTable], known: Mapping[str, Mapping[str, Any]], lines: Mapping[int, int | None], file: str
) -> tuple[Waiver, ...]:
    """Find what each waiver names; all mistakes at once.

    `known` holds for gate, variant, class and group what each name stands for; `lines` maps the place of each waiver in
    audit.toml to its line there.
    """
    waivers, problems = [], []
    for place, table in enumerate(tables):
        line, names = lines.get(place), _names_in(table)
        problems += [
            Problem(
                message=f"{name!r} is no {key} {NOWHERE[key]}",
                where=f"waiver[{place}].{key}",
                advice=did_you_mean(name, known[key]),
                file=file,
                line=line,
            )
            for key, name in names.items()
            if name not in known[key]
        ]
        waivers.append(_waiver(table, {key: known[key].get(name) for key, name in names.items()}, line))
    if problems:
        raise SpecError(*problems)
    return tuple(waivers)


def _names_in(table: WaiverTable) -> dict[str, str]:
    """Give what a waiver names, as it is looked up."""
    names = {"gate": table.gate, "variant": table.variant, "class": table.class_, "group": table.group}
    return {key: _spelt(name) if key == "group" else str(name) for key, name in names.items() if name is not None}


def _waiver(table: WaiverTable, found: Mapping[str, Any], line: int | None) -> Waiver:
    return Waiver(
        gate=found["gate"],
        line=line,
        variant=found.get("variant"),
        label=found.get("class"),
        group=found.get("group"),
        reason=table.reason.strip(),
        owner=table.owner.strip(),
        expires=table.expires.isoformat(),
    )


def _spelt(group: Any) -> str:  # noqa: ANN401 - a text, or attributes and the group of each
    """Write a group in one way, in whichever way and order it was written: "race = Black, sex = Female"."""
    text = group if isinstance(group, str) else ",".join(f"{attribute}={name}" for attribute, name in group.items())
    return ", ".join(sorted(re.sub(r"\s*=\s*", " = ", part.strip()) for part in text.split(",")))


def as_list(names: str | list[str]) -> list[str]:
    """Take one name for a list of one."""
    return [names] if isinstance(names, str) else names


def _chosen(named: Sequence[str], variants: Sequence[str]) -> tuple[str, ...]:
    """Give the variants of a gate that names some: an exported file is judged with the variant that it is of."""
    for name in named:
        if name not in variants:
            advice = did_you_mean(name, variants)
            raise ValueError(f"{name!r} is no variant: a list of values makes one of each. {advice}")
    files = {name: exported_name(name) for name in named}
    both = [part for name in named for part in (name, files[name]) if part == name or part in variants]
    return tuple(dict.fromkeys(both))


def _derived_name(table: GateTable, dataset: Dataset) -> str:
    """Name a gate by what it is about; its limits may change."""
    label = "" if table.of is None else f" of {'every class' if table.of == '*' else table.of}"
    every = "every attribute and intersection" if _families(dataset) else ", ".join(_over(table, dataset))
    over = every if table.over is None else ", ".join(every if name == "*" else name for name in as_list(table.over))
    variants = "" if table.variants == "*" else f", for {', '.join(as_list(table.variants))}"
    return f"{table.metric}{label}, {table.compare.replace('_', ' ')}, over {over}{variants}"


def _distinct(gates: Sequence[Gate]) -> tuple[Gate, ...]:
    """Number derived names that are the same."""
    taken: set[str] = set()
    made = []
    for gate in gates:
        names = (f"{gate.name} ({place})" for place in count(2))
        name = next(name for name in chain((gate.name,), names) if name not in taken)
        taken.add(name)
        made.append(replace(gate, name=name))
    return tuple(made)


def _over(table: GateTable, dataset: Dataset) -> list[str]:
    """Give attributes, intersections, "overall" and "class" as named, or all attributes and intersections.

    Where no attribute is declared, all are the classes; everybody, for a rate of all classes or of one.
    """
    by_class = RATES[table.metric].per_class and table.of in {None, "*"}
    families = _families(dataset) or ["class" if by_class else "overall"]
    if table.over is None:
        return families
    return [name for over in as_list(table.over) for name in (families if over == "*" else [over])]


def _families(dataset: Dataset) -> list[str]:
    """Give all attributes and intersections."""
    return list(dict.fromkeys(family_name(name) for name in dataset.groups.names if name != EVERYBODY))


def _targets(table: GateTable, over: str, dataset: Dataset) -> list[GateTarget]:
    per_class = RATES[table.metric].per_class
    if over == "class":
        if not per_class:
            raise ValueError(f'over = "class" needs a rate of a class; {table.metric} is not: use recall')
        if table.compare not in {"value", "change"}:
            raise ValueError(f'compare = "{table.compare}" compares groups: over = "class" is about everybody')
        return [(label, EVERYBODY, None) for label in dataset.classes]
    labels: Sequence[Label | None] = _labels(table, dataset) if per_class else (None,)
    return [(label, *place) for place in _places(table, over, dataset) for label in labels]


def _places(table: GateTable, over: str, dataset: Dataset) -> list[tuple[GroupKey, GroupKey | None]]:
    """Give each group with the one that it is compared with."""
    names = dataset.groups.names
    groups = [g for g, name in enumerate(names) if family_name(name) == over]
    if table.compare in {"value", "change"}:
        return [(names[g], None) for g in groups]
    if over == "overall":
        raise ValueError(f'compare = "{table.compare}" compares groups: over = "overall" has none')
    if table.compare.startswith("to_overall"):
        return [(names[g], None) for g in groups]
    return [(names[g], names[other]) for g in groups for other in dataset.groups.compared_with(g)]


def _labels(table: GateTable, dataset: Dataset) -> tuple[Label, ...]:
    positive = None if dataset.positive is None else dataset.classes[dataset.positive]
    if table.of == "positive" or (table.of is None and positive is not None):
        if positive is None:
            raise ValueError('of = "positive" needs data.positive')
        return (positive,)
    if table.of in {None, "*"}:
        return dataset.classes
    known = {str(label): label for label in dataset.classes}
    if str(table.of) not in known:
        raise ValueError(f"of = {table.of!r} is no class of the data. {did_you_mean(str(table.of), known)}")
    return (known[str(table.of)],)


def change_limits(gates: Sequence[Gate], settings: Sequence[str]) -> tuple[Gate, ...]:
    """Set other limits, such as "gate.0.min=-0.03", after the result is known; the gate then says so."""
    changed, problems = list(gates), []
    for setting in settings:
        found = SETTING.fullmatch(setting)
        if not found or int(found["gate"]) >= len(gates) or not math.isfinite(float(found["value"])):
            message = f"expected gate.N.min=NUMBER or gate.N.max=NUMBER, with N from 0 to {len(gates) - 1}"
            problems.append(Problem(message=message, where=f"--set {setting}"))
            continue
        place, limit = int(found["gate"]), float(found["value"])
        if wrong := misfit(changed[place].compare, limit):
            problems.append(Problem(message=f"{found['key']} = {limit:g} {wrong}", where=f"--set {setting}"))
            continue
        changed[place] = replace(changed[place], **{found["key"]: limit}, limits_changed=True)  # type: ignore[arg-type]
    if problems:
        raise SpecError(*problems)
    return tuple(changed)
