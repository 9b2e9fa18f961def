"""Where the time of a run went, for `--verbose`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from auditor.progress import STAGES
from auditor.report.terminal_store import columns
from auditor.text import clean, duration

if TYPE_CHECKING:
    from rich.console import RenderableType

    from auditor.progress import Tally


def spent(tally: Tally) -> RenderableType:
    """Give the seconds of each stage, and those of each variant's members."""
    stages = columns("Where the time went", "time")
    for name, seconds in tally.stages.items():
        stages.add_row(STAGES[name], _time(seconds))
    parts: list[RenderableType] = [Text(), stages]
    if tally.variants:
        variants = columns("Variant", "members", "stored", "made in")
        for name, count in tally.variants.items():
            made = _time(count.seconds) if count.done > count.stored else ""
            variants.add_row(Text(clean(name)), f"{count.done:,}", f"{count.stored:,}", made)
        note = "Made in: of all members one after another, as if one process had run them."
        parts += [Text(), variants, Text(note, style="dim")]
    return Group(*parts)


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 10 else duration(seconds)
