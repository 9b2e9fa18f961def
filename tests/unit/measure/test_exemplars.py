"""Exemplars against a count by hand."""

from __future__ import annotations

import numpy as np
import pytest
from handmade import dataset, population, setting

from auditor.measure.counts import vote_shares
from auditor.measure.exemplars import find_exemplars, modal_class, taxicab
from auditor.measure.halves import SPLITS, halves_differ
from auditor.measure.permutation import deal

LABELS = [1, 1, 1, 1, 0, 0, 0, 0]
TEAM = ["a", "a", "b", "b", "a", "a", "b", "b"]
BASE = [[1, 1, 1, 0, 0, 0, 0, 0]] * 3
VARIANT = [[1, 1, 0, 0, 0, 0, 0, 1], [1, 1, 0, 0, 0, 0, 0, 1], [0, 1, 1, 0, 0, 0, 0, 0]]


def exemplars(variant=VARIANT, base=BASE, *, data=None, min_group=2, **options):
    pair = population("v", variant, **options), population("baseline", base)
    return find(setting(data or dataset(LABELS, TEAM), *pair, min_group=min_group))


def find(audited, permutations=99):
    generator = np.random.default_rng(0)
    return find_exemplars(audited, deal(audited, permutations, generator), generator)


def test_an_exemplar_is_an_example_whose_modal_decision_changes():
    found = exemplars()
    assert (found.count, found.rate) == (2, 0.25)
    by_group = {(e.group, e.label): (e.n, e.count) for e in found.by_group}
    assert by_group[((("team", "b"),), None)] == (4, 2)
    assert by_group[((("team", "a"),), None)] == (4, 0)
    assert by_group[((), "yes")] == (4, 1)
    assert by_group[((), "no")] == (4, 1)


def test_over_indexing_is_the_share_among_exemplars_over_the_share_of_the_test_set():
    shares = {e.group: e.over_indexing for e in exemplars().by_group if e.label is None}
    assert shares == {(): 1.0, (("team", "a"),): 0.0, (("team", "b"),): 2.0}


def test_accuracy_on_and_off_exemplars_is_the_mean_over_members():
    found = exemplars()
    base, variant = np.array(BASE), np.array(VARIANT)
    on = np.array([False, False, True, False, False, False, False, True])
    labels = np.array(LABELS)
    assert found.accuracy_on == pytest.approx(tuple((d[:, on] == labels[on]).mean() for d in (base, variant)))
    assert found.accuracy_off == pytest.approx(tuple((d[:, ~on] == labels[~on]).mean() for d in (base, variant)))
    assert found.accuracy_all == pytest.approx(tuple((d == labels).mean() for d in (base, variant)))


def test_identical_populations_have_no_exemplars_and_no_over_indexing():
    found = exemplars(variant=BASE)
    assert found.count == 0
    assert found.accuracy_on is None
    assert {e.over_indexing for e in found.by_group} == {None}


def test_ties_go_to_the_highest_class():
    votes = vote_shares(np.array([[0, 2, 1], [2, 1, 1]]), 3)
    assert list(modal_class(votes)) == [2, 2, 1]


RNG = np.random.default_rng(8)
MANY = 200
MANY_LABELS = RNG.integers(0, 3, MANY)
MANY_DATA = dataset(MANY_LABELS, list(RNG.choice(list("ab"), MANY)), classes=("p", "q", "r"))


def decide(share, members, labels=MANY_LABELS):
    return np.where(RNG.random((members, len(labels))) < share, labels, RNG.integers(0, 3, (members, len(labels))))


@pytest.mark.parametrize("paired", [False, True])
def test_flips_and_churn_are_means_over_pairs_of_members(paired):
    base, variant = decide(0.8, 4), decide(0.6, 4 if paired else 3)
    found = exemplars(variant, base, data=MANY_DATA, paired=paired)
    pairs = [(b, v) for k, b in enumerate(base) for m, v in enumerate(variant) if not paired or k == m]
    groups = MANY_DATA.groups
    for row in found.by_group:
        own = groups.membership[groups.names.index(row.group)][groups.cell_of]
        if row.label is not None:
            own = own & (np.array(MANY_DATA.classes)[MANY_LABELS] == row.label)
        right = [((b == MANY_LABELS)[own], (v == MANY_LABELS)[own]) for b, v in pairs]
        assert row.negative_flips == pytest.approx(np.mean([(b & ~v).mean() for b, v in right]))
        assert row.positive_flips == pytest.approx(np.mean([(~b & v).mean() for b, v in right]))
        assert row.churn == pytest.approx(np.mean([(b != v)[own].mean() for b, v in pairs]))


def test_flips_add_up_to_the_change_of_accuracy():
    row = exemplars(decide(0.6, 3), decide(0.9, 5), data=MANY_DATA)
    everybody = row.by_group[0]
    assert everybody.positive_flips - everybody.negative_flips == pytest.approx(
        row.accuracy_all[1] - row.accuracy_all[0]
    )


def test_the_score_is_the_taxicab_distance_of_vote_shares():
    votes = vote_shares(np.array([[0, 2], [0, 2], [1, 2]]), 3), vote_shares(np.array([[1, 0], [1, 0], [0, 0]]), 3)
    assert taxicab(*votes) == pytest.approx([2 / 3, 2.0])


def test_the_top_exemplars_have_the_highest_scores_and_ties_keep_the_order_of_examples():
    base = np.zeros((3, 120), int)
    variant = np.zeros((3, 120), int)
    variant[:2, :] = 1  # every example is an exemplar of score 4/3
    variant[:, [70, 30]] = 2
    base[0, 5] = 1
    labels = np.zeros(120, int)
    found = exemplars(variant, base, data=dataset(labels, ["a", "b"] * 60, classes=("p", "q", "r")))
    assert found.count == 120
    assert len(found.top) == 50
    assert [one.example for one in found.top[:4]] == [30, 70, 0, 1]
    assert 5 not in [one.example for one in found.top]
    first = found.top[1]
    assert (first.label, first.group) == ("p", (("team", "a"),))
    assert (first.decision_baseline, first.share_baseline, first.decision, first.share) == ("p", 1.0, "r", 1.0)
    assert first.score == pytest.approx(2.0)
    assert found.top[2].share == pytest.approx(2 / 3)


def test_chance_and_excess_stand_beside_the_rate():
    found = exemplars(decide(0.5, 6), decide(0.9, 6), data=MANY_DATA)
    everybody = found.by_group[0]
    assert (found.excess, found.p, found.expected) == (everybody.excess, everybody.p, everybody.expected)
    assert found.excess > 0.03
    assert found.p == pytest.approx(found.deals.smallest_p)
    assert found.expected == pytest.approx((found.halves.baseline + found.halves.variant) / 2)
    assert (found.halves.members, found.halves.splits) == (3, SPLITS)
    assert everybody.between_halves == pytest.approx(found.halves.between)
    classes = [row for row in found.by_group if row.label is not None]
    assert [row.label for row in classes] == ["p", "q", "r"]
    assert all(row.p_max_t is not None for row in found.by_group)


def test_halves_are_those_of_a_plain_loop():
    base, variant = decide(0.6, 5), decide(0.5, 4)
    dealing = deal(setting(MANY_DATA, population("v", variant), population("baseline", base)), 9, RNG)
    found = halves_differ(base, variant, dealing, np.random.default_rng(4))
    generator = np.random.default_rng(4)
    order = [generator.permuted(np.tile(np.arange(k), (SPLITS, 1)), axis=1) for k in (5, 4)]
    expected = np.zeros((MANY, 3))
    for of_base, of_variant in zip(*order, strict=True):
        a, b, c, d = (
            modal_class(vote_shares(decisions[who], 3))
            for decisions, who in (
                (base, of_base[:2]),
                (base, of_base[2:4]),
                (variant, of_variant[:2]),
                (variant, of_variant[2:4]),
            )
        )
        expected += np.stack([((a != d) * 1.0 + (b != c)) / 2, a != b, c != d], axis=1) / SPLITS
    assert found == pytest.approx(expected)


def test_halves_of_paired_populations_share_no_seed():
    """Where pairs decide alike, across is what within is: a half is never compared with its own twins."""
    base = decide(0.5, 6)
    found = exemplars(base.copy(), base, data=MANY_DATA, paired=True)
    assert found.halves.between == pytest.approx(found.halves.baseline)
    assert found.halves.baseline == pytest.approx(found.halves.variant)
    assert found.halves.between > 0.02


def test_where_nothing_changed_halves_across_are_as_halves_within_and_the_excess_is_small():
    rates, excess = [], []
    for _ in range(20):
        found = exemplars(decide(0.6, 8), decide(0.6, 8), data=MANY_DATA)
        rates.append((found.halves.between, found.expected))
        excess.append(found.excess)
    across, within = np.mean(rates, axis=0)
    assert across == pytest.approx(within, rel=0.1)
    assert abs(np.mean(excess)) < 0.005


def test_too_few_members_for_halves_are_said():
    found = exemplars(decide(0.6, 3), decide(0.6, 5), data=MANY_DATA)
    assert (found.expected, found.halves) == (None, None)
    assert found.halves_undefined == "halves need four finished members of baseline and of variant"
    assert found.excess is not None


def test_a_small_group_has_counts_but_nothing_that_needs_examples():
    found = exemplars(min_group=5)
    small = next(row for row in found.by_group if row.group == (("team", "b"),))
    assert (small.n, small.count) == (4, 2)
    assert {small.over_indexing, small.negative_flips, small.churn, small.excess, small.p, small.expected} == {None}
    reason = "4 examples, of the 5 that are needed"
    assert {small.undefined, small.over_indexing_undefined, small.excess_undefined} == {reason}


def test_clusters_are_what_a_group_must_have_enough_of_and_take_the_limits_away():
    data = dataset(LABELS, TEAM, cluster=[0, 0, 1, 2, 0, 0, 3, 4])
    found = exemplars(data=data, min_group=2)
    team_a, team_b = (next(r for r in found.by_group if r.group == (("team", t),)) for t in "ab")
    assert team_a.undefined == "1 clusters, of the 2 that are needed"
    assert team_b.over_indexing == 2.0
    assert team_b.over_indexing_low is None
    assert "share ids" in team_b.over_indexing_undefined
    alone = exemplars(data=dataset(LABELS, TEAM, cluster=[0] * 8))
    assert alone.excess_undefined == "1 clusters, of the 2 that are needed"


@pytest.mark.parametrize(
    ("options", "said"),
    [({"claim": "artifact"}, "a given file"), ({"fixed_baseline": True}, "one given model")],
)
def test_a_given_model_has_no_chance_level(options, said):
    found = exemplars(**options)
    assert (found.excess, found.p, found.expected, found.deals) == (None, None, None, None)
    assert said in found.excess_undefined
    assert said in found.halves_undefined
    assert found.by_group[1].churn is not None
