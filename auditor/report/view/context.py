"""Sections about what stands behind the numbers: data, variants, failures, provenance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from auditor.records import BASELINE, EVERYBODY, MISSING, family_name, group_name
from auditor.report.view import words
from auditor.report.view.blocks import Bullets, Cell, Column, Facts, Heading, Prose, Section, Table
from auditor.report.view.rates import ROWS_DRAWN, ROWS_LISTED, value_cell
from auditor.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from auditor.records import DataSummary, GroupKey, VariantSummary
    from auditor.report.view.blocks import Block
    from auditor.report.view.numbers import Numbers

_LIST_LIMIT = 20
_DIGEST_LENGTH = 64
_NOTHING = "–"
"""Stands for a recipe without settings."""
_LEFT_OUT = (
    "Left out: of these splits data.sample draws only a part, at random. Where it is balanced, classes are not as "
    "frequent as in the split, and what depends on how frequent they are, such as accuracy, is not that of the split."
)
MEASURED: dict[str, tuple[str, Callable[[float], str]]] = {
    "sparsity": ("Sparsity", words.rate),
    "bytes": ("Size", words.size),
    "bytes_gzipped": ("Gzipped", words.size),
    "parameters": ("Params", "{:,.0f}".format),
    "nonzero_parameters": ("Non-zero", "{:,.0f}".format),
    "distinct_values": ("Distinct values", "{:,.0f}".format),
    "macs": ("MACs", words.short_count),
    "latency_ms": ("Latency", "{:.3g} ms".format),
}
"""What may have been measured on a member, how a table heads it and how it is written."""


# ----------------------------------------------------------------------------------------------------------------- data


def data_section(numbers: Numbers) -> Section:
    """Tell who is in the data, and who is not."""
    data = numbers.result.data
    clusters = "" if data.clusters is None else f" in {data.clusters:,} clusters (examples that share an id)"
    missing = [key for key, _ in data.groups if any(name == MISSING for _, name in key)]
    said = "" if not missing else f" An attribute that is not recorded makes the group {MISSING}."
    test = data.groups[0][1] if data.groups else ()
    text = f"Source: {clean(data.source, 300)}. {sum(test):,} test examples{clusters}.{said}"
    blocks: list[Block] = [Prose(paragraphs=(text,))]
    if data.warnings:
        blocks.append(Bullets(items=tuple(f"Warning: {clean(warning)}" for warning in data.warnings)))
    blocks += [_split_table(data), _group_table(data)]
    question = "Who was the audit about, and who is missing?"
    return Section(id="data", title="Data and groups", question=question, blocks=tuple(blocks))


def _class_columns(data: DataSummary) -> tuple[Column, ...]:
    shown = data.classes[:_LIST_LIMIT]
    return tuple(Column(heading=f"labelled {words.quoted(label)}", numeric=True) for label in shown)


def _counts(by_class: tuple[int, ...]) -> tuple[Cell, ...]:
    return tuple(Cell(text=f"{count:,}") for count in by_class[:_LIST_LIMIT])


def _split_table(data: DataSummary) -> Table:
    rows = []
    for s in data.splits:
        rows.append((Cell(text=words.name(s.split)), Cell(text=f"{s.examples:,}"), *_counts(s.by_class)))
        if s.left_out is not None:
            rows.append(
                (Cell(text=f"{words.name(s.split)}, left out"), Cell(text=f"{sum(s.left_out):,}"), *_counts(s.left_out))
            )
    notes = (_LEFT_OUT if any(s.left_out is not None for s in data.splits) else "", _more_classes(data))
    return Table(
        caption="Examples by split and class",
        columns=(Column(heading="Split"), Column(heading="Examples", numeric=True), *_class_columns(data)),
        rows=tuple(rows),
        note=" ".join(note for note in notes if note),
    )


def _more_classes(data: DataSummary) -> str:
    left = len(data.classes) - _LIST_LIMIT
    return f"{left:,} more classes are in result.json." if left > 0 else ""


def _group_table(data: DataSummary) -> Table:
    total = sum(data.groups[0][1]) if data.groups else 0
    rows = []
    for key, by_class in data.groups[:ROWS_LISTED]:
        n = sum(by_class)
        share = words.rate(n / total) if total else "undefined"
        role = "reference" if _is_reference(data, key) else ""
        family = "everybody" if key == EVERYBODY else words.family(family_name(key))
        name = Cell(text=words.group(key), detail=role)
        rows.append((Cell(text=family), name, Cell(text=f"{n:,}"), Cell(text=share), *_counts(by_class)))
    left = len(data.groups) - ROWS_LISTED
    notes = (f"{left:,} more groups are in result.json." if left > 0 else "", _more_classes(data))
    return Table(
        on_paper=ROWS_DRAWN,
        caption="Test examples by group and class; “reference” marks the group that others are compared with",
        columns=(
            Column(heading="Attribute"),
            Column(heading="Group"),
            Column(heading="Examples", numeric=True),
            Column(heading="Share", numeric=True),
            *_class_columns(data),
        ),
        rows=tuple(rows),
        note=" ".join(note for note in notes if note),
    )


def _is_reference(data: DataSummary, key: GroupKey) -> bool:
    return bool(key) and data.reference.get(family_name(key)) == group_name(key)


# ------------------------------------------------------------------------------------------------------------- variants


def variant_section(numbers: Numbers) -> Section:
    """Tell what was compressed and how, what was measured on it, and what failed."""
    blocks: list[Block] = [_asked_table(numbers), _measured_table(numbers), *_failures(numbers)]
    question = "What was compressed, how far, and did it work?"
    return Section(
        id="variants", title="Variants, failures and collapsed members", question=question, blocks=tuple(blocks)
    )


def _claim(variant: VariantSummary) -> str:
    if variant.claim == "artifact":
        return "this very file"
    words_ = "recipe, from one given baseline" if variant.fixed_baseline else "recipe"
    return f"{words_}, paired" if variant.paired else words_


def _asked_table(numbers: Numbers) -> Table:
    headings = ("Variant", "Asked for", "Claim", "Asked", "Finished", "Failed", "Collapsed")
    rows = (
        (
            Cell(text=words.name(v.name), detail=words.name(v.method) if v.name != BASELINE else ""),
            Cell(text=_recipe(v.asked_for)),
            Cell(text=_claim(v)),
            Cell(text=f"{v.asked:,}"),
            Cell(
                text=f"{v.finished:,}",
                detail=f"{v.compared:,} with their baseline member" if v.compared < v.finished else "",
            ),
            Cell(text=f"{v.failed:,}", tone="fail" if v.failed else "muted"),
            Cell(text=f"{v.collapsed:,}", tone="fail" if v.collapsed else "muted"),
        )
        for v in numbers.result.variants
    )
    return Table(
        caption="What was asked for, and how many models (members) came of it",
        columns=tuple(Column(heading=heading, numeric=place > 2) for place, heading in enumerate(headings)),
        rows=tuple(rows),
        note="Collapsed: the model says one class always, or its mean recall over classes is not above that of chance "
        "by 1.645 standard errors, which with few examples of a class a sound model may miss. It is scored like any "
        "other: it may be the harm that is looked for.",
    )


def _recipe(asked_for: Mapping[str, Any]) -> str:
    """Give settings, and the methods that follow with theirs."""
    own = {key: value for key, value in asked_for.items() if key not in {"name", "method", "then"}}
    told = ", ".join(f"{key} {value}" for key, value in _flat(own))
    chain = asked_for.get("then")
    for step in chain if isinstance(chain, list | tuple) else ():
        if isinstance(step, Mapping):
            settings = _recipe(step)
            told += f"; then {step.get('method')}" + (f" ({settings})" if settings != _NOTHING else "")
    return clean(told.removeprefix("; "), 300) or _NOTHING


def _measured_table(numbers: Numbers) -> Table:
    variants = numbers.result.variants
    measured = {v.name: {**v.measured, **_latency(numbers, v.name)} for v in variants}
    keys = [key for key in MEASURED if any(isinstance(own.get(key), int | float) for own in measured.values())]
    rows = []
    for v in variants:
        accuracy = value_cell(numbers.get(v.name, ("accuracy", None, EVERYBODY), "value"))
        rows.append((Cell(text=words.name(v.name)), accuracy, *(_measured_cell(measured[v.name], key) for key in keys)))
    headings = ("Accuracy", *(MEASURED[key][0] for key in keys))
    return Table(
        caption="What was measured: means over finished members",
        columns=(Column(heading="Variant"), *(Column(heading=heading, numeric=True) for heading in headings)),
        rows=tuple(rows),
        note="Sparsity: share of zeros among kernels, which are weights of two dimensions or more. Distinct values: "
        "the most in one kernel, or in one of its channels where each has a scale of its own. MACs: "
        "multiplications with accumulation an example, those by zero too. Latency, ms an example, is that of the "
        "machine of the audit, not of the device that the model is for.",
    )


def _latency(numbers: Numbers, variant: str) -> dict[str, float]:
    """Give a variant's latency, which stands with the timings: it differs from run to run."""
    timings = numbers.result.timings
    return {"latency_ms": timings[f"latency_ms {variant}"]} if f"latency_ms {variant}" in timings else {}


def _measured_cell(measured: Mapping[str, Any], key: str) -> Cell:
    value = measured.get(key)
    if not isinstance(value, int | float):
        return Cell(text="not measured", tone="muted")
    return Cell(text=MEASURED[key][1](value))


def _failures(numbers: Numbers) -> Iterator[Block]:
    result = numbers.result
    yield Heading(text="Failures and collapsed members")
    collapsed = [v for v in result.variants if v.collapsed]
    if not result.failures and not collapsed:
        yield Prose(paragraphs=("No member failed, none collapsed.",))
    if collapsed:
        yield Bullets(
            items=tuple(f"{words.name(v.name)}: {v.collapsed} of {v.finished} members collapsed." for v in collapsed)
        )
    if result.failures:
        rows = (
            (Cell(text=words.name(f.variant)), Cell(text=f"{f.member}"), Cell(text=clean(f.reason, 400)))
            for f in result.failures[:ROWS_LISTED]
        )
        left = len(result.failures) - ROWS_LISTED
        yield Table(
            caption="Members that could not be made or scored: in no number of this report",
            columns=(Column(heading="Variant"), Column(heading="Member", numeric=True), Column(heading="Reason")),
            rows=tuple(rows),
            note=f"{left:,} more are in result.json." if left > 0 else "",
        )


# ----------------------------------------------------------------------------------------------------------- provenance


def provenance_section(numbers: Numbers, digest: str) -> Section:
    """Tell what the result was made from, so that it can be made again."""
    result = numbers.result
    known = {key: value for key, value in result.provenance.items() if (key, value) != ("data", result.data.digest)}
    pairs = (
        ("result digest (SHA-256)", digest),
        ("definition's file", clean(result.definition_file, 300)),
        ("data digest (SHA-256)", clean(result.data.digest)),
        *([("judged on (UTC)", result.judged_on)] if result.judged_on else []),
        *([("sandbox", clean(str(result.sandbox), 300))] if result.sandbox else []),
        *((key, value) for key, value in _flat(known)),
    )
    blocks: tuple[Block, ...] = (
        Prose(
            paragraphs=(
                (
                    "Same inputs give the same numbers: the digest covers all of the result but timings, sandbox and "
                    "the day. "
                    "Every number of this report stands in result.json, with the definition as it was resolved."
                ),
            )
        ),
        Facts(caption="Made from", pairs=pairs),
    )
    question = "What was this made from, and how can it be made again?"
    return Section(id="provenance", title="Provenance", question=question, blocks=blocks)


def _short(item: str) -> str:
    """Cut a digest that stands in a list: result.json holds it whole."""
    return f"{item[:12]}…" if len(item) == _DIGEST_LENGTH else clean(item, 120)


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Give nested tables as dotted names and texts; what is empty is left out."""
    for key, value in values.items():
        full = f"{prefix}{words.name(key).replace('_', ' ')}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{full}: ")
        elif isinstance(value, list | tuple):
            shown = ", ".join(_short(str(item)) for item in value[:_LIST_LIMIT])
            more = f" and {len(value) - _LIST_LIMIT:,} more" if len(value) > _LIST_LIMIT else ""
            yield full, shown + more
        elif value is not None:
            yield full, clean(str(value), 300)
