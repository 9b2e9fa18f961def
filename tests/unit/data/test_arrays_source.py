from __future__ import annotations

import io
import pickle
import zipfile

import numpy as np
import pytest

from auditor.data import open_source
from auditor.data.inputs import read_inputs

N = 60


def make(n=N, seed=0, **more):
    rng = np.random.default_rng(seed)
    arrays = {
        "x": rng.integers(0, 256, (n, 4, 5, 3), dtype=np.uint8),
        "y": np.resize([3, 7], n),
        "sex": np.resize(["F", "M", "M"], n),
        "split": np.array(["train"] * (n // 2) + ["test"] * (n - n // 2)),
    }
    return arrays | more


def save_archive(path, arrays):
    np.savez_compressed(path / "faces.npz", **arrays)
    return "faces.npz"


def save_folder(path, arrays):
    (path / "faces").mkdir()
    for name, array in arrays.items():
        np.save(path / "faces" / f"{name}.npy", array)
    return "faces"


@pytest.fixture
def source(tmp_path, make_spec):
    def opened(path, attribute=("sex",), also=None, **data):
        declared = {"source": "arrays", "path": path, "label": "y"} | data
        return open_source(make_spec(declared, list(attribute), **(also or {})), tmp_path)

    return opened


def materialised(source, folder):
    folder.mkdir()
    source.materialise(folder)
    return read_inputs(folder)


@pytest.mark.parametrize("save", [save_archive, save_folder])
def test_arrays_by_name_become_a_dataset_and_its_inputs(source, tmp_path, save):
    arrays = make()
    one = source(save(tmp_path, arrays))
    dataset = one.load()
    assert dataset.classes == (3, 7)
    assert dataset.labels.tolist() == [0, 1] * 15
    assert dataset.attributes["sex"][:3] == ("F", "M", "M")
    assert dataset.examples == tuple(range(30, 60))
    assert dataset.warnings == ()
    inputs = materialised(one, tmp_path / "inputs")
    assert inputs.test_x.dtype == np.uint8
    assert np.array_equal(inputs.train_x, arrays["x"][:30])
    assert np.array_equal(inputs.test_x, arrays["x"][30:])
    assert inputs.train_y.tolist() == [0, 1] * 15
    assert (inputs.scale, inputs.offset) == (255.0, 0.0)


def test_an_archive_and_a_folder_of_one_content_give_the_same_inputs(source, tmp_path):
    packed = materialised(source(save_archive(tmp_path, make())), tmp_path / "a")
    loose = materialised(source(save_folder(tmp_path, make())), tmp_path / "b")
    assert np.array_equal(packed.test_x, loose.test_x)


def test_suffixes_make_the_split_as_mnist_has_it(source, tmp_path):
    train, test = make(40), make(20, seed=1)
    layout = {f"{n}_train": train[n] for n in ("x", "y", "sex")} | {f"{n}_test": test[n] for n in ("x", "y", "sex")}
    one = source(save_archive(tmp_path, layout))
    dataset = one.load()
    assert dataset.examples == tuple(range(20))
    assert {size.split: size.examples for size in dataset.splits} == {"train": 40, "test": 20, "calibration": 40}
    assert np.array_equal(materialised(one, tmp_path / "inputs").test_x, test["x"])


def test_files_can_be_one_a_split_and_the_split_can_be_dealt(source, tmp_path):
    np.savez(tmp_path / "a.npz", **make(40))
    np.savez(tmp_path / "b.npz", **make(20, seed=1))
    assert source("a.npz", split={"test_path": "b.npz"}).load().splits[1].examples == 20
    assert source("a.npz", split={"test": 0.25}).load().splits[1].examples == 10
    assert source("a.npz", split="all").load().splits[0].examples == 40


def test_the_source_is_told_from_the_ending(tmp_path):
    from auditor.declare import load_spec

    text = (
        'schema = 1\nattribute = ["sex"]\n[model]\narchitecture = "mlp"\n[data]\npath = "x.npz"\nlabel = "y"\n'
        '[[compression]]\nmethod = "float16"\n'
    )
    (tmp_path / "audit.toml").write_text(text)
    assert load_spec(tmp_path / "audit.toml").spec.data.source == "arrays"


@pytest.mark.parametrize("dtype", ["float32", "float64", ">f4", "float16", "int64", "bool"])
def test_other_numbers_are_read_as_float32_as_they_are(source, tmp_path, dtype):
    x = np.random.default_rng(0).integers(0, 2, (N, 6)).astype(dtype)
    inputs = materialised(source(save_archive(tmp_path, make(x=x))), tmp_path / "inputs")
    assert inputs.test_x.dtype == np.dtype("float32")
    assert np.array_equal(inputs.test_x, x[30:].astype(np.float32))


def test_arithmetic_for_pixels_is_refused_where_numbers_are_read_as_they_are(source, tmp_path, complaint):
    path = save_archive(tmp_path, make(x=make()["x"].astype(np.float32)))
    said = complaint(source(path, preprocess={"mean": [0.5], "std": [0.5]}).load)
    assert "data.preprocess.mean: it is for pixels (uint8), and these inputs are numbers" in said
    assert "data.preprocess.std" in said
    assert source(path).load()


def test_pictures_of_two_axes_get_their_channel_where_they_are_grey(source, tmp_path):
    path = save_archive(tmp_path, make(x=make()["x"][..., 0]))
    assert materialised(source(path), tmp_path / "a").test_x.shape == (30, 4, 5)
    assert materialised(source(path, preprocess={"color": "grey"}), tmp_path / "b").test_x.shape == (30, 4, 5, 1)


def test_more_than_a_chunk_is_poured_in_order(source, tmp_path, monkeypatch):
    monkeypatch.setattr("auditor.data.streams.CHUNK_BYTES", 7 * 60)
    arrays = make()
    inputs = materialised(source(save_archive(tmp_path, arrays), split={"test": 0.4}), tmp_path / "inputs")
    dataset = source("faces.npz", split={"test": 0.4}).load()
    assert np.array_equal(inputs.test_x, arrays["x"][list(dataset.examples)])


def test_labels_of_bytes_and_of_one_column_are_read(source, tmp_path):
    y = np.resize([b"no", b"yes"], N).reshape(-1, 1)
    assert source(save_archive(tmp_path, make(y=y))).load().classes == ("no", "yes")


def test_clusters_and_equal_examples_are_told(source, tmp_path):
    arrays = make(person=np.arange(N) // 2)
    arrays["x"][40] = arrays["x"][3]
    arrays["person"][41] = 0
    dataset = source(save_archive(tmp_path, arrays), id="person").load()
    assert dataset.cluster.max() == 15
    assert "1 of the 30 test examples (3.3%) equals a training example" in dataset.warnings[0]
    assert "1 of the 30 test examples shares its id" in dataset.warnings[1]
    sizes = {size.split: size.examples for size in dataset.splits}
    assert sizes["calibration"] == 29


def test_the_digest_changes_with_the_content_and_not_with_the_path(source, tmp_path):
    first = source(save_folder(tmp_path, make())).load().digest
    (tmp_path / "faces" / "unused.npy").write_bytes(b"nothing")
    assert source("faces").load().digest == first
    (tmp_path / "faces").rename(tmp_path / "others")
    assert source("others").load().digest == first
    np.save(tmp_path / "others" / "y.npy", np.resize([7, 3], N))
    assert source("others").load().digest != first


def test_arrays_that_change_meanwhile_are_refused(source, tmp_path, complaint):
    one = source(save_folder(tmp_path, make()))
    one.load()
    np.save(tmp_path / "faces" / "x.npy", make(seed=9)["x"])
    assert "x.npy: the file changed while it was read" in complaint(lambda: materialised(one, tmp_path / "inputs"))


# --- what is refused


BROKEN = {
    "array x: it holds Python objects, which are pickled": {"x": np.array([{"a": 1}] * N, dtype=object)},
    "array y: it holds Python objects": {"y": np.array([None] * N)},
    "array sex: it has 59 entries, and x has 60": {"sex": np.resize(["F", "M"], N - 1)},
    "array y: its shape is (60, 2): expected one value an example": {"y": np.eye(2)[np.resize([0, 1], N)]},
    "array y: it holds complex128": {"y": np.ones(N, dtype=complex)},
    "column y: row 3: the label is missing": {"y": np.where(np.arange(N) == 2, np.nan, np.resize([1.0, 2.0], N))},
    "array x: its shape (60,) is none": {"x": np.zeros(N)},
    "array x: its shape () is none": {"x": np.array(3)},
    "array x: it holds <U1": {"x": np.full((N, 2), "a")},
    "array x: row 5: NaN, infinite": {"x": np.where(np.arange(N)[:, None] == 4, np.nan, np.ones((N, 2)))},
    "array x: rows 1, 2": {"x": np.where(np.arange(N)[:, None] < 2, 1e300, np.ones((N, 2)))},
    "array x: row 60: NaN, infinite, or beyond": {
        "x": np.where(np.arange(N)[:, None] == 59, 2**24, np.ones((N, 2), int))
    },
    "array x: it is stored column by column": {"x": np.asfortranarray(make()["x"])},
    "array x: it is a structured array": {"x": np.zeros(N, dtype=[("a", "f4")])},
}


@pytest.mark.parametrize("message", BROKEN)
@pytest.mark.parametrize("save", [save_archive, save_folder])
def test_an_array_that_cannot_be_audited_is_named(source, tmp_path, complaint, save, message):
    path = save(tmp_path, make(**BROKEN[message]))
    said = complaint(source(path).load)
    assert message in said
    assert str(tmp_path / path) in said


def test_pickled_content_is_never_run(source, tmp_path, complaint):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "touched"), "w"))

    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|O", "fortran_order": False, "shape": (N,)})
    save_folder(tmp_path, make())
    (tmp_path / "faces" / "y.npy").write_bytes(header.getvalue() + pickle.dumps([Bomb()] * N))
    assert "array y: it holds Python objects" in complaint(source("faces").load)
    assert not (tmp_path / "touched").exists()


def test_missing_arrays_are_told_at_once_with_the_nearest_name(source, tmp_path, complaint):
    said = complaint(source(save_archive(tmp_path, make()), attribute=["sax"], label="z").load)
    assert 'data.label: there is no array "z"' in said
    assert 'attribute sax: there is no array "sax"' in said
    assert 'Did you mean "sex"?' in said


def test_a_declared_size_is_not_believed(source, tmp_path, complaint):
    save_folder(tmp_path, make())
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (10**12, 64)})
    (tmp_path / "faces" / "x.npy").write_bytes(header.getvalue() + b"0" * 100)
    assert "array x: it declares 64,000,000,000,000 entries" in complaint(source("faces").load)


def test_a_file_that_is_cut_off_is_refused(source, tmp_path, complaint):
    save_folder(tmp_path, make())
    file = tmp_path / "faces" / "x.npy"
    file.write_bytes(file.read_bytes()[:-10])
    assert "array x: it declares 3,600 entries" in complaint(source("faces").load)
    file.write_bytes(b"\x93NUMPY\x09\x00")
    assert "array x: it cannot be read" in complaint(source("faces").load)
    for header in (b"{'descr': '|u1', 'fortran_order': False, 'shape': (-60, -4)}", b"{'descr': '|u1', ("):
        file.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(240))
        assert "array x: it cannot be read: its" in complaint(source("faces").load)
    file.write_bytes(b"no array")
    assert "array x: it cannot be read" in complaint(source("faces").load)


def test_a_bomb_is_refused_before_it_is_unpacked(source, tmp_path, complaint):
    with zipfile.ZipFile(tmp_path / "faces.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", bytes(20 << 20))
    assert "no archive of data does" in complaint(source("faces.npz").load)


def test_a_damaged_archive_is_refused(source, tmp_path, complaint):
    save_archive(tmp_path, make())
    file = tmp_path / "faces.npz"
    content = bytearray(file.read_bytes())
    content[2000] ^= 0xFF
    file.write_bytes(content)
    assert "array x: it cannot be read" in complaint(source("faces.npz").load)
    file.write_bytes(content[:1000])
    assert "the archive cannot be read" in complaint(lambda: source("faces.npz").load())


def test_an_array_that_stands_twice_is_refused(source, tmp_path, complaint):
    with zipfile.ZipFile(tmp_path / "faces.npz", "w") as archive:
        archive.writestr("x.npy", b"a")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("x.npy", b"b")
    assert "x.npy: the name stands more than once" in complaint(source("faces.npz").load)


def test_a_split_beside_suffixes_is_refused(source, tmp_path, complaint):
    layout = {f"{n}{s}": make()[n] for n in ("x", "y", "sex") for s in ("_train", "_test")}
    path = save_archive(tmp_path, layout)
    assert "data.split: the arrays x_train and x_test are the split" in complaint(source(path, split="all").load)


def test_parts_of_different_shape_are_refused(source, tmp_path, complaint):
    layout = {f"{n}{s}": make()[n] for n in ("x", "y", "sex") for s in ("_train", "_test")}
    layout["x_test"] = layout["x_test"].astype(np.float32)
    assert "array x_test: its examples are float32" in complaint(source(save_archive(tmp_path, layout)).load)


def test_pixels_are_read_as_they_are(source, tmp_path, complaint):
    said = complaint(source(save_archive(tmp_path, make()), preprocess={"resize": [8, 8], "crop": [0, 0, 2, 2]}).load)
    assert "data.preprocess.crop: the pixels of this source are read as they are" in said
    assert "data.preprocess.resize" in said
    grey = complaint(source("faces.npz", preprocess={"color": "grey"}).load)
    assert "are declared to be grey pictures" in grey


def test_what_is_no_file_of_arrays_is_refused(source, tmp_path, complaint):
    (tmp_path / "x.pkl").write_bytes(b"")
    assert "arrays are read from .npz files and folders" in complaint(source("x.pkl").load)
    assert "there is no such file or folder" in complaint(source("y.npz").load)
