"""The calibration table in words: the worst of many settings beside their mean, so that no average hides a bad one."""

from __future__ import annotations

from itertools import groupby
from math import sqrt

from calibration.grid import FEWEST, LEVEL, SDS, reachable, usual

DESIGNS = ("artifact", "given", "paired", "unpaired")


def markdown(rows: list[dict], again: list[dict], joint: list[dict]) -> str:
    """Write table.md."""
    runs = rows[0]["runs"]
    at_limit = [row for row in rows if row["harm"] == row["limit"]]
    parts = [
        "# Calibration: how often verdicts are wrong, where the truth is known",
        "",
        (
            f"Made by `python -m tests.calibration --runs {runs}`; {len(rows):,} rows, each simulated {runs:,} times "
            f"(one standard error at 5%: {100 * sqrt(LEVEL * (1 - LEVEL) / runs):.2f} points); all of them are in "
            "`table.json`. Each audit compares a rate (baseline 50, 90, 98, 99.5%) of 30 to 3,000 examples; members "
            "differ by a standard deviation on the probit scale; flips go one way, or both."
        ),
        "",
        "## False PASS: the true harm is exactly at the limit (2 or 5 points), 5% are promised",
        "",
        (
            "Worst setting (and mean over those whose examples are enough for any PASS), in percent. *Given*: one "
            "baseline file, compressed K times. *Wild*: members were seen to differ by more than the method bears, so "
            "that a PASS must hold with twice the reach; the share of such runs is in the last column."
        ),
        "",
        *false_pass(at_limit),
        "",
        "## The same by number of members (standard deviation up to 0.2)",
        "",
        *by_members(at_limit),
        "",
        "## The worst settings once more",
        "",
        (
            f"The worst of thousands of settings is partly bad luck: the {len(again)} worst (standard deviation up to "
            f"0.2) were simulated once more, {again[0]['runs']:,} times with other draws (one standard error at 5%: "
            f"{100 * sqrt(LEVEL * (1 - LEVEL) / again[0]['runs']):.2f} points)."
        ),
        "",
        *once_more(again),
        "",
        "## Where examples or members are not alike, and gaps between groups",
        "",
        (
            "Worst setting (and mean over all). Clusters have 5 examples (correlation 0.1); where they are unequal, "
            "one holds a fifth of all. Unequal spreads: one population varies (0.2), the other does not. Gap: of two "
            "groups that share half of the members' variance, only one is harmed. A lottery: one member in ten loses "
            "20 points, the others nothing; no method sees a member it did not draw."
        ),
        "",
        *others(at_limit),
        "",
        "## Coverage: the true change lies within each end (95% are promised)",
        "",
        *coverage(rows),
        "",
        "## Power: PASS where there is no harm",
        "",
        (
            "Beside an oracle that knows the variance of the estimate; settings with enough examples that nothing else "
            "is in the way (n at least 3 ln .05 / ln(1 - limit)), and ten members or more, or a file."
        ),
        "",
        *power(rows),
        "",
        "## False FAIL of a family: every group exactly at the limit, Holm's correction, 5% are promised",
        "",
        *family_rows(joint),
        "",
    ]
    return "\n".join(parts)


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _worst(rows: list[dict], key: str) -> str:
    known = [row[key] for row in rows if row[key] is not None]
    return f"{_percent(max(known))} ({_percent(sum(known) / len(known))})" if known else "–"


def _table(head: tuple[str, ...], body: list[tuple[str, ...]]) -> list[str]:
    return [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *(f"| {' | '.join(line)} |" for line in body)]


HEAD = ("this method", "point estimate", "seeds-only t", "this method without its limit on spread", "wild")
KEYS = ("pass", "point", "seeds_only", "pass_without_spread_limit", "wild")


def false_pass(at_limit: list[dict]) -> list[str]:
    """Give false PASS by design and spread."""
    plain = [row for row in at_limit if row["kind"] == "plain" and reachable(row)]
    body = []
    for design in DESIGNS:
        for sd in (0.0, *SDS):
            own = [row for row in plain if (row["design"], row["sd"]) == (design, sd)]
            if own:
                body.append((design, f"{sd:g}", *(_worst(own, key) for key in KEYS)))
    return _table(("design", "sd", *HEAD), body)


def by_members(at_limit: list[dict]) -> list[str]:
    """Give false PASS by design and number of members."""
    plain = [row for row in at_limit if usual(row)]
    body = []
    for (design, K), own in groupby(sorted(plain, key=_design_and_size), key=_design_and_size):
        rows = list(own)
        body.append((design, f"{K}", *(_worst(rows, key) for key in KEYS)))
    return _table(("design", "K", *HEAD), body)


def once_more(again: list[dict]) -> list[str]:
    """Give false PASS of the worst settings, simulated with other draws, the worst first."""
    keys = ("design", "K", "n", "rate", "sd", "limit")
    body = [
        (*(f"{row[key]}" for key in keys), _percent(row["pass"]), _percent(row["wild"]))
        for row in sorted(again, key=lambda row: -row["pass"])[:10]
    ]
    return _table((*keys, "this method", "wild"), body)


def _design_and_size(row: dict) -> tuple[str, int]:
    return row["design"], row["K"]


def others(at_limit: list[dict]) -> list[str]:
    """Give false PASS where examples or members are not what is assumed."""
    body = []
    for kind in ("clusters", "unequal clusters", "unequal spreads", "gap", "lottery"):
        for design in DESIGNS:
            own = [row for row in at_limit if (row["kind"], row["design"]) == (kind, design)]
            if own:
                body.append((kind, design, *(_worst(own, key) for key in KEYS)))
    return _table(("kind", "design", *HEAD), body)


def coverage(rows: list[dict]) -> list[str]:
    """Give the least and the mean coverage of each end."""
    body = []
    for design in DESIGNS:
        for sd in (0.0, *SDS):
            own = [row for row in rows if (row["design"], row["sd"], row["kind"]) == (design, sd, "plain")]
            if own:
                ends = ("covered_above", "covered_below")
                shown = (
                    f"{_percent(min(r[e] for r in own))} ({_percent(sum(r[e] for r in own) / len(own))})" for e in ends
                )
                body.append((design, f"{sd:g}", *shown))
    return _table(("design", "sd", "harm is at most the upper end: least (mean)", "at least the lower end"), body)


def enough(row: dict) -> bool:
    """Tell whether power is to be compared with the oracle's."""
    return row["harm"] == 0 and row["n"] >= FEWEST[row["limit"]] and (row["K"] >= 10 or row["design"] == "artifact")


def power(rows: list[dict]) -> list[str]:
    """Give power beside the oracle's."""
    body = []
    for design in DESIGNS:
        for sd in (0.0, *SDS):
            own = [r for r in rows if (r["design"], r["sd"]) == (design, sd) and enough(r) and r["oracle"] > 0]
            if own:
                ratios = sorted(row["pass"] / row["oracle"] for row in own)
                held = sum(ratio >= 0.85 for ratio in ratios) / len(ratios)
                middle = ratios[len(ratios) // 2]
                means = (sum(row[key] for row in own) / len(own) for key in ("pass", "oracle"))
                body.append(
                    (design, f"{sd:g}", *map(_percent, means), f"{middle:.2f}", f"{ratios[0]:.2f}", _percent(held))
                )
    head = ("design", "sd", "PASS, mean", "oracle, mean", "ratio, median", "ratio, least", "settings with at least .85")
    return _table(head, body)


def family_rows(joint: list[dict]) -> list[str]:
    """Give the family-wise error by design and number of groups."""
    body = []
    for design in DESIGNS:
        for m in sorted({row["groups"] for row in joint}):
            own = [row for row in joint if (row["design"], row["groups"]) == (design, m)]
            if own:
                body.append((design, f"{m}", _worst(own, "fail")))
    return _table(("design", "groups", "some FAIL: worst (mean)"), body)
