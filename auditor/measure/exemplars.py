"""Test examples whose modal decision compression changes: exemplars, PIEs (Hooker et al. 2019, section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from auditor.measure.exemplar_groups import no_halves, where_they_are
from auditor.measure.exemplar_odds import odds_ratios
from auditor.records import Exemplar, Exemplars

if TYPE_CHECKING:
    from auditor.measure.permutation import Dealing
    from auditor.measure.setting import Setting
    from auditor.records import BoolArray, FloatArray, IntArray

TOP = 50
"""Exemplars that a result holds."""
EXAMPLES_AT_ONCE = 4096


def modal_class(votes: FloatArray) -> IntArray:
    """Give the class that most members decide for, [N], from vote shares [N, C].

    Ties go to the highest index, as in the authors' code.
    """
    return votes.shape[1] - 1 - np.argmax(votes[:, ::-1], axis=1)


def find_exemplars(setting: Setting, dealing: Dealing | None, generator: np.random.Generator) -> Exemplars:
    """Find the exemplars of one variant, where they are, and how much of it is chance.

    Chance is told by `dealing`, the deals of members, and by halves of populations, split by `generator`. Deals are of
    members and hold whatever the test examples are; clusters change only how many examples a group is said to have, and
    leave over-indexing without limits, since those take examples as independent.
    """
    labels, votes = setting.dataset.labels, (setting.votes_baseline, setting.votes)
    modal = modal_class(votes[0]), modal_class(votes[1])
    chosen = modal[0] != modal[1]
    by_group, halves = where_they_are(setting, chosen, dealing, generator)
    everybody = by_group[0]
    return Exemplars(
        variant=setting.population.name,
        count=int(chosen.sum()),
        rate=float(chosen.mean()),
        expected=everybody.expected,
        halves=halves,
        halves_undefined=no_halves(setting, dealing),
        excess=everybody.excess,
        p=everybody.p,
        excess_undefined=everybody.excess_undefined,
        deals=dealing.told if dealing else None,
        accuracy_all=_accuracies(votes, labels, np.ones(len(labels), bool)),
        accuracy_on=_accuracies(votes, labels, chosen) if chosen.any() else None,
        accuracy_off=_accuracies(votes, labels, ~chosen) if not chosen.all() else None,
        by_group=by_group,
        odds_ratios=odds_ratios(setting, chosen),
        top=_top(setting, chosen, modal),
    )


def taxicab(votes_baseline: FloatArray, votes: FloatArray) -> FloatArray:
    """Give the distance of vote shares [N, C] on each example, [N], 0 to 2 (Hooker et al. 2020, arXiv 2010.03058)."""
    # in blocks: with many classes the differences would take as much memory as the votes
    blocks = range(0, max(1, len(votes)), EXAMPLES_AT_ONCE)
    pairs = ((votes_baseline[i : i + EXAMPLES_AT_ONCE], votes[i : i + EXAMPLES_AT_ONCE]) for i in blocks)
    return np.concatenate([np.abs(theirs - ours).sum(axis=1) for theirs, ours in pairs])


def _accuracies(votes: tuple[FloatArray, FloatArray], labels: IntArray, among: BoolArray) -> tuple[float, float]:
    """Mean over members, of the baseline and of the variant, among some examples."""
    here, of = np.flatnonzero(among), labels[among]
    return float(votes[0][here, of].mean()), float(votes[1][here, of].mean())


def _top(setting: Setting, chosen: BoolArray, modal: tuple[IntArray, IntArray]) -> tuple[Exemplar, ...]:
    """Rank the exemplars by score; those of one score keep the order of examples."""
    data = setting.dataset
    scores = taxicab(setting.votes_baseline, setting.votes)
    where = np.flatnonzero(chosen)
    # scores that are equal but for rounding are equal
    ranked = where[np.argsort(-np.round(scores[where], 9), kind="stable")[:TOP]]
    return tuple(
        Exemplar(
            example=data.examples[i],
            label=data.classes[data.labels[i]],
            group=tuple((attribute, groups[i]) for attribute, groups in data.attributes.items()),
            decision_baseline=data.classes[modal[0][i]],
            decision=data.classes[modal[1][i]],
            share_baseline=float(setting.votes_baseline[i, modal[0][i]]),
            share=float(setting.votes[i, modal[1][i]]),
            score=float(scores[i]),
        )
        for i in ranked.tolist()
    )
