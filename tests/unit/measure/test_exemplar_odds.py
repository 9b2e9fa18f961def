"""Odds ratios: against statsmodels' formulas, and everything that leaves odds without a limit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from handmade import dataset, population, setting
from statsmodels.formula.api import logit

from auditor.measure import exemplar_odds, logistic
from auditor.measure.exemplar_odds import margins, odds_ratios
from auditor.records import EACH, NONE

N = 3000
RNG = np.random.default_rng(1)
SEX, AGE = RNG.choice(["m", "f"], N), RNG.choice(["old", "mid", "young"], N)
SEX[0], AGE[0] = "m", "old"  # the reference groups
LABELS = RNG.integers(0, 2, N)
BASE = np.where(RNG.random((7, N)) < np.where(SEX == "m", 0.9, 0.7), LABELS, 1 - LABELS)
CHOSEN = RNG.random(N) < 0.08 + 0.1 * (SEX == "f")


def found(chosen, *, attributes=None, base=BASE, cluster=None, **options):
    attributes = {"sex": list(SEX), "age": list(AGE)} if attributes is None else attributes
    data = dataset(LABELS, attributes=attributes, cluster=cluster)
    audited = setting(data, population("v", base), population("baseline", base), **options)
    return {(one.group[0][1], one.given_margin): one for one in odds_ratios(audited, np.asarray(chosen))}


def oracle(chosen, formula, **columns):
    frame = pd.DataFrame({"y": chosen.astype(int), "sex": SEX, "age": AGE, **columns})
    return logit(formula, frame)


@pytest.mark.parametrize("given_margin", [False, True])
def test_odds_ratios_are_those_of_one_logistic_regression(given_margin):
    base = vote_margin()
    formula = "y ~ C(sex, Treatment('m')) + C(age, Treatment('old'))" + (" + margin" if given_margin else "")
    fit = oracle(CHOSEN, formula, margin=base).fit(disp=0)
    ours = found(CHOSEN, confidence=0.95)
    for group, term in (("f", "C(sex, Treatment('m'))[T.f]"), ("young", "C(age, Treatment('old'))[T.young]")):
        one = ours[group, given_margin]
        assert one.value == pytest.approx(np.exp(fit.params[term]), rel=1e-6)
        assert (one.low, one.high) == pytest.approx(tuple(np.exp(fit.conf_int(0.1).loc[term])), rel=1e-6)
        assert one.p == pytest.approx(fit.pvalues[term], rel=1e-5)
        assert one.reference == {"f": "m", "young": "old"}[group]


def vote_margin():
    share = (BASE == 1).mean(axis=0)
    return np.abs(2 * share - 1)


def test_clusters_make_the_covariance_robust():
    cluster = np.arange(N) // 5
    fit = oracle(CHOSEN, "y ~ C(sex, Treatment('m')) + C(age, Treatment('old'))").fit(
        disp=0, cov_type="cluster", cov_kwds={"groups": cluster}
    )
    one = found(CHOSEN, cluster=cluster)["f", False]
    assert (one.low, one.high) == pytest.approx(
        tuple(np.exp(fit.conf_int(0.1).loc["C(sex, Treatment('m'))[T.f]"])), rel=1e-5
    )


def test_the_margin_is_of_votes_or_of_mean_probabilities():
    data = dataset([0, 0, 0], classes=("p", "q", "r"))
    votes = np.array([[0, 1, 2], [0, 1, 1], [0, 0, 0], [0, 2, 1]])
    audited = setting(data, population("v", votes), population("baseline", votes))
    assert margins(audited) == pytest.approx([1.0, 0.25, 0.25])
    probabilities = np.array([[[0.5, 0.2, 0.3], [0.1, 0.7, 0.2], [0.2, 0.4, 0.4]]] * 2)
    probabilities[1, 1] = [0.1, 0.9, 0.0]
    likely = population("v", [[0, 1, 2], [0, 1, 1]], probabilities=probabilities)
    assert margins(setting(data, likely, likely)) == pytest.approx([0.2, 0.7, 0.0])


def test_where_the_largest_probability_does_not_decide_there_is_no_margin():
    p = RNG.random((2, N))
    likely = np.stack([1 - p, p], axis=-1)
    reason = "the baseline does not decide by its largest probability, so its margin is not how sure it was"
    for threshold, why in ((0.5, None), (0.2, reason)):
        base = population("baseline", (p >= threshold).astype(int), probabilities=likely)
        audited = setting(dataset(LABELS, list(SEX)), population("v", BASE), base)
        without, given = odds_ratios(audited, CHOSEN)
        assert (without.undefined, given.undefined) == (None, why)


def test_a_group_without_exemplars_has_no_odds_and_leaves_the_others_theirs():
    none = CHOSEN & (AGE != "mid")
    ours = found(none)
    assert ours["mid", False].value is None
    assert ours["mid", False].undefined == "mid holds no exemplars (separation): the odds have no limit"
    rest = AGE != "mid"
    fit = logit(
        "y ~ C(sex, Treatment('m')) + C(age, Treatment('old'))",
        pd.DataFrame({"y": none[rest].astype(int), "sex": SEX[rest], "age": AGE[rest]}),
    ).fit(disp=0)
    assert ours["f", False].value == pytest.approx(np.exp(fit.params["C(sex, Treatment('m'))[T.f]"]), rel=1e-6)


def test_a_reference_group_without_exemplars_leaves_its_attribute_without_odds():
    ours = found(CHOSEN & (AGE != "old"))
    for group in ("mid", "young"):
        assert ours[group, False].undefined.startswith("the reference group old holds no exemplars (separation)")
    assert ours["f", False].value > 1


def test_separation_by_two_attributes_together_is_detected():
    team = RNG.choice(["u", "w"], N)
    team[0] = "u"
    mixed = np.where((SEX == "m") & (team == "u"), 0, np.where((SEX == "f") & (team == "w"), 1, RNG.integers(0, 2, N)))
    ours = found(mixed == 1, attributes={"sex": list(SEX), "team": list(team), "age": list(AGE)})
    assert "separation" in ours["f", False].undefined
    assert "separation" in ours["w", False].undefined
    assert 0.5 < ours["young", False].value < 2


def test_separation_by_the_margin_is_detected():
    base = (RNG.random((6, N)) < RNG.choice([0.02, 0.5], N)).astype(int)
    small = np.abs(2 * base.mean(axis=0) - 1) < 0.5
    ours = found(small, base=base)
    assert ours["f", False].value is not None
    assert "separation" in ours["f", True].undefined


def test_collinear_attributes_are_said_and_the_others_keep_their_odds():
    twin = {"sex": list(SEX), "again": list(np.where(SEX == "m", "1", "2")), "age": list(AGE)}
    ours, alone = found(CHOSEN, attributes=twin), found(CHOSEN)
    for group in ("f", "2"):
        assert ours[group, False].undefined == "cannot be told apart from other attributes (collinear)"
    assert ours["young", False].value == pytest.approx(alone["young", False].value, rel=1e-6)


def test_too_few_exemplars_or_others_are_said():
    few = np.arange(N) < 14
    assert found(few)["f", False].undefined == "14 exemplars for 3 odds ratios; 15 are needed"
    assert found(~few)["f", True].undefined == "14 others for 4 odds ratios; 20 are needed"
    everybody = found(np.ones(N, bool))
    assert {one.value for one in everybody.values()} == {None}
    clustered = found(CHOSEN, cluster=np.zeros(N, int))["f", False]
    assert clustered.undefined == "1 clusters with exemplars for 3 odds ratios; 15 are needed"


def test_a_small_group_is_in_the_model_but_is_not_shown():
    tiny = AGE.copy()
    tiny[1:6] = "tiny"
    chosen = CHOSEN.copy()
    chosen[1:6] = [True, False, True, False, True]
    ours = found(chosen, attributes={"sex": list(SEX), "age": list(tiny)}, min_group=10)
    assert ours["tiny", False].undefined == "5 examples, of the 10 that are needed"
    assert ours["young", False].value is not None


def test_a_margin_that_does_not_vary_is_said():
    ours = found(CHOSEN, base=BASE[:1])
    assert ours["f", True].undefined == "the baseline's margin is the same on all examples"
    assert ours["f", False].value is not None


def test_where_each_group_counts_the_largest_is_the_reference():
    data = dataset(LABELS, attributes={"team": ["a"] * 100 + ["b"] * 200 + ["c"] * (len(LABELS) - 300)})
    each = np.where(data.groups.reference == NONE, NONE, EACH)
    data = replace(data, groups=replace(data.groups, reference=each))
    base = population("baseline", BASE)
    sizes = {
        name: np.count_nonzero(row[data.groups.cell_of])
        for name, row in zip(data.groups.names, data.groups.membership, strict=True)
        if name
    }
    rows = odds_ratios(setting(data, population("v", BASE), base), CHOSEN)
    assert {row.reference for row in rows} == {max(sizes, key=sizes.get)[0][1]}
    assert len(rows) == 2 * 2


def test_a_group_far_above_the_rest_has_odds():
    """Cells of examples and exemplars, for which whole steps of Newton's method lead away; odds as statsmodels' GLM."""
    cells = (("0", "0", 1926, 15), ("0", "1", 547, 41), ("2", "0", 152, 64), ("2", "1", 34, 29))
    attributes = {
        "a": [f"a{a}" for a, _, n, _ in cells for _ in range(n)],
        "s": [f"s{s}" for _, s, n, _ in cells for _ in range(n)],
    }
    chosen = np.concatenate([np.arange(n) < k for *_, n, k in cells])
    data = dataset(np.zeros(len(chosen), int), attributes=attributes)
    none = np.zeros((2, len(chosen)), int)
    ours = odds_ratios(setting(data, population("v", none), population("baseline", none)), chosen)
    assert [one.value for one in ours[:2]] == pytest.approx([86.83490384, 9.677615005])


def test_a_regression_that_does_not_converge_is_no_separation(monkeypatch):
    monkeypatch.setattr(logistic, "STEPS", 2)
    assert found(CHOSEN)["f", False].undefined == "the regression did not converge"


def test_clusters_no_more_than_what_is_fitted_give_no_odds(monkeypatch):
    """Few are left where groups without a limit are left out: here the two people of city x."""
    monkeypatch.setattr(exemplar_odds, "PER_COEFFICIENT", 1)
    city = np.array(["x"] * 40 + ["y"] * 180 + ["z"] * 180)
    chosen = (city == "y") | ((city == "x") & (np.arange(400) % 7 < 3))
    cluster = np.concatenate([np.repeat([0, 1], 20), 2 + np.arange(360)])
    data = dataset(np.zeros(400, int), attributes={"sex": ["m", "f"] * 200, "city": list(city)}, cluster=cluster)
    none = np.zeros((2, 400), int)
    ours = odds_ratios(setting(data, population("v", none), population("baseline", none)), chosen)
    assert ours[0].undefined == "too few clusters"


def test_a_group_of_few_clusters_has_no_odds():
    group = np.where(np.arange(N) < N - 60, "m", "f")
    cluster = np.where(group == "m", np.arange(N), N + np.arange(N) % 6)
    ours = found(CHOSEN, attributes={"sex": list(group)}, cluster=cluster, min_group=30)["f", False]
    assert (ours.value, ours.undefined) == (None, "6 clusters, of the 30 that are needed")


def test_too_few_exemplars_are_said_after_groups_without_a_limit_are_left_out():
    attributes = {"city": ["x"] * 300 + ["y"] * 40, "sex": ["m"] * 150 + ["f"] * 150 + ["m", "f"] * 20}
    chosen = np.arange(340) >= 300
    chosen[[0, 150, 151]] = True
    data, none = dataset(np.zeros(340, int), attributes=attributes), np.zeros((2, 340), int)
    city, sex, *_ = odds_ratios(setting(data, population("v", none), population("baseline", none)), chosen)
    assert city.undefined == "y holds only exemplars (separation): the odds have no limit"
    assert (sex.value, sex.undefined) == (None, "3 exemplars for 1 odds ratios; 5 are needed")
