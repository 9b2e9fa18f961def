"""The section that sets a variant's size against what it costs the group that is worst off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from auditor.records import BASELINE, EVERYBODY, Verdict
from auditor.report.view import words
from auditor.report.view.blocks import Cell, Column, Figure, Points, Prose, Section, Spot, Table
from auditor.report.view.numbers import deciding, summed
from auditor.report.view.rates import is_by_group, labels_shown, mark, worst_cells
from auditor.report.view.verdicts import sequence_sentences, verdict_cell

if TYPE_CHECKING:
    from auditor.records import Estimate, Gate, Label, VariantSummary
    from auditor.report.view.numbers import Numbers, Subject
    from auditor.report.view.rates import Kind

_NAMED = 8
"""So many variants are named in the picture; more are numbered, as in the table."""
_SHAPES: dict[Verdict, Literal["pass", "fail"]] = {Verdict.PASS: "pass", Verdict.FAIL: "fail"}
_NOTE = (
    "Filled circle: the variant passes every deciding gate; cross: it fails one; hollow: neither is shown, or nothing "
    "was judged. Bars are intervals."
)
_LOWEST = " The lowest of many noisy changes lies below the truth."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sized:
    """A variant whose size is known."""

    name: str
    size: float
    worst: Estimate | None
    """The change in the group that lost most; None where it is undefined in all."""
    verdict: Verdict | None


def frontier_sections(numbers: Numbers) -> tuple[Section, ...]:
    """Set sizes against the worst group's change of recall; nothing where no variant's size is known."""
    label = next(iter(labels_shown(numbers)), None)
    sizes = {variant.name: _size(variant) for variant in numbers.result.variants}
    if label is None or not any(sizes[name] for name in numbers.variants):
        return ()
    gates = _gates(numbers, label)
    kind = _kind(numbers, label)
    subjects = _subjects(numbers, gates, label, kind)
    of_variant = {name: tuple(f for f in deciding(numbers.result) if f.estimate.variant == name) for name in sizes}
    found = [
        _Sized(name=name, size=size, worst=_worst(numbers, name, subjects), verdict=summed(of_variant[name]))
        for name in numbers.variants
        if (size := sizes[name])
    ]
    found.sort(key=lambda one: one.size)
    about = "recall" if kind == "class" else words.metric("recall", label)
    before = sizes.get(BASELINE)
    notes = (
        _NOTE + (_LOWEST if kind else ""),
        "Groups are those that a deciding gate on this change is about." if gates and kind == "group" else "",
        "Numbers are those of the table." if len(found) > _NAMED else "",
    )
    figure = Figure(
        caption=f"Size, and the change of {about}" + (f" in the {kind} that lost most" if kind else ""),
        axis="points",
        panels=(_panel(found, about, _limits(gates), before),),
        note=" ".join(note for note in notes if note),
    )
    shown = (figure,) if any(one.worst for one in found) else ()
    return (
        Section(
            id="frontier",
            title=f"Size against the worst {kind}" if kind else "Size against recall",
            question="Which is the smallest that passes?" if numbers.result.gates else "What does a small size cost?",
            blocks=(*_answer(numbers), *shown, _table(numbers, found, kind, about, before)),
        ),
    )


def _size(variant: VariantSummary) -> float | None:
    size = variant.measured.get("bytes_gzipped")
    return float(size) if isinstance(size, int | float) and size > 0 else None


def _gates(numbers: Numbers, label: Label) -> list[Gate]:
    """Find the deciding gates on a class's change of recall."""
    return [
        gate
        for gate in numbers.result.gates
        if (gate.metric, gate.compare, gate.severity) == ("recall", "change", "error")
        and any(one == label for one, *_ in gate.targets)
    ]


def _kind(numbers: Numbers, label: Label) -> Kind:
    """Seek the worst of the groups; else of the classes, unless one of them is the positive one."""
    if is_by_group(numbers, "recall", label):
        return "group"
    return "class" if numbers.result.data.positive is None else ""


def _subjects(numbers: Numbers, gates: list[Gate], label: Label, kind: Kind) -> list[Subject]:
    """List whose change of recall is looked at: groups, judged ones where any is; else classes; else everybody."""
    if kind == "class":
        return [("recall", one, EVERYBODY) for one in numbers.result.data.classes]
    judged = dict.fromkeys(group for gate in gates for one, group, _ in gate.targets if one == label and group)
    return [("recall", label, group) for group in (judged or numbers.groups if kind else (EVERYBODY,))]


def _limits(gates: list[Gate]) -> tuple[float, ...]:
    return tuple(sorted({100 * gate.min for gate in gates if gate.min is not None}))


def _worst(numbers: Numbers, variant: str, subjects: list[Subject]) -> Estimate | None:
    own = (numbers.get(variant, subject, "change") for subject in subjects)
    return min((e for e in own if e is not None and e.value is not None), key=lambda e: e.value or 0.0, default=None)


def _answer(numbers: Numbers) -> tuple[Prose, ...]:
    """Say which variant may be chosen; nothing where nothing decides, or there is nothing to choose among."""
    if numbers.result.fixed_sequences:
        return (Prose(paragraphs=sequence_sentences(numbers.result)),)
    if len(numbers.variants) < 2 or not deciding(numbers.result):
        return ()
    level = words.rate(1 - numbers.confidence, 0)
    said = (
        "No recipe was tried at several strengths, so no choice among these variants keeps the level of one test: "
        f"whoever picks the smallest of several that pass errs more often than the {level} of a single comparison."
    )
    return (Prose(paragraphs=(said,)),)


def _called(found: list[_Sized], place: int) -> str:
    return words.name(found[place].name) if len(found) <= _NAMED else f"{place + 1}"


def _panel(found: list[_Sized], about: str, limits: tuple[float, ...], before: float | None) -> Points:
    spots = tuple(
        Spot(
            size=one.size,
            mark=mark(_called(found, place), one.worst),
            verdict="open" if one.verdict is None else _SHAPES.get(one.verdict, "open"),
        )
        for place, one in enumerate(found)
        if one.worst is not None
    )
    ends = [one for one in found if one.worst is not None]
    said = (
        f"{words.name(one.name)}: {words.size(one.size)}, {words.value(one.worst)} points in "
        f"{_where(one.worst)}, {_spelled(one.verdict)}."
        for one in dict.fromkeys(ends[:1] + ends[-1:])
        if one.worst is not None
    )
    alt = f"Gzipped size against the change of {about} of {words.plural(len(spots), 'variant')}. {' '.join(said)}"
    return Points(title="", alt=alt, across="gzipped bytes", spots=spots, limits=limits, before=before)


def _where(worst: Estimate) -> str:
    """Say in whom; everybody where neither a group nor a class is the worst of several."""
    return words.group_of(worst.group) if worst.group else f"everybody labelled {words.quoted(worst.label)}"


def _spelled(verdict: Verdict | None) -> str:
    return "not judged" if verdict is None else verdict.value


def _table(numbers: Numbers, found: list[_Sized], kind: Kind, about: str, before: float | None) -> Table:
    rows, is_judged = [], bool(numbers.result.gates)
    for place, one in enumerate(found):
        number = "" if len(found) <= _NAMED else f"{place + 1}. "
        share = Cell(text="undefined", tone="undefined") if before is None else Cell(text=words.rate(one.size / before))
        whose, change = worst_cells(one.worst)
        name, size = Cell(text=number + words.name(one.name)), Cell(text=words.size(one.size))
        judged = (verdict_cell(one.verdict),) if is_judged else ()
        rows.append((name, size, share, *((whose,) if kind else ()), change, *judged))
    return Table(
        caption=f"Variants by size, smallest first; change of {about} in points",
        columns=(
            Column(heading="Variant"),
            Column(heading="Gzipped", numeric=True),
            Column(heading="Of the baseline", numeric=True),
            *((Column(heading=f"Worst {kind}"),) if kind else ()),
            Column(heading="Change there" if kind else "Change", numeric=True),
            *((Column(heading="Deciding gates"),) if is_judged else ()),
        ),
        rows=tuple(rows),
    )
