"""Quantisation-aware training: what is simulated, what is left out and named, and that chains keep what they made."""

from __future__ import annotations

import numpy as np
import pytest
from tiny import FEATURES, inputs

from auditor.compress import MemberError
from auditor.compress.qat import QuantizeAware
from auditor.models.artifact import predict
from auditor.models.load import open_model
from auditor.models.tflite import parse_tflite
from auditor.population import train as training_of
from auditor.population.train import train
from auditor.spec import Training


def settings(**declared):
    made = Training(epochs=3, batch_size=32, learning_rate=0.01).model_dump(mode="json", exclude={"stacked"})
    return made | declared


def layers():
    from auditor.tf import load

    return load().tf_keras.layers


def sequential(shape, *parts):
    from auditor.tf import load, seed

    seed(1)
    return load().tf_keras.Sequential([layers().InputLayer(shape), *(part() for part in parts)])


def dense_model(*, hidden=("relu", "relu"), start=1):
    from auditor.tf import load, seed

    seed(start)
    parts = [layers().Dense(24, activation, name=f"hidden_{place}") for place, activation in enumerate(hidden)]
    return load().tf_keras.Sequential(
        [layers().InputLayer((FEATURES,)), *parts, layers().Dense(2, "softmax", name="head")]
    )


def examples(shape, n=64):
    return np.random.default_rng(0).normal(size=(n, *shape)).astype(np.float32)


def untrained(model, **declared):
    """The file of a model that was prepared and calibrated, and not trained: its types are those of a trained one."""
    method, x = QuantizeAware(**declared), examples(model.input_shape[1:])
    prepared = method.prepare(model, 1)
    method.calibrate(prepared, x)
    return method.convert(method.strip(prepared), x)


def trained(model, training=None, number=5, **declared):
    method, given = QuantizeAware(**declared), inputs()
    prepared = method.prepare(model, number)
    method.calibrate(prepared, given.calibration_x)
    train(prepared, given, training or settings(), "softmax", number)
    return method.convert(method.strip(prepared), given.calibration_x)


def decisions(content, x):
    return predict(open_model(content, ".tflite", "model"), [x]).argmax(axis=1)


@pytest.fixture(scope="module")
def baseline():
    model = dense_model()
    train(model, inputs(), settings(epochs=8), "softmax", 3)
    return model


def test_a_trained_model_decides_in_int8_as_it_did_in_float(baseline):
    made = trained(baseline, settings(learning_rate=1e-4))
    assert made.measured["weight_types"].keys() == {"int8", "int32"}
    assert made.measured["left_uncompressed"] == made.measured["trained_in_float"] == []
    x = inputs().test_x
    assert np.mean(decisions(made.content, x) != baseline.predict(x, verbose=0).argmax(axis=1)) < 0.03


@pytest.mark.parametrize("io", ["int8", "uint8"])
def test_input_and_output_have_the_type_asked_for_and_decide_alike(baseline, io):
    x = inputs().test_x
    method = QuantizeAware()
    prepared = method.prepare(baseline, 1)
    method.calibrate(prepared, inputs().calibration_x)
    train(prepared, inputs(), settings(epochs=1), "softmax", 1)
    made = QuantizeAware(io=io).convert(prepared, x)
    assert (made.measured["input_type"], made.measured["output_type"]) == (io, io)
    assert np.mean(decisions(made.content, x) == decisions(method.convert(prepared, x).content, x)) > 0.99


def test_ranges_start_where_the_float_models_are(baseline):
    method = QuantizeAware()
    prepared = method.prepare(baseline, 1)
    x = inputs().calibration_x
    method.calibrate(prepared, x)
    found = {weight.name.split(":")[0]: float(weight.numpy()) for weight in prepared.weights if weight.shape == ()}
    first = baseline.layers[0](x).numpy()
    own = next(layer.name for layer in prepared.layers if type(layer).__name__ == "QuantizeLayer")
    assert found[f"{own}/{own}_min"] == pytest.approx(x.min())
    assert found[f"{own}/{own}_max"] == pytest.approx(x.max())
    assert found["quant_hidden_0/post_activation_min"] == 0
    assert found["quant_hidden_0/post_activation_max"] == pytest.approx(first.max(), rel=1e-5)
    assert baseline.layers[0].kernel.shape == (FEATURES, 24)


def test_a_short_training_loses_nothing_where_activations_are_larger_than_the_ranges_that_tfmot_starts_with(baseline):
    model, given = dense_model(), inputs()
    (kernel, bias), (second, bias_2), (head, bias_3) = (layer.get_weights() for layer in baseline.layers)
    # the same function: what is larger in the middle is made smaller at the end
    model.set_weights([kernel * 40, bias * 40, second, bias_2 * 40, head / 40, bias_3])
    expected = model.predict(given.test_x, verbose=0)

    def error(*, calibrated):
        method = QuantizeAware()
        prepared = method.prepare(model, 1)
        if calibrated:
            method.calibrate(prepared, given.calibration_x)
        train(prepared, given, settings(epochs=1, learning_rate=1e-6), "softmax", 1)
        content = method.convert(prepared, given.calibration_x).content
        return np.mean(np.abs(predict(open_model(content, ".tflite", "model"), [given.test_x]) - expected))

    assert error(calibrated=True) < 0.01
    assert error(calibrated=False) > 0.1


def test_a_member_is_the_same_with_a_graph_of_its_own_and_with_one_that_is_used_again():
    def member(number):
        method = QuantizeAware()
        prepared = method.prepare(dense_model(start=number), number)
        method.calibrate(prepared, inputs().calibration_x)
        train(prepared, inputs(), settings(), "softmax", number)
        return b"".join(weight.tobytes() for weight in prepared.get_weights())

    alone = {}
    for number in (1, 2):
        training_of._loops.clear()
        alone[number] = member(number)
    training_of._loops.clear()
    assert [member(number) for number in (2, 1, 2)] == [alone[2], alone[1], alone[2]]
    assert len(training_of._loops) == 1
    assert alone[1] != alone[2]


LEFT_OUT = {
    "rescaling": (lambda: [lambda: layers().Rescaling(2.0)], (8, 8, 3), [], []),
    "mirrored input": (lambda: [lambda: layers().RandomFlip("horizontal")], (8, 8, 3), [], []),
    "normalised convolution": (
        lambda: [lambda: layers().Conv2D(4, 3), lambda: layers().BatchNormalization(), lambda: layers().ReLU()],
        (8, 8, 3),
        [],
        [],
    ),
    "normalised dense layer": (
        lambda: [lambda: layers().Dense(64), lambda: layers().BatchNormalization(name="it"), lambda: layers().ReLU()],
        (32,),
        [],
        ["it"],
    ),
    "normalisation behind an activation": (
        lambda: [lambda: layers().Dense(8, "relu"), lambda: layers().BatchNormalization(name="it")],
        (8,),
        [],
        ["it"],
    ),
    "layer normalisation": (lambda: [lambda: layers().LayerNormalization(name="it")], (8,), ["it"], ["it"]),
    "convolution over time": (lambda: [lambda: layers().Conv1D(4, 3, name="it")], (12, 3), [], ["it"]),
    "embedding": (
        lambda: [lambda: layers().Embedding(50, 8, name="it"), lambda: layers().GlobalAveragePooling1D()],
        (12,),
        [],
        ["it"],
    ),
    "slope": (lambda: [lambda: layers().PReLU(name="it")], (8,), [], ["it"]),
    "other activation": (lambda: [lambda: layers().Dense(8, "elu", name="it")], (8,), ["it"], ["it"]),
    "separable": (
        lambda: [lambda: layers().SeparableConv2D(4, 3, name="it")],
        (8, 8, 3),
        ["it"],
        ["it"],
    ),
}


@pytest.mark.parametrize("case", LEFT_OUT)
def test_layers_that_cannot_be_simulated_are_named_and_the_others_are_int8(case):
    parts, shape, in_float, untrained_so = LEFT_OUT[case]
    model = sequential(
        shape, *parts(), lambda: layers().Flatten(), lambda: layers().Dense(16, "relu"), lambda: layers().Dense(2)
    )
    if case == "embedding":
        method = QuantizeAware()
        prepared = method.prepare(model, 1)
        method.calibrate(prepared, np.random.default_rng(0).integers(0, 50, (64, *shape)).astype(np.float32))
        made = method.convert(prepared, examples(shape))
    else:
        made = untrained(model)
    assert made.measured["left_uncompressed"] == in_float
    assert made.measured["trained_in_float"] == untrained_so
    assert made.measured["weight_types"]["int8"] >= 16 * 2


def test_behind_recurrent_layers_nothing_is_int8_which_is_said():
    model = sequential((6, 3), lambda: layers().LSTM(4, name="it"), lambda: layers().Dense(2, name="head"))
    with pytest.raises(MemberError, match=r"nothing became int8: the weights are .*in float stayed .*it"):
        untrained(model)


def test_nested_models_and_attention_stay_in_float_and_are_named():
    from auditor.tf import load, seed

    seed(1)
    keras = load().tf_keras
    inner = keras.Sequential([layers().InputLayer((8,)), layers().Dense(8, "relu", name="inside")], name="nested")
    first = layers().Input((8,))
    x = layers().Dense(16, "relu", name="before")(first)
    x = layers().Dense(8, "relu", name="middle")(x)
    x = layers().Reshape((8, 1))(inner(x))
    x = layers().Flatten()(layers().MultiHeadAttention(2, 4, name="attention")(x, x))
    made = untrained(keras.Model(first, layers().Dense(2, name="head")(x)))
    assert {"inside", "head"} <= set(made.measured["left_uncompressed"])
    assert made.measured["trained_in_float"] == ["nested", "attention"]
    assert not {"before", "middle"} & set(made.measured["left_uncompressed"])


def test_a_model_of_which_no_layer_can_be_simulated_is_refused_with_the_kinds():
    model = sequential((8, 2), lambda: layers().LSTM(2))
    with pytest.raises(MemberError, match=r"of no layer of this model; its layers are LSTM"):
        QuantizeAware().prepare(model, 1)


def test_a_vocabulary_that_int8_cannot_tell_apart_is_refused():
    model = sequential(
        (8,), lambda: layers().Embedding(1000, 4, name="words"), lambda: layers().Flatten(), lambda: layers().Dense(2)
    )
    with pytest.raises(MemberError, match="to 256 levels, and the layer words tells 1,000 words apart"):
        QuantizeAware().prepare(model, 1)


def test_skipped_layers_stay_in_float(baseline):
    made = untrained(baseline, skip=["head*"])
    assert made.measured["left_uncompressed"] == made.measured["trained_in_float"] == ["head"]
    with pytest.raises(MemberError, match='no layer is named "haed"'):
        untrained(baseline, skip=["haed"])


def sparse(model, share=0.5):
    """A copy with the smallest weights of each kernel at zero, as pruning leaves it."""
    for layer in model.layers:
        kernel, *rest = layer.get_weights()
        layer.set_weights([np.where(np.abs(kernel) < np.quantile(np.abs(kernel), share), 0, kernel), *rest])
    return model


def clustered(model, levels=6):
    """A copy whose kernels have few values; zeros stay."""
    for layer in model.layers:
        kernel, *rest = layer.get_weights()
        edges = np.linspace(kernel.min(), kernel.max(), levels)
        near = edges[np.abs(kernel[..., None] - edges).argmin(axis=-1)]
        layer.set_weights([np.where(kernel == 0, 0, near), *rest])
    return model


def kernels_in(content):
    found = {}
    for each in parse_tflite(content, "model").graph:
        if each.name == "FULLY_CONNECTED":
            values = np.frombuffer(each.inputs[1].data, np.int8)
            found[each.inputs[1].shape] = (np.mean(values == 0), len(np.unique(values)))
    return found.values()


def test_after_pruning_the_zeros_stay_and_without_being_told_they_would_not():
    kept = trained(sparse(dense_model()), keeps=["sparsity"]).content
    lost = trained(sparse(dense_model())).content
    assert all(zeros >= 0.5 for zeros, _ in kernels_in(kept))
    assert all(zeros < 0.2 for zeros, _ in kernels_in(lost))


def test_after_clustering_the_values_stay_few():
    made = trained(clustered(dense_model()), keeps=["clusters"]).content
    assert all(distinct <= 6 for _, distinct in kernels_in(made))


def test_after_both_zeros_stay_and_values_stay_few():
    made = trained(clustered(sparse(dense_model())), keeps=["sparsity", "clusters"]).content
    assert all(zeros >= 0.5 and distinct <= 7 for zeros, distinct in kernels_in(made))


def test_a_layer_without_zeros_does_not_keep_the_others_from_keeping_theirs():
    model = dense_model()
    first = [np.where(weight == 0, 0.01, weight) for weight in model.layers[0].get_weights()]
    clustered(sparse(model)).layers[0].set_weights(first)
    made = trained(model, keeps=["sparsity", "clusters"]).content
    assert sorted(zeros >= 0.5 for zeros, _ in kernels_in(made)) == [False, True, True]


def test_layers_that_were_part_of_another_model_before_are_simulated_too():
    from auditor.tf import load

    model = dense_model()
    first = last = layers().Input((FEATURES,))
    for layer in model.layers:
        last = layer(last)
    again = load().tf_keras.Model(first, last)
    assert untrained(again).measured["left_uncompressed"] == []


def test_what_training_undid_fails_with_the_numbers():
    method = QuantizeAware(keeps=["sparsity"])
    model = sparse(dense_model())
    method.prepare(model, 1)
    plain = QuantizeAware()
    prepared = plain.prepare(dense_model(), 1)
    plain.calibrate(prepared, inputs().calibration_x)
    train(prepared, inputs(), settings(), "softmax", 1)
    with pytest.raises(MemberError, match=r"undid what was to be kept: hidden_0 had sparsity 0\.5000 and has 0\.0"):
        method.convert(prepared, inputs().calibration_x)


def test_members_that_keep_zeros_never_use_a_graph_again():
    training_of._loops.clear()
    model = QuantizeAware(keeps=["sparsity"]).prepare(sparse(dense_model()), 1)
    train(model, inputs(), settings(epochs=1), "softmax", 1)
    assert not training_of._loops


def test_the_same_seed_gives_the_same_file():
    assert trained(dense_model()).content == trained(dense_model()).content
