"""The networks of the literature: as large as published, and made of nothing that compression refuses."""

from __future__ import annotations

import numpy as np
import pytest

from auditor.compress.prune import Prune
from auditor.compress.quantize import Quantize
from auditor.errors import ModelError
from auditor.models.architectures import build
from auditor.models.config import read_config
from auditor.models.hdf5 import parse_json

PUBLISHED = {
    # trainable parameters; tf_keras counts what batch normalisation keeps, too
    "resnet18": ((224, 224, 3), 1000, 11_689_512),
    "resnet50": ((224, 224, 3), 1000, 25_583_592),
    "inception_v3": ((299, 299, 3), 1000, 23_817_352),
    "mobilenet_v2": ((224, 224, 3), 1000, 3_504_872),
    "wide_resnet": ((32, 32, 3), 10, 36_479_194),
}
SMALL = {
    "resnet18": {"width": 8},
    "wide_resnet": {"depth": 10, "width": 1, "dropout": 0.1},
    "mobilenet_v2": {"alpha": 0.35, "dropout": 0.1},
}


@pytest.fixture(scope="module", params=PUBLISHED)
def network(keras, request):
    from auditor.tf import seed

    seed(0)
    shape, classes, parameters = PUBLISHED[request.param]
    return build(request.param, shape, classes, {}), parameters


def test_a_network_has_the_published_number_of_parameters_and_every_layer_is_one_that_tfmot_takes(network):
    from auditor.tf import load

    model, parameters = network
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == parameters
    pruned = [load().tfmot.prune_low_magnitude(layer) for layer in model.layers[1:]]
    kernels = [each.layer.name for each in pruned if each.layer.get_prunable_weights()]
    convolutions = [each.name for each in model.layers if type(each).__name__ in {"Conv2D", "Dense"}]
    assert kernels == convolutions
    assert len(kernels) > 15


def test_the_file_of_a_network_holds_nothing_that_is_refused_when_it_is_opened(network):
    facts = read_config(parse_json(network[0].to_json(), ""), "", ".keras")
    assert facts.activation == "softmax"


@pytest.mark.parametrize(
    "name", ["wide_resnet", *(pytest.param(name, marks=pytest.mark.slow) for name in ("resnet18", "mobilenet_v2"))]
)
def test_a_small_network_is_pruned_whole_and_becomes_int8(keras, name):
    from auditor.tf import load, seed

    seed(0)
    model = build(name, (32, 32, 3), 4, SMALL[name])
    settings = {"sparsity": 0.5, "schedule": "constant", "begin_step": 1, "end_step": 2, "frequency": 1}
    wrapped = Prune(**settings).prepare(model, 0)
    load().tfmot.strip_pruning(wrapped)
    made = Quantize(method="int8").convert(model, np.random.default_rng(0).random((4, 32, 32, 3), np.float32))
    assert made.measured["left_uncompressed"] == []


@pytest.mark.parametrize(("name", "least"), [("wide_resnet", 8), ("resnet50", 32), ("inception_v3", 75)])
def test_images_that_are_too_small_are_refused_with_what_to_do(keras, name, least):
    with pytest.raises(ModelError, match=f"{least} x {least} pixels or more, the data has {least} x {least - 1}: data"):
        build(name, (least, least - 1, 3), 2, {})


def test_options_that_no_network_has_are_refused(keras):
    with pytest.raises(ModelError, match=r"6n \+ 4"):
        build("wide_resnet", (32, 32, 3), 2, {"depth": 27})
    with pytest.raises(ModelError, match='"imagenet" or "cifar"'):
        build("resnet18", (32, 32, 3), 2, {"stem": "none"})


def test_small_images_keep_their_size_in_the_first_layers_of_resnet18(keras):
    def first_stage(side, **options):
        model = build("resnet18", (side, side, 3), 2, {"width": 4, **options})
        return model.get_layer("conv2_block1_1_conv").output_shape[1]

    assert [first_stage(32), first_stage(64), first_stage(64, stem="cifar")] == [32, 16, 64]


def test_the_momentum_of_batch_normalisation_reaches_every_layer(keras):
    model = build("mobilenet_v2", (32, 32, 3), 2, {"alpha": 0.35, "batch_norm_momentum": 0.9})
    found = {layer.momentum for layer in model.layers if hasattr(layer, "momentum")}
    assert found == {0.9}
