"""Which sandbox the members of an audit run in, and the refusal to run them in less than asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.errors import IncompleteError, Problem, SpecError
from auditor.sandbox import Sandbox, made_of, probe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.spec import AuditSpec, Run

_WHERE = "run.require_sandbox"
_UNCONFINED = {
    "inline": 'executor = "inline" opens models in the auditor\'s own process, which must write reports',
    "dask": 'executor = "dask" opens models in processes of the cluster, which are their owner\'s to confine',
}


def expected(run: Run) -> Sandbox:
    """Tell what members would run in: asked of the kernel, by a process that enters it."""
    if run.executor in _UNCONFINED:
        return made_of(why=_UNCONFINED[run.executor])
    return probe()


def refuse_unconfined(spec: AuditSpec) -> None:
    """Raise SpecError where a full sandbox is asked for and there is none to be had: before any model is opened."""
    if not spec.run.require_sandbox or spec.model.predictions is not None:
        return
    found = expected(spec.run)
    if found.level != "full":
        advice = 'It needs executor = "local", on Linux 6.2 or later with Landlock; see the README, Safety.'
        raise SpecError(Problem(where=_WHERE, message=f"the sandbox would be {found}", advice=advice))


def refuse_unconfined_results(spec: AuditSpec, reached: Mapping[str, Sandbox | None]) -> None:
    """Raise IncompleteError where members of a variant, perhaps of an earlier run, were made in less than asked for."""
    if not spec.run.require_sandbox:
        return
    advice = "What is stored may be of a run that did not ask for it: --force makes it again."
    problems = [
        Problem(where=_WHERE, message=f"members of {name} were made in a sandbox that was {found}", advice=advice)
        for name, found in reached.items()
        if found is not None and found.level != "full"
    ]
    if problems:
        raise IncompleteError(*problems)
