"""What changed between two audits, in words: first what keeps them from being compared, then what got worse."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auditor.compare import exit_code
from auditor.compare.changes import Change
from auditor.compare.grounds import level_of
from auditor.records import Gate, Verdict
from auditor.report.view import words
from auditor.report.view.blocks import Cell, Column, Table
from auditor.report.view.headline import limit
from auditor.report.view.verdicts import WORST_FIRST, verdict_cell
from auditor.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.compare.changes import Difference, Direction, Members, Move, Shift
    from auditor.records import Estimate, Finding, Waiver
    from auditor.report.view.blocks import Tone

_ROWS = 20
"""Rows of a table; what is left is in the JSON."""
_NAMES = 5
"""Gates with another name that a notice tells."""
_TOGETHER = frozenset({"new", "gone", "waived"})
TONES: dict[Direction, Tone] = {
    "worse": "fail",
    "gone": "fail",
    "new": "",
    "other terms": "open",
    "waived": "muted",
    "better": "pass",
}
RELATIONS = {
    "apart": "do not overlap",
    "beyond": "overlap; each number is outside the other's",
    "within": "one number is inside the other's",
    "unknown": "one has none",
}
_OVERLAP = (
    "No test is made: both audits may share examples and models, so the two numbers are not independent. Intervals "
    "that do not overlap differ by more than the uncertainty of both; intervals that overlap say nothing either way. "
    "Where in truth nothing changed, up to one pair of numbers in four still lies each outside the other's interval, "
    "and of many pairs a few do not overlap."
)
_TURNED = (
    "A verdict is judged anew with whatever models and examples there are: one near its limit turns by chance too, by "
    "simulation in one of four pairs of audits where half of them pass. How far the numbers moved stands below."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceView:
    """A difference in words, for every format."""

    title: str
    verdict: str
    tone: Tone
    symbol: str
    sentence: str
    notices: tuple[str, ...]
    tables: tuple[Table, ...]


def difference_view(difference: Difference, *, edited: tuple[str, ...] = ()) -> DifferenceView:
    """Word a difference. `edited` names the files that were changed after they were written."""
    worse = bool(exit_code(difference))
    tables = (
        _verdicts(difference),
        _numbers(difference),
        _listed("Gates and waivers", "Gate or waiver", [*_gates(difference), *_waivers(difference)]),
        _listed("Data and members", "Group, split or variant", _sizes(difference)),
        _listed("Definition and versions", "Key", [*difference.definition, *difference.provenance]),
    )
    return DifferenceView(
        title=f"{_name(difference, 'old')}: what changed",
        verdict="WORSE" if worse else "NOT WORSE",
        tone="fail" if worse else "pass",
        symbol="✕" if worse else "✓",
        sentence=_sentence(difference),
        notices=tuple(_notices(difference, edited)),
        tables=tuple(table for table in tables if table.rows),
    )


def _name(difference: Difference, side: str) -> str:
    return words.name(getattr(difference, side).definition["audit"]["name"])


def _sentence(difference: Difference) -> str:
    """Count what changed; what decides comes first."""
    deciding = Counter(shift.direction for shift in difference.shifts if shift.counts)
    others = Counter(shift.direction for shift in difference.shifts if not shift.counts)
    failing = sum(s.direction == "new" and s.finding.verdict is Verdict.FAIL for s in difference.shifts)
    parts = [
        *([f"{words.plural(deciding['worse'], 'is', 'are')} judged worse"] if deciding["worse"] else []),
        *([f"{words.plural(deciding['gone'], 'is', 'are')} gone"] if deciding["gone"] else []),
    ]
    said = (
        f"Of comparisons that decide, {words.listed(parts)}."
        if parts
        else "No comparison that decides is judged worse."
    )
    notes: dict[Direction, str] = {
        "worse": "judged worse",
        "gone": "gone",
        "new": f"new, {failing:,} of them FAIL",
        "waived": "waived now",
        "other terms": "better by other terms",
        "better": "judged better",
    }
    also = [f"{others[direction]:,} {note}" for direction, note in notes.items() if others[direction]]
    same = difference.compared - sum(s.old is not None and s.new is not None for s in difference.shifts)
    also.append(f"{same:,} judged as before")
    return f"{said} {'Others' if parts else 'Comparisons'}: {', '.join(also)}."


def _notices(difference: Difference, edited: tuple[str, ...]) -> Iterable[str]:
    """Say first what a reader must know before comparing anything."""
    old, new = difference.old, difference.new
    yield from (f"{clean(file, 200)} was edited after it was written: its digest is another." for file in edited)
    if _name(difference, "old") != _name(difference, "new"):
        yield f"These are different audits: {_name(difference, 'old')} and {_name(difference, 'new')}."
    if old.data.digest != new.data.digest:
        yield "The data are others: what changed may come from them, and not from the models."
    if level_of(old) != level_of(new):
        yield "Both audits judge by another confidence, smallest group or number of members: see the definition."
    if new.status == "incomplete":
        yield "The new audit is incomplete: a variant has fewer members than must finish."
    names = [f"from {words.quoted(a)} to {words.quoted(b)}" for a, b in difference.renamed]
    if names:
        more = [f"{len(names) - _NAMES:,} more"] if len(names) > _NAMES else []
        yield f"Compared as one gate, since only its name is another: renamed {words.listed(names[:_NAMES] + more)}."
    asks_less = [words.quoted(name) for name in _asking_less(difference)]
    if asks_less:
        yield f"Less is asked than before by {words.listed(asks_less)}: no better verdict of theirs is told as better."
    diluted = dict.fromkeys(words.name(s.new.estimate.variant) for s in difference.shifts if s.diluted and s.new)
    if diluted:
        yield (
            f"{words.listed(diluted)}: beyond a limit before correction, as it was, and not after it, since there are "
            "more comparisons to correct for. That is not told as better."
        )
    same, all_ = difference.models
    if all_ and same == all_:
        yield "The models are the same files: only gates, data or statistics can have changed anything."


def _asking_less(difference: Difference) -> list[str]:
    """Name the gates whose limit is looser, that only warn now, or that are decided on the estimate alone."""
    before = {gate.name: gate for gate in difference.old.gates}
    return [gate.name for gate in difference.new.gates if gate.name in before and _is_looser(before[gate.name], gate)]


def _is_looser(old: Gate, new: Gate) -> bool:
    low, high = float("-inf"), float("inf")
    return (
        (low if new.min is None else new.min) < (low if old.min is None else old.min)
        or (high if new.max is None else new.max) > (high if old.max is None else old.max)
        or (old.severity == "error" and new.severity == "warning")
        or (old.decide_on == "interval" and new.decide_on == "point")
    )


# ------------------------------------------------------------------------------------------------- verdicts and numbers


def _verdicts(difference: Difference) -> Table:
    """List comparisons that are judged otherwise; of what is new, gone or waived a row a gate and variant."""
    together: dict[tuple[object, ...], list[Shift]] = {}
    for place, shift in enumerate(difference.shifts):
        f = shift.finding
        whole = (shift.direction, f.gate, f.estimate.variant, shift.counts)
        together.setdefault(whole if shift.direction in _TOGETHER else (place,), []).append(shift)
    rows = [_shift_row(shifts) for shifts in together.values()]
    return Table(
        caption="Verdicts",
        columns=tuple(Column(heading=heading) for heading in ("Change", "Whom it is about", "Was", "Is")),
        rows=tuple(rows[:_ROWS]),
        left=len(rows[_ROWS:]),
        note=_TURNED if any(shift.direction in {"worse", "better"} for shift in difference.shifts) else "",
        is_list=True,
    )


def _shift_row(shifts: list[Shift]) -> tuple[Cell, ...]:
    shift = shifts[0]
    finding = shift.finding
    about = _about(finding.estimate)
    if len(shifts) > 1:
        about = f"{words.name(finding.estimate.variant)}, {words.plural(len(shifts), 'comparison')}"
    notes = [words.name(finding.gate), *([shift.why] if shift.why else [])]
    notes += [] if finding.severity == "error" else ["warning only"]
    tone = TONES[shift.direction]
    return (
        Cell(text=shift.direction, tone="open" if tone == "fail" and not shift.counts else tone),
        Cell(text=about, detail="; ".join(notes)),
        _judged([s.old for s in shifts]),
        _judged([s.new for s in shifts]),
    )


def _judged(findings: list[Finding | None]) -> Cell:
    found = [finding for finding in findings if finding is not None]
    if not found:
        return Cell(text="–", tone="muted")
    if len(found) > 1:
        counts = Counter(finding.verdict for finding in found)
        return Cell(text=", ".join(f"{counts[v]:,} {v}" for v in WORST_FIRST if counts[v]))
    cell = verdict_cell(found[0].verdict)
    detail = _number(found[0].estimate) + (", waived" if found[0].waived else "")
    return Cell(text=cell.text, symbol=cell.symbol, tone=cell.tone, detail=detail)


def _about(e: Estimate) -> str:
    other = "" if e.against is None else f" against {words.group(e.against)}"
    label = "" if e.label is None else f", {words.quoted(e.label)}"
    return f"{words.name(e.variant)}, {words.group_of(e.group)}{other}{label}"


def _number(e: Estimate) -> str:
    if e.value is None:
        return "undefined"
    return f"{words.number(e.value, e.compare)} {words.interval(e)}".strip()


def _numbers(difference: Difference) -> Table:
    """List judged numbers that moved beyond an interval."""
    told = [move for move in difference.moves if move.relation in {"apart", "beyond"}]
    rest = Counter(move.relation for move in difference.moves if move.relation not in {"apart", "beyond"})
    others = [f"{count:,} more moved, where {RELATIONS[relation]}" for relation, count in rest.items()]
    rows = [_move_row(move) for move in told[:_ROWS]]
    if not rows and others:
        rows = [(Cell(text="none moved beyond both"), Cell(text=""), Cell(text=""), Cell(text=""))]
    return Table(
        caption="Numbers that moved",
        columns=tuple(Column(heading=heading) for heading in ("Intervals", "Number", "Was", "Is")),
        rows=tuple(rows),
        left=len(told[_ROWS:]),
        note=" ".join((*(f"{one}." for one in others), _OVERLAP)),
        is_list=True,
    )


def _move_row(move: Move) -> tuple[Cell, ...]:
    e = move.new
    return (
        Cell(text=RELATIONS[move.relation]),
        Cell(text=_about(e), detail=f"{words.comparison(e.metric, None, e.compare)}, {words.unit(e.compare)}"),
        Cell(text=_number(move.old)),
        Cell(text=_number(e)),
    )


# -------------------------------------------------------------------------------------------------- what it rests on


def _listed(caption: str, heading: str, changes: Iterable[Change]) -> Table:
    rows = [
        (Cell(text=clean(change.name, 120)), *(Cell(text=_shown(side)) for side in (change.old, change.new)))
        for change in changes
    ]
    return Table(
        caption=caption,
        columns=tuple(Column(heading=one) for one in (heading, "Was", "Is")),
        rows=tuple(rows[:_ROWS]),
        left=len(rows[_ROWS:]),
        is_list=True,
    )


def _gates(difference: Difference) -> Iterable[Change]:
    yield from (Change(name=f"gate {new}: name", old=old, new=new) for old, new in difference.renamed)
    for change in difference.gates:
        sides = [side if not isinstance(side, Gate) else limit(side, None) for side in (change.old, change.new)]
        yield Change(name=f"gate {change.name}", old=sides[0], new=sides[1])


def _waivers(difference: Difference) -> Iterable[Change]:
    for old, new in difference.waivers:
        waiver = new or old
        if waiver is not None:
            about = [waiver.gate, waiver.variant, waiver.label, waiver.group and words.group_of(waiver.group)]
            name = f"waiver of {', '.join(str(part) for part in about if part is not None)}"
            yield Change(name=name, old=_until(old), new=_until(new))


def _until(waiver: Waiver | None) -> str | None:
    return None if waiver is None else f"until {waiver.expires}, {waiver.owner}: {waiver.reason}"


def _sizes(difference: Difference) -> Iterable[Change]:
    if difference.old.data.digest != difference.new.data.digest:
        yield Change(name="data", old=difference.old.data.digest[:16], new=difference.new.data.digest[:16])
    yield from (Change(name=f"{split} examples", old=a, new=b) for split, a, b in difference.splits)
    yield from (Change(name=f"{words.group_of(group)}, test", old=a, new=b) for group, a, b in difference.groups)
    yield from (Change(name=f"members of {name}", old=_count(a), new=_count(b)) for name, a, b in difference.members)
    same, all_ = difference.models
    if 0 < same < all_:
        yield Change(name="models that are the same files", old=None, new=f"{same:,} of {all_:,}")


def _count(members: Members | None) -> str | None:
    if members is None:
        return None
    collapsed = f", {members.collapsed} collapsed" if members.collapsed else ""
    return f"{members.finished} of {members.asked}{collapsed}"


def _shown(value: Any) -> str:  # noqa: ANN401 - JSON
    if value is None:
        return "–"
    return clean(value if isinstance(value, str) else json.dumps(value), 120)
