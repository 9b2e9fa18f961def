"""Pictures of exemplars: how many beside chance, accuracy on and off them, and in which groups they are many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.records import EVERYBODY
from auditor.report.view import words
from auditor.report.view.blocks import Figure, Mark
from auditor.report.view.panels import Pair, Pairs, Ratios

if TYPE_CHECKING:
    from collections.abc import Callable

    from auditor.records import ExemplarGroup, Exemplars, GroupKey, Label

    Place = tuple[GroupKey, Label | None]
    """A group, or a class of everybody."""

_VARIANTS = 12
_GROUPS_OF = 2
"""Variants whose groups are drawn."""
_ROWS = 9
"""Groups of a panel."""
_SMALL = 100
_TOLD = 3
"""Variants that a text alternative spells out."""


def place_name(row: ExemplarGroup) -> str:
    """Name a group with its attribute, or a class."""
    return words.group_of(row.group) if row.label is None else f"labelled {words.quoted(row.label)}"


def is_everybody(row: ExemplarGroup) -> bool:
    """Tell the row of all examples from those of groups, and of classes of everybody."""
    return row.group == EVERYBODY and row.label is None


def places_of(one: Exemplars) -> tuple[ExemplarGroup, ...]:
    """Give the groups, and the classes of everybody: all that can be more or less than everybody."""
    return tuple(row for row in one.by_group if not is_everybody(row))


def by_over_indexing(row: ExemplarGroup) -> tuple[bool, float, float]:
    """Order groups, then classes, by what is shown of over-indexing, the lower limit, then by the estimate."""
    low, value = row.over_indexing_low, row.over_indexing
    return (row.label is not None, 1.0 if low is None else -low, 1.0 if value is None else -value)


# --------------------------------------------------------------------------------------------------------------- chance


def chance_figure(found: tuple[Exemplars, ...]) -> Figure:
    """Draw observed shares beside those by chance, and accuracy on the exemplars; the most telling variants.

    There are no intervals: a draw of members with replacement holds fewer distinct ones, and small populations differ
    more, so that a bootstrap's interval may lie wholly above what was observed.
    """
    drawn, hidden = found[:_VARIANTS], len(found) - _VARIANTS
    unknown = sum(one.halves is None for one in drawn)
    note = "Stroke: whole populations."
    if unknown < len(drawn):
        note += (
            " They differ less than their halves: circle and square. Whether these are apart by more than chance, the "
            "p of the excess tells."
        )
    if unknown:
        note += f" Chance undefined for {words.plural(unknown, 'variant')}: the stroke alone does not tell compression "
        note += "from seeds."
    if hidden > 0:
        note += f" Not drawn: {words.plural(hidden, 'variant')} of less excess, or of unknown excess."
    return Figure(
        caption="Share of exemplars, observed and by chance, and accuracy on the exemplars, by variant",
        axis="%",
        panels=(_chance_panel(drawn), _accuracy_panel(drawn)),
        note=note,
    )


def _chance_panel(drawn: tuple[Exemplars, ...]) -> Pairs:
    return Pairs(
        title="Share of exemplars",
        alt="Share of exemplars between halves of populations. " + _told(drawn, _chance_in_words),
        names=("by chance", "observed"),
        whole="whole populations",
        rows=tuple(_chance_pair(one) for one in drawn),
        from_zero=True,
    )


def _chance_pair(one: Exemplars) -> Pair:
    return Pair(
        label=words.name(one.variant),
        first=None if one.expected is None else 100 * one.expected,
        second=None if one.halves is None else 100 * one.halves.between,
        whole=100 * one.rate,
        missing="chance undefined",
    )


def _chance_in_words(one: Exemplars) -> str:
    if one.halves is None or one.expected is None:
        return f"{words.name(one.variant)}: chance undefined, {words.rate(one.rate, 2)} of whole populations."
    observed, chance = words.rate(one.halves.between, 2), words.rate(one.expected, 2)
    return f"{words.name(one.variant)}: {observed} observed, {chance} by chance."


def _told(drawn: tuple[Exemplars, ...], say: Callable[[Exemplars], str]) -> str:
    left = len(drawn) - _TOLD
    return " ".join([*map(say, drawn[:_TOLD]), *([f"{left} more in the table."] if left > 0 else [])])


def _accuracy_panel(drawn: tuple[Exemplars, ...]) -> Pairs:
    def pair(one: Exemplars) -> Pair:
        before, after = (None, None) if one.accuracy_on is None else one.accuracy_on
        return Pair(
            label=words.name(one.variant),
            first=None if before is None else 100 * before,
            second=None if after is None else 100 * after,
            missing="no exemplars",
        )

    return Pairs(
        title="Accuracy on them",
        alt="Accuracy on the exemplars, from baseline to variant. " + _told(drawn, _accuracy_in_words),
        names=("baseline", "variant"),
        rows=tuple(map(pair, drawn)),
    )


def _accuracy_in_words(one: Exemplars) -> str:
    if one.accuracy_on is None:
        return f"{words.name(one.variant)}: no exemplars."
    before, after = map(words.rate, one.accuracy_on)
    off = "" if one.accuracy_off is None else f"; off them {' to '.join(map(words.rate, one.accuracy_off))}"
    return f"{words.name(one.variant)}: {before} to {after}{off}."


# -------------------------------------------------------------------------------------------------------- over-indexing


def over_indexing_figure(found: tuple[Exemplars, ...]) -> tuple[Figure, ...]:
    """Draw over-indexing with its limits, for the most telling variants of which any is known."""
    known = [one for one in found if any(row.over_indexing is not None for row in places_of(one))]
    if not known:
        return ()
    places = _places_drawn(known[:_GROUPS_OF])
    hidden = len(places) - _ROWS
    note = (
        "1 is as expected: the same share of the exemplars as of all examples. Intervals: score limits given these "
        f"models. Hollow: fewer than {_SMALL} examples. Triangle at the edge: 0, or off the axis."
    )
    if hidden > 0:
        note += f" Not drawn: {words.plural(hidden, 'more group or class', 'more groups and classes')}."
    return (
        Figure(
            caption="Over-indexing by group, then by class: most first, by the lower limit",
            axis="times as many as expected",
            panels=tuple(_ratio_panel(one, places[:_ROWS]) for one in known[:_GROUPS_OF]),
            note=note,
        ),
    )


def _places_drawn(drawn: list[Exemplars]) -> list[Place]:
    """Order groups by the most over-indexing that any of these variants shows."""
    ranked = sorted((row for one in drawn for row in places_of(one)), key=by_over_indexing)
    return list(dict.fromkeys((row.group, row.label) for row in ranked))


def _ratio_panel(one: Exemplars, places: list[Place]) -> Ratios:
    rows, names = {(row.group, row.label): row for row in places_of(one)}, words.groups(group for group, _ in places)
    labels = [names[group] if label is None else f"labelled {words.quoted(label)}" for group, label in places]
    marks = tuple(_ratio_mark(label, rows.get(place)) for label, place in zip(labels, places, strict=True))
    known = sorted((rows[place] for place in places if place in rows), key=by_over_indexing)
    said = "; ".join(f"{place_name(row)} {over_in_words(row)}" for row in known[:_TOLD])
    return Ratios(
        title=f"{words.name(one.variant)}, {words.plural(one.count, 'exemplar')}",
        alt=f"Over-indexing with {words.name(one.variant)}, most first: {said}.",
        marks=marks,
    )


def _ratio_mark(label: str, row: ExemplarGroup | None) -> Mark:
    if row is None:
        return Mark(label=label, value=None)
    limits = row.over_indexing_low, row.over_indexing_high
    return Mark(label=label, value=row.over_indexing, low=limits[0], high=limits[1], small=row.n < _SMALL)


def over_in_words(row: ExemplarGroup) -> str:
    """Give over-indexing with its limits, such as "×1.20 [0.96, 1.50]"; the word where it is undefined."""
    if row.over_indexing is None:
        return "undefined"
    return "×" + with_limits(row.over_indexing, row.over_indexing_low, row.over_indexing_high)


def with_limits(ratio: float, low: float | None, high: float | None) -> str:
    """Give a ratio on one line with its limits, where it has any."""
    limits = "" if low is None or high is None else f"\N{NO-BREAK SPACE}[{low:.2f},\N{NO-BREAK SPACE}{high:.2f}]"
    return f"{ratio:.2f}{limits}"
