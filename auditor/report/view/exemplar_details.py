"""Tables about exemplars beyond their number: odds, changed decisions by group, and those to look at."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from auditor.data.thumbnails import PICTURED
from auditor.records import BASELINE, EVERYBODY
from auditor.report.view import words
from auditor.report.view.blocks import Cell, Column, Table
from auditor.report.view.further import listed_once
from auditor.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.records import ExemplarGroup, Exemplars, GroupKey, OddsRatio

_GROUPS_LISTED, _GROUPS_ON_PAPER = 10, 4
_ODDS_LISTED = 24
_TOP_ON_PAPER = 8
_LEVEL = 0.05


def p_cell(p: float | None, reason: str = "") -> Cell:
    """Give a p value; grey where it is large."""
    if p is None:
        return Cell(text="undefined", detail=reason, tone="undefined")
    return Cell(text=words.p_value(p), tone="" if p <= _LEVEL else "muted")


def odds_table(found: tuple[Exemplars, ...]) -> tuple[Table, ...]:
    """Set the odds of being an exemplar by group, without and with the margin; one cell a variant."""
    by_variant = [{(o.group, o.given_margin): o for o in one.odds_ratios} for one in found]
    groups: list[GroupKey] = list(dict.fromkeys(o.group for one in found for o in one.odds_ratios))
    if not groups:
        return ()
    references = {o.group: o.reference for one in found for o in one.odds_ratios}
    left = len(groups) - _ODDS_LISTED
    rows = tuple(
        (
            Cell(text=words.group_of(group), detail=f"against {words.name(references[group])}"),
            *(_odds_cell(own.get((group, False)), own.get((group, True))) for own in by_variant),
        )
        for group in groups[:_ODDS_LISTED]
    )
    note = (
        "From one logistic regression on all attributes, so that each group is compared with its attribute's reference "
        "group with the other attributes held fixed. Below, the baseline's margin (largest minus second largest share) "
        "is held fixed too: groups that the baseline finds hard hold exemplars without any bias of compression. Wald "
        "limits, given these models."
    )
    shown = [{o.group for o in one.odds_ratios if o.value is not None} for one in found]
    given = [o for one, own in zip(found, shown, strict=True) for o in one.odds_ratios if o.group in own]
    if why := listed_once(o.undefined for o in given if o.given_margin):
        note += f" Undefined given the margin: {why}."
    return (
        Table(
            caption="Odds of being an exemplar, as odds ratios to the reference group",
            columns=(
                Column(heading="Group"),
                *(Column(heading=words.name(one.variant), numeric=True) for one in found),
            ),
            rows=rows,
            note=note + (f" {left:,} more groups are in result.json." if left > 0 else ""),
        ),
    )


def _odds_cell(without: OddsRatio | None, given: OddsRatio | None) -> Cell:
    if without is None or without.value is None:
        reason = clean(without.undefined or "", 120) if without else ""
        return Cell(text="undefined", detail=reason, tone="undefined")
    margin = _odds(given) if given is not None and given.value is not None else "undefined"
    return Cell(text=_odds(without), detail=f"given the margin: {margin}")


def _odds(ratio: OddsRatio) -> str:
    if ratio.value is None or ratio.low is None or ratio.high is None:
        return "undefined"
    return f"{ratio.value:.2f} [{ratio.low:.2f},\N{NO-BREAK SPACE}{ratio.high:.2f}]"


def change_tables(found: tuple[Exemplars, ...]) -> tuple[Table, ...]:
    """List for each variant the groups and classes whose decisions changed most beyond chance."""
    return tuple(_change_table(one) for one in found if one.by_group)


def _change_table(one: Exemplars) -> Table:
    places = sorted(one.by_group[1:], key=lambda row: (row.excess is None, -(row.excess or 0.0), -(row.churn or 0.0)))
    listed, left = (one.by_group[0], *places[:_GROUPS_LISTED]), len(places) - _GROUPS_LISTED
    headings = ("Group", "Right to wrong", "Wrong to right", "Decided otherwise", "Excess, points", "p", "max-T")
    reasons = dict.fromkeys(clean(r.excess_undefined, 200) for r in listed if r.excess_undefined)
    return Table(
        caption=f"{words.name(one.variant)}: changed decisions by group, most excess first",
        columns=tuple(Column(heading=heading, numeric=place > 0) for place, heading in enumerate(headings)),
        rows=tuple(_change_row(row) for row in listed),
        on_paper=_GROUPS_ON_PAPER,
        note="Shares of all decisions, mean over pairs of a baseline's and a variant's model; models of one recipe "
        "differ too, and excess is what goes beyond. max-T: p corrected for all groups, or for all classes."
        + (f" Undefined: {'; '.join(reasons)}." if reasons else "")
        + (f" {left:,} more are in result.json." if left > 0 else ""),
    )


def _change_row(row: ExemplarGroup) -> tuple[Cell, ...]:
    who = words.group_of(row.group) if row.label is None else f"labelled {words.quoted(row.label)}"
    changes = (row.negative_flips, row.positive_flips, row.churn)
    corrected = Cell(text="–", tone="muted") if row.group == EVERYBODY and row.label is None else p_cell(row.p_max_t)
    return (
        Cell(text=who),
        *(_share_cell(x) for x in changes),
        Cell(text="undefined", tone="undefined") if row.excess is None else Cell(text=words.points(row.excess, 2)),
        p_cell(row.p),
        corrected,
    )


def _share_cell(share: float | None) -> Cell:
    return Cell(text="undefined", tone="undefined") if share is None else Cell(text=words.rate(share, 2))


def top_table(found: tuple[Exemplars, ...], pictures: Mapping[str | int, bytes]) -> tuple[Table, ...]:
    """List the exemplars on which vote shares moved most, of the variant that has most exemplars."""
    one = max(found, key=lambda each: each.count, default=None)
    if one is None or not one.top:
        return ()
    headings = ("Example", "Labelled", "Groups", f"{words.name(BASELINE)} decides", "Variant decides", "Score")
    rows = tuple(
        (
            Cell(text=words.name(each.example), picture=b64encode(pictures.get(each.example, b"")).decode()),
            Cell(text=words.quoted(each.label)),
            Cell(text=words.listed(words.name(group) for _, group in each.group[:6])),
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
            columns=tuple(Column(heading=heading, numeric=place == 5) for place, heading in enumerate(headings)),
            rows=rows,
            on_paper=_TOP_ON_PAPER,
            note=f"{note} Up to 50 of every variant are in result.json.",
        ),
    )


def _decision(label: object, share: float) -> Cell:
    return Cell(text=f"“{words.name(label)}”", detail=f"{words.rate(share, 0)} of its models")
