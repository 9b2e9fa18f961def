"""What changed between two audits: less data is never an improvement."""

from __future__ import annotations

from dataclasses import replace

import pytest
from adult_result import gate, with_gates

from auditor.compare import compare, exit_code
from auditor.records import Verdict, Waiver

FEMALE = (("sex", "Female"),)
GATE = gate("sex", ("sex",))
PASS, FAIL, INCONCLUSIVE, UNDEFINED = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.UNDEFINED


@pytest.fixture(scope="module")
def audit():
    return with_gates(GATE)


def with_one(result, verdict, *, variant="int8", numbers=None, **changes):
    """Change the finding about one variant and group, and nothing else."""

    def changed(finding):
        if (finding.estimate.variant, finding.estimate.group) != (variant, FEMALE):
            return finding
        estimate = replace(finding.estimate, **(numbers or {}))
        return replace(finding, verdict=verdict, estimate=estimate, **changes)

    return replace(result, findings=tuple(map(changed, result.findings)))


def shift(old, new):
    (found,) = compare(old, new).shifts
    return found


def test_the_same_audit_has_no_difference(audit):
    same = compare(audit, audit)
    assert (same.shifts, same.moves, same.gates, same.groups, same.members, same.definition) == ((),) * 6
    assert same.compared == len(audit.findings)
    assert exit_code(same) == 0


@pytest.mark.parametrize(
    ("old", "new", "direction", "code"),
    [
        (PASS, INCONCLUSIVE, "worse", 1),
        (PASS, UNDEFINED, "worse", 1),
        (PASS, FAIL, "worse", 1),
        (INCONCLUSIVE, UNDEFINED, "worse", 1),
        (INCONCLUSIVE, FAIL, "worse", 1),
        (UNDEFINED, FAIL, "worse", 1),
        (FAIL, UNDEFINED, "worse", 1),
        (FAIL, INCONCLUSIVE, "better", 0),
        (FAIL, PASS, "better", 0),
        (UNDEFINED, INCONCLUSIVE, "better", 0),
        (UNDEFINED, PASS, "better", 0),
    ],
)
def test_a_verdict_got_worse_or_better(audit, old, new, direction, code):
    difference = compare(with_one(audit, old), with_one(audit, new))
    assert [s.direction for s in difference.shifts] == [direction]
    assert exit_code(difference) == code


@pytest.mark.parametrize(("numbers", "why"), [({"n": 100}, "100 examples, were 590"), ({"members": 3}, "3 members")])
def test_a_failure_that_is_open_for_want_of_data_is_no_improvement(audit, numbers, why):
    found = shift(with_one(audit, FAIL), with_one(audit, INCONCLUSIVE, numbers=numbers))
    assert (found.direction, found.counts) == ("worse", True)
    assert why in found.why
    assert shift(with_one(audit, FAIL), with_one(audit, PASS, numbers=numbers)).direction == "better"


@pytest.mark.parametrize("gone", ["gate", "variant", "group"])
def test_what_has_disappeared_answers_1(audit, gone):
    two = with_gates(GATE, gate("age", ("age",)))
    left = {
        "gate": lambda f: f.gate != "age",
        "variant": lambda f: f.estimate.variant != "int8",
        "group": lambda f: f.estimate.group != FEMALE,
    }[gone]
    difference = compare(two, replace(two, findings=tuple(filter(left, two.findings))))
    assert {(s.direction, s.counts) for s in difference.shifts} == {("gone", True)}
    assert exit_code(difference) == 1


def named(name, **changes):
    return replace(GATE, name=name, **changes)


def test_a_gate_that_has_another_name_and_is_else_the_same_is_compared_as_one():
    both_ways = {"targets": tuple(reversed(GATE.targets)), "line": 99, "why": "said otherwise"}
    difference = compare(with_gates(GATE), with_gates(named("women and men", **both_ways)))
    assert difference.renamed == (("sex", "women and men"),)
    assert (difference.shifts, difference.gates) == ((), ())
    assert difference.compared == len(with_gates(GATE).findings)
    assert exit_code(difference) == 0


def test_a_verdict_that_got_worse_under_another_name_got_worse():
    after = with_one(with_gates(named("women")), FAIL)
    difference = compare(with_one(with_gates(GATE), PASS), after)
    (found,) = difference.shifts
    assert (found.direction, found.counts) == ("worse", True)
    assert (found.old.gate, found.new.gate) == ("sex", "women")
    assert exit_code(difference) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"min": -0.03},
        {"max": 0.5},
        {"metric": "accuracy"},
        {"compare": "disparity_change"},
        {"decide_on": "point"},
        {"severity": "warning"},
        {"variants": ("int8",)},
        {"targets": GATE.targets[:1]},
    ],
)
def test_a_gate_with_another_name_that_asks_otherwise_is_another_gate(audit, changes):
    # findings are left out: only what is asked makes a gate the same
    difference = compare(audit, replace(audit, gates=(named("women", **changes),), findings=()))
    assert difference.renamed == ()
    assert {change.name for change in difference.gates} == {"sex", "women"}
    assert exit_code(difference) == 1


@pytest.mark.parametrize("twice", ["old", "new"])
def test_of_two_gates_that_ask_the_same_none_is_guessed_to_be_the_other(twice):
    one, two = with_gates(named("a")), with_gates(named("b"), named("c"))
    difference = compare(two, one) if twice == "old" else compare(one, two)
    assert difference.renamed == ()
    assert {s.direction for s in difference.shifts} == {"gone", "new"}
    assert exit_code(difference) == 1


def test_a_gate_that_kept_its_name_is_no_other_ones_new_name():
    difference = compare(with_gates(named("a"), named("b")), with_gates(named("b"), named("c")))
    assert difference.renamed == (("a", "c"),)
    assert exit_code(difference) == 0


def test_a_waiver_of_a_gate_that_was_renamed_is_the_same_waiver():
    waiver = Waiver(
        gate="sex", line=3, variant="int8", label=None, group=FEMALE, reason="later", owner="Ann", expires="2026-12-31"
    )
    old = replace(with_gates(GATE), waivers=(waiver,))
    new = replace(with_gates(named("women")), waivers=(replace(waiver, gate="women"),))
    assert compare(old, new).waivers == ()
    ((before, after),) = compare(old, replace(new, waivers=(replace(new.waivers[0], owner="Ben"),))).waivers
    assert (before.owner, after.owner) == ("Ann", "Ben")


def test_what_is_new_has_nothing_to_be_worse_than(audit):
    wider = with_gates(GATE, gate("age", ("age",)))
    difference = compare(audit, wider)
    assert {s.direction for s in difference.shifts} == {"new"}
    assert FAIL in {s.finding.verdict for s in difference.shifts}
    assert [(change.name, change.old) for change in difference.gates] == [("age", None)]
    assert exit_code(difference) == 0


def test_a_warning_that_gets_worse_is_told_and_does_not_count(audit):
    found = shift(with_one(audit, PASS, severity="warning"), with_one(audit, FAIL, severity="warning"))
    assert (found.direction, found.counts) == ("worse", False)


def test_a_gate_that_only_warns_now_still_counts_where_it_gets_worse(audit):
    assert shift(with_one(audit, PASS), with_one(audit, FAIL, severity="warning")).counts


def test_what_is_waived_now_does_not_count_and_what_was_waived_does(audit):
    waived = with_one(audit, FAIL, waived=True)
    now = shift(with_one(audit, FAIL), waived)
    assert (now.direction, now.why, now.counts) == ("waived", "waived now", False)
    ended = shift(waived, with_one(audit, FAIL))
    assert (ended.direction, ended.why, ended.counts) == ("worse", "was waived", True)
    assert not shift(with_one(audit, PASS), waived).counts


def test_a_verdict_that_is_better_by_another_limit_is_not_told_as_better(audit):
    looser = replace(with_one(audit, PASS), gates=(replace(GATE, min=-0.5),))
    difference = compare(with_one(audit, FAIL), looser)
    assert [s.direction for s in difference.shifts] == ["other terms"]
    assert [(c.name, c.old, c.new) for c in difference.gates] == [("sex: min", -0.02, -0.5)]


def test_a_verdict_that_is_better_at_another_confidence_is_not_told_as_better(audit):
    statistics = {**audit.definition["statistics"], "confidence": 0.6}
    unsure = replace(with_one(audit, PASS), definition={**audit.definition, "statistics": statistics})
    difference = compare(with_one(audit, FAIL), unsure)
    assert [s.direction for s in difference.shifts] == ["other terms"]
    assert [(c.name, c.new) for c in difference.definition] == [("statistics.confidence", 0.6)]


@pytest.mark.parametrize(
    ("value", "low", "high", "relation"),
    [
        (-0.5, -0.6, -0.4, "apart"),
        (0.5, 0.4, 0.6, "apart"),
        (0.11, 0.05, 0.2, "beyond"),
        (0.02, -0.09, 0.2, "within"),
        (0.5, None, 0.6, "within"),
        (0.5, None, None, "unknown"),
        (None, None, None, "unknown"),
    ],
)
def test_what_two_intervals_say(audit, value, low, high, relation):
    old = with_one(audit, PASS, numbers={"value": 0.0, "low": -0.1, "high": 0.1})
    new = with_one(audit, PASS, numbers={"value": value, "low": low, "high": high})
    (move,) = compare(old, new).moves
    assert move.relation == relation


def test_an_intersection_that_is_declared_the_other_way_round_is_the_same(audit):
    both = with_gates(gate("both", ("sex x race",)))

    def turned(finding):
        return replace(finding, estimate=replace(finding.estimate, group=finding.estimate.group[::-1]))

    assert not compare(both, replace(both, findings=tuple(map(turned, both.findings)))).shifts


def test_sizes_members_definition_versions_and_models_are_compared(audit):
    first, *others = audit.variants
    definition = {**audit.definition, "training": {"epochs": 3}}
    provenance = {"libraries": {"numpy": "3.0"}, "models": {"baseline": ["a", "b"]}}
    new = replace(
        audit,
        variants=(replace(first, finished=3), *others[1:]),
        definition=definition,
        provenance=provenance,
        data=replace(audit.data, groups=audit.data.groups[1:]),
    )
    difference = compare(replace(audit, provenance={"models": {"x": ["b"]}}), new)
    assert [(name, old and old.finished, now and now.finished) for name, old, now in difference.members] == [
        ("baseline", 10, 3),
        ("pruned-0.5", 10, None),
    ]
    assert ("training.epochs", 3) in [(change.name, change.new) for change in difference.definition]
    assert [(change.name, change.new) for change in difference.provenance] == [("libraries.numpy", "3.0")]
    assert difference.groups == (((), 16281, None),)
    assert difference.models == (1, 2)
