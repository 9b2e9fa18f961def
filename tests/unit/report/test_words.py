from __future__ import annotations

from dataclasses import replace

import pytest
from adult_result import POSITIVE, estimate

from auditor.report.view import words
from auditor.text import clean

FEMALE = (("sex", "Female"),)


def test_points_have_a_sign_and_a_real_minus() -> None:
    assert words.points(-0.0691) == "−6.9"
    assert words.points(0.0691) == "+6.9"


@pytest.mark.parametrize("value", [0.0, -0.0, 0.00004, -0.00004])
def test_nothing_has_no_sign(value) -> None:
    assert words.points(value) == "0.0"


def test_rates_are_percent() -> None:
    assert words.rate(0.5123) == "51.2%"


@pytest.mark.parametrize(("p", "said"), [(None, "–"), (0.00002, "< 0.001"), (0.001, "0.001"), (1.0, "1.000")])
def test_tiny_p_values_are_bounds(p, said) -> None:
    assert words.p_value(p) == said


def test_the_undefined_gives_its_reason_and_no_number() -> None:
    empty = replace(estimate("int8", "recall", POSITIVE, FEMALE, "change"), value=None, undefined="3 examples")
    assert words.value(empty) == "undefined: 3 examples"


def test_a_number_near_its_limit_is_given_enough_digits_to_tell_them_apart() -> None:
    assert words.digits_beside((-0.0204,), -0.02) == 2
    assert words.digits_beside((-0.0304,), -0.02) == 1
    assert words.digits_beside((-0.02,), -0.02) == 1


def test_what_cannot_be_seen_is_replaced() -> None:
    assert clean("a\u202eb\x1b[31mc\x00\ud800d\u2066") == "a�b�[31mc��d�"


def test_other_scripts_are_kept() -> None:
    assert clean("女性 زن‌ها נשים") == "女性 زن‌ها נשים"


def test_long_names_are_cut_and_stay_apart() -> None:
    one, other = words.name("x" * 10_000), words.name("x" * 9_999 + "y")
    assert len(one) < 100
    assert "10,000 characters" in one
    assert one != other


def test_lists_are_read_as_sentences() -> None:
    assert words.listed(["a", "b", "c"]) == "a, b and c"
    assert words.listed(["a"]) == "a"
    assert words.listed([]) == ""
