"""How much it is left to the seed who is decided for: ambiguity and discrepancy; description, never judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.description import Description

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.description import Measure
    from auditor.measure.setting import Setting
    from auditor.records import IntArray, Predictions


def ambiguity(decisions: IntArray) -> tuple[float, float]:
    """Compute ambiguity and discrepancy of members [K, N], K at least 2, relative to the first (Marx et al. 2020).

    The set of competing models is taken to be the members of one population: same recipe, other seeds. Ambiguity is the
    share of examples on which some member decides otherwise than the first; discrepancy the largest share on which one
    member does (arXiv 1909.06677).
    """
    other = decisions[1:] != decisions[0]
    return float(other.any(axis=0).mean()), float(other.mean(axis=1).max())


def ambiguities(setting: Setting, theirs: Predictions, ours: Predictions) -> Iterator[Description]:
    """Describe both for the members of baseline and variant that are compared."""
    pairs = [ambiguity(p.decisions) if len(set(p.digests)) > 1 else None for p in (theirs, ours)]
    alone = [who for who, pair in zip(("the baseline", "the variant"), pairs, strict=True) if pair is None]
    undefined = f"one model alone is no set of models: {' and '.join(alone)}" if alone else None
    before, after = pairs
    measures: tuple[Measure, Measure] = ("ambiguity", "discrepancy")
    for place, measure in enumerate(measures):
        yield Description(
            variant=setting.population.name,
            measure=measure,
            n=len(setting.dataset.labels),
            before=None if before is None else before[place],
            after=None if after is None else after[place],
            value=None if before is None or after is None else after[place] - before[place],
            undefined=undefined,
        )
