"""What `[[compression]]` of method prune says is refused in words where its keys do not go together."""

from __future__ import annotations

import pytest

from auditor import load_spec
from auditor.declare.sense_compressions import check_method
from auditor.errors import SpecError
from auditor.spec import Prune

REFUSED = {
    "key 'sparsity' is missing": {"sparsity": None},
    "end_step: is not after begin_step, 9": {"begin_step": 9, "end_step": 9},
    "end_epoch: is not after begin_epoch, 2.5": {"begin_epoch": 2.5, "end_epoch": 1.0},
    "begin_epoch: says what begin_step says too": {"begin_step": 9, "begin_epoch": 1.0},
    "end_epoch: says what end_step says too": {"end_step": 9, "end_epoch": 1.0},
    "end_step: has no meaning with a constant schedule": {"schedule": "constant", "end_step": 9},
    "end_epoch: has no meaning with a constant schedule": {"schedule": "constant", "end_epoch": 2.0},
    'rounds: has no meaning with any schedule but "iterative"': {"rounds": 3},
    "frequency: has no meaning with an iterative schedule": {"schedule": "iterative", "frequency": 3},
    "block_pooling: has no meaning with single weights: block_size is missing": {"block_pooling": "max"},
    "block_size: is a single weight": {"block_size": [1, 1]},
    "m_by_n: leaves no weight: it says how many zeros (4) are among each so many weights (4)": {
        "sparsity": None,
        "m_by_n": [4, 4],
    },
    "sparsity: contradicts m_by_n, which makes it 0.5": {"m_by_n": [2, 4]},
    "schedule: has no meaning with m_by_n, whose zeros are chosen once": {
        "sparsity": None,
        "m_by_n": [2, 4],
        "schedule": "polynomial",
    },
    "frequency: has no meaning with m_by_n": {"sparsity": None, "m_by_n": [2, 4], "frequency": 3},
    "block_size: has no meaning with m_by_n, which is a pattern by itself": {
        "sparsity": None,
        "m_by_n": [2, 4],
        "block_size": [4, 4],
    },
}


def said(keys):
    step = Prune.model_validate({"method": "prune", "sparsity": 0.9} | keys)
    return [f"{mistake.where}: {mistake.message}" for mistake in check_method(step, ())]


@pytest.mark.parametrize("message", REFUSED)
def test_keys_of_pruning_that_do_not_go_together_are_refused(message):
    found = said(REFUSED[message])
    assert len(found) == 1, found
    assert message in found[0]


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"begin_step": 1, "end_epoch": 2.0},
        {"schedule": "constant", "begin_epoch": 0.5},
        {"schedule": "iterative", "rounds": 3},
        {"block_size": [4, 1], "block_pooling": "max", "criterion": "random"},
        {"sparsity": None, "m_by_n": [2, 4], "begin_step": 3},
        {"sparsity": 0.5, "m_by_n": [2, 4]},
    ],
)
def test_keys_of_pruning_that_go_together_are_taken(keys):
    assert said(keys) == []


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("sparsity = 1.0", "sparsity: should be less than 1, not 1.0"),
        ("sparsity = -0.1", "sparsity: should be greater than or equal to 0, not -0.1"),
        ("sparsity = [0.5, 1.0]", "should be less than 1, not 1.0"),
        ('sparsity = 0.5\nschedule = "iterative"\nrounds = 1', "rounds: should be greater than or equal to 2, not 1"),
        ("sparsity = 0.5\nblock_size = [4]", "block_size"),
        ("sparsity = 0.5\nfrequency = 0", "frequency: should be greater than 0, not 0"),
    ],
)
def test_a_sparsity_that_leaves_nothing_and_other_numbers_that_are_none_are_refused(tmp_path, key, message):
    file = tmp_path / "audit.toml"
    file.write_text(
        'schema = 1\nattribute = ["sex"]\n[model]\narchitecture = "mlp"\n[data]\npath = "p.csv"\nlabel = "y"\n'
        f'[[compression]]\nmethod = "prune"\n{key}\n'
    )
    with pytest.raises(SpecError) as refused:
        load_spec(file)
    (problem,) = refused.value.problems
    assert message in str(problem)
