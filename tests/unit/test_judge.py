"""Verdicts, corrections and exit codes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.errors import ExitCode
from auditor.fixed_sequence import families, level, most_compressed
from auditor.judge import exit_code, judge, summary, unfit
from auditor.measure.intervals import end_of
from auditor.records import Bound, Estimate, Gate, Term, VariantSummary, Verdict


def estimate(value, *, sd=0.005, group="f", variant="v", compare="change", n=500, undefined=None):
    terms = (
        Term(source="examples", variance=sd**2, df=n - 1),
        Term(source="members", variance=sd**2 / 4, df=9),
    )
    bound = Bound(center=value, terms=terms)
    return Estimate(
        variant=variant,
        metric="recall",
        label="yes",
        group=(("sex", group),),
        compare=compare,
        value=None if undefined else value,
        low=None if undefined else end_of(bound, -1, 0.95),
        high=None if undefined else end_of(bound, 1, 0.95),
        n=n,
        members=10,
        claim="recipe",
        undefined=undefined,
        method="none" if undefined else "sum of terms",
        lower=None if undefined else bound,
        upper=None if undefined else bound,
    )


def gate(*groups, low=-0.02, high=None, variants=("v",), **options):
    return Gate(
        **{
            "name": "g",
            "line": 3,
            "metric": "recall",
            "targets": tuple(("yes", (("sex", group),), None) for group in groups),
            "compare": "change",
            "variants": variants,
            "min": low,
            "max": high,
            "decide_on": "interval",
            "severity": "error",
            "why": "",
        }
        | options
    )


def variant(name, *, finished=10, compared=None, collapsed=0, paired=False):
    return VariantSummary(
        name=name, method="m", claim="recipe", paired=paired, fixed_baseline=False, asked=10, finished=finished,
        compared=finished if compared is None else compared, failed=10 - finished,
        collapsed=collapsed, asked_for={}, measured={},
    )  # fmt: skip


VARIANTS = (variant("baseline"), variant("v"), variant("w"))


def verdicts(gates, estimates, variants=VARIANTS, minimum=None):
    return [f.verdict for f in judge(gates, estimates, variants, confidence=0.95, minimum=minimum)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0, Verdict.PASS), (-0.015, Verdict.INCONCLUSIVE), (-0.025, Verdict.INCONCLUSIVE), (-0.05, Verdict.FAIL)],
)
def test_a_gate_passes_and_fails_only_on_what_the_interval_shows(value, expected):
    assert verdicts([gate("f")], [estimate(value)]) == [expected]


def test_a_limit_is_inclusive():
    e = estimate(0.0)
    assert verdicts([gate("f", low=e.low)], [e]) == [Verdict.PASS]
    assert verdicts([gate("f", low=e.low + 1e-9)], [e]) == [Verdict.INCONCLUSIVE]


def test_both_limits_are_judged():
    assert verdicts([gate("f", low=-0.02, high=0.02)], [estimate(0.05)]) == [Verdict.FAIL]
    assert verdicts([gate("f", low=-0.02, high=0.02)], [estimate(0.0)]) == [Verdict.PASS]


def test_a_breach_that_is_clear_alone_must_survive_the_correction_for_all_comparisons_of_a_variant():
    alone = estimate(-0.0325, group="f")
    assert verdicts([gate("f")], [alone]) == [Verdict.FAIL]
    others = [estimate(0.0, group=f"g{i}") for i in range(20)]
    crowd = gate("f", *(f"g{i}" for i in range(20)))
    found, *rest = judge([crowd], [alone, *others], VARIANTS, confidence=0.95, minimum=None)
    assert found.verdict is Verdict.INCONCLUSIVE
    # its whole interval is beyond the limit: what would make it pass is not what to look for
    assert "a failure would be shown sooner than a PASS" in found.reason
    assert found.needed == ""
    assert all(bool(one.needed) is (one.verdict is Verdict.INCONCLUSIVE) for one in rest)


def test_warnings_and_other_variants_do_not_make_an_error_harder_to_show():
    alone = estimate(-0.0325)
    many = [estimate(0.0, group=f"g{i}") for i in range(20)]
    other = replace(alone, variant="w")
    warn = gate(*(f"g{i}" for i in range(20)), severity="warning", name="w")
    assert verdicts([gate("f", variants=("v", "w")), warn], [alone, other, *many])[:2] == [Verdict.FAIL, Verdict.FAIL]


def test_a_comparison_that_two_gates_make_is_corrected_for_once():
    alone = estimate(-0.0325)
    again = gate("f", name="again")
    assert verdicts([gate("f"), again], [alone]) == [Verdict.FAIL, Verdict.FAIL]


def test_a_loosened_limit_never_turns_pass_into_fail():
    for value in (-0.05, -0.03, -0.02, -0.01, 0.0):
        order = [Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS]
        seen = [
            order.index(verdicts([gate("f", low=low)], [estimate(value)])[0]) for low in (-0.005, -0.02, -0.04, -0.1)
        ]
        assert seen == sorted(seen)


def test_an_undefined_number_never_passes_and_says_why():
    (found,) = judge([gate("f")], [estimate(0, undefined="7 examples")], VARIANTS, confidence=0.95, minimum=None)
    assert found.verdict is Verdict.UNDEFINED
    assert found.reason == "7 examples"
    assert found.p is None


def test_a_variant_with_too_few_members_is_undefined_unless_fewer_are_enough():
    lost = (VARIANTS[0], variant("v", finished=9))
    assert verdicts([gate("f")], [estimate(0.0)], lost) == [Verdict.UNDEFINED]
    assert verdicts([gate("f")], [estimate(0.0)], lost, minimum=9) == [Verdict.PASS]


def test_members_without_their_baseline_are_not_enough():
    apart = (VARIANTS[0], variant("v", compared=7, paired=True))
    assert verdicts([gate("f")], [estimate(0.0)], apart, minimum=8) == [Verdict.UNDEFINED]
    assert "7 of 10 members of v finished together with the baseline member" in unfit(apart, 8)["v"]
    assert verdicts([gate("f")], [estimate(0.0)], apart, minimum=7) == [Verdict.PASS]


def test_a_collapsed_or_incomplete_baseline_makes_every_comparison_undefined():
    for baseline in (variant("baseline", collapsed=1), variant("baseline", finished=8)):
        assert verdicts([gate("f")], [estimate(0.0)], (baseline, variant("v"))) == [Verdict.UNDEFINED]
        assert set(unfit((baseline, variant("v")), None)) == {"baseline", "v"}


def test_a_decision_on_the_point_looks_at_nothing_else():
    assert verdicts([gate("f", decide_on="point")], [estimate(-0.019, sd=0.5)]) == [Verdict.PASS]
    assert verdicts([gate("f", decide_on="point")], [estimate(-0.021, sd=0.5)]) == [Verdict.FAIL]


def test_an_open_case_says_what_would_settle_it():
    (found,) = judge([gate("f")], [estimate(-0.015, sd=0.01)], VARIANTS, confidence=0.95, minimum=None)
    assert "in f, where there are 500" in found.needed
    (found,) = judge([gate("f")], [estimate(-0.015)], VARIANTS, confidence=0.95, minimum=None)
    assert "as many examples and members would do" in found.needed
    (found,) = judge([gate("f")], [estimate(-0.021)], VARIANTS, confidence=0.95, minimum=None)
    assert "here the estimate is beyond the limit" in found.needed
    noisy = replace(estimate(-0.015), lower=Bound(center=-0.015, terms=(
        Term(source="examples", variance=1e-6, df=499), Term(source="members", variance=1e-3, df=9))))  # fmt: skip
    (found,) = judge([gate("f")], [replace(noisy, low=-0.08)], VARIANTS, confidence=0.95, minimum=None)
    assert "members a variant" in found.needed


def test_a_fail_says_whether_the_baseline_fails_too():
    ours, theirs = (estimate(0.4, variant=name, compare="value") for name in ("v", "baseline"))
    value_gate = gate("f", low=0.6, compare="value")
    for base, expected in ((theirs, True), (replace(theirs, value=0.9), False)):
        (found,) = judge([value_gate], [ours, base], VARIANTS, confidence=0.95, minimum=None)
        assert (found.verdict, found.baseline_fails_too) == (Verdict.FAIL, expected)


def test_the_seeds_only_verdict_stands_beside_the_real_one():
    (found,) = judge([gate("f")], [estimate(-0.012)], VARIANTS, confidence=0.95, minimum=None)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.seeds_only is Verdict.PASS


@pytest.mark.parametrize(
    ("seen", "allow", "code"),
    [
        (["PASS"], False, ExitCode.PASSED),
        (["PASS", "FAIL", "UNDEFINED"], False, ExitCode.GATE_FAILED),
        (["PASS", "INCONCLUSIVE"], False, ExitCode.UNDECIDED),
        (["PASS", "INCONCLUSIVE"], True, ExitCode.PASSED),
        (["UNDEFINED"], True, ExitCode.UNDECIDED),
        ([], False, ExitCode.PASSED),
    ],
)
def test_exit_codes_follow_the_worst_error(seen, allow, code):
    (template,) = judge([gate("f")], [estimate(0.0)], VARIANTS, confidence=0.95, minimum=None)
    findings = [replace(template, verdict=Verdict(v)) for v in seen]
    ignored = [
        replace(template, verdict=Verdict.FAIL, severity="warning"),
        replace(template, verdict=Verdict.FAIL, waived=True),
    ]
    assert exit_code([*findings, *ignored], allow_inconclusive=allow) is code


def test_warnings_count_where_they_are_said_to_and_waived_ones_never():
    (template,) = judge([gate("f")], [estimate(0.0)], VARIANTS, confidence=0.95, minimum=None)
    warning = replace(template, verdict=Verdict.FAIL, severity="warning")
    assert exit_code([template, warning], fail_on="warning") is ExitCode.GATE_FAILED
    assert exit_code([replace(warning, verdict=Verdict.INCONCLUSIVE)], fail_on="warning") is ExitCode.UNDECIDED
    assert exit_code([replace(warning, waived=True)], fail_on="warning") is ExitCode.PASSED
    assert exit_code([replace(template, verdict=Verdict.FAIL)], fail_on="warning") is ExitCode.GATE_FAILED


def test_a_gate_passes_only_if_every_comparison_does():
    (template,) = judge([gate("f")], [estimate(0.0)], VARIANTS, confidence=0.95, minimum=None)
    many = [replace(template, verdict=v) for v in (Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.UNDEFINED)]
    assert summary(many) is Verdict.UNDEFINED
    assert summary([*many, replace(template, verdict=Verdict.FAIL)]) is Verdict.FAIL
    assert summary(many[:1]) is Verdict.PASS


def spread_out(value, spread):
    """An estimate whose members differ by so much on the probit scale."""
    return replace(estimate(value), spread=spread)


def alone(one, **limits):
    """The finding about one estimate under a gate."""
    (found,) = judge([gate("f", **limits)], [one], VARIANTS, confidence=0.95, minimum=None)
    return found


def test_members_that_differ_too_much_must_hold_the_limit_with_twice_their_reach():
    assert alone(spread_out(-0.010, 0.1)).verdict is Verdict.PASS
    finding = alone(spread_out(-0.010, 0.9))
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert "members differ by 0.90 on the probit scale" in finding.reason
    assert alone(spread_out(0.02, 0.9)).verdict is Verdict.PASS, "far enough from the limit it does not matter"


def test_a_breach_is_a_breach_however_much_members_differ():
    assert alone(spread_out(-0.2, 0.9)).verdict is Verdict.FAIL


def test_an_open_end_on_the_side_of_the_limit_is_inconclusive_not_undefined():
    assert alone(replace(estimate(0.1), high=None), low=None, high=0.5).verdict is Verdict.INCONCLUSIVE
    assert alone(replace(estimate(0.1), high=None)).verdict is Verdict.PASS


def test_beside_a_recipes_verdict_stands_the_bound_of_one_further_model():
    finding = alone(estimate(0.01))
    assert finding.further_model < finding.estimate.low
    assert alone(replace(estimate(0.01), claim="artifact")).further_model is None


def family(*verdict_of):
    """Variants of one recipe at rising sparsity, whose estimates give these verdicts."""
    value = {Verdict.PASS: 0.02, Verdict.FAIL: -0.3, Verdict.INCONCLUSIVE: -0.02}
    names = [f"p{i}" for i in range(len(verdict_of))]
    variants = [
        replace(variant(name), asked_for={"method": "prune", "name": name, "sparsity": 0.1 * i})
        for i, name in enumerate(names)
    ]
    estimates = [estimate(value[v], variant=name) for v, name in zip(verdict_of, names, strict=True)]
    one = gate("f", variants=tuple(names))
    found = judge([one], estimates, [variant("baseline"), *variants], confidence=0.95, minimum=None)
    return found, list(reversed(variants))


@pytest.mark.parametrize(
    ("seen", "chosen"),
    [
        ((Verdict.PASS, Verdict.PASS, Verdict.FAIL), "p1"),
        ((Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.PASS), "p0"),
        ((Verdict.FAIL, Verdict.PASS, Verdict.PASS), None),
        ((Verdict.PASS, Verdict.PASS, Verdict.PASS), "p2"),
    ],
)
def test_the_most_compressed_that_passes_is_sought_from_the_mildest_up_to_the_first_that_does_not(seen, chosen):
    (sequence,) = most_compressed(*family(*seen))
    assert sequence.variants == ("p0", "p1", "p2")
    assert sequence.verdicts == seen
    assert sequence.chosen == chosen


def test_fewer_clusters_are_more_compression():
    found, variants = family(Verdict.PASS, Verdict.PASS, Verdict.FAIL)
    clusters = [replace(v, asked_for={"method": "cluster", "clusters": 9 - int(v.name[1])}) for v in variants]
    (sequence,) = most_compressed(found, clusters)
    assert (sequence.variants, sequence.chosen) == (("p0", "p1", "p2"), "p1")


def test_one_variant_alone_is_no_sequence():
    assert most_compressed(*family(Verdict.PASS)) == ()


def test_a_family_differs_in_the_one_key_that_says_how_far_it_goes_and_in_nothing_else():
    asked = [
        {"method": "prune", "sparsity": 0.9},
        {"method": "prune", "sparsity": 0.5, "name": "mild"},
        {"method": "prune", "sparsity": 0.7, "criterion": "random"},
        {"method": "own", "sparsity": 0.5},
        {"method": "own", "ratio": 0.5},
        {"method": "both", "sparsity": 0.5, "clusters": 4},
        {"method": "both", "sparsity": 0.6, "clusters": 4},
        {"method": "int8"},
        {"method": "int8"},
    ]
    variants = [replace(variant(f"v{n}"), asked_for=one) for n, one in enumerate(asked)]
    assert [[v.name for v in family] for family in families(variants)] == [["v1", "v0"]]
    assert [level(v) for v in families(variants)[0]] == [("sparsity", 0.5), ("sparsity", 0.9)]


def test_a_waived_failure_and_a_variant_that_no_gate_decides_on_end_the_sequence():
    found, variants = family(Verdict.PASS, Verdict.FAIL, Verdict.PASS)
    waived = [replace(f, waived=f.verdict is Verdict.FAIL) for f in found]
    (sequence,) = most_compressed(waived, variants)
    assert sequence.chosen == "p0"
    (sequence,) = most_compressed([f for f in found if f.verdict is not Verdict.FAIL], variants)
    assert (sequence.chosen, sequence.verdicts[1]) == ("p0", Verdict.UNDEFINED)
    assert most_compressed([replace(f, severity="warning") for f in found], variants) == ()
