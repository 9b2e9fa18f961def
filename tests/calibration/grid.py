"""Which settings are simulated, and what is counted of each."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from calibration.simulate import LEVEL, LOTTERY_LOSS, LOTTERY_SHARE, Audit, Cell, decide, member_effects, simulate

from auditor.measure.power import smallest_limit

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMITS = (0.02, 0.05)
SIZES = (30, 100, 300, 1000, 3000)
MEMBERS = (2, 3, 5, 10, 30)
RATES = (0.5, 0.9, 0.98, 0.995)
SDS = (0.05, 0.1, 0.2, 0.4)
USUAL_SD = 0.2
FEWEST = {limit: int(np.ceil(3 * np.log(LEVEL) / np.log(1 - limit))) for limit in LIMITS}
"""Examples from which power is compared with an oracle's."""


def cells() -> Iterator[Cell]:
    """Give every setting: at each limit, at half of it, without harm; at the limit with other designs and kinds too."""
    designs = [("artifact", 1, 0.0), *product(("paired", "unpaired"), MEMBERS, SDS)]
    for (design, K, sd), n, rate, churn in product(designs, SIZES, RATES, (False, True)):
        one = Cell(design=design, n=n, K=K, rate=rate, harm=0.0, sd=sd, churn=churn)
        yield one
        for limit in LIMITS:
            yield replace(one, harm=limit)
            yield replace(one, harm=limit / 2)
            if n >= 100 and sd in {0.0, 0.1}:
                yield replace(one, harm=limit, kind="clusters")
        if design != "artifact" and n >= 300 and rate == 0.9 and sd == 0.05:
            yield replace(one, harm=round(LOTTERY_SHARE * LOTTERY_LOSS, 9), kind="lottery")
    yield from unequal_clusters()
    yield from given_baselines()
    yield from unequal_spreads()
    yield from gaps()


def unequal_clusters() -> Iterator[Cell]:
    """Give settings where one cluster holds a fifth of the examples."""
    designs = [("artifact", 1, 0.0), *product(("paired", "unpaired"), MEMBERS, (0.1,))]
    for (design, K, sd), n, rate, limit in product(designs, SIZES[1:], (0.5, 0.9), LIMITS):
        yield Cell(design=design, n=n, K=K, rate=rate, harm=limit, sd=sd, churn=True, kind="unequal clusters")


def given_baselines() -> Iterator[Cell]:
    """Give settings of one baseline file, compressed K times."""
    for K, sd, n, rate, limit in product(MEMBERS, SDS, SIZES, (0.9, 0.98), LIMITS):
        yield Cell(design="given", n=n, K=K, rate=rate, harm=limit, sd=sd, churn=True)


def unequal_spreads() -> Iterator[Cell]:
    """Give settings where one population varies and the other does not, at high rates and at low ones."""
    falls = ((0.05, 0.02), (0.1, 0.05), (0.9, 0.05))
    for K, sds, n, (rate, limit), churn in product(
        (3, 5, 10), ((0.2, 0.0), (0.0, 0.2)), (300, 3000), falls, (False, True)
    ):
        one = Cell(design="unpaired", n=n, K=K, rate=rate, harm=limit, sd=sds[0], sd_baseline=sds[1], churn=churn)
        yield replace(one, kind="unequal spreads")


def gaps() -> Iterator[Cell]:
    """Give settings where the gap to another group of the same or of another rate widens."""
    designs = [("artifact", 1, 0.0), *product(("paired", "unpaired"), (3, 5, 10, 30), (0.1, 0.2))]
    rates = ((0.5, 0.5), (0.9, 0.9), (0.98, 0.98), (0.9, 0.5), (0.5, 0.9))
    for (design, K, sd), n, (rate, other), limit in product(designs, (100, 300, 1000), rates, LIMITS):
        yield Cell(design=design, n=n, K=K, rate=rate, harm=limit, sd=sd, churn=True, kind="gap", other=other)


def reachable(row: dict) -> bool:
    """Tell whether a plain setting has enough examples for any PASS: at best nothing flips, and members agree."""
    return smallest_limit(row["n"], 1 - LEVEL) <= row["limit"]


def usual(row: dict) -> bool:
    """Tell whether a row is of a setting that reports speak of: nothing unlike, at the limit, members not wild."""
    return row["kind"] == "plain" and row["harm"] == row["limit"] and row["sd"] <= USUAL_SD and reachable(row)


def worst(rows: list[dict], most: int = 40) -> list[Cell]:
    """Give the settings, of all that are usual, where PASS at the limit was seen most often."""
    names = [field.name for field in fields(Cell)]
    found = sorted((row for row in rows if usual(row)), key=lambda row: -row["pass"])
    return [Cell(**{name: row[name] for name in names}) for row in found[:most]]


def small() -> Iterator[Cell]:
    """Give a fixed few, that every test run simulates."""
    for design, K, n, rate in product(("artifact", "paired", "unpaired"), (3, 10), (100, 1000), (0.5, 0.98)):
        size, sd = (1, 0.0) if design == "artifact" else (K, 0.1)
        if K in (size, 3):
            yield Cell(design=design, n=n, K=size, rate=rate, harm=0.02, sd=sd, churn=True)


def count(cell: Cell, runs: int, seed: int) -> list[dict]:
    """Simulate a setting and count verdicts, one row a limit that its harm is about."""
    entropy = [seed, *np.frombuffer(repr(cell).encode(), np.uint8).tolist()]
    found = simulate(cell, runs, np.random.default_rng(entropy))
    limits = LIMITS if cell.harm == 0 else (cell.harm,) if cell.harm in LIMITS else (2 * cell.harm,)
    true_sd = found.harm.std(ddof=1)
    rows = []
    for limit in limits:
        within = found.upper <= limit
        shown = within & (~found.wild | (found.wide_upper <= limit))
        rows.append(
            asdict(cell)
            | {
                "limit": limit,
                "runs": len(found.harm),
                "pass": share(shown),
                "pass_without_spread_limit": share(within),
                "fail": share(found.lower > limit),
                "wild": share(found.wild),
                "covered_above": share(found.upper >= cell.harm),
                "covered_below": share(found.lower <= cell.harm),
                "point": share(found.harm <= limit),
                "seeds_only": None if cell.design == "artifact" else share(found.seeds_upper <= limit),
                "oracle": share(found.harm + 1.6448536269514722 * true_sd <= limit),
            }
        )
    return rows


def share(which: np.ndarray) -> float:
    """Give the share of runs, to the digits that matter."""
    return round(float(which.mean()), 5)


def families(
    runs: int, seed: int, *, members: tuple = (5, 10), sizes: tuple = (300, 1000), groups: tuple = (2, 8, 40)
) -> Iterator[dict]:
    """Count how often any of m groups FAILs though each is exactly at the limit (Holm's first step)."""
    settings = product(("paired", "unpaired"), members, sizes, (0.05, 0.2), groups, LIMITS)
    for design, K, n, sd, m, limit in settings:
        cell = Cell(design=design, n=n, K=K, rate=0.9, harm=limit, sd=sd, churn=True)
        rng = np.random.default_rng([seed, K, n, m, int(1000 * sd), int(1000 * limit), len(design)])
        failed = sum(_failed(cell, m, min(50, runs - start), rng) for start in range(0, runs, 50))
        yield {
            "design": design,
            "K": K,
            "n": n,
            "sd": sd,
            "groups": m,
            "limit": limit,
            "runs": runs,
            "fail": failed / runs,
        }


def _failed(cell: Cell, m: int, runs: int, rng: np.random.Generator) -> int:
    effects = member_effects(cell, runs, rng)
    shared = tuple(np.repeat(effect, m, axis=0) for effect in effects)
    upper_end = Audit([decide(cell, runs * m, rng, shared)], cell).bounds[1]
    lower = -upper_end.end(1, 1 - LEVEL / m)
    return int((lower.reshape(runs, m) > cell.harm).any(axis=1).sum())
