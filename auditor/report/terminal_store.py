"""What `auditor plan` and `auditor store` show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from auditor.text import clean, duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from auditor.population.inventory import Holding, Inventory, Kind
    from auditor.stock import Plan

NAMES: dict[Kind, tuple[str, str]] = {
    "member": ("member", "members"),
    "stack": ("stack's weights", "stacks' weights"),
    "inputs": ("data set's inputs", "data sets' inputs"),
    "damaged": ("damaged result, set aside", "damaged results, set aside"),
}
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def size(count: float) -> str:
    """Give a number of bytes as people say it."""
    unit = 0
    while count >= 1000 and unit < len(_UNITS) - 1:
        count, unit = count / 1024, unit + 1
    return f"{count:,.0f} {_UNITS[unit]}" if unit == 0 or count >= 10 else f"{count:.1f} {_UNITS[unit]}"


def columns(*names: str) -> Table:
    """Make a table: the first column is text, the others are numbers."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1))
    table.add_column(names[0], overflow="fold")
    for name in names[1:]:
        table.add_column(name, justify="right")
    return table


def plan(planned: Plan) -> RenderableType:
    """Give what a run would do, and about how long it would take."""
    table = columns("Variant", "members", "stored", "to run", "trained", "time", "disk")
    for each in planned.pending:
        table.add_row(
            Text(clean(each.variant)),
            f"{each.members:,}",
            f"{each.stored:,}",
            f"{each.members - each.stored:,}",
            f"{each.together} at once" if each.together else "",
            "unknown" if each.seconds is None else duration(each.seconds) if each.seconds else "",
            "unknown" if each.bytes is None else size(each.bytes) if each.bytes else "",
        )
    return Group(table, Text(f"\n{_sum(planned)}"))


def _sum(planned: Plan) -> str:
    if not any(each.members for each in planned.pending):
        return "Nothing runs: decisions come from a table."
    if all(each.members == each.stored for each in planned.pending):
        return "Everything is stored: a run measures, judges and reports."
    known = [each.seconds for each in planned.pending if each.seconds is not None]
    time = f"about {duration(sum(known) / planned.workers)}" if len(known) == len(planned.pending) else "unknown"
    processes = "1 process" if planned.workers == 1 else f"{planned.workers} processes"
    unknown = "" if time != "unknown" else " (nothing of some kind is stored yet, to go by)"
    how = "about" if planned.memory_is_known else "at least"
    return f"In {processes}: {time}{unknown}; memory {how} {size(planned.memory)}."


def stored(found: Inventory) -> RenderableType:
    """Give what is stored of an audit, and what else the store holds."""
    table = columns("Variant", "members", "stored", "size")
    for each in found.variants:
        table.add_row(Text(clean(each.variant)), f"{each.members:,}", f"{each.stored:,}", size(each.bytes))
    table.add_row("inputs of the data", "", "", size(found.inputs) if found.inputs else "none")
    lines = [f"\n{clean(str(found.root))}"]
    lines += [f"not of this audit: {_counted(kind, *held)}" for kind, held in found.others.items()]
    return Group(table, Text("\n".join(lines)))


def _counted(kind: Kind, count: int, total: int) -> str:
    return f"{count:,} {NAMES[kind][count != 1]}, {size(total)}"


def removed(found: Sequence[Holding], *, dry_run: bool) -> RenderableType:
    """Give what was removed, or would be."""
    kinds = dict.fromkeys(holding.kind for holding in found)
    lines = []
    for kind in kinds:
        own = [holding.bytes for holding in found if holding.kind == kind]
        lines.append(f"{'would remove' if dry_run else 'removed'} {_counted(kind, len(own), sum(own))}")
    return Text("\n".join(lines) or "nothing to remove")
