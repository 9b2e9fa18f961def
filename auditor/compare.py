"""Two audits, such as those of two releases: what changed between them. Pure.

No test is invented here. Two results of one recipe share test examples, and often models, so that their numbers are not
independent, and nothing in the files says how much. What two intervals do say is told: whether they overlap.

Less data never helps a model pass. A comparison that is gone, a harm that was shown and cannot be measured any more,
and one that is open only because there are fewer examples or models, are changes for the worse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from auditor.errors import ExitCode
from auditor.records import Verdict

if TYPE_CHECKING:
    from collections.abc import Container, Hashable, Iterator

    from auditor.records import AuditResult, Estimate, Finding, Gate, GroupKey, Waiver

K = TypeVar("K")
V = TypeVar("V")
Direction = Literal["worse", "gone", "new", "other terms", "waived", "better"]
Relation = Literal["apart", "beyond", "within", "unknown"]
SEVERITY_OF_VERDICTS = {Verdict.PASS: 0, Verdict.INCONCLUSIVE: 1, Verdict.UNDEFINED: 2, Verdict.FAIL: 3}
TERMS = ("metric", "compare", "min", "max", "decide_on", "severity")
"""What a gate asks. Whom it asks it about shows in comparisons that are new or gone."""
TOLD_APART = {"definition": {"gate", "waiver"}, "provenance": {"definition", "data", "models"}}
"""Keys of which more is said than that they are others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A comparison that is judged otherwise than before, or in one of the audits alone."""

    direction: Direction
    old: Finding | None
    new: Finding | None
    why: str
    """What else changed with it; empty where nothing did."""
    counts: bool
    """Whether the answer is 1 because of it."""

    @property
    def finding(self) -> Finding:
        """The finding that tells whom it is about."""
        found = self.new or self.old
        assert found is not None  # noqa: S101 - one of them is given
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A judged number that is another than before."""

    old: Estimate
    new: Estimate
    relation: Relation
    """Of both intervals: they do not overlap; they do, but each number lies outside the other's interval; one of the
    numbers lies within the other's interval; one has no interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something with a name that is other than before; None where one side has no such thing."""

    name: str
    old: Any
    new: Any


class Members(NamedTuple):
    """How many members of a variant there are."""

    asked: int
    finished: int
    compared: int
    collapsed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """All that changed between two audits."""

    old: AuditResult
    new: AuditResult
    shifts: tuple[Shift, ...]
    """Worst first; comparisons that are judged as before are left out."""
    compared: int
    """Comparisons in both."""
    moves: tuple[Move, ...]
    """Those that say most first; numbers that are the same are left out."""
    gates: tuple[Change, ...]
    """Gate by gate: of one that is in both, its name with the term, such as "no group loses recall: min"."""
    waivers: tuple[tuple[Waiver | None, Waiver | None], ...]
    groups: tuple[tuple[GroupKey, int | None, int | None], ...]
    """Test examples, where they differ."""
    splits: tuple[tuple[str, int | None, int | None], ...]
    members: tuple[tuple[str, Members | None, Members | None], ...]
    """By variant, where they differ."""
    definition: tuple[Change, ...]
    """But for gates and waivers."""
    provenance: tuple[Change, ...]
    """Versions, seed and machine."""
    models: tuple[int, int]
    """How many of the new audit's models are files of the old one, and how many there are."""


def compare(old: AuditResult, new: AuditResult) -> Difference:
    """Tell what changed from one audit to another."""
    before, after = _findings(old), _findings(new)
    gates = {gate.name: gate for gate in old.gates}, {gate.name: gate for gate in new.gates}
    level = level_of(old) != level_of(new)
    terms = frozenset(
        name for name in gates[0].keys() & gates[1] if level or _terms(gates[0][name]) != _terms(gates[1][name])
    )
    both = dict.fromkeys((*after, *before))
    shifts = [shift for key in both if (shift := _shift(before.get(key), after.get(key), terms))]
    order = ("worse", "gone", "new", "other terms", "waived", "better")
    old_models, new_models = _models(old), _models(new)
    return Difference(
        old=old,
        new=new,
        shifts=tuple(sorted(shifts, key=lambda s: (not s.counts, order.index(s.direction)))),
        compared=len(before.keys() & after),
        moves=_moves(before, after),
        gates=tuple(_gates(*gates)),
        waivers=tuple((a, b) for _, a, b in _changed(_waivers(old), _waivers(new))),
        groups=tuple(_changed(_sizes(old), _sizes(new))),
        splits=tuple(_changed(_splits(old), _splits(new))),
        members=tuple(_changed(_members(old), _members(new))),
        definition=_keys(old.definition, new.definition, TOLD_APART["definition"]),
        provenance=_keys(old.provenance, new.provenance, TOLD_APART["provenance"]),
        models=(len(new_models & old_models), len(new_models)),
    )


def exit_code(difference: Difference) -> ExitCode:
    """Give 1 if a verdict that decides got worse, or a comparison that decided is gone; else 0.

    A comparison that is new has nothing to be worse than: whether it fails is what `auditor check` answers.
    """
    return ExitCode.GATE_FAILED if any(shift.counts for shift in difference.shifts) else ExitCode.PASSED


# ------------------------------------------------------------------------------------------------------------- verdicts


def _findings(result: AuditResult) -> dict[Hashable, Finding]:
    return {(finding.gate, _place(finding.estimate)): finding for finding in result.findings}


def _place(e: Estimate) -> Hashable:
    """Give what an estimate is about, whichever way round an intersection was declared."""
    against = None if e.against is None else frozenset(e.against)
    return e.variant, e.metric, e.label, frozenset(e.group), against, e.compare


def _shift(old: Finding | None, new: Finding | None, terms: frozenset[str]) -> Shift | None:
    if old is None or new is None:
        gone = old is not None and old.severity == "error"
        return Shift(direction="new" if old is None else "gone", old=old, new=new, why="", counts=gone)
    if (old.verdict, old.waived) == (new.verdict, new.waived):
        return None
    fewer = _fewer(old.estimate, new.estimate)
    direction = _direction(old, new, fewer=bool(fewer), other_terms=new.gate in terms)
    decides = "error" in {old.severity, new.severity} and not new.waived
    reasons = (fewer, "judged by other terms" if new.gate in terms else "", _waived(old, new))
    return Shift(
        direction=direction,
        old=old,
        new=new,
        why="; ".join(filter(None, reasons)),
        counts=direction == "worse" and decides,
    )


def _direction(old: Finding, new: Finding, *, fewer: bool, other_terms: bool) -> Direction:
    """Tell what a change of the verdict is, or of what is waived."""
    rise = SEVERITY_OF_VERDICTS[new.verdict] - SEVERITY_OF_VERDICTS[old.verdict]
    lost = old.verdict is Verdict.FAIL and (
        new.verdict is Verdict.UNDEFINED or (new.verdict is Verdict.INCONCLUSIVE and fewer)
    )
    if rise > 0 or lost:
        return "worse"
    if rise < 0:
        return "other terms" if other_terms else "better"
    return "waived" if new.waived else "worse"


def _fewer(old: Estimate, new: Estimate) -> str:
    """Say where a number rests on less than before."""
    parts = [(old.n, new.n, "examples"), (old.members, new.members, "members")]
    return "; ".join(f"{b:,} {what}, were {a:,}" for a, b, what in parts if b < a)


def _waived(old: Finding, new: Finding) -> str:
    if old.waived == new.waived:
        return ""
    return "waived now" if new.waived else "was waived"


# -------------------------------------------------------------------------------------------------------------- numbers


def _moves(before: Mapping[Hashable, Finding], after: Mapping[Hashable, Finding]) -> tuple[Move, ...]:
    """Compare each number that both audits judge, once."""
    old = {_place(finding.estimate): finding.estimate for finding in before.values()}
    new = {_place(finding.estimate): finding.estimate for finding in after.values()}
    pairs = [(old[place], e) for place, e in new.items() if place in old]
    moves = [Move(old=a, new=b, relation=_relation(a, b)) for a, b in pairs if _numbers(a) != _numbers(b)]
    order = ("apart", "beyond", "unknown", "within")
    return tuple(sorted(moves, key=lambda move: (order.index(move.relation), -_distance(move))))


def _numbers(e: Estimate) -> tuple[float | None, ...]:
    return e.value, e.low, e.high


def _distance(move: Move) -> float:
    return abs((move.new.value or 0.0) - (move.old.value or 0.0))


def _relation(old: Estimate, new: Estimate) -> Relation:
    if old.value is None or new.value is None or not (_bounded(old) and _bounded(new)):
        return "unknown"
    (low, high), (other_low, other_high) = _ends(old), _ends(new)
    if high < other_low or other_high < low:
        return "apart"
    outside = not low <= new.value <= high and not other_low <= old.value <= other_high
    return "beyond" if outside else "within"


def _bounded(e: Estimate) -> bool:
    return e.low is not None or e.high is not None


def _ends(e: Estimate) -> tuple[float, float]:
    return float("-inf") if e.low is None else e.low, float("inf") if e.high is None else e.high


# ------------------------------------------------------------------------------------------------- what it rests on


def _terms(gate: Gate) -> dict[str, Any]:
    return {term: getattr(gate, term) for term in TERMS}


def _gates(old: Mapping[str, Gate], new: Mapping[str, Gate]) -> Iterator[Change]:
    for name in dict.fromkeys((*new, *old)):
        if name not in old or name not in new:
            yield Change(name=name, old=old.get(name), new=new.get(name))
            continue
        for term, a, b in _changed(_terms(old[name]), _terms(new[name])):
            yield Change(name=f"{name}: {term}", old=a, new=b)


def level_of(result: AuditResult) -> tuple[Any, ...]:
    """Give what all gates are judged by: the confidence, the smallest group, the members that must finish."""
    statistics = result.definition["statistics"]
    return statistics["confidence"], statistics["min_group"], result.definition["population"].get("minimum")


def _waivers(result: AuditResult) -> dict[Hashable, Waiver]:
    """Give waivers by what they are about; the line that one stands on is no change of it."""
    return {(w.gate, w.variant, w.label, w.group): replace(w, line=None) for w in result.waivers}


def _members(result: AuditResult) -> dict[str, Members]:
    return {v.name: Members(v.asked, v.finished, v.compared, v.collapsed) for v in result.variants}


def _models(result: AuditResult) -> set[str]:
    return {digest for digests in result.provenance.get("models", {}).values() for digest in digests}


def _sizes(result: AuditResult) -> dict[GroupKey, int]:
    return {group: sum(by_class) for group, by_class in result.data.groups}


def _splits(result: AuditResult) -> dict[str, int]:
    return {split.split: split.examples for split in result.data.splits}


def _changed(old: Mapping[K, V], new: Mapping[K, V]) -> Iterator[tuple[K, V | None, V | None]]:
    """Give what is not the same, or is on one side alone."""
    for key in dict.fromkeys((*new, *old)):
        if (key in old) != (key in new) or old[key] != new[key]:
            yield key, old.get(key), new.get(key)


def _keys(old: Mapping[str, Any], new: Mapping[str, Any], but: Container[str]) -> tuple[Change, ...]:
    a, b = (
        dict(entry for key, value in side.items() if key not in but for entry in _flat(key, value))
        for side in (old, new)
    )
    return tuple(Change(name=name, old=one, new=other) for name, one, other in _changed(a, b))


def _flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - JSON
    """Give each key with its path, such as "data.path"; the tables of a list by their names."""
    if isinstance(value, list) and value and all(isinstance(item, Mapping) and "name" in item for item in value):
        value = {str(item["name"]): item for item in value}
    if not isinstance(value, Mapping):
        yield path, value
        return
    for key, item in value.items():
        yield from _flat(f"{path}.{key}", item)
