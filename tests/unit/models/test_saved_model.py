"""Folders of SavedModels: packed, looked into, run by their signature."""

from __future__ import annotations

import hashlib
import subprocess

import numpy as np
import pytest

from auditor.errors import ModelError
from auditor.models.inspect import inspect_model
from auditor.models.load import open_model, read_model, read_pinned
from auditor.models.saved_model import PACKED, pack

X = np.random.default_rng(1).normal(size=(9, 6)).astype(np.float32)


@pytest.fixture(scope="module")
def folder(small, tmp_path_factory):
    """The model of the other tests, as tf_keras exports it."""
    from auditor.tf import quiet

    path = tmp_path_factory.mktemp("saved") / "model"
    with quiet():
        small.export(path)
    return path


def saved(folder, respond):
    """A SavedModel whose signature does what a function does."""
    from auditor.tf import load, quiet

    tf = load().tf

    class Module(tf.Module):
        def __init__(self):
            super().__init__()
            self.weights = tf.Variable(np.eye(6, 2, dtype=np.float32))

    module = Module()
    asked = tf.function(
        lambda x: {"out": respond(tf, x, module)}, input_signature=[tf.TensorSpec([None, 6], tf.float32, "x")]
    )
    with quiet():
        tf.saved_model.save(module, str(folder), signatures={"serving_default": asked})
    return pack(folder)


def test_a_folder_decides_as_the_model_that_was_exported(small, folder):
    content, digest = read_model(folder)
    facts = inspect_model(content, PACKED, "model")
    assert (facts.input_shape, facts.outputs) == ((6,), 2)
    model = open_model(content, PACKED, "model")
    np.testing.assert_allclose(model.score(X), np.asarray(small(X)), rtol=1e-6)
    assert sum(each.size for each in model.weights()) == small.count_params()
    assert model.trainable is None
    assert read_pinned(folder, digest)[1] == digest


def test_the_digest_is_that_of_the_list_that_the_command_prints(folder, tmp_path):
    command = ["sh", "-c", "find . -type f | LC_ALL=C sort | xargs sha256sum"]
    listed = subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout
    content, digest = read_model(folder)
    assert digest == hashlib.sha256(listed).hexdigest()
    (tmp_path / f"model{PACKED}").write_bytes(content)
    assert read_model(tmp_path / f"model{PACKED}") == (content, digest)


def test_models_of_keras_3_and_whole_ones_of_tf_keras_are_accepted(small, tmp_path):
    from auditor.tf import keras3, quiet, reseed

    reseed(1)
    keras = keras3()
    tokens = keras.Input((12,))
    x = keras.layers.Embedding(50, 8, mask_zero=True)(tokens)
    x = keras.layers.Dropout(0.2)(keras.layers.Bidirectional(keras.layers.LSTM(4))(x))
    model = keras.Model(tokens, keras.layers.Dense(1, activation="sigmoid")(x))
    with quiet():
        model.export(str(tmp_path / "three"))
        small.save(tmp_path / "two")
    opened = open_model(pack(tmp_path / "three"), PACKED, "model")
    x = np.random.default_rng(2).integers(0, 50, (3, 12)).astype(np.float32)
    np.testing.assert_allclose(opened.score(x), np.asarray(model(x)), rtol=1e-5)
    assert inspect_model(pack(tmp_path / "two"), PACKED, "two").outputs == 2


@pytest.mark.parametrize(
    ("respond", "said"),
    [
        (lambda tf, x, _: (tf.io.write_file("never", "x"), x)[1], "operator WriteFile"),
        (lambda tf, x, _: x * tf.cast(tf.strings.length(tf.io.read_file("/etc/passwd")), tf.float32), "ReadFile"),
        (lambda tf, x, _: tf.ensure_shape(tf.py_function(lambda a: a, [x], tf.float32), [None, 6]), "EagerPyFunc"),
        (lambda tf, x, _: (tf.print(x, output_stream="file://never"), x)[1], "PrintV2"),
        (lambda tf, x, _: x + tf.random.stateless_normal([6], [1, 2]), "no chance"),
        (lambda tf, x, _: x * tf.constant(1.0, shape=[20_000, 10_000])[0, 0], "constants together grow"),
    ],
    ids=["writes", "reads", "python", "prints", "chance", "bomb"],
)
def test_what_does_more_than_compute_is_refused_before_it_is_loaded(tmp_path, respond, said):
    content = saved(tmp_path / "model", respond)
    with pytest.raises(ModelError, match=said):
        inspect_model(content, PACKED, "model")


def test_a_file_operator_is_found_inside_a_branch_and_in_what_runs_at_loading(tmp_path):
    def branching(tf, x, _):
        return tf.cond(tf.reduce_sum(x) > 0, lambda: (tf.io.write_file("never", "x"), x)[1], lambda: x)

    with pytest.raises(ModelError, match="WriteFile"):
        inspect_model(saved(tmp_path / "branch", branching), PACKED, "model")

    def looking_up(tf, x, module):
        module.table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer([1], [2.0]), 0.0)
        return x * module.table.lookup(tf.constant([1]))

    with pytest.raises(ModelError, match="filled when it is loaded"):
        inspect_model(saved(tmp_path / "table", looking_up), PACKED, "model")


def test_what_is_no_part_of_a_saved_model_is_refused(folder, tmp_path):
    import shutil

    for name, said in (("assets/words.txt", "other assets"), ("link", "a link")):
        copy = tmp_path / name.partition("/")[0]
        shutil.copytree(folder, copy)
        (copy / name).parent.mkdir(exist_ok=True)
        if name == "link":
            (copy / name).symlink_to("/etc/passwd")
        else:
            (copy / name).write_text("words")
        with pytest.raises(ModelError, match=said):
            pack(copy)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=r"no saved_model\.pb"):
        inspect_model(pack(tmp_path / "empty"), PACKED, "empty")


def test_damage_is_an_error_or_changes_nothing_that_is_looked_at(folder):
    content = pack(folder)
    start = content.index(b"saved_model.pb") + len("saved_model.pb")
    rng = np.random.default_rng(4)
    for place in rng.integers(start, len(content), 200):
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(rng.integers(8))
        try:
            inspect_model(bytes(damaged), PACKED, "damaged")
        except ModelError:
            continue
        # a byte of the archive's index, or of a part that no look needs


def test_functions_that_stand_in_for_each_other_are_all_looked_at(tmp_path):
    from auditor.tf import load, quiet

    tf, keras = load().tf, load().tf_keras
    model = keras.Sequential([keras.layers.Input((5, 3)), keras.layers.LSTM(4), keras.layers.Dense(2)])
    with quiet():
        model.export(str(tmp_path / "model"))
    content = pack(tmp_path / "model")
    assert b"api_implements" in content
    x = np.random.default_rng(3).normal(size=(4, 5, 3)).astype(np.float32)
    opened = open_model(content, PACKED, "model")
    np.testing.assert_allclose(opened.score(x), np.asarray(model(x)), rtol=1e-5)
    assert tf.config.optimizer.get_experimental_options()["implementation_selector"] is False
