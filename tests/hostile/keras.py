"""Files of Keras whose configuration names code, hides it, or declares what no memory holds."""

from __future__ import annotations

import json
from functools import partial

import h5py
import numpy as np

from hostile.files import BREAKS, FILLS, MISLEADS, RUNS, Hostile, code
from hostile.makers import DENSE, h5_file, keras_file, layer, sequential


def evil(place):
    """A Lambda as tf_keras writes it."""
    raw = {"output_shape": None, "output_shape_type": "raw", "output_shape_module": None}
    function = {"function": [code(place), None, None], "function_type": "lambda", "module": None}
    return layer("Lambda", "evil", arguments={}, **function, **raw)


def bare(place):
    """A function's code where a name is expected, as Keras writes it since."""
    return {"class_name": "__lambda__", "config": {"value": code(place), "defaults": None, "closure": None}}


keras3 = partial(keras_file, version="3.10.0")


def inside(*layers, **extra):
    return {
        **sequential(*layers, **extra),
        "config": {"name": "inside", "layers": [*sequential(*layers)["config"]["layers"]]},
    }


def call(module, name, **config):
    """An object of any module, which Keras imports and calls with the settings."""
    return {"module": module, "class_name": name, "config": config, "registered_name": name}


def function(module, name):
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


def touch(place):
    return call("subprocess", "Popen", args=["touch", str(place)])


def wrapped(place):
    """Each place of a configuration that a layer with code can stand in, by name."""
    bad = evil(place)
    cell = layer("LSTMCell", "cell", units=2)
    return {
        "alone": [bad],
        "in_a_model_in_a_model": [inside(inside(bad))],
        "in_time_distributed": [layer("TimeDistributed", "each", layer=bad)],
        "in_bidirectional": [layer("Bidirectional", "both", layer=bad)],
        "as_backward_layer": [layer("Bidirectional", "both", layer=layer("LSTM", "l", units=2), backward_layer=bad)],
        "in_spectral_normalization": [layer("SpectralNormalization", "norm", layer=bad)],
        "in_two_wrappers": [layer("TimeDistributed", "a", layer=layer("TimeDistributed", "b", layer=inside(bad)))],
        "as_cell": [layer("RNN", "rnn", cell=bad)],
        "as_one_of_cells": [layer("RNN", "rnn", cell=layer("StackedRNNCells", "stack", cells=[cell, bad]))],
        "as_activation": [layer("Dense", "evil", units=2, activation=bad)],
        "as_recurrent_activation": [layer("GRU", "evil", units=2, recurrent_activation=bare(place))],
        "as_initializer": [layer("Dense", "evil", units=2, kernel_initializer=bare(place))],
        "as_regularizer": [layer("Dense", "evil", units=2, activity_regularizer=bad)],
        "as_constraint": [layer("Dense", "evil", units=2, bias_constraint=bad)],
        "as_type": [layer("Dense", "evil", units=2, dtype=bad)],
        "behind_a_good_layer": [DENSE, layer("Dense", "inner", units=2), bad],
        "in_a_setting_that_no_layer_has": [layer("Dense", "evil", units=2, note={"deep": [[{"x": bad}]]})],
    }


def _lambdas():
    for name in wrapped("."):
        for kind, ending, file in (("", ".keras", keras_file), ("", ".h5", h5_file), ("_of_keras_3", ".keras", keras3)):

            def content(place, name=name, file=file):
                return file(sequential(*wrapped(place)[name]))

            yield Hostile(
                name=f"lambda_{name}{kind}",
                ending=ending,
                content=content,
                said="__lambda__" if _bare(name) else "Lambda",
                does=RUNS,
            )


def _bare(name):
    return name in {"as_recurrent_activation", "as_initializer"}


def dense(**settings):
    return lambda _: layer("Dense", "d", units=2, **settings)


def strange(kind, **settings):
    return lambda _: layer(kind, "strange", **settings)


NAMED = {
    "popen": (touch, "Popen"),
    "popen_in_a_wrapper": (lambda place: layer("TimeDistributed", "t", layer=touch(place)), "Popen"),
    "popen_as_initializer": (lambda place: layer("Dense", "d", units=2, kernel_initializer=touch(place)), "Popen"),
    "popen_as_type": (lambda place: layer("Dense", "d", units=2, dtype=touch(place)), "Popen"),
    "system": (lambda place: call("os", "system", command=f"touch {place}"), "system"),
    "exec_as_activation": (dense(activation=function("builtins", "exec")), "exec"),
    "pickle_loads": (dense(activation=function("pickle", "loads")), "pickle.loads"),
    "download": (lambda _: call("tf_keras.src.utils.data_utils", "get_file", fname="x"), "get_file"),
    "registered_as_another": (lambda _: {**DENSE, "registered_name": "package>Evil"}, "package>Evil"),
    "known_name_of_another_module": (lambda _: {**DENSE, "module": "keras.layers.evil"}, "keras.layers.evil"),
    "module_with_a_null": (lambda _: {**DENSE, "module": "keras.layers\0os"}, "keras.layers"),
    "module_with_a_parent": (lambda _: {**DENSE, "module": "keras.layers.."}, "keras.layers.."),
    "look_alike": (strange("L\u0430mbda"), "not an ordinary part"),
    "other_case": (strange("lambda"), "not an ordinary part"),
    "known_activation_of_another_module": (dense(activation=function("os", "relu")), "os.relu"),
    "known_activation_registered_as_another": (
        dense(activation={**function("keras.activations", "relu"), "registered_name": "x"}),
        "relu",
    ),
    "operation_of_tensorflow": (strange("TFOpLambda", function="io.write_file"), "TFOpLambda"),
    "operation_of_slicing": (strange("SlicingOpLambda", function="__operators__.getitem"), "SlicingOpLambda"),
    "saved_model_of_another_folder": (strange("TFSMLayer", filepath="/etc", call_endpoint="x"), "TFSMLayer"),
    "vocabulary_of_another_file": (strange("TextVectorization", vocabulary="/etc/passwd"), "TextVectorization"),
    "numbers_of_another_file": (strange("IntegerLookup", vocabulary="/etc/passwd"), "IntegerLookup"),
    "tensor_object": (dense(seed={"class_name": "__tensor__", "config": {"value": 1}}), "__tensor__"),
    "numpy_object": (dense(seed={"class_name": "__numpy__", "config": {"value": [1]}}), "__numpy__"),
    "abstract_wrapper": (strange("Wrapper", layer=DENSE), "Wrapper"),
    "model_of_another_module": (lambda _: {**inside(DENSE), "module": "evil"}, 'module "evil"'),
    "loss_with_code": (lambda place: inside(DENSE, compile_config={"loss": bare(place)}), "compile configuration"),
    "optimizer_with_code": (lambda place: inside(DENSE, compile_config={"optimizer": touch(place)}), "compile conf"),
    "loss_as_a_layer": (lambda _: call("keras.losses", "MeanSquaredError"), "MeanSquaredError"),
}
"""An object that stands as a layer, and what is said of it."""


def _named():
    for number, (name, (make, said)) in enumerate(NAMED.items()):
        ending, file = ((".keras", keras_file), (".h5", h5_file), (".keras", keras3))[number % 3]

        def content(place, make=make, file=file):
            return file(sequential(make(place), DENSE))

        yield Hostile(name=name, ending=ending, content=content, said=said, does=RUNS)


def deep(levels):
    """A model in a model in a model."""
    text = json.dumps(DENSE)
    head, tail = (
        '{"class_name": "Sequential", "module": "keras", "registered_name": null, "config": {"name": "m", "layers": [',
        "]}}",
    )
    return head * levels + text + tail * levels


def _hidden(place):
    """Two texts of one object: the first says that it is harmless, the second is what JSON keeps."""
    good, bad = json.dumps(sequential(DENSE)), json.dumps(sequential(evil(place)))
    return good[:-1] + ", " + bad[1:]


def _sizes():
    for name, setting in {
        "units": layer("Dense", "d", units=10**12),
        "input_shape": layer("InputLayer", "i", batch_input_shape=[None, 1 << 50]),
        "repeats": layer("RepeatVector", "r", n=1 << 60),
        "padding": layer("ZeroPadding2D", "z", padding=[[0, 1 << 40], [0, 0]]),
        "words": layer("Embedding", "e", input_dim=1 << 62, output_dim=2),
        "a_number_of_thousand_digits": layer("Dense", "d", units=10**1000),
    }.items():
        yield Hostile(
            name=f"bomb_of_{name}",
            ending=".keras",
            content=keras_file(sequential(setting)),
            said="more than 32 bits",
            does=FILLS,
        )


def _texts():
    config = json.dumps(sequential(DENSE))
    for name, text, said, does in (
        ("not_a_number", config.replace('"units": 2', '"units": NaN'), "NaN is no number", BREAKS),
        ("infinite", config.replace('"units": 2', '"units": -Infinity'), "-Infinity is no number", BREAKS),
        (
            "number_of_five_thousand_digits",
            config.replace('"units": 2', f'"units": {"9" * 5000}'),
            "cannot be read",
            FILLS,
        ),
        ("brackets", "[" * 200_000 + "]" * 200_000, "cannot be read", BREAKS),
        ("models_in_models", deep(3000), "recursion", BREAKS),
        ("cut_short", config[:-9], "cannot be read", BREAKS),
        ("two_documents", config + config, "cannot be read", MISLEADS),
        ("text_alone", '"Lambda"', "no configuration", BREAKS),
        ("no_layers", json.dumps({"class_name": "Sequential", "config": None}), "no configuration", BREAKS),
        (
            "layers_by_number",
            json.dumps({"class_name": "Sequential", "config": {"layers": {"0": DENSE}}}),
            "not a list",
            BREAKS,
        ),
    ):
        for ending, file in ((".keras", keras_file), (".h5", h5_file)):
            # An attribute of HDF5 as Keras writes it has room for 64 KB.
            if ending == ".keras" or len(text) < 60_000:
                yield Hostile(name=f"json_{name}", ending=ending, content=file(text), said=said, does=does)
    for ending, file in ((".keras", keras_file), (".h5", h5_file)):
        yield Hostile(
            name="json_with_two_of_one_key", ending=ending,
            content=lambda place, file=file: file(_hidden(place)), said="stands twice", does=MISLEADS,
        )  # fmt: skip
    yield Hostile(
        name="json_of_other_bytes",
        ending=".keras",
        content=keras_file(b"\xff\xfe\xfa{}"),
        said="cannot be read",
        does=BREAKS,
    )


def _attributes():
    def set_to(value, dtype=None):
        def fill(root):
            del root.attrs["model_config"]
            root.attrs.create("model_config", value(root), dtype=dtype)

        return h5_file({}, fill)

    for name, content, said in (
        ("reference", set_to(lambda root: root["layers"].ref, h5py.ref_dtype), "references"),
        ("number", set_to(lambda _: 5), "no configuration"),
        ("list_of_texts", set_to(lambda _: ["{}", "{}"], h5py.string_dtype()), "cannot be read"),
        ("picture", set_to(lambda _: np.void(b"\x80\x04N.")), "not numbers or text"),
    ):
        yield Hostile(name=f"configuration_is_a_{name}", ending=".h5", content=content, said=said, does=BREAKS)


FILES = (*_lambdas(), *_named(), *_sizes(), *_texts(), *_attributes())
