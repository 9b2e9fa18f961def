"""Masks alone, without training: which weights go, and what is refused."""

from __future__ import annotations

import json
from contextlib import nullcontext

import numpy as np
import pytest

from auditor.compress import MemberError
from auditor.compress.masks import draw_scores
from auditor.compress.prune import Prune


def keras():
    from auditor.tf import load

    return load().tf_keras


def family(sparsity=0.5, **settings):
    plain = {"schedule": "constant", "begin_step": 1, "end_step": 9, "frequency": 1}
    return Prune(sparsity=sparsity, **plain | settings)


def groups(zeros, n, **settings):
    """As `plan_pruning` gives the settings."""
    return family(zeros / n, m_by_n=[zeros, n], schedule="iterative", rounds=1, **settings)


def chain(*layers, shape=(16,), seed=1):
    keras().backend.clear_session()
    keras().utils.set_random_seed(seed)
    return keras().Sequential([keras().layers.InputLayer(shape), *layers])


def dense(seed=1, width=16):
    return chain(
        keras().layers.Dense(12, name="first"), keras().layers.Dense(4, name="last"), shape=(width,), seed=seed
    )


def masked(wrapped, step=1):
    """Do what a training step does before its forward pass."""
    for layer in wrapped.layers:
        if hasattr(layer, "pruning_vars"):
            layer.pruning_step.assign(step)
            layer.pruning_obj.conditional_mask_update()
            layer.pruning_obj.weight_mask_op()
    return wrapped


def pruned(model, method, seed=1, steps=(1,)):
    wrapped = method.prepare(model, seed)
    for step in steps:
        masked(wrapped, step)
    return method.strip(wrapped)


def zeros(model):
    return [np.asarray(layer.kernel) == 0 for layer in model.layers if hasattr(layer, "kernel")]


def conv():
    layers = keras().layers
    head = (layers.Flatten(), layers.Dense(8, name="head"))
    return chain(layers.Conv2D(16, 3, name="stem"), layers.Conv2D(8, 3, name="conv"), *head, shape=(8, 8, 4))


def by_tfmot(model, **pattern):
    """What TFMOT's own wrapper makes zero at its first step."""
    from auditor.tf import load

    tfmot = load().tfmot
    schedule = tfmot.ConstantSparsity(0.5, 1, frequency=1)
    theirs = tfmot.prune_low_magnitude(keras().models.clone_model(model), schedule, **pattern)
    for mine, other in zip(model.layers, tfmot.strip_pruning(theirs).layers, strict=True):
        other.set_weights(mine.get_weights())
    return zeros(tfmot.strip_pruning(masked(theirs)))


@pytest.mark.parametrize("make", [dense, conv])
@pytest.mark.parametrize("m_by_n", [(2, 4), (1, 4)])
def test_m_by_n_masks_are_those_of_tfmot(make, m_by_n):
    model, method = make(), groups(*m_by_n)
    expected = by_tfmot(model, sparsity_m_by_n=m_by_n)
    model = pruned(model, method)
    for ours, reference in zip(zeros(model), expected, strict=True):
        np.testing.assert_array_equal(ours, reference)
        assert ours.mean() == method.sparsity
    assert method.check(model)["left_uncompressed"] == []


@pytest.mark.parametrize("pooling", ["avg", "max"])
@pytest.mark.parametrize("size", [(4, 2), (2, 2)])
def test_masks_of_blocks_are_those_of_tfmot_where_kernels_divide(size, pooling):
    model = dense()
    expected = by_tfmot(model, block_size=size, block_pooling_type=pooling.upper())
    ours = zeros(pruned(model, family(block_size=size, block_pooling=pooling)))
    for mine, other in zip(ours, expected, strict=True):
        np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize(("pooling", "gone"), [("avg", [0, 1, 2, 3]), ("max", [8, 9])])
def test_blocks_of_a_kernel_that_does_not_divide_are_pooled_over_the_weights_that_then_go(pooling, gone):
    model = chain(keras().layers.Dense(1, use_bias=False, name="first"), shape=(10,))
    # of rows 0-3 one is large, rows 4-7 are all middling, and 8-9, the smaller block of the edge, are less
    kernel = np.array([0.1, 0.1, 0.1, 1.7, 0.9, 0.9, 0.9, 0.9, 0.8, 0.8], np.float32)
    model.layers[0].kernel.assign(kernel[:, None])
    method = family(1 / 3, block_size=(4, 1), block_pooling=pooling)
    model = pruned(model, method)
    assert np.flatnonzero(model.layers[0].kernel.numpy()[:, 0] == 0).tolist() == gone
    method.check(model)


def test_a_block_of_which_a_weight_is_left_is_no_zero_block():
    model, method = dense(), family(block_size=[4, 4])
    model = pruned(model, method)
    method.check(model)
    kernel = model.layers[0].kernel
    kernel.assign(np.where(np.arange(12) % 4 == 0, 1, kernel.numpy()))
    with pytest.raises(MemberError) as failed:
        method.check(model)
    assert str(failed.value) == (
        "pruning to sparsity 0.5 in blocks of 4 x 4 was asked for, but first has sparsity 0.0000 (12 blocks)"
    )


def test_a_group_of_which_more_is_left_fails_with_the_numbers():
    model, method = dense(), groups(2, 4)
    model = pruned(model, method)
    kernel = model.layers[1].kernel
    kernel.assign(np.where((np.arange(12) < 8)[:, None], 1, kernel.numpy()))
    with pytest.raises(
        MemberError, match="2 zeros among each 4 weights was asked for, but last has 8 of 12 groups with fewer zeros"
    ):
        method.check(model)


@pytest.mark.parametrize("settings", [{}, {"criterion": "random"}, {"block_size": [4, 2]}, {"m_by_n": [2, 4]}])
def test_zeros_that_were_there_before_are_no_fault_and_further_ones_are(settings):
    model, method = dense(), family(**settings)
    kernel = model.layers[0].kernel
    kernel.assign(np.where(np.arange(16)[:, None] < 12, 0, kernel.numpy()))
    model.layers[1].kernel.assign(np.zeros((12, 4)))
    stripped = pruned(model, method)
    assert method.check(stripped)["zeros_pruned"] >= 12 * 12 + 12 * 4
    if "m_by_n" not in settings:
        method = family(**settings)
        stripped = pruned(dense(), method)
        stripped.layers[0].kernel.assign(np.zeros((16, 12)))
        with pytest.raises(MemberError, match=r"first has sparsity 1\.0000"):
            method.check(stripped)


def test_pruning_that_leaves_every_weight_fails_however_small_the_layers_are():
    method = family(0.5)
    with pytest.raises(MemberError, match=r"sparsity 0\.5 was asked for, but no weight of any layer is zero"):
        method.check(chain(keras().layers.Dense(4), shape=(4,)))


def test_layers_whose_inputs_do_not_divide_into_groups_are_refused_by_name_unless_they_are_skipped():
    layers = keras().layers
    model = chain(layers.Conv2D(16, 3, name="stem"), layers.Conv2D(8, 3, name="conv"), shape=(8, 8, 3))
    with pytest.raises(MemberError) as refused:
        groups(2, 4).prepare(model, 1)
    assert str(refused.value) == (
        "m_by_n: stem has 3 inputs, which do not divide into groups of 4; "
        'leave out what cannot be pruned so: skip = ["stem"]'
    )
    method = groups(2, 4, skip=["st*"])
    model = pruned(model, method)
    assert method.check(model)["left_uncompressed"] == ["stem"]
    assert [float(each.mean()) for each in zeros(model)] == [0, 0.5]


def test_blocks_are_of_matrices_alone_and_convolutions_are_left_and_named():
    method = family(block_size=[4, 2])
    model = pruned(conv(), method)
    assert method.check(model)["left_uncompressed"] == ["stem", "conv"]
    with pytest.raises(MemberError, match=r"sparsity 0\.5 in blocks of 4 x 2: that needs a matrix, as of Dense"):
        family(block_size=[4, 2], skip=["head"]).prepare(conv(), 1)


def test_m_by_n_leaves_and_names_layers_whose_kernels_are_laid_out_otherwise():
    layers = keras().layers
    model = chain(layers.Conv2DTranspose(4, 3, name="up"), layers.Flatten(), layers.Dense(4), shape=(4, 4, 4))
    method = groups(2, 4)
    assert method.check(pruned(model, method))["left_uncompressed"] == ["up"]
    with pytest.raises(MemberError, match="2 zeros among each 4 weights: that needs Conv1D"):
        method.prepare(chain(layers.Embedding(8, 4)), 1)


@pytest.mark.parametrize("settings", [{}, {"block_size": [4, 2]}, {"m_by_n": [2, 4]}])
def test_a_random_control_goes_by_the_seed_and_not_by_magnitude(settings):
    def gone(seed, weights, scale=1.0):
        model = dense(weights)
        for layer in model.layers:
            layer.kernel.assign(layer.kernel * scale)
        return np.concatenate([each.ravel() for each in zeros(pruned(model, method, seed))])

    method = family(criterion="random", **settings)
    first = gone(7, weights=1)
    np.testing.assert_array_equal(first, gone(7, weights=1))
    np.testing.assert_array_equal(first, gone(7, weights=2))
    np.testing.assert_array_equal(first, gone(7, weights=1, scale=-100))
    assert (first != gone(8, weights=1)).mean() > 0.2
    by_size = np.concatenate([each.ravel() for each in zeros(pruned(dense(1), family(**settings)))])
    assert (first != by_size).mean() > 0.2
    assert first.mean() == 0.5


@pytest.mark.parametrize("pooling", ["avg", "max"])
def test_a_random_control_takes_blocks_at_the_edge_as_often_as_others(pooling):
    method = family(1 / 3, criterion="random", block_size=[8, 1], block_pooling=pooling)
    # two whole blocks, and one of a single weight
    wrapped, took = method.prepare(chain(keras().layers.Dense(1), shape=(17,)), 0), []
    for seed in range(60):
        draw_scores(wrapped, seed)
        masked(wrapped)
        took.append(not wrapped.layers[0].pruning_vars[0][1].numpy()[16, 0])
    assert 10 <= sum(took) <= 30


def test_random_masks_are_exact_and_nested_as_sparsity_rises():
    before = [np.zeros((16, 12), bool), np.zeros((12, 4), bool)]
    for sparsity in (0.25, 0.5, 0.75, 0.95):
        method = family(sparsity, criterion="random")
        model = pruned(dense(), method, seed=3)
        now = zeros(model)
        for ours, earlier in zip(now, before, strict=True):
            assert (earlier <= ours).all()
            assert ours.sum() == ours.size - round(ours.size * (1 - sparsity))
        before = now
    within = family(0.9, schedule="iterative", rounds=3, criterion="random")
    wrapped, before = within.prepare(dense(), 3), [False, False]
    for step in (1, 2, 3):
        now = [layer.pruning_vars[0][1].numpy() == 0 for layer in masked(wrapped, step).layers]
        assert all((earlier <= ours).all() for ours, earlier in zip(now, before, strict=True))
        before = now


def test_rounds_prune_the_same_share_of_what_is_left_and_nothing_in_between():
    method = family(0.875, schedule="iterative", rounds=3, begin_step=10, end_step=30, frequency=10)
    changes, sparsity = method.changes(40)
    assert (np.flatnonzero(changes) + 1).tolist() == [10, 20, 30]
    np.testing.assert_allclose(sparsity[[8, 9, 18, 19, 28, 29, 39]], [0, 0.5, 0.5, 0.75, 0.75, 0.875, 0.875], atol=1e-7)
    wrapped = method.prepare(dense(), 1)
    found = [
        [float(each.mean()) for each in zeros(method.strip(masked(wrapped, step)))] for step in (9, 10, 19, 20, 30)
    ]
    assert found == [[0, 0], [0.5, 0.5], [0.5, 0.5], [0.75, 0.75], [0.875, 0.875]]


def test_a_graph_is_told_from_another_by_its_pattern():
    texts = {
        json.dumps(json.loads(method.prepare(dense(), 1).to_json()))
        for method in (groups(1, 4), groups(2, 4), family(), family(criterion="random"), family(block_size=[2, 2]))
    }
    assert len(texts) == 5


def operator():
    x = keras().Input((16,))
    return keras().Model(x, keras().layers.Dense(4, name="last")(keras().layers.Dense(12, name="first")(x) + 1))


def operator_of_tensors():
    from auditor.tf import load

    x = keras().Input((16,))
    both = load().tf.concat([keras().layers.Dense(12, name="first")(x), x], 1)
    return keras().Model(x, keras().layers.Dense(4, name="last")(load().tf.nn.relu(both)))


def nested():
    inner = keras().Sequential([keras().layers.InputLayer((16,)), keras().layers.Dense(12)], name="inner")
    return chain(inner, keras().layers.Dense(4, name="last"))


def around(make, shape=(16,)):
    layers = keras().layers
    return chain(
        layers.Dense(12, name="first"), make(layers), layers.Flatten(), layers.Dense(4, name="last"), shape=shape
    )


BOTH = ["first", "last"]
REFUSED_BY_TFMOT = {
    "Rescaling": (lambda: around(lambda k: k.Rescaling(2.0)), BOTH, []),
    "RandomFlip": (lambda: around(lambda k: k.RandomFlip(), (4, 4, 3)), BOTH, []),
    "PReLU": (lambda: around(lambda k: k.PReLU(name="slope")), BOTH, ["slope"]),
    "Bidirectional": (
        lambda: around(lambda k: k.Bidirectional(k.LSTM(3), name="both_ways"), (5, 3)),
        BOTH,
        ["both_ways"],
    ),
    "TimeDistributed": (
        lambda: around(lambda k: k.TimeDistributed(k.Dense(3), name="each"), (5, 3)),
        BOTH,
        ["each"],
    ),
    "nested": (nested, ["last"], ["inner"]),
    "operator": (operator, BOTH, []),
    "operator of tensors": (operator_of_tensors, BOTH, []),
}


@pytest.mark.parametrize("kind", REFUSED_BY_TFMOT)
def test_where_tfmot_refuses_the_model_the_other_layers_are_pruned_and_what_has_weights_is_named(kind):
    from auditor.tf import load

    make, wrapped_ones, left = REFUSED_BY_TFMOT[kind]
    # a model inside is refused as a layer alone; a whole model's would be pruned, under names that may be used twice
    refused = nullcontext() if kind == "nested" else pytest.raises(ValueError, match="Please initialize")
    with refused:
        load().tfmot.prune_low_magnitude(make())
    model, method = make(), family()
    before = [layer.name for layer in model.layers]
    wrapped = method.prepare(model, 1)
    found = [layer.layer.name for layer in wrapped.layers if hasattr(layer, "pruning_vars")]
    assert sorted(found) == sorted(wrapped_ones)
    stripped = method.strip(masked(wrapped))
    assert [layer.name for layer in stripped.layers] == before
    assert method.check(stripped)["left_uncompressed"] == left


def test_a_model_without_prunable_layers_and_a_subclassed_one_are_refused_in_words():
    class Own(keras().Model):
        def call(self, x):
            return x

    with pytest.raises(MemberError, match="TFMOT can prune no layer of this model; its layers are PReLU"):
        family().prepare(chain(keras().layers.PReLU()), 1)
    with pytest.raises(MemberError, match="no layer of this model that is not skipped; its layers are Dense"):
        family(skip=["*"]).prepare(dense(), 1)
    with pytest.raises(MemberError, match="Own is a subclassed model"):
        family().prepare(Own(), 1)


def test_skipped_layers_are_left_and_a_pattern_that_no_layer_has_is_refused():
    method = family(skip=["la*"])
    model = pruned(dense(), method)
    assert [float(each.mean()) for each in zeros(model)] == [0.5, 0]
    assert method.check(model)["left_uncompressed"] == ["last"]
    with pytest.raises(MemberError, match='skip: no layer is named "lats"'):
        family(skip=["lats"]).prepare(dense(), 1)
