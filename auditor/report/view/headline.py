"""The finding that page one is about, in people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.judge import unfit
from auditor.measure.contrasts import TWO_GROUPS, VERSUS_BASELINE
from auditor.records import BASELINE, EVERYBODY, Verdict
from auditor.report.view import words
from auditor.report.view.blocks import Bar, Headline
from auditor.report.view.numbers import bad_is_low, deciding, subject
from auditor.report.view.waivers import waiver_sentence
from auditor.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from auditor.records import Compare, Estimate, Finding, Gate, GroupKey
    from auditor.report.view.numbers import Numbers, Subject

PEOPLE = {
    "recall": ("test examples labelled {label}", "found {count}", "{count}"),
    "fnr": ("test examples labelled {label}", "missed {count}", "{count}"),
    "fpr": ("test examples not labelled {label}", "wrongly decided {label} for {count}", "for {count}"),
    "tnr": ("test examples not labelled {label}", "rightly left out {count}", "{count}"),
    "selection_rate": ("test examples", "decided {label} for {count}", "for {count}"),
    "accuracy": ("test examples", "was right on {count}", "on {count}"),
    "error": ("test examples", "was wrong on {count}", "on {count}"),
}
"""For each rate: of whom, what the baseline did, and how the variant's count follows."""
_CONTRASTS = TWO_GROUPS


def headline(numbers: Numbers) -> Headline:
    """Choose and word the finding: the failure that lies furthest beyond its limit, else the largest estimated loss.

    How far beyond is told in points or in quotients, and these are not to be compared: .1 of a quotient of small rates
    may be one person. A failure in points leads, since it can be told in people; a quotient only where none is.
    """
    judged = [f for f in deciding(numbers.result) if f.verdict is not Verdict.UNDEFINED]
    failed = [f for f in judged if f.verdict is Verdict.FAIL]
    leading = [f for f in failed if _may_lead(numbers, f)]
    if not leading:
        return _without_failure(numbers, len(failed))
    gates = {gate.name: gate for gate in numbers.result.gates}
    in_points = [f for f in leading if not _is_quotient(f)]
    finding = max(in_points or leading, key=lambda f: _beyond(f, gates[f.gate]))
    estimate, gate = finding.estimate, gates[finding.gate]
    return Headline(
        kicker=f"The finding{_of_which(failed, of_both=bool(in_points))}",
        sentence=_sentence(numbers, estimate),
        bars=_bars(numbers, estimate),
        bars_caption=_bars_caption(numbers, estimate),
        support=tuple(
            sentence
            for sentence in (
                f"{_interval(numbers, estimate, gate, finding.limit)} {_picked(len(judged))}".strip(),
                waiver_sentence(finding),
                _seeds(finding),
                baseline(finding),
                *_contrast(numbers, estimate),
            )
            if sentence
        ),
    )


def baseline(finding: Finding) -> str:
    """Say whether the baseline is beyond the limit as well; nothing where the gate is about a change from it."""
    if finding.baseline_fails_too is None:
        return ""
    if finding.baseline_fails_too:
        return "The baseline's own estimate is beyond this limit too."
    return "The baseline's own estimate is within this limit."


def _picked(judged: int) -> str:
    """Say that a finding was chosen by its size, which makes its estimate larger than the truth."""
    if judged < 2:
        return ""
    return f"Picked out of {judged:,} comparisons, it lies further out than the truth, as a rule."


def limit(gate: Gate, value: float | None) -> str:
    """Give a limit with its direction and unit."""
    if value is None:
        return " and ".join(limit(gate, one) for one in (gate.min, gate.max) if one is not None)
    sign = "≥" if bad_is_low(gate, value) else "≤"
    digits = 1 if round(100 * value, 1) == round(100 * value, 6) else 2
    points = "\N{NO-BREAK SPACE}points" if words.unit(gate.compare) == "points" else ""
    return f"{sign}\N{NO-BREAK SPACE}{words.number(value, gate.compare, digits)}{points}"


def people(numbers: Numbers, about: Subject, variant: str) -> str:
    """Say of how many in a group the baseline and a variant decided so; empty where that is not known."""
    metric, label, group = about
    ours, theirs = numbers.get(variant, about, "value"), numbers.before(variant, about)
    n = numbers.examples(about)
    if ours is None or ours.value is None or theirs is None:
        return ""
    where = "" if group == EVERYBODY else f" in group {words.group_of(group)}"
    whose = _baseline_of(numbers, variant)
    average = " on average" if ours.members > 1 else ""
    if n is None or metric not in PEOPLE:
        return (
            f"{_capital(words.metric(metric, label))}{where} is {words.rate(theirs)} in {whose}{average} "
            f"and {words.rate(ours.value)} in {words.name(variant)}."
        )
    who, did, again = (part.replace("{label}", words.quoted(label)) for part in PEOPLE[metric])
    before, after = (f"{value * n:,.0f}" for value in (theirs, ours.value))
    return (
        f"Of {n:,} {who}{where} {whose} {did.replace('{count}', before)}{average}, "
        f"{words.name(variant)} {again.replace('{count}', after)}."
    )


def _baseline_of(numbers: Numbers, variant: str) -> str:
    """Name the models that a variant is compared with."""
    finished = next((one.finished for one in numbers.result.variants if one.name == BASELINE), 0)
    compared = numbers.compared_members(variant)
    if compared >= finished:
        return "the baseline"
    return "its own baseline model" if compared == 1 else f"its own {compared} of {finished} baseline models"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _may_lead(numbers: Numbers, finding: Finding) -> bool:
    """Tell whether a failure may be headlined: a contrast between groups only if its own change excludes 0."""
    if finding.estimate.compare not in _CONTRASTS:
        return True
    change = numbers.gap_change(finding.estimate)
    return change is not None and _excludes_zero(change)


def _excludes_zero(estimate: Estimate) -> bool:
    return estimate.low is not None and estimate.high is not None and (estimate.low > 0 or estimate.high < 0)


def _is_quotient(finding: Finding) -> bool:
    return words.unit(finding.estimate.compare) == "quotient"


def _of_which(failed: Sequence[Finding], *, of_both: bool) -> str:
    """Say which of the failed comparisons it is; `of_both`: it is one in points, whatever failed beside it."""
    if len(failed) < 2:
        return ""
    quotients = sum(map(_is_quotient, failed)) if of_both else 0
    which = f"{quotients:,} of them of quotients, the one in points" if quotients else "the one"
    return f": of {len(failed):,} failed comparisons, {which} whose whole interval lies furthest beyond its limit"


def _beyond(finding: Finding, gate: Gate) -> float:
    """Measure how far the whole interval is beyond the limit, or the estimate where there is no interval."""
    estimate, edge = finding.estimate, finding.limit or 0.0
    if bad_is_low(gate, finding.limit):
        nearest = estimate.value if estimate.high is None else estimate.high
        return edge - (nearest or 0.0)
    nearest = estimate.value if estimate.low is None else estimate.low
    return (nearest or 0.0) - edge


def _accuracy(numbers: Numbers, variant: str) -> str:
    change = numbers.get(variant, ("accuracy", None, EVERYBODY), "change")
    if change is None or change.value is None:
        return ""
    moved = f"{abs(100 * change.value):.1f}"
    if moved == "0.0":
        return "Accuracy moved by less than 0.1 points. "
    unsure = "" if _excludes_zero(change) else ", which may be chance"
    return f"Accuracy {'fell' if change.value < 0 else 'rose'} {moved} points{unsure}. "


def _sentence(numbers: Numbers, estimate: Estimate) -> str:
    about = subject(estimate)
    lead = _accuracy(numbers, estimate.variant)
    if estimate.compare in _CONTRASTS:
        return lead + _two_groups(numbers, estimate)
    return lead + (people(numbers, about, estimate.variant) or _plainly(estimate))


def _whom(other: GroupKey) -> str:
    return f"group {words.group(other)}" if other else "everybody"


def _plainly(estimate: Estimate) -> str:
    what = words.comparison(estimate.metric, estimate.label, estimate.compare, estimate.against)
    return (
        f"{_capital(what)} of {words.name(estimate.variant)} in {words.group_of(estimate.group)}: {_stated(estimate)}."
    )


def _stated(estimate: Estimate) -> str:
    points = " points" if estimate.value is not None and words.unit(estimate.compare) == "points" else ""
    return words.value(estimate) + points


def _two_groups(numbers: Numbers, estimate: Estimate) -> str:
    """Put a group beside its reference group: their changes, or their own values."""
    other = estimate.against or EVERYBODY
    compare: Compare = "change" if estimate.compare in VERSUS_BASELINE else "value"
    own, theirs = (
        numbers.get(estimate.variant, (estimate.metric, estimate.label, group), compare)
        for group in (estimate.group, other)
    )
    if own is None or theirs is None or own.value is None or theirs.value is None:
        return _plainly(estimate)
    verb = "changed by" if compare == "change" else "is"
    return (
        f"With {words.name(estimate.variant)}, {words.metric(estimate.metric, estimate.label)} {verb} {_stated(own)} "
        f"in group {words.group_of(estimate.group)} and {_stated(theirs)} in {_whom(other)}."
    )


def _bars(numbers: Numbers, estimate: Estimate) -> tuple[Bar, ...]:
    about = subject(estimate)
    n = numbers.examples(about)
    if estimate.compare in _CONTRASTS or estimate.metric not in PEOPLE or not n:
        return ()
    ours, before = numbers.get(estimate.variant, about, "value"), numbers.before(estimate.variant, about)
    if ours is None or ours.value is None or before is None:
        return ()
    own = _baseline_of(numbers, estimate.variant) != "the baseline"
    named = (f"its own {BASELINE}" if own else BASELINE, before), (words.name(estimate.variant), ours.value)
    return tuple(Bar(name=name, count=f"{rate * n:,.0f} of {n:,}", share=rate) for name, rate in named)


def _bars_caption(numbers: Numbers, estimate: Estimate) -> str:
    about = subject(estimate)
    ours = numbers.get(estimate.variant, about, "value")
    means = ", means over models" if ours is not None and ours.members > 1 else ""
    return f"{_capital(words.metric(estimate.metric, estimate.label))}, {words.group_of(estimate.group)}{means}"


def _interval(numbers: Numbers, estimate: Estimate, gate: Gate | None, edge: float | None) -> str:
    what = words.comparison(estimate.metric, estimate.label, estimate.compare, estimate.against)
    text = f"{_capital(what)} in {words.group_of(estimate.group)}: {_stated(estimate)}"
    if estimate.low is None or estimate.high is None:
        text += ", without an interval"
    else:
        text += f", interval {words.span(estimate)} ({words.rate(numbers.confidence, 0)} confidence at each end)"
    return text + (f"; the limit is {limit(gate, edge)}." if gate else ".")


def _seeds(finding: Finding) -> str:
    said = finding.seeds_only
    if said is None:
        return "There is no population of seeds on both sides, so a test over seeds alone has nothing to say."
    if said is finding.verdict:
        return f"A test over training seeds alone, the usual one, would have said {said} too."
    return (
        f"A test over training seeds alone, the usual one, would have said {said}: "
        "it takes these test examples for everybody there is."
    )


def _contrast(numbers: Numbers, estimate: Estimate) -> Iterable[str]:
    """Say whether the group is hit apart from its reference group; as a finding only if the interval supports it."""
    change = numbers.gap_change(estimate)
    if change is None or change == estimate or change.value is None or change.low is None:
        return
    other = words.group(change.against or EVERYBODY)
    stated = f"the gap to {other} changed by {_stated(change)}, interval {words.span(change)}"
    if _excludes_zero(change):
        yield f"{_capital(stated)}: taken alone, that shows this group to be affected otherwise than {other}."
    else:
        yield f"Whether this group is affected otherwise than {other} is not shown: {stated}, which includes 0."


def _without_failure(numbers: Numbers, failed: int) -> Headline:
    """Word the largest estimated loss; any that `failed` are gaps that compression is not shown to make."""
    result = numbers.result
    judged = {subject(finding.estimate) for finding in deciding(result)}
    blocked = unfit(result.variants, result.definition["population"].get("minimum"))
    estimates = [
        e
        for e in result.estimates
        if e.compare == "change" and e.value is not None and e.variant not in blocked
        if subject(e) in judged or (not judged and e.group)
    ]
    outcome = f"{failed:,} comparisons between groups failed; none is shown to be compression's doing" if failed else ""
    if not estimates:
        return Headline(
            kicker=outcome or "No finding",
            sentence=_no_change(numbers, blocked),
            bars=(),
            bars_caption="",
            support=(),
        )
    worst = max(estimates, key=_loss)
    size = "largest estimated loss" if _loss(worst) > 0 else "smallest gain, since no loss is estimated"
    none = "No comparison is shown to fail" if judged else ""
    return Headline(
        kicker=": the ".join(filter(None, (outcome or none, size))) if outcome or none else f"The {size}",
        sentence=_sentence(numbers, worst),
        bars=_bars(numbers, worst),
        bars_caption=_bars_caption(numbers, worst),
        support=(
            _interval(numbers, worst, None, None),
            _not_excluded(worst),
            f"It is the worst of {len(estimates):,} estimates, and such a one is larger than the truth, as a rule.",
        ),
    )


def _no_change(numbers: Numbers, blocked: Mapping[str, str]) -> str:
    if blocked:
        return f"No change is judged: {'; '.join(dict.fromkeys(map(clean, blocked.values())))}."
    changes = [e for e in numbers.result.estimates if e.compare == "change"]
    return f"No change from the baseline could be measured. {words.why_undefined(changes)}".strip()


def _loss(estimate: Estimate) -> float:
    value = estimate.value or 0.0
    return value if estimate.metric in words.BAD_WHEN_HIGH else -value


def _not_excluded(estimate: Estimate) -> str:
    ends = [x for x in (estimate.low, estimate.high) if x is not None]
    if len(ends) < 2:
        return "Without an interval nothing can be excluded."
    is_bad_high = estimate.metric in words.BAD_WHEN_HIGH
    worst, best = (ends[1], -ends[0]) if is_bad_high else (-ends[0], ends[1])
    if worst <= 0:
        return "Taken alone, its interval excludes a loss; that says nothing of others."
    if best >= 0:
        return f"A loss of {100 * worst:.1f} points is not excluded; nor is no loss at all."
    return f"Taken alone, its interval excludes no loss at all; one of {100 * worst:.1f} points is not excluded."
