"""Section about exemplars: which examples are decided otherwise, whose they are, and how much of it is chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.measure import MANY_GROUPS
from auditor.report.view import words
from auditor.report.view.blocks import Cell, Column, Prose, Section, Table
from auditor.report.view.class_tests import dealt_in_words
from auditor.report.view.exemplar_details import change_table, group_table, p_cell, top_table
from auditor.report.view.exemplar_figures import chance_figure, over_indexing_figure
from auditor.report.view.further import listed_once

if TYPE_CHECKING:
    from auditor.records import Exemplars
    from auditor.report.view.blocks import Block
    from auditor.report.view.numbers import Numbers

_ON_PAPER = 10
_ABOUT = (
    "An exemplar is a test example on which the most frequent decision of the variant's models differs from that of "
    "the baseline's (ties go to the class that stands last); no label is needed for it. Two populations of one recipe "
    "differ in some examples too: counts stand beside what chance gives, the variants of largest excess first."
)


def exemplar_section(numbers: Numbers) -> Section:
    """Tell which share of whose examples the variants decide otherwise than the baseline."""
    title, question = "Exemplars (PIEs)", "Which examples are decided otherwise, and whose are they?"
    found = most_telling(numbers.result.exemplars)
    if not found:
        nothing = Prose(paragraphs=("No exemplars were sought.",))
        return Section(id="exemplars", title=title, question=question, blocks=(nothing,))
    many = (f"With more than {MANY_GROUPS} groups, intersections are left out.",)
    blocks: tuple[Block, ...] = (
        Prose(paragraphs=(_ABOUT, *(many if len(numbers.groups) >= MANY_GROUPS else ()))),
        chance_figure(found),
        _chance_table(found),
        change_table(found),
        *over_indexing_figure(found),
        group_table(found),
        *top_table(found, numbers.result.thumbnails),
    )
    return Section(id="exemplars", title=title, question=question, blocks=blocks)


def most_telling(found: tuple[Exemplars, ...]) -> tuple[Exemplars, ...]:
    """Order variants by their excess over chance; those of which it is unknown last, by their share of exemplars."""
    return tuple(sorted(found, key=lambda one: (one.excess is None, -(one.excess or 0.0), -one.rate)))


def _chance_table(found: tuple[Exemplars, ...]) -> Table:
    """Set what was observed beside what two populations of one recipe give, and accuracy on and off the exemplars."""
    headings = (
        *("Variant", "Number", "Halves: across", "within baseline", "within variant"),
        *("Excess, points", "p", "Accuracy on them", "off them"),
    )
    told = dealt_in_words({one.variant: one.deals for one in found})
    why = listed_once(reason for one in found for reason in (one.halves_undefined, one.excess_undefined))
    return Table(
        caption="How many exemplars there are, how much of it is chance, and accuracy on and off them",
        columns=tuple(Column(heading=heading, numeric=0 < place < 7) for place, heading in enumerate(headings)),
        rows=tuple(_chance_row(one) for one in found),
        on_paper=_ON_PAPER,
        note="Halves: each population is cut in two at random, many times, so that the three shares are of equal "
        "numbers of models; the two within come of seeds alone. Halves differ more than whole populations do. Excess: "
        "how much more often a model of the variant disagrees with one of the baseline than two of one population do; "
        "about 0 if compression changes nothing beyond seeds. Its p is from deals of the models"
        + (f" ({told})" if told else "")
        + ". A small p says that decisions changed, not that it is harm."
        + (f" Undefined: {why}." if why else ""),
    )


def _chance_row(one: Exemplars) -> tuple[Cell, ...]:
    return (
        Cell(text=words.name(one.variant)),
        Cell(text=f"{one.count:,}\N{NO-BREAK SPACE}({words.rate(one.rate, 2)})"),
        *_half_cells(one),
        Cell(text="undefined", tone="undefined") if one.excess is None else Cell(text=words.points(one.excess, 2)),
        p_cell(one.p),
        *(_accuracy_cell(pair) for pair in (one.accuracy_on, one.accuracy_off)),
    )


def _half_cells(one: Exemplars) -> tuple[Cell, ...]:
    if one.halves is None:
        return (Cell(text="undefined", tone="undefined"),) * 3
    return tuple(Cell(text=words.rate(x, 2)) for x in (one.halves.between, one.halves.baseline, one.halves.variant))


def _accuracy_cell(accuracy: tuple[float, float] | None) -> Cell:
    """Give the baseline's accuracy and the variant's; None where there are no such examples."""
    if accuracy is None:
        return Cell(text="undefined", tone="undefined")
    return Cell(text="\N{NO-BREAK SPACE}→\N{NO-BREAK SPACE}".join(map(words.rate, accuracy)))
