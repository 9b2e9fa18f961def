from __future__ import annotations

from dataclasses import replace

import pytest
from adult_result import adult

from auditor.records import FixedSequence, Verdict
from auditor.report.view.blocks import Figure, Prose, Table
from auditor.report.view.frontier import frontier_sections
from auditor.report.view.numbers import index


@pytest.fixture(scope="module")
def result():
    return adult()


def blocks_of(result, kind):
    (section,) = frontier_sections(index(result))
    return [block for block in section.blocks if isinstance(block, kind)]


def sized(result, **sizes):
    """Change some variants' sizes, by place; None takes the size away."""
    variants = tuple(
        replace(v, measured={**v.measured, "bytes_gzipped": sizes.get(v.name.replace("-", "_"), 1000.0)})
        for v in result.variants
    )
    return replace(result, variants=variants)


def test_the_smallest_stands_first_with_its_worst_judged_group_and_its_verdict(result) -> None:
    (table,) = blocks_of(result, Table)
    sizes = [row[2].text for row in table.rows]
    assert sizes == sorted(sizes, key=lambda text: float(text.rstrip("%")))
    first = table.rows[0]
    assert [first[0].text, first[3].text, first[5].text] == ["pruned-0.995", "Female (sex)", "FAIL"]
    # the worst change of all is by race, about which no gate decides
    assert "Groups are those that a deciding gate on this change is about." in blocks_of(result, Figure)[0].note


def test_points_are_what_the_table_says(result) -> None:
    (panel,) = blocks_of(result, Figure)[0].panels
    (table,) = blocks_of(result, Table)
    assert [spot.mark.label for spot in panel.spots] == [row[0].text for row in table.rows]
    shapes = {"PASS": "pass", "FAIL": "fail"}
    assert [spot.verdict for spot in panel.spots] == [shapes.get(row[5].text, "open") for row in table.rows]
    assert {spot.verdict for spot in panel.spots} == {"pass", "fail"}
    assert panel.limits == (-2.0,)
    assert panel.before == pytest.approx(33_600)
    assert panel.alt.startswith("Gzipped size against the change of recall of “>50K” of 5 variants. pruned-0.995: ")


def test_without_a_sequence_no_choice_is_said_to_keep_its_level(result) -> None:
    (prose,) = blocks_of(result, Prose)
    assert "errs more often than the 5% of a single comparison" in prose.paragraphs[0]
    names = ("pruned-0.5", "pruned-0.9")
    sequence = FixedSequence(variants=names, verdicts=(Verdict.PASS, Verdict.FAIL), chosen=names[0])
    (prose,) = blocks_of(replace(result, fixed_sequences=(sequence,)), Prose)
    assert "the most compressed that passes every deciding gate is pruned-0.5." in prose.paragraphs[0]
    assert "errs more often" not in " ".join(prose.paragraphs)


def of_gates(result, decide_on):
    gates = tuple(replace(g, decide_on=decide_on if g.severity == "error" else g.decide_on) for g in result.gates)
    return replace(result, gates=gates)


def test_a_choice_is_said_to_keep_its_level_only_as_far_as_it_does(result) -> None:
    result = of_gates(result, "interval")
    every = tuple(v.name for v in result.variants[1:])
    one = FixedSequence(variants=every, verdicts=(Verdict.PASS,) * len(every), chosen=every[-1])
    (prose,) = blocks_of(replace(result, fixed_sequences=(one,)), Prose)
    (alone,) = prose.paragraphs
    assert alone.endswith("that keeps the level of one test.")
    # int8 is in no sequence, or the sequences are two
    parts = [
        FixedSequence(variants=names, verdicts=(Verdict.PASS,) * len(names), chosen=names[-1])
        for names in (every[:2], every[2:])
    ]
    for sequences in (parts[:1], parts):
        (prose,) = blocks_of(replace(result, fixed_sequences=tuple(sequences)), Prose)
        assert prose.paragraphs[-1].startswith("A choice between these and other variants does not keep it")
    (prose,) = blocks_of(of_gates(replace(result, fixed_sequences=(one,)), "point"), Prose)
    assert "keeps the level" not in prose.paragraphs[0]
    assert "estimate alone" in prose.paragraphs[0]


def test_without_sizes_there_is_no_section_and_one_without_a_size_is_left_out(result) -> None:
    none = replace(result, variants=tuple(replace(v, measured={}) for v in result.variants))
    assert frontier_sections(index(none)) == ()
    some = blocks_of(sized(result, int8=None), Table)[0]
    assert "int8" not in {row[0].text for row in some.rows}
    assert len(some.rows) == 4


def test_a_share_of_an_unknown_baseline_and_an_undefined_change_are_said_to_be_undefined(result) -> None:
    lost = tuple(
        replace(e, value=None, low=None, high=None, undefined="too few") if e.variant == "int8" else e
        for e in result.estimates
    )
    found = sized(replace(result, estimates=lost), baseline=None)
    (table,) = blocks_of(found, Table)
    assert {row[2].text for row in table.rows} == {"undefined"}
    row = next(row for row in table.rows if row[0].text == "int8")
    assert (row[3].text, row[4].text) == ("none defined", "undefined")
    (panel,) = blocks_of(found, Figure)[0].panels
    assert "int8" not in {spot.mark.label for spot in panel.spots}
    assert panel.before is None


def test_many_variants_are_numbered_as_in_the_table(result) -> None:
    model = result.variants[1]
    more = tuple(replace(model, name=f"variant {n}") for n in range(9))
    (table,) = blocks_of(replace(result, variants=(*result.variants, *more)), Table)
    assert table.rows[0][0].text == "1. pruned-0.995"
    (panel,) = blocks_of(replace(result, variants=(*result.variants, *more)), Figure)[0].panels
    assert panel.spots[0].mark.label == "1"
