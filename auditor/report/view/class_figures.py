"""Pictures of the class test: a row a class where they are few, a curve by rank where they are many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from auditor.records import EVERYBODY
from auditor.report.view import words
from auditor.report.view.blocks import Figure
from auditor.report.view.panels import Ranked, Shift, Shifts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from auditor.records import ClassTest

LEVEL = 0.05
"""Of the test as published (Hooker et al. 2019)."""
CORRECTIONS = {"holm": "Holm", "bh": "BH", "max_t": "max-T"}
_VARIANTS_DRAWN = 2
_FEW = 10
"""Rows of a panel; with more classes it is a curve."""
_NAMED = 3
"""Classes that a curve names at either end."""


def discovered(test: ClassTest, chosen: str) -> bool:
    """Tell whether the declared correction leaves the test significant."""
    p = {"holm": test.p_holm, "bh": test.p_bh, "max_t": test.p_max_t}.get(chosen)
    return p is not None and p <= LEVEL


def moved(tests: Sequence[ClassTest], chosen: str, way: Literal["lose", "gain"]) -> list[float]:
    """Give the shifts that were discovered, of those that lose or of those that gain."""
    found = (test.shift for test in tests if test.shift is not None and discovered(test, chosen))
    return [shift for shift in found if (shift < 0) is (way == "lose")]


def class_figure(by_variant: Mapping[str, list[ClassTest]], chosen: str) -> Figure:
    """Draw the shifts of the first variants, from their tests per member; `chosen` is the declared correction."""
    drawn = list(by_variant)[:_VARIANTS_DRAWN]
    classes = max(sum(test.group == EVERYBODY for test in by_variant[variant]) for variant in drawn)
    ranked = classes > _FEW
    about = "classes" if ranked else "classes and groups"
    note = (
        f"Triangles: discovered after {CORRECTIONS.get(chosen, chosen)}, pointing down for a loss and up for a gain. "
    )
    note += "The curve is of all classes. " if ranked else "Hollow: not discovered, which is no proof of no shift. "
    note += "No intervals: the test takes the test examples as given."
    of_groups = {test.label for variant in drawn for test in by_variant[variant] if test.group != EVERYBODY}
    if len(of_groups) == 1 and not ranked:
        note += f" Of groups: recall of {words.quoted(of_groups.pop())}."
    if len(by_variant) > len(drawn):
        note += (
            f" Drawn are {len(drawn)} of {len(by_variant)} variants, first those with the largest discovered losses."
        )
    panels = (_ranked(v, by_variant[v], chosen) if ranked else _few(v, by_variant[v], chosen) for v in drawn)
    return Figure(
        caption=f"Shift of recall relative to overall accuracy, {about}, lowest first",
        axis="points",
        panels=tuple(panels),
        note=note,
    )


def who(test: ClassTest) -> str:
    """Name a class, with its group where it is not everybody's."""
    return words.quoted(test.label) + ("" if test.group == EVERYBODY else f", {words.group(test.group)}")


def p_of(test: ClassTest | None) -> float:
    """Give p to sort by; what has none comes last."""
    return 2.0 if test is None or test.p is None else test.p


def _few(variant: str, tests: list[ClassTest], chosen: str) -> Shifts:
    """Draw every class, and the groups of smallest p as far as there is room."""
    ordered = sorted(tests, key=lambda test: (test.group != EVERYBODY, p_of(test)))[:_FEW]
    ordered.sort(key=lambda test: (test.shift is None, test.shift or 0.0))
    of_groups = {test.label for test in tests if test.group != EVERYBODY}
    names = words.groups(test.group for test in ordered)
    marks = (
        Shift(
            label=who(t) if t.group == EVERYBODY or len(of_groups) > 1 else names[t.group],
            value=None if t.shift is None else 100 * t.shift,
            found=discovered(t, chosen),
        )
        for t in ordered
    )
    return Shifts(title=_title(variant, tests, chosen), alt=_alt(variant, tests, chosen), marks=tuple(marks))


def _ranked(variant: str, tests: list[ClassTest], chosen: str) -> Ranked:
    known = sorted(_classes_known(tests), key=lambda test: test.shift or 0.0)
    classes = [test for test in tests if test.group == EVERYBODY]
    return Ranked(
        title=_title(variant, classes, chosen),
        alt=_alt(variant, classes, chosen),
        values=tuple((100 * (test.shift or 0.0), discovered(test, chosen)) for test in known),
        lowest=("lowest:", *map(_named, known[:_NAMED])),
        highest=("highest:", *map(_named, reversed(known[-_NAMED:]))),
    )


def _classes_known(tests: list[ClassTest]) -> list[ClassTest]:
    return [test for test in tests if test.group == EVERYBODY and test.shift is not None]


def _named(test: ClassTest) -> str:
    return f"{words.name(test.label)} {words.points(test.shift or 0.0)}"


def _title(variant: str, tests: list[ClassTest], chosen: str) -> str:
    if all(test.p is None for test in tests):
        return f"{words.name(variant)}: nothing could be tested"
    lose, gain = (len(moved(tests, chosen, way)) for way in ("lose", "gain"))
    return f"{words.name(variant)}: {lose:,} lose, {gain:,} gain"


def _alt(variant: str, tests: list[ClassTest], chosen: str) -> str:
    known = sorted((test for test in tests if test.shift is not None), key=lambda test: test.shift or 0.0)
    if not known:
        return f"{words.name(variant)}: shifts are undefined."
    ends = (f"{words.points(t.shift or 0.0)} points ({who(t)})" for t in (known[0], known[-1]))
    return f"{_title(variant, tests, chosen)} of {len(known):,}. Shifts from {' to '.join(ends)}."
