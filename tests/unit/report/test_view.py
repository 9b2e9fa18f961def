from __future__ import annotations

from dataclasses import replace

import pytest
from adult_result import POSITIVE, adult, gate, small, with_gates
from rich.console import Console

from auditor.records import Verdict, Waiver
from auditor.report.markdown import markdown
from auditor.report.terminal import summary
from auditor.report.view import view
from auditor.report.view.blocks import Dots, Figure, Table
from auditor.report.view.undecided import open_sentences
from auditor.report.view.verdicts import overall_sentence
from auditor.waivers import waive

DIGEST = "a" * 64
FEMALE = (("sex", "Female"),)


def seen(result, **keys):
    return view(result, digest=DIGEST, **keys)


def tables(shown) -> list[Table]:
    return [block for section in shown.sections for block in section.blocks if isinstance(block, Table)]


def text_of(shown) -> str:
    return repr(shown)


def printed(shown) -> str:
    console = Console(width=80)
    with console.capture() as caught:
        console.print(summary(shown))
    return caught.get()


def only(result, variant: str, group: tuple, **changes):
    """Keep the one finding of the first gate about a variant and a group, changed."""
    findings = [f for f in result.findings if (f.estimate.variant, f.estimate.group) == (variant, group)]
    return replace(result, findings=(replace(findings[0], **changes),))


@pytest.fixture(scope="module")
def shown():
    return seen(adult())


def test_page_one_counts_people(shown) -> None:
    assert shown.verdict == "FAIL"
    assert shown.headline.sentence == (
        "Accuracy fell 1.1 points. Of 590 test examples labelled “>50K” in group Female (sex) the baseline found 302 "
        "on average, pruned-0.995 found 239."
    )
    assert [bar.count for bar in shown.headline.bars] == ["302 of 590", "239 of 590"]


def test_page_one_gives_interval_seeds_baseline_and_contrast(shown) -> None:
    interval, seeds, contrast, *_ = shown.headline.support
    assert "−10.7 points, interval −12.0 to −9.3 points (95% confidence at each end, 90% at both)" in interval
    assert "the limit is ≥\xa0−2.0\xa0points" in interval
    assert seeds == "A test over training seeds alone, the usual one, would have said FAIL too."
    assert interval.endswith(" Picked out of 35, it lies further out than the truth, as a rule.")
    assert contrast.startswith(
        "Of everybody together it changed by −4.1 points; the gap to Male changed by −6.6 points"
    )
    assert contrast.endswith("taken alone, that shows this group to be affected otherwise than Male.")


def opened(*verdicts: tuple[str, str, dict]):
    """What page one says is open, of findings of the first gate: variant, verdict and changes, each in a group."""
    result = adult()
    made = [f for f in result.findings if f.gate == result.gates[0].name]
    chosen = []
    for variant, verdict, changes in verdicts:
        own = [f for f in made if f.estimate.variant == variant and f not in chosen]
        chosen.append(own[0])
        made[made.index(own[0])] = chosen[-1] = replace(own[0], verdict=Verdict(verdict), **changes)
    return open_sentences(replace(result, findings=tuple(chosen)))


def test_page_one_says_what_would_settle_the_variant_that_is_nearest_to_a_pass() -> None:
    lacking = {"needed": "about 70 examples"}
    (said,) = opened(
        ("pruned-0.995", "FAIL", {}),
        ("pruned-0.995", "INCONCLUSIVE", {"needed": "nothing"}),
        ("pruned-0.5", "INCONCLUSIVE", {"needed": "nothing"}),
        ("pruned-0.5", "INCONCLUSIVE", {"needed": "nothing"}),
        ("int8", "INCONCLUSIVE", lacking),
        ("int8", "PASS", {}),
    )
    assert said.startswith("Open: 4 comparisons. Nearest to a PASS is int8 with 1: change of recall of “>50K” in ")
    assert said.endswith(". To show that it holds: about 70 examples.")


def test_of_several_open_comparisons_page_one_names_the_furthest_and_the_undefined_before_all() -> None:
    value = next(f.estimate for f in adult().findings if f.estimate.variant == "int8")
    near, far = ({"needed": n, "estimate": replace(value, value=x)} for n, x in (("a", 0.1), ("b", -0.3)))
    (said,) = opened(("int8", "INCONCLUSIVE", near), ("int8", "INCONCLUSIVE", far))
    assert "int8 with 2; the furthest from it is change of recall" in said
    assert said.count("To show that it holds: b.") == 1
    (said,) = opened(("int8", "INCONCLUSIVE", far), ("int8", "UNDEFINED", {"needed": "", "reason": "no examples"}))
    assert said.endswith(". No examples.")


def test_page_one_says_nothing_of_the_open_where_nothing_is_and_of_none_nearest_where_all_fail() -> None:
    assert opened(("int8", "PASS", {}), ("pruned-0.5", "FAIL", {})) == ()
    (said,) = opened(("int8", "FAIL", {}), ("int8", "INCONCLUSIVE", {}))
    assert said == "Open: 1 comparison, beside the failures; what would settle each stands under Gates."


def test_a_finding_among_no_others_was_not_picked() -> None:
    result = with_gates(gate("sex", ("sex",)))
    assert not any("Picked" in said for said in seen(only(result, "pruned-0.995", FEMALE)).headline.support)


def test_accuracy_that_may_not_have_changed_is_not_said_to_have() -> None:
    def unsure(e):
        about = (e.variant, e.metric, e.group, e.compare) == ("pruned-0.995", "accuracy", (), "change")
        return replace(e, low=-0.03, high=0.01) if about else e

    made = adult()
    shown = seen(replace(made, estimates=tuple(map(unsure, made.estimates))))
    assert shown.headline.sentence.startswith("Accuracy fell 1.1 points, which may be chance. Of 590")


def test_without_a_failure_no_loss_is_excluded_for_others_than_the_one_told() -> None:
    made = with_gates()

    def gained(e):
        if e.compare != "change" or e.value is None:
            return e
        low, high = (-0.08, -0.02) if e.metric in {"fpr", "fnr", "error"} else (0.02, 0.08)
        return replace(e, value=(low + high) / 2, low=low, high=high)

    shown = seen(replace(made, estimates=tuple(map(gained, made.estimates))))
    assert shown.headline.kicker == "The smallest gain, since no loss is estimated"
    assert "Taken alone, its interval excludes a loss; that says nothing of others." in shown.headline.support


def test_what_no_attribute_leaves_unknown_is_said_only_where_there_is_none(shown) -> None:
    assert "only classes were audited" not in text_of(shown)
    assert "none was declared" not in text_of(shown)
    result = small()
    alone = seen(replace(result, data=replace(result.data, groups=result.data.groups[:1], reference={})))
    assert ("Groups by", "no attribute: only classes were audited") in alone.facts.pairs
    assert "Sensitive attributes: none was declared" in text_of(alone)


def test_the_verdict_counts_gates_by_severity(shown) -> None:
    assert shown.verdict_sentence == (
        "Of 2 deciding gates, 1 fails and 1 passes on the estimate alone. Of 3 warning gates, 3 fail. "
        "By variant: pruned-0.98 and pruned-0.995 fail; pruned-0.5, pruned-0.9 and int8 pass."
    )


def test_of_one_variant_the_verdict_is_not_said_again_and_of_many_a_few_are_named() -> None:
    assert "By variant" not in seen(small()).verdict_sentence
    result = adult()
    one = result.findings[0]
    many = [replace(one, estimate=replace(one.estimate, variant=f"v{n}"), verdict=Verdict.PASS) for n in range(11)]
    assert overall_sentence(replace(result, findings=tuple(many))).endswith(
        "By variant: v0, v1, v2, v3, v4, v5, v6, v7 and 3 more pass."
    )


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (Verdict.PASS, "PASS"),
        (Verdict.FAIL, "FAIL"),
        (Verdict.INCONCLUSIVE, "UNDECIDED"),
        (Verdict.UNDEFINED, "UNDECIDED"),
    ],
)
def test_the_verdict_is_that_of_the_deciding_findings(verdict, said) -> None:
    result = with_gates(gate("sex", ("sex",)))
    assert seen(only(result, "pruned-0.98", FEMALE, verdict=verdict)).verdict == said


def test_warnings_and_waived_findings_do_not_decide() -> None:
    result = with_gates(gate("sex", ("sex",)))
    for changes, said in (({"severity": "warning"}, "NOT JUDGED"), ({"waived": True}, "WAIVED")):
        shown = seen(only(result, "pruned-0.995", FEMALE, **changes))
        assert shown.verdict == said
    assert "The deciding gate is waived. 1 comparison waived" in shown.verdict_sentence


WAIVER = Waiver(
    gate="sex",
    line=80,
    variant="pruned-0.995",
    label=None,
    group=FEMALE,
    reason="not shipped yet",
    owner="Ann",
    expires="2026-12-31",
)


def judged_on(day: str, *waivers: Waiver):
    result = with_gates(gate("sex", ("sex",)))
    return replace(result, judged_on=day, waivers=waivers, findings=waive(result.findings, waivers, day, ()))


def about_waivers(shown):
    return [notice for notice in shown.notices if "waive" in notice]


def test_a_waived_finding_keeps_its_verdict_and_tells_who_why_and_until_when() -> None:
    shown = seen(judged_on("2026-12-31", WAIVER))
    (notice,) = about_waivers(shown)
    about = "1 comparison (FAIL) is waived until 2026-12-31, shown and not counted: “sex”, pruned-0.995, Female (sex)."
    assert notice == f"{about} Ann: not shipped yet."
    row = next(row for row in shown.comparisons[0].rows if row[0].detail == "waived")
    assert row[0].text == "FAIL"
    assert "Waived until 2026-12-31, not counted, by Ann: not shipped yet." in row[-1].text
    gates = next(section for section in shown.sections if section.id == "gates")
    assert "waived" in text_of(next(block for block in gates.blocks if isinstance(block, Table)))
    assert "1 comparison waived (FAIL): shown below, not counted." in shown.verdict_sentence
    for made in (markdown(shown), printed(shown)):
        assert "waived until 2026-12-31" in " ".join(made.replace("\\", "").split())


def test_a_waiver_tells_with_which_verdicts_it_takes_comparisons_out_and_the_untold_are_counted() -> None:
    whole = replace(WAIVER, variant=None, group=None)
    shown = seen(judged_on("2026-12-31", whole))
    verdicts = [f.verdict for f in with_gates(gate("sex", ("sex",))).findings]
    failed, open_ = verdicts.count(Verdict.FAIL), verdicts.count(Verdict.INCONCLUSIVE)
    assert f"({failed} FAIL, {open_} INCONCLUSIVE)" in about_waivers(shown)[0]
    assert f"({failed} FAIL, {open_} INCONCLUSIVE)" in shown.verdict_sentence
    many = seen(judged_on("2027-01-01", *(replace(WAIVER, line=n) for n in range(15))))
    assert about_waivers(many)[-1] == "3 more waivers are in result.json."


def test_a_pass_on_the_estimate_alone_is_not_said_to_be_shown() -> None:
    targets = ((POSITIVE, FEMALE, None),)
    on_point = gate("point", ("sex",), targets=targets, variants=("pruned-0.5",), decide_on="point", min=-0.065)
    shown = seen(with_gates(on_point))
    assert shown.verdict == "PASS"
    assert shown.verdict_sentence == "The deciding gate passes on the estimate alone."
    both = seen(with_gates(on_point, gate("sex", ("sex",), targets=targets, variants=("pruned-0.5",), min=-0.065)))
    assert both.verdict_sentence == "Of 2 deciding gates, 1 is shown to hold and 1 passes on the estimate alone."


def test_a_pass_with_waivers_is_no_plain_pass_and_page_one_tells_who_is_hurt_all_the_same() -> None:
    targets = ((POSITIVE, FEMALE, None), (POSITIVE, (("sex", "Male"),), None))
    result = with_gates(gate("sex", ("sex",), targets=targets, variants=("pruned-0.9", "pruned-0.995"), min=-0.065))
    result = replace(result, judged_on="2026-12-31", waivers=(WAIVER,))
    plain, waived = seen(result), seen(replace(result, findings=waive(result.findings, (WAIVER,), "2026-12-31", ())))
    assert plain.verdict == "FAIL"
    assert (waived.verdict, waived.tone) == ("PASS WITH WAIVERS", "open")
    assert waived.verdict_sentence.startswith(
        "The deciding gate is shown to hold, but for what is waived. 1 comparison"
    )
    assert waived.headline.sentence == plain.headline.sentence
    assert "Waived until 2026-12-31, not counted, by Ann: not shipped yet." in waived.headline.support


def test_an_expired_waiver_is_said_and_what_it_was_about_counts() -> None:
    shown = seen(judged_on("2027-01-01", WAIVER))
    assert about_waivers(shown)[0].startswith(
        "The waiver of “sex”, pruned-0.995, Female (sex) expired on 2026-12-31, before"
    )
    assert about_waivers(shown)[0].endswith("1 comparison (FAIL) counts. Ann: not shipped yet.")
    assert shown.verdict == "FAIL"
    assert "Its waiver expired on 2026-12-31, so it counts." in text_of(shown.comparisons)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"variant": "pruned-0.5"}, "is not needed: all that it is about passes"),
        ({"group": (("race", "Black"),)}, "is about no comparison that the gate makes"),
    ],
)
def test_a_waiver_that_marks_nothing_is_said(changes, said) -> None:
    (notice,) = about_waivers(seen(judged_on("2026-06-01", replace(WAIVER, **changes))))
    assert said in notice


def test_without_a_gate_nothing_is_judged() -> None:
    shown = seen(with_gates())
    assert shown.verdict == "NOT JUDGED"
    assert shown.gates is None
    assert "largest estimated loss" in shown.headline.kicker


def test_without_a_failure_the_largest_estimated_loss_leads_honestly() -> None:
    mild = with_gates(gate("sex", ("sex",), variants=("int8",)))
    assert all(finding.verdict is Verdict.PASS for finding in mild.findings)
    # int8 alone is judged, so it alone may lead
    kept = tuple(e for e in mild.estimates if e.variant in {"baseline", "int8"})
    short = seen(replace(mild, estimates=kept))
    assert short.headline.kicker == "No finding"  # nine of its ten members finished, and ten must
    enough = {**mild.definition, "population": {**mild.definition["population"], "minimum": 9}}
    shown = seen(replace(mild, estimates=kept, definition=enough))
    assert shown.verdict == "PASS"
    assert shown.headline.kicker == "No comparison is shown to fail: the largest estimated loss"
    assert any("is not excluded" in sentence for sentence in shown.headline.support)


@pytest.mark.parametrize(
    ("metric", "label", "said"),
    [
        ("recall", POSITIVE, "Of 590 test examples labelled “>50K” in group Female (sex) the baseline found 302"),
        ("fnr", POSITIVE, "Of 590 test examples labelled “>50K” in group Female (sex) the baseline missed 288"),
        ("fpr", POSITIVE, "not labelled “>50K” in group Female (sex) the baseline wrongly decided “>50K” for 145"),
        ("selection_rate", POSITIVE, "Of 5,421 test examples in group Female (sex) the baseline decided “>50K” for"),
        ("accuracy", None, "Of 5,421 test examples in group Female (sex) the baseline was right on"),
    ],
)
def test_every_rate_has_its_words(metric, label, said) -> None:
    limits = {"min": None, "max": 0.02} if metric in {"fnr", "fpr"} else {}
    one = gate("g", ("sex",), metric=metric, targets=((label, FEMALE, None),), min=-0.02)
    result = with_gates(one)
    shown = seen(
        replace(
            only(result, "pruned-0.995", FEMALE, verdict=Verdict.FAIL, limit=limits.get("max", -0.02)),
            gates=(replace(one, **limits),),
        )
    )
    assert said in shown.headline.sentence


def test_one_model_is_not_said_to_be_an_average() -> None:
    result = with_gates(gate("sex", ("sex",)))
    single = tuple(replace(e, members=1, claim="artifact") for e in result.estimates)
    by_id = {e.id: e for e in single}
    findings = tuple(replace(f, estimate=by_id[f.estimate.id], seeds_only=None) for f in result.findings)
    shown = seen(replace(result, estimates=single, findings=findings))
    assert "on average" not in shown.headline.sentence
    assert "nothing to say" in shown.headline.support[1]


def test_a_seeds_only_test_that_says_otherwise_is_told() -> None:
    result = with_gates(gate("sex", ("sex",)))
    shown = seen(only(result, "pruned-0.995", FEMALE, seeds_only=Verdict.PASS))
    assert "would have said PASS" in shown.headline.support[1]


@pytest.mark.parametrize(("fails", "said"), [(True, "is beyond this limit too"), (False, "is within this limit")])
def test_every_failure_says_whether_the_baseline_fails(fails, said) -> None:
    result = with_gates(gate("own", ("sex",), compare="value", min=0.6))
    shown = seen(only(result, "pruned-0.995", FEMALE, baseline_fails_too=fails))
    assert any(said in sentence for sentence in shown.headline.support)
    assert said in text_of(shown.comparisons)


def test_a_contrast_leads_only_if_its_own_interval_excludes_zero() -> None:
    one = gate("gap", ("sex",), compare="disparity", min=-0.05)
    supported = seen(only(with_gates(one), "pruned-0.995", FEMALE, verdict=Verdict.FAIL))
    assert "% in group Male." in supported.headline.sentence
    open_ = seen(only(with_gates(one), "int8", FEMALE, verdict=Verdict.FAIL))
    assert open_.verdict == "FAIL"
    assert open_.headline.kicker.startswith("No comparison failed") or "largest" in open_.headline.kicker


def test_points_and_quotients_are_not_compared_and_points_lead() -> None:
    ratio = gate("ratio", ("sex",), compare="ratio", min=0.99, decide_on="point")
    made = with_gates(gate("recall", ("sex",)), ratio)
    about = {f.gate: f for f in made.findings if (f.estimate.variant, f.estimate.group) == ("pruned-0.995", FEMALE)}
    points = about["recall"]
    quotients = [
        replace(about["ratio"], estimate=replace(about["ratio"].estimate, value=x, low=x - 0.1, high=x + 0.1))
        for x in (0.5, 0.4)
    ]
    assert {f.verdict for f in (points, *quotients)} == {Verdict.FAIL}
    # further beyond, as numbers go: .39 of a quotient, and some points
    shown = seen(replace(made, findings=(*quotients, points)))
    assert "Of 590 test examples labelled “>50K” in group Female (sex)" in shown.headline.sentence
    assert shown.headline.kicker == (
        "The finding: of 3 failed comparisons, 2 of them of quotients, the one in points whose whole interval lies "
        "furthest beyond its limit"
    )
    alone = seen(replace(made, findings=tuple(quotients))).headline
    assert alone.support[0].startswith("Ratio of recall of “>50K” to Male in Female (sex): 0.400")
    assert (
        alone.kicker
        == "The finding: of 2 failed comparisons, the one whose whole interval lies furthest beyond its limit"
    )


def test_a_contrast_that_is_not_shown_is_said_not_to_be() -> None:
    result = with_gates(gate("sex", ("sex",)))
    shown = seen(only(result, "pruned-0.5", FEMALE, verdict=Verdict.FAIL))
    assert "is not shown" in shown.headline.support[-1]


def test_gates_stand_worst_first_with_counts(shown) -> None:
    rows = [[cell.text for cell in row] for row in shown.gates.rows]
    assert rows[0] == ["no group loses recall", "FAIL", "≥\xa0−2.0\xa0points", "9", "0", "3", "18"]
    assert [row[1] for row in rows[:2]] == ["FAIL", "PASS"]


def test_comparisons_that_do_not_pass_stand_worst_first(shown) -> None:
    verdicts = [row[0].text for row in shown.comparisons[2].rows]
    order = ["FAIL", "UNDEFINED", "INCONCLUSIVE"]
    assert verdicts == sorted(verdicts, key=order.index)
    assert set(verdicts) == set(order)


def test_variants_of_which_the_same_is_said_stand_together(shown) -> None:
    row = next(row for row in shown.comparisons[2].rows if row[0].text == "UNDEFINED")
    assert row[1].text == "pruned-0.5, pruned-0.9, pruned-0.98, pruned-0.995 and int8"


def test_point_decided_gates_and_changed_limits_are_said() -> None:
    shown = seen(with_gates(gate("point", ("sex",), decide_on="point", limits_changed=True)))
    assert "one time in two" in shown.gates.rows[0][0].detail
    assert "changed after the result was known" in shown.gates.rows[0][0].detail
    assert any("changed after the result was known" in notice for notice in shown.notices)


def test_an_edited_file_and_an_incomplete_audit_are_said_first() -> None:
    shown = seen(replace(small(), status="incomplete"), edited=True)
    assert len(shown.notices) == 2


def test_the_undefined_is_never_a_number(shown) -> None:
    cells = [cell for table in tables(shown) for row in table.rows for cell in row]
    undefined = [cell for cell in cells if (cell.tone == "undefined" and cell.symbol != "") or "undefined" in cell.text]
    assert len(undefined) > 20
    assert not [cell for cell in undefined if cell.text in {"0", "0.0", "0.0%", "+0.0"}]
    figures = [b for s in seen(small()).sections for b in s.blocks if isinstance(b, Figure)]
    marks = [m for figure in figures for p in figure.panels for m in (p.marks if hasattr(p, "marks") else ())]
    assert any(mark.value is None for mark in marks)
    assert not [
        mark
        for mark in marks
        if mark.value is None and (getattr(mark, "low", None), getattr(mark, "high", None)) != (None, None)
    ]


def test_no_verdict_of_law_is_given(shown) -> None:
    said = text_of(shown).lower()
    for word in ("compliant", "compliance", " fair ", "unfair"):
        assert word not in said


def test_every_figure_has_words_and_a_table_after_it(shown) -> None:
    for section in shown.sections:
        for place, block in enumerate(section.blocks):
            if isinstance(block, Figure):
                assert all(panel.alt for panel in block.panels)
                # figures of the same numbers may stand together
                rest = (other for other in section.blocks[place:] if not isinstance(other, Figure))
                assert isinstance(next(rest), Table)


def test_the_sections_stand_in_the_order_of_a_readers_questions(shown) -> None:
    assert [section.id for section in shown.sections] == [
        *("overall", "changes", "frontier", "gates", "class-test", "exemplars", "selections", "data", "variants"),
        *("not-measured", "method", "further", "provenance", "evidence"),
    ]


def test_of_many_variants_paper_has_those_of_the_largest_harm() -> None:
    result = adult()
    (worst,) = (variant for variant in result.variants if variant.name == "pruned-0.995")
    names = [f"mild-{number}" for number in range(6)]
    mild = [replace(worst, name=name) for name in names]
    half = [
        replace(e, variant=name, value=e.value and e.value / 2, low=e.low and e.low / 2, high=e.high and e.high / 2)
        for name in names
        for e in result.estimates
        if e.variant == "pruned-0.5"
    ]
    baseline, *others = result.variants
    many = replace(result, variants=(baseline, *mild, *others), estimates=(*result.estimates, *half))
    section = next(s for s in seen(many).sections if s.id == "changes")
    first, *rest = (b for b in section.blocks if isinstance(b, Table) and b.caption.startswith("Change of recall"))
    shown_first = [column.heading for column in first.columns[3:]]
    assert {"pruned-0.995", "pruned-0.98"} < set(shown_first)
    assert shown_first == [v.name for v in many.variants if v.name in shown_first]
    assert first.caption.endswith("the variants with the largest harm")
    assert first.on_paper
    everywhere = [column.heading for table in rest for column in table.columns[3:]]
    assert sorted([*shown_first, *everywhere]) == sorted(v.name for v in many.variants[1:])
    assert {table.on_paper for table in rest} == {0}


def dot_figures(shown) -> list[Figure]:
    changes = next(s for s in shown.sections if s.id == "changes")
    return [b for b in changes.blocks if isinstance(b, Figure) and isinstance(b.panels[0], Dots)]


def test_the_two_variants_of_the_largest_harm_are_drawn_with_their_intervals(shown) -> None:
    recall, fpr = dot_figures(shown)
    assert [panel.title for panel in recall.panels] == ["pruned-0.995", "pruned-0.98"]
    # of false positives more is worse: these variants lose recall and have more of them
    assert [panel.title for panel in fpr.panels] == ["pruned-0.995", "pruned-0.98"]
    assert (
        "Drawn are the 2 variants with the largest harm that an interval shows, else estimated; the tables hold all 5."
        in (recall.note)
    )
    alone, _ = dot_figures(seen(small()))
    assert "Drawn are" not in alone.note


def test_small_groups_are_marked_and_limits_drawn(shown) -> None:
    figure = dot_figures(shown)[0]
    marks = {mark.label: mark for mark in figure.panels[0].marks}
    assert marks["Other"].small
    assert not marks["Female"].small
    assert figure.panels[0].limits == (-2.0,)
    assert "175 examples" in figure.note


def test_many_groups_are_ranked_cut_and_counted() -> None:
    made = adult()
    many = 300
    template = [e for e in made.estimates if e.group == FEMALE]
    groups = [(("town", f"town {i}"),) for i in range(many)]
    estimates = tuple(replace(e, group=g) for g in groups for e in template)
    data = replace(made.data, groups=(made.data.groups[0], *((g, (10, 590)) for g in groups)))
    everybody = tuple(e for e in made.estimates if not e.group)
    shown = seen(replace(made, estimates=everybody + estimates, findings=(), gates=(), data=data))
    figure = dot_figures(shown)[0]
    assert len(figure.panels[0].marks) < 40
    assert "more groups, less harmed or undefined, are not drawn" in figure.note
    assert all(len(table.rows) <= 400 for table in tables(shown))


def test_the_same_result_gives_the_same_view() -> None:
    assert seen(adult()) == seen(adult())


def test_the_words_of_an_exemplar_panel_name_the_group_of_that_variant() -> None:
    def reverse(one):
        most = max(row.over_indexing for row in one.by_group)
        values = [(r, None if r.over_indexing is None else most - r.over_indexing) for r in one.by_group]
        return replace(
            one,
            excess=1.0,
            by_group=tuple(replace(r, over_indexing=x, over_indexing_low=x, over_indexing_high=x) for r, x in values),
        )

    made = adult()
    other = tuple(reverse(one) if one.variant == "pruned-0.9" else one for one in made.exemplars)
    shown = seen(replace(made, exemplars=other))
    section = next(s for s in shown.sections if s.id == "exemplars")
    figure = next(b for b in section.blocks if isinstance(b, Figure) and "Over-indexing" in b.caption)
    said = {panel.alt.partition(", most first: ")[0].rpartition(" ")[2]: panel for panel in figure.panels}
    assert set(said) == {"pruned-0.9", "int8"}
    for panel in said.values():
        top = max((mark for mark in panel.marks if mark.low is not None), key=lambda mark: mark.low)
        assert f"most first: {top.label} (" in panel.alt
    assert said["pruned-0.9"].alt.rpartition("first: ")[2] != said["int8"].alt.rpartition("first: ")[2]


def test_why_there_is_no_spread_between_groups_is_said(shown) -> None:
    spread = next(table for table in tables(shown) if "points between the best and the worst" in table.caption)
    assert spread.note.endswith("Undefined: 1 groups.")


def test_what_a_drawn_part_leaves_out_stands_below_it() -> None:
    result = adult()
    train, test = result.data.splits
    part = replace(result.data, splits=(train, replace(test, left_out=(300, 1200))))
    found = next(one for one in tables(seen(replace(result, data=part))) if one.caption.startswith("Examples by split"))
    assert [[cell.text for cell in row] for row in found.rows] == [
        ["train", "32,561", "24,720", "7,841"],
        ["test", "16,281", "12,435", "3,846"],
        ["test, left out", "1,500", "300", "1,200"],
    ]
    assert "data.sample draws only a part" in found.note
    whole = next(one for one in tables(seen(result)) if one.caption.startswith("Examples by split"))
    assert "data.sample" not in whole.note


def test_a_chain_is_told_in_words_with_the_settings_of_each_method():
    result = small()
    then = [{"method": "cluster", "clusters": 16, "epochs": 3}, {"method": "int8"}]
    variants = (*result.variants[:1], replace(result.variants[1], asked_for={"sparsity": 0.9, "then": then}))
    found = next(
        one for one in tables(seen(replace(result, variants=variants))) if one.caption.startswith("What was asked")
    )
    assert found.rows[1][1].text == "sparsity 0.9; then cluster (clusters 16, epochs 3); then int8"


def test_a_file_is_set_beside_the_baseline_model_that_it_is_compared_with():
    made = adult()
    own = made.variants[4].name
    shift = 0.1

    def alone(e):
        is_own = e.variant == own and e.value is not None
        lower = is_own and e.compare == "change" and (e.metric, e.group) == ("recall", FEMALE) and e.label == POSITIVE
        return replace(e, members=1, value=e.value - shift) if lower else replace(e, members=1) if is_own else e

    estimates = {e.id: alone(e) for e in made.estimates}
    findings = tuple(replace(f, estimate=estimates[f.estimate.id]) for f in made.findings)
    variants = tuple(replace(v, paired=True, compared=1, finished=1) if v.name == own else v for v in made.variants)
    result = replace(made, estimates=tuple(estimates.values()), findings=findings, variants=variants)
    shown = seen(result)
    before = (
        estimates[f"{own}/recall[{POSITIVE}]/sex=Female/value"].value
        - estimates[f"{own}/recall[{POSITIVE}]/sex=Female/change"].value
    )
    assert f"its own baseline model found {590 * before:,.0f}, {own} found {590 * (before - shift - 0.1066):,.0f}" in (
        shown.headline.sentence
    )
    assert [bar.name for bar in shown.headline.bars] == ["its own baseline", own]
    assert shown.headline.bars[0].share == before
    table = next(one for one in tables(shown) if one.caption.startswith("Change of recall"))
    row = next(row for row in table.rows if row[0].text == "Female")
    assert row[2].text == "51.2%"
    assert f"from {100 * before:.1f}%" in row[-2].detail


def test_page_one_names_the_variants_whose_models_collapsed():
    made = small()
    first, second, *others = made.variants
    lost = (first, replace(second, collapsed=second.finished))
    one = seen(replace(made, variants=(*lost, *others)))
    assert any(f"all of {second.name}." in notice for notice in one.notices)
    some = seen(replace(made, variants=(first, replace(second, collapsed=1), *others)))
    assert any(f"some of {second.name} (1 of {second.finished})." in notice for notice in some.notices)
    none = seen(replace(made, variants=tuple(replace(v, collapsed=0) for v in made.variants)))
    assert not any("one class always" in notice for notice in none.notices)
