"""Whether compression moves a class's recall apart from overall accuracy (Hooker et al. 2019, section 3)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from auditor.measure.dealt_t import Tested, compare_means
from auditor.measure.detectable import detectable_shift
from auditor.measure.multiplicity import benjamini_hochberg, holm
from auditor.measure.permutation import no_deals
from auditor.measure.places import count_units
from auditor.measure.rates import RATES, member_rates
from auditor.records import EVERYBODY, ClassTest, ClassTestFamily

if TYPE_CHECKING:
    from auditor.measure.permutation import Dealing
    from auditor.measure.places import Units
    from auditor.measure.setting import Setting
    from auditor.records import FloatArray, IntArray


def compare_classes(
    setting: Setting, labels: tuple[int, ...], dealing: Dealing | None
) -> tuple[tuple[ClassTest, ...], tuple[ClassTestFamily, ...]]:
    """Test every class for everybody, and the recall of `labels` in every other group, in both versions.

    Welch's t-test for unpaired variants, the paired t-test for paired ones. p is corrected by Holm, by Benjamini and
    Hochberg and by max-T over the deals, within one version's classes and within one version's groups. A place with
    fewer than `min_group` examples (clusters, where there are any) is not tested, nor is one whose members do not vary.
    """
    names, units = setting.dataset.groups.names, count_units(setting.dataset, setting.total)
    classes = [(g, c) for g, name in enumerate(names) if name == EVERYBODY for c in range(len(setting.dataset.classes))]
    groups = [(g, c) for g, name in enumerate(names) if name != EVERYBODY for c in labels]
    tests: list[ClassTest] = []
    families: list[ClassTestFamily] = []
    for published in (True, False):
        for places in filter(None, (classes, groups)):
            found, expected = _test_all(setting, np.array(places).T, units, dealing, published=published)
            tests += _corrected(found)
            families.append(_family(setting, found, expected, dealing))
    return tuple(tests), tuple(families)


def _test_all(
    setting: Setting, places: IntArray, units: Units, dealing: Dealing | None, *, published: bool
) -> tuple[list[ClassTest], float | None]:
    """Test places [2, P], of group and class; also the findings that chance gives."""
    g, c = places
    n = units.by_class[g, c]
    enough = np.flatnonzero(n >= setting.min_group)
    tested = _compare(setting, g[enough], c[enough], dealing, published=published) if dealing else None
    p, p_max_t = (np.full(len(n), np.nan) for _ in range(2))
    if tested:
        p[enough], p_max_t[enough] = tested.p, tested.p_max_t
    shift = _shifts(setting)[g, c]
    lack = no_deals(setting)
    tests = [
        ClassTest(
            variant=setting.population.name,
            label=setting.dataset.classes[c[i]],
            group=setting.dataset.groups.names[g[i]],
            paired=setting.population.paired,
            published=published,
            shift=float(shift[i]) if n[i] >= setting.min_group else None,
            p=None if np.isnan(p[i]) else float(p[i]),
            p_holm=None,
            p_bh=None,
            p_max_t=None if np.isnan(p[i]) else float(p_max_t[i]),
            undefined=units.too_few(int(n[i]), setting.min_group)
            or lack
            or ("no variation between members" if np.isnan(p[i]) else None),
        )
        for i in range(len(n))
    ]
    return tests, tested.expected if tested else None


def _compare(setting: Setting, g: IntArray, c: IntArray, dealing: Dealing, *, published: bool) -> Tested:
    """Compare recall minus accuracy between the dealt members.

    Published: accuracy is the population's mean, a constant that shifts means and leaves no trace in the variance.
    """
    members = (setting.theirs, dealing.baseline), (setting.ours, dealing.variant)
    recall, accuracy = (
        np.concatenate([member_rates(RATES[rate], counts, setting.total)[places] for counts, places in members])
        for rate in ("recall", "accuracy")
    )
    recall = recall[:, g, c]
    relative = recall - accuracy[:, 0]
    return compare_means(relative, recall if published else relative, dealing)


def _shifts(setting: Setting) -> FloatArray:
    """Give the change of recall relative to accuracy, [G, C]: the same in both versions; NaN for an empty class."""
    recall, accuracy = (
        member_rates(RATES[rate], setting.ours, setting.total).mean(axis=0)
        - member_rates(RATES[rate], setting.theirs, setting.total).mean(axis=0)
        for rate in ("recall", "accuracy")
    )
    return recall - accuracy[:1]


def _corrected(tests: list[ClassTest]) -> list[ClassTest]:
    """Fill in the p of those that have one, corrected by Holm and by Benjamini and Hochberg."""
    known = [i for i, test in enumerate(tests) if test.p is not None]
    p = [tests[i].p or 0.0 for i in known]
    for i, p_holm, p_bh in zip(known, holm(p), benjamini_hochberg(p), strict=True):
        tests[i] = replace(tests[i], p_holm=float(p_holm), p_bh=float(p_bh))
    return tests


def _family(
    setting: Setting, tests: list[ClassTest], expected: float | None, dealing: Dealing | None
) -> ClassTestFamily:
    sizes = (len(dealing.baseline), len(dealing.variant)) if dealing else (0, 0)
    return ClassTestFamily(
        variant=setting.population.name,
        about="classes" if tests[0].group == EVERYBODY else "groups",
        published=tests[0].published,
        tested=sum(test.p is not None for test in tests),
        expected=expected,
        detectable=detectable_shift(*sizes, paired=setting.population.paired),
        deals=dealing.told if dealing else None,
        undefined=no_deals(setting),
    )
