"""The numbers of a result, found by what they are about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.judge import counts, summary
from auditor.records import BASELINE, EVERYBODY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.records import AuditResult, Compare, Estimate, Finding, Gate, GroupKey, Label, Verdict

Subject = tuple[str, "Label | None", "GroupKey"]
"""What a rate is about: metric, class, group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """A result with its estimates by variant, subject and comparison."""

    result: AuditResult
    found: Mapping[tuple[str, Subject, Compare], Estimate]
    """A gap that is to several groups is found here to the first of them."""
    gaps: Mapping[tuple[str, Subject, Compare, GroupKey], Estimate]
    """Gaps by the group that they are to."""
    sizes: Mapping[GroupKey, tuple[int, ...]]
    """Test examples of each class in each group."""

    def get(self, variant: str, subject: Subject, compare: Compare) -> Estimate | None:
        """Give an estimate, or None where the audit has none."""
        return self.found.get((variant, subject, compare))

    def before(self, variant: str, subject: Subject) -> float | None:
        """Give the baseline's rate that a variant's change is from; None where it is undefined.

        An exported file, and pairs of which some are missing, are compared with their own baseline members, not with
        the mean over all of them.
        """
        ours, change = (self.get(variant, subject, compare) for compare in ("value", "change"))
        if ours is not None and change is not None and ours.value is not None and change.value is not None:
            return ours.value - change.value
        theirs = self.get(BASELINE, subject, "value")
        return None if theirs is None else theirs.value

    def compared_members(self, variant: str) -> int:
        """Count the baseline's models that a variant is compared with."""
        by_name = {one.name: one for one in self.result.variants}
        own = by_name[variant]
        return own.compared if own.paired or BASELINE not in by_name else by_name[BASELINE].finished

    def examples(self, subject: Subject) -> int | None:
        """Count the test examples in a rate's denominator; None where decisions make it, or it is not known."""
        metric, label, group = subject
        by_class = self.sizes.get(group)
        if by_class is None or metric == "precision":
            return None
        if label is None or metric == "selection_rate":
            return sum(by_class)
        own = by_class[self.result.data.classes.index(label)]
        return own if metric in {"recall", "fnr"} else sum(by_class) - own

    def gap_change(self, estimate: Estimate) -> Estimate | None:
        """Give how the gap changed that an estimate is about, or its group's gap to the reference, if there is one."""
        subject_ = subject(estimate)
        if estimate.compare.startswith("to_overall"):
            return self.get(estimate.variant, subject_, "to_overall_change")
        if estimate.against is not None:
            return self.gaps.get((estimate.variant, subject_, "disparity_change", estimate.against))
        return self.get(estimate.variant, subject_, "disparity_change")

    @property
    def variants(self) -> tuple[str, ...]:
        """Names of the compressed variants, in the report's order."""
        return tuple(variant.name for variant in self.result.variants if variant.name != BASELINE)

    @property
    def groups(self) -> tuple[GroupKey, ...]:
        """All groups but everybody."""
        return tuple(group for group in self.sizes if group != EVERYBODY)

    @property
    def confidence(self) -> float:
        """One-sided confidence of every bound."""
        return float(self.result.definition["statistics"]["confidence"])


def index(result: AuditResult) -> Numbers:
    """Index a result's estimates."""
    found: dict[tuple[str, Subject, Compare], Estimate] = {}
    for e in result.estimates:
        found.setdefault((e.variant, subject(e), e.compare), e)
    gaps = {(e.variant, subject(e), e.compare, e.against): e for e in result.estimates if e.against is not None}
    return Numbers(result=result, found=found, gaps=gaps, sizes=dict(result.data.groups))


def subject(estimate: Estimate) -> Subject:
    """Give what an estimate's rate is about."""
    return estimate.metric, estimate.label, estimate.group


def summed(findings: tuple[Finding, ...]) -> Verdict | None:
    """Give the verdict over several comparisons; None without any."""
    return summary(findings) if findings else None


def counted(result: AuditResult) -> tuple[Finding, ...]:
    """Give the findings that decide: of severity error and not waived."""
    return tuple(finding for finding in result.findings if counts(finding))


def deciding(result: AuditResult) -> tuple[Finding, ...]:
    """Give the findings of gates that decide, also waived ones: who is hurt is told whether it counts or not."""
    return tuple(finding for finding in result.findings if finding.severity == "error")


def of_gate(result: AuditResult, gate: Gate) -> tuple[Finding, ...]:
    """Give one gate's findings."""
    return tuple(finding for finding in result.findings if finding.gate == gate.name)


def bad_is_low(gate: Gate, limit: float | None) -> bool:
    """Tell whether the limit that decided is a minimum."""
    return gate.min is not None and (limit is None or limit == gate.min)
