"""Gates as declared become gates as judged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from handmade import dataset

from auditor.declare import load_spec
from auditor.errors import SpecError
from auditor.gates import change_limits, declared_gates, declared_waivers, resolve_gates, sign_doubts
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


def test_a_limit_of_a_change_that_nothing_unchanged_keeps_is_doubted():
    (said,) = sign_doubts([resolve(), resolve(min=0.02, name="up"), resolve(compare="value", min=0.8)])
    assert said == (
        "gate[1] (up): min = 0.02 of a change demands that every group has a rise of 2 points; "
        "a fall of at most 2 points is -0.02"
    )
    (said,) = sign_doubts([resolve(compare="ratio_change", min=None, max=-0.1)])
    assert said.endswith("has a fall of 0.1; a rise of at most 0.1 is 0.1")


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


def test_a_gate_of_all_values_of_a_list_is_told_the_names_of_their_variants():
    with pytest.raises(SpecError, match=r"'vv' is no variant: a list of values makes one of each\. Did you mean"):
        resolve(variants="vv")


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


SEX_AND_RACE = dataset(
    [0, 1, 1, 0],
    attributes={"sex": ["Male", "Female", "Male", "Female"], "race": ["a, b = c", "White", "White", "White"]},
)
WAIVER = """
[[waiver]]
gate = "recall, change, over every attribute and intersection"
reason = " later "
owner = "Ann"
expires = 2026-12-31
"""
DEFINITION = """
schema = 1
attribute = ["sex", "race"]
model = { architecture = "mlp" }
data = { path = "people.csv", label = "y", positive = "yes" }
compression = [{ method = "prune", sparsity = [0.5, 0.9] }]
gate = [{ metric = "recall", min = -0.02 }]
"""


def waivers(tmp_path, *more, data=SEX_AND_RACE):
    file = tmp_path / "audit.toml"
    file.write_text(DEFINITION + "".join(WAIVER + one for one in more))
    declaration = load_spec(file)
    return declared_waivers(declaration, data, declared_gates(declaration, data))


def test_a_waiver_names_a_gate_by_the_name_that_was_made_for_it(tmp_path):
    (waiver,) = waivers(tmp_path, 'variant = "pruned-0.9"\nclass = "yes"\n')
    assert waiver.gate == "recall, change, over every attribute and intersection"
    assert (waiver.variant, waiver.label, waiver.group) == ("pruned-0.9", "yes", None)
    assert (waiver.reason, waiver.owner, waiver.expires, waiver.line) == ("later", "Ann", "2026-12-31", 9)


@pytest.mark.parametrize(
    ("said", "group"),
    [
        ('"sex = Female"', (("sex", "Female"),)),
        ('"sex=Female"', (("sex", "Female"),)),
        ('{ sex = "Female" }', (("sex", "Female"),)),
        ('"race = a, b = c"', (("race", "a, b = c"),)),
        ('"everybody"', ()),
    ],
)
def test_a_group_is_named_as_a_table_or_as_a_text(tmp_path, said, group):
    assert waivers(tmp_path, f"group = {said}\n")[0].group == group


def test_the_attributes_of_an_intersection_are_named_in_any_order(tmp_path):
    key = (("sex", "Female"), ("race", "White"))
    both = replace(SEX_AND_RACE, groups=replace(SEX_AND_RACE.groups, names=(*SEX_AND_RACE.groups.names[:-1], key)))
    for said in ('"race = White, sex = Female"', '{ race = "White", sex = "Female" }'):
        (waiver,) = waivers(tmp_path, f"group = {said}\n", data=both)
        assert waiver.group == key


def test_what_a_waiver_names_and_nobody_knows_is_told_at_once_with_the_nearest_names(tmp_path):
    wrong = 'variant = "pruned"\ngroup = "sex = Femal"\nclass = "yess"\n'
    with pytest.raises(SpecError) as caught:
        waivers(tmp_path, wrong, "", 'group = "race = Blue"\n')
    found = [(p.where, p.advice, p.line) for p in caught.value.problems]
    assert found[:3] == [
        ("waiver[0].variant", 'Did you mean "pruned-0.9"?', 9),
        ("waiver[0].class", 'Did you mean "yes"?', 9),
        ("waiver[0].group", 'Did you mean "sex = Female"?', 9),
    ]
    assert found[3][0] == "waiver[2].group"
    assert "'sex = Femal' is no group of the test split" in str(caught.value)
