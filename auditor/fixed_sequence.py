"""The most compressed variant that passes, found without picking the best of several. Pure."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from auditor.judge import summary
from auditor.records import FixedSequence, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.records import Finding, VariantSummary

STRENGTHS = {"sparsity": 1, "clusters": -1, "ratio": -1}
"""What orders variants of one recipe from the mildest to the strongest, and which way."""


def most_compressed(findings: Sequence[Finding], variants: Sequence[VariantSummary]) -> tuple[FixedSequence, ...]:
    """Choose, of variants that differ alone in how far they go, the most compressed that passes.

    Going from the mildest to the strongest and stopping at the first that does not PASS keeps the level of a single
    test; picking the best of several does not (statistics: section 6).
    """
    families: dict[str, list[VariantSummary]] = {}
    for variant in variants:
        recipe = {key: value for key, value in variant.asked_for.items() if key not in {"name", *STRENGTHS}}
        if _strength(variant) is not None:
            families.setdefault(repr(sorted(recipe.items())), []).append(variant)
    found = (
        _sequence(findings, sorted(family, key=lambda variant: _strength(variant) or 0.0))
        for family in families.values()
    )
    return tuple(sequence for sequence in found if len(sequence.variants) > 1)


def _strength(variant: VariantSummary) -> float | None:
    """Tell how far a variant goes, by the one key of its recipe that says so; None where none or several do."""
    asked = [(key, variant.asked_for[key]) for key in STRENGTHS if key in variant.asked_for]
    if len(asked) != 1 or not isinstance(asked[0][1], int | float):
        return None
    return STRENGTHS[asked[0][0]] * asked[0][1]


def _sequence(findings: Sequence[Finding], family: Sequence[VariantSummary]) -> FixedSequence:
    """Test in order. What is waived is tested too; a variant that no gate decides on is not shown to pass."""
    own = [[f for f in findings if f.estimate.variant == v.name and f.severity == "error"] for v in family]
    if not any(own):
        return FixedSequence(variants=(), verdicts=(), chosen=None)
    judged = {v.name: summary(found) if found else Verdict.UNDEFINED for v, found in zip(family, own, strict=True)}
    passing = list(takewhile(lambda name: judged[name] is Verdict.PASS, judged))
    return FixedSequence(
        variants=tuple(judged), verdicts=tuple(judged.values()), chosen=passing[-1] if passing else None
    )
