"""What is open, and what would settle it, as page one tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.records import Verdict
from auditor.report.view import words
from auditor.report.view.numbers import bad_is_low, counted
from auditor.text import clean

if TYPE_CHECKING:
    from auditor.records import AuditResult, Finding

OPEN = (Verdict.INCONCLUSIVE, Verdict.UNDEFINED)


def open_sentences(result: AuditResult) -> tuple[str, ...]:
    """Say how many of the comparisons that decide are open, which variant is nearest to a PASS, and what it lacks.

    Nearest is the variant without a failure that has the fewest open comparisons, first none that are undefined.
    """
    findings = counted(result)
    left = [finding for finding in findings if finding.verdict in OPEN]
    if not left:
        return ()
    begin = f"Open: {words.plural(len(left), 'comparison')}"
    failing = {finding.estimate.variant for finding in findings if finding.verdict is Verdict.FAIL}
    nearest: dict[str, list[Finding]] = {}
    for finding in left:
        if finding.estimate.variant not in failing:
            nearest.setdefault(finding.estimate.variant, []).append(finding)
    if not nearest:
        return (f"{begin}, beside the failures. What would settle each stands under Gates.",)
    variant, own = min(nearest.items(), key=lambda one: (sum(f.verdict is OPEN[1] for f in one[1]), len(one[1])))
    others = " What would settle the others stands under Gates." if len(left) > 1 else ""
    return (f"{begin}. Nearest to a PASS is {words.name(variant)} with {len(own):,}{_lacking(result, own)}{others}",)


def _lacking(result: AuditResult, own: list[Finding]) -> str:
    """Name the one of a variant's open comparisons that is furthest from passing, and what would settle it.

    What is undefined is furthest; then it is looked for in one gate alone, for points and quotients do not compare.
    """
    gates = {gate.name: gate for gate in result.gates}
    order = list(gates)

    def distance(finding: Finding) -> tuple[bool, int, float]:
        value, limit = finding.estimate.value or 0.0, finding.limit or 0.0
        side = 1 if bad_is_low(gates[finding.gate], finding.limit) else -1
        return finding.verdict is Verdict.UNDEFINED, -order.index(finding.gate), side * (limit - value)

    hardest = max(own, key=distance)
    e = hardest.estimate
    about = f"{words.comparison(e.metric, e.label, e.compare, e.against)} in {words.group_of(e.group)}"
    which = f": {about}" if len(own) == 1 else f"; the furthest from it is {about}"
    needs = f"To show that it holds: {clean(hardest.needed)}" if hardest.needed else clean(hardest.reason)
    return f"{which}. {needs[:1].upper()}{needs[1:]}."
