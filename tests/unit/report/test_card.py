from __future__ import annotations

import socket
from dataclasses import replace

import pytest
import yaml
from adult_result import POSITIVE, adult, small
from hostile_names import HOSTILE, hostile
from huggingface_hub import ModelCardData

from auditor.errors import OutputError
from auditor.records import Verdict
from auditor.report.card_index import MOST_RESULTS, model_index
from auditor.report.rendering import Draft
from auditor.report.view import method, words

FEMALE = (("sex", "Female"),)
OTHERS = """\
---
license: apache-2.0   # as the data's
base_model: org/baseline
model-index:
- name: mine
  results:
  - task: {type: tabular-classification}
    dataset: {name: other, type: other}
    metrics:
    - {type: accuracy, value: .5}   # by hand

# below
tags: [census]
---

# Mine

Text  with trailing blanks\x20\x20
"""


def card() -> str:
    return Draft(small()).card()


def front(text: str) -> dict:
    """The front matter, as YAML reads it."""
    return yaml.safe_load(text.lstrip("\ufeff").split("---")[1])


def results(text: str) -> list:
    """All metrics of all models."""
    index = front(text)["model-index"]
    return [metric for model in index for result in model["results"] for metric in result["metrics"]]


def test_a_card_has_the_front_matter_that_hugging_face_reads() -> None:
    stated = front(card())
    assert stated["base_model_relation"] == "quantized"
    assert stated["base_model"] == "mlp"
    read = ModelCardData(**stated)
    assert read.model_name == "adult-pruned-0.98"
    assert {one.dataset_split for one in read.eval_results} == {"test"}


def test_every_defined_rate_of_a_gate_is_a_result_with_its_slice_and_interval() -> None:
    result = small()
    stated = {(m["type"], m["name"]): m for m in results(card())}
    judged = {gate.metric for gate in result.gates} | {"accuracy"}
    known = [e for e in result.estimates if e.variant != "baseline" and e.compare == "value" and e.metric in judged]
    found = 0
    for e in known:
        metric = stated.get((e.metric, f"{words.metric(e.metric, e.label)}, {words.group_of(e.group)}"))
        if e.value is None:
            assert metric is None
        elif metric is not None:
            found += 1
            assert metric["value"] == e.value
            assert metric["args"]["slice"] == (dict(e.group) or "everybody")
            assert metric["args"]["n"] == e.n
            interval = metric["args"]["confidence_interval"]
            assert (interval["lower_bound"], interval["upper_bound"]) == (e.low, e.high)
    assert found == len(stated) > 5


def test_the_body_says_who_was_hurt_how_sure_it_is_and_what_is_unknown() -> None:
    text = card()
    for heading in ("Intended use", "Out of scope", "Factors", "Metrics", "Results by group", "Verdicts", "Limits"):
        assert f"\n### {heading}\n" in text
    assert "**✕ FAIL.**" in text
    assert "Any decision about a person." in text
    assert "undefined: 19 examples" in text
    for item in method.NOT_MEASURED:
        assert item[:30] in text


def test_a_file_is_set_beside_the_baseline_model_that_its_change_is_from() -> None:
    made = small()
    one = made.variants[1]
    own = replace(one, paired=True, claim="artifact", finished=1, compared=1, asked=1)
    # its own baseline model is better than the mean of all ten
    better = {(one.name, "recall", FEMALE, "change"): -0.1}
    numbers = {
        e.id: replace(e, value=e.value + better.get((e.variant, e.metric, e.group, e.compare), 0.0))
        if e.value is not None
        else e
        for e in made.estimates
    }
    findings = tuple(replace(f, estimate=numbers[f.estimate.id]) for f in made.findings)
    variants = (made.variants[0], own)
    draft = Draft(replace(made, variants=variants, estimates=tuple(numbers.values()), findings=findings))
    about = next(m for m in results(draft.card()) if m["type"] == "recall" and m["args"]["slice"] == dict(FEMALE))
    assert about["value"] - about["args"]["baseline"] == pytest.approx(about["args"]["change"]["value"])
    table = draft.card().partition("#### recall")[2]
    row = next(line for line in table.splitlines() if "| Female (sex) |" in line)
    before, after, change = (float(cell.split("<br>")[0].strip(" %").replace("−", "-")) for cell in row.split("|")[4:7])
    assert after - before == pytest.approx(change, abs=0.11)


def test_of_too_many_results_the_most_general_are_stated_and_the_rest_is_counted(monkeypatch) -> None:
    monkeypatch.setattr("auditor.report.card_index.MOST_RESULTS", 30)
    index = model_index(adult())
    models = index.metadata["model-index"]
    stated = [metric for model in models for result in model["results"] for metric in result["metrics"]]
    assert (len(stated), MOST_RESULTS) == (30, 200)
    assert {len(m["args"]["slice"]) for m in stated if m["args"]["slice"] != "everybody"} == {1}
    assert f"{index.left:,} results of smaller groups" in Draft(adult()).card()


def test_making_a_card_opens_no_connection(monkeypatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("a connection"))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: pytest.fail("a look-up"))
    assert card()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_leave_the_front_matter_whole(name) -> None:
    text = Draft(hostile(name)).card()
    stated = yaml.safe_load(text[4 : text.index("\n---\n")])
    assert set(stated) == {"base_model", "base_model_relation", "model-index"}
    assert len(ModelCardData(**stated).eval_results) == len(results_of(stated))
    # a second time it is found again and replaced
    assert Draft(hostile(name)).card_into(text) == text


def results_of(stated: dict) -> list:
    return [m for model in stated["model-index"] for result in model["results"] for m in result["metrics"]]


# ------------------------------------------------------------------------------------------- into a card that is there


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_all_else_in_a_card_stays_byte_for_byte(ending, mark) -> None:
    theirs = mark + OTHERS.replace("\n", ending)
    made = Draft(small()).card_into(theirs)
    assert ("\r" in made) is (ending == "\r\n")
    left = made.replace("\r\n", "\n")
    own = yaml.safe_dump([front(made)["model-index"][1]], sort_keys=False, allow_unicode=True, width=10_000)
    assert left.count(own) == 1
    begin, end = left.index("<!-- auditor adult: begin -->\n"), left.index("<!-- auditor adult: end -->\n")
    without = left[: begin - 1] + left[end + len("<!-- auditor adult: end -->\n") :]
    assert without.replace(own, "").replace("base_model_relation: quantized\n", "") == mark + OTHERS


def test_what_an_audit_put_into_a_card_is_replaced_by_what_it_finds_now() -> None:
    first = Draft(small()).card_into(OTHERS) + "\nTheir last words.\n"
    again = Draft(small()).card_into(first)
    assert again == first
    more = Draft(adult()).card_into(first)
    names = [model["name"] for model in front(more)["model-index"]]
    assert names[0] == "mine"
    assert names.count("adult-pruned-0.98") == 1
    assert "adult-int8" in names
    assert more.count("## Compression audit") == 1
    assert more.endswith("\nTheir last words.\n")
    assert Draft(small()).card_into(more) == first


def test_an_editor_that_takes_the_last_line_break_away_changes_nothing() -> None:
    text = Draft(small()).card_into(OTHERS)
    assert Draft(small()).card_into(text.rstrip("\n")) == text


def test_two_audits_have_their_places_in_one_card() -> None:
    result = small()
    result.definition["audit"]["name"] = "second"
    both = Draft(result).card_into(card())
    assert both.count("## Compression audit") == 2
    assert [model["name"] for model in front(both)["model-index"]] == ["adult-pruned-0.98", "second-pruned-0.98"]
    assert Draft(small()).card_into(both) == both


@pytest.mark.parametrize(
    "text", ["", "# Mine\n", "no newline", "---\n---\n# Mine\n", "---\nmodel-index: []\n---\n", "---\na: 1\n---"]
)
def test_a_card_without_results_is_given_them(text) -> None:
    made = Draft(small()).card_into(text)
    assert len(results(made)) == len(results(card()))
    assert made.endswith("<!-- auditor adult: end -->\n")
    assert Draft(small()).card_into(made) == made


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("---\na: 1\n", "has no end"),
        ("---\na: [\n---\n", "no YAML that can be read, line 3"),
        ("---\n- a\n---\n", "no list of keys"),
        ("---\n{a: 1}\n---\n", "no list of keys"),
        ("---\na: 1\na: 2\n---\n", "a key twice"),
        ("---\nmodel-index: yes\n---\n", "no list"),
        ("---\nmodel-index: [{name: a, results: []}]\n---\n", "within brackets"),
        ("---\na: !!python/object/apply:os.system [id]\n---\n", "no YAML that can be read"),
        ("---\na: &a [1]\nb: [*a, *a]\n---\n", "an alias"),
        ("---\na: " + "[" * 5_000 + "\n---\n", "no YAML that can be read"),
        ("---\na: !!bool perhaps\n---\n", "no YAML that can be read"),
        ("---\na: !!int ''\n---\n", "no YAML that can be read"),
        ("---\na: !!timestamp today\n---\n", "no YAML that can be read"),
        ("---\na: 0x" + "f" * 5_000 + "\n---\n", "a number of 5,002 characters"),
        ("---\na: 1" + ":59" * 20_000 + "\n---\n", "a number of 60,001 characters"),
        ("---\na: 1" + ":59" * 999 + ".5\n---\n", "a number of 3,000 characters"),
        ("---\na: 1\r\n---\nb\n", "two ways"),
        ("<!-- auditor adult: begin -->\n", "do not stand once each"),
        ("<!-- auditor adult: end -->\n<!-- auditor adult: begin -->\n", "do not stand once each"),
    ],
)
def test_a_card_that_is_not_understood_is_refused(text, said) -> None:
    with pytest.raises(OutputError, match=said):
        Draft(small()).card_into(text)


def test_the_card_of_an_audit_without_gates_says_that_nothing_was_judged() -> None:
    result = small()
    assert any(f.verdict is Verdict.FAIL for f in result.findings)
    text = Draft(adult(gates=(), findings=())).card()
    assert "nothing was judged" in text
    assert POSITIVE not in str(front(text))
