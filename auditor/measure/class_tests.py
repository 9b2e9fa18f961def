"""Whether compression moves a class's recall apart from overall accuracy (Hooker et al. 2019, section 3)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from auditor.measure.multiplicity import benjamini_hochberg, holm
from auditor.measure.rates import RATES, denominators, member_rates
from auditor.records import EVERYBODY, ClassTest

ROUNDING = 1e-12
"""Rates that differ by less are equal but for rounding."""

if TYPE_CHECKING:
    from auditor.measure.setting import Setting
    from auditor.records import FloatArray


def compare_classes(setting: Setting, labels: tuple[int, ...]) -> tuple[ClassTest, ...]:
    """Test every class for everybody, and the recall of `labels` in every other group, in both versions.

    Welch's t-test for unpaired variants, the paired t-test for paired ones. p is corrected by Holm and by Benjamini and
    Hochberg, within one version's classes and within one version's groups.
    """
    names = setting.dataset.groups.names
    classes = [(g, c) for g, name in enumerate(names) if name == EVERYBODY for c in range(len(setting.dataset.classes))]
    groups = [(g, c) for g, name in enumerate(names) if name != EVERYBODY for c in labels]
    tests: list[ClassTest] = []
    for published in (True, False):
        ours, theirs = (_relative_recall(setting, ours=side, published=published) for side in (True, False))
        for places in filter(None, (classes, groups)):
            g, c = np.array(places).T
            tests += _corrected(_test_all(setting, ours[:, g, c], theirs[:, g, c], places, published=published))
    return tuple(tests)


def _relative_recall(setting: Setting, *, ours: bool, published: bool) -> FloatArray:
    """Recall minus overall accuracy, [K, G, C]: the population's mean accuracy as published, else each member's own."""
    counts = setting.ours if ours else setting.theirs
    recall = member_rates(RATES["recall"], counts, setting.total)
    accuracy = member_rates(RATES["accuracy"], counts, setting.total)[:, :1, :]
    return recall - (accuracy.mean(axis=0, keepdims=True) if published else accuracy)


def _test_all(
    setting: Setting, y: FloatArray, x: FloatArray, places: list[tuple[int, int]], *, published: bool
) -> list[ClassTest]:
    """Test variant y against baseline x, both [K, place]."""
    paired, data = setting.population.paired, setting.dataset
    firsts = setting.firsts if paired else setting.firsts_baseline
    n = denominators(RATES["recall"], setting.total)[tuple(np.array(places).T)]
    undefined = [_undefined(x[:, i], y[:, i], int(n[i]), setting) for i in range(len(places))]
    defined = [i for i, reason in enumerate(undefined) if reason is None]
    p = dict(zip(defined, _p(y[setting.firsts], x[firsts], defined, paired=paired), strict=True)) if defined else {}
    return [
        ClassTest(
            variant=setting.population.name,
            label=data.classes[c],
            group=data.groups.names[g],
            paired=paired,
            published=published,
            shift=float(y[:, i].mean() - x[:, i].mean()) if n[i] >= setting.min_group else None,
            p=float(p[i]) if i in p else None,
            p_holm=None,
            p_bh=None,
            undefined=undefined[i],
        )
        for i, (g, c) in enumerate(places)
    ]


def _undefined(x: FloatArray, y: FloatArray, n: int, setting: Setting) -> str | None:
    if n < setting.min_group:
        return f"{n} examples, of the {setting.min_group} that are needed"
    if min(setting.members, len(setting.firsts_baseline)) < 2:
        return "needs two finished members of baseline and variant"
    spreads = [np.ptp(y - x)] if setting.population.paired else [np.ptp(x), np.ptp(y)]
    return "no variation between members" if max(spreads) < ROUNDING else None


def _p(y: FloatArray, x: FloatArray, places: list[int], *, paired: bool) -> FloatArray:
    """Two-sided p of equal means, by column; from moments, since rates that are nearly equal are no mistake here."""
    y, x = y[:, places], x[:, places]
    if paired:
        pairs = y - x
        t = pairs.mean(axis=0) / (pairs.std(axis=0, ddof=1) / np.sqrt(len(pairs)))
        return 2 * stats.t.sf(np.abs(t), len(pairs) - 1)
    moments = [(side.mean(axis=0), side.std(axis=0, ddof=1), len(side)) for side in (y, x)]
    return stats.ttest_ind_from_stats(*moments[0], *moments[1], equal_var=False).pvalue


def _corrected(tests: list[ClassTest]) -> list[ClassTest]:
    """Fill in the corrected p of those that have one."""
    known = [i for i, test in enumerate(tests) if test.p is not None]
    if known:
        p = [tests[i].p or 0.0 for i in known]
        for i, p_holm, p_bh in zip(known, holm(p), benjamini_hochberg(p), strict=True):
            tests[i] = replace(tests[i], p_holm=float(p_holm), p_bh=float(p_bh))
    return tests
