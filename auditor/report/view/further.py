"""The section of measures that are shown and never judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.records import EVERYBODY, Verdict
from auditor.report.view import words
from auditor.report.view.blocks import SYMBOLS, Cell, Column, Prose, Section, Table
from auditor.report.view.verdicts import chunks
from auditor.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from auditor.description import Description, Measure
    from auditor.records import GroupKey
    from auditor.report.view.blocks import Block
    from auditor.report.view.numbers import Numbers

ROWS = 12
"""Groups in a table; result.json holds the rest."""
_TABLE_VARIANTS = 5
_REASONS = 6
_INTRODUCTION = (
    "These measures are description: no gate is about them, and they have no intervals. What they show may be chance, "
    "the more so in small groups and for what is the largest of many. Numbers are means over models; → leads from the "
    "baseline to the variant. Every number is in result.json."
)
_NORMALISED: dict[Measure, str] = {
    "normalised_difference_error": "error rate",
    "normalised_difference_fpr": "false positive rate",
    "normalised_difference_fnr": "false negative rate",
}
_NORMALISED_ROWS = 60
_NORMALISED_ON_PAPER = 9
"""Three rates of everybody and of two groups."""
_DISPARITIES: tuple[tuple[Measure, Measure, str], ...] = (
    ("demographic_parity_difference", "demographic_parity_ratio", "demographic parity"),
    ("equalized_odds_difference", "equalized_odds_ratio", "equalised odds"),
    ("equal_opportunity_difference", "equal_opportunity_ratio", "equal opportunity"),
)
_CALIBRATION: tuple[tuple[Measure, str], ...] = (
    ("expected_calibration_error", "Expected calibration error, and its change in points"),
    ("uncertain_share", "Share of uncertain predictions, and its change in points"),
)
_NORMALISED_NOTE = (
    "100 × (variant − baseline) / baseline, of rates that are means over models: a large percentage of few errors is "
    "few errors. It has no interval and is not judged. The changes in points have intervals: those of the false "
    "positive and false negative rates stand above, and that of the error rate, which is accuracy's the other way, in "
    "result.json."
)
_GAP_NOTE = (
    "How much more accuracy the group loses than everybody does (Hashemizadeh et al. 2024); below 0 it loses less."
)
_DISPARITY_NOTE = (
    "Largest less smallest rate of any group, and smallest over largest; the names and definitions are Fairlearn's. "
    "Taken model by model, then averaged. The largest less the smallest of many noisy rates lies above the truth."
)
_CALIBRATION_NOTES = (
    "Right decisions against their probability, in 15 bins (Guo et al. 2017); biased upwards in small groups.",
    "Uncertain: p from 0.1 to 0.9 of the positive class; with many classes, under 0.9 of the class that was decided.",
)
_VARIANT_NOTE = (
    "CEV: how unequally the classes' false positive and false negative rates change (mean squared distance of relative "
    "changes to their mean); SDE: how far the two change apart (Blakeney et al. 2021). Recall distortion: the slope of "
    "classes' recall relative to accuracy on that of the baseline; above 1 the classes are driven apart, and where the "
    "baseline's classes are nearly alike it means little (Good et al. 2022). Ambiguity: examples on which some model "
    "decides otherwise than the first; discrepancy: the most on which one does (Marx et al. 2020), among the models of "
    "one recipe that differ in their seeds. Bias amplification: a group's share of those decided positive less its "
    "share of those who are, and how that changed from the baseline."
)


def further_section(numbers: Numbers) -> Section:
    """Describe compression's effect by the measures that others use, beside what is judged."""
    blocks: list[Block] = [Prose(paragraphs=(_INTRODUCTION,))]
    gaps = _grid(numbers, "excess_accuracy_gap")
    blocks += _tables(gaps, "Excess accuracy gap in points, and the group's accuracy", _gap_cell, _GAP_NOTE)
    blocks += [*_disparities(numbers), *_calibration(numbers), *_of_variants(numbers)]
    question = "What do the measures say that other audits use?"
    return Section(id="further", title="Further measures", question=question, blocks=tuple(blocks))


def normalised_tables(numbers: Numbers, parts: list[tuple[str, ...]]) -> list[Table]:
    """Tell relative changes of error rates by group, as Hooker et al. 2020 (arXiv 2010.03058) publish them.

    `parts`: the variants of each table; the first is set on paper.
    """
    grid = _grid(numbers, *_NORMALISED, names=_NORMALISED)
    order = grid.by_group((EVERYBODY, *numbers.groups))
    caption = (
        "Normalised difference, as published by Hooker et al. 2020: change in percent of the baseline's rate, and "
        "below it the numbers of errors"
    )
    left = len(order) - _NORMALISED_ROWS
    note = _joined(_NORMALISED_NOTE, grid.reasons, f"{left:,} more rows are in result.json." if left > 0 else "")
    rows = order[:_NORMALISED_ROWS]
    return [
        _set_out(grid, rows, part, caption, _percent_cell, note, on_paper=0 if place else _NORMALISED_ON_PAPER)
        for place, part in enumerate(parts if rows else [])
    ]


# --------------------------------------------------------------------------------------------------------------- tables


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grid:
    """Rows against variants: what a table shows."""

    variants: tuple[str, ...]
    found: Mapping[tuple[object, ...], Mapping[str, Description]]
    """By row: its name in words, then whatever tells it from others."""

    @property
    def worst_first(self) -> list[tuple[object, ...]]:
        """The rows by the largest value that any variant has; those without a value last."""
        most = {
            row: max((d.value for d in own.values() if d.value is not None), default=None)
            for row, own in self.found.items()
        }
        return sorted(most, key=lambda row: (most[row] is None, -(most[row] or 0.0)))

    def by_group(self, groups: Sequence[GroupKey]) -> list[tuple[object, ...]]:
        """The rows in the order of these groups; those of one group stay together."""
        place = {group: number for number, group in enumerate(groups)}
        of = {row: next(iter(own.values())).group for row, own in self.found.items()}
        return sorted(of, key=lambda row: place.get(of[row], len(place)))

    @property
    def reasons(self) -> str:
        """Why numbers are undefined, and what is left out of others."""
        return reasons(d for own in self.found.values() for d in own.values())


def _grid(numbers: Numbers, *measures: Measure, names: Mapping[Measure, str] | None = None) -> _Grid:
    """Collect some measures; `names` tells several apart."""
    own = [d for d in numbers.result.descriptions if d.measure in measures]
    of_classes = len({d.label for d in own} - {None}) > 1
    found: dict[tuple[object, ...], dict[str, Description]] = {}
    for d in own:
        name = _row_name(d, of_classes=of_classes) + (f": {names[d.measure]}" if names else "")
        found.setdefault((name, d.measure, d.label, d.group, d.family), {})[d.variant] = d
    return _Grid(variants=numbers.variants, found=found)


def _row_name(d: Description, *, of_classes: bool) -> str:
    if d.family:
        return words.family(d.family)
    if d.label is None or not of_classes:
        return words.group_of(d.group)
    return words.quoted(d.label) + ("" if d.group == EVERYBODY else f", {words.group_of(d.group)}")


def _tables(grid: _Grid, caption: str, cell: Callable[[Description], Cell], note: str) -> list[Table]:
    """Make a table for every handful of variants, worst row first; paper has no room for them."""
    order = grid.worst_first
    left = len(order) - ROWS
    more = f"{left:,} more rows, none with a larger value, are in result.json." if left > 0 else ""
    return [
        _set_out(grid, order[:ROWS], part, caption, cell, _joined(note, grid.reasons, more), on_paper=0)
        for part in (chunks(grid.variants, _TABLE_VARIANTS) if order else [])
    ]


def _set_out(
    grid: _Grid,
    rows: Sequence[tuple[object, ...]],
    variants: tuple[str, ...],
    caption: str,
    cell: Callable[[Description], Cell],
    note: str,
    *,
    on_paper: int,
) -> Table:
    headings = ("n", *map(words.name, variants))
    return Table(
        caption=caption,
        columns=(Column(heading="Of"), *(Column(heading=heading, numeric=True) for heading in headings)),
        rows=tuple(_row(str(row[0]), grid.found[row], variants, cell) for row in rows),
        on_paper=on_paper,
        note=note,
    )


def _row(
    name: str, own: Mapping[str, Description], variants: tuple[str, ...], cell: Callable[[Description], Cell]
) -> tuple[Cell, ...]:
    n = next(d.n for d in own.values())
    cells = (cell(own[v]) if v in own else Cell(text="not measured", tone="muted") for v in variants)
    return Cell(text=name), Cell(text=f"{n:,}"), *cells


def _joined(*notes: str) -> str:
    return " ".join(note for note in notes if note)


def reasons(found: Iterable[Description]) -> str:
    """Say why numbers are undefined and what is left out of others, each reason once."""
    everything = list(found)
    undefined = listed_once(d.undefined for d in everything)
    remarks = listed_once(d.remark for d in everything)
    said = f"Undefined (∅): {undefined}." if undefined else ""
    return _joined(said, f"{remarks[:1].upper()}{remarks[1:]}." if remarks else "")


def listed_once(texts: Iterable[str | None]) -> str:
    """Join what is said, each once, as far as a note has room."""
    known = [clean(text, 200) for text in dict.fromkeys(texts) if text]
    more = f"; and {len(known) - _REASONS:,} more reasons" if len(known) > _REASONS else ""
    return "; ".join(known[:_REASONS]) + more


def _arrow(before: float | None, after: float | None, write: Callable[[float], str]) -> str:
    """Give what it was and what it is, ∅ where it is undefined; empty where neither is known."""
    if before is None and after is None:
        return ""
    return " → ".join(SYMBOLS[Verdict.UNDEFINED] if value is None else write(value) for value in (before, after))


def _cell(text: str, detail: str) -> Cell:
    return Cell(text=text, detail=detail) if text else Cell(text="undefined", detail=detail, tone="undefined")


def _percent_cell(d: Description) -> Cell:
    """Show percent, and below it the numbers of errors."""
    text = "" if d.value is None else f"{words.points(d.value / 100)}%"
    return _cell(text, _arrow(d.before, d.after, lambda errors: f"{errors:,.1f}".removesuffix(".0")))


def _gap_cell(d: Description) -> Cell:
    return _cell("" if d.value is None else words.points(d.value), _arrow(d.before, d.after, words.rate))


def _change_cell(d: Description) -> Cell:
    """Show what it was and is, and below it the change."""
    return _cell(_arrow(d.before, d.after, words.rate), "" if d.value is None else words.points(d.value))


# ----------------------------------------------------------------------------- disparities, calibration, whole variants


def _disparities(numbers: Numbers) -> list[Table]:
    if numbers.result.data.positive is None:
        return []
    ratio_of = {difference: ratio for difference, ratio, _ in _DISPARITIES}
    ratios = {(d.variant, d.measure, d.family): d for d in numbers.result.descriptions if d.measure.endswith("_ratio")}

    def cell(d: Description) -> Cell:
        ratio = ratios.get((d.variant, ratio_of[d.measure], d.family))
        beside = _arrow(ratio.before, ratio.after, lambda value: words.ratio(value, 2)) if ratio else ""
        points = _arrow(d.before, d.after, lambda value: words.ratio(100 * value, 1))
        return _cell(points, beside or SYMBOLS[Verdict.UNDEFINED])

    grid = _grid(numbers, *ratio_of, names={difference: name for difference, _, name in _DISPARITIES})
    caption = "Disparity over the groups of an attribute: difference in points, and below it the ratio"
    undefined = listed_once(d.undefined for d in ratios.values())
    return _tables(
        grid, caption, cell, _joined(_DISPARITY_NOTE, f"Undefined ratios (∅): {undefined}." if undefined else "")
    )


def _calibration(numbers: Numbers) -> list[Block]:
    blocks: list[Block] = []
    for (measure, caption), note in zip(_CALIBRATION, _CALIBRATION_NOTES, strict=True):
        grid = _grid(numbers, measure)
        if any(d.after is not None or d.before is not None for own in grid.found.values() for d in own.values()):
            blocks += _tables(grid, caption, _change_cell, note)
    if blocks:
        return blocks
    why = listed_once(d.undefined for d in numbers.result.descriptions if d.measure == "expected_calibration_error")
    return [Prose(paragraphs=(f"Calibration is undefined: {why or 'it was not measured'}.",))]


def _of_variants(numbers: Numbers) -> list[Table]:
    """Put what is one number a variant into one table."""
    found = {(d.variant, d.measure): d for d in numbers.result.descriptions if not d.group and not d.family}
    measures: tuple[Measure, ...] = ("cev", "sde", "recall_distortion", "ambiguity", "discrepancy")
    rows = []
    for variant in numbers.variants:
        own = [found.get((variant, measure)) for measure in measures]
        amplified = (_amplified(numbers, variant),) if numbers.groups else ()
        rows.append((Cell(text=words.name(variant)), *map(_variant_cell, own), *amplified))
    of_groups = ("Most amplified group",) if numbers.groups else ()
    headings = ("CEV", "SDE", "Recall distortion", "Ambiguity", "Discrepancy", *of_groups)
    note = _joined(_VARIANT_NOTE, reasons(d for (_, measure), d in found.items() if measure in measures))
    columns = (Column(heading="Variant"), *(Column(heading=h, numeric=h not in of_groups) for h in headings))
    return [Table(caption="Every variant in a few numbers", columns=columns, rows=tuple(rows), note=note)]


def _variant_cell(d: Description | None) -> Cell:
    if d is None:
        return Cell(text="not measured", tone="muted")
    if d.measure in {"ambiguity", "discrepancy"}:
        return _change_cell(d)
    return _cell("" if d.value is None else words.ratio(d.value), "")


def _amplified(numbers: Numbers, variant: str) -> Cell:
    """Name the group whose share of positive decisions grew most beyond the baseline's, in points."""
    own = (d for d in numbers.result.descriptions if (d.variant, d.measure) == (variant, "bias_amplification"))
    known = [d for d in own if d.value is not None]
    if not known:
        return _cell("", "")
    most = max(known, key=lambda d: d.value or 0.0)
    return _cell(words.points(most.value or 0.0), words.group_of(most.group))
