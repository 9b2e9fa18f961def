from __future__ import annotations

from dataclasses import replace

from adult_result import adult

from auditor.records import EarlierLook, Look, Verdict
from auditor.report import result_json
from auditor.report.view import view
from auditor.report.view.looks import look_table

PLAN = EarlierLook(members=3, examples=4000, seed=None, min=-0.05, max=None, verdict=Verdict.INCONCLUSIVE)
LOST = EarlierLook(members=None, examples=None, seed=None, min=None, max=None, verdict=None)


def looked(*looks):
    return replace(adult(), looks=looks)


def test_page_one_says_once_that_gates_were_judged_before_however_many_they_are():
    many = [Look(gate="no sex or age loses recall", variant=f"v{n}", earlier=(PLAN,)) for n in range(40)]
    notices = [notice for notice in view(looked(*many), digest="0" * 64).notices if "judged before" in notice]
    assert len(notices) == 1
    assert "“no sex or age loses recall”" in notices[0]
    assert "40 variants" in notices[0]


def test_every_question_stands_in_a_table_with_its_last_plan():
    (table,) = look_table(looked(Look(gate="g", variant="int8", earlier=(LOST, PLAN))))
    assert [cell.text for cell in table.rows[0]] == [
        "int8", "2", "3", "4,000", "–", "min -0.05", "INCONCLUSIVE",
    ]  # fmt: skip
    assert table.rows[0][0].detail == "g"
    assert "what differed has no column here" in table.note


def test_a_plan_that_cannot_be_read_any_more_is_told_so():
    (table,) = look_table(looked(Look(gate="g", variant="int8", earlier=(LOST,))))
    assert table.rows[0][-1].text == "cannot be read any more"


def test_nothing_is_said_where_nothing_was_judged_before():
    assert look_table(looked()) == ()
    assert not any("judged before" in notice for notice in view(looked(), digest="0" * 64).notices)


def test_a_result_that_is_read_again_tells_earlier_looks_as_before():
    made = looked(Look(gate="g", variant="int8", earlier=(LOST, PLAN)))
    again = result_json.load(result_json.dump(made)).result
    assert look_table(again) == look_table(made)
