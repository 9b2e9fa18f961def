"""Waivers mark findings, for a while, and hide nothing that was not measured."""

from __future__ import annotations

from dataclasses import replace

import pytest
from adult_result import gate, with_gates

from auditor.judge import exit_code
from auditor.pipeline import rejudge
from auditor.records import Verdict, Waiver
from auditor.report import result_json
from auditor.waivers import idle, standing, waive

FEMALE = (("sex", "Female"),)
WAIVER = Waiver(
    gate="sex",
    line=80,
    variant=None,
    label=None,
    group=FEMALE,
    reason="not shipped yet",
    owner="Ann",
    expires="2026-12-31",
)


def finding(verdict=Verdict.FAIL, variant="pruned-0.995"):
    findings = with_gates(gate("sex", ("sex",))).findings
    found = next(f for f in findings if f.estimate.variant == variant and f.estimate.group == FEMALE)
    return replace(found, verdict=verdict)


def waived(found, *waivers, day="2026-06-01", blocked=()):
    (marked,) = waive([found], waivers, day, blocked)
    return marked.waived


def test_a_waived_failure_keeps_its_verdict_and_does_not_count():
    (marked,) = waive([finding()], [WAIVER], "2026-06-01", ())
    assert (marked.verdict, marked.waived, marked.waiver) == (Verdict.FAIL, True, WAIVER)
    assert exit_code([marked]) == 0
    assert exit_code([finding()]) == 1


@pytest.mark.parametrize(("day", "counts"), [("2026-12-30", False), ("2026-12-31", False), ("2027-01-01", True)])
def test_a_waiver_counts_up_to_its_last_day(day, counts):
    (marked,) = waive([finding()], [WAIVER], day, ())
    assert marked.waiver == WAIVER
    assert exit_code([marked]) == (1 if counts else 0)


@pytest.mark.parametrize(
    "other", [{"gate": "age"}, {"variant": "int8"}, {"label": "<=50K"}, {"group": (("sex", "Male"),)}, {"group": ()}]
)
def test_a_waiver_is_about_nothing_else_than_it_names(other):
    assert not waived(finding(), replace(WAIVER, **other))


def test_what_a_waiver_does_not_name_is_all():
    assert waived(finding(), replace(WAIVER, group=None))
    assert waived(finding(), replace(WAIVER, variant="pruned-0.995", label=">50K"))
    assert waived(finding(Verdict.INCONCLUSIVE), WAIVER)


def test_a_pass_needs_no_waiver():
    (marked,) = waive([finding(Verdict.PASS)], [WAIVER], "2026-06-01", ())
    assert (marked.waived, marked.waiver) == (False, None)
    assert idle(WAIVER, [marked]) == "is not needed: all that it is about passes"


def test_missing_members_are_hidden_by_a_waiver_that_names_the_variant_alone():
    missing, blocked = finding(Verdict.UNDEFINED), {"pruned-0.995"}
    assert not waived(missing, WAIVER, blocked=blocked)
    assert not waived(missing, replace(WAIVER, group=None), blocked=blocked)
    assert waived(missing, replace(WAIVER, variant="pruned-0.995", group=None), blocked=blocked)


def test_a_small_group_is_hidden_by_a_waiver_that_names_the_group_or_class_alone():
    small = finding(Verdict.UNDEFINED)
    nameless = replace(WAIVER, group=None, variant="pruned-0.995")
    assert waived(small, WAIVER)
    assert not waived(small, nameless)
    assert waived(small, replace(nameless, label=">50K"))
    assert "name the variant, group or class" in idle(nameless, waive([small], [nameless], "2026-06-01", ()))


def test_of_several_waivers_the_one_that_lasts_longest_counts():
    longer = replace(WAIVER, expires="2028-01-01", owner="Bob")
    marked = waive([finding()], [WAIVER, longer], "2027-06-01", ())
    assert marked[0].waiver == longer
    assert marked[0].waived
    assert idle(WAIVER, marked) == "is not needed: another waiver lasts longer"


def test_a_waiver_that_has_expired_since_no_longer_counts_when_a_result_is_judged_again():
    result = with_gates(gate("sex", ("sex",), min=-0.01))
    before = rejudge(replace(result, waivers=(WAIVER,)), result.gates, day="2026-12-31")
    own = {f.verdict for f in before.findings if f.estimate.group == FEMALE}
    assert Verdict.FAIL in own
    again = rejudge(result_json.load(result_json.dump(before)).result, before.gates, day="2027-01-01")
    assert [f.waived for f in before.findings] != [f.waived for f in again.findings]
    assert not any(f.waived for f in again.findings)
    assert [f.verdict for f in before.findings] == [f.verdict for f in again.findings]


def test_the_digest_changes_on_the_day_that_a_waiver_ends_and_on_no_other():
    result = replace(with_gates(gate("sex", ("sex",))), waivers=(WAIVER,))
    days = ("2026-06-01", "2026-12-31", "2027-01-01", "2030-01-01")
    first, last, after, later = (result_json.content_of(rejudge(result, result.gates, day=d))["digest"] for d in days)
    assert first == last
    assert after == later
    assert last != after


def test_a_waiver_comes_back_from_a_file_exactly():
    waivers = (WAIVER, replace(WAIVER, group=None), replace(WAIVER, group=(), label=1, variant="int8"))
    result = with_gates(gate("sex", ("sex",)))
    made = rejudge(replace(result, waivers=waivers), result.gates, day="2026-12-31")
    assert result_json.load(result_json.dump(made)).result == made


def test_before_a_run_a_waiver_that_has_expired_is_told_with_its_gate_owner_and_last_day():
    gates = [gate("sex", ("sex",))]
    (lasting,) = standing([WAIVER], gates, "2026-12-31")
    assert (lasting.expired, lasting.why_not) == (False, "")
    (gone,) = standing([WAIVER], gates, "2027-01-01")
    assert gone.expired
    assert str(gone) == (
        "the waiver of 'sex' (line 80) by Ann expired on 2026-12-31: it excuses nothing any more, and what it is about "
        "counts"
    )


@pytest.mark.parametrize(
    "other", [{"variant": "int8"}, {"label": "<=50K"}, {"group": (("race", "Black"),)}, {"group": ()}]
)
def test_before_a_run_a_waiver_of_what_its_gate_does_not_compare_is_told(other):
    gates = [gate("sex", ("sex",), variants=("pruned-0.995",)), gate("race", ("race",), variants=("int8",))]
    (idle_one,) = standing([replace(WAIVER, **other)], gates, "2026-06-01")
    assert idle_one.why_not == "is about no comparison that the gate makes"
    assert not idle_one.expired
