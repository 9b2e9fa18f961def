"""Files are made by hand, so that nothing but the look itself is tested, without TensorFlow."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import re
import subprocess
import sys
import zipfile

import h5py
import numpy as np
import pytest
from hostile.makers import DENSE, LAMBDA, h5_file, keras_file, layer, sequential, weights

from auditor.errors import ModelError
from auditor.models import apart
from auditor.models.config import read_config
from auditor.models.inspect import INSPECTORS, inspect_model
from auditor.models.load import load_model


def refusal(content, ending=".keras"):
    with pytest.raises(ModelError) as caught:
        inspect_model(content, ending, f"model{ending}")
    return str(caught.value)


def test_the_facts_of_a_file_are_read_without_opening_it():
    for content, ending in ((keras_file(sequential(DENSE)), ".keras"), (h5_file(sequential(DENSE)), ".h5")):
        facts = inspect_model(content, ending, "model")
        assert facts.input_shape == (3,)
        assert (facts.outputs, facts.activation) == (2, "softmax")
        assert facts.layers == (("in", "InputLayer"), ("head", "Dense"))


def test_a_lambda_is_refused_by_name_at_any_depth_and_all_of_them_at_once():
    wrapped = layer("TimeDistributed", "outer", layer=LAMBDA)
    inner = {"module": "keras", "class_name": "Sequential", "config": {"name": "inside", "layers": [LAMBDA]}}
    for content, ending in ((keras_file(sequential(wrapped, DENSE)), ".keras"), (h5_file(sequential(inner)), ".h5")):
        assert 'layer "evil": it is a Lambda' in refusal(content, ending)
    both = refusal(keras_file(sequential(LAMBDA, layer("TFOpLambda", "tf.sin"))))
    assert "evil" in both
    assert "tf.sin" in both


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({**DENSE, "module": "os"}, 'from the module "os"'),
        ({**DENSE, "class_name": "system", "module": "os"}, 'of the kind "system"'),
        ({**DENSE, "registered_name": "Custom>Dense"}, 'registered as "Custom>Dense"'),
        (
            layer("Dense", "head", activation={"module": "os", "class_name": "function", "config": "system"}),
            "os.system",
        ),
        (layer("Dense", "head", activation="os.system"), 'its activation is "os.system"'),
        (layer("Dense", "head", kernel_initializer="system"), 'kernel_initializer is "system"'),
        (layer("Dense", "head", kernel_regularizer={"class_name": "Evil", "config": {}}), 'of the kind "Evil"'),
        (layer("Dense", "head", units={"class_name": "__typespec__", "spec_name": "x"}), "__typespec__"),
        (layer("TFSMLayer", "saved", filepath="/etc"), "TFSMLayer"),
        (layer("StringLookup", "words", vocabulary="/etc/passwd"), "StringLookup"),
        ({**DENSE, "compile_config": {"loss": "mse"}}, "compile configuration"),
        ({**DENSE, "class_name": ["Dense"]}, "of the kind"),
        ({**DENSE, "module": {"a": 1}}, "from the module"),
    ],
)
def test_whatever_is_not_an_ordinary_part_of_keras_is_refused(config, said):
    assert said in refusal(keras_file(sequential(config)))
    assert 'layer "' in refusal(keras_file(sequential(config)))


def test_the_compile_configuration_of_the_model_itself_is_left_out():
    config = sequential(DENSE, compile_config={"loss": {"module": "os", "class_name": "system", "config": {}}})
    assert inspect_model(keras_file(config), ".keras", "model").outputs == 2


def test_a_class_of_the_module_that_the_audit_names_is_allowed_and_no_other():
    own = {**layer("Gate", "gate"), "module": "my.layers", "registered_name": "Custom>Gate"}
    content = keras_file(sequential(own, DENSE))
    assert inspect_model(content, ".keras", "model", {"my.layers"}).outputs == 2
    with pytest.raises(ModelError, match="Gate"):
        inspect_model(content, ".keras", "model", {"my"})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (keras_file(sequential(DENSE), members={"assets/x.txt": "x"}), "assets/x.txt"),
        (keras_file(sequential(DENSE), members={"../evil": "x"}), "../evil"),
        (keras_file(sequential(DENSE), stored=zipfile.ZIP_DEFLATED), "compressed"),
        (keras_file(sequential(DENSE), version="4.0.0"), "written by Keras 4.0.0"),
        (keras_file("{" * 3), "cannot be read"),
        (keras_file("[" * 100_000), "cannot be read"),
        (keras_file("[]"), "no configuration"),
        (keras_file(sequential(DENSE))[:-60], "not a readable .keras file"),
        (b"", "not a readable .keras file"),
        (keras_file(sequential(DENSE), hdf5=b"no hdf5"), "not a readable HDF5 file"),
        (keras_file(DENSE), "it holds a Dense"),
    ],
)
def test_a_file_that_is_not_exactly_what_keras_writes_is_refused(content, said):
    assert said in refusal(content)


def test_a_configuration_nested_beyond_reason_is_refused():
    nested = []
    for _ in range(5000):
        nested = [nested]
    with pytest.raises(ModelError, match="nested beyond reason"):
        read_config({"class_name": "Sequential", "config": nested}, "model.keras", ".keras")


def test_links_that_lead_out_of_a_file_are_refused_by_place():
    def fill(root):
        root["out"] = h5py.ExternalLink("/etc/passwd", "/")
        root["layers/soft"] = h5py.SoftLink("/layers")

    for said in (refusal(h5_file(sequential(DENSE), fill), ".h5"), refusal(keras_file({}, hdf5=weights(fill)))):
        assert "/out: it is a ExternalLink" in said
        assert "/layers/soft: it is a SoftLink" in said


def test_arrays_whose_values_are_elsewhere_are_refused(tmp_path):
    secret = tmp_path / "secret.bin"
    secret.write_bytes(b"x" * 400)

    def external(root):
        root.create_dataset("w", (100,), np.float32, external=[(str(secret), 0, 400)])

    def virtual(root):
        layout = h5py.VirtualLayout((4,), np.float32)
        layout[:] = h5py.VirtualSource(str(secret), "x", (4,))
        root.create_virtual_dataset("w", layout)

    def filtered(root):
        root.create_dataset("w", data=np.zeros(1000), compression="gzip")

    def words(root):
        root["w"] = "text"

    assert "another file" in refusal(h5_file(sequential(DENSE), external), ".h5")
    assert "put together from other files" in refusal(h5_file(sequential(DENSE), virtual), ".h5")
    assert "filter" in refusal(h5_file(sequential(DENSE), filtered), ".h5")
    assert "not numbers" in refusal(h5_file(sequential(DENSE), words), ".h5")


def test_an_array_that_declares_more_than_the_file_holds_is_refused():
    def bomb(root):
        root.create_dataset("w", (1 << 40,), np.float32, chunks=(1024,))

    assert "declares arrays of 4,398,046,511,1" in refusal(h5_file(sequential(DENSE), bomb), ".h5")


def test_a_group_that_holds_itself_is_walked_once():
    def loop(root):
        root["layers/again"] = root["layers"]

    assert inspect_model(h5_file(sequential(DENSE), loop), ".h5", "model").outputs == 2


def test_an_attribute_that_refers_to_an_array_without_a_link_is_refused(tmp_path):
    def fill(root):
        hidden = root.create_dataset("hidden", (4,), np.uint8, external=[(str(tmp_path / "secret"), 0, 4)])
        kind = h5py.ref_dtype
        root["layers"].attrs.create("weight_names", np.array([hidden.ref], dtype=kind), dtype=kind)
        del root["hidden"]

    for content, ending in ((h5_file(sequential(DENSE), fill), ".h5"), (keras_file({}, hdf5=weights(fill)), ".keras")):
        assert '/layers, attribute "weight_names": it holds references' in refusal(content, ending)


def test_attributes_of_every_object_are_looked_at_and_only_numbers_and_text_are_allowed():
    def pair(name):
        return lambda root: root[name].attrs.create("pair", np.zeros(1, [("a", "f4"), ("b", "f4")]))

    for place in ("/", "/layers/head", "/layers/head/vars/0"):
        assert f'{place}, attribute "pair": it holds' in refusal(h5_file(sequential(DENSE), pair(place)), ".h5")

    def ordinary(root):
        root.attrs["layer_names"] = ["head", "other"]
        root["layers"].attrs["weight_names"] = np.array([b"kernel:0", b"bias:0"])
        root["layers/head"].attrs["weight_names"] = np.zeros(0)
        root["layers/head/vars/0"].attrs["trained"] = True

    assert inspect_model(h5_file(sequential(DENSE), ordinary), ".h5", "model").outputs == 2


def test_an_attribute_of_very_many_texts_is_refused():
    file = io.BytesIO()
    with h5py.File(file, "w", libver="latest") as root:
        root.attrs.create("names", ["x"] * 5000, dtype=h5py.string_dtype())
    assert 'attribute "names": it is a list of more than 4,096 texts' in refusal(file.getvalue(), ".h5")


def test_an_array_of_references_is_refused():
    def fill(root):
        root.create_dataset("w", data=np.array([root["layers"].ref], dtype=h5py.ref_dtype), dtype=h5py.ref_dtype)

    assert "/w: it holds object, not numbers" in refusal(h5_file(sequential(DENSE), fill), ".h5")


@pytest.mark.parametrize(
    "error", [RuntimeError, KeyError, OSError, OverflowError, TypeError, EOFError, MemoryError, RecursionError]
)
def test_whatever_is_raised_while_looking_is_said_as_a_refusal_of_the_file(monkeypatch, error):
    def damaged(content, file, trusted, output):
        raise error("bad heap")

    monkeypatch.setitem(INSPECTORS, ".h5", damaged)
    assert re.match(rf"model\.h5: it cannot be read: {error.__name__}: .*bad heap", refusal(b"", ".h5"))


def test_a_layer_without_a_kind_or_a_damaged_file_is_a_refusal():
    assert "cannot be read" in refusal(keras_file(sequential({"config": {"name": "x"}})))
    content, rng = h5_file(sequential(DENSE)), np.random.default_rng(0)
    for _ in range(10):
        damaged = bytearray(content)
        damaged[rng.integers(1500)] = rng.integers(256)
        with contextlib.suppress(ModelError):
            inspect_model(bytes(damaged), ".h5", "model.h5")


def test_a_key_that_stands_twice_is_refused():
    twice = json.dumps(sequential(DENSE))[:-1] + ', "config": {"layers": []}}'
    assert 'the key "config" stands twice' in refusal(keras_file(twice))


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (sequential("Lambda"), 'item 1 of its layers is "Lambda", not an object'),
        ({**sequential(), "config": ["Lambda"]}, 'item 0 of its config is "Lambda", not an object'),
        ({**sequential(), "config": {"layers": "Lambda"}}, 'its layers is "Lambda", not a list'),
        (sequential(layer("TimeDistributed", "t", layer="Lambda")), 'layer "t": its layer is "Lambda"'),
        (sequential(layer("RNN", "r", cell=["LSTMCell"])), 'layer "r": its cell is of the type list'),
        (sequential(layer("StackedRNNCells", "s", cells=["x"])), 'layer "s": item 0 of its cells is "x"'),
        (sequential(layer("Bidirectional", "b", backward_layer="x")), 'layer "b": its backward_layer is "x"'),
        (sequential(layer("Bidirectional", "b", forward_layer=1)), 'layer "b": its forward_layer is of the type int'),
        (sequential({**DENSE, "inbound_nodes": [["_CONSTANT_VALUE", -1, 1, {}]]}), "it holds _CONSTANT_VALUE"),
        (sequential({**DENSE, "x": {"_COMPOSITE_TYPE": 1}}), "it holds _COMPOSITE_TYPE"),
        (sequential({**DENSE, "x": [{"_TYPE": "COMPOSITE"}, "{}"]}), "it holds _TYPE"),
    ],
)
def test_what_stands_for_a_layer_is_an_object_and_nothing_hides_in_a_text(config, said):
    assert said in refusal(keras_file(config))


def test_a_file_that_tf_keras_saved_is_accepted(saved):
    for name in ("small.h5", "small.keras"):
        content = (saved / name).read_bytes()
        assert inspect_model(content, f".{name.split('.')[1]}", name).outputs == 2


def test_a_look_that_takes_too_long_or_kills_its_process_is_a_refusal(monkeypatch):
    for code, said in (
        ("import time; time.sleep(60)", "it takes more than 1.5 seconds"),
        ("import os; os.kill(os.getpid(), 24)", "it takes more than 60 seconds of a processor"),
        ("import os; os.abort()", "the process ended"),
    ):
        monkeypatch.setattr(apart, "_COMMAND", (sys.executable, "-c", code))
        monkeypatch.setattr(apart, "_SECONDS", 1.5)
        for content, ending in ((h5_file(sequential(DENSE)), ".h5"), (keras_file(sequential(DENSE)), ".keras")):
            assert f"could not be looked into: {said}" in refusal(content, ending)


def bomb(times: int) -> bytes:
    """A small file, one of whose attributes holds the same long text many times."""

    def fill(root):
        root.attrs.create("model_config", [b"x" * 1_000_000, *[b"y"] * (times - 1)], dtype=h5py.string_dtype())

    content = bytearray(weights(fill))
    # the length, then where the text is: what stands for a text in the attribute, 16 bytes each
    start = content.index((1_000_000).to_bytes(4, "little"), content.index(b"model_config"))
    assert content[start + 16 : start + 20] == (1).to_bytes(4, "little")
    content[start : start + 16 * times] = content[start : start + 16] * times
    return bytes(content)


def test_a_file_that_takes_too_much_memory_is_refused_with_its_name(monkeypatch):
    monkeypatch.setattr(apart, "_MEMORY", 200_000_000)
    content = bomb(3_000)
    assert len(content) < 2_000_000
    assert refusal(content, ".h5") == "model.h5: it takes more than 200,000,000 bytes of memory to look into"


def test_a_large_ordinary_file_is_looked_into_within_the_memory(monkeypatch):
    monkeypatch.setattr(apart, "_MEMORY", 50_000_000)
    large = h5_file(sequential(DENSE), lambda root: root.create_dataset("w", data=np.zeros(40_000_000, np.float32)))
    assert inspect_model(large, ".h5", "model.h5").outputs == 2


@pytest.mark.parametrize("item", [["relu"], ["__lambda__", "4wEAAAA"], 7, True, {"config": "relu"}])
@pytest.mark.parametrize("key", ["activation", "recurrent_activation", "kernel_initializer", "bias_constraint"])
def test_a_setting_that_names_a_function_is_a_known_name_or_an_object(key, item):
    said = refusal(keras_file(sequential(layer("LSTM", "head", units=2, **{key: item}))))
    assert 'layer "head"' in said
    assert f"its {key} is of the type {type(item).__name__}, which is not a known" in said


def test_weights_alone_and_unknown_endings_are_refused_with_advice():
    assert "model.save" in refusal(weights(), ".h5")
    assert ".onnx" in refusal(b"", ".onnx")


def test_nothing_of_tensorflow_is_imported_before_a_refusal(tmp_path):
    (tmp_path / "a.h5").write_bytes(h5_file(sequential(LAMBDA)))
    (tmp_path / "a.keras").write_bytes(keras_file(sequential(LAMBDA)))
    script = """
import sys, pathlib
from auditor.errors import ModelError
from auditor.models.config import read_config
from auditor.models.load import load_model
for name in ("a.h5", "a.keras"):
    try:
        load_model(pathlib.Path(sys.argv[1]) / name, None)
    except ModelError as error:
        assert "evil" in str(error)
    else:
        raise SystemExit("loaded")
assert not {"tensorflow", "tf_keras", "keras"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)


def test_a_file_with_another_digest_is_refused_with_both_digests(tmp_path):
    path = tmp_path / "a.keras"
    path.write_bytes(b"not even a model")
    with pytest.raises(ModelError, match="names " + "0" * 64) as caught:
        load_model(path, "0" * 64)
    assert hashlib.sha256(b"not even a model").hexdigest() in str(caught.value)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(ModelError, match="No such file"):
        load_model(tmp_path / "gone.keras", None)
