"""From the records to the rows of result.json."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from auditor.report.schema import SCHEMA

if TYPE_CHECKING:
    from auditor.description import Description, Selections, SelectionTable
    from auditor.records import (
        AuditResult,
        ClassTest,
        DataSummary,
        Estimate,
        Exemplar,
        ExemplarGroup,
        Exemplars,
        Extreme,
        Finding,
        Gate,
        GroupKey,
        OddsRatio,
        Waiver,
    )

Json = dict[str, Any]


def plain(result: AuditResult) -> Json:
    """Give a result as `json.dumps(…, default=as_object)` writes it, without digests."""
    estimates = {estimate.id: estimate for estimate in result.estimates}
    if len(estimates) != len(result.estimates):
        raise ValueError("two estimates share an id")
    strangers = [f.estimate.id for f in result.findings if estimates.get(f.estimate.id) != f.estimate]
    if strangers:
        raise ValueError(f"findings about estimates that the result does not hold: {strangers[:5]}")
    lines = {gate.name: gate.line for gate in result.gates}
    return {
        "schema": SCHEMA,
        "status": result.status,
        "audit": {"file": result.definition_file, "definition": result.definition},
        "provenance": result.provenance,
        "timings": result.timings,
        "sandbox": result.sandbox,
        "judged_on": result.judged_on,
        "data": data_row(result.data),
        "failures": result.failures,
        "variants": result.variants,
        "gates": [gate_row(gate) for gate in result.gates],
        "estimates": [_estimate(estimate) for estimate in result.estimates],
        "class_tests": [_named(test) for test in result.class_tests],
        "class_test_families": result.class_test_families,
        "exemplars": {found.variant: _exemplars(found) for found in result.exemplars},
        "extremes": [_extreme(extreme) for extreme in result.extremes],
        "descriptions": [_named(description) for description in result.descriptions],
        "selections": [_selections(found) for found in result.selections],
        "waivers": [waiver_row(waiver) for waiver in result.waivers],
        "findings": [finding_row(finding, lines.get(finding.gate)) for finding in result.findings],
        "looks": result.looks,
        "fixed_sequences": result.fixed_sequences,
        "thumbnails": [{"example": e, "jpeg": b64encode(jpeg).decode()} for e, jpeg in result.thumbnails.items()],
    }


def finding_row(finding: Finding, line: int | None) -> Json:
    """Give a finding with its estimate's numbers beside it, so that a reader needs no other table."""
    estimate = finding.estimate
    return {
        "gate": finding.gate,
        "gate_line": line,
        "variant": estimate.variant,
        "metric": estimate.metric,
        "class": estimate.label,
        "group": dict(estimate.group),
        "against": _group(estimate.against),
        "compare": estimate.compare,
        "claim": estimate.claim,
        "verdict": finding.verdict,
        "severity": finding.severity,
        "waived": finding.waived,
        "waiver": None if finding.waiver is None else waiver_row(finding.waiver),
        "estimate_id": estimate.id,
        "estimate": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "limit": finding.limit,
        "p": finding.p,
        "p_holm": finding.p_holm,
        "reason": finding.reason,
        "needed": finding.needed,
        "seeds_only": finding.seeds_only,
        "baseline_fails_too": finding.baseline_fails_too,
        "further_model": finding.further_model,
    }


def waiver_row(waiver: Waiver) -> Json:
    """Give a waiver; null is all."""
    row = as_object(waiver) | {"group": _group(waiver.group)}
    return {"class" if key == "label" else key: value for key, value in row.items()}


def as_object(record: Any) -> Json:  # noqa: ANN401 - a record or a mapping; json gives nothing else
    """Give a record or a mapping as a JSON object."""
    if isinstance(record, Mapping):
        return dict(record)
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


def data_row(data: DataSummary) -> Json:
    """Give the data's summary, with groups as objects."""
    groups = [{"group": dict(group), "by_class": by_class} for group, by_class in data.groups]
    return as_object(data) | {"groups": groups}


def _group(key: GroupKey | None) -> Json | None:
    return None if key is None else dict(key)


def _named(record: ClassTest | ExemplarGroup | Exemplar | OddsRatio | Description) -> Json:
    row = as_object(record) | {"group": dict(record.group)}
    return {"class" if key == "label" else key: value for key, value in row.items()}


def gate_row(gate: Gate) -> Json:
    """Give a gate with whom it is about."""
    targets = [
        {"class": label, "group": dict(group), "against": _group(against)} for label, group, against in gate.targets
    ]
    return as_object(gate) | {"targets": targets}


def _estimate(estimate: Estimate) -> Json:
    row = as_object(estimate) | {
        "id": estimate.id,
        "class": estimate.label,
        "group": dict(estimate.group),
        "against": _group(estimate.against),
        "components": {"lower": estimate.lower, "upper": estimate.upper},
    }
    return {key: value for key, value in row.items() if key not in {"label", "lower", "upper"}}


def _exemplars(found: Exemplars) -> Json:
    named = {
        "by_group": [_named(group) for group in found.by_group],
        "odds_ratios": [_named(ratio) for ratio in found.odds_ratios],
        "top": [_named(exemplar) for exemplar in found.top],
    }
    row = as_object(found) | named
    del row["variant"]
    return row


def _extreme(extreme: Extreme) -> Json:
    row = as_object(extreme) | {"worst_group": _group(extreme.worst_group)}
    return {"class" if key == "label" else key: value for key, value in row.items()}


def _selections(found: Selections) -> Json:
    row = as_object(found) | {"class": found.label, "tables": [_selection_table(table) for table in found.tables]}
    del row["label"]
    return row


def _selection_table(table: SelectionTable) -> Json:
    references = {
        key: None if group is None else dict(group)
        for key, group in (("reference", table.reference), ("local_law_reference", table.local_law_reference))
    }
    return as_object(table) | references | {"rows": [as_object(row) | {"group": dict(row.group)} for row in table.rows]}
