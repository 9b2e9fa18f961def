from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image
from tfrecords import write

from auditor.data import open_source
from auditor.data.inputs import read_inputs

TENSOR = "tensorflow_datasets.core.features.tensor_feature.Tensor"


def picture(number):
    pixels = np.random.default_rng(number).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG")
    return file.getvalue()


def person(number):
    return {
        "image": [picture(number)],
        "mood": [number % 2],
        "attributes/Male": [number % 3 % 2],
        "attributes/town": [b"Bonn" if number % 4 else b"K\xc3\xb6ln"],
        "points": [number + k / 2 for k in range(4)],
    }


def tensor(dtype, *shape, encoding="none"):
    dimensions = {"dimensions": [str(size) for size in shape]} if shape else {}
    return {"pythonClassName": TENSOR, "tensor": {"dtype": dtype, "shape": dimensions, "encoding": encoding}}


FEATURES = {
    "image": {"image": {"dtype": "uint8", "shape": {"dimensions": ["-1", "-1", "3"]}}, "pythonClassName": "x.Image"},
    "mood": {"classLabel": {"numClasses": "2"}, "pythonClassName": "os.system"},
    "attributes": {"featuresDict": {"features": {"Male": tensor("bool"), "town": {"text": {}}}}},
    "points": tensor("float32", 4),
    "packed": tensor("uint8", 2, encoding="zlib"),
    "open": tensor("int64", -1),
    "video": {"sequence": {}},
}


@pytest.fixture
def prepared(tmp_path):
    """A data set as tfds leaves it: twelve train in two files, eight test."""
    folder = tmp_path / "data" / "faces" / "small" / "1.0.0"
    folder.mkdir(parents=True)
    shards = {"train": [range(7), range(7, 12)], "test": [range(12, 20)]}
    for split, parts in shards.items():
        for place, numbers in enumerate(parts):
            write(folder / f"faces-{split}.tfrecord-{place:05}-of-{len(parts):05}", map(person, numbers))
    splits = [{"name": name, "shardLengths": [str(len(one)) for one in parts]} for name, parts in shards.items()]
    (folder / "dataset_info.json").write_text(json.dumps({"name": "faces", "splits": splits, "fileFormat": "tfrecord"}))
    (folder / "features.json").write_text(json.dumps({"featuresDict": {"features": FEATURES}}))
    (folder / "mood.labels.txt").write_text("sad\nglad\n")
    return folder


@pytest.fixture
def source(tmp_path, prepared, make_spec):
    def opened(attribute=("attributes/Male", "attributes/town"), **data):
        declared = {"source": "tfds", "path": "data", "name": "faces/small:1.0.0", "label": "mood"} | data
        return open_source(make_spec(declared, list(attribute)), tmp_path)

    return opened


def materialised(source, folder):
    folder.mkdir()
    source.materialise(folder)
    return read_inputs(folder)


def test_a_prepared_data_set_becomes_a_dataset_and_its_inputs(source, tmp_path):
    one = source(preprocess={"resize": [5, 6]})
    dataset = one.load()
    assert dataset.source == "tfds: faces/small:1.0.0"
    assert dataset.classes == ("glad", "sad")
    assert dataset.labels.tolist() == [1, 0] * 4
    assert dataset.attributes["attributes/Male"] == tuple(["false", "true"][n % 3 % 2] for n in range(12, 20))
    assert dataset.attributes["attributes/town"] == ("Köln", "Bonn", "Bonn", "Bonn") * 2
    assert dataset.examples[0] == "faces-test.tfrecord-00000-of-00001#1"
    inputs = materialised(one, tmp_path / "inputs")
    assert inputs.train_x.shape == (12, 6, 5, 3)
    assert np.array_equal(inputs.test_x[0], np.asarray(Image.open(io.BytesIO(picture(12)))))


def test_numbers_can_be_read_and_the_only_version_need_not_be_named(source, tmp_path):
    one = source(input="points", name="faces/small", split={"test": 0.25})
    assert one.load().splits[1].examples == 5
    assert materialised(one, tmp_path / "inputs").train_x.shape == (15, 4)


def test_labels_that_are_not_known_are_missing(source, prepared, complaint):
    write(prepared / "faces-test.tfrecord-00000-of-00001", [person(n) | {"mood": [-1]} for n in range(8)])
    assert "column mood: faces-test.tfrecord-00000-of-00001#1" in complaint(source().load)
    write(prepared / "faces-test.tfrecord-00000-of-00001", [person(n) | {"mood": [2]} for n in range(8)])
    assert "2 stands for nothing: there are names for 0 to 1" in complaint(source().load)


def test_the_digest_goes_by_names_of_classes_too(source, prepared):
    first = source().load().digest
    (prepared / "mood.labels.txt").write_text("glad\nsad\n")
    assert source().load().digest != first


def test_no_module_that_the_files_name_is_imported(source):
    import sys

    before = set(sys.modules)
    source().load()
    assert not {name for name in set(sys.modules) - before if name.startswith(("tensorflow", "x."))}


def test_features_that_are_not_read_or_not_there_are_told(source, complaint):
    said = complaint(source(["packed", "open", "attributes/Mael"], label="video").load)
    for name in ("packed", "open", "video", "attributes/Mael"):
        assert f'there is no feature "{name}"' in said
    assert 'Did you mean "attributes/Male"?' in said


def test_a_data_set_that_is_not_prepared_is_told(source, prepared, complaint):
    assert "is prepared here" in complaint(source(name="faces:1.0.0").load)
    said = complaint(source(name="faces/small:2.0.0").load)
    assert "There is 1.0.0." in said
    assert '"../faces" names no data set' in complaint(source(name="../faces").load)
    (prepared.parent / "2.0.0").mkdir()
    (prepared.parent / "2.0.0" / "dataset_info.json").write_text("{}")
    assert "there are several versions" in complaint(source(name="faces/small").load)


def test_splits_that_lie_elsewhere_are_refused(source, complaint):
    assert "data.split: the splits lie in one folder" in complaint(source(split={"test_path": "x"}).load)


INFO = [
    ("{", "it is no JSON"),
    ("[]", "it holds no table"),
    ("[" * 100_000, "it is no JSON"),
    ('{"name": "faces"}', "it does not describe its splits"),
    ('{"name": "faces", "splits": []}', "its splits have other names"),
    ('{"name": "..", "splits": [{"name": "a", "shardLengths": ["1"]}]}', "its splits have other names"),
    ('{"name": "faces", "splits": [{"name": "../a", "shardLengths": ["1"]}]}', "its splits have other names"),
    ('{"name": "faces", "splits": [{"name": "val", "shardLengths": ["1"]}]}', "faces-val.tfrecord-00000-of-00001"),
    ('{"name": "faces", "fileFormat": "array_record", "splits": []}', "its files are of the format 'array_record'"),
]


@pytest.mark.parametrize(("content", "message"), INFO)
def test_a_description_that_is_damaged_or_other_is_refused(source, prepared, complaint, content, message):
    (prepared / "dataset_info.json").write_text(content)
    assert message in complaint(source().load)


def test_what_tfds_itself_prepares_is_read(tmp_path, make_spec):
    reason = 'tensorflow-datasets is in the extra "test" only: audits do not need it'
    pytest.importorskip("tensorflow_datasets", reason=reason)
    from auditor.tf import load

    tf = load().tf
    import tensorflow_datasets as tfds

    kinds = tfds.features.FeaturesDict(
        {
            "image": tfds.features.Image(shape=(6, 5, 3)),
            "about": {"mood": tfds.features.ClassLabel(names=["sad", "glad"]), "male": np.bool_, "town": np.str_},
        }
    )

    folder, splits = tmp_path / "data" / "faces" / "1.2.3", {"train": range(12), "test": range(12, 20)}
    folder.mkdir(parents=True)
    for name, numbers in splits.items():
        with tf.io.TFRecordWriter(str(folder / f"faces-{name}.tfrecord-00000-of-00001")) as writer:
            for n in numbers:
                about = {"mood": n % 2, "male": n % 3 == 0, "town": "Bonn"}
                held = kinds.encode_example({"image": np.full((6, 5, 3), n, np.uint8), "about": about})
                writer.write(kinds.serialize_example(held))
    infos = [tfds.core.SplitInfo(name=name, shard_lengths=[len(one)], num_bytes=0) for name, one in splits.items()]
    template = "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}"
    tfds.folder_dataset.write_metadata(
        data_dir=str(folder), features=kinds, split_infos=infos, filename_template=template
    )
    builder = tfds.builder_from_directory(folder)
    data = {"source": "tfds", "path": "data", "name": "faces:1.2.3", "label": "about/mood"}
    spec = make_spec(data | {"preprocess": {"resize": [5, 6]}}, ["about/male", "about/town"])
    source = open_source(spec, tmp_path)
    dataset = source.load()
    theirs = list(tfds.as_numpy(builder.as_dataset(split="test", shuffle_files=False)))
    assert [dataset.classes[label] for label in dataset.labels] == [["sad", "glad"][t["about"]["mood"]] for t in theirs]
    assert dataset.attributes["about/male"] == tuple(str(bool(t["about"]["male"])).lower() for t in theirs)
    assert np.array_equal(materialised(source, tmp_path / "inputs").test_x, [t["image"] for t in theirs])
