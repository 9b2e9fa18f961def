"""The measures against base R: tests/reference/oracles.R made the numbers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from handmade import dataset, population, setting

from auditor.measure.exemplar_odds import odds_ratios
from auditor.measure.intervals import clopper_pearson, p_proportion, quantiles
from auditor.measure.multiplicity import benjamini_hochberg, holm
from auditor.measure.selection import Count, fisher_exact, two_proportions

FILE = Path(__file__).parents[2] / "reference" / "oracles.json"
R = {name: np.array(values) for name, values in json.loads(FILE.read_text(encoding="utf-8")).items()}
EXACT = {"rel": 1e-9, "abs": 1e-15}


def test_corrections():
    assert holm(R["p"]) == pytest.approx(R["holm"], **EXACT)
    assert benjamini_hochberg(R["p"]) == pytest.approx(R["bh"], **EXACT)


def test_students_quantiles():
    assert quantiles(np.array([1, 2, 4, 9, 29, 2999.0]), 0.05) == pytest.approx(R["t_quantiles"], **EXACT)


@pytest.mark.parametrize(("side", "name"), [(-1, "clopper_pearson_low"), (1, "clopper_pearson_high")])
def test_exact_ends_of_a_proportion(side, name):
    assert clopper_pearson(R["successes"], R["trials"], side, 0.95) == pytest.approx(R[name], **EXACT)


def test_exact_p_of_a_proportion():
    pairs = zip(R["successes"], R["trials"], strict=True)
    # "at least a fifth" is refuted by few successes
    found = [p_proportion(int(x), int(n), 1, 0.2) for x, n in pairs]
    assert found == pytest.approx(R["p_at_most_a_fifth"], **EXACT)


def test_two_selection_rates():
    group, reference = (
        Count(group=(("sex", name),), applicants=int(n), selected=int(x), small=None)
        for name, n, x in zip("ab", R["applicants"], R["selected"], strict=True)
    )
    z, p = two_proportions(group, reference)
    assert -z == pytest.approx(R["two_proportions_z"][0], **EXACT)
    assert p == pytest.approx(R["two_proportions_p"][0], **EXACT)
    assert fisher_exact(group, reference) == pytest.approx(R["fisher_p"][0], rel=1e-9)


def test_odds_of_exemplars():
    labels = np.ones(len(R["sex"]), int)
    attributes = {"sex": [f"s{x:.0f}" for x in R["sex"]], "old": [f"o{x:.0f}" for x in R["old"]]}
    same = population("v", np.ones((3, len(labels)), int))
    made = setting(dataset(labels, attributes=attributes), same, same)
    rows = [row for row in odds_ratios(made, R["exemplar"] == 1) if not row.given_margin]
    assert [np.log(row.value) for row in rows] == pytest.approx(R["log_odds"], rel=1e-7)
    errors = [np.log(row.high / row.value) / 1.6448536269514722 for row in rows]
    assert errors == pytest.approx(R["log_odds_error"], rel=1e-6)
