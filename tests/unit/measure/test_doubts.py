from __future__ import annotations

import numpy as np
import pytest
from handmade import population

from auditor.measure.doubts import doubts, look

LABELS = np.array([0, 0, 0, 1] * 50)


def files(name, decisions, *, digest, size):
    made = population(name, decisions)
    given = made.predictions
    from dataclasses import replace

    return replace(
        made,
        method="given" if name == "baseline" else "artifact",
        predictions=replace(given, digests=(digest,) * len(given.members)),
        measured=tuple({"bytes": size, "latency_ms": 0.5} for _ in given.members),
    )


def said(*populations):
    return doubts(populations, look(populations, LABELS, 2))


RIGHT, CONSTANT = LABELS[None], np.zeros_like(LABELS)[None]


def test_good_files_leave_no_doubt():
    few_wrong = np.where(np.arange(200) < 9, 1 - LABELS, LABELS)[None]
    base = files("baseline", RIGHT, digest="a", size=100)
    variant = files("int8", few_wrong, digest="b", size=30)
    assert said(base, variant) == ()
    first, second = look((base, variant), LABELS, 2)
    assert (first.accuracy, first.kappa, first.agreement) == (1, 1, 1)
    assert second.agreement == second.accuracy == 191 / 200
    # by hand: decisions 146 and 54, labels 150 and 50
    expected = (146 * 150 + 54 * 50) / 200**2
    wrong = np.bincount(few_wrong[0], minlength=2)
    expected = (wrong * [150, 50]).sum() / 200**2
    assert second.kappa == pytest.approx((191 / 200 - expected) / (1 - expected))
    assert (second.bytes, second.latency_ms) == (30, 0.5)


def test_a_baseline_that_always_says_the_commonest_class_is_at_chance_however_accurate():
    (doubt,) = said(files("baseline", CONSTANT, digest="a", size=9))
    assert "baseline decides hardly better than chance (accuracy 75.0%, kappa 0.00)" in doubt
    assert "preprocessing" in doubt


def test_a_file_at_chance_beside_a_good_baseline_reads_other_inputs():
    (doubt,) = said(files("baseline", RIGHT, digest="a", size=9), files("int8", CONSTANT, digest="b", size=9))
    assert doubt.startswith("int8 decides hardly better than chance")
    assert "reads other inputs than the baseline" in doubt


def test_a_larger_file_and_the_same_file_twice_are_told():
    base = files("baseline", RIGHT, digest="a", size=1000)
    doubt = said(base, files("one", RIGHT, digest="b", size=1234), files("two", RIGHT, digest="b", size=1234))
    assert "one is larger than the baseline: 1,234 bytes against 1,000." in doubt
    assert doubt[-1] == "two is the same file as one: nothing is compared."
    assert "copy is the same file as baseline" in said(base, files("copy", RIGHT, digest="a", size=1000))[0]


def test_nothing_to_look_at_is_no_doubt():
    assert look((), LABELS, 2) == ()
    assert said() == ()
    assert look((files("baseline", RIGHT[:0], digest="a", size=1),), LABELS, 2) == ()
