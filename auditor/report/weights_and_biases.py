"""Weights & Biases: the compression levels of an audit as runs of a group. An extra, and a plugin like any other."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import signal
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, PositiveInt

from auditor.errors import OutputError, Problem
from auditor.judge import counts, summary
from auditor.records import family_name, group_name
from auditor.report import wandb_program
from auditor.report.reporter import Finished, Reporter
from auditor.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from auditor.records import AuditResult, Estimate, Exemplar, VariantSummary

FOLDER = "wandb"
"""In the output folder: all that wandb writes."""
MOST_METRICS = 300
"""Estimates of a variant that are metrics of its run, each with both ends of its interval; its table has all."""
_NAME = 80
"""Characters of a metric's name."""
_PASSED_ON = {
    *("WANDB_API_KEY", "WANDB_BASE_URL", "WANDB_IDENTITY_TOKEN_FILE", "WANDB_CREDENTIALS_FILE"),
    *("HOME", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
}
"""What of the environment wandb gets where it is online: who one is, and how the network is reached."""
_NOTHING_MORE = {
    "console": "off",
    "disable_code": True,
    "disable_git": True,
    "disable_job_creation": True,
    "host": "auditor",
    "save_code": False,
    "silent": True,
    "x_disable_machine_info": True,
    "x_disable_meta": True,
    "x_disable_stats": True,
    "x_save_requirements": False,
}
"""Settings of wandb: of the computer, the program and its folder nothing is recorded."""
Json = dict[str, Any]


class WeightsAndBiases(Reporter):
    """One run a variant, in a group of the audit's name, and one run of the audit itself with its reports."""

    project: str = Field("auditor", pattern=r"^[A-Za-z0-9_.-]+$", max_length=128)
    entity: str | None = Field(None, pattern=r"^[A-Za-z0-9_.-]+$", max_length=128)
    group: str | None = Field(None, min_length=1, max_length=128)
    """Default: the audit's name."""
    mode: Literal["offline", "online"] = "offline"
    models: bool = True
    """Whether members' models are artifacts of their variant's run."""
    timeout: PositiveInt = 600
    """Seconds for all runs together."""

    def model_post_init(self, _: object) -> None:
        """Refuse what could not be served later. Raises OutputError where wandb is not installed."""
        spec = find_spec("wandb")
        if spec is None or spec.origin is None:
            raise OutputError(Problem(message="wandb is not installed", advice='pip install "auditor[wandb]"'))

    def report(self, finished: Finished) -> Mapping[str, bytes]:
        """Write the runs below the output folder, and send them where that was asked for."""
        said = os.environ.get("WANDB_MODE", self.mode)
        if said != "disabled":
            # the environment may keep the runs here; to send them, audit.toml must say so
            mode = self.mode if said == "online" else "offline"
            _run(self.told(finished, mode), finished.folder, self.timeout)
        return {}

    def told(self, finished: Finished, mode: str) -> Json:
        """Give the runs, as `wandb_program` reads them."""
        result, audit = finished.result, finished.result.definition["audit"]
        init = {
            "project": self.project,
            "entity": self.entity,
            "group": clean(self.group or str(audit["name"]), 128),
            "dir": str(finished.folder.absolute()),
            "mode": mode,
        }
        runs = [_run_of(result, variant, finished, models=self.models) for variant in result.variants]
        settings = {**_NOTHING_MORE, "init_timeout": self.timeout}
        return {"init": init, "settings": settings, "runs": [*runs, _run_of_audit(finished)]}


def _run_of_audit(finished: Finished) -> Json:
    result = finished.result
    reports = {name: str(path.absolute()) for name, path in finished.files.items() if "/" not in name}
    return {
        "init": _init("audit", "audit", finished, [finished.view.verdict]),
        "summary": {"verdict": finished.view.verdict, "digest": finished.digest, "status": result.status},
        "tables": {"findings": _findings(result)} if result.findings else {},
        "artifacts": [_artifact("report", "report", reports)] if reports else [],
    }


def _run_of(result: AuditResult, variant: VariantSummary, finished: Finished, *, models: bool) -> Json:
    files = finished.models.get(variant.name, {}) if models else {}
    members = {f"member_{member}{path.suffix}": str(path.absolute()) for member, path in files.items()}
    estimates = [estimate for estimate in result.estimates if estimate.variant == variant.name]
    findings = [f for f in result.findings if f.estimate.variant == variant.name and counts(f)]
    verdict = [summary(findings).value] if findings else []
    exemplars = _exemplars(result, variant.name)
    return {
        "init": {
            **_init(variant.name, variant.method, finished, verdict),
            "config": {
                "method": variant.method,
                "claim": variant.claim,
                "paired": variant.paired,
                "members": variant.asked,
                "recipe": dict(variant.asked_for),
            },
        },
        "summary": {
            **({"verdict": verdict[0]} if verdict else {}),
            "members/finished": variant.finished,
            "members/failed": variant.failed,
            **_measured(variant.measured),
            **_metrics(estimates, {finding.estimate.id for finding in result.findings}),
        },
        "tables": {"estimates": _estimates(estimates), **({"exemplars": exemplars} if exemplars["data"] else {})},
        "artifacts": [_artifact(f"{variant.name}-members", "model", members)] if members else [],
    }


def _init(name: str, kind: str, finished: Finished, tags: Sequence[str]) -> Json:
    """Name a run. The same run of the same result has one id: published again, it is not there twice."""
    number = _digest(f"{finished.digest} {kind} {name}")[:16]
    return {"name": clean(name, _NAME), "job_type": clean(kind, _NAME), "id": number, "tags": list(tags)}


def _artifact(name: str, kind: str, files: Mapping[str, str]) -> Json:
    return {"name": re.sub(r"[^A-Za-z0-9_.-]", "-", name)[:120], "type": kind, "files": dict(files)}


def _measured(measured: Mapping[str, Any]) -> Json:
    """Give what was measured of models, where it is one number."""
    return {f"measured/{_key(key)}": value for key, value in measured.items() if isinstance(value, int | float)}


def _metrics(estimates: Iterable[Estimate], judged: set[str]) -> Json:
    """Give estimates by name, with their intervals: those that gates judge first, then rates and their changes."""
    order = {"value": 1, "change": 1}
    first = sorted(estimates, key=lambda e: 0 if e.id in judged else order.get(e.compare, 2))
    found: Json = {}
    for estimate in first[:MOST_METRICS]:
        name = _key(estimate.id.partition("/")[2])
        for end, value in (("", estimate.value), ("/low", estimate.low), ("/high", estimate.high)):
            if value is not None and math.isfinite(value):
                found[f"{name}{end}"] = value
    return found


def _key(text: str) -> str:
    """Name a metric; two that look alike when they are made fit to show keep two names."""
    shown = clean(text, _NAME)
    return shown if shown == text else f"{shown} {_digest(text)[:6]}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Json:
    return {"columns": list(columns), "data": [[_cell(value) for value in row] for row in rows]}


def _cell(value: object) -> object:
    return value if value is None or isinstance(value, int | float) else clean(str(value))


def _who(estimate: Estimate) -> tuple[object, ...]:
    label = None if estimate.label is None else str(estimate.label)
    against = None if estimate.against is None else group_name(estimate.against)
    return (estimate.metric, label, family_name(estimate.group), group_name(estimate.group), estimate.compare, against)


_WHO = ("metric", "class", "over", "group", "compare", "against")


def _estimates(estimates: Iterable[Estimate]) -> Json:
    columns = (*_WHO, "estimate", "low", "high", "examples", "members", "undefined")
    return _table(columns, ((*_who(e), e.value, e.low, e.high, e.n, e.members, e.undefined) for e in estimates))


def _findings(result: AuditResult) -> Json:
    columns = ("gate", "variant", *_WHO, "verdict", "severity", "waived", "estimate", "low", "high", "limit", "reason")
    rows = (
        (f.gate, e.variant, *_who(e), f.verdict, f.severity, f.waived, e.value, e.low, e.high, f.limit, f.reason)
        for f in result.findings
        for e in [f.estimate]
    )
    return _table(columns, rows)


def _exemplars(result: AuditResult, variant: str) -> Json:
    columns = ("example", "class", "group", "baseline decides", "variant decides", "baseline share", "share", "score")
    rows = (
        (*map(str, (e.example, e.label, group_name(e.group), e.decision_baseline, e.decision)), *_shares(e))
        for found in result.exemplars
        if found.variant == variant
        for e in found.top
    )
    return _table(columns, rows)


def _shares(exemplar: Exemplar) -> tuple[float, ...]:
    return exemplar.share_baseline, exemplar.share, exemplar.score


def _run(told: Json, folder: Path, timeout: int) -> None:
    """Let the program write the runs. Raises OutputError where it fails, or takes too long."""
    place = folder.absolute() / FOLDER
    (place / "tmp").mkdir(parents=True, exist_ok=True)
    # The program is this very Python with a file of this package.
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-I", wandb_program.__file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=place,
        env=_environment(place, online=told["init"]["mode"] == "online"),
        start_new_session=True,
    ) as process:
        try:
            said, _ = process.communicate(json.dumps(told, default=str).encode(), timeout=timeout)
        except subprocess.TimeoutExpired:
            raise OutputError(f"wandb was not done within {timeout} seconds (option `timeout`)") from None
        finally:
            _end(process)
    if process.returncode:
        lines = said.decode(errors="replace").strip().splitlines() or [f"ended with {process.returncode}"]
        raise OutputError(f"wandb: {clean(lines[-1], 300)}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the program and what it has started: all of its session."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _environment(place: Path, *, online: bool) -> dict[str, str]:
    """Give the program's environment: all that wandb writes is in this folder, and it reports no errors home."""
    keys = ("WANDB_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_DATA_DIR", "WANDB_ARTIFACT_DIR", "HOME")
    passed = {key: os.environ[key] for key in _PASSED_ON if online and key in os.environ}
    own = dict.fromkeys(keys, str(place)) | {"TMPDIR": str(place / "tmp")}
    own |= {"WANDB_ERROR_REPORTING": "false", "WANDB_DISABLE_GIT": "true"}
    return {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"} | own | passed
