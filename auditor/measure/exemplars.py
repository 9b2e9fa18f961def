"""Test examples whose modal decision compression changes: exemplars, PIEs (Hooker et al. 2019, section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from auditor.measure.counts import count_labels
from auditor.records import EVERYBODY, ExemplarGroup, Exemplars

if TYPE_CHECKING:
    from auditor.measure.setting import Setting
    from auditor.records import BoolArray, FloatArray, GroupKey, IntArray, Label


def modal_class(votes: FloatArray) -> IntArray:
    """Give the class that most members decide for, [N], from vote shares [N, C].

    Ties go to the highest index, as in the authors' code.
    """
    return votes.shape[1] - 1 - np.argmax(votes[:, ::-1], axis=1)


def find_exemplars(setting: Setting) -> Exemplars:
    """Find the exemplars of one variant and where they are: by group, and by class for everybody."""
    labels = setting.dataset.labels
    chosen = modal_class(setting.votes) != modal_class(setting.votes_baseline)
    pair = (setting.votes_baseline, setting.votes)
    return Exemplars(
        variant=setting.population.name,
        count=int(chosen.sum()),
        rate=float(chosen.mean()),
        accuracy_all=_accuracies(pair, labels, np.ones(len(labels), bool)),
        accuracy_on=_accuracies(pair, labels, chosen) if chosen.any() else None,
        accuracy_off=_accuracies(pair, labels, ~chosen) if not chosen.all() else None,
        by_group=_by_group(setting, chosen),
    )


def _accuracies(pair: tuple[FloatArray, FloatArray], labels: IntArray, among: BoolArray) -> tuple[float, float]:
    """Mean over members, of the baseline and of the variant, among some examples."""
    here, of = np.flatnonzero(among), labels[among]
    return float(pair[0][here, of].mean()), float(pair[1][here, of].mean())


def _by_group(setting: Setting, chosen: BoolArray) -> tuple[ExemplarGroup, ...]:
    data = setting.dataset
    outcome = count_labels(chosen.astype(np.int64), data.groups, 2)
    rows: list[tuple[GroupKey, Label | None, int, int]] = [
        (name, None, int(pair.sum()), int(pair[1])) for name, pair in zip(data.groups.names, outcome, strict=True)
    ]
    for c, label in enumerate(data.classes):
        own = data.labels == c
        rows.append((EVERYBODY, label, int(own.sum()), int((own & chosen).sum())))
    share = chosen.mean()
    return tuple(
        ExemplarGroup(
            group=group,
            label=label,
            n=n,
            count=count,
            rate=count / n if n else None,
            over_indexing=float(count / n / share) if n >= setting.min_group and share else None,
        )
        for group, label, n, count in rows
    )
