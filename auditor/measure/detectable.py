"""What a test on the members of two populations can find at all (statistics: section 3)."""

from __future__ import annotations

import numpy as np
from scipy import optimize, special


def detectable_shift(
    k_baseline: int, k_variant: int, *, paired: bool, level: float = 0.05, power: float = 0.8
) -> float | None:
    """Give the shift, in between-member standard deviations, that a two-sided t-test finds with this power.

    Paired, the standard deviation is that of the differences within pairs. From the noncentral t distribution, with
    equal variances; None with fewer than two members.
    """
    if min(k_baseline, k_variant) < 2:
        return None
    df = k_variant - 1 if paired else k_baseline + k_variant - 2
    information = np.sqrt(k_variant if paired else 1 / (1 / k_baseline + 1 / k_variant))
    critical = -special.stdtrit(df, level / 2)

    def lack(shift: float) -> float:
        return power - float(1 - special.nctdtr(df, shift * information, critical))  # the other tail adds nothing

    # far beyond the solution the noncentral t is not computed, so the search goes up to it from below
    high = 1 / information
    while lack(high) > 0:
        high *= 1.5
    return float(optimize.brentq(lack, 0, high))
