from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from auditor.data import open_source
from auditor.data.inputs import read_inputs

COUNT = 24


def picture(number, kind="PNG"):
    pixels = np.random.default_rng(number).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format=kind)
    return file.getvalue()


def table(**more):
    """Twelve train, twelve test."""
    columns = {
        "image": [f"pictures/{n:02}.png" for n in range(COUNT)],
        "animal": np.resize(["cat", "dog"], COUNT),
        "light": np.resize(["day", "night", "day"], COUNT),
        "split": ["train"] * 12 + ["test"] * 12,
    }
    return pd.DataFrame(columns | more)


@pytest.fixture
def listed(tmp_path, make_spec):
    """Write a manifest beside its pictures and open it."""

    def opened(frame=None, attribute=("light",), **data):
        (tmp_path / "pictures").mkdir(exist_ok=True)
        for n in range(COUNT):
            (tmp_path / "pictures" / f"{n:02}.png").write_bytes(picture(n))
        (table() if frame is None else frame).to_csv(tmp_path / "list.csv", index=False)
        declared = {"source": "images", "path": "list.csv", "label": "animal"} | data
        return open_source(make_spec(declared, list(attribute)), tmp_path)

    return opened


@pytest.fixture
def folders(tmp_path, make_spec):
    """Write class folders and open them: `folders(["train/cat", "train/dog", ...])`."""

    def opened(places, attribute=(), frame=None, **data):
        for place in places:
            (tmp_path / "zoo" / place).mkdir(parents=True, exist_ok=True)
            for n in range(4):
                number = n + 10 * places.index(place)
                (tmp_path / "zoo" / place / f"{n}.jpg").write_bytes(picture(number, "JPEG"))
        if frame is not None:
            frame.to_parquet(tmp_path / "zoo.parquet")
            data["table"] = "zoo.parquet"
        declared = {"source": "images", "path": "zoo", "label": "animal"} | data
        return open_source(make_spec(declared, list(attribute)), tmp_path)

    return opened


FLAT = ["cat", "dog"]
SPLIT = ["test/cat", "test/dog", "train/cat", "train/dog", "val/cat"]


def materialised(source, folder):
    folder.mkdir()
    source.materialise(folder)
    return read_inputs(folder)


def attributes(places, **more):
    names = [f"{place}/{n}.jpg" for place in places for n in range(4)]
    return pd.DataFrame({"image": names, "light": np.resize(["day", "night"], len(names))} | more)


# --- manifests


def test_a_manifest_becomes_a_dataset_and_its_inputs(listed, tmp_path):
    source = listed(preprocess={"resize": [7, 9]})
    dataset = source.load()
    assert dataset.classes == ("cat", "dog")
    assert dataset.examples[:2] == ("pictures/12.png", "pictures/13.png")
    assert dataset.attributes["light"][:3] == ("day", "night", "day")
    inputs = materialised(source, tmp_path / "inputs")
    assert inputs.train_x.shape == (12, 9, 7, 3)
    assert np.array_equal(inputs.test_x[0], np.asarray(Image.open(io.BytesIO(picture(12)))))
    assert inputs.train_y.tolist() == [0, 1] * 6


def test_a_manifest_of_each_split_and_ids_are_read(listed, tmp_path):
    source = listed(table(person=np.arange(COUNT) // 2).iloc[:12], id="person", split={"test_path": "test.csv"})
    table(person=np.arange(COUNT) // 4).iloc[12:].to_csv(tmp_path / "test.csv", index=False)
    dataset = source.load()
    assert dataset.cluster.tolist() == np.repeat([0, 1, 2], 4).tolist()
    assert "12 of the 12 test examples share their id" in dataset.warnings[-1]


def test_manifests_in_several_folders_are_refused(listed, tmp_path, complaint):
    source = listed(split={"test_path": "other/test.csv"})
    assert "the manifests lie in several folders" in complaint(source.load)


def test_what_is_named_outside_the_folder_is_refused(listed, tmp_path, complaint):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "link.png").symlink_to("/etc/hostname")
    names = table()["image"].tolist()
    names[:6] = ["/etc/passwd", "../x.png", "a\\b.png", "pictures/link.png", "", "pictures/../../x.png"]
    said = complaint(listed(table(image=names)).load)
    assert "column image: rows 1, 2, 3, 6: images are named relative to the table's folder" in said
    assert "row 4: a link leads out of the table's folder" in said
    assert "row 5: no image is named" in said


def test_an_image_that_is_missing_or_listed_twice_is_told(listed, complaint):
    assert "pictures/99.png: the image is listed, but missing" in complaint(
        listed(table(image=[*table()["image"][:-1], "pictures/99.png"])).load
    )
    again = [*table()["image"][:-1], "./pictures//00.png"]
    assert "column image: rows 1, 24: the image is listed twice" in complaint(listed(table(image=again)).load)


def test_columns_that_a_manifest_lacks_are_told(listed, complaint):
    said = complaint(listed(input="file", attribute=["lihgt"]).load)
    assert 'data.input: there is no column "file"' in said
    assert 'Did you mean "light"?' in said


def test_a_table_beside_a_manifest_and_an_empty_crop_are_refused(listed, complaint):
    said = complaint(listed(table="x.csv", preprocess={"crop": [5, 5, 5, 9]}).load)
    assert "data.table: data.path is no folder" in said
    assert "data.preprocess.crop: [5, 5, 5, 9] is empty" in said


@pytest.mark.parametrize("filled_up", [False, True])
def test_a_damaged_image_is_named_when_it_is_decoded(listed, tmp_path, complaint, monkeypatch, filled_up):
    monkeypatch.setattr("PIL.ImageFile.LOAD_TRUNCATED_IMAGES", filled_up)  # as WeasyPrint sets it, for all
    source = listed()
    (tmp_path / "pictures" / "03.png").write_bytes(picture(3)[:60])
    (tmp_path / "pictures" / "04.png").write_bytes(b"GIF89a")
    source.load()
    said = complaint(lambda: materialised(source, tmp_path / "inputs"))
    assert "pictures/03.png: the image cannot be read" in said
    assert "pictures/04.png: the image cannot be read: it is neither JPEG nor PNG" in said


def test_images_that_change_meanwhile_are_refused(listed, tmp_path, complaint):
    source = listed()
    source.load()
    (tmp_path / "pictures" / "03.png").write_bytes(picture(99))
    assert "changed while they were read" in complaint(lambda: materialised(source, tmp_path / "inputs"))


def test_equal_images_of_both_splits_are_told_and_do_not_calibrate(listed, tmp_path):
    source = listed()
    (tmp_path / "pictures" / "03.png").write_bytes(picture(20))
    dataset = source.load()
    assert "1 of the 12 test examples (8.3%) equals a training example" in dataset.warnings[0]
    assert {size.split: size.examples for size in dataset.splits}["calibration"] == 11


# --- class folders


def test_class_folders_are_split_by_chance(folders):
    dataset = folders(FLAT).load()
    assert dataset.classes == ("cat", "dog")
    assert {size.split: size.examples for size in dataset.splits} == {"train": 6, "test": 2, "calibration": 6}
    assert set(dataset.examples) <= {f"{animal}/{n}.jpg" for animal in FLAT for n in range(4)}


def test_folders_of_splits_are_the_split(folders, tmp_path):
    source = folders(SPLIT)
    dataset = source.load()
    assert dataset.examples == tuple(f"test/{animal}/{n}.jpg" for animal in FLAT for n in range(4))
    assert dataset.labels.tolist() == [0] * 4 + [1] * 4
    assert dataset.warnings == ('4 rows in neither split, by column split ("val": 4).',)
    assert materialised(source, tmp_path / "inputs").train_x.shape == (8, 64, 64, 3)
    other = folders(SPLIT, split={"column": "split", "train": "test", "test": "val"})
    assert other.load().splits[1].examples == 4


def test_attributes_of_class_folders_stand_in_a_table(folders):
    frame = attributes(SPLIT, person=np.arange(20)).sample(frac=1, random_state=1)
    dataset = folders(SPLIT, ["light"], frame, id="person").load()
    assert dataset.attributes["light"] == ("day", "night") * 4
    assert dataset.cluster.tolist() == list(range(8))


def test_a_split_in_the_table_is_the_split(folders):
    frame = attributes(FLAT, split=["train", "test"] * 4)
    assert folders(FLAT, ["light"], frame).load().splits[1].examples == 4


def test_every_image_has_one_row_and_every_row_an_image(folders, complaint):
    frame = attributes(FLAT)
    frame.loc[0, "image"] = "cat/9.jpg"
    frame.loc[1, "image"] = "dog/3.jpg"
    frame.loc[2, "image"] = None
    said = complaint(folders(FLAT, ["light"], frame).load)
    assert "row 1: there is no example cat/9.jpg" in said
    assert "row 3: there is no example (missing)" in said
    assert "row 8: a second row is about dog/3.jpg" in said
    assert "zoo.parquet: cat/0.jpg: no row is about this example" in said


def test_attributes_without_a_table_are_refused(folders, complaint):
    said = complaint(folders(FLAT, ["light"], id="person").load)
    assert "data.table: data.id, attribute light: class folders hold classes only" in said


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["."], "3.jpg: it is in no class folder"),
        (["cat/young"], "some images lie as dog/3.jpg, others as cat/young/3.jpg"),
        (["a/b/c"], "it is a folder in a class folder"),
    ],
)
def test_another_layout_is_refused(folders, complaint, extra, message):
    assert message in complaint(folders([*FLAT, *extra]).load)


def test_a_path_that_does_not_exist_is_told(folders, complaint):
    assert "zoo: there is no such file or folder" in complaint(folders([]).load)


def test_a_folder_without_images_and_split_paths_are_refused(folders, tmp_path, complaint):
    (tmp_path / "zoo").mkdir()
    assert "no image is in it" in complaint(folders([]).load)
    assert "class folders lie in one folder" in complaint(folders(FLAT, split={"test_path": "x"}).load)


def test_other_files_are_left_out_with_a_word_and_hidden_ones_without(folders, tmp_path):
    source = folders(FLAT)
    (tmp_path / "zoo" / "cat" / "notes.txt").write_text("")
    (tmp_path / "zoo" / ".DS_Store").write_text("")
    said = '1 file left out for another ending than .png, .jpg, .jpeg, such as "cat/notes.txt".'
    assert source.load().warnings == (said,)


def test_an_image_whose_name_is_no_text_is_refused_and_another_file_left_out(folders, tmp_path, complaint):
    source = folders(FLAT)
    (tmp_path / "zoo" / "cat" / "notes\udcff.txt").write_text("")
    (warning,) = source.load().warnings
    assert warning.encode()
    (tmp_path / "zoo" / "cat" / "z\udcff.jpg").write_bytes(picture(1))
    assert "z\ufffd.jpg: its name is no UTF-8 text" in complaint(folders([]).load)


def test_a_link_out_of_the_class_folders_is_refused(folders, tmp_path, complaint):
    source = folders(FLAT)
    (tmp_path / "secret.jpg").write_bytes(picture(1))
    (tmp_path / "zoo" / "cat" / "z.jpg").symlink_to(tmp_path / "secret.jpg")
    assert "cat/z.jpg: a link leads out of the folder" in complaint(source.load)


def test_the_digest_goes_by_names_and_content_and_by_no_path(folders, tmp_path):
    first = folders(FLAT).load().digest
    (tmp_path / "zoo" / "dog" / "0.jpg").rename(tmp_path / "zoo" / "dog" / "zero.jpg")
    renamed = folders([]).load().digest
    assert renamed != first
    (tmp_path / "zoo").rename(tmp_path / "park")
    assert folders([], path="park").load().digest == renamed
