"""What `auditor diff` says, on a terminal, in a pull request and as JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from adult_result import gate, with_gates
from rich.console import Console

from auditor.compare import compare
from auditor.records import Verdict, Waiver
from auditor.report.difference import as_json, as_markdown, as_text
from auditor.report.view.difference import difference_view

FEMALE = (("sex", "Female"),)
SEX, AGE = gate("sex", ("sex",)), gate("age", ("age",))


@pytest.fixture(scope="module")
def old():
    return with_gates(SEX, AGE)


def changed(result, verdict, numbers):
    def one(finding):
        if (finding.estimate.variant, finding.estimate.group) != ("int8", FEMALE):
            return finding
        return replace(finding, verdict=verdict, estimate=replace(finding.estimate, **numbers))

    return replace(result, findings=tuple(map(one, result.findings)))


@pytest.fixture(scope="module")
def new(old):
    worse = changed(old, Verdict.FAIL, {"value": -0.5, "low": -0.6, "high": -0.4})
    left = tuple(f for f in worse.findings if not (f.gate == "age" and f.estimate.variant == "pruned-0.5"))
    waiver = Waiver(
        gate="sex", line=3, variant="int8", label=None, group=FEMALE, reason="later", owner="Ann", expires="2026-12-31"
    )
    return replace(worse, findings=left, gates=(SEX, replace(AGE, min=-0.3)), waivers=(waiver,))


def shown(old, new, **keys):
    return difference_view(compare(old, new), **keys)


def printed(view, width=80) -> list[str]:
    console = Console(width=width, highlight=False)
    with console.capture() as caught:
        console.print(as_text(view))
    return caught.get().splitlines()


def test_what_got_worse_is_said_first(old, new) -> None:
    view = shown(old, new)
    assert (view.verdict, view.symbol) == ("WORSE", "✕")
    assert view.sentence.startswith("Of comparisons that decide, 1 is judged worse and 4 are gone. Others: ")
    first, second, *_ = view.tables[0].rows
    assert [cell.text for cell in first] == ["worse", "int8, Female (sex), “>50K”", "PASS", "FAIL"]
    assert first[3].detail == "−50.0 [−60.0,\N{NO-BREAK SPACE}−40.0]"
    assert second[1].text == "pruned-0.5, 4 comparisons"
    assert "turns by chance too" in view.tables[0].note


def test_nothing_worse_is_said_too(old) -> None:
    view = shown(old, old)
    assert (view.verdict, view.tables) == ("NOT WORSE", ())
    assert view.sentence == "No comparison that decides is judged worse. Comparisons: 30 judged as before."


def test_a_number_that_moved_is_told_by_its_intervals_and_no_test_is_made(old, new) -> None:
    table = next(t for t in shown(old, new).tables if t.caption == "Numbers that moved")
    assert table.rows[0][0].text == "do not overlap"
    assert "No test is made" in table.note


def test_what_keeps_two_audits_from_being_compared_is_said_first(old, new) -> None:
    audit = {**old.definition["audit"], "name": "other"}
    statistics = {**old.definition["statistics"], "confidence": 0.9}
    other = replace(
        new,
        definition={**old.definition, "audit": audit, "statistics": statistics},
        data=replace(old.data, digest="f" * 64),
        status="incomplete",
    )
    said = "\n".join(shown(old, other, edited=("new.json",)).notices)
    for part in (
        "new.json was edited after it was written",
        "These are different audits: adult and other",
        "The data are others",
        "another confidence",
        "The new audit is incomplete",
        "Less is asked than before by “age”",
    ):
        assert part in said
    assert not shown(old, changed(old, Verdict.FAIL, {})).notices


def test_a_fail_that_is_open_by_the_correction_for_more_comparisons_is_said() -> None:
    before = with_gates(SEX)
    after = with_gates(SEX, AGE)

    def judged(result, verdict):
        place = next(i for i, f in enumerate(result.findings) if f.gate == "sex" and f.verdict is Verdict.FAIL)
        # beyond its limit by itself in both
        own = replace(result.findings[place], verdict=verdict, p=0.02, p_holm=0.04 if verdict is Verdict.FAIL else 0.1)
        return replace(result, findings=(*result.findings[:place], own, *result.findings[place + 1 :]))

    told = [
        n for n in shown(judged(before, Verdict.FAIL), judged(after, Verdict.INCONCLUSIVE)).notices if "correct" in n
    ]
    assert len(told) == 1
    assert told[0].startswith("pruned-0.98: beyond a limit before correction, as it was, and not after it")
    difference = compare(judged(before, Verdict.FAIL), judged(after, Verdict.INCONCLUSIVE))
    (shift,) = (s for s in difference.shifts if s.diluted)
    assert (shift.direction, shift.counts, shift.why) == ("other terms", False, "more comparisons to correct for")
    again = shown(judged(after, Verdict.FAIL), judged(after, Verdict.INCONCLUSIVE)).notices
    assert not any("correct" in notice for notice in again)


def test_gates_and_waivers_that_changed_are_listed(old, new) -> None:
    table = next(t for t in shown(old, new).tables if t.caption == "Gates and waivers")
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["gate age: min", "-0.02", "-0.3"],
        ["waiver of sex, int8, Female (sex)", "–", "until 2026-12-31, Ann: later"],
    ]


def test_a_waiver_of_the_class_0_is_not_told_as_one_of_all_classes(old, new) -> None:
    (waiver,) = new.waivers
    of_0 = replace(new, waivers=(replace(waiver, label=0),))
    table = next(t for t in shown(old, of_0).tables if t.caption == "Gates and waivers")
    assert table.rows[1][0].text == "waiver of sex, int8, 0, Female (sex)"


def test_80_columns_are_enough(old, new) -> None:
    lines = printed(shown(old, new))
    assert max(map(len, lines)) <= 80
    assert any("int8, Female (sex)" in line for line in lines)


def test_markdown_is_a_table_for_a_pull_request(old, new) -> None:
    text = as_markdown(shown(old, new))
    assert text.startswith("# adult: what changed\n\n**✕ WORSE.** ")
    assert "| worse | int8, Female (sex), “&gt;50K”<br>sex | ✓ PASS<br>" in text


def test_names_are_no_markup(old, new) -> None:
    hostile = replace(SEX, name="<b>[x](y)|`\x1b[31m\u202e")
    text = as_markdown(shown(old, with_gates(hostile)))
    assert "<b>" not in text
    assert "[x](y)" not in text
    assert "\x1b" not in "".join(printed(shown(old, with_gates(hostile))))


def test_json_holds_everything(old, new) -> None:
    content = json.loads(as_json(compare(old, new)))
    assert content["worse"] is True
    first = content["verdicts"][0]
    assert (first["change"], first["counts"], first["new"]["verdict"]) == ("worse", True, "FAIL")
    assert content["estimates"][0]["intervals"] == "apart"
    assert content["gates"] == [{"name": "age: min", "old": -0.02, "new": -0.3}]
    assert content["waivers"][0]["new"]["group"] == {"sex": "Female"}
    gone = json.loads(as_json(compare(with_gates(SEX, AGE), with_gates(SEX))))
    assert gone["gates"][0]["old"]["metric"] == "recall"


def test_a_gate_that_was_renamed_is_said_in_every_form(old) -> None:
    difference = compare(old, with_gates(replace(SEX, name="women [x]"), AGE))
    view = difference_view(difference)
    assert view.verdict == "NOT WORSE"
    said = "Compared as one gate, since only its name is another: renamed from “sex” to “women [x]”."
    assert view.notices == (said,)
    assert said in " ".join(" ".join(printed(view)).split())
    assert r"renamed from “sex” to “women \[x\]”" in as_markdown(view)
    (table,) = view.tables
    assert [[cell.text for cell in row] for row in table.rows] == [["gate women [x]: name", "sex", "women [x]"]]
    content = json.loads(as_json(difference))
    assert content["renamed_gates"] == [{"old": "sex", "new": "women [x]"}]
    assert (content["worse"], content["gates"], content["verdicts"]) == (False, [], [])


def test_of_many_gates_that_were_renamed_some_are_said(old) -> None:
    gates = [replace(SEX, name=f"before {i}", min=-0.1 - i / 100) for i in range(9)]
    renamed = [replace(one, name=one.name.replace("before", "after")) for one in gates]
    (notice,) = shown(with_gates(*gates), with_gates(*renamed)).notices
    assert notice.endswith("from “before 4” to “after 4” and 4 more.")
