from __future__ import annotations

import gzip
import io
import struct

import numpy as np
import pytest
from PIL import Image
from tfrecords import example, field, masked, record, varint, write

from auditor.data import open_source
from auditor.data.crc32c import crc32c
from auditor.data.inputs import read_inputs
from auditor.data.tfexample import read_example
from auditor.data.tfrecord_file import read_records
from auditor.spec import RecordFeature

FEATURES = {
    "image": {"kind": "image"},
    "smiling": {"kind": "int"},
    "sex": {"kind": "string"},
    "split": {"kind": "string"},
    "age": {"kind": "float"},
    "x": {"kind": "float", "shape": [2, 3]},
}


def picture(number):
    pixels = np.random.default_rng(number).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG")
    return file.getvalue()


def person(number, **more):
    return {
        "image": [picture(number)],
        "smiling": [number % 2],
        "sex": [["F", "M", "M"][number % 3].encode()],
        "split": [b"train" if number < 12 else b"test"],
        "age": [20.5 + number],
        "x": [number + k / 8 for k in range(6)],
    } | more


@pytest.fixture
def source(tmp_path, make_spec):
    """Two files of ten people; twelve train."""
    write(tmp_path / "a-1.tfrecord", map(person, range(10)))
    write(tmp_path / "a-2.tfrecord", map(person, range(10, 20)))

    def opened(attribute=("sex",), **data):
        declared = {"source": "tfrecord", "path": "a-*.tfrecord", "label": "smiling", "tfrecord": FEATURES} | data
        return open_source(make_spec(declared, list(attribute)), tmp_path)

    return opened


def materialised(source, folder):
    folder.mkdir()
    source.materialise(folder)
    return read_inputs(folder)


# --- what is read


def test_the_checksum_is_that_of_the_published_vectors():
    vectors = {b"123456789": 0xE3069283, b"": 0, bytes(32): 0x8A9136AA, b"\xff" * 32: 0x62A8AB43}
    assert crc32c(list(vectors)).tolist() == list(vectors.values())


def test_the_checksum_of_long_and_short_strings_is_that_of_the_definition():
    def slowly(content):
        register = 0xFFFFFFFF
        for byte in content:
            register ^= byte
            for _ in range(8):
                register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
        return register ^ 0xFFFFFFFF

    strings = [np.random.default_rng(n).bytes(n) for n in (0, 1, 3, 4, 5, 100, 4095, 4096, 4097, 8192, 9001)]
    assert crc32c(strings).tolist() == [slowly(one) for one in strings]


def test_images_of_records_become_a_dataset_and_its_inputs(source, tmp_path):
    one = source(preprocess={"resize": [5, 6]})
    dataset = one.load()
    assert dataset.classes == (0, 1)
    assert dataset.examples == tuple(f"a-2.tfrecord#{n}" for n in range(3, 11))
    assert dataset.attributes["sex"] == tuple(["F", "M", "M"][n % 3] for n in range(12, 20))
    inputs = materialised(one, tmp_path / "inputs")
    assert inputs.train_x.shape == (12, 6, 5, 3)
    assert np.array_equal(inputs.test_x[0], np.asarray(Image.open(io.BytesIO(picture(12)))))
    assert inputs.train_y.tolist() == [0, 1] * 6


def test_numbers_of_a_shape_are_read_as_they_are(source, tmp_path):
    one = source(input="x", attribute=[{"name": "age", "bins": [30]}])
    assert one.load().attributes["age"] == ("30+",) * 8
    inputs = materialised(one, tmp_path / "inputs")
    assert inputs.test_x.shape == (8, 2, 3)
    assert inputs.test_x[0].tolist() == [[12, 12.125, 12.25], [12.375, 12.5, 12.625]]


def test_arithmetic_for_pixels_is_refused_of_numbers(source, complaint):
    said = complaint(source(input="x", preprocess={"scale": 2.0}).load)
    assert "data.preprocess.scale: it is for pixels" in said


def test_a_pattern_of_each_split_and_ids_are_read(source, tmp_path):
    paths = {"train_path": "a-1*", "test_path": str(tmp_path / "a-2*")}
    dataset = source(split=paths, id="age").load()
    assert [size.examples for size in dataset.splits] == [10, 10, 10]
    assert dataset.cluster.tolist() == list(range(10))


def test_the_digest_goes_by_content_and_declaration_and_by_no_name(source, tmp_path):
    first = source().load().digest
    assert source(tfrecord=FEATURES | {"y": {"kind": "int"}}).load().digest != first
    (tmp_path / "a-2.tfrecord").rename(tmp_path / "a-3.tfrecord")
    assert source().load().digest == first


def test_what_tensorflow_writes_is_read(tmp_path):
    from auditor.tf import load

    train = load().tf.train
    kinds = {
        "a": train.Feature(int64_list=train.Int64List(value=[-1, 0, 127, 128, 2**40, -(2**63)])),
        "b": train.Feature(float_list=train.FloatList(value=[1.5, -2.0])),
        "c": train.Feature(bytes_list=train.BytesList(value=["größe".encode()])),
    }
    content = train.Example(features=train.Features(feature=kinds)).SerializeToString()
    with load().tf.io.TFRecordWriter(str(tmp_path / "t.tfrecord")) as writer:
        for part in (content, b"", content * 2000):
            writer.write(part)
    ((first, empty, large),) = read_records(tmp_path / "t.tfrecord")
    assert (first, empty, large) == (content, b"", content * 2000)
    wanted = {
        "a": RecordFeature(kind="int", shape=[6]),
        "b": RecordFeature(kind="float", shape=[2]),
        "c": RecordFeature(kind="string"),
    }
    found = read_example(first, wanted)
    assert found["a"].tolist() == [-1, 0, 127, 128, 2**40, -(2**63)]
    assert found["b"].tolist() == [1.5, -2.0]
    assert found["c"] == "größe"


def test_numbers_that_are_not_packed_are_read_too():
    integers = b"".join(b"\x08" + varint(value) for value in (5, 300))
    floats = b"".join(b"\x0d" + struct.pack("<f", value) for value in (0.5, 2.0))
    entries = [("a", field(3, integers)), ("b", field(2, floats))]
    content = field(1, b"".join(field(1, field(1, name.encode()) + field(2, held)) for name, held in entries))
    wanted = {"a": RecordFeature(kind="int", shape=[2]), "b": RecordFeature(kind="float", shape=[2])}
    found = read_example(content + field(7, b"unknown"), wanted)
    assert (found["a"].tolist(), found["b"].tolist()) == ([5, 300], [0.5, 2.0])


# --- what is refused


def change(path, place, by=1):
    content = bytearray(path.read_bytes())
    content[place] = (content[place] + by) % 256
    path.write_bytes(content)


@pytest.mark.parametrize("place", [0, 9, 300, -1])
def test_any_damaged_byte_is_found_by_its_record(source, tmp_path, complaint, place):
    change(tmp_path / "a-1.tfrecord", place)
    number = 10 if place == -1 else 1 if place < len(record(example(person(0)))) else 2
    said = complaint(source().load)
    assert f"a-1.tfrecord: record {number}: " in said
    assert "damaged" in said or "cut off" in said


def test_a_file_that_is_cut_off_is_told_by_its_record(source, tmp_path, complaint):
    file = tmp_path / "a-2.tfrecord"
    content = file.read_bytes()
    for left in (len(content) - 3, len(content) - len(record(example(person(19)))) + 5):
        file.write_bytes(content[:left])
        assert "a-2.tfrecord: record 10: the file ends in it: it is cut off" in complaint(source().load)


def test_a_declared_length_is_not_believed(source, tmp_path, complaint):
    length = struct.pack("<Q", 1 << 60)
    (tmp_path / "a-1.tfrecord").write_bytes(length + masked(length) + b"abc")
    said = complaint(source().load)
    assert "record 1: 1,152,921,504,606,846,976 bytes are more than a record may have" in said
    (tmp_path / "a-1.tfrecord").write_bytes(length + b"1234abc")
    assert "record 1: it is damaged" in complaint(source().load)


def test_gzip_is_refused_with_advice(source, tmp_path, complaint):
    file = tmp_path / "a-1.tfrecord"
    file.write_bytes(gzip.compress(file.read_bytes()))
    said = complaint(source().load)
    assert "it is packed by gzip, which is not read" in said
    assert "gunzip" in said


WRONG = {
    'record 2: there is no feature "smiling"': {"smiling": None},
    'record 2: feature "smiling" holds floats, and is declared to be int': {"smiling": [1.0]},
    'record 2: feature "smiling" has more than 1 values, and its shape [] has 1': {"smiling": [1, 0]},
    'record 2: feature "sex" is no UTF-8 text': {"sex": [b"\xff"]},
    'record 2: feature "image" holds whole numbers': {"image": [1]},
}


@pytest.mark.parametrize("message", WRONG)
def test_a_record_that_is_not_as_declared_is_named(source, tmp_path, complaint, message):
    held = {name: values for name, values in person(1, **WRONG[message]).items() if values is not None}
    write(tmp_path / "a-1.tfrecord", [person(0), held, person(2)])
    assert f"a-1.tfrecord: {message}" in complaint(source().load)


@pytest.mark.parametrize("content", [b"\x0a\xff", b"\x0b", b"\xff" * 12, b"\x0a\x05\x0a\x10"])
def test_a_record_that_is_no_example_is_named(source, tmp_path, complaint, content):
    (tmp_path / "a-1.tfrecord").write_bytes(record(content))
    assert "a-1.tfrecord: record 1: it is no tf.train.Example" in complaint(source().load)


def test_numbers_that_no_model_can_read_are_named(source, tmp_path, complaint):
    write(tmp_path / "a-1.tfrecord", [person(0), person(1, x=[float("nan")] * 6)])
    assert "feature x: a-1.tfrecord#2: NaN, infinite" in complaint(source(input="x").load)


def test_a_damaged_image_is_named_by_its_record(source, tmp_path, complaint):
    write(tmp_path / "a-1.tfrecord", [person(0), person(1, image=[picture(1)[:50]])])
    said = complaint(lambda: materialised(source(), tmp_path / "inputs"))
    assert "a-1.tfrecord#2: the image cannot be read" in said


def test_an_image_of_no_split_is_not_decoded(source, tmp_path):
    write(tmp_path / "a-1.tfrecord", [*map(person, range(10)), person(1, image=[b"none"], split=[b"other"])])
    assert len(materialised(source(), tmp_path / "inputs").train_x) == 12


def test_features_that_are_not_declared_or_of_no_such_kind_are_told(source, complaint):
    said = complaint(source(attribute=["sax", "x"], input="pixels", id="image").load)
    assert 'attribute sax: there is no feature "sax"' in said
    assert 'Did you mean "sex"?' in said
    assert 'data.input: there is no feature "pixels"' in said
    assert 'attribute x: feature "x" is not one value an example' in said
    assert 'data.id: feature "image" is not one value an example' in said
    assert 'data.input: feature "age" is no image, and no numbers of a shape' in complaint(source(input="age").load)


def test_a_pattern_without_files_and_files_without_records_are_told(source, tmp_path, complaint):
    assert "no file has such a name" in complaint(source(path="b-*").load)
    (tmp_path / "c-1").write_bytes(b"")
    assert "the files hold no record" in complaint(source(path="c-*").load)


def test_files_that_change_meanwhile_are_refused(source, tmp_path, complaint):
    one = source()
    one.load()
    write(tmp_path / "a-2.tfrecord", map(person, [30, *range(11, 20)]))
    assert "the file changed while it was read" in complaint(lambda: materialised(one, tmp_path / "inputs"))
