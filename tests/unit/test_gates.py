"""Gates as declared become gates as judged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from handmade import dataset

from auditor.errors import SpecError
from auditor.gates import change_limits, resolve_gates
from auditor.records import EACH, NONE, Groups
from auditor.spec import GateTable

A, B = ((("team", name),) for name in "ab")
DATA = dataset([0, 1, 1, 0], ["a", "b", "a", "b"])


def resolve(*, data=DATA, **keys):
    table = GateTable.model_validate({"metric": "recall", "min": -0.02} | keys)
    return resolve_gates([table], data, ("v", "w"), {0: 9}, "audit.toml")[0]


def test_a_gate_is_about_the_positive_class_in_every_attribute_and_variant():
    gate = resolve()
    assert gate.targets == (("yes", A, None), ("yes", B, None))
    assert gate.variants == ("v", "w")
    assert gate.line == 9
    assert gate.name == "recall, change, over every attribute and intersection"


def test_a_gate_without_a_name_is_named_by_what_it_says():
    assert resolve(over=["team", "overall"]).name == "recall, change, over team, overall"
    assert resolve(over="team", max=0.1).name == "recall, change, over team"


def test_without_a_positive_class_every_class_is_judged():
    data = dataset([0, 1, 2, 0], ["a", "b", "a", "b"], classes=("p", "q", "r"))
    assert {label for label, *_ in resolve(data=data).targets} == {"p", "q", "r"}
    assert {label for label, *_ in resolve(data=data, of="q").targets} == {"q"}


def test_without_attributes_every_class_is_judged_or_everybody():
    alone = Groups(names=((),), membership=np.ones((1, 1), bool), cell_of=np.zeros(4, int), reference=np.array([NONE]))
    data = replace(DATA, groups=alone)
    for over in (None, "*"):
        gate = resolve(data=data, over=over)
        assert gate.targets == (("no", (), None), ("yes", (), None))
        assert gate.name == "recall, change, over class"
    assert resolve(data=data, of="yes").targets == (("yes", (), None),)
    assert resolve(data=data, metric="accuracy").targets == ((None, (), None),)
    assert resolve(data=data, metric="accuracy").name == "accuracy, change, over overall"
    with pytest.raises(SpecError, match="compares groups"):
        resolve(data=data, compare="disparity")


def test_overall_and_class_are_for_everybody():
    assert resolve(over="overall").targets == (("yes", (), None),)
    assert resolve(over="class").targets == (("no", (), None), ("yes", (), None))
    assert resolve(metric="accuracy", over="overall").targets == ((None, (), None),)


def test_a_variant_that_is_named_twice_is_judged_once():
    assert resolve(variants=["v", "v"]).variants == ("v",)


def test_a_gap_is_not_judged_for_the_reference_group():
    assert resolve(compare="disparity").targets == (("yes", B, A),)


def test_with_the_best_group_as_reference_every_ordered_pair_is_judged():
    data = dataset([1, 0] * 3, ["a", "a", "b", "b", "c", "c"])
    data = replace(data, groups=replace(data.groups, reference=np.array([NONE, EACH, EACH, EACH])))
    pairs = [(group, against) for _, group, against in resolve(data=data, compare="disparity").targets]
    teams = [(("team", name),) for name in "abc"]
    assert pairs == [(one, other) for one in teams for other in teams if one != other]


def test_a_gap_to_everybody_is_judged_for_every_group():
    assert resolve(compare="to_overall").targets == (("yes", A, None), ("yes", B, None))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"of": "yess"}, "of = 'yess' is no class of the data. Did you mean \"yes\"?"),
        ({"over": "overall", "compare": "disparity"}, 'over = "overall" has none'),
        ({"metric": "accuracy", "over": "class"}, "use recall"),
        ({"over": "class", "compare": "disparity"}, "about everybody"),
        ({"over": "nobody"}, "matches no group of the test split"),
    ],
)
def test_a_gate_that_cannot_be_judged_is_told_with_its_line(keys, message):
    with pytest.raises(SpecError) as caught:
        resolve(**keys)
    (problem,) = caught.value.problems
    assert message in problem.message
    assert (problem.line, problem.file) == (9, "audit.toml")


def test_limits_that_are_changed_afterwards_are_marked():
    (gate,) = change_limits([resolve()], ["gate.0.min=-0.5"])
    assert (gate.min, gate.limits_changed) == (-0.5, True)


@pytest.mark.parametrize("setting", ["gate.1.min=0", "gate.0.min=x", "min=3", "gate.0.min=nan"])
def test_a_limit_that_is_no_limit_is_told(setting):
    with pytest.raises(SpecError, match=r"expected gate\.N\.min=NUMBER"):
        change_limits([resolve()], [setting])
