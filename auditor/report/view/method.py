"""How the numbers were made, in plain words, and what they do not cover."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.measure import calibrated
from auditor.measure.power import POWER, examples_for
from auditor.measure.spread import LIMIT as SPREAD_LIMIT
from auditor.report.view import words
from auditor.report.view.blocks import Bullets, Formula, Heading, Prose, Section

if TYPE_CHECKING:
    from auditor.records import DataSummary
    from auditor.report.view.blocks import Block
    from auditor.report.view.numbers import Numbers

_UNTESTED_NAMED = 5
FORMULAS = (
    "n* = n + 1.5        ã = (Σ aᵢ + 1.5) / n*        V_ex = (Σ aᵢ² + 1.5 − n* ã²) / ((n* − 1) n*)",
    "unpaired            U = ã + √( t²(n−1) V_ex + t²(Kv−1) s²v/Kv + t²(K0−1) s²0/K0 )",
    "paired, or one      U = ã + √( t²(n−1) V_ex + t²(K−1) s²diff/K )",
    "given baseline",
    "two files           U = ã + t(n−1) √V_ex",
)
NOT_MEASURED = (
    (
        "Label noise: a wrong label counts as the truth, and errors of labelling that differ between groups count as "
        "harm, or hide it."
    ),
    "Misrecorded groups: they shrink gaps between groups, so a PASS is then too easy.",
    "Reuse of the test set: limits, variants or models that were chosen with these examples look better than they are.",
    "Groups that are not recorded: nothing is known of those whom no attribute names.",
    "Other data: the numbers hold for examples drawn as the test set was, not for other places or times.",
    "Latency, memory and energy on the device: what is given was measured on the machine of the audit.",
    "What follows from a decision: every error counts the same here.",
)

NO_ATTRIBUTES = (
    "Sensitive attributes: none was declared, so that nothing is known of any group of people. Only classes were "
    "audited."
)


def method_section(numbers: Numbers) -> Section:
    """Explain rates, intervals, verdicts and their assumptions."""
    blocks: tuple[Block, ...] = (
        Prose(paragraphs=(_rates(numbers),)),
        Heading(text="Intervals"),
        Prose(
            paragraphs=(
                (
                    "All models share one test set, and the test set is a sample: an interval over models alone "
                    "ignores that, and covers less than it promises. Here both are sampled. Every gated number is "
                    "turned so that large is bad; aᵢ is the harm of example i averaged over models, s² the variance "
                    f"over models, t(m) Student's quantile at {words.rate(numbers.confidence, 0)} with m degrees of "
                    "freedom. The upper end is"
                ),
            )
        ),
        Formula(lines=FORMULAS),
        Prose(
            paragraphs=(
                (
                    "and the lower end is its mirror image. Each end holds at "
                    f"{words.rate(numbers.confidence, 0)} by itself, both together at "
                    f"{words.rate(2 * numbers.confidence - 1, 0)}; no interval is corrected for how many there are, or "
                    "for having been picked. One and a half pseudo-examples at full harm (for the lower "
                    "end: at full benefit) keep small groups from claiming certainty. For differences between groups "
                    "the parts of both add up; a ratio is judged by the difference that is 0 where it is at its limit, "
                    "and its interval ends where that difference is no longer shown (Fieller). Examples that share an "
                    "id are one cluster and count as one. One model's own rate has a Clopper–Pearson interval. The "
                    "interval shown is the one that judged."
                ),
                _assumptions(),
                _calibration(),
            )
        ),
        Heading(text="Verdicts"),
        _verdicts(numbers),
        Prose(paragraphs=(_several(numbers), _smallest_pass(numbers))),
        Heading(text="Which claim"),
        Prose(paragraphs=_claims(numbers)),
    )
    question = "How were these numbers made, and what do they assume?"
    return Section(id="method", title="Method", question=question, blocks=blocks)


def _assumptions() -> str:
    return (
        "Assumed: models of one recipe differ about normally on the probit scale. Rates are then skewed, the more the "
        "nearer they are to 0 or 100%: the end that large steps lie on is widened for it. Where models are seen to "
        f"differ by more than {SPREAD_LIMIT:g} on that scale (about 12 points at a rate of 50%, 5 at 90%), a PASS must "
        "hold with twice the reach over models; of two to five paired models that does little: simulated with 0.4, a "
        f"variant at its limit passed up to {words.rate(calibrated.FALSE_PASS_WIDE)} of the time. Where one model in "
        "ten fails badly and was not drawn, nothing shows it: simulated, such a recipe passed up to "
        f"{words.rate(calibrated.LOTTERY_WORST, 0)} of the time."
    )


def _calibration() -> str:
    """Cite the simulated error rates."""
    return (
        f"How often it is wrong was simulated in {calibrated.SETTINGS:,} settings in which the change of one group's "
        "rate is exactly at its limit (30 to 3,000 examples, enough for a PASS if nothing changed, files and "
        "populations of 2 to 30 models, "
        f"{calibrated.RUNS:,} audits each, standard deviation over models up to 0.2): such a variant should pass at "
        f"most 5% of the time. It passed {words.rate(calibrated.FALSE_PASS_MEAN)} of the time on average and "
        f"{words.rate(calibrated.FALSE_PASS_WORST)} in the worst setting; of the worst ones, simulated again "
        f"{calibrated.AGAIN_RUNS:,} times, at most {words.rate(calibrated.FALSE_PASS_AGAIN)}. Gaps between two groups, "
        "clusters and unequal spreads keep to the same. An interval over models alone passed it "
        f"{words.rate(calibrated.SEEDS_ONLY_MEAN)} of the time, at worst {words.rate(calibrated.SEEDS_ONLY_WORST)}; "
        f"the estimate alone {words.rate(calibrated.POINT_MEAN, 0)}. The table stands in the project, "
        "tests/calibration/table.md."
    )


def _rates(numbers: Numbers) -> str:
    least = numbers.result.definition["statistics"]["min_group"]
    return (
        "Every number is a rate among a group, alone, against the baseline, or against a reference group. Recall of a "
        "class: the share of its examples that are decided so; its complement is the false negative rate. False "
        "positive rate: the share of other classes' examples that are decided so. Selection rate: the share of all "
        "that are decided so. Rates are means over the models of a variant. A rate over fewer than "
        f"{least} examples is undefined: it is not 0, and never counts as a PASS."
    )


def _verdicts(numbers: Numbers) -> Bullets:
    alpha = words.rate(1 - numbers.confidence, 0)
    return Bullets(
        items=(
            (
                "PASS: the whole interval is within the limit. That is shown, not merely unrefuted; where a gate says "
                "otherwise, the estimate alone decides, and nothing is shown."
            ),
            f"FAIL: “within the limit” is rejected at {alpha}, corrected for the number of comparisons.",
            (
                "INCONCLUSIVE: neither. Beside it stands how many examples or models would show that the limit holds, "
                f"in about {words.rate(POWER, 0)} of audits, if there were no harm and models differed as these do. "
                "Where there is harm beyond the limit, no number will."
            ),
            (
                "UNDEFINED: too few examples or finished models, a baseline that says one class always, or a ratio to "
                "a rate of 0. It never counts as a PASS."
            ),
        )
    )


def _several(numbers: Numbers) -> str:
    correction = {"bh": "Benjamini–Hochberg", "holm": "Holm", "max_t": "max-T"}
    declared = numbers.result.definition["statistics"]["discovery"]
    return (
        "A gate passes only if every comparison does, so no correction is needed for a PASS. It fails if some "
        "comparison does, so each p is Holm-adjusted over the deciding comparisons of a variant. A single group's PASS "
        "line holds at its own level, not jointly with others. Each variant is judged by itself: of many at their "
        "limits, some one fails or passes wrongly more often than any one. For discovery in the class test the "
        f"correction is {correction.get(declared, words.name(declared))}. To pick the most compressed variant that "
        "passes, go from the mildest to the strongest and stop at the first that does not; picking the best of several "
        "is wrong more often. Looking again at more examples or models until a gate passes is, too."
    )


def _smallest_pass(numbers: Numbers) -> str:
    gates = numbers.result.gates
    changes = [g for g in gates if g.compare == "change"]
    edges = sorted({abs(x) for g in changes for x in (g.min, g.max) if x is not None and 0 < abs(x) < 1})
    if not edges:
        return "A PASS needs enough examples even where nothing changed."
    needed = (f"{examples_for(x, numbers.confidence):,} for a limit of {100 * x:g} points" for x in edges)
    return f"Even where nothing changed, a PASS needs at least so many examples: {words.listed(needed)}."


def _claims(numbers: Numbers) -> tuple[str, ...]:
    claims = {variant.claim for variant in numbers.result.variants}
    said = []
    if "recipe" in claims:
        said.append(
            "A recipe claim is about compressing this way, on this kind of data: models and examples are both samples. "
            "It does not cover the one file that ships; that file needs a claim of its own."
        )
    if any(variant.fixed_baseline for variant in numbers.result.variants):
        said.append("Where one trained baseline was given, it is fixed: only the compression was sampled.")
    if "artifact" in claims:
        said.append(
            "An artifact claim is about this very file against that baseline file: only the examples are a sample."
        )
    return tuple(said)


def limits_section(numbers: Numbers) -> Section:
    """Say what the audit does not measure."""
    data = numbers.result.data
    items = (*_untested(data), *(() if data.reference else (NO_ATTRIBUTES,)), *NOT_MEASURED)
    return Section(
        id="not-measured",
        title="What was not measured",
        question="What can be wrong although every gate passes?",
        blocks=(
            Bullets(items=items),
            Prose(
                paragraphs=(
                    (
                        "This report is evidence for those who decide. It is not a judgement that a model is lawful, "
                        "or right for its use."
                    ),
                )
            ),
        ),
    )


def _untested(data: DataSummary) -> tuple[str, ...]:
    """Name the groups that no test example is of."""
    names = [words.group_of(group) for group, by_class in data.groups if not sum(by_class)]
    if not names:
        return ()
    left = len(names) - _UNTESTED_NAMED
    listed = words.listed([*names[:_UNTESTED_NAMED], *([words.plural(left, "more group")] if left > 0 else [])])
    return (f"Groups without a test example: {listed}. Nothing is known of them.",)
