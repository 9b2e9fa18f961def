"""Tables about exemplars beyond their number: by group with odds, changed decisions, and those to look at."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from auditor.data.thumbnails import PICTURED
from auditor.records import BASELINE
from auditor.report.view import words
from auditor.report.view.blocks import Cell, Column, Table
from auditor.report.view.exemplar_figures import (
    by_over_indexing,
    is_everybody,
    over_in_words,
    place_name,
    places_of,
    with_limits,
)
from auditor.report.view.further import listed_once

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.records import ExemplarGroup, Exemplars, GroupKey, OddsRatio

    Odds = dict[tuple[str, GroupKey, bool], OddsRatio]
    """By variant, group, and whether the margin is held fixed."""

LISTED = 400
"""Rows that a table of all variants and groups has; the rest is in result.json."""
_CHANGES_LISTED = 10
"""Groups a variant whose changed decisions are listed."""
_GROUPS_ON_PAPER, _CHANGES_ON_PAPER, _TOP_ON_PAPER = 7, 5, 3
_REFERENCES = 8
_LEVEL = 0.05


def p_cell(p: float | None) -> Cell:
    """Give a p value; grey where it is large."""
    if p is None:
        return Cell(text="undefined", tone="undefined")
    return Cell(text=words.p_value(p), tone="" if p <= _LEVEL else "muted")


# ---------------------------------------------------------------------------------------------------- changed decisions


def change_table(found: tuple[Exemplars, ...]) -> Table:
    """List whose decisions changed most beyond chance: everybody with every variant, then groups and classes."""
    whole = [(one, row) for one in found for row in one.by_group if is_everybody(row)]
    parts = [pair for one in found for pair in _most_changed(one)]
    parts.sort(key=lambda pair: _by_excess(pair[1]))
    listed = [*whole, *parts][:LISTED]
    left = sum(len(one.by_group) for one in found) - len(listed)
    headings = ("Group", "Variant", "Right to wrong", "Wrong to right", "Decided otherwise", "Excess, points")
    why = listed_once(row.excess_undefined for _, row in listed)
    return Table(
        caption="Changed decisions: everybody, then groups and classes, most excess first",
        columns=tuple(Column(heading=h, numeric=place > 1) for place, h in enumerate((*headings, "p", "max-T"))),
        rows=tuple(_change_row(one, row) for one, row in listed),
        on_paper=_CHANGES_ON_PAPER,
        note="Shares of all decisions, mean over pairs of a baseline's and a variant's model; models of one recipe "
        "differ too, and excess is what goes beyond. max-T: p corrected for all groups, or for all classes, of a "
        "variant."
        + (f" Undefined: {why}." if why else "")
        + (f" {left:,} more are in result.json." if left > 0 else ""),
    )


def _most_changed(one: Exemplars) -> list[tuple[Exemplars, ExemplarGroup]]:
    return [(one, row) for row in sorted(places_of(one), key=_by_excess)[:_CHANGES_LISTED]]


def _by_excess(row: ExemplarGroup) -> tuple[bool, float, float]:
    return (row.excess is None, -(row.excess or 0.0), -(row.churn or 0.0))


def _change_row(one: Exemplars, row: ExemplarGroup) -> tuple[Cell, ...]:
    changes = (row.negative_flips, row.positive_flips, row.churn)
    return (
        Cell(text="everybody" if is_everybody(row) else place_name(row)),
        Cell(text=words.name(one.variant)),
        *(_share_cell(x) for x in changes),
        Cell(text="undefined", tone="undefined") if row.excess is None else Cell(text=words.points(row.excess, 2)),
        p_cell(row.p),
        Cell(text="–", tone="muted") if is_everybody(row) else p_cell(row.p_max_t),
    )


def _share_cell(share: float | None) -> Cell:
    return Cell(text="undefined", tone="undefined") if share is None else Cell(text=words.rate(share, 2))


# ------------------------------------------------------------------------------------------------------------- by group


def group_table(found: tuple[Exemplars, ...]) -> Table:
    """List groups and classes of all variants: exemplars, over-indexing and odds, the most over-indexed first."""
    ranked = sorted(((one, row) for one in found for row in places_of(one)), key=lambda pair: by_over_indexing(pair[1]))
    odds: Odds = {(one.variant, o.group, o.given_margin): o for one in found for o in one.odds_ratios}
    listed, left = ranked[:LISTED], len(ranked) - LISTED
    headings = (
        "Group",
        "Variant",
        "n",
        "Exemplars",
        "Over-indexing",
        *(("Odds ratio", "given margin") if odds else ()),
    )
    return Table(
        caption="Exemplars by group: over-indexing and odds, the most over-indexed first; then by class",
        columns=tuple(Column(heading=heading, numeric=place > 1) for place, heading in enumerate(headings)),
        rows=tuple(_group_row(one, row, odds) for one, row in listed),
        on_paper=_GROUPS_ON_PAPER,
        note=_group_note([row for _, row in listed], odds, left),
    )


def _group_row(one: Exemplars, row: ExemplarGroup, odds: Odds) -> tuple[Cell, ...]:
    share = "" if row.rate is None else f" ({words.rate(row.rate)})"
    return (
        Cell(text=place_name(row)),
        Cell(text=words.name(one.variant)),
        Cell(text=f"{row.n:,}"),
        Cell(text=f"{row.count:,}{share}"),
        Cell(text=over_in_words(row), tone="" if row.over_indexing is not None else "undefined"),
        *(_odds_cells(one, row, odds) if odds else ()),
    )


def _odds_cells(one: Exemplars, row: ExemplarGroup, odds: Odds) -> tuple[Cell, ...]:
    """Give the odds ratio without and with the margin; a dash for what the regression has no term for."""
    pair = [None if row.label is not None else odds.get((one.variant, row.group, given)) for given in (False, True)]
    return tuple(_odds_cell(ratio) for ratio in pair)


def _odds_cell(ratio: OddsRatio | None) -> Cell:
    if ratio is None:
        return Cell(text="–", tone="muted")
    if ratio.value is None or ratio.low is None or ratio.high is None:
        return Cell(text="undefined", tone="undefined")
    return Cell(text=with_limits(ratio.value, ratio.low, ratio.high))


def _group_note(listed: list[ExemplarGroup], odds: Odds, left: int) -> str:
    note = (
        "Over-indexing: the group's share among exemplars over its share of the test set, with score limits given "
        "these models: how it would be with other models, they do not say. Each limit holds at the audit's confidence "
        "by itself, without a correction for how many there are, and chance exemplars are counted too."
    )
    if odds:
        references = dict.fromkeys(f"{o.reference} ({words.family(o.group[0][0])})" for o in odds.values())
        note += (
            f" Odds ratios: from one logistic regression on all attributes, to {_some(references)}; Wald limits. Given "
            "margin: the baseline's margin (largest minus second largest share) is held fixed too, for groups that the "
            "baseline finds hard hold exemplars without any bias of compression."
        )
    why = listed_once([row.over_indexing_undefined for row in listed] + [o.undefined for o in odds.values()])
    return (
        note
        + (f" Undefined, or without limits: {why}." if why else "")
        + (f" {left:,} more rows are in result.json." if left > 0 else "")
    )


def _some(names: Mapping[str, None]) -> str:
    """List reference groups, as many as a note has room for."""
    shown = [words.name(name) for name in names][:_REFERENCES]
    left = len(names) - len(shown)
    return words.listed([*shown, f"{left} more"] if left else shown)


# ----------------------------------------------------------------------------------------------------------- to look at


def top_table(found: tuple[Exemplars, ...], pictures: Mapping[str | int, bytes]) -> tuple[Table, ...]:
    """List the exemplars on which vote shares moved most, of the variant that has most exemplars."""
    one = max(found, key=lambda each: each.count, default=None)
    if one is None or not one.top:
        return ()
    grouped = ("Groups",) if any(each.group for each in one.top[:PICTURED]) else ()
    headings = ("Example", "Labelled", *grouped, f"{words.name(BASELINE)} decides", "Variant decides", "Score")
    rows = tuple(
        (
            Cell(text=words.name(each.example), picture=b64encode(pictures.get(each.example, b"")).decode()),
            Cell(text=words.quoted(each.label)),
            *(Cell(text=words.listed(words.name(group) for _, group in each.group[:6])) for _ in grouped),
            _decision(each.decision_baseline, each.share_baseline),
            _decision(each.decision, each.share),
            Cell(text=f"{each.score:.2f}"),
        )
        for each in one.top[:PICTURED]
    )
    note = (
        "Score (taxicab distance; Hooker et al. 2020): sum over classes of the difference between the shares of "
        "baseline and variant models that decide for the class; 0 is no change, 2 is all of them."
    )
    return (
        Table(
            caption=f"{words.name(one.variant)}: the exemplars to look at first",
            columns=tuple(Column(heading=heading, numeric=heading == headings[-1]) for heading in headings),
            rows=rows,
            on_paper=_TOP_ON_PAPER,
            note=f"{note} Up to 50 of every variant are in result.json.",
        ),
    )


def _decision(label: object, share: float) -> Cell:
    return Cell(text=f"“{words.name(label)}”", detail=f"{words.rate(share, 0)} of its models")
