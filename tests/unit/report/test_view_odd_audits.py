"""Audits of which a part is not there: one model, no attribute, one variant, no gate, very many classes."""

from __future__ import annotations

from dataclasses import replace

from adult_result import NEGATIVE, POSITIVE, adult

from auditor.records import BASELINE, EVERYBODY, Finding, Verdict
from auditor.report.view import view
from auditor.report.view.blocks import Figure, Prose, Table

WHY = "a claim about a recipe needs two finished members that differ"


def seen(result):
    return view(result, digest="a" * 64)


def section(shown, wanted):
    return next(section for section in shown.sections if section.id == wanted)


def tables(section) -> list[Table]:
    return [block for block in section.blocks if isinstance(block, Table)]


def figures(section) -> list[Figure]:
    return [block for block in section.blocks if isinstance(block, Figure)]


def of_one_model():
    """Make an audit of one model a variant: no number of a recipe is defined."""
    made = adult()
    nothing = {"value": None, "low": None, "high": None, "lower": None, "upper": None, "undefined": WHY}

    def undefined(finding: Finding) -> Finding:
        return replace(finding, estimate=replace(finding.estimate, **nothing), verdict=Verdict.UNDEFINED, reason=WHY)

    return replace(
        made,
        variants=tuple(replace(v, asked=1, finished=1, compared=1, failed=0, collapsed=0) for v in made.variants),
        definition={**made.definition, "population": {"size": 1, "minimum": 1, "start": "scratch"}},
        estimates=tuple(replace(e, **nothing) for e in made.estimates),
        findings=tuple(map(undefined, made.findings)),
        class_tests=tuple(replace(t, p=None, p_holm=None, p_bh=None, p_max_t=None) for t in made.class_tests),
    )


def of_classes(positive=None):
    """Make an audit without an attribute: every number is everybody's."""
    made = adult()
    numbers = tuple(e for e in made.estimates if e.group == EVERYBODY)
    return replace(
        made,
        data=replace(made.data, positive=positive, groups=made.data.groups[:1], reference={}),
        estimates=numbers if positive is None else tuple(e for e in numbers if e.label != NEGATIVE),
        gates=(),
        findings=(),
        class_tests=tuple(test for test in made.class_tests if test.group == EVERYBODY),
        exemplars=tuple(
            replace(one, by_group=one.by_group[:1], odds_ratios=(), top=tuple(replace(e, group=()) for e in one.top))
            for one in made.exemplars
        ),
        extremes=(),
        selections=(),
        descriptions=(),
    )


def test_of_one_model_page_one_says_why_nothing_is_measured() -> None:
    shown = seen(of_one_model())
    assert shown.headline.sentence == f"No change from the baseline could be measured. Undefined: {WHY}."


def test_a_figure_without_a_number_is_not_drawn_and_that_is_said() -> None:
    shown = seen(of_one_model())
    overall, changes = section(shown, "overall"), section(shown, "changes")
    assert not figures(overall) + figures(changes)
    said = [text for block in overall.blocks if isinstance(block, Prose) for text in block.paragraphs]
    assert said[0].endswith("by level of compression: nothing to draw, since every number of it is undefined.")
    assert figures(section(seen(adult()), "overall"))


def test_intervals_of_one_model_are_not_said_to_be_of_several() -> None:
    def note(result) -> str:
        return next(table.note for table in tables(section(seen(result), "overall")) if "between" in table.caption)

    assert "examples drawn again, of one model" in note(of_one_model())
    assert note(adult()).startswith("Intervals: examples and models drawn again together (bootstrap).")
    made = adult()
    mixed = replace(made, variants=tuple(replace(v, finished=1 if v.name == "int8" else 10) for v in made.variants))
    assert "together; examples alone for int8, of one model (bootstrap)" in note(mixed)


def test_where_nothing_could_be_tested_no_class_is_said_to_have_kept_its_place() -> None:
    (figure,) = figures(section(seen(of_one_model()), "class-test"))
    assert [panel.title for panel in figure.panels] == [
        f"{variant}: nothing could be tested" for variant in ("pruned-0.5", "pruned-0.9")
    ]


def test_without_an_attribute_the_worst_class_stands_beside_everybody() -> None:
    overall = section(seen(of_classes()), "overall")
    assert overall.title == "Accuracy against the worst class"
    (table,) = tables(overall)
    assert [column.heading for column in table.columns] == ["Variant", "Everybody", "Worst class", "Recall"]
    assert table.rows[0][2].text == f"“{POSITIVE}”"
    (figure,) = figures(overall)
    assert {tuple(line.name for line in panel.lines) for panel in figure.panels} == {("everybody", "worst class")}
    (sizes,) = tables(section(seen(of_classes()), "frontier"))
    assert {row[3].text for row in sizes.rows} == {f"“{NEGATIVE}”", f"“{POSITIVE}”"}


def test_without_an_attribute_and_with_a_positive_class_nothing_is_said_to_be_the_worst() -> None:
    shown = seen(of_classes(positive=POSITIVE))
    overall = section(shown, "overall")
    assert overall.title == "Accuracy"
    assert all([column.heading for column in table.columns] == ["Variant", "Everybody"] for table in tables(overall))
    assert "orst" not in repr(figures(overall)) + repr(section(shown, "frontier"))
    assert len(figures(section(shown, "frontier"))) == 1


def test_without_an_attribute_and_with_a_positive_class_no_change_is_said_to_be_by_group() -> None:
    changes = section(seen(of_classes(positive=POSITIVE)), "changes")
    assert changes.title == "Change from the baseline"
    assert [figure.caption for figure in figures(changes)] == [
        f"Change of {rate} of “>50K” from the baseline" for rate in ("recall", "false positive rate")
    ]


def test_no_group_is_sought_where_there_is_none_that_decisions_could_amplify() -> None:
    made = adult()
    known = replace(of_classes(), descriptions=tuple(d for d in made.descriptions if d.group == EVERYBODY))
    for result, there in ((known, False), (made, True)):
        table = next(t for t in tables(section(seen(result), "further")) if t.caption.startswith("Every variant"))
        assert ("Most amplified group" in [column.heading for column in table.columns]) is there
        assert all(len(row) == len(table.columns) for row in table.rows)


def test_why_chance_is_not_known_is_said_once_below_the_table() -> None:
    why = "needs two finished members that differ, of baseline and of variant"
    made = of_one_model()
    families = tuple(replace(one, tested=0, expected=None, undefined=why) for one in made.class_test_families)
    counts = next(
        table
        for table in tables(section(seen(replace(made, class_test_families=families)), "class-test"))
        if table.caption.startswith("How many tests")
    )
    assert counts.note.endswith(f" By chance undefined: {why}.")
    assert repr(counts).count(why) == 1


def test_exemplars_without_an_attribute_have_no_column_of_groups() -> None:
    for result, there in ((of_classes(), False), (adult(), True)):
        top = tables(section(seen(result), "exemplars"))[-1]
        assert ("Groups" in [column.heading for column in top.columns]) is there
        assert all(len(row) == len(top.columns) for row in top.rows)


def test_a_single_variant_without_a_gate_is_no_choice_and_has_no_verdicts() -> None:
    made = adult()
    one = replace(
        made,
        variants=tuple(v for v in made.variants if v.name in {BASELINE, "pruned-0.9"}),
        estimates=tuple(e for e in made.estimates if e.variant in {BASELINE, "pruned-0.9"}),
        gates=(),
        findings=(),
    )
    frontier = section(seen(one), "frontier")
    assert frontier.question == "What does a small size cost?"
    assert not [block for block in frontier.blocks if isinstance(block, Prose)]
    (table,) = tables(frontier)
    assert "Deciding gates" not in [column.heading for column in table.columns]


def test_of_a_class_that_was_measured_for_everybody_alone_no_group_is_said_to_be_undefined() -> None:
    made = adult()
    many = replace(
        made,
        data=replace(made.data, positive=None),
        estimates=tuple(e for e in made.estimates if e.group == EVERYBODY or e.label is None),
    )
    accuracy, *recalls = (t for t in tables(section(seen(many), "overall")) if "everybody" in t.caption)
    assert "Worst group" in [column.heading for column in accuracy.columns]
    assert recalls
    assert all([column.heading for column in table.columns] == ["Variant", "Everybody"] for table in recalls)


def test_groups_without_a_test_example_stand_under_what_was_not_measured() -> None:
    made = adult()
    nobody = tuple(((("sex", "Female"), ("race", f"r{n}")), (0, 0)) for n in range(7))
    told = replace(made, data=replace(made.data, groups=(*made.data.groups, *nobody)))

    def bullets(result) -> tuple[str, ...]:
        return section(seen(result), "not-measured").blocks[0].items

    assert bullets(told)[0].startswith("Groups without a test example: Female × r0 (sex × race), Female × r1")
    assert bullets(told)[0].endswith("Female × r4 (sex × race) and 2 more groups. Nothing is known of them.")
    assert bullets(told)[1:] == bullets(made)


def test_without_an_attribute_changes_are_by_class_in_one_map_and_one_table_a_rate() -> None:
    changes = section(seen(of_classes()), "changes")
    assert changes.title == "Change by class"
    heat, dots, *_ = figures(changes)
    assert heat.caption == "Change of recall from the baseline in points: largest estimated harm first"
    assert [label for label, _ in heat.panels[0].rows] == [f"“{POSITIVE}”", f"“{NEGATIVE}”"]
    assert dots.caption == "Change of recall from the baseline, by class"
    assert {mark.label for panel in dots.panels for mark in panel.marks} == {f"“{POSITIVE}”", f"“{NEGATIVE}”"}
    recall, *_ = tables(changes)
    assert [column.heading for column in recall.columns[:2]] == ["Class", "n"]
    assert "everybody" not in repr((heat, dots, recall))


def test_of_a_thousand_classes_those_that_lose_most_stand_first_and_the_rest_is_counted() -> None:
    made = of_classes()
    names = tuple(f"n{place}" for place in range(1_000))
    recalls = [e for e in made.estimates if (e.metric, e.label) == ("recall", POSITIVE)]
    numbers = tuple(
        replace(e, label=name, value=e.value if e.compare == "value" else -0.00001 * place)
        for place, name in enumerate(names)
        for e in recalls
    )
    data = replace(made.data, classes=names, groups=((EVERYBODY, (16,) * 1_000),))
    changes = section(seen(replace(made, data=data, estimates=numbers, class_tests=())), "changes")
    heat, dots = figures(changes)
    assert [label for label, _ in heat.panels[0].rows][:2] == ["“n999”", "“n998”"]
    assert heat.note.endswith(" 986 more classes, less harmed or undefined, stand in the tables and in result.json.")
    assert dots.note.endswith("988 more classes, less harmed or undefined, are not drawn.")
    assert tables(changes)[0].note.endswith("940 more classes, less harmed, are in result.json.")
