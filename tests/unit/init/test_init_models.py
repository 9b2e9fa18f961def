"""A first audit.toml of given models: their inputs, outputs and digests."""

from __future__ import annotations

import re
import shutil
import tomllib

import numpy as np
import pytest

from auditor import init
from auditor.errors import ModelError, SpecError

CLASS_FOLDERS = [f"{name}/{i}.png" for name in ("cat", "dog") for i in range(30)]


@pytest.fixture
def onnx_file(tmp_path):
    """An .onnx file of one linear layer that ends in a softmax."""
    onnx = pytest.importorskip("onnx", reason="makes the files")

    def make(name="small.onnx", shape=(3,), units=2):
        helper, size = onnx.helper, int(np.prod(shape))
        weights = onnx.numpy_helper.from_array(np.ones((size, units), np.float32), "w")
        nodes = [
            helper.make_node("Flatten", ["x"], ["f"]),
            helper.make_node("MatMul", ["f", "w"], ["h"]),
            helper.make_node("Softmax", ["h"], ["y"]),
        ]
        ends = [helper.make_tensor_value_info(n, 1, ("b", *s)) for n, s in (("x", shape), ("y", (units,)))]
        graph = helper.make_graph(nodes, "graph", ends[:1], ends[1:], [weights])
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        (tmp_path / name).write_bytes(made.SerializeToString())
        return tmp_path / name

    return make


def todo(**wishes):
    return init.draft(init.Wishes(**wishes), init.decided, wishes["data"].parent).todo


def test_a_given_model_is_looked_into_and_pinned(first, people, model_file):
    text, checked = first(people, model=model_file())
    declared = tomllib.loads(text)
    assert "# small.h5: input 3, 2 outputs, ends in softmax" in text
    assert declared["model"]["path"] == "small.h5"
    assert len(declared["model"]["sha256"]) == 64
    assert declared["data"]["classes"] == ["no", "yes"]
    assert checked.variants == (("baseline", 1), ("int8", 1))
    offered = re.sub("(?m)^# ", "", text[text.index("# [population]") :].partition("\n\n")[0])
    assert tomllib.loads(offered)["compression"][0]["method"] == "prune"


def test_an_artifact_needs_its_baseline_and_is_all_that_is_compared(first, people, model_file, complaint):
    path, int8 = model_file(), model_file("int8.h5")
    assert "--artifact: is compared with a baseline, which is missing" in complaint(first, people, artifact=path)
    text, checked = first(people, model=path, artifact=int8)
    assert [one["artifact"] for one in tomllib.loads(text)["compression"]] == ["int8.h5"]
    assert [name for name, _ in checked.variants] == ["baseline", "int8"]
    offered = re.sub("(?m)^# ", "", text[text.index("# [[compression]]") :].partition("\n\n")[0])
    assert tomllib.loads(offered)["compression"] == [{"name": "int8-here", "method": "int8"}]


def test_an_artifact_that_is_called_as_the_baseline_gets_a_name(first, people, model_file):
    _text, checked = first(people, model=model_file("a/baseline.h5"), artifact=model_file("b/baseline.h5"))
    assert [name for name, _ in checked.variants] == ["baseline", "compressed"]


def test_a_star_names_a_population_of_files(first, people, model_file, tmp_path, complaint):
    for run in ("1", "2", "x.y z"):
        for name in ("base", "int8"):
            model_file(f"runs-{run}/{name}.h5")
    base, int8 = tmp_path / "runs-*/base.h5", tmp_path / "runs-*/int8.h5"
    text, checked = first(people, model=base, artifact=int8)
    declared = tomllib.loads(text)
    assert declared["model"]["path"] == "runs-*/base.h5"
    assert [*declared["model"]["sha256"]] == [*declared["compression"][0]["sha256"]] == ["1", "2", "x.y z"]
    assert "the first of 3 files" in text
    assert checked.variants == (("baseline", 3), ("int8", 3))
    assert "do not pair" in complaint(first, people, model=base, artifact=tmp_path / "r*s-1/int8.h5")
    one = tmp_path / "runs-1/int8.h5"
    assert "one file cannot be compared with a population" in complaint(first, people, model=base, artifact=one)
    assert "no file matches the star" in complaint(first, people, model=tmp_path / "none-*/base.h5")


def test_onnx_is_compared_and_compressed_no_further(first, people, onnx_file, complaint):
    path = onnx_file()
    said = complaint(first, people, model=path)
    assert "--model: a .onnx model cannot be compressed further" in said
    assert "Name a compressed file with --artifact" in said
    text, checked = first(people, model=path, artifact=onnx_file("int8.onnx"))
    assert [one["artifact"] for one in tomllib.loads(text)["compression"]] == ["int8.onnx"]
    assert "prune" not in text
    assert [name for name, _ in checked.variants] == ["baseline", "int8"]


def test_the_folder_of_a_saved_model_is_given_like_a_file(first, people, tmp_path, complaint):
    from auditor.models.architectures import build
    from auditor.tf import quiet

    with quiet():
        build("mlp", (6,), 2, {"hidden": [4]}).export(tmp_path / "saved")
    shutil.copytree(tmp_path / "saved", tmp_path / "smaller")
    assert "a SavedModel model cannot be compressed further" in complaint(first, people, model=tmp_path / "saved")
    text, checked = first(people, model=tmp_path / "saved", artifact=tmp_path / "smaller")
    assert tomllib.loads(text)["model"]["path"] == "saved"
    assert "its last activation is not told" in text
    assert [name for name, _ in checked.variants] == ["baseline", "smaller"]


def test_outputs_that_are_not_the_classes_need_a_mapping(first, people, model_file, tmp_path, complaint):
    path = model_file(units=5)
    said = complaint(first, people, model=path)  # of validating, not of writing
    assert "the model has 5 outputs, the data has 2 classes" in said
    text = (tmp_path / "audit.toml").read_text("utf-8")
    assert '# classes = { 3 = "yes" }' in text
    told = todo(data=tmp_path / "people.parquet", model=path)
    assert told[0] == "--model: it has 5 outputs, and the data 2 classes: fill in `classes` under [data]"
    filled = tomllib.loads(re.sub("(?m)^# (?=classes = )", "", text))
    assert filled["data"]["classes"] == {"3": "yes"}


def test_values_that_are_numbers_of_outputs_are_written_as_such(first, people, model_file, tmp_path):
    frame = people.assign(approved=np.resize([0, 2, 3], len(people)))
    path = model_file(units=5)
    text, checked = first(frame, model=path)
    assert tomllib.loads(text)["data"]["classes"] == [0, 1, 2, 3, 4]
    assert not any("classes" in told for told in todo(data=tmp_path / "people.parquet", model=path))
    assert [name for name, _ in checked.variants] == ["baseline", "int8"]
    # 7 is no number of five outputs
    with pytest.raises(ModelError, match="the model has 5 outputs, the data has 3 classes"):
        first(people.assign(approved=np.resize([0, 2, 7], len(people))), model=path)
    assert "\n# classes = { 0 = 0, 1 = 2, 2 = 7 }" in (tmp_path / "audit.toml").read_text("utf-8")


def test_a_single_output_cannot_tell_three_classes_apart(first, people, model_file):
    frame = people.assign(approved=np.resize(["no", "yes", "maybe"], len(people)))
    with pytest.raises(ModelError, match="the model has 1 output, and the data has 3 classes"):
        first(frame, model=model_file(units=1, activation="sigmoid"))


def test_a_single_output_without_a_sigmoid_may_be_either(first, people, model_file, tmp_path):
    path = model_file(units=1, activation="linear")
    text, _ = first(people, model=path)
    assert '\n# outputs = "logits"' in text
    assert tomllib.loads(text.replace('\n# outputs = "logits"', '\noutputs = "logits"'))["model"]["outputs"] == "logits"
    assert "may be a probability or a logit" in todo(data=tmp_path / "people.parquet", model=path)[0]
    text, _ = first(people, model=model_file(units=1, activation="sigmoid"))
    assert "outputs = " not in text


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [
        ((24, 32, 3), {"resize": [32, 24]}),
        ((3, 24, 32), {"resize": [32, 24]}),
        ((28, 28, 1), {"resize": [28, 28], "color": "grey"}),
        ((1, 28, 28), {"resize": [28, 28], "color": "grey"}),
        ((28, 28), {"resize": [28, 28], "color": "grey"}),
        ((784,), {"resize": [28, 28], "color": "grey"}),
        ((3072,), {"resize": [32, 32]}),
        ((None, None, 3), {"resize": [12, 10]}),
    ],
)
def test_pictures_are_made_to_fit_the_given_model(first, pictures, model_file, shape, wanted):
    layers = [("GlobalAveragePooling2D", {"name": "mean"})] if None in shape else []
    text, _ = first(data=pictures(CLASS_FOLDERS), model=model_file(shape=shape, layers=layers))
    assert tomllib.loads(text)["data"]["preprocess"] == wanted
    assert "`auditor validate` tells when the model decides at chance" in text


def test_channels_first_of_an_onnx_file_fit_too(first, pictures, onnx_file):
    files = {"model": onnx_file(shape=(3, 16, 20)), "artifact": onnx_file("small-2.onnx", shape=(3, 16, 20))}
    text, _ = first(data=pictures(CLASS_FOLDERS), **files)
    assert tomllib.loads(text)["data"]["preprocess"] == {"resize": [20, 16]}


def test_a_model_that_rescales_pixels_itself_is_handed_them_as_they_are(first, pictures, model_file):
    layers = [("Rescaling", {"name": "scale", "scale": 1 / 255, "offset": 0})]
    text, _ = first(data=pictures(CLASS_FOLDERS), model=model_file(shape=(16, 16, 3), layers=layers))
    assert tomllib.loads(text)["data"]["preprocess"] == {"resize": [16, 16], "scale": 1.0}


def test_a_model_that_cannot_read_the_data_is_refused(first, pictures, model_file, tmp_path, complaint):
    said = complaint(first, data=pictures(CLASS_FOLDERS), model=model_file(shape=(8, 8, 4)))
    assert "the model reads examples of shape 8 x 8 x 4: no images of one or three colours" in said
    np.savez(
        tmp_path / "made.npz",
        x=np.arange(2560, dtype=np.uint16).view(np.uint8)[:2560].reshape(40, 8, 8),
        y=np.arange(40) % 2,
    )
    said = complaint(first, data=tmp_path / "made.npz", model=model_file(shape=(9, 9, 1)))
    assert "the model reads examples of shape 9 x 9 x 1, the data has 8 x 8" in said
    text, _ = first(data=tmp_path / "made.npz", model=model_file(shape=(8, 8, 1)))
    assert tomllib.loads(text)["data"]["preprocess"] == {"color": "grey"}


def test_columns_that_are_more_than_the_model_reads_are_counted(first, people, model_file, tmp_path):
    text, _ = first(people, model=model_file(shape=(4,)))
    said = "the model reads 4 numbers, and the columns give 601; with the attributes, use_as_feature = true, 604"
    assert f"# But {said}." in text
    assert todo(data=tmp_path / "people.parquet", model=tmp_path / "small.h5") == (
        f"--model: {said}: see [data.features]",
    )
    text, _ = first(people.drop(columns=["note"]), model=model_file(shape=(1,)))
    assert "But" not in text


def test_a_missing_or_refused_model_is_named(first, people, tmp_path, model_file):
    with pytest.raises(ModelError, match=r"none\.keras"):
        first(people, model=tmp_path / "none.keras")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ModelError, match=r"the folder is no SavedModel: it holds no saved_model\.pb"):
        first(people, model=tmp_path / "folder")
    with pytest.raises(SpecError, match="--predictions"):
        first(people.assign(base_0=1, int8_0=1), predictions=("base_*", "int8_*"), model=model_file())


@pytest.mark.parametrize("name", ['a"b\t# c', "[a]='b.c'", "ä\u2028\u202e"])
def test_hostile_names_of_models_and_classes_are_quoted(first, people, model_file, tmp_path, name):
    for kind in ("base", "int8"):
        model_file(f"run {name}/{kind} {name}.h5")
    frame = people.assign(approved=people["approved"].replace({"yes": name}))
    text, _ = first(frame, model=tmp_path / f"run */base {name}.h5", artifact=tmp_path / f"run */int8 {name}.h5")
    declared = tomllib.loads(text)
    assert [*declared["model"]["sha256"]] == [name]
    assert declared["model"]["path"] == f"run */base {name}.h5"
    assert name in declared["data"]["classes"]
    text, _ = first(frame, model=tmp_path / f"run {name}/base {name}.h5")
    assert tomllib.loads(text)["model"]["path"] == f"run {name}/base {name}.h5"
