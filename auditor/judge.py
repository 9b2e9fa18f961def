"""Judge: gates and estimates -> findings. Pure; the command line, the Python API and `auditor check` all come here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.errors import ExitCode
from auditor.measure.intervals import end_of, further_member, p_beyond, p_proportion, seeds_only, widened
from auditor.measure.multiplicity import holm
from auditor.measure.power import needed
from auditor.measure.rates import of_whom
from auditor.measure.spread import LIMIT as SPREAD_LIMIT
from auditor.records import BASELINE, Estimate, Finding, Verdict, group_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from auditor.measure.intervals import Side
    from auditor.records import Gate, Severity, VariantSummary

Key = tuple[object, ...]
REASONS = {
    Verdict.PASS: "the whole interval lies within the limit",
    Verdict.FAIL: "beyond the limit, also after correction for all comparisons of the variant",
}


def judge(
    gates: Sequence[Gate],
    estimates: Iterable[Estimate],
    variants: Sequence[VariantSummary],
    *,
    confidence: float,
    minimum: int | None,
) -> tuple[Finding, ...]:
    """Judge every comparison of every gate.

    PASS: the bound of the interval lies within the limit; every comparison must be shown, so bounds are not corrected.
    FAIL: the p of "within the limit", adjusted by Holm over all comparisons of a variant and severity, is below
    1 - confidence.
    """
    known = {key_of(e): e for e in estimates}
    blocked = unfit(variants, minimum)
    cases = [
        _Case(gate, known[variant, gate.metric, *target, gate.compare], known, blocked.get(variant), confidence)
        for gate in gates
        for variant in gate.variants
        for target in gate.targets
    ]
    for family in {(case.estimate.variant, case.gate.severity) for case in cases}:
        _adjust([case for case in cases if (case.estimate.variant, case.gate.severity) == family])
    return tuple(case.finding() for case in cases)


def unfit(variants: Sequence[VariantSummary], minimum: int | None) -> Mapping[str, str]:
    """Name the variants that cannot be judged, with the reason: too few members finished, or a collapsed baseline."""
    baseline = variants[0]
    reasons = {v.name: reason for v in variants if (reason := _too_few(v, minimum))}
    if baseline.name in reasons or baseline.collapsed:
        common = reasons.get(BASELINE) or (
            f"{baseline.collapsed} of {baseline.finished} baseline members say one class always, or are "
            "not shown to do better than chance"
        )
        reasons |= {v.name: common for v in variants if v.name not in reasons}
    return reasons


def _too_few(variant: VariantSummary, minimum: int | None) -> str | None:
    must = min(minimum or variant.asked, variant.asked)
    if variant.finished < must:
        return f"{variant.finished} of {variant.asked} members of {variant.name} finished, {must} must"
    if variant.compared < must:
        return (
            f"{variant.compared} of {variant.asked} members of {variant.name} finished together with the baseline "
            f"member that they are compared with, {must} must"
        )
    return None


def key_of(e: Estimate) -> Key:
    """Give what names an estimate: variant, metric, class, group, the group that a gap is to, comparison."""
    return (e.variant, e.metric, e.label, e.group, e.against, e.compare)


class _Case:
    """One comparison while it is judged: p values of a family are adjusted together, before the verdicts."""

    def __init__(
        self, gate: Gate, estimate: Estimate, known: Mapping[Key, Estimate], blocked: str | None, confidence: float
    ) -> None:
        self.gate, self.estimate, self.confidence = gate, estimate, confidence
        self.undefined = blocked or estimate.undefined
        self.baseline = known.get((BASELINE, *key_of(estimate)[1:]))
        self.by_interval = gate.decide_on == "interval"
        self.p: dict[Side, float] = {}
        self.adjusted: dict[Side, float] = {}
        if not self.undefined and self.by_interval:
            self.p = {side: self._p(side, limit) for side, limit in self.limits()}

    def limits(self) -> list[tuple[Side, float]]:
        """Give each limit with the end of the interval that shows a breach: lower above max, upper below min."""
        pairs: list[tuple[Side, float | None]] = [(-1, self.gate.max), (1, self.gate.min)]
        return [(side, limit) for side, limit in pairs if limit is not None]

    def _p(self, side: Side, limit: float) -> float:
        e = self.estimate
        bound = e.lower if side < 0 else e.upper
        if bound is None or e.value is None:
            return p_proportion(round((e.value or 0.0) * e.n), e.n, side, limit)
        return p_beyond(bound, side, limit)

    def verdict(self) -> Verdict:
        """PASS, FAIL, INCONCLUSIVE or UNDEFINED."""
        e = self.estimate
        low, high = (e.low, e.high) if self.by_interval else (e.value, e.value)
        if self.undefined:
            return Verdict.UNDEFINED
        if self._within(low, high):
            return Verdict.PASS if not self.by_interval or self._bears_its_members() else Verdict.INCONCLUSIVE
        if not self.by_interval or any(p < 1 - self.confidence for p in self.adjusted.values()):
            return Verdict.FAIL
        return Verdict.INCONCLUSIVE

    def _bears_its_members(self) -> bool:
        """Tell whether a PASS holds although members differ more than Student's quantiles are known to bear, if so."""
        e = self.estimate
        if e.spread is None or e.spread <= SPREAD_LIMIT or e.lower is None or e.upper is None:
            return True
        low, high = end_of(widened(e.lower), -1, self.confidence), end_of(widened(e.upper), 1, self.confidence)
        return self._within(low, high)

    def _within(self, low: float | None, high: float | None) -> bool:
        """Tell whether both ends, None where open, are inside the limits."""
        gate = self.gate
        return (gate.min is None or (low is not None and low >= gate.min)) and (
            gate.max is None or (high is not None and high <= gate.max)
        )

    def finding(self) -> Finding:
        """Put the verdict into words and numbers."""
        e, verdict = self.estimate, self.verdict()
        p = min(self.p.values(), default=None)
        p_holm = min(self.adjusted.values(), default=None)
        limit = self._deciding_limit()
        return Finding(
            gate=self.gate.name,
            estimate=e,
            verdict=verdict,
            severity=self.gate.severity,
            limit=limit,
            p=p,
            p_holm=p_holm,
            reason=self._reason(verdict),
            needed=self._needed(limit) if verdict is Verdict.INCONCLUSIVE and not self._is_beyond_alone() else "",
            seeds_only=self._seeds_only(),
            baseline_fails_too=self._baseline_fails_too(),
            further_model=self._further_model(limit),
        )

    def _deciding_limit(self) -> float:
        """Choose the limit that is broken, or the nearer one."""
        limits = [limit for _, limit in self.limits()]
        if self.estimate.value is None or len(limits) == 1:
            return limits[0]
        value = self.estimate.value
        return min(limits, key=lambda limit: -abs(value - limit) if self._outside(value, limit) else abs(value - limit))

    def _inner(self, limit: float) -> Side:
        """Give the end of the interval that must lie within a limit: the lower one for a minimum."""
        return next(-side for side, known in self.limits() if known == limit)

    def _outside(self, value: float, limit: float) -> bool:
        return any(side * (limit - value) > 0 for side, known in self.limits() if known == limit)

    def _reason(self, verdict: Verdict) -> str:
        if verdict is Verdict.UNDEFINED:
            return self.undefined or "no number is known"
        if not self.by_interval:
            return "decided on the estimate alone"
        if verdict is not Verdict.INCONCLUSIVE:
            return REASONS[verdict]
        if self._is_beyond_alone():
            return (
                "beyond the limit by itself, but not after correction for all comparisons of the variant: with more "
                "examples or members a failure would be shown sooner than a PASS"
            )
        if not self._bears_its_members() and self._within(self.estimate.low, self.estimate.high):
            return (
                f"members differ by {self.estimate.spread:.2f} on the probit scale, beyond the {SPREAD_LIMIT:g} up to "
                "which intervals are known to keep their level, and with twice the reach the limit does not hold"
            )
        return "the interval does not lie within the limit, but a breach is not shown either"

    def _is_beyond_alone(self) -> bool:
        """Tell whether the whole interval lies beyond a limit: asking what would make it pass then leads astray."""
        return any(p < 1 - self.confidence for p in self.p.values())

    def _needed(self, limit: float) -> str:
        """Say what would settle it, if the true harm were 0."""
        e = self.estimate
        what = needed(e, limit, self._inner(limit), self.confidence)
        if what.examples is None or what.members is None:
            if e.compare in {"value", "ratio"}:
                return f"at the {'rate' if e.compare == 'value' else 'ratio'} as estimated the limit does not hold"
            return "no number of examples or members would show that the limit holds"
        more = [f"{what.members:,} members a variant"] if what.members > e.members else []
        if what.examples > e.n:
            whom = f"{of_whom(e.metric, e.label)} in {group_name(e.group)}"
            more.append(f"{what.examples:,} {whom}, where there are {e.n:,}")
        if what.others > 1:
            other = "all others" if e.against is None else group_name(e.against)
            more.append(f"{what.others:.1f} times as many examples in {other}")
        if not more:
            where = "beyond" if e.value is not None and self._outside(e.value, limit) else "too near"
            return (
                f"as many examples and members would do, if the true harm is 0: here the estimate is {where} the limit"
            )
        return f"about {' and '.join(more)}, if the true harm is 0"

    def _seeds_only(self) -> Verdict | None:
        e = self.estimate
        if self.undefined or e.value is None or e.lower is None:
            return None
        return seeds_only(e.lower, e.value, (self.gate.min, self.gate.max), self.confidence)

    def _further_model(self, limit: float) -> float | None:
        """Bound one further model of the recipe, on the side of the limit that decides."""
        e = self.estimate
        side = self._inner(limit)
        bound = e.lower if side < 0 else e.upper
        if self.undefined or bound is None or e.claim != "recipe":
            return None
        return end_of(further_member(bound), side, self.confidence)

    def _baseline_fails_too(self) -> bool | None:
        if self.baseline is None or self.baseline.value is None:
            return None
        return any(self._outside(self.baseline.value, limit) for _, limit in self.limits())


def _adjust(cases: list[_Case]) -> None:
    """Adjust the p of one family: both limits of a gate are two tests, a comparison that two gates make is one."""
    tests = {(case.estimate.id, side, limit): case.p[side] for case in cases if case.p for side, limit in case.limits()}
    adjusted = dict(zip(tests, holm(list(tests.values())), strict=True))
    for case in cases:
        case.adjusted = {
            side: float(adjusted[case.estimate.id, side, limit]) for side, limit in case.limits() if case.p
        }


def counts(finding: Finding, fail_on: Severity = "error") -> bool:
    """Tell whether a finding decides: of severity error, or of any with `fail_on` a warning, and not waived."""
    return fail_on in {finding.severity, "warning"} and not finding.waived


def exit_code(
    findings: Sequence[Finding], *, allow_inconclusive: bool = False, fail_on: Severity = "error"
) -> ExitCode:
    """Tell what the command answers: only findings that count do, and a FAIL beats all else."""
    verdicts = {f.verdict for f in findings if counts(f, fail_on)}
    if Verdict.FAIL in verdicts:
        return ExitCode.GATE_FAILED
    undecided = {Verdict.UNDEFINED} if allow_inconclusive else {Verdict.UNDEFINED, Verdict.INCONCLUSIVE}
    return ExitCode.UNDECIDED if verdicts & undecided else ExitCode.PASSED


def summary(findings: Sequence[Finding]) -> Verdict:
    """Give one verdict for several comparisons: FAIL if any is, PASS only if all are."""
    verdicts = {f.verdict for f in findings}
    order = (Verdict.FAIL, Verdict.UNDEFINED, Verdict.INCONCLUSIVE)
    return next((v for v in order if v in verdicts), Verdict.PASS)
