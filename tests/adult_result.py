"""A result such as the Adult audit gives: made by hand from a few rates, so that every sentence can be checked."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from adult_further import descriptions, selections

from auditor.records import (
    BASELINE,
    EVERYBODY,
    AuditResult,
    Bound,
    ClassTest,
    ClassTestFamily,
    DataSummary,
    Deals,
    Estimate,
    Exemplar,
    ExemplarGroup,
    Exemplars,
    Extreme,
    Failure,
    Finding,
    Gate,
    Halves,
    OddsRatio,
    SplitSize,
    Term,
    VariantSummary,
    Verdict,
    family_name,
    group_name,
)
from auditor.sandbox import made_of

POSITIVE, NEGATIVE = ">50K", "<=50K"
MEMBERS = 10
SIZES = {  # group: test examples, of which positive, recall of the baseline
    "sex": {"Male": (10860, 3256, 0.62), "Female": (5421, 590, 0.512)},
    "age": {
        "<30": (4860, 300, 0.35),
        "30-44": (6000, 1900, 0.61),
        "45-59": (3900, 1350, 0.64),
        "60+": (1521, 296, 0.53),
    },
    "race": {
        "White": (13946, 3480, 0.605),
        "Black": (1561, 179, 0.52),
        "Asian-Pac-Islander": (480, 133, 0.58),
        "Amer-Indian-Eskimo": (159, 19, 0.46),
        "Other": (135, 35, 0.5),
    },
}
CHANGES = {  # variant: change of recall, and how much more of it the groups with few positives see
    "pruned-0.5": (0.002, 1.0),
    "pruned-0.9": (0.010, 2.0),
    "pruned-0.98": (-0.022, 3.0),
    "pruned-0.995": (-0.041, 2.6),
    "int8": (-0.0005, 1.0),
}
MIN_GROUP = 20


def sizes() -> dict:
    """Test examples and positives of every group, and the baseline's recall."""
    found = {EVERYBODY: (16281, 3846, 0.603)}
    for attribute, groups in SIZES.items():
        found |= {((attribute, name),): size for name, size in groups.items()}
    for (sex, one), (race, other) in product(SIZES["sex"].items(), SIZES["race"].items()):
        share = one[0] / 16281
        positive = round(other[1] * one[1] / 3846)
        found[("sex", sex), ("race", race)] = (round(other[0] * share), positive, (one[2] + other[2]) / 2)
    return found


def reference(group: tuple) -> tuple:
    """Give the group that another is compared with."""
    names = {"sex": "Male", "age": "30-44", "race": "White"}
    return tuple((attribute, names[attribute]) for attribute, _ in group)


def rates(variant: str, group: tuple) -> dict:
    """Give numerator-free rates of a variant in a group: (value, examples in the denominator)."""
    n, positive, recall = sizes()[group]
    shift, more = CHANGES.get(variant, (0.0, 1.0))
    fpr = (0.06 if recall > 0.58 else 0.03) - shift * 0.05
    recall += shift * (more if recall < 0.6 else 1.0)
    right = recall * positive + (1 - fpr) * (n - positive)
    return {
        ("accuracy", None): (right / n, n),
        ("recall", POSITIVE): (recall, positive),
        ("recall", NEGATIVE): (1 - fpr, n - positive),
        ("fnr", POSITIVE): (1 - recall, positive),
        ("fpr", POSITIVE): (fpr, n - positive),
        ("selection_rate", POSITIVE): ((recall * positive + fpr * (n - positive)) / n, n),
    }


def estimate(variant: str, metric: str, label: str | None, group: tuple, compare: str) -> Estimate:
    """Make one estimate with bounds of a plausible width."""
    ours, n = rates(variant, group)[metric, label]
    theirs = rates(BASELINE, group)[metric, label][0]
    other = reference(group) if group else EVERYBODY
    other_ours, other_n = rates(variant, other)[metric, label]
    other_theirs = rates(BASELINE, other)[metric, label][0]
    values = {
        "value": ours,
        "change": ours - theirs,
        "disparity": ours - other_ours,
        "disparity_change": (ours - theirs) - (other_ours - other_theirs),
        "ratio": ours / other_ours,
    }
    smallest = min(n, other_n if compare not in {"value", "change"} else n)
    small = smallest < MIN_GROUP
    spread = ours * (1 - ours) * (1 if compare in {"value", "disparity"} else 0.15)
    variance = spread / max(n, 1) + (spread / other_n if compare.startswith("disparity") else 0)
    terms = (
        Term(source="examples", variance=variance, df=n - 1),
        Term(source="members", variance=2e-6, df=MEMBERS - 1),
        Term(source="baseline members", variance=1e-6, df=MEMBERS - 1),
    )
    half = 1.66 * (variance + 3e-6) ** 0.5
    bounded = not small and compare != "ratio"
    versus_group = compare not in {"value", "change"}
    value = values[compare]
    return Estimate(
        variant=variant,
        metric=metric,
        label=label,
        group=group,
        against=reference(group) if versus_group else None,
        compare=compare,
        value=None if small else value,
        low=value - half if bounded else None,
        high=value + half if bounded else None,
        n=n,
        members=MEMBERS,
        claim="recipe",
        undefined=f"{smallest} examples in {group_name(group)}, of the {MIN_GROUP} that are needed" if small else None,
        method="sum of terms" if bounded else "none",
        lower=Bound(center=value, terms=terms) if bounded else None,
        upper=Bound(center=value, terms=terms) if bounded else None,
    )


def estimates() -> tuple[Estimate, ...]:
    """Make all numbers of all variants."""
    made = []
    for variant, group in product((BASELINE, *CHANGES), sizes()):
        for (metric, label), compare in product(
            rates(variant, group), ("value", "change", "ratio", "disparity", "disparity_change")
        ):
            versus_group = compare not in {"value", "change"}
            if variant == BASELINE and compare in {"change", "disparity_change"}:
                continue
            if versus_group and (not group or group == reference(group)):
                continue
            made.append(estimate(variant, metric, label, group, compare))
    return tuple(made)


def gate(name: str, families: tuple[str, ...], **changes) -> Gate:
    """Make a gate over the groups of some attributes."""
    keys = {
        "line": 41,
        "metric": "recall",
        "targets": tuple((POSITIVE, g, None) for g in sizes() if family_name(g) in families),
        "compare": "change",
        "variants": tuple(CHANGES),
        "min": -0.02,
        "max": None,
        "decide_on": "interval",
        "severity": "error",
        "why": "Women and the young are already found less often.",
    }
    return Gate(name=name, **keys | changes)


def judge(gate: Gate, found: Estimate) -> Finding:
    """Judge one estimate against a minimum."""
    if found.value is None:
        verdict, reason = Verdict.UNDEFINED, found.undefined
    elif gate.decide_on == "point":
        verdict = Verdict.PASS if found.value >= gate.min else Verdict.FAIL
        reason = "decided on the estimate alone"
    elif found.low >= gate.min:
        verdict, reason = Verdict.PASS, "the whole interval is within the limit"
    elif found.high < gate.min:
        verdict, reason = Verdict.FAIL, "the whole interval is beyond the limit"
    else:
        verdict, reason = Verdict.INCONCLUSIVE, "the interval reaches over the limit"
    is_open = verdict is Verdict.INCONCLUSIVE
    versus = gate.compare in {"change", "disparity_change"}
    return Finding(
        gate=gate.name,
        estimate=found,
        verdict=verdict,
        severity=gate.severity,
        limit=gate.min,
        p=None if found.value is None else 0.5 if verdict is not Verdict.FAIL else 0.00001,
        p_holm=None if found.value is None else 1.0 if verdict is not Verdict.FAIL else 0.0004,
        reason=reason,
        needed=f"about {3 * found.n:,} more examples of {group_name(found.group)}" if is_open else "",
        seeds_only=None if found.value is None else Verdict.FAIL if found.value < gate.min else Verdict.PASS,
        baseline_fails_too=None if versus else False,
    )


def judged(gates: tuple[Gate, ...], by_id: dict[str, Estimate]) -> tuple[Finding, ...]:
    """Judge all comparisons of all gates that have an estimate."""
    findings = []
    for one in gates:
        for variant, (label, group, _) in product(one.variants, one.targets):
            key = estimate(variant, one.metric, label, group, one.compare).id
            if key in by_id:
                findings.append(judge(one, by_id[key]))
    return tuple(findings)


def variants() -> tuple[VariantSummary, ...]:
    """Make the baseline and the five compressed variants."""

    def one(name: str, method: str, sparsity: float, failed: int = 0, collapsed: int = 0) -> VariantSummary:
        return VariantSummary(
            name=name,
            method=method,
            claim="recipe",
            paired=name == "int8",
            fixed_baseline=False,
            asked=MEMBERS,
            finished=MEMBERS - failed,
            compared=MEMBERS - failed,
            failed=failed,
            collapsed=collapsed,
            asked_for={"sparsity": sparsity, "schedule": "polynomial"} if method == "prune" else {},
            measured={
                "sparsity": sparsity,
                "bytes": 35_200.0 if method != "int8" else 11_104.0,
                "bytes_gzipped": 32_000 * (1.05 - sparsity),
                "parameters": 8_321.0,
            },
        )

    pruned = [one(name, "prune", float(name.split("-")[1])) for name in list(CHANGES)[:3]]
    last = one("pruned-0.995", "prune", 0.995, collapsed=1)
    return (one(BASELINE, "none", 0.0), *pruned, last, one("int8", "int8", 0.0, failed=1))


def class_tests() -> tuple[ClassTest, ...]:
    """Make tests of both classes and of a few groups, published and default."""
    tests = []
    groups = [EVERYBODY, *(((a, name),) for a in SIZES for name in SIZES[a])]
    for (variant, (shift, _)), group, published in product(CHANGES.items(), groups, (True, False)):
        labels = (NEGATIVE, POSITIVE) if not group else (POSITIVE,)
        for label in labels:
            small = sizes()[group][1] < MIN_GROUP
            p = None if small else min(1.0, 1e-7 / (abs(shift) ** 3)) if not published else 0.04
            tests.append(
                ClassTest(
                    variant=variant,
                    label=label,
                    group=group,
                    paired=variant == "int8",
                    published=published,
                    shift=None if small else shift if label == POSITIVE else -shift / 4,
                    p=p,
                    p_holm=None if p is None else min(1.0, 2 * p),
                    p_bh=None if p is None else min(1.0, 1.5 * p),
                    p_max_t=None if p is None else max(DEALS.smallest_p, min(1.0, 1.2 * p)),
                    undefined="19 examples, of the 20 that are needed" if small else None,
                )
            )
    return tuple(tests)


DEALS = Deals(kind="deals", count=1000, enumerated=False, smallest_p=1 / 1001)
SWAPS = Deals(kind="swaps within pairs", count=512, enumerated=True, smallest_p=1 / 512)


def class_test_families() -> tuple[ClassTestFamily, ...]:
    """Make what is told of the tests that are corrected together."""
    return tuple(
        ClassTestFamily(
            variant=variant,
            about=about,
            published=published,
            tested=2 if about == "classes" else 10,
            expected=0.11 if about == "classes" else 0.52,
            detectable=1.0 if variant == "int8" else 1.33,
            deals=SWAPS if variant == "int8" else DEALS,
            undefined=None,
        )
        for variant, published, about in product(CHANGES, (True, False), ("classes", "groups"))
    )


def exemplar_group(group: tuple, n: int, rate: float, own: float) -> ExemplarGroup:
    """Make one row; small groups have counts alone."""
    small = "19 examples, of the 20 that are needed" if n < MIN_GROUP else None
    over = own / rate if rate and not small else None
    limited = over is not None and group != EVERYBODY
    return ExemplarGroup(
        group=group,
        label=None,
        n=n,
        count=round(n * own),
        rate=own,
        over_indexing=over,
        over_indexing_low=0.8 * over if limited else None,
        over_indexing_high=1.25 * over if limited else None,
        over_indexing_undefined=small
        or ("there are no exemplars" if not rate else None if group else "there is nobody else to compare with"),
        negative_flips=None if small else own / 2 + 0.01,
        positive_flips=None if small else own / 3 + 0.01,
        churn=None if small else own * 5 / 6 + 0.02,
        expected=None if small else 0.006,
        between_halves=None if small else own + 0.003,
        excess=None if small else own / 2,
        p=None if small else 0.0009,
        p_max_t=None if small else 0.002,
        excess_undefined=small,
        undefined=small,
    )


def top(variant: str, count: int) -> tuple[Exemplar, ...]:
    """Make the exemplars of highest score."""
    return tuple(
        Exemplar(
            example=f"row {place}",
            label=POSITIVE,
            group=(("sex", "Female"), ("age", "30-44"), ("race", "White")),
            decision_baseline=POSITIVE,
            decision=NEGATIVE,
            share_baseline=0.9,
            share=0.8,
            score=1.4 - place / 100,
        )
        for place in range(min(count, 50))
    )


def odds_ratios() -> tuple[OddsRatio, ...]:
    """Make odds of every group of one attribute; one without a limit."""
    ratios = []
    for given, group in product((False, True), sizes()):
        if len(group) != 1 or group == reference(group):
            continue
        none = "exemplars are all of one group" if group == (("race", "Amer-Indian-Eskimo"),) else None
        ratios.append(
            OddsRatio(
                group=group,
                reference=reference(group)[0][1],
                given_margin=given,
                value=None if none else 0.7 if given else 0.5,
                low=None if none else 0.6 if given else 0.4,
                high=None if none else 0.82 if given else 0.62,
                p=None if none else 0.0004,
                undefined=none,
            )
        )
    return tuple(ratios)


def exemplars() -> tuple[Exemplars, ...]:
    """Make the exemplars of every variant; pruned-0.5 has none."""
    found = []
    for step, variant in enumerate(CHANGES):
        rate = 0.0 if not step else 0.006 * step
        rows = tuple(
            exemplar_group(group, n, rate, min(rate * (0.6 + 2 * positive / n), 1.0))
            for group, (n, positive, _) in sizes().items()
        )
        count = round(rate * 16281)
        on = (0.55, 0.45) if count else None
        found.append(
            Exemplars(
                variant=variant,
                count=count,
                rate=rate,
                expected=0.006,
                halves=Halves(members=5, splits=50, between=rate + 0.003, baseline=0.005, variant=0.007),
                halves_undefined=None,
                excess=rate / 2,
                p=0.0009,
                excess_undefined=None,
                deals=SWAPS if variant == "int8" else DEALS,
                accuracy_all=(0.852, 0.846),
                accuracy_on=on,
                accuracy_off=(0.857, 0.851),
                by_group=rows,
                odds_ratios=odds_ratios(),
                top=top(variant, count),
            )
        )
    return tuple(found)


def definition() -> dict:
    """Give audit.toml as resolved."""
    return {
        "schema": 1,
        "audit": {
            "name": "adult",
            "title": "Income classifier, before deployment to handsets",
            "seed": 7,
            "intended_use": "Demonstration on census data.",
            "out_of_scope": "Any decision about a person.",
            "owner": "Model team",
            "reviewers": ["A. Reviewer", "B. Reviewer"],
            "risk_notes": None,
        },
        "model": {"architecture": "mlp", "options": {"hidden": [64, 32]}},
        "population": {"size": MEMBERS, "minimum": MEMBERS, "start": "scratch"},
        "statistics": {"confidence": 0.95, "min_group": MIN_GROUP, "discovery": "bh"},
    }


def extremes() -> tuple[Extreme, ...]:
    """Describe the spread of accuracy by sex; by race it is undefined."""
    known = [
        Extreme(
            variant=variant,
            metric="accuracy",
            label=None,
            family="sex",
            worst_group=(("sex", "Male"),),
            worst=0.81,
            worst_interval=(0.80, 0.82),
            spread=0.11,
            spread_interval=(0.10, 0.13),
            groups=2,
        )
        for variant in (BASELINE, *CHANGES)
    ]
    unknown = {"worst_group": None, "worst": None, "worst_interval": None, "spread": None, "spread_interval": None}
    return (*known, *(replace(e, family="race", groups=1, undefined="1 groups", **unknown) for e in known))


def adult(**changes) -> AuditResult:
    """Make the whole result."""
    gates = (
        gate("no group loses recall", ("sex", "age")),
        gate("recall by race", ("race",), severity="warning", why=""),
        gate("recall by sex x race", ("sex x race",), severity="warning", why=""),
        gate("gap to men", ("sex",), compare="disparity_change", severity="warning", min=-0.05, why=""),
        gate(
            "selection ratio", ("sex",), metric="selection_rate", compare="ratio", min=0.25, decide_on="point", why=""
        ),
    )
    numbers = estimates()
    everybody = sizes()
    made = AuditResult(
        status="complete",
        definition=definition(),
        definition_file="audit.toml",
        provenance={
            "auditor": "0.1.0",
            "libraries": {"numpy": "2.4.0", "tensorflow": "2.21.0"},
            "seed": 7,
            "threads": 1,
            "data_sha256": "a" * 64,
        },
        timings={"train": 131.5, "measure": 0.4, "latency_ms baseline": 0.021},
        sandbox=made_of(writes=True, network=True, memory=16 << 30),
        data=DataSummary(
            source="table audits/adult/adult.parquet",
            digest="d" * 64,
            classes=(NEGATIVE, POSITIVE),
            positive=POSITIVE,
            splits=(
                SplitSize(split="train", examples=32561, by_class=(24720, 7841)),
                SplitSize(split="test", examples=16281, by_class=(12435, 3846)),
            ),
            groups=tuple((group, (n - positive, positive)) for group, (n, positive, _) in everybody.items()),
            reference={"sex": "Male", "age": "30-44", "race": "White", "sex x race": "Male × White"},
            clusters=None,
            warnings=("5 test rows are also training rows",),
        ),
        variants=variants(),
        failures=(Failure(variant="int8", member=3, reason="loss became NaN in epoch 4"),),
        gates=gates,
        estimates=numbers,
        class_tests=class_tests(),
        class_test_families=class_test_families(),
        exemplars=exemplars(),
        descriptions=descriptions(tuple(CHANGES), everybody, rates, MIN_GROUP),
        selections=selections((BASELINE, *CHANGES), everybody, rates),
        extremes=extremes(),
        findings=judged(gates, {number.id: number for number in numbers}),
        looks=(),
        fixed_sequences=(),
    )
    return replace(made, **changes)


def with_gates(*gates: Gate) -> AuditResult:
    """Make the result of an audit with these gates alone."""
    made = adult()
    return replace(made, gates=gates, findings=judged(gates, {number.id: number for number in made.estimates}))


def small() -> AuditResult:
    """Make a result of one variant and three groups: fast to draw, with all four verdicts."""
    made = adult()
    kept = {
        EVERYBODY,
        (("sex", "Male"),),
        (("sex", "Female"),),
        (("race", "Amer-Indian-Eskimo"),),
        (("race", "White"),),
    }
    names = {BASELINE, "pruned-0.98"}
    gates = tuple(
        replace(one, variants=("pruned-0.98",), targets=tuple(t for t in one.targets if t[1] in kept))
        for one in made.gates
        if one.name != "recall by sex x race"
    )
    numbers = tuple(e for e in made.estimates if e.variant in names and e.group in kept)
    return replace(
        made,
        variants=tuple(v for v in made.variants if v.name in names),
        gates=gates,
        estimates=numbers,
        findings=judged(gates, {number.id: number for number in numbers}),
        class_tests=tuple(t for t in made.class_tests if t.variant in names and t.group in kept),
        class_test_families=tuple(f for f in made.class_test_families if f.variant in names),
        exemplars=tuple(
            replace(e, by_group=tuple(g for g in e.by_group if g.group in kept))
            for e in made.exemplars
            if e.variant in names
        ),
        descriptions=tuple(d for d in made.descriptions if d.variant in names and d.group in kept),
        selections=made.selections[-1:],
        data=replace(made.data, groups=tuple(pair for pair in made.data.groups if pair[0] in kept)),
    )


def many_variants(copies: int = 4) -> AuditResult:
    """Make a result of so many times the five variants, as long names have it, each with all its numbers."""
    made = adult()
    names = {name: [name, *(f"clustered-{name}-then-int8-{n}" for n in range(1, copies))] for name in CHANGES}

    def again(rows: tuple) -> tuple:
        return tuple(replace(row, variant=name) for row in rows for name in names.get(row.variant, [row.variant]))

    gates = tuple(replace(one, variants=tuple(name for own in names.values() for name in own)) for one in made.gates)
    numbers = again(made.estimates)
    by_id = {number.id: number for number in numbers}
    findings = tuple(
        judge(one, by_id[key])
        for one in gates
        for variant, own in names.items()
        for name in own
        for label, group, _ in one.targets
        if (key := replace(estimate(variant, one.metric, label, group, one.compare), variant=name).id) in by_id
    )
    return replace(
        made,
        variants=tuple(replace(v, name=name) for v in made.variants for name in names.get(v.name, [v.name])),
        gates=gates,
        estimates=numbers,
        findings=findings,
        class_tests=again(made.class_tests),
        class_test_families=again(made.class_test_families),
        exemplars=again(made.exemplars),
        descriptions=again(made.descriptions),
        selections=again(made.selections),
        extremes=again(made.extremes),
    )
