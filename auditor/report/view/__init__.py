"""From numbers to words, once for every format: pure, and the same for the same result."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.judge import unfit
from auditor.records import BASELINE
from auditor.report.view import words
from auditor.report.view.blocks import Facts, View
from auditor.report.view.changes import change_section
from auditor.report.view.class_tests import test_section
from auditor.report.view.context import data_section, provenance_section, variant_section
from auditor.report.view.drawable import without_empty
from auditor.report.view.evidence import evidence_section
from auditor.report.view.exemplars import exemplar_section
from auditor.report.view.frontier import frontier_sections
from auditor.report.view.further import further_section
from auditor.report.view.headline import headline
from auditor.report.view.looks import look_notice
from auditor.report.view.method import limits_section, method_section
from auditor.report.view.numbers import index, of_gate
from auditor.report.view.rates import overall_section
from auditor.report.view.selections import selection_sections
from auditor.report.view.undecided import open_sentences
from auditor.report.view.verdicts import (
    CHANGED,
    comparisons,
    gate_section,
    gate_table,
    ordered,
    overall,
    overall_sentence,
)
from auditor.report.view.waivers import waiver_notices
from auditor.text import clean

if TYPE_CHECKING:
    from auditor.records import AuditResult
    from auditor.report.view.numbers import Numbers

__all__ = ["view"]

NAMED = 12
"""Variants or attributes that page one names."""


def view(result: AuditResult, *, digest: str, edited: bool = False) -> View:
    """Word a result. `digest` is the result's own; `edited`: its file was changed after it was written."""
    numbers = index(result)
    verdict, tone, symbol = overall(result)
    found = headline(numbers)
    audit = result.definition["audit"]
    sections = (
        overall_section(numbers),
        change_section(numbers),
        *frontier_sections(numbers),
        gate_section(numbers),
        test_section(numbers),
        exemplar_section(numbers),
        *selection_sections(numbers),
        data_section(numbers),
        variant_section(numbers),
        limits_section(numbers),
        method_section(numbers),
        further_section(numbers),
        provenance_section(numbers, digest),
    )
    return View(
        title=clean(audit.get("title") or audit["name"], 200),
        subtitle="Whom does compression hurt? An audit of compressed models against their baseline",
        verdict=verdict,
        tone=tone,
        symbol=symbol,
        verdict_sentence=overall_sentence(result),
        notices=_notices(result, edited=edited),
        facts=Facts(caption="What was audited", pairs=_facts(numbers)),
        headline=replace(found, support=(*found.support, *open_sentences(result))),
        gates=gate_table(result),
        comparisons=tuple(comparisons(gate, of_gate(result, gate)) for gate in ordered(result)),
        sections=(*map(without_empty, sections), evidence_section(sections, result)),
        digest_line=f"Audit {words.name(audit['name'])}, result {digest[:16]}",
    )


def _notices(result: AuditResult, *, edited: bool) -> tuple[str, ...]:
    notices: list[str] = []
    if edited:
        notices.append("The result file was edited after it was written: its digest does not match its content.")
    if result.status == "incomplete":
        reasons = unfit(result.variants, result.definition["population"].get("minimum")).values()
        again = " What failed is listed under Variants; a further run repeats only that." if result.failures else ""
        notices.append(f"Not everything could be judged: {'; '.join(dict.fromkeys(map(clean, reasons)))}.{again}")
    notices += _collapsed(result)
    notices += look_notice(result)
    changed = [words.name(gate.name) for gate in result.gates if gate.limits_changed]
    if changed:
        notices.append(f"{CHANGED.replace('this gate', words.listed(changed))}")
    return (*notices, *waiver_notices(result))


def _collapsed(result: AuditResult) -> tuple[str, ...]:
    """Tell which variants have members that say one class always, or are not shown to do better than chance."""
    lost = [v for v in result.variants if v.collapsed]
    if not lost:
        return ()
    whole = [words.name(v.name) for v in lost if v.collapsed == v.finished]
    part = [f"{words.name(v.name)} ({v.collapsed} of {v.finished})" for v in lost if v.collapsed < v.finished]
    said = [f"all of {words.listed(whole)}"] if whole else []
    said += [f"some of {words.listed(part)}"] if part else []
    what = "Models that say one class always, or are not shown to do better than chance"
    return (f"{what}: {'; '.join(said)}. They are scored like any other: it may be the harm that is looked for.",)


def _facts(numbers: Numbers) -> tuple[tuple[str, str], ...]:
    result = numbers.result
    audit, test = result.definition["audit"], result.data.groups[0][1] if result.data.groups else ()
    compressed = [variant for variant in result.variants if variant.name != BASELINE]
    families = list(dict.fromkeys(words.family(family) for family in result.data.reference))
    pairs = (
        ("Compressed as", _some([words.name(variant.name) for variant in compressed])),
        ("Compared with", "the baseline, uncompressed"),
        ("Models", _members(result)),
        ("Tested on", f"{sum(test):,} test examples of {clean(result.data.source, 200)}"),
        ("Groups by", _some(families) or "no attribute: only classes were audited"),
        ("Intended use", clean(audit.get("intended_use") or "")),
        ("Out of scope", clean(audit.get("out_of_scope") or "")),
        ("Risk notes", clean(audit.get("risk_notes") or "")),
        ("Owner", clean(audit.get("owner") or "", 200)),
        ("Reviewers", words.listed(words.name(reviewer) for reviewer in audit.get("reviewers") or ())),
    )
    return tuple((key, text) for key, text in pairs if text)


def _some(names: list[str]) -> str:
    """List as many as page one has room for."""
    left = len(names) - NAMED
    return words.listed([*names[:NAMED], f"{left:,} more"] if left > 0 else names)


def _members(result: AuditResult) -> str:
    """Say how many models of each variant were scored, one by one where they differ."""
    finished = {variant.finished for variant in result.variants}
    if len(finished) == 1:
        return f"{finished.pop():,} of the baseline and of each variant"
    by_count: dict[int, list[str]] = {}
    for variant in result.variants:
        by_count.setdefault(variant.finished, []).append(words.name(variant.name))
    return "; ".join(f"{count:,} of {_some(names)}" for count, names in by_count.items())
