"""What `auditor validate` shows: the data, the variants, and what each gate can show at these sizes."""

from __future__ import annotations

from statistics import median_low
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from auditor.records import family_name, group_name
from auditor.text import clean

if TYPE_CHECKING:
    from rich.console import RenderableType

    from auditor.records import DataSummary, SplitSize
    from auditor.validation import Reach, Validation


CLASSES = 6
"""So many have a column each within 80 characters; of more the smallest and the median count are shown."""
_NAMED = 12
"""Classes that the first line names."""


def overview(validation: Validation) -> RenderableType:
    """Give everything that is known before anything is trained."""
    data = validation.data
    sizes = ", ".join(map(_size, data.splits))
    variants = ", ".join(f"{name} ({members})" if members else name for name, members in validation.variants)
    parts: list[RenderableType] = [
        Text(clean(f"{data.source}: {sizes} examples; {_classes(data)}")),
        *(Text(clean(f"warning: {warning}"), style="yellow") for warning in (*data.warnings, *validation.warnings)),
        Text(f"variants (members): {variants}"),
        *([Text(clean(f"sandbox: {validation.sandbox}"))] if validation.sandbox else []),
        Text(),
        _groups(data),
    ]
    if validation.looks:
        parts += [Text(), _looks(validation)]
    if validation.reaches:
        parts += [Text(), _reaches(validation.reaches), Text(_verdict(validation.reaches))]
    return Group(*parts)


def _size(split: SplitSize) -> str:
    drawn = "" if split.left_out is None else f" (drawn from {split.examples + sum(split.left_out):,})"
    return f"{split.examples:,} {split.split}{drawn}"


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1))
    table.add_column(columns[0], ratio=1, overflow="fold")
    for name in columns[1:]:
        table.add_column(Text(clean(name)), justify="right")
    return table


def _classes(data: DataSummary) -> str:
    left = len(data.classes) - _NAMED
    named = ", ".join(map(str, data.classes[:_NAMED]))
    return f"classes {named} and {left:,} more" if left > 0 else f"classes {named}"


def _groups(data: DataSummary) -> Table:
    is_wide = len(data.classes) > CLASSES
    headings = ("smallest class", "median class") if is_wide else data.classes
    table = _table("Test examples", "all", *map(str, headings))
    for group, counts in data.groups:
        name = f"{family_name(group)}: {group_name(group)}" if group else group_name(group)
        marked = f"{name} (reference)" if data.reference.get(family_name(group)) == group_name(group) else name
        shown = (min(counts), median_low(counts)) if is_wide else counts
        table.add_row(Text(clean(marked)), f"{sum(counts):,}", *(f"{count:,}" for count in shown))
    if is_wide:
        table.caption = Text("Each class's count: --format json", justify="left")
    return table


def _looks(validation: Validation) -> Table:
    heading = f"Given models, {validation.sample:,} examples"
    table = _table(heading, "accuracy", "kappa", "as baseline", "bytes", "ms each")
    for each in validation.looks:
        size = "" if each.bytes is None else f"{each.bytes:,.0f}"
        time = "" if each.latency_ms is None else f"{each.latency_ms:.2g}"
        kappa = "\N{EM DASH}" if each.kappa is None else f"{each.kappa:.2f}"
        table.add_row(Text(clean(each.variant)), f"{each.accuracy:.1%}", kappa, f"{each.agreement:.1%}", size, time)
    return table


def _reaches(reaches: tuple[Reach, ...]) -> Table:
    table = _table("What each gate can show, if nothing changes", "n", "excludes", "limit", "can pass")
    gate = None
    for reach in reaches:
        if reach.gate != gate:
            table.add_row(Text(clean(reach.gate), style="bold"))
            gate = reach.gate
        can = _can_pass(reach)
        who = group_name(reach.group) if reach.label is None else f"{group_name(reach.group)}, {reach.label}"
        who += "" if reach.against is None else f", against {group_name(reach.against)}"
        smallest = "" if reach.smallest is None else f"{reach.smallest:.3f}"
        table.add_row(Text(clean(f"  {who}")), f"{reach.n:,}", smallest, reach.limit, can)
    return table


def _can_pass(reach: Reach) -> Text:
    if reach.can_pass is None:
        return Text("not known before the run", style="dim")
    return Text("yes", style="green") if reach.can_pass else Text(f"no: {reach.why_not}", style="yellow")


def _verdict(reaches: tuple[Reach, ...]) -> str:
    examined = [reach for reach in reaches if reach.can_pass is not None]
    short = sum(not reach.can_pass for reach in examined)
    if not examined:
        return "\nWhether a gate that is about no change can pass is known only after the run."
    about = "comparison" if len(examined) == len(reaches) else "comparison with the baseline"
    if not short:
        return f"\nEvery {about} can pass at these sizes."
    several = about.replace("comparison", "comparisons")
    return f"\n{short} of {len(examined)} {several} cannot pass at these sizes, however good the model is."
