from __future__ import annotations

from dataclasses import replace

import pytest
from adult_result import adult

from auditor.report.view import view
from auditor.report.view.evidence import ABSENT, LAWS, evidence_section


def seen(result):
    return view(result, digest="0" * 64)


def rows(section):
    return {row[0].text: row for block in section.blocks if block.kind == "table" for row in block.rows}


def test_every_place_that_the_appendix_names_is_a_section_of_the_report():
    shown = seen(adult())
    ids = {section.id: section.title for section in shown.sections}
    named = [link for row in rows(shown.sections[-1]).values() for cell in row for link in cell.links]
    assert len(named) > 20
    assert all(ids[place] == title for place, title in named)
    assert {place for law in LAWS for part in law.parts for place in part.sections} <= set(ids)


def test_what_an_audit_has_no_table_of_is_not_claimed_as_evidence():
    without = seen(replace(adult(), selections=()))
    found = rows(without.sections[-1])
    assert found["5-301"][2].text == found["1607.4(D)"][2].text == ABSENT
    assert not found["5-301"][2].links


def test_the_day_of_the_audit_is_evidence_only_where_it_is_known():
    dated, undated = (seen(replace(adult(), judged_on=day)) for day in ("2026-11-27", None))
    assert ("judged on (UTC)", "2026-11-27") in [
        pair for s in dated.sections if s.id == "provenance" for b in s.blocks if b.kind == "facts" for pair in b.pairs
    ]
    for shown, said in ((dated, False), (undated, True)):
        found = rows(shown.sections[-1])
        for rule in ("Annex\xa0IV\xa02(g)", "5-301"):
            assert ("The day of the audit" in found[rule][3].text) is said


def test_a_name_on_page_one_is_told_only_where_one_was_declared():
    result = adult()
    nameless = {key: value for key, value in result.definition["audit"].items() if key not in {"owner", "reviewers"}}
    named = {**nameless, "owner": "Ann"}
    for audit, said in ((nameless, False), (named, True)):
        shown = seen(replace(result, definition={**result.definition, "audit": audit}))
        assert ("named on page one" in rows(shown.sections[-1])["Annex\xa0IV\xa02(g)"][3].text) is said


def test_reasons_for_the_metrics_are_evidence_only_where_gates_give_them():
    result = adult()
    for why, said in (("", True), ("Because.", False)):
        shown = seen(replace(result, gates=tuple(replace(gate, why=why) for gate in result.gates)))
        missing = rows(shown.sections[-1])["Annex\xa0IV\xa04"][3].text
        assert ("Reasons" in missing) is said


@pytest.mark.parametrize("claim", ["compliant", "compliance", "complies", "is fair"])
def test_the_appendix_claims_nothing_about_the_law(claim):
    section = evidence_section(seen(adult()).sections[:-1], adult())
    assert claim not in repr(section).lower()


def test_page_one_names_some_of_many_variants_and_groups_of_variants_by_their_models():
    result = adult()
    one = result.variants[-1]
    many = tuple(replace(one, name=f"v{n}", finished=3) for n in range(20))
    facts = dict(seen(replace(result, variants=(*result.variants, *many))).facts.pairs)
    assert facts["Compressed as"].endswith("more")
    assert "3 of v0" in facts["Models"]
    same = dict(seen(replace(result, variants=tuple(replace(v, finished=10) for v in result.variants))).facts.pairs)
    assert same["Models"] == "10 of the baseline and of each variant"
