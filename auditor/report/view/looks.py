"""What was judged before by another plan: a warning on page one, and a table of every such question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.report.view import words
from auditor.report.view.blocks import SYMBOLS, TONES, Cell, Column, Table

if TYPE_CHECKING:
    from auditor.records import AuditResult, EarlierLook, Look, Verdict

_LISTED, _ON_PAPER = 60, 12
_OTHERWISE = (
    "Where a row reads like the plan of this audit, what differed has no column here: models, training, recipe, data, "
    "confidence, or what else decides a verdict."
)


def look_notice(result: AuditResult) -> tuple[str, ...]:
    """Say how much was judged before, and why that matters; nothing where nothing was."""
    if not result.looks:
        return ()
    gates = words.listed(words.quoted(gate) for gate in dict.fromkeys(look.gate for look in result.looks))
    variants = len({look.variant for look in result.looks})
    said = (
        f"{gates} had been judged before on these data, for {words.plural(variants, 'variant')}, by other plans: other "
        "models, examples, seeds or limits (listed under Gates). No number here is corrected for that: where 5% are "
        "promised, two, three or five looks pass a variant that is exactly at its limit up to 8, 10 or 13% of the time "
        "if each adds to what was seen, and up to 10, 14 or 23% if each has models or examples of its own."
    )
    return (said,)


def look_table(result: AuditResult) -> tuple[Table, ...]:
    """List each gate and variant that was judged before, with its last plan."""
    if not result.looks:
        return ()
    headings = ("Gate and variant", "Earlier plans", "Models", "Examples", "Seed", "Limit", "Verdict then")
    left = len(result.looks) - _LISTED
    return (
        Table(
            caption="Judged before on these data, with the last of the earlier plans",
            columns=tuple(Column(heading=h, numeric=0 < place < 5) for place, h in enumerate(headings)),
            rows=tuple(map(_row, result.looks[:_LISTED])),
            on_paper=_ON_PAPER,
            note=_OTHERWISE + (f" {left:,} more are in result.json." if left > 0 else ""),
        ),
    )


def _row(look: Look) -> tuple[Cell, ...]:
    last = look.earlier[-1]
    name = Cell(text=words.name(look.variant), detail=words.name(look.gate))
    numbers = (last.members, last.examples, last.seed)
    return (
        name,
        Cell(text=f"{len(look.earlier):,}"),
        *(Cell(text="–" if number is None else f"{number:,}") for number in numbers),
        Cell(text=_limits(last)),
        _verdict(last.verdict),
    )


def _limits(last: EarlierLook) -> str:
    limits = (("min", last.min), ("max", last.max))
    return ", ".join(f"{key} {limit:g}" for key, limit in limits if limit is not None) or "–"


def _verdict(verdict: Verdict | None) -> Cell:
    if verdict is None:
        return Cell(text="cannot be read any more", tone="muted")
    return Cell(text=verdict.value, tone=TONES[verdict], symbol=SYMBOLS[verdict])
