"""What a sample of some size can show at all, and what would settle an open case."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from statistics import NormalDist
from typing import TYPE_CHECKING

from auditor.measure.intervals import PSEUDO_EXAMPLES, reach, variance_at
from auditor.records import Bound, Term

if TYPE_CHECKING:
    from collections.abc import Callable

    from auditor.records import Estimate

MOST = 10**9
"""Where searching ends: nobody has more examples."""
POWER = 0.8
"""Share of audits that are to pass at the numbers that are given."""
_SHARED = 1.5
"""How many times the least number of members is asked for where examples must be more as well."""
_ROOM = NormalDist().inv_cdf(POWER)
"""Standard errors by which estimates then fall short of the truth at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """What would let POWER of audits pass if the true harm were 0; None where no number would."""

    examples: int | None
    """In the denominator of the group's rate; the present number where it would do."""
    others: float
    """How many times as many in the other group of a gap; 1.0 where there is none, or the present number would do."""
    members: int | None
    """A variant; the present number where it would do."""


def smallest_limit(n: int, confidence: float) -> float:
    """Give the smallest harm that n examples can exclude when not one decision changes and members agree.

    A gate on a change whose limit is nearer to 0 cannot be passed. 1.0 where there are fewer than two examples.
    """
    if n < 2:
        return 1.0
    own = Term(source="examples", variance=_pseudo_variance(n), df=n - 1)
    return PSEUDO_EXAMPLES / (n + PSEUDO_EXAMPLES) + reach((own,), confidence)


def examples_for(limit: float, confidence: float) -> int:
    """Give the fewest examples at which a harm of `limit` can be excluded when nothing changes."""
    return _fewest(lambda n: smallest_limit(n, confidence) <= limit, 2) or MOST


def needed(estimate: Estimate, limit: float, side: int, confidence: float) -> Needed:
    """Tell how many examples and members would show that the limit holds, in POWER of audits, if the true harm were 0.

    At the size at which an estimate of exactly 0 passes only every other audit would: estimates vary about the truth.
    For a change or a gap the true value is then 0; for a rate itself it is what was estimated. `side` is -1 where the
    value must be at least the limit, +1 where at most. Members are taken to vary, and examples to flip, as they do now;
    more members are asked for only where more examples alone would not do.
    """
    assumed = (estimate.value or 0.0) if estimate.compare in {"value", "ratio"} else 0.0
    bound = _at((estimate.lower if side < 0 else estimate.upper) or _one_proportion(estimate, assumed), limit)
    distance = side * (limit - assumed) * bound.below
    if distance <= 0:
        return Needed(examples=None, others=1.0, members=None)
    units = round(bound.terms[0].df) + 1

    def settles(own: float, other: float, members: int) -> bool:
        """Tell whether it would do: times as many examples in the group, and in the other, and so many members."""
        return _harm_excluded(bound, (own, other), members, confidence) <= distance

    members = estimate.members
    if not settles(MOST, MOST, members):
        least = _fewest(partial(settles, MOST, MOST), members)
        if least is None:
            return Needed(examples=None, others=1.0, members=None)
        # at the least number of members, examples would have to be without end
        members = _fewest(partial(settles, 1, 1), members) or math.ceil(_SHARED * least)
    size = _fewest(lambda n: settles(n / units, 1, members), units)
    if size is not None:
        return Needed(examples=math.ceil(size * estimate.n / units), others=1.0, members=members)
    # the group that it is compared with is the smaller one: that first, then both alike
    tenths = _fewest(lambda times: settles(1, times / 10, members), 10)
    if tenths is not None:
        return Needed(examples=estimate.n, others=tenths / 10, members=members)
    tenths = _fewest(lambda times: settles(times / 10, times / 10, members), 10)
    if tenths is None:
        return Needed(examples=None, others=1.0, members=None)
    return Needed(examples=math.ceil(tenths * estimate.n / 10), others=tenths / 10, members=members)


def _at(bound: Bound, limit: float) -> Bound:
    """Take the contrast at a limit for a plain number: what is judged there."""
    terms = (replace(t, variance=variance_at(t, limit), covariance=0.0, variance_below=0.0) for t in bound.terms)
    return replace(bound, terms=tuple(terms))


def _one_proportion(estimate: Estimate, share: float) -> Bound:
    """Stand in for the exact interval of one model's own rate, which has no terms."""
    term = Term(source="examples", variance=share * (1 - share) / estimate.n, df=estimate.n - 1)
    return Bound(center=share, terms=(term,))


def _harm_excluded(bound: Bound, times: tuple[float, float], members: int, confidence: float) -> float:
    """Give the smallest harm that POWER of audits would exclude at other sizes, where there is none.

    `times` as many examples in the group and in the one that it is compared with. What examples really do makes a
    variance that falls with their number; the pseudo-examples' own falls with its square.
    """
    shift, noise, scaled, factors = 0.0, 0.0, [], iter(times)
    for term in bound.terms:
        if term.source == "examples":
            units = term.df + 1
            size = units * next(factors)
            real = max(term.variance - _pseudo_variance(units), 0.0) * units
            scaled.append(replace(term, variance=real / size + _pseudo_variance(size), df=size - 1))
            shift += PSEUDO_EXAMPLES / (size + PSEUDO_EXAMPLES)
            noise += real / size
        else:
            scaled.append(replace(term, variance=term.variance * (term.df + 1) / members, df=members - 1))
            noise += scaled[-1].variance
    return shift + reach(tuple(scaled), confidence) + _ROOM * math.sqrt(noise)


def _pseudo_variance(n: float) -> float:
    """Give the variance that the pseudo-examples alone make, where no example does anything."""
    size = n + PSEUDO_EXAMPLES
    return (PSEUDO_EXAMPLES - PSEUDO_EXAMPLES**2 / size) / ((size - 1) * size)


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
