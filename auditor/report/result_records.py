"""From the rows of result.json back to the records that they were made from."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Any

from auditor.description import Description, SelectionRow, Selections, SelectionTable
from auditor.errors import Problem, ResultError
from auditor.records import (
    AuditResult,
    Bound,
    ClassTest,
    ClassTestFamily,
    DataSummary,
    Deals,
    EarlierLook,
    Estimate,
    Exemplar,
    ExemplarGroup,
    Exemplars,
    Extreme,
    Failure,
    Finding,
    FixedSequence,
    Gate,
    Halves,
    Look,
    OddsRatio,
    SplitSize,
    Term,
    VariantSummary,
    Verdict,
    Waiver,
)
from auditor.report.result_rows import finding_row
from auditor.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.records import GroupKey
    from auditor.report import schema, schema_further

Json = dict[str, Any]


def records(file: schema.ResultFile) -> AuditResult:
    """Give the rows of a file as the records that they were made from."""
    estimates = {row.id: _read_estimate(row) for row in file.estimates}
    if len(estimates) != len(file.estimates):
        raise ResultError(Problem(where="estimates", message="two have the same id"))
    return AuditResult(
        status=file.status,
        definition=file.audit.definition,
        definition_file=file.audit.file,
        provenance=file.provenance,
        timings=file.timings,
        sandbox=None if file.sandbox is None else Sandbox(**vars(file.sandbox)),
        data=_read_data(file.data),
        variants=tuple(VariantSummary(**vars(row)) for row in file.variants),
        failures=tuple(Failure(**vars(row)) for row in file.failures),
        gates=tuple(_read_gate(row) for row in file.gates),
        estimates=tuple(estimates.values()),
        class_tests=tuple(ClassTest(**_labelled(row)) for row in file.class_tests),
        class_test_families=tuple(_read_family(row) for row in file.class_test_families),
        exemplars=tuple(_read_exemplars(variant, row) for variant, row in file.exemplars.items()),
        extremes=tuple(_read_extreme(row) for row in file.extremes),
        descriptions=tuple(Description(**_labelled(row)) for row in file.descriptions),
        selections=tuple(_read_selections(row) for row in file.selections),
        waivers=tuple(_read_waiver(row) for row in file.waivers),
        judged_on=file.judged_on,
        findings=_read_findings(file, estimates),
        looks=tuple(_read_look(row) for row in file.looks),
        fixed_sequences=tuple(_read_sequence(row) for row in file.fixed_sequences),
        thumbnails={row.example: b64decode(row.jpeg) for row in file.thumbnails},
    )


def _read_look(row: schema.LookRow) -> Look:
    return Look(**vars(row) | {"earlier": tuple(map(_read_earlier, row.earlier))})


def _read_earlier(row: schema.EarlierLookRow) -> EarlierLook:
    return EarlierLook(**vars(row) | {"verdict": None if row.verdict is None else Verdict(row.verdict)})


def _key(group: Mapping[str, str]) -> GroupKey:
    return tuple(group.items())


def _optional_key(group: Mapping[str, str] | None) -> GroupKey | None:
    return None if group is None else _key(group)


def _labelled(
    row: schema.ClassTestRow | schema.ExemplarGroupRow | schema.ExemplarRow | schema_further.DescriptionRow,
) -> Json:
    values = vars(row) | {"label": row.class_, "group": _key(row.group)}
    del values["class_"]
    return values


def _read_data(row: schema.DataRow) -> DataSummary:
    read = {
        "splits": tuple(SplitSize(**vars(split)) for split in row.splits),
        "groups": tuple((_key(group.group), group.by_class) for group in row.groups),
    }
    return DataSummary(**vars(row) | read)


def _read_gate(row: schema.GateRow) -> Gate:
    targets = tuple((target.class_, _key(target.group), _optional_key(target.against)) for target in row.targets)
    return Gate(**vars(row) | {"targets": targets})


def _read_estimate(row: schema.EstimateRow) -> Estimate:
    values = vars(row) | {"label": row.class_, "group": _key(row.group), "against": _optional_key(row.against)}
    for key in ("id", "class_", "components"):
        del values[key]
    ends = row.components
    estimate = Estimate(**values, lower=_read_bound(ends["lower"]), upper=_read_bound(ends["upper"]))
    if estimate.id != row.id:
        raise ResultError(Problem(where=f"estimates: {row.id[:200]}", message=f"describes {estimate.id[:200]}"))
    return estimate


def _read_bound(row: schema.BoundRow | None) -> Bound | None:
    if row is None:
        return None
    return Bound(center=row["center"], below=row["below"], terms=tuple(Term(**term) for term in row["terms"]))


def _read_deals(row: schema.DealsRow | None) -> Deals | None:
    return None if row is None else Deals(**vars(row))


def _read_family(row: schema.ClassTestFamilyRow) -> ClassTestFamily:
    return ClassTestFamily(**vars(row) | {"deals": _read_deals(row.deals)})


def _read_exemplars(variant: str, row: schema.ExemplarsRow) -> Exemplars:
    read = {
        "variant": variant,
        "halves": None if row.halves is None else Halves(**vars(row.halves)),
        "deals": _read_deals(row.deals),
        "by_group": tuple(ExemplarGroup(**_labelled(group)) for group in row.by_group),
        "odds_ratios": tuple(OddsRatio(**vars(ratio) | {"group": _key(ratio.group)}) for ratio in row.odds_ratios),
        "top": tuple(Exemplar(**_labelled(exemplar)) for exemplar in row.top),
    }
    return Exemplars(**vars(row) | read)


def _read_extreme(row: schema.ExtremeRow) -> Extreme:
    values = vars(row) | {"label": row.class_, "worst_group": _optional_key(row.worst_group)}
    del values["class_"]
    return Extreme(**values)


def _read_selections(row: schema_further.SelectionsRow) -> Selections:
    return Selections(
        variant=row.variant,
        label=row.class_,
        tables=tuple(_read_selection_table(table) for table in row.tables),
        undefined=row.undefined,
    )


def _read_selection_table(table: schema_further.SelectionTableRow) -> SelectionTable:
    references = [None if one is None else _key(one) for one in (table.reference, table.local_law_reference)]
    reference, local_law_reference = references
    return SelectionTable(
        family=table.family,
        reference=reference,
        local_law_reference=local_law_reference,
        unknown=table.unknown,
        rows=tuple(SelectionRow(**vars(row) | {"group": _key(row.group)}) for row in table.rows),
    )


def _read_waiver(row: schema.WaiverRow) -> Waiver:
    values = dict(row) | {"label": row.class_, "group": _optional_key(row.group)}
    del values["class_"]
    return Waiver(**values)


def _read_findings(file: schema.ResultFile, estimates: Mapping[str, Estimate]) -> tuple[Finding, ...]:
    problems: list[Problem] = []
    findings = []
    for number, row in enumerate(file.findings):
        if wrong := _misfit(row, file):
            problems.append(Problem(where=f"findings[{number}].waived", message=wrong))
        estimate = estimates.get(row.estimate_id)
        if estimate is None:
            message = f"there is no estimate {row.estimate_id[:200]}"
            problems.append(Problem(where=f"findings[{number}].estimate_id", message=message))
            continue
        finding = _read_finding(row, estimate)
        if finding_row(finding, row.gate_line) != row.model_dump(mode="json"):
            problems.append(Problem(where=f"findings[{number}]", message="says other than the estimate it names"))
        findings.append(finding)
    if problems:
        raise ResultError(*problems)
    return tuple(findings)


def _misfit(row: schema.FindingRow, file: schema.ResultFile) -> str:
    """Say why a finding's waiver cannot be as it is told; empty where it can."""
    if row.waiver is not None and row.waiver not in file.waivers:
        return "names a waiver that the file does not hold"
    lasts = row.waiver is not None and row.waiver.expires >= (file.judged_on or "")
    if row.waived != lasts:
        return "is waived by no waiver that lasts" if row.waived else "counts, although its waiver lasts"
    return ""


def _read_sequence(row: schema.FixedSequenceRow) -> FixedSequence:
    return FixedSequence(**vars(row) | {"verdicts": tuple(Verdict(verdict) for verdict in row.verdicts)})


def _read_finding(row: schema.FindingRow, estimate: Estimate) -> Finding:
    return Finding(
        gate=row.gate,
        estimate=estimate,
        verdict=Verdict(row.verdict),
        severity=row.severity,
        limit=row.limit,
        p=row.p,
        p_holm=row.p_holm,
        reason=row.reason,
        needed=row.needed,
        seeds_only=None if row.seeds_only is None else Verdict(row.seeds_only),
        baseline_fails_too=row.baseline_fails_too,
        further_model=row.further_model,
        waived=row.waived,
        waiver=None if row.waiver is None else _read_waiver(row.waiver),
    )
