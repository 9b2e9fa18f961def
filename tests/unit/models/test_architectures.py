from __future__ import annotations

import pytest

from auditor.errors import ModelError
from auditor.models.architectures import build, check_architecture

OWN = """
import tf_keras

def good(input_shape, classes, width=4):
    return tf_keras.Sequential([tf_keras.layers.InputLayer(input_shape), tf_keras.layers.Dense(classes)])

def short(input_shape, classes):
    return tf_keras.Sequential([tf_keras.layers.InputLayer(input_shape), tf_keras.layers.Dense(7)])

def subclassed(input_shape, classes):
    class Own(tf_keras.Model):
        pass
    return Own()

def nothing(input_shape, classes):
    return None
"""


def test_an_unknown_architecture_or_option_is_refused_with_the_nearest_name():
    with pytest.raises(ModelError, match='"cnn"'):
        check_architecture("cnnn", {})
    with pytest.raises(ModelError) as caught:
        check_architecture("mlp", {"hiden": [3], "filters": 3})
    assert 'no option "hiden"' in str(caught.value)
    assert 'Did you mean "hidden"?' in str(caught.value)
    assert 'no option "filters"' in str(caught.value)


@pytest.mark.parametrize(("name", "shape"), [("mlp", (7,)), ("cnn", (28, 28, 1)), ("cnn", (64, 64, 3))])
def test_built_in_models_end_with_softmax_over_the_classes_and_can_be_pruned(keras, name, shape):
    from auditor.compress.prune import Prune

    model = build(name, shape, 3, {})
    assert model.output_shape == (None, 3)
    assert model.layers[-1].activation.__name__ == "softmax"
    pruning = Prune(sparsity=0.5, schedule="constant", begin_step=1, end_step=2, frequency=1)
    assert all(hasattr(layer, "pruning_vars") for layer in pruning.prepare(model, 0).layers if layer.weights)


def test_options_reach_the_model(keras):
    model = build("mlp", (5,), 2, {"hidden": [3, 4], "dropout": 0.5})
    assert [layer.units for layer in model.layers if hasattr(layer, "units")] == [3, 4, 2]
    assert sum(type(layer).__name__ == "Dropout" for layer in model.layers) == 2


def test_options_that_cannot_be_built_are_named(keras):
    with pytest.raises(ModelError, match=r"hidden = \['many'\]"):
        build("mlp", (5,), 2, {"hidden": ["many"]})
    with pytest.raises(ModelError, match="reads images"):
        build("cnn", (5,), 2, {})


def test_a_function_of_the_users_is_called_and_what_it_returns_is_checked(keras, tmp_path, monkeypatch):
    (tmp_path / "own_models.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert build("own_models:good", (5,), 2, {"width": 3}).output_shape == (None, 2)
    for name, said in {
        "short": r"\(None, 7\), but there are 2 classes",
        "subclassed": "subclassed",
        "nothing": "NoneType",
        "missing": "cannot be imported",
    }.items():
        with pytest.raises(ModelError, match=said):
            build(f"own_models:{name}", (5,), 2, {})
    with pytest.raises(ModelError, match=r"beside audit\.toml"):
        build("no_such_module:f", (5,), 2, {})
