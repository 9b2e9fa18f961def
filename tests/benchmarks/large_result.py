"""A large result made by hand: 1,000 classes, 40 attributes with all their pairs, a baseline and 5 variants."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product

import numpy as np
from adult_result import adult, exemplar_group, gate, judge

from auditor.records import BASELINE, EVERYBODY, Bound, ClassTest, DataSummary, Estimate, Term, family_name

CLASSES = tuple(f"n{1000 + place}" for place in range(1000))
RATES = ("recall", "fnr", "fpr", "selection_rate", "precision")
EXAMPLES, MEMBERS = 50_000, 10


def large_result(attributes=40, seed=0):
    """Give what a report of such an audit starts from: as many numbers as measuring one gives."""
    rng = np.random.default_rng(seed)
    made = adult()
    groups = [EVERYBODY, *_groups(attributes)]
    rates = [(metric, label, EVERYBODY) for metric, label in product(RATES, CLASSES)]
    rates += [("accuracy", None, group) for group in groups]
    kinds = [(v.name, c) for v in made.variants for c in ("value", "change") if (v.name, c) != (BASELINE, "change")]
    numbers = tuple(_estimate(rng, *kind, *rate) for kind, rate in product(kinds, rates))
    gates = (
        gate("no class loses recall", (), targets=tuple((label, EVERYBODY, None) for label in CLASSES)),
        gate("no group loses accuracy", (), metric="accuracy", targets=tuple((None, g, None) for g in groups)),
    )
    return replace(
        made,
        data=DataSummary(
            source="arrays",
            digest="d" * 64,
            classes=CLASSES,
            positive=None,
            splits=(),
            groups=tuple((group, tuple(rng.integers(0, 50, len(CLASSES)).tolist())) for group in groups),
            reference={family_name(group): "no" for group in groups[1:]},
            clusters=None,
            warnings=(),
        ),
        gates=gates,
        estimates=numbers,
        findings=tuple(judge(g, e) for g in gates for e in numbers if (e.metric, e.compare) == (g.metric, g.compare)),
        class_tests=tuple(_class_test(rng, v.name, label) for v in made.variants[1:] for label in CLASSES),
        exemplars=tuple(replace(e, by_group=_exemplar_groups(rng, groups)) for e in made.exemplars),
        extremes=(),
        descriptions=(),
        selections=(),
    )


def _groups(attributes):
    for names in [(f"a{i}",) for i in range(attributes)] + list(combinations((f"a{i}" for i in range(attributes)), 2)):
        yield from (tuple(zip(names, held, strict=True)) for held in product(("no", "yes"), repeat=len(names)))


def _estimate(rng, variant, compare, metric, label, group):
    value, variance = (float(x) for x in rng.random(2) * (1, 1e-4))
    value = value if compare == "value" else 0.1 * (value - 0.6)
    terms = tuple(
        Term(source=source, variance=variance, df=MEMBERS - 1) for source in ("examples", "members", "baseline members")
    )
    half = 1.66 * (3 * variance) ** 0.5
    return Estimate(
        variant=variant,
        metric=metric,
        label=label,
        group=group,
        against=None,
        compare=compare,
        value=value,
        low=value - half,
        high=value + half,
        n=int(rng.integers(20, 500)),
        members=MEMBERS,
        claim="recipe",
        undefined=None,
        method="sum of terms",
        lower=Bound(center=value, terms=terms),
        upper=Bound(center=value, terms=terms),
    )


def _class_test(rng, variant, label):
    p = float(rng.random())
    return ClassTest(
        variant=variant,
        label=label,
        group=EVERYBODY,
        paired=False,
        published=False,
        shift=float(rng.normal()) / 50,
        p=p,
        p_holm=1.0,
        p_bh=p,
        p_max_t=p,
        undefined=None,
    )


def _exemplar_groups(rng, groups):
    sizes, rates = rng.integers(20, EXAMPLES, len(groups)).tolist(), (rng.random(len(groups)) / 20).tolist()
    return tuple(exemplar_group(group, n, 0.02, rate) for group, n, rate in zip(groups, sizes, rates, strict=True))
