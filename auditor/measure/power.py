"""What a sample of some size can show at all, and what would settle an open case."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from auditor.measure.intervals import PSEUDO_EXAMPLES, reach
from auditor.records import Term

if TYPE_CHECKING:
    from collections.abc import Callable

    from auditor.records import Estimate

MOST = 10**9
"""Where searching ends: nobody has more examples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """What would settle an open case; None where no number would."""

    examples: int | None
    """In the denominator of the group's rate."""
    members: int | None
    """A variant, where the members asked for are too few whatever the number of examples."""


def smallest_limit(n: int, confidence: float) -> float:
    """Give the smallest harm that n examples can exclude when not one decision changes and members agree.

    A gate on a change whose limit is nearer to 0 cannot be passed. 1.0 where there are fewer than two examples.
    """
    if n < 2:
        return 1.0
    size = n + PSEUDO_EXAMPLES
    center = PSEUDO_EXAMPLES / size
    variance = (PSEUDO_EXAMPLES - size * center**2) / ((size - 1) * size)
    return center + reach((Term(source="examples", variance=variance, df=n - 1),), confidence)


def examples_for(limit: float, confidence: float) -> int:
    """Give the fewest examples at which a harm of `limit` can be excluded when nothing changes."""
    return _fewest(lambda n: smallest_limit(n, confidence) <= limit, 2) or MOST


def needed(estimate: Estimate, limit: float, side: int, confidence: float) -> Needed:
    """Tell how many examples, or members, would show that the limit holds, if the true harm were 0.

    For a change the true value is then 0; for a rate itself it is what was estimated. `side` is -1 where the value must
    be at least the limit, +1 where at most. Variances are taken to stay as they are estimated.
    """
    assumed = 0.0 if estimate.compare in {"change", "disparity_change", "disparity"} else (estimate.value or 0.0)
    distance = side * (limit - assumed)
    bound = estimate.lower if side < 0 else estimate.upper
    if distance <= 0:
        return Needed(examples=None, members=None)
    if bound is None:
        variance = assumed * (1 - assumed) / estimate.n
        terms: tuple[Term, ...] = (Term(source="examples", variance=variance, df=estimate.n - 1),)
    else:
        terms = bound.terms
    examples = _examples(terms, estimate.n, distance, confidence)
    if examples is not None:
        return Needed(examples=examples, members=None)
    members = _fewest(lambda k: reach(_with_members(terms[1:], k), confidence) <= distance / 2, estimate.members + 1)
    if members is None:
        return Needed(examples=None, members=None)
    scaled = (terms[0], *_with_members(terms[1:], members))
    return Needed(examples=_examples(scaled, estimate.n, distance, confidence), members=members)


def _examples(terms: tuple[Term, ...], n: int, distance: float, confidence: float) -> int | None:
    own, rest = terms[0], terms[1:]

    def settles(size: int) -> bool:
        scaled = replace(own, variance=own.variance * n / size, df=size - 1)
        return PSEUDO_EXAMPLES / (size + PSEUDO_EXAMPLES) + reach((scaled, *rest), confidence) <= distance

    return _fewest(settles, max(n, 2))


def _with_members(terms: tuple[Term, ...], members: int) -> tuple[Term, ...]:
    return tuple(
        term
        if term.source == "examples"
        else replace(term, variance=term.variance * (term.df + 1) / members, df=members - 1)
        for term in terms
    )


def _fewest(settles: Callable[[int], bool], least: int) -> int | None:
    """Find the smallest number from `least` on that settles it, by doubling and halving."""
    high = least
    while not settles(high):
        high *= 2
        if high > MOST:
            return None
    low = max(least, high // 2)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if settles(middle) else (middle + 1, high)
    return high
