"""Where a built-in architecture starts: from a file's weights, and with layers that are not trained."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from auditor.errors import ModelError
from auditor.models.architectures import build, check_architecture
from auditor.models.load import keras_bytes
from auditor.models.start import load_weights, look_at_weights

NET = ("resnet18", (16, 16, 3))
SMALL = {"width": 4}


def network(number, classes=3, **options):
    from auditor.tf import seed

    seed(number)
    return build(*NET, classes, {**SMALL, **options})


@pytest.fixture(scope="module")
def files(keras, tmp_path_factory):
    """A network of three classes, and its weights in every form that Keras writes."""
    from auditor.tf import quiet

    folder, model = tmp_path_factory.mktemp("weights"), network(5)
    with quiet():
        model.save(folder / "whole.h5")
        model.save_weights(folder / "weights.h5")
        keras.Model(model.input, model.layers[-2].output).save_weights(folder / "headless.h5")
    (folder / "whole.keras").write_bytes(keras_bytes(model))
    return folder, model


def loaded(path, model, *, fresh_head=False):
    load_weights(model, path.read_bytes(), path.suffix, path.name, fresh_head=fresh_head)
    return model.get_weights()


@pytest.mark.parametrize("name", ["whole.h5", "weights.h5", "whole.keras"])
def test_weights_are_those_of_the_file_whatever_its_form(files, name):
    folder, model = files
    assert look_at_weights((folder / name).read_bytes(), (folder / name).suffix, name) == 3
    for ours, theirs in zip(loaded(folder / name, network(6)), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", ["whole.h5", "headless.h5", "whole.keras"])
def test_a_head_of_other_classes_is_left_fresh(files, name):
    folder, model = files
    before = network(6, classes=7).get_weights()[-2:]
    found = loaded(folder / name, network(6, classes=7), fresh_head=True)
    for ours, theirs in zip(found[:-2], model.get_weights()[:-2], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for ours, theirs in zip(found[-2:], before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_weights_of_another_network_are_refused_with_the_first_layer_that_differs(files):
    folder, _ = files
    with pytest.raises(ModelError, match=r'layer "conv1_conv" has weights of shapes \[\(3, 3, 3, 4\)\]'):
        loaded(folder / "weights.h5", network(6, width=8))
    with pytest.raises(ModelError, match="it holds 40 layers with weights, the model has 41"):
        loaded(folder / "headless.h5", network(6))


@pytest.mark.parametrize("fault", ["no names", "lost layer", "link", "no file"])
def test_what_is_no_file_of_weights_is_refused_before_it_is_loaded(files, tmp_path, fault):
    path = tmp_path / "weights.h5"
    path.write_bytes((files[0] / "weights.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        if fault == "no names":
            del file.attrs["layer_names"]
        if fault == "lost layer":
            del file["conv1_conv"]
        if fault == "link":
            file["conv1_bn/extra"] = h5py.ExternalLink("/etc/passwd", "/")
    if fault == "no file":
        path.write_bytes(b"weights")
    with pytest.raises(ModelError, match=r"weights\.h5"):
        look_at_weights(path.read_bytes(), ".h5", path.name)


def test_frozen_layers_are_counted_from_the_first_or_matched_by_name(keras):
    counted, named = network(1, frozen=5), network(1, frozen=["conv[12]*", "predictions"])
    assert [layer.name for layer in counted.layers if not layer.trainable] == [
        "input_1", "conv1_conv", "conv1_bn", "conv1_relu", "conv2_block1_1_conv",
    ]  # fmt: skip
    still = {layer.name for layer in named.layers if not layer.trainable}
    assert "predictions" in still
    assert {name[:5] for name in still - {"predictions"}} == {"conv1", "conv2"}


def test_frozen_layers_that_are_none_or_all_are_refused(keras):
    with pytest.raises(ModelError, match='no layer is named "conv1_con"'):
        network(1, frozen=["conv1_con"])
    with pytest.raises(ModelError, match="left to train"):
        network(1, frozen=["*"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"weights": "imagenet"}, "file that ends in"),
        ({"weights_sha256": "0" * 64}, "no meaning without weights"),
        ({"weights": "w.h5", "weights_sha256": "abc"}, "64 hex digits"),
        ({"frozen": 0}, "number of first layers"),
        ({"frozen": True}, "number of first layers"),
        ({"frozen": "conv*"}, "number of first layers"),
    ],
)
def test_options_of_the_start_are_checked_before_anything_is_built(options, said):
    with pytest.raises(ModelError, match=said):
        check_architecture("mobilenet_v2", options)
