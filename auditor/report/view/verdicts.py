"""Gates and their comparisons as tables, worst first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.records import Verdict
from auditor.report.view import words
from auditor.report.view.blocks import SYMBOLS, TONES, Cell, Column, Heading, Prose, Section, Table
from auditor.report.view.headline import baseline, limit
from auditor.report.view.looks import look_table
from auditor.report.view.numbers import bad_is_low, counted, deciding, of_gate, summed
from auditor.report.view.waivers import told, waiver_sentence
from auditor.text import clean

if TYPE_CHECKING:
    from auditor.records import AuditResult, Finding, FixedSequence, Gate, GateTarget, GroupKey, Label
    from auditor.report.view.blocks import Block, Tone
    from auditor.report.view.numbers import Numbers

WORST_FIRST = (Verdict.FAIL, Verdict.UNDEFINED, Verdict.INCONCLUSIVE, Verdict.PASS)
_MATRIX_ROWS = 60
_LIST_ROWS = {"error": 12, "warning": 8}
_MATRIX_ON_PAPER = {"error": 16, "warning": 6}
_LIST_ON_PAPER = {"error": 6, "warning": 3}
_MATRIX_VARIANTS = 6
POINT_WARNING = (
    "Decided on the estimate alone: at the limit itself such a gate passes a harmful variant one time in two."
)
CHANGED = "The limits of this gate were changed after the result was known."


def overall(result: AuditResult) -> tuple[str, Tone, str]:
    """Give the audit's verdict, its colour and its shape."""
    verdict = summed(counted(result))
    waived = any(finding.waived for finding in deciding(result))
    if verdict is None:
        return "WAIVED" if waived else "NOT JUDGED", "muted", "–"
    if verdict is Verdict.PASS and waived:
        return "PASS WITH WAIVERS", "open", SYMBOLS[verdict]
    if verdict in {Verdict.PASS, Verdict.FAIL}:
        return verdict.value, TONES[verdict], SYMBOLS[verdict]
    return "UNDECIDED", "open", SYMBOLS[Verdict.INCONCLUSIVE]


def overall_sentence(result: AuditResult) -> str:
    """Say which gates made the verdict, and what the others say."""
    errors = [gate for gate in result.gates if gate.severity == "error"]
    warnings = [gate for gate in result.gates if gate.severity == "warning"]
    parts = [_gates_sentence(result, errors, "deciding gate")] if errors else ["No gate decides."]
    if warnings:
        parts.append(_gates_sentence(result, warnings, "warning gate"))
    if waived := [finding for finding in result.findings if finding.waived]:
        parts.append(f"{words.plural(len(waived), 'comparison')} waived ({told(waived)}): shown below, not counted.")
    return " ".join(parts)


def _gates_sentence(result: AuditResult, gates: list[Gate], what: str) -> str:
    found = [of_gate(result, gate) for gate in gates]
    waived = sum(bool(findings) and all(f.waived for f in findings) for findings in found)
    verdicts = [summed(tuple(f for f in findings if not f.waived)) for findings in found]
    failed, passed = verdicts.count(Verdict.FAIL), verdicts.count(Verdict.PASS)
    open_ = len(gates) - failed - passed - waived
    # nothing is shown where the estimate alone decides
    pairs = zip(gates, verdicts, strict=True)
    guessed = sum(gate.decide_on == "point" and verdict is Verdict.PASS for gate, verdict in pairs)
    shown = passed - guessed
    but = ", but for what is waived" if any(f.waived for findings in found for f in findings) else ""
    if len(gates) == 1:
        passes = f"passes on the estimate alone{but}" if guessed else f"is shown to hold{but}"
        said = "fails" if failed else "is waived" if waived else "is undecided" if open_ else passes
        return f"The {what} {said}."
    if shown == len(gates):
        return f"Every one of {len(gates)} {what}s is shown to hold{but}."
    counts = [f"{failed} {'fails' if failed == 1 else 'fail'}"] if failed else []
    counts += [f"{open_} {'is' if open_ == 1 else 'are'} undecided"] if open_ else []
    counts += [f"{waived} {'is' if waived == 1 else 'are'} waived"] if waived else []
    counts += [f"{shown} {'is' if shown == 1 else 'are'} shown to hold"] if shown else []
    counts += [f"{guessed} {'passes' if guessed == 1 else 'pass'} on the estimate alone"] if guessed else []
    return f"Of {words.plural(len(gates), what)}, {words.listed(counts)}."


def gate_table(result: AuditResult) -> Table | None:
    """List the gates, worst first, with how many comparisons each verdict was given."""
    if not result.gates:
        return None
    columns = ("Gate", "Verdict", "Limit", "FAIL", "UNDEFINED", "INCONCLUSIVE", "PASS")
    return Table(
        caption="The gates, deciding ones first, and how many comparisons were given each verdict",
        columns=tuple(Column(heading=h, numeric=h in {v.value for v in WORST_FIRST}) for h in columns),
        rows=tuple(_gate_row(gate, of_gate(result, gate)) for gate in ordered(result)),
        is_list=True,
        note="A gate fails if one comparison fails, and passes only if every one does. "
        "Gates of severity warning do not decide, and waived comparisons do not: both are shown all the same.",
    )


def ordered(result: AuditResult) -> tuple[Gate, ...]:
    """Give the gates in the report's order: those that decide first, then worst first."""
    return tuple(
        sorted(result.gates, key=lambda gate: (gate.severity != "error", _badness(summed(of_gate(result, gate)))))
    )


def _gate_row(gate: Gate, findings: tuple[Finding, ...]) -> tuple[Cell, ...]:
    counts = [sum(finding.verdict is verdict for finding in findings) for verdict in WORST_FIRST]
    waived = sum(finding.waived for finding in findings)
    remarks = [_about(gate), *(["Warning only"] if gate.severity == "warning" else []), *_remarks(gate)]
    remarks += [f"{words.plural(waived, 'comparison')} waived"] if waived else []
    return (
        Cell(text=words.name(gate.name), detail=" ".join(map(_full_stop, remarks))),
        verdict_cell(summed(findings)),
        Cell(text=limit(gate, None)),
        *(Cell(text=f"{n:,}", tone=TONES[v] if n else "muted") for v, n in zip(WORST_FIRST, counts, strict=True)),
    )


def _about(gate: Gate) -> str:
    labels = list(dict.fromkeys(label for label, *_ in gate.targets))
    if len(labels) == 1:
        return words.comparison(gate.metric, labels[0], gate.compare)
    return f"{words.comparison(gate.metric, None, gate.compare)}, of {len(labels):,} classes"


def _remarks(gate: Gate) -> tuple[str, ...]:
    remarks = (POINT_WARNING,) if gate.decide_on == "point" else ()
    return (*remarks, CHANGED) if gate.limits_changed else remarks


def _badness(verdict: Verdict | None) -> int:
    return WORST_FIRST.index(verdict) if verdict else len(WORST_FIRST)


def verdict_cell(verdict: Verdict | None) -> Cell:
    """Give a verdict with its shape and colour."""
    if verdict is None:
        return Cell(text="nothing compared", tone="muted")
    return Cell(text=verdict.value, tone=TONES[verdict], symbol=SYMBOLS[verdict])


# ----------------------------------------------------------------------------------------------- every gate in its turn


def gate_section(numbers: Numbers) -> Section:
    """Give every comparison of every gate."""
    result = numbers.result
    blocks: list[Block] = []
    if not result.gates:
        blocks.append(Prose(paragraphs=("The definition has no gate: nothing was judged.",)))
    else:
        blocks.append(Prose(paragraphs=(_seeds_sentence(result), *sequence_sentences(result))))
    for gate in ordered(result):
        findings = of_gate(result, gate)
        why = (f"Why: {clean(gate.why)}",) if gate.why else ()
        blocks.append(Heading(text=words.name(gate.name)))
        blocks.append(Prose(paragraphs=(_gate_sentence(gate, findings), *_remarks(gate), *why)))
        blocks += (
            [_matrix(gate, findings, part) for part in chunks(gate.variants, _MATRIX_VARIANTS)] if findings else []
        )
        open_ = comparisons(gate, findings)
        blocks += [open_] if open_.rows else []
    blocks += look_table(result)
    question = "Which limit holds for whom, which does not, and what would settle the rest?"
    return Section(id="gates", title="Gates", question=question, blocks=tuple(blocks))


def sequence_sentences(result: AuditResult) -> tuple[str, ...]:
    """Say of each recipe tried at several strengths which is the most compressed that passes, and at which level."""
    sequences = result.fixed_sequences
    guessed = any(gate.decide_on == "point" for gate in result.gates if gate.severity == "error")
    level = (
        "as a gate is decided on the estimate alone, that keeps no level"
        if guessed
        else "that keeps the level of one test"
    )
    said = [f"{_chosen(sequence)} up to the first that does not pass: {level}." for sequence in sequences]
    tested = {name for sequence in sequences for name in sequence.variants}
    if sequences and not guessed and (len(sequences) > 1 or len(tested) < len(result.variants) - 1):
        said.append(
            "A choice between these and other variants does not keep it: whoever picks the best of several that pass "
            "errs more often."
        )
    return tuple(said)


def _chosen(sequence: FixedSequence) -> str:
    """Say which variant is chosen, and where the search stopped."""
    names = [words.name(variant) for variant in sequence.variants]
    passed = 0 if sequence.chosen is None else sequence.variants.index(sequence.chosen) + 1
    chosen = f"is {names[passed - 1]}" if passed else "cannot be named: the mildest does not pass"
    stop = f" {names[passed]} is {sequence.verdicts[passed].value}." if passed < len(names) else ""
    return (
        f"Of {words.listed(names)}, the most compressed that passes every deciding gate {chosen}.{stop} They are "
        "tested from the mildest on,"
    )


def chunks(items: tuple[str, ...], width: int) -> list[tuple[str, ...]]:
    """Cut a list of variants into parts that fit a page."""
    return [items[start : start + width] for start in range(0, len(items), width)]


def _gate_sentence(gate: Gate, findings: tuple[Finding, ...]) -> str:
    verdict = summed(findings)
    severity = "" if gate.severity == "error" else " Its severity is warning: it does not decide."
    line = "" if gate.line is None else f" (line {gate.line} of the definition)"
    said = f"Verdict: {verdict}." if verdict else "Nothing was compared."
    return f"Limit on {_about(gate)}: {limit(gate, None)}{line}. {said}{severity}"


def _seeds_sentence(result: AuditResult) -> str:
    asked = [f for f in result.findings if f.seeds_only is not None]
    if not asked:
        return "No comparison has seeds on both sides, so none could be judged over seeds alone."
    other = [f for f in asked if f.seeds_only is not f.verdict]
    passed = sum(f.seeds_only is Verdict.PASS and f.verdict is not Verdict.PASS for f in other)
    return (
        "Intervals over training seeds alone, the usual ones, uncorrected, would have said otherwise in "
        f"{len(other):,} of "
        f"{words.plural(len(asked), 'comparison')}; in {passed:,} of them they would have passed what is not shown to "
        "hold."
    )


def _matrix(gate: Gate, findings: tuple[Finding, ...], variants: tuple[str, ...]) -> Table:
    """Put groups against variants, worst group first."""
    by_place = {(f.estimate.label, f.estimate.group, f.estimate.against, f.estimate.variant): f for f in findings}
    places = [place for place in gate.targets if any((*place, v) in by_place for v in gate.variants)]
    places.sort(key=lambda place: _place_badness(place, gate.variants, by_place))
    many = len({label for label, *_ in places}) > 1
    rows = tuple(
        (
            Cell(text=_place_name(place, with_label=many)),
            Cell(text=f"{_n(place, gate.variants, by_place):,}"),
            *(_matrix_cell(by_place.get((*place, variant)), gate) for variant in variants),
        )
        for place in places[:_MATRIX_ROWS]
    )
    left = len(places) - len(rows)
    more = f"{left:,} more rows, all better than these, are in result.json." if left > 0 else ""
    return Table(
        caption=f"{words.name(gate.name)}: verdict, estimate and interval ({words.unit(gate.compare)})",
        columns=(
            Column(heading="Group"),
            Column(heading="n", numeric=True),
            *(Column(heading=words.name(variant), numeric=True) for variant in variants),
        ),
        rows=rows,
        on_paper=_MATRIX_ON_PAPER[gate.severity],
        note=f"{_matrix_note(findings)} {more}".strip() if variants[-1] == gate.variants[-1] else more,
    )


def _matrix_note(findings: tuple[Finding, ...]) -> str:
    """Say how a matrix is read: once, below the last table of a gate."""
    note = f"n: test examples in the rate's denominator. {_legend()}"
    if any(f.verdict is Verdict.PASS and f.further_model is not None for f in findings):
        note += (
            " One model: where one further model of the recipe may lie at the same confidence; a PASS of the recipe "
            "does not cover it, nor the one file that ships."
        )
    return note


def _legend() -> str:
    return ", ".join(f"{SYMBOLS[verdict]} {verdict.value}" for verdict in WORST_FIRST) + "."


_ByPlace = dict[tuple["Label | None", "GroupKey", "GroupKey | None", str], "Finding"]


def _place_name(place: GateTarget, *, with_label: bool) -> str:
    label, group, against = place
    name = words.group(group) if against is None else f"{words.group(group)} against {words.group(against)}"
    return f"{words.quoted(label)}, {name}" if with_label else name


def _n(place: GateTarget, variants: tuple[str, ...], by_place: _ByPlace) -> int:
    return next(by_place[*place, v].estimate.n for v in variants if (*place, v) in by_place)


def _place_badness(place: GateTarget, variants: tuple[str, ...], by_place: _ByPlace) -> list[int]:
    found = [by_place[*place, v].verdict for v in variants if (*place, v) in by_place]
    return [-found.count(verdict) for verdict in WORST_FIRST]


def _matrix_cell(finding: Finding | None, gate: Gate) -> Cell:
    if finding is None:
        return Cell(text="not compared", tone="muted")
    estimate = finding.estimate
    digits = words.digits_beside((estimate.value,), finding.limit)
    text = "undefined" if estimate.value is None else words.number(estimate.value, gate.compare, digits)
    detail = words.interval(estimate, digits)
    if finding.verdict is Verdict.PASS and finding.further_model is not None:
        detail += f"; one model {words.number(finding.further_model, gate.compare, digits)}"
    if finding.waived:
        detail = f"{detail}; waived".lstrip("; ")
    return Cell(text=text, detail=detail, tone=TONES[finding.verdict], symbol=SYMBOLS[finding.verdict])


def comparisons(gate: Gate, findings: tuple[Finding, ...]) -> Table:
    """List the comparisons that do not pass, worst first; the variants of which the same is said stand together."""
    not_passed = [finding for finding in findings if finding.verdict is not Verdict.PASS]
    said: dict[tuple[object, ...], list[Finding]] = {}
    for finding in sorted(not_passed, key=lambda f: (_badness(f.verdict), _margin(f, gate))):
        said.setdefault(_statement(finding), []).append(finding)
    rows = tuple(_comparison_row(gate, same) for same in list(said.values())[: _LIST_ROWS[gate.severity]])
    left = len(said) - len(rows)
    headings = (
        "Verdict",
        "Variant and group",
        "n",
        "Estimate and interval",
        "Limit",
        "Reason, and what would settle it",
    )
    return Table(
        caption=f"{words.name(gate.name)}: what does not pass, worst first",
        columns=tuple(Column(heading=heading, numeric=heading == "n") for heading in headings),
        rows=rows,
        note=f"{left:,} more, none worse than these, are in result.json." if left else "",
        left=left,
        on_paper=_LIST_ON_PAPER[gate.severity],
        is_list=True,
    )


def _statement(finding: Finding) -> tuple[object, ...]:
    e = finding.estimate
    about = (e.label, e.group, e.against, e.value, e.low, e.high)
    return finding.verdict, *about, finding.reason, finding.needed, finding.waived, finding.waiver


def _margin(finding: Finding, gate: Gate) -> float:
    value = finding.estimate.value or 0.0
    return value if bad_is_low(gate, finding.limit) else -value


def _comparison_row(gate: Gate, same: list[Finding]) -> tuple[Cell, ...]:
    finding = same[0]
    estimate = finding.estimate
    digits = words.digits_beside((estimate.value, estimate.low, estimate.high), finding.limit)
    points = " points" if estimate.value is not None and words.unit(gate.compare) == "points" else ""
    where = words.group_of(estimate.group)
    if estimate.against is not None:
        where += f" against {words.group(estimate.against)}"
    label = f"{words.quoted(estimate.label)}, " if len({one for one, *_ in gate.targets}) > 1 else ""
    known = "undefined" if estimate.value is None else words.value(estimate, digits)
    return (
        replace(verdict_cell(finding.verdict), detail="waived" if finding.waived else ""),
        Cell(text=words.listed(words.name(one.estimate.variant) for one in same), detail=label + where),
        Cell(text=f"{estimate.n:,}"),
        Cell(text=known + points, detail=words.interval(estimate, digits)),
        Cell(text=limit(gate, finding.limit)),
        Cell(text=_reason(finding), detail=_needed(finding)),
    )


def _reason(finding: Finding) -> str:
    parts = [_full_stop(clean(finding.reason))]
    if finding.verdict is Verdict.FAIL:
        parts.append(baseline(finding))
        if finding.p_holm is not None:
            value = words.p_value(finding.p_holm)
            parts.append(f"Holm-adjusted p {value if value.startswith('<') else f'= {value}'}.")
    parts.append(waiver_sentence(finding))
    return " ".join(part for part in parts if part)


def _needed(finding: Finding) -> str:
    return f"To show that it holds: {clean(finding.needed)}." if finding.needed else ""


def _full_stop(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."
