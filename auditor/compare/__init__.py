"""Two audits, such as those of two releases: what changed between them. Pure.

No test is invented here. Two results of one recipe share test examples, and often models, so that their numbers are not
independent, and nothing in the files says how much. What two intervals do say is told: whether they overlap.

Less data never helps a model pass. A comparison that is gone, a harm that was shown and cannot be measured any more,
and one that is open only because there are fewer examples or models, are changes for the worse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.compare import grounds
from auditor.compare.changes import Difference
from auditor.compare.judged import by_comparison, moves, shifts
from auditor.errors import ExitCode

if TYPE_CHECKING:
    from auditor.records import AuditResult

TOLD_APART = {"definition": {"gate", "waiver"}, "provenance": {"definition", "data", "models"}}
"""Keys of which more is said than that they are others."""


def compare(old: AuditResult, new: AuditResult) -> Difference:
    """Tell what changed from one audit to another; a gate that is new by its name alone is the same gate."""
    names = grounds.renamed(old.gates, new.gates)
    gates = grounds.gates_of(old, names), grounds.gates_of(new, {})
    waivers = grounds.waivers_of(old, names), grounds.waivers_of(new, {})
    before, after = by_comparison(old, names), by_comparison(new, {})
    otherwise = grounds.asked_otherwise(*gates, level=grounds.level_of(old) != grounds.level_of(new))
    old_models, new_models = grounds.models_of(old), grounds.models_of(new)
    return Difference(
        old=old,
        new=new,
        renamed=tuple(names.items()),
        shifts=shifts(before, after, otherwise, 1 - new.definition["statistics"]["confidence"]),
        compared=len(before.keys() & after),
        moves=moves(before, after),
        gates=tuple(grounds.changed_gates(*gates)),
        waivers=tuple((a, b) for _, a, b in grounds.changed(*waivers)),
        groups=tuple(grounds.changed(grounds.sizes_of(old), grounds.sizes_of(new))),
        splits=tuple(grounds.changed(grounds.splits_of(old), grounds.splits_of(new))),
        members=tuple(grounds.changed(grounds.members_of(old), grounds.members_of(new))),
        definition=grounds.changed_keys(old.definition, new.definition, TOLD_APART["definition"]),
        provenance=grounds.changed_keys(old.provenance, new.provenance, TOLD_APART["provenance"]),
        models=(len(new_models & old_models), len(new_models)),
    )


def exit_code(difference: Difference) -> ExitCode:
    """Give 1 if a verdict that decides got worse, or a comparison that decided is gone; else 0.

    A comparison that is new has nothing to be worse than: whether it fails is what `auditor check` answers.
    """
    return ExitCode.GATE_FAILED if any(shift.counts for shift in difference.shifts) else ExitCode.PASSED
