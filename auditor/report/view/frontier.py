"""The section that sets a variant's size against what it costs the group that is worst off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from auditor.records import BASELINE, Verdict
from auditor.report.view import words
from auditor.report.view.blocks import Cell, Column, Figure, Points, Prose, Section, Spot, Table
from auditor.report.view.numbers import deciding, summed
from auditor.report.view.rates import labels_shown, mark, value_cell
from auditor.report.view.verdicts import sequence_sentences, verdict_cell

if TYPE_CHECKING:
    from auditor.records import Estimate, Gate, GroupKey, Label, VariantSummary
    from auditor.report.view.numbers import Numbers

_NAMED = 8
"""So many variants are named in the picture; more are numbered, as in the table."""
_SHAPES: dict[Verdict, Literal["pass", "fail"]] = {Verdict.PASS: "pass", Verdict.FAIL: "fail"}
_NOTE = (
    "Filled circle: the variant passes every deciding gate; cross: it fails one; hollow: neither is shown, or nothing "
    "was judged. Bars are intervals. The lowest of many noisy changes lies below the truth."
)


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
    groups = _judged(gates, label) or numbers.groups
    of_variant = {name: tuple(f for f in deciding(numbers.result) if f.estimate.variant == name) for name in sizes}
    found = [
        _Sized(name=name, size=size, worst=_worst(numbers, name, label, groups), verdict=summed(of_variant[name]))
        for name in numbers.variants
        if (size := sizes[name])
    ]
    found.sort(key=lambda one: one.size)
    about = words.metric("recall", label)
    before = sizes.get(BASELINE)
    figure = Figure(
        caption=f"Size, and the change of {about} in the group that lost most",
        axis="points",
        panels=(_panel(found, about, _limits(gates), before),),
        note=_NOTE + (" Groups are those that a deciding gate on this change is about." if gates else ""),
    )
    shown = (figure,) if any(one.worst for one in found) else ()
    return (
        Section(
            id="frontier",
            title="Size against the worst group",
            question="Which is the smallest that passes?",
            blocks=(Prose(paragraphs=_answer(numbers)), *shown, _table(found, about, before)),
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


def _judged(gates: list[Gate], label: Label) -> tuple[GroupKey, ...]:
    return tuple(dict.fromkeys(group for gate in gates for one, group, _ in gate.targets if one == label and group))


def _limits(gates: list[Gate]) -> tuple[float, ...]:
    return tuple(sorted({100 * gate.min for gate in gates if gate.min is not None}))


def _worst(numbers: Numbers, variant: str, label: Label, groups: tuple[GroupKey, ...]) -> Estimate | None:
    own = (numbers.get(variant, ("recall", label, group), "change") for group in groups)
    return min((e for e in own if e is not None and e.value is not None), key=lambda e: e.value or 0.0, default=None)


def _answer(numbers: Numbers) -> tuple[str, ...]:
    if numbers.result.fixed_sequences:
        return sequence_sentences(numbers.result)
    level = words.rate(1 - numbers.confidence, 0)
    said = (
        "No recipe was tried at several strengths, so no choice among these variants keeps the level of one test: "
        f"whoever picks the smallest of several that pass errs more often than the {level} of a single comparison."
    )
    return (said,)


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
        f"{words.group_of(one.worst.group)}, {_spelled(one.verdict)}."
        for one in dict.fromkeys(ends[:1] + ends[-1:])
        if one.worst is not None
    )
    alt = f"Gzipped size against the change of {about} of {words.plural(len(spots), 'variant')}. {' '.join(said)}"
    return Points(title="", alt=alt, across="gzipped bytes", spots=spots, limits=limits, before=before)


def _spelled(verdict: Verdict | None) -> str:
    return "not judged" if verdict is None else verdict.value


def _table(found: list[_Sized], about: str, before: float | None) -> Table:
    rows = []
    for place, one in enumerate(found):
        number = "" if len(found) <= _NAMED else f"{place + 1}. "
        share = Cell(text="undefined", tone="undefined") if before is None else Cell(text=words.rate(one.size / before))
        who = Cell(text=words.group_of(one.worst.group), detail=f"n = {one.worst.n:,}") if one.worst else None
        change = value_cell(one.worst) if one.worst else Cell(text="undefined", tone="undefined")
        name, size = Cell(text=number + words.name(one.name)), Cell(text=words.size(one.size))
        rows.append((name, size, share, who or Cell(text="none defined"), change, verdict_cell(one.verdict)))
    return Table(
        caption=f"Variants by size, smallest first; change of {about} in points",
        columns=(
            Column(heading="Variant"),
            Column(heading="Gzipped", numeric=True),
            Column(heading="Of the baseline", numeric=True),
            Column(heading="Worst group"),
            Column(heading="Change there", numeric=True),
            Column(heading="Deciding gates"),
        ),
        rows=tuple(rows),
    )
