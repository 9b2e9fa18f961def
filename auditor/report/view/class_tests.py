"""Section about the class test: which classes and groups moved apart from overall accuracy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.records import EVERYBODY
from auditor.report.view import words
from auditor.report.view.blocks import Cell, Column, Prose, Section, Table
from auditor.report.view.rates import ROWS_LISTED
from auditor.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.records import ClassTest, ClassTestFamily, Deals, GroupKey, Label
    from auditor.report.view.blocks import Block
    from auditor.report.view.numbers import Numbers

LEVEL = 0.05
"""Of the test as published (Hooker et al. 2019)."""
_TESTS_LISTED, _TESTS_ON_PAPER = 10, 3
"""Tests listed a variant; all are counted."""
_COUNTS_ON_PAPER = 10
_CORRECTIONS = {"holm": "Holm", "bh": "BH", "max_t": "max-T"}
_Subject = tuple[str, "Label", "GroupKey"]


def test_section(numbers: Numbers) -> Section:
    """Tell which classes' and groups' recall moved apart from overall accuracy."""
    tests = numbers.result.class_tests
    blocks: tuple[Block, ...] = (Prose(paragraphs=("No test was made: it needs populations of models.",)),)
    if tests:
        chosen = str(numbers.result.definition["statistics"]["discovery"])
        families = numbers.result.class_test_families
        about = Prose(paragraphs=(_ABOUT, *_power(families), *_dealt(families)))
        blocks = (about, _counts_table(tests, families, chosen), *_test_tables(tests, chosen))
    question = "Did a class or a group move apart from the average?"
    return Section(id="class-test", title="Class test", question=question, blocks=blocks)


_ABOUT = (
    "Recall of a class (or of a group's members of a class), relative to overall accuracy, is compared between the "
    "models of the variant and those of the baseline (t-test; Hooker et al. 2019). “Per member” relates each model to "
    "its own accuracy; “published” to its population's mean, as in the paper. The test takes the test examples as "
    "given: it speaks of these examples, not of others."
)


def _power(families: tuple[ClassTestFamily, ...]) -> tuple[str, ...]:
    """Say what one test can find, for the variants that have tests."""
    found = {family.variant: family.detectable for family in families if family.detectable is not None}
    if not found:
        return ()
    by_size: dict[str, list[str]] = {}
    for variant, detectable in found.items():
        by_size.setdefault(f"{detectable:.2f}", []).append(words.name(variant))
    parts = [f"{size} ({words.listed(variants)})" for size, variants in by_size.items()]
    sentence = (
        f"One test at {LEVEL}, uncorrected, finds four times in five a shift of so many standard deviations between "
        f"models of one recipe: {words.listed(parts)}. Smaller shifts often go unseen: no finding is no proof of none."
    )
    return (sentence,)


def _dealt(families: tuple[ClassTestFamily, ...]) -> tuple[str, ...]:
    told = dealt_in_words({family.variant: family.deals for family in families})
    if not told:
        return ()
    sentence = (
        "“By chance” and max-T come from deals: the same tests after the models were told apart as baseline and "
        f"variant at random. {told}."
    )
    return (sentence,)


def dealt_in_words(dealt: Mapping[str, Deals | None]) -> str:
    """Say how the models of each variant were dealt, once for all that were dealt alike; empty where none were."""
    told: dict[str, list[str]] = {}
    for variant, deals in dealt.items():
        if deals is not None:
            told.setdefault(_deals_in_words(deals), []).append(words.name(variant))
    return "; ".join(f"{words.listed(variants)}: {how}" for how, variants in told.items())


def _deals_in_words(deals: Deals) -> str:
    kind = ("deal" if deals.kind == "deals" else "swap within pairs", deals.kind)
    many = f"all {words.plural(deals.count, *kind)}" if deals.enumerated else f"{deals.count:,} random {kind[1]}"
    return f"{many}, so no p is below {deals.smallest_p:.2g}"


def _counts_table(tests: tuple[ClassTest, ...], families: tuple[ClassTestFamily, ...], chosen: str) -> Table:
    rows = []
    for family in sorted(families, key=lambda one: one.published):
        of_groups = family.about == "groups"
        own = [
            t for t in tests if (t.variant, bool(t.group), t.published) == (family.variant, of_groups, family.published)
        ]
        columns = ((t.p for t in own), (t.p_holm for t in own), (t.p_bh for t in own), (t.p_max_t for t in own))
        uncorrected, *corrected = (Cell(text=f"{sum(p is not None and p <= LEVEL for p in ps):,}") for ps in columns)
        rows.append(
            (
                Cell(text=words.name(family.variant)),
                Cell(text=f"{family.about}, {'published' if family.published else 'per member'}"),
                Cell(text=f"{family.tested:,}"),
                Cell(text=f"{len(own) - family.tested:,}"),
                uncorrected,
                _expected(family),
                *corrected,
            )
        )
    corrections = (f"after {name}" for name in _CORRECTIONS.values())
    headings = ("Variant", "Tests of", "Tested", "Undefined", f"p ≤ {LEVEL}", "By chance", *corrections)
    return Table(
        caption=f"How many tests are significant at {LEVEL}: uncorrected, expected by chance alone, and corrected",
        columns=tuple(Column(heading=heading, numeric=place > 1) for place, heading in enumerate(headings)),
        rows=tuple(rows),
        on_paper=_COUNTS_ON_PAPER,
        note="Each correction is for the tests of one row, not for all rows. Holm and max-T: at most a 5% chance of "
        "any false finding. BH (Benjamini and Hochberg): at most 5% of the findings are false, on average. max-T takes "
        "its p from deals, not from Student's t, so that it may find more than the uncorrected tests. By chance: how "
        "many of the uncorrected ones there would be, on average, if compression did nothing. Discovered here means: "
        f"at most {LEVEL} after {_CORRECTIONS.get(chosen, chosen)}.",
    )


def _expected(family: ClassTestFamily) -> Cell:
    if family.expected is None:
        return Cell(text="undefined", detail=clean(family.undefined or "", 200), tone="undefined")
    return Cell(text=f"{family.expected:.1f}")


def _test_tables(tests: tuple[ClassTest, ...], chosen: str) -> tuple[Table, ...]:
    by_subject: dict[_Subject, dict[bool, ClassTest]] = {}
    for test in tests:
        by_subject.setdefault((test.variant, test.label, test.group), {})[test.published] = test
    tables = []
    headings = ("Class and group", "Shift, points", "p", *_CORRECTIONS.values(), "Published: shift", "p")
    for variant in dict.fromkeys(test.variant for test in tests):
        own = {subject: pair for subject, pair in by_subject.items() if subject[0] == variant}
        ordered = sorted(own, key=lambda subject: _p_of(own[subject].get(False)))
        left = len(ordered) - _TESTS_LISTED
        paired = any(test.paired for pair in own.values() for test in pair.values())
        tables.append(
            Table(
                caption=f"{words.name(variant)}: tests, smallest p first ({'paired' if paired else 'Welch'} t-test)",
                columns=tuple(Column(heading=heading, numeric=place > 0) for place, heading in enumerate(headings)),
                rows=tuple(_test_row(subject, own[subject], chosen) for subject in ordered[:_TESTS_LISTED]),
                on_paper=_TESTS_ON_PAPER,
                note=_test_note([test for pair in own.values() for test in pair.values()], left),
            )
        )
    return tuple(tables)


def _test_note(tests: list[ClassTest], left: int) -> str:
    reasons = dict.fromkeys(clean(test.undefined or "", 200) for test in tests if test.p is None)
    notes = [f"Undefined: {'; '.join(list(reasons)[:ROWS_LISTED])}."] if reasons else []
    notes += [f"{left:,} more tests, with larger p, are in result.json."] if left > 0 else []
    return " ".join(notes)


def _p_of(test: ClassTest | None) -> float:
    return 2.0 if test is None or test.p is None else test.p


def _test_row(subject: _Subject, pair: dict[bool, ClassTest], chosen: str) -> tuple[Cell, ...]:
    _, label, group = subject
    own, published = pair.get(False), pair.get(True)
    who = words.quoted(label) + ("" if group == EVERYBODY else f", {words.group(group)}")
    corrected = {"holm": own.p_holm, "bh": own.p_bh, "max_t": own.p_max_t} if own else dict.fromkeys(_CORRECTIONS)
    return (
        Cell(text=who),
        _shift_cell(own),
        _p_cell(own.p if own else None),
        *(_p_cell(p, decides=key == chosen) for key, p in corrected.items()),
        _shift_cell(published),
        _p_cell(published.p if published else None),
    )


def _shift_cell(test: ClassTest | None) -> Cell:
    if test is None:
        return Cell(text="not made", tone="muted")
    if test.shift is None:
        return Cell(text="undefined", tone="undefined")
    return Cell(text=words.points(test.shift))


def _p_cell(p: float | None, *, decides: bool = False) -> Cell:
    if p is None:
        return Cell(text="undefined", tone="undefined")
    found = p <= LEVEL
    return Cell(text=words.p_value(p), detail="discovered" if decides and found else "", tone="" if found else "muted")
