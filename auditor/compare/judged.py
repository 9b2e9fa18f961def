"""Verdicts that changed between two audits, and numbers that moved."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from auditor.compare.changes import Move, Shift
from auditor.records import Verdict

if TYPE_CHECKING:
    from collections.abc import Container, Hashable, Mapping

    from auditor.compare.changes import Direction, Relation
    from auditor.records import AuditResult, Estimate, Finding

SEVERITY_OF_VERDICTS = {Verdict.PASS: 0, Verdict.INCONCLUSIVE: 1, Verdict.UNDEFINED: 2, Verdict.FAIL: 3}
WORST_FIRST = ("worse", "gone", "new", "other terms", "waived", "better")


def by_comparison(result: AuditResult, names: Mapping[str, str]) -> dict[Hashable, Finding]:
    """Give each finding by its gate and what it is about; `names` are those of gates that have another name now."""
    return {(names.get(f.gate, f.gate), _place(f.estimate)): f for f in result.findings}


def shifts(
    before: Mapping[Hashable, Finding], after: Mapping[Hashable, Finding], otherwise: Container[str], level: float
) -> tuple[Shift, ...]:
    """Tell what is judged otherwise, or in one audit alone, worst first.

    Args:
        before: findings of the old audit, by what they are about.
        after: those of the new one.
        otherwise: names of gates that ask otherwise than before.
        level: of the new audit's tests, between 0 and 1.
    """
    both = dict.fromkeys((*after, *before))
    families = _families(before), _families(after)
    diluted = {key for key in both if _is_diluted(before.get(key), after.get(key), families, level)}
    found = [
        shift for key in both if (shift := _shift(before.get(key), after.get(key), otherwise, diluted=key in diluted))
    ]
    return tuple(sorted(found, key=lambda s: (not s.counts, WORST_FIRST.index(s.direction))))


def _place(e: Estimate) -> Hashable:
    """Give what an estimate is about, whichever way round an intersection was declared."""
    against = None if e.against is None else frozenset(e.against)
    return e.variant, e.metric, e.label, frozenset(e.group), against, e.compare


def _families(found: Mapping[Hashable, Finding]) -> Counter[tuple[str, str]]:
    """Count the comparisons that are corrected for each other: those of a variant, of one severity."""
    return Counter((f.estimate.variant, f.severity) for f in found.values() if f.p_holm is not None)


def _is_diluted(
    old: Finding | None, new: Finding | None, families: tuple[Counter[tuple[str, str]], ...], level: float
) -> bool:
    """Tell whether it fails no more only since it is corrected for more comparisons than before."""
    if old is None or new is None or (old.verdict, new.verdict) != (Verdict.FAIL, Verdict.INCONCLUSIVE):
        return False
    family = new.estimate.variant, new.severity
    before, after = (counts[family] for counts in families)
    return new.p is not None and new.p < level and after > before


def _shift(old: Finding | None, new: Finding | None, otherwise: Container[str], *, diluted: bool) -> Shift | None:
    if old is None or new is None:
        gone = old is not None and old.severity == "error"
        return Shift(direction="new" if old is None else "gone", old=old, new=new, why="", counts=gone)
    if (old.verdict, old.waived) == (new.verdict, new.waived):
        return None
    fewer = _fewer(old.estimate, new.estimate)
    asks_otherwise = new.gate in otherwise
    direction = _direction(old, new, fewer=bool(fewer), other_terms=asks_otherwise or diluted)
    decides = "error" in {old.severity, new.severity} and not new.waived
    terms = ("judged by other terms" if asks_otherwise else "", "more comparisons to correct for" if diluted else "")
    reasons = (fewer, *terms, _waived(old, new))
    return Shift(
        direction=direction,
        old=old,
        new=new,
        why="; ".join(filter(None, reasons)),
        counts=direction == "worse" and decides,
        diluted=diluted,
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


def moves(before: Mapping[Hashable, Finding], after: Mapping[Hashable, Finding]) -> tuple[Move, ...]:
    """Compare each number that both audits judge, once."""
    old = {_place(finding.estimate): finding.estimate for finding in before.values()}
    new = {_place(finding.estimate): finding.estimate for finding in after.values()}
    pairs = [(old[place], e) for place, e in new.items() if place in old]
    found = [Move(old=a, new=b, relation=_relation(a, b)) for a, b in pairs if _numbers(a) != _numbers(b)]
    order = ("apart", "beyond", "unknown", "within")
    return tuple(sorted(found, key=lambda move: (order.index(move.relation), -_distance(move))))


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
