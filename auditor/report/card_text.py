"""What a model card says of an audit, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.records import BASELINE, EVERYBODY, family_name
from auditor.report.card_index import data_name, judged
from auditor.report.markdown import escaped, head, not_passing, table_lines
from auditor.report.view import words
from auditor.report.view.blocks import Cell, Column, Table
from auditor.report.view.method import NO_ATTRIBUTES, NOT_MEASURED
from auditor.report.view.numbers import index, subject
from auditor.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.records import AuditResult, Estimate, GroupKey, Label
    from auditor.report.view.blocks import View
    from auditor.report.view.numbers import Numbers, Subject

_ROWS = 150
"""Of one table of groups."""
_SHOWN = 12
"""Groups, classes, warnings or failures that are listed."""
_TABLES = 6


def section(result: AuditResult, view: View, *, left: int) -> Iterator[str]:
    """Write the audit's section; `left`: results that the front matter has no place for."""
    numbers = index(result)
    yield f"## Compression audit: {escaped(view.title)}"
    yield from head(view)
    yield from _uses(result)
    yield from _factors(numbers)
    yield from _metrics(numbers)
    yield from _groups(numbers)
    yield from _verdicts(view)
    yield from _limits(result, left)
    yield "\n### What was not measured\n"
    for item in NOT_MEASURED if result.data.reference else (NO_ATTRIBUTES, *NOT_MEASURED):
        yield f"- {escaped(item)}"
    yield f"\n{escaped(view.digest_line)}. This is evidence for those who decide, not a judgement that a model is"
    yield "lawful, or right for its use."


def _uses(result: AuditResult) -> Iterator[str]:
    audit = result.definition["audit"]
    for heading, key in (
        ("Intended use", "intended_use"),
        ("Out of scope", "out_of_scope"),
        ("Risk notes", "risk_notes"),
    ):
        said = audit.get(key)
        if said or key != "risk_notes":
            yield f"\n### {heading}\n"
            yield escaped(clean(said)) if said else "Not declared."
    if audit.get("owner"):
        yield f"\nOwner: {escaped(words.name(audit['owner']))}."


def _factors(numbers: Numbers) -> Iterator[str]:
    data = numbers.result.data
    yield "\n### Factors\n"
    test = sum(data.groups[0][1]) if data.groups else 0
    yield f"Tested on {test:,} test examples of {escaped(data_name(numbers.result))}.\n"
    if not data.reference:
        yield f"- {escaped(NO_ATTRIBUTES)}"
    by_family: dict[str, list[tuple[GroupKey, int]]] = {}
    for group, by_class in data.groups:
        by_family.setdefault(family_name(group), []).append((group, sum(by_class)))
    for family, reference in data.reference.items():
        own = by_family.get(family, [])
        named = [f"{words.group(group)} ({count:,})" for group, count in own[:_SHOWN]]
        named += [f"{len(own) - _SHOWN:,} more"] if len(own) > _SHOWN else []
        about = f"{words.family(family)}: {words.listed(named)}; compared with {words.name(reference)}"
        yield f"- {escaped(about)}"


def _metrics(numbers: Numbers) -> Iterator[str]:
    yield "\n### Metrics\n"
    shown = [words.metric(metric, label) for metric, label in judged(numbers)]
    more = f" and {len(shown) - _SHOWN:,} more" if len(shown) > _SHOWN else ""
    yield f"{escaped(words.listed(shown[:_SHOWN]))}{more}.\n"
    yield (
        f"In brackets, intervals: each end holds at {words.rate(numbers.confidence, 0)} by itself, and takes in that "
        "test examples are a sample, as members of a population are. A limit is shown to hold where the whole interval "
        "lies within it.\n"
    )
    for variant in numbers.result.variants:
        what = "a recipe (any model made this way)" if variant.claim == "recipe" else "these files alone"
        models = f"{words.plural(variant.finished, 'model')} of {variant.asked:,}"
        yield f"- {escaped(words.name(variant.name))}: {models}; what is said is about {what}"


def _groups(numbers: Numbers) -> Iterator[str]:
    yield "\n### Results by group"
    rates = judged(numbers)
    for metric, label in rates[:_TABLES]:
        known = _compared(numbers, metric, label)
        rows = tuple(_row(numbers, own) for own in known[:_ROWS])
        yield f"\n#### {escaped(words.metric(metric, label))}\n"
        headings = ("Variant", "Group", "n", "Baseline", "Compressed", "Change, points")
        columns = tuple(Column(heading=h, numeric=place > 1) for place, h in enumerate(headings))
        yield from table_lines(Table(caption="", columns=columns, rows=rows), rows)
        if len(known) > _ROWS:
            yield f"\nand {len(known) - _ROWS:,} more rows in result.json"
    if len(rates) > _TABLES:
        yield f"\nand {len(rates) - _TABLES:,} more metrics and classes in result.json"


def _compared(numbers: Numbers, metric: str, label: Label | None) -> list[Estimate]:
    """Give everybody first, then attributes, then intersections: of many groups the most general are shown."""
    subjects: list[Subject] = [(metric, label, group) for group in sorted(numbers.sizes, key=len)]
    found = (numbers.get(variant, about, "value") for about in subjects for variant in numbers.variants)
    return [own for own in found if own is not None]


def _row(numbers: Numbers, own: Estimate) -> tuple[Cell, ...]:
    about = subject(own)
    return (
        Cell(text=words.name(own.variant)),
        Cell(text="everybody" if own.group == EVERYBODY else words.group_of(own.group)),
        Cell(text=f"{own.n:,}"),
        _before(numbers, own.variant, about),
        *map(_number, (own, numbers.get(own.variant, about, "change"))),
    )


def _before(numbers: Numbers, variant: str, subject: Subject) -> Cell:
    """Show what a change is from; without an interval where that is not what all baseline models have."""
    before = numbers.before(variant, subject)
    if before is None or numbers.compared_members(variant) == numbers.compared_members(BASELINE):
        return _number(numbers.get(BASELINE, subject, "value"))
    return Cell(text=words.rate(before), detail="its own baseline models")


def _number(estimate: Estimate | None) -> Cell:
    if estimate is None:
        return Cell(text="not compared")
    return Cell(text=words.value(estimate), detail=words.interval(estimate))


def _verdicts(view: View) -> Iterator[str]:
    yield "\n### Verdicts\n"
    if view.gates is None:
        yield "The audit has no gate: nothing was judged."
        return
    yield from table_lines(view.gates, view.gates.rows)
    yield f"\n{escaped(view.gates.note)}"
    for row, found in zip(view.gates.rows, view.comparisons, strict=True):
        yield from not_passing(row[0].text, found, "####")


def _limits(result: AuditResult, left: int) -> Iterator[str]:
    """Say what the numbers rest on, and where they stop."""
    yield "\n### Limits\n"
    floor = result.definition["statistics"]["min_group"]
    yield f"- A rate of fewer than {floor:,} test examples is undefined, never 0, and never passes a gate."
    said = [clean(warning) for warning in result.data.warnings]
    said += [
        f"{words.name(failure.variant)}, member {failure.member} could not be made: {clean(failure.reason)}"
        for failure in result.failures
    ]
    for one in said[:_SHOWN]:
        yield f"- {escaped(one)}"
    if len(said) > _SHOWN:
        yield f"- and {len(said) - _SHOWN:,} more warnings and failures in result.json"
    if left:
        yield f"- {left:,} results of smaller groups have no place in the front matter; result.json holds them."
    yield (
        "- `base_model` in the front matter is the baseline as the audit names it: put the identifier that it has on "
        "the Hub. `quantized` stands for every kind of compression, since the Hub knows no other relation for it."
    )
