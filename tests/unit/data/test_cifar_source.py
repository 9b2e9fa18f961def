from __future__ import annotations

import pickle
import struct

import numpy as np
import pandas as pd
import pytest

from auditor.data import open_source
from auditor.data.inputs import read_inputs
from auditor.data.plain_pickle import PickleError, read_plain

NAMES = ["airplane", "bird", "cat"]
FINE, COARSE = ["apple", "beaver", "bed", "bee"], ["food", "living"]
EACH = 30


def pixels(number, n=EACH):
    return np.random.default_rng(number).integers(0, 256, (n, 3072), dtype=np.uint8)


def labels(number, n=EACH, classes=3):
    return [(number + k) % classes for k in range(n)]


class Python2:
    """Writes what Python 2 wrote, protocol 2: opcodes, memo and all."""

    def __init__(self):
        self.memo = 0

    def put(self):
        self.memo += 1
        return b"q" + bytes([self.memo]) if self.memo < 256 else b"r" + struct.pack("<I", self.memo)

    def text(self, value):
        value = value if isinstance(value, bytes) else value.encode()
        head = b"U" + bytes([len(value)]) if len(value) < 256 else b"T" + struct.pack("<i", len(value))
        return head + value + self.put()

    def number(self, value):
        return b"K" + bytes([value]) if 0 <= value < 256 else b"M" + struct.pack("<H", value)

    def value(self, value):
        if isinstance(value, np.ndarray):
            return self.array(value)
        if isinstance(value, list):
            made = b"]" + self.put()
            for start in range(0, len(value), 1000):
                made += b"(" + b"".join(self.value(one) for one in value[start : start + 1000]) + b"e"
            return made
        return self.number(value) if isinstance(value, int) else self.text(value)

    def array(self, value):
        made = b"cnumpy.core.multiarray\n_reconstruct\n" + self.put() + b"cnumpy\nndarray\n" + self.put()
        made += b"K\x00\x85" + self.put() + self.text("b") + b"\x87" + self.put() + b"R" + self.put() + b"(K\x01"
        made += self.number(value.shape[0]) + self.number(value.shape[1]) + b"\x86" + self.put()
        made += b"cnumpy\ndtype\n" + self.put() + self.text("u1") + b"K\x00K\x01\x87" + self.put() + b"R" + self.put()
        made += b"(K\x03" + self.text("|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00t" + self.put() + b"b"
        order = b"\x88" if np.isfortran(value) else b"\x89"
        return made + order + self.text(value.tobytes("A")) + b"t" + self.put() + b"b"

    def dump(self, held):
        made = b"\x80\x02}" + self.put() + b"("
        return made + b"".join(self.text(key) + self.value(value) for key, value in held.items()) + b"u."


def dump(held):
    return Python2().dump(held)


def write_binary10(folder):
    for number in range(6):
        name = f"data_batch_{number + 1}.bin" if number < 5 else "test_batch.bin"
        records = np.concatenate([np.array(labels(number), np.uint8)[:, None], pixels(number)], axis=1)
        (folder / name).write_bytes(records.tobytes())
    (folder / "batches.meta.txt").write_text("\n".join([*NAMES, ""]))


def write_python10(folder):
    for number in range(6):
        held = {
            "batch_label": f"training batch {number}",
            "labels": labels(number),
            "data": pixels(number) if number % 2 else np.asfortranarray(pixels(number)),
            "filenames": [f"plane_s_{k:06}.png" for k in range(EACH)],
        }
        (folder / (f"data_batch_{number + 1}" if number < 5 else "test_batch")).write_bytes(dump(held))
    meta = {"num_cases_per_batch": 10000, "label_names": NAMES, "num_vis": 3072}
    (folder / "batches.meta").write_bytes(dump(meta))


def write_binary100(folder):
    for number, name in enumerate(["train.bin", "test.bin"]):
        both = np.array([labels(number, classes=2), labels(number, classes=4)], np.uint8).T
        (folder / name).write_bytes(np.concatenate([both, pixels(number)], axis=1).tobytes())
    (folder / "fine_label_names.txt").write_text("\n".join(FINE))
    (folder / "coarse_label_names.txt").write_text("\n".join(COARSE))


def write_python100(folder):
    for number, name in enumerate(["train", "test"]):
        held = {
            "data": pixels(number),
            "fine_labels": labels(number, classes=4),
            "coarse_labels": labels(number, classes=2),
        }
        (folder / name).write_bytes(dump(held))
    (folder / "meta").write_bytes(dump({"fine_label_names": FINE, "coarse_label_names": COARSE}))


@pytest.fixture
def cifar(tmp_path, make_spec):
    def opened(write=write_binary10, attribute=(), **data):
        (tmp_path / "cifar").mkdir(exist_ok=True)
        write(tmp_path / "cifar")
        source = "cifar100" if write in {write_binary100, write_python100} else "cifar10"
        declared = {"source": source, "path": "cifar", "label": "label"} | data
        return open_source(make_spec(declared, list(attribute)), tmp_path)

    return opened


@pytest.fixture
def damaged(cifar, tmp_path, complaint):
    """What is said where a file of the Python version holds these bytes."""

    def said(content, name="data_batch_2"):
        source = cifar(write_python10)
        (tmp_path / "cifar" / name).write_bytes(content)
        return complaint(source.load)

    return said


def materialised(source, folder):
    folder.mkdir()
    source.materialise(folder)
    return read_inputs(folder)


def images(number):
    return pixels(number).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)


@pytest.mark.parametrize("write", [write_binary10, write_python10])
def test_the_official_files_become_a_dataset_and_its_inputs(cifar, tmp_path, write):
    source = cifar(write)
    dataset = source.load()
    assert dataset.classes == tuple(NAMES)
    assert dataset.labels.tolist() == labels(5)
    assert dataset.examples == tuple(range(EACH))
    assert dataset.groups.names == ((),)
    assert {size.split: size.examples for size in dataset.splits} == {"train": 150, "test": 30, "calibration": 150}
    inputs = materialised(source, tmp_path / "inputs")
    assert np.array_equal(inputs.train_x, np.concatenate([images(number) for number in range(5)]))
    assert np.array_equal(inputs.test_x, images(5))
    assert inputs.train_y.tolist() == [one for number in range(5) for one in labels(number)]


@pytest.mark.parametrize("write", [write_binary100, write_python100])
def test_cifar100_has_fine_and_coarse_labels(cifar, write):
    fine, coarse = cifar(write, label="fine_label").load(), cifar(write, label="coarse_label").load()
    assert (fine.classes, coarse.classes) == (tuple(FINE), tuple(COARSE))
    assert fine.labels.tolist() == labels(1, classes=4)
    assert coarse.labels.tolist() == labels(1, classes=2)


def test_what_is_read_as_data_is_what_pickle_would_give():
    held = {"labels": list(range(300)), "data": pixels(1), "filenames": [f"{k}.png" for k in range(300)]}
    plain, loaded = read_plain(dump(held)), pickle.loads(dump(held), encoding="latin-1")  # noqa: S301 - its own
    assert np.array_equal(plain.pop("data"), loaded.pop("data"))
    assert plain == loaded


def test_attributes_come_from_a_table_by_split_and_index(cifar, tmp_path):
    frame = pd.DataFrame(
        {
            "index": [*range(150), *range(30)],
            "split": ["train"] * 150 + ["test"] * 30,
            "light": np.resize(["day", "night", "dusk"], 180),
            "series": np.arange(180) // 3,
        }
    )
    frame.sample(frac=1, random_state=2).to_csv(tmp_path / "light.csv", index=False)
    dataset = cifar(attribute=["light"], table="light.csv", id="series").load()
    assert dataset.attributes["light"] == ("day", "night", "dusk") * 10
    assert dataset.cluster.tolist() == np.repeat(range(10), 3).tolist()


def test_examples_and_rows_that_lack_each_other_are_told(cifar, tmp_path, complaint):
    frame = pd.DataFrame({"split": ["train"] * 150 + ["test"] * 30, "index": [*range(150), *range(1, 31)], "a": 1})
    frame.to_csv(tmp_path / "a.csv", index=False)
    said = complaint(cifar(attribute=["a"], table="a.csv").load)
    assert "a.csv: row 180: there is no example test 30" in said
    assert "a.csv: test 0: no row is about this example" in said
    frame.drop(columns="index").to_csv(tmp_path / "a.csv", index=False)
    assert 'data.table, index: there is no column "index"' in complaint(cifar(attribute=["a"], table="a.csv").load)


def test_attributes_without_a_table_and_other_splits_are_refused(cifar, complaint):
    assert "data.table: attribute light: the official files hold images and labels only" in complaint(
        cifar(attribute=["light"]).load
    )
    said = complaint(cifar(split={"test_path": "x"}, preprocess={"resize": [8, 8], "color": "grey"}).load)
    assert "data.split: the official files lie in one folder" in said
    assert "data.preprocess.resize" in said
    assert "data.preprocess.color" in said
    assert cifar(split={"test": 0.5}).load().splits[1].examples == 90


def test_missing_and_damaged_binary_files_are_named(cifar, tmp_path, complaint):
    source = cifar()
    (tmp_path / "cifar" / "data_batch_3.bin").unlink()
    assert "there is no data_batch_3.bin" in complaint(source.load)
    source = cifar()
    file = tmp_path / "cifar" / "data_batch_2.bin"
    file.write_bytes(file.read_bytes()[:-1])
    assert "data_batch_2.bin: its 92,189 bytes are no whole number of records of 3,073" in complaint(source.load)
    source = cifar()
    content = bytearray((tmp_path / "cifar" / "test_batch.bin").read_bytes())
    content[3073] = 7
    (tmp_path / "cifar" / "test_batch.bin").write_bytes(content)
    assert "test_batch.bin: record 2: label 7, and there are names of 3 classes" in complaint(source.load)


def test_names_that_are_none_or_stand_twice_are_refused(cifar, tmp_path, complaint, damaged):
    source = cifar()
    (tmp_path / "cifar" / "batches.meta.txt").write_text("cat\ncat\nbird")
    assert "the name of a class stands twice" in complaint(source.load)
    (tmp_path / "cifar" / "batches.meta.txt").unlink()
    assert "label_names: it names no classes" in damaged(dump({"num_vis": 3072}), "batches.meta")


def test_a_file_larger_than_any_official_one_is_refused(cifar, tmp_path, complaint):
    source = cifar()
    with (tmp_path / "cifar" / "test_batch.bin").open("wb") as file:
        file.truncate(300 << 20)
    assert "it is larger than any official file" in complaint(source.load)


def test_files_that_change_meanwhile_are_refused(cifar, tmp_path, complaint):
    source = cifar()
    source.load()
    (tmp_path / "cifar" / "batches.meta.txt").write_text("a\nb\nc")
    assert "the file changed while it was read" in complaint(lambda: materialised(source, tmp_path / "inputs"))


# --- hostile pickles


def test_a_pickle_that_would_run_something_is_refused_by_its_name(damaged):
    class Bomb:
        def __reduce__(self):
            return (print, ("ran",))

    assert "the name __builtin__.print is refused" in damaged(pickle.dumps(Bomb(), 2))


REFUSED = {
    "opcode BINUNICODE, which no official file holds, is refused": pickle.dumps({"data": 1}, 2),
    "it is no pickle of protocol 2": pickle.dumps({"data": 1}, 4),
    "opcode LONG1": b"\x80\x02}U\x01a\x8a\x01\x05s.",
    "opcode INST": b"\x80\x02(ios\nsystem\n.",
    "opcode OBJ": b"\x80\x02(o.",
    "opcode STACK_GLOBAL": b"\x80\x02\x93.",
    "opcode EXT1": b"\x80\x02\x82\x01.",
    "opcode 0xff": b"\x80\x02\xff.",
    "the name os.system is refused": b"\x80\x02cos\nsystem\n.",
    "byte 5: the file is cut off or damaged": b"\x80\x02}U\x7fabc",
    "byte 3: the file is cut off": b"\x80\x02e.",
    "byte 4: the file is cut off": b"\x80\x02h\x09.",
    "it holds no dict": b"\x80\x02K\x01.",
    "something stands beside the one value, or behind it": b"\x80\x02}.}",
    "a list of other things": b"\x80\x02]]a.",
    "a dict whose keys are no texts": b"\x80\x02}K\x01K\x02s.",
    "a state for something that is no array": b"\x80\x02}}b.",
    "an object that is no array of bytes": b"\x80\x02}U\x01acnumpy\ndtype\nU\x02O8\x85Rs.",
    "an array of 9 x 9 does not fit its 1 bytes": dump({"data": pixels(1)[:1, :1]}).replace(
        b"K\x01K\x01\x86", b"K\x09K\x09\x86"
    ),
}


@pytest.mark.parametrize("message", REFUSED)
def test_any_other_pickle_is_refused_with_the_reason(message):
    with pytest.raises(PickleError) as caught:
        read_plain(REFUSED[message])
    assert message in str(caught.value)


def test_endless_opcodes_are_refused():
    with pytest.raises(PickleError, match="more than 1,000,000 opcodes"):
        read_plain(b"\x80\x02" + b"}" * 1_100_000)


@pytest.mark.parametrize(
    "held", [{"labels": [0] * 30}, {"data": pixels(1), "labels": [0]}, {"data": [1], "labels": [1]}]
)
def test_a_batch_without_its_parts_is_refused(damaged, held):
    assert "data_batch_2: data: it is no array" in damaged(dump(held)) or "labels: it is no list" in damaged(dump(held))


def test_an_empty_file_is_refused(damaged):
    assert "data_batch_2: cannot mmap an empty file" in damaged(b"")
