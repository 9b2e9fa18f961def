from __future__ import annotations

import io
import json
import math
from base64 import b64encode
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from adult_result import adult, small
from jsonschema import Draft202012Validator
from PIL import Image

from auditor.errors import ResultError
from auditor.report import result_json
from auditor.report.html import _PACKAGE
from auditor.report.rendering import render
from auditor.sandbox import made_of

SCHEMA = _PACKAGE / "report" / "result.schema.json"


@pytest.fixture(scope="module")
def text() -> str:
    return result_json.dump(small())


def changed(text: str, change) -> str:
    content = json.loads(text)
    change(content)
    return json.dumps(content)


@pytest.mark.parametrize("make", [adult, small])
def test_a_result_comes_back_exactly(make) -> None:
    made = make()
    loaded = result_json.load(result_json.dump(made))
    assert loaded.result == made
    assert not loaded.edited


def test_a_result_of_before_parts_were_drawn_is_read(text) -> None:
    old = changed(text, lambda content: [split.pop("left_out") for split in content["data"]["splits"]])
    assert all(split.left_out is None for split in result_json.load(old).result.data.splits)


def test_every_float_comes_back_exactly() -> None:
    made = small()
    rng = np.random.default_rng(5)
    numbers = [math.ldexp(rng.random(), int(rng.integers(-300, 300))) for _ in made.estimates]
    odd = tuple(replace(e, value=x, low=None, high=-x) for e, x in zip(made.estimates, numbers, strict=True))
    made = replace(made, estimates=odd, findings=())
    assert result_json.load(result_json.dump(made)).result == made


def test_the_committed_schema_is_what_the_types_give_and_a_result_obeys_it(text) -> None:
    assert SCHEMA.read_text() == result_json.json_schema()
    Draft202012Validator(json.loads(SCHEMA.read_text())).validate(json.loads(text))


def test_one_record_stands_on_a_line(text) -> None:
    assert text.endswith("}\n")
    lines = [line.rstrip(",") for line in text.splitlines()]
    estimates = json.loads(text)["estimates"]
    assert all(json.dumps(estimate) in lines for estimate in estimates)


def test_everybody_is_an_empty_object_and_the_undefined_is_null_with_a_reason(text) -> None:
    estimates = json.loads(text)["estimates"]
    assert any(e["group"] == {} for e in estimates)
    undefined = [e for e in estimates if e["undefined"]]
    assert undefined
    assert all(e["value"] is None for e in undefined)


def jpeg(width, height, kind="JPEG"):
    written = io.BytesIO()
    Image.new("L", (width, height)).save(written, kind)
    return written.getvalue()


def test_pictures_of_exemplars_come_back_exactly_and_are_inside_the_digest() -> None:
    made = replace(small(), thumbnails={"a.png": jpeg(96, 80), 7: jpeg(8, 8)})
    text = result_json.dump(made)
    assert result_json.load(text).result == made
    other = changed(text, lambda content: content["thumbnails"].reverse())
    assert result_json.load(other).edited


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        (b64encode(jpeg(97, 8)).decode(), "97 x 8 pixels"),
        (b64encode(jpeg(8, 8, "PNG")).decode(), "no JPEG"),
        ('"><script>alert(1)</script>', "no JPEG"),
        (b64encode(jpeg(8, 8)).decode() + "\n", "no JPEG"),
        ("", "no JPEG"),
        ("A" * 70_000, "at most 65536"),
    ],
)
def test_what_is_no_small_picture_is_refused(text, picture, said) -> None:
    bad = changed(text, lambda content: content.update(thumbnails=[{"example": "a", "jpeg": picture}]))
    with pytest.raises(ResultError, match=said):
        result_json.load(bad)


def test_timings_and_sandbox_are_outside_the_digest_and_nothing_else_is() -> None:
    made = small()
    digest = result_json.content_of(made)["digest"]
    assert result_json.content_of(replace(made, timings={"train": 9.0}))["digest"] == digest
    weaker = made_of(network=True, memory=5, why="an old kernel")
    assert result_json.content_of(replace(made, sandbox=weaker))["digest"] == digest
    assert result_json.load(result_json.dump(replace(made, sandbox=weaker))).result.sandbox == weaker
    assert result_json.content_of(replace(made, definition_file="other.toml"))["digest"] != digest
    assert result_json.content_of(replace(made, status="incomplete"))["digest"] != digest


def test_an_edited_file_loads_and_says_so(text) -> None:
    def edit(content) -> None:
        content["failures"] = []

    loaded = result_json.load(changed(text, edit))
    assert loaded.edited
    assert loaded.result.failures == ()


def test_a_file_that_is_as_it_was_written_is_what_is_written_again_and_an_edited_one_is_made_anew(text) -> None:
    loaded = result_json.load(text)
    kept, made = (render(loaded.result, ["json"], written=one) for one in (loaded.written, None))
    assert kept.files == made.files == {"result.json": text.encode()}
    assert kept.digest == made.digest

    def edit(content) -> None:
        content["failures"] = []

    edited = result_json.load(changed(text, edit))
    assert edited.written is None
    again = render(edited.result, ["json"], edited=True, written=edited.written)
    assert again.digest == json.loads(again.files["result.json"])["digest"] != kept.digest


def test_a_finding_that_says_other_than_its_estimate_is_refused(text) -> None:
    def edit(content) -> None:
        content["findings"][2]["estimate"] = 0.5

    with pytest.raises(ResultError, match=r"findings\[2\].*other than the estimate"):
        result_json.load(changed(text, edit))


def test_a_finding_about_no_estimate_is_refused(text) -> None:
    def edit(content) -> None:
        content["findings"][0]["estimate_id"] = "nothing"

    with pytest.raises(ResultError, match=r"findings\[0\].estimate_id: there is no estimate nothing"):
        result_json.load(changed(text, edit))


WAIVER = {
    "gate": "sex",
    "line": 1,
    "variant": None,
    "class": None,
    "group": None,
    "reason": "later",
    "owner": "Ann",
    "expires": "2026-12-31",
}


@pytest.mark.parametrize(
    ("day", "waived", "held", "said"),
    [
        ("2026-12-31", True, [], "names a waiver that the file does not hold"),
        ("2027-01-01", True, [WAIVER], "is waived by no waiver that lasts"),
        ("2026-12-31", False, [WAIVER], "counts, although its waiver lasts"),
    ],
)
def test_a_waiver_that_was_written_in_by_hand_is_refused(text, day, waived, held, said) -> None:
    def edit(content) -> None:
        content["judged_on"], content["waivers"] = day, held
        content["findings"][0] |= {"waived": waived, "waiver": WAIVER}

    with pytest.raises(ResultError, match=rf"findings\[0\].waived: {said}"):
        result_json.load(changed(text, edit))


def test_a_finding_that_is_waived_by_nobody_is_refused(text) -> None:
    with pytest.raises(ResultError, match=r"findings\[0\].waived: is waived by no waiver that lasts"):
        result_json.load(changed(text, lambda content: content["findings"][0].update(waived=True)))


def test_a_result_of_before_there_were_waivers_is_read(text) -> None:
    def edit(content) -> None:
        del content["waivers"], content["judged_on"]
        for finding in content["findings"]:
            del finding["waiver"]

    loaded = result_json.load(changed(text, edit)).result
    assert (loaded.waivers, loaded.judged_on) == ((), None)


def test_another_schema_version_is_refused_by_number(text) -> None:
    with pytest.raises(ResultError, match="version 2, but this auditor reads version 1"):
        result_json.load(changed(text, lambda content: content.update(schema=2)))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_truncated_file_is_refused_with_its_line(text, share) -> None:
    with pytest.raises(ResultError, match=r"line \d+: no JSON, or cut off"):
        result_json.load(text[: int(len(text) * share)])


@pytest.mark.parametrize(
    "junk",
    [
        "[]",
        "3",
        '{"schema": NaN}',
        '{"schema": 1e999}',
        '{"schema": 1, "schema": 1}',
        '{"schema": 1, "digest": ' + "9" * 10_000 + "}",
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"schema": 1}',
    ],
)
def test_what_is_no_result_is_refused(junk) -> None:
    with pytest.raises(ResultError):
        result_json.load(junk)


@pytest.mark.parametrize("depth", [200, 900, 960, 990])
def test_what_is_nested_beyond_all_sense_is_read_or_refused(text, depth) -> None:
    deep = text.replace('"definition": {', '"definition": {"deep": ' + "[" * depth + "]" * depth + ", ", 1)
    with suppress(ResultError):
        assert result_json.load(deep).edited


def test_a_key_that_stands_twice_is_refused(text) -> None:
    twice = text.replace('"verdict": "', '"verdict": "PASS", "verdict": "', 1)
    with pytest.raises(ResultError, match="the key 'verdict' stands in one object twice"):
        result_json.load(twice)


def test_wrong_types_are_all_named_at_once(text) -> None:
    def edit(content) -> None:
        content["estimates"][4]["value"] = "0.5"
        content["variants"][0]["asked"] = -1
        content["surprise"] = 1
        del content["audit"]["definition"]["statistics"]["confidence"]

    with pytest.raises(ResultError) as caught:
        result_json.load(changed(text, edit))
    said = str(caught.value)
    for place in ("estimates[4].value", "variants[0].asked", "surprise", "audit.definition"):
        assert place in said


def test_a_number_that_is_not_finite_is_never_written() -> None:
    made = small()
    broken = replace(made, provenance={"x": math.nan})
    with pytest.raises(ValueError, match="not JSON compliant"):
        result_json.dump(broken)
