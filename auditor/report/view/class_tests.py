"""Section about the class test: which classes and groups moved apart from overall accuracy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.records import EVERYBODY
from auditor.report.view import words
from auditor.report.view.blocks import Cell, Column, Prose, Section, Table
from auditor.report.view.class_figures import CORRECTIONS, LEVEL, class_figure, discovered, moved, p_of, who
from auditor.report.view.further import listed_once

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.records import ClassTest, ClassTestFamily, Deals, GroupKey, Label
    from auditor.report.view.blocks import Block
    from auditor.report.view.numbers import Numbers

_LISTED, _AT_LEAST = 400, 10
"""Tests listed of all variants together, and of each; all are counted."""
_NAMED = 6
_TESTS_ON_PAPER, _COUNTS_ON_PAPER = 4, 6
_Subject = tuple[str, "Label", "GroupKey"]


def test_section(numbers: Numbers) -> Section:
    """Tell which classes' and groups' recall moved apart from overall accuracy."""
    tests = numbers.result.class_tests
    blocks: tuple[Block, ...] = (Prose(paragraphs=("No test was made: it needs populations of models.",)),)
    if tests:
        chosen = str(numbers.result.definition["statistics"]["discovery"])
        families = numbers.result.class_test_families
        by_variant = _most_moved(tests, chosen)
        about = Prose(paragraphs=(_ABOUT, *_as_published(by_variant, chosen), *_power(families)))
        figure = class_figure(by_variant, chosen)
        blocks = (about, figure, _counts_table(tests, families, chosen, list(by_variant)), _tests_table(tests, chosen))
    question = "Did a class or a group move apart from the average?"
    return Section(id="class-test", title="Class test", question=question, blocks=blocks)


def _most_moved(tests: tuple[ClassTest, ...], chosen: str) -> dict[str, list[ClassTest]]:
    """Give every variant's tests per member, or as published where there are no others; the worst discovery first."""
    own: dict[tuple[str, bool], list[ClassTest]] = {}
    for test in tests:
        own.setdefault((test.variant, test.published), []).append(test)
    first = {variant: own.get((variant, False)) or own[variant, True] for variant, _ in own}

    def telling(variant: str) -> tuple[float, float]:
        return min(moved(first[variant], chosen, "lose"), default=0.0), min(map(p_of, first[variant]))

    return {variant: first[variant] for variant in sorted(first, key=telling)}


def _as_published(by_variant: Mapping[str, list[ClassTest]], chosen: str) -> tuple[str, ...]:
    """Name the variants with which fewer classes lose than gain, but lose more: what the paper found."""
    named = []
    for variant, tests in by_variant.items():
        classes = [test for test in tests if test.group == EVERYBODY]
        lose, gain = (moved(classes, chosen, way) for way in ("lose", "gain"))
        if lose and len(lose) < len(gain) and -sum(lose) / len(lose) > sum(gain) / len(gain):
            named.append(words.name(variant))
    if not named:
        return ()
    return (f"As in the paper, fewer classes lose than gain, but the losses are larger: {_some(named)}.",)


def _some(variants: list[str]) -> str:
    """List variants, as many as a sentence has room for."""
    left = len(variants) - _NAMED
    return words.listed([*variants[:_NAMED], *([f"{left:,} more"] if left > 0 else [])])


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
    parts = [f"{size} ({_some(variants)})" for size, variants in by_size.items()]
    sentence = (
        f"One test at {LEVEL}, uncorrected, finds four times in five a shift of so many standard deviations between "
        f"models of one recipe: {words.listed(parts)}. Smaller shifts often go unseen: no finding is no proof of none."
    )
    return (sentence,)


def _dealt(families: tuple[ClassTestFamily, ...]) -> str:
    told = dealt_in_words({family.variant: family.deals for family in families})
    if not told:
        return ""
    return (
        " By chance and max-T come from deals: the same tests after the models were told apart as baseline and variant "
        f"at random. {told}."
    )


def dealt_in_words(dealt: Mapping[str, Deals | None]) -> str:
    """Say how the models of each variant were dealt, once for all that were dealt alike; empty where none were."""
    told: dict[str, list[str]] = {}
    for variant, deals in dealt.items():
        if deals is not None:
            told.setdefault(_deals_in_words(deals), []).append(words.name(variant))
    return "; ".join(f"{_some(variants)}: {how}" for how, variants in told.items())


def _deals_in_words(deals: Deals) -> str:
    kind = ("deal" if deals.kind == "deals" else "swap within pairs", deals.kind)
    many = f"all {words.plural(deals.count, *kind)}" if deals.enumerated else f"{deals.count:,} random {kind[1]}"
    return f"{many}, so no p is below {deals.smallest_p:.2g}"


def _counts_table(
    tests: tuple[ClassTest, ...], families: tuple[ClassTestFamily, ...], chosen: str, order: list[str]
) -> Table:
    rows, place = [], {variant: place for place, variant in enumerate(order)}
    for family in sorted(families, key=lambda one: (one.published, place.get(one.variant, len(place)))):
        of_groups = family.about == "groups"
        own = [
            t for t in tests if (t.variant, bool(t.group), t.published) == (family.variant, of_groups, family.published)
        ]
        columns = ((t.p for t in own), (t.p_holm for t in own), (t.p_bh for t in own), (t.p_max_t for t in own))
        uncorrected, *corrected = (Cell(text=f"{sum(p is not None and p <= LEVEL for p in ps):,}") for ps in columns)
        rows.append(
            (
                Cell(text=words.name(family.variant)),
                Cell(text=f"{family.about}{', published' if family.published else ''}"),
                Cell(text=f"{family.tested:,}"),
                Cell(text=f"{len(own) - family.tested:,}"),
                uncorrected,
                _expected(family),
                *corrected,
                *(_moved_cell(moved(own, chosen, way)) for way in ("lose", "gain")),
            )
        )
    corrections = (f"after {name}" for name in CORRECTIONS.values())
    headings = ("Variant", "Tests of", "Tested", "Undefined", f"p ≤ {LEVEL}", "By chance", *corrections)
    headings = (*headings, "Lose (mean)", "Gain (mean)")
    return Table(
        caption=f"How many tests are significant at {LEVEL}: uncorrected, expected by chance alone, and corrected",
        columns=tuple(Column(heading=heading, numeric=place > 1) for place, heading in enumerate(headings)),
        rows=tuple(rows),
        on_paper=_COUNTS_ON_PAPER,
        note="Per member, but for those as published. Each correction is for the tests of one row, not for all rows. "
        "Holm and max-T: at most a 5% chance of any false finding. BH (Benjamini and Hochberg): at most 5% of the "
        "findings are false, on average. max-T takes its p from deals, not from Student's t, so that it may find more "
        "than the uncorrected tests. By chance: how many of the uncorrected ones there would be, on average, if "
        f"compression did nothing. Discovered here means: at most {LEVEL} after {CORRECTIONS.get(chosen, chosen)}; of "
        "these, how many lose and gain, and by how many points on average."
        + _dealt(families)
        + _not_expected(families),
    )


def _not_expected(families: tuple[ClassTestFamily, ...]) -> str:
    """Say why it is not known what chance gives; each reason once, as it is mostly that of all rows."""
    why = listed_once(family.undefined for family in families if family.expected is None)
    return f" By chance undefined: {why}." if why else ""


def _moved_cell(shifts: list[float]) -> Cell:
    mean = f" ({words.points(sum(shifts) / len(shifts))})" if shifts else ""
    return Cell(text=f"{len(shifts):,}{mean}")


def _expected(family: ClassTestFamily) -> Cell:
    if family.expected is None:
        return Cell(text="undefined", tone="undefined")
    return Cell(text=f"{family.expected:.1f}")


def _tests_table(tests: tuple[ClassTest, ...], chosen: str) -> Table:
    """List the tests of all variants, what was discovered first, as many of each as there is room for."""
    by_variant: dict[str, dict[_Subject, dict[bool, ClassTest]]] = {}
    for test in tests:
        own = by_variant.setdefault(test.variant, {})
        own.setdefault((test.variant, test.label, test.group), {})[test.published] = test
    room = max(_LISTED // len(by_variant), _AT_LEAST)

    def telling(pair: dict[bool, ClassTest]) -> tuple[bool, float, float]:
        own = pair.get(False)
        found = own is not None and discovered(own, chosen)
        return not found, own.shift or 0.0 if own and found else 0.0, p_of(own)

    listed = [pair for own in by_variant.values() for pair in sorted(own.values(), key=telling)[:room]]
    listed.sort(key=telling)
    left = sum(map(len, by_variant.values())) - len(listed)
    headings = ("Class and group", "Variant", "Discovered", "Shift, points", "p", *CORRECTIONS.values(), "p, published")
    kinds = dict.fromkeys("paired" if test.paired else "Welch" for test in tests)
    return Table(
        caption=f"Tests, the largest discovered loss first, then by p (t-tests: {words.listed(kinds)})",
        columns=tuple(Column(heading=heading, numeric=place > 2) for place, heading in enumerate(headings)),
        rows=tuple(_test_row(pair, chosen) for pair in listed),
        on_paper=_TESTS_ON_PAPER,
        note=_test_note(tests, left),
    )


def _test_note(tests: tuple[ClassTest, ...], left: int) -> str:
    why = listed_once(test.undefined for test in tests if test.p is None)
    notes = ["The shift is the same in both versions of the test."]
    notes += [f"Undefined: {why}."] if why else []
    notes += [f"{left:,} more tests, with larger p, are in result.json."] if left > 0 else []
    return " ".join(notes)


def _test_row(pair: dict[bool, ClassTest], chosen: str) -> tuple[Cell, ...]:
    own, published = pair.get(False), pair.get(True)
    test = own or pair[True]
    corrected = (own.p_holm, own.p_bh, own.p_max_t) if own else (None,) * len(CORRECTIONS)
    return (
        Cell(text=who(test)),
        Cell(text=words.name(test.variant)),
        _way_cell(test, chosen),
        _shift_cell(test),
        _p_cell(own.p if own else None),
        *map(_p_cell, corrected),
        Cell(text="not made", tone="muted") if published is None else _p_cell(published.p),
    )


def _way_cell(test: ClassTest, chosen: str) -> Cell:
    if test.shift is None or test.published or not discovered(test, chosen):
        return Cell(text="–", tone="muted")
    return Cell(text="loss" if test.shift < 0 else "gain")


def _shift_cell(test: ClassTest) -> Cell:
    if test.shift is None:
        return Cell(text="undefined", tone="undefined")
    return Cell(text=words.points(test.shift))


def _p_cell(p: float | None) -> Cell:
    if p is None:
        return Cell(text="undefined", tone="undefined")
    return Cell(text=words.p_value(p), tone="" if p <= LEVEL else "muted")
