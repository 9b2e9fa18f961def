"""What commands answer to programs: one JSON object on standard output. result.json holds more."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from auditor.report.result_rows import as_object, data_row, finding_row, waiver_row
from auditor.text import commandless

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from auditor.errors import AuditorError, ExitCode
    from auditor.records import AuditResult
    from auditor.report.rendering import Rendered
    from auditor.stock import Plan
    from auditor.validation import Reach, Validation

SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What became of an audit's reports."""

    files: Sequence[Path] = ()
    failed: Mapping[str, AuditorError] = field(default_factory=dict)
    """Formats that were not made."""


def verdict(result: AuditResult, rendered: Rendered, code: ExitCode, written: Written) -> str:
    """Give the verdict, every finding, and the files that were written."""
    lines = {gate.name: gate.line for gate in result.gates}
    return _dump(
        verdict=rendered.view.verdict,
        exit_code=int(code),
        digest=rendered.digest,
        status=result.status,
        notices=rendered.view.notices,
        files=[str(path) for path in written.files],
        not_made={name: str(error) for name, error in written.failed.items()},
        findings=[finding_row(finding, lines.get(finding.gate)) for finding in result.findings],
        failures=result.failures,
    )


def validation(found: Validation) -> str:
    """Give what is known before anything is trained."""
    return _dump(
        data=data_row(found.data),
        variants=[{"name": name, "members": members} for name, members in found.variants],
        reaches=[_reach(reach) for reach in found.reaches],
        waivers=[
            waiver_row(each.waiver) | {"expired": each.expired, "why_not": each.why_not} for each in found.waivers
        ],
        warnings=(*found.data.warnings, *found.warnings),
        sandbox=None if found.sandbox is None else str(found.sandbox),
        looks=found.looks,
        sample=found.sample,
    )


def _reach(reach: Reach) -> dict[str, Any]:
    row = as_object(reach)
    row["class"] = row.pop("label")
    return row | {"group": dict(reach.group), "against": None if reach.against is None else dict(reach.against)}


def plan(planned: Plan) -> str:
    """Give what a run would do: seconds and bytes are null where nothing of the kind is stored to go by."""
    whole = as_object(planned)
    return _dump(variants=whole.pop("pending"), **whole)


def _dump(**content: object) -> str:
    return commandless(json.dumps({"schema": SCHEMA, **content}, allow_nan=False, default=as_object))
