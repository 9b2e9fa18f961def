from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from handmade import population

from auditor.measure.doubts import doubts, look

LABELS = np.array([0, 0, 0, 1] * 50)


def files(name, decisions, *, digest, size):
    made = population(name, decisions)
    given = made.predictions
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


def test_a_baseline_that_always_says_the_commonest_class_is_told_however_accurate():
    (doubt,) = said(files("baseline", CONSTANT, digest="a", size=9))
    assert "baseline decides for one class alone on all 200 examples (accuracy 75.0%)" in doubt
    assert "preprocessing" in doubt
    assert look((files("baseline", CONSTANT, digest="a", size=9),), LABELS, 2)[0].kappa is None


def test_collapsed_members_are_counted_and_the_others_have_a_kappa():
    base = files("baseline", np.concatenate([RIGHT, RIGHT, CONSTANT]), digest="a", size=9)
    assert said(base)[0].startswith("1 of 3 members of baseline decide for one class alone on all 200 examples")
    assert look((base,), LABELS, 2)[0].kappa == 1


def test_decisions_that_have_nothing_to_do_with_labels_are_at_chance():
    guessed = np.random.default_rng(3).permutation(LABELS)[None]
    (doubt,) = said(files("baseline", guessed, digest="a", size=9))
    assert doubt.startswith("baseline decides hardly better than chance (accuracy ")
    assert "preprocessing" in doubt


def test_where_all_examples_are_of_one_class_nothing_can_be_doubted():
    base = files("baseline", np.zeros((1, 200), int), digest="a", size=9)
    looks = look((base,), np.zeros(200, int), 2)
    assert (looks[0].kappa, doubts((base,), looks)) == (None, ())


def test_a_sound_model_is_rarely_doubted_where_positives_are_rare():
    """2% are positive, of whom half are found, and 1% of the others too: kappa is .49, and of 200 examples anything."""
    rng, doubted = np.random.default_rng(7), 0
    for _ in range(1000):
        labels = (rng.random(200) < 0.02).astype(int)
        decided = (rng.random(200) < np.where(labels, 0.5, 0.01)).astype(int)
        base = population("baseline", decided)
        doubted += bool(doubts((base,), look((base,), labels, 2)))
    assert doubted < 20


def test_a_file_that_says_one_class_beside_a_good_baseline_reads_other_inputs():
    (doubt,) = said(files("baseline", RIGHT, digest="a", size=9), files("int8", CONSTANT, digest="b", size=9))
    assert doubt.startswith("int8 decides for one class alone")
    assert "reads other inputs than the baseline" in doubt
    assert len(said(files("baseline", CONSTANT, digest="a", size=9), files("int8", CONSTANT, digest="b", size=9))) == 1


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


def test_what_was_compressed_here_is_not_said_to_read_other_inputs():
    variant = replace(files("pruned", CONSTANT, digest="b", size=9), method="prune")
    (doubt,) = said(files("baseline", RIGHT, digest="a", size=9), variant)
    assert doubt.endswith("the baseline does not: usually too much compression, or too little training.")
    trained = replace(files("baseline", CONSTANT, digest="a", size=9), method="train")
    assert said(trained)[0].endswith("; usually too little training.")
