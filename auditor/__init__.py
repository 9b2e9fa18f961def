"""Tells a team whom the compression of a neural network hurts, before it ships.

    from auditor import audit, load_spec
    result = audit(load_spec("audit.toml")).result

What is named here is the public API; each name is imported when it is first used, so that `import auditor` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor.declare import Declaration, load_spec
    from auditor.errors import AuditorError, ExitCode
    from auditor.judge import exit_code
    from auditor.pipeline import Audit, audit, rejudge
    from auditor.records import AuditResult, Finding, Verdict
    from auditor.report.reporter import Finished, Reporter
    from auditor.validation import Validation, validate

_HOMES = {
    "Audit": "pipeline",
    "AuditResult": "records",
    "AuditorError": "errors",
    "Declaration": "declare",
    "ExitCode": "errors",
    "Finding": "records",
    "Finished": "report.reporter",
    "Reporter": "report.reporter",
    "Validation": "validation",
    "Verdict": "records",
    "audit": "pipeline",
    "exit_code": "judge",
    "load_spec": "declare",
    "rejudge": "pipeline",
    "validate": "validation",
}

__all__ = [  # noqa: RUF022 - as used: declare, check, run, judge again
    "load_spec",
    "Declaration",
    "validate",
    "Validation",
    "audit",
    "Audit",
    "AuditResult",
    "Finding",
    "Verdict",
    "rejudge",
    "exit_code",
    "ExitCode",
    "AuditorError",
    "Reporter",
    "Finished",
]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(f"auditor.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'auditor' has no attribute {name!r}")
