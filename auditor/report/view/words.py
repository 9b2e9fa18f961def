"""Numbers and names as readers see them, once for every format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.records import family_name
from auditor.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.records import Compare, Estimate, GroupKey, Label

MINUS = "\N{MINUS SIGN}"
NAME_LIMIT = 60
_REASONS = 12

METRICS = {
    "accuracy": "accuracy",
    "error": "error rate",
    "recall": "recall",
    "fnr": "false negative rate",
    "fpr": "false positive rate",
    "tnr": "true negative rate",
    "selection_rate": "selection rate",
    "precision": "precision",
}
BAD_WHEN_HIGH = frozenset({"error", "fnr", "fpr"})


# ----------------------------------------------------------------------------------------------------------------- text


def name(value: object) -> str:
    """Give a name from the data or the definition, at a length that fits a table."""
    return clean(str(value), NAME_LIMIT)


def group(key: GroupKey) -> str:
    """Give a group's name, such as "Female × Black"; "everybody" for all."""
    return " × ".join(name(one) for _, one in key) or "everybody"


def group_of(key: GroupKey) -> str:
    """Give a group with its attribute, such as "Female (sex)"; "everybody" for all."""
    return f"{group(key)} ({family(family_name(key))})" if key else "everybody"


def groups(keys: Iterable[GroupKey]) -> dict[GroupKey, str]:
    """Name groups that stand side by side: with their attributes only where names alone are not told apart."""
    short = {key: group(key) for key in keys}
    return short if len(set(short.values())) == len(short) else {key: group_of(key) for key in short}


def family(declared: str) -> str:
    """Give an attribute or intersection, such as "sex × race"."""
    return name(declared.replace(" x ", " × "))


def quoted(label: Label | None) -> str:
    """Give a class in quotation marks, as the data spells it."""
    return f"“{name(label)}”"


def metric(key: str, label: Label | None) -> str:
    """Give a rate's name with its class, such as "recall of “>50K”"."""
    words = METRICS.get(key, name(key))
    return words if label is None else f"{words} of {quoted(label)}"


def comparison(key: str, label: Label | None, compare: Compare, against: GroupKey | None = None) -> str:
    """Give what is compared, such as "change of recall of “>50K”"; `against` names the group that a gap is to."""
    other = "the reference group" if against is None else group(against)
    words = metric(key, label)
    return {
        "value": words,
        "change": f"change of {words}",
        "ratio": f"ratio of {words} to {other}",
        "ratio_change": f"change of the ratio of {words} to {other}",
        "disparity": f"difference in {words} to {other}",
        "disparity_change": f"change of the gap in {words} to {other}",
        "to_overall": f"difference in {words} to everybody",
        "to_overall_change": f"change of the gap in {words} to everybody",
    }[compare]


def listed(parts: Iterable[str]) -> str:
    """Join words as a sentence does: "a, b and c"."""
    items = list(parts)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""


def plural(count: int, one: str, many: str = "") -> str:
    """Give a count with its noun."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


# -------------------------------------------------------------------------------------------------------------- numbers


def _signed(text: str, *, plus: bool) -> str:
    """Write a real minus, never a minus before nothing, and a plus where a change is meant."""
    if not text.strip("-0.,"):
        return text.lstrip("-")
    return text.replace("-", MINUS) if text.startswith("-") else f"+{text}" if plus else text


def rate(value: float, digits: int = 1) -> str:
    """Give a rate in percent."""
    return _signed(f"{100 * value:.{digits}f}", plus=False) + "%"


def points(value: float, digits: int = 1) -> str:
    """Give a difference of rates in points, with its sign and without a unit."""
    return _signed(f"{100 * value:.{digits}f}", plus=True)


def ratio(value: float, digits: int = 3) -> str:
    """Give a quotient of rates."""
    return _signed(f"{value:.{digits}f}", plus=False)


def p_value(value: float | None) -> str:
    """Give a p value; tiny ones as a bound."""
    return "–" if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"


def number(value: float, compare: Compare, digits: int | None = None) -> str:
    """Give a number in the unit of its comparison: percent, points or a quotient."""
    if compare == "ratio":
        return ratio(value, 3 if digits is None else digits + 2)
    if compare == "ratio_change":
        return _signed(f"{value:.{3 if digits is None else digits + 2}f}", plus=True)
    return (rate if compare == "value" else points)(value, 1 if digits is None else digits)


def unit(compare: Compare) -> str:
    """Give the unit of a comparison, for a heading."""
    return {"value": "%", "ratio": "quotient", "ratio_change": "quotient"}.get(compare, "points")


def digits_beside(values: Iterable[float | None], limit: float | None) -> int:
    """Count the decimals at which no number looks equal to a limit that it is not equal to, at most 4."""
    others = [value for value in values if value is not None and value != limit]
    for digits in range(1, 4):
        if limit is None or all(f"{100 * value:.{digits}f}" != f"{100 * limit:.{digits}f}" for value in others):
            return digits
    return 4


def interval(estimate: Estimate, digits: int | None = None) -> str:
    """Give both bounds in brackets; an open end as "?"; empty where there are none."""
    if estimate.low is None and estimate.high is None:
        return ""
    low, high = ("?" if x is None else number(x, estimate.compare, digits) for x in (estimate.low, estimate.high))
    return f"[{low},\N{NO-BREAK SPACE}{high}]"


def span(estimate: Estimate) -> str:
    """Give both bounds in words, with the unit."""
    if estimate.low is None or estimate.high is None:
        return "no interval"
    low, high = (number(x, estimate.compare) for x in (estimate.low, estimate.high))
    return f"{low} to {high}" + (" points" if unit(estimate.compare) == "points" else "")


def value(estimate: Estimate, digits: int | None = None) -> str:
    """Give an estimate, or why there is none: never 0 for the undefined."""
    if estimate.value is None:
        return f"undefined: {clean(estimate.undefined or 'no reason given')}"
    return number(estimate.value, estimate.compare, digits)


def short_count(count: float) -> str:
    """Give a large number, such as "1.3 M"."""
    for power, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= power:
            return f"{count / power:.3g} {suffix}"
    return f"{count:.0f}"


def size(count: float) -> str:
    """Give a file size."""
    for power, prefix in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= power:
            return f"{count / power:.1f} {prefix}"
    return f"{count:.0f} B"


def why_undefined(estimates: Iterable[Estimate | None]) -> str:
    """Say why numbers of a table are undefined, each reason once; empty where none is."""
    reasons = list(
        dict.fromkeys(e.undefined or "no reason given" for e in estimates if e is not None and e.value is None)
    )
    if not reasons:
        return ""
    more = f"; and {len(reasons) - _REASONS:,} more reasons" if len(reasons) > _REASONS else ""
    return f"Undefined: {'; '.join(clean(reason, 200) for reason in reasons[:_REASONS])}{more}."
