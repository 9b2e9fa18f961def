from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from auditor.data import images as image_module
from auditor.data import open_source
from auditor.data.images import decode
from auditor.data.inputs import read_inputs, to_float
from auditor.spec import Preprocess

REAL = Path(__file__).parents[4] / "shared" / "data" / "celeba10k"
NAMES = ["Blond_Hair", "Male", "Smiling"]
COUNT = 30


def picture(number, *, kind="JPEG", size=(16, 20)):
    """Made-up colours, another for every number."""
    pixels = np.random.default_rng(number).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format=kind)
    return file.getvalue()


def write_archive(folder, pictures, prefix="img_align_celeba/", method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(folder / "img_align_celeba.zip", "w", method) as archive:
        for name, data in pictures.items():
            archive.writestr(prefix + name, data)


def write_folder(folder, pictures):
    (folder / "img_align_celeba").mkdir()
    for name, data in pictures.items():
        (folder / "img_align_celeba" / name).write_bytes(data)


@pytest.fixture
def pictures():
    return {f"{number:06}.jpg": picture(number) for number in range(1, COUNT + 1)}


@pytest.fixture
def celeba(tmp_path, pictures):
    """The official lists, without images: of five images three train, one validates and one tests."""
    folder = tmp_path / "celeba"
    folder.mkdir()
    lines = [f"{name} {'1' if n % 2 else '-1'}  {'1' if n % 3 else '-1'} -1" for n, name in enumerate(pictures)]
    (folder / "list_attr_celeba.txt").write_text("\n".join([str(COUNT), " ".join(NAMES) + " ", *lines, ""]))
    partition = [f"{name} {[0, 0, 0, 1, 2][n % 5]}" for n, name in enumerate(pictures)]
    (folder / "list_eval_partition.txt").write_text("\n".join([*partition, ""]))
    return folder


@pytest.fixture
def source(celeba, make_spec):
    def make(attribute=("Male",), also=None, **data):
        declared = {"source": "celeba", "path": "celeba", "label": "Blond_Hair"} | data
        return open_source(make_spec(declared, list(attribute), **(also or {})), celeba.parent)

    return make


def materialised(source, folder):
    folder.mkdir()
    source.materialise(folder)
    return read_inputs(folder)


def replace_line(file, line, text):
    lines = file.read_text().split("\n")
    lines[line - 1] = text
    file.write_text("\n".join(lines))


# --- what is read, and how


@pytest.mark.parametrize("write", [write_folder, write_archive])
def test_the_official_layout_becomes_a_dataset(source, celeba, pictures, write):
    write(celeba, pictures)
    dataset = source().load()
    assert dataset.classes == (-1, 1)
    assert dataset.positive == 1
    assert dataset.examples == ("000005.jpg", "000010.jpg", "000015.jpg", "000020.jpg", "000025.jpg", "000030.jpg")
    assert dataset.labels.tolist() == [0, 1, 0, 1, 0, 1]
    assert dataset.attributes == {"Male": ("Male", "not Male", "Male", "Male", "not Male", "Male")}
    assert [key[0][1] for key in dataset.groups.names[1:]] == ["Male", "not Male"]
    assert {size.split: size.examples for size in dataset.splits} == {"train": 18, "test": 6, "calibration": 18}
    assert dataset.warnings == ()


def test_groups_and_positive_can_be_declared(source, celeba, pictures):
    write_archive(celeba, pictures)
    declared = {"name": "Male", "groups": {"men": [1], "women": [-1]}, "reference": "women"}
    dataset = source(attribute=[declared], positive=-1).load()
    assert dataset.positive == 0
    assert [key[0][1] for key in dataset.groups.names[1:]] == ["men", "women"]


def test_split_all_makes_every_image_a_test_image(source, celeba, pictures, tmp_path):
    write_archive(celeba, pictures)
    (celeba / "list_eval_partition.txt").unlink()
    one = source(split="all")
    assert one.load().examples == tuple(pictures)
    inputs = materialised(one, tmp_path / "inputs")
    assert inputs.train_x.shape == (0, 64, 64, 3)
    assert inputs.test_x.shape == (COUNT, 64, 64, 3)


def test_a_balanced_part_of_each_partition_can_be_drawn(source, celeba, pictures, tmp_path):
    write_archive(celeba, pictures)
    one = source(sample={"train": 6, "test": 4, "balanced": True})
    splits = {size.split: (size.by_class, size.left_out) for size in one.load().splits}
    assert splits["train"] == ((3, 3), (6, 6))
    assert splits["test"] == ((2, 2), (1, 1))
    inputs = materialised(one, tmp_path / "inputs")
    assert [len(x) for x in (inputs.train_x, inputs.test_x)] == [6, 4]
    chosen = [int(name.partition(".")[0]) for name in one.load().examples]
    expected = [decode(pictures[f"{number:06}.jpg"], Preprocess()) for number in chosen]
    assert np.array_equal(inputs.test_x, expected)


def test_the_validation_partition_can_test_or_calibrate(source, celeba, pictures):
    write_archive(celeba, pictures)
    dataset = source(split={"column": "partition", "train": 0, "test": 1}).load()
    assert dataset.examples[0] == "000004.jpg"
    assert dataset.warnings == ('6 rows in neither split, by column partition ("2": 6).',)
    split = {"column": "partition", "train": 0, "test": 2}
    assert source(split=split, calibration={"split": 1}).load().splits[2].examples == 6
    assert source(calibration={"split": 1}).load().splits[2].examples == 6


def test_images_are_decoded_in_order_to_uint8(source, celeba, pictures, tmp_path):
    write_archive(celeba, pictures)
    inputs = materialised(source(preprocess={"resize": (8, 10), "scale": 127.5, "offset": -1.0}), tmp_path / "inputs")
    assert inputs.train_x.shape == (18, 10, 8, 3)
    assert inputs.test_x.dtype == np.uint8
    assert inputs.train_y.tolist() == [n % 2 for n in range(COUNT) if n % 5 < 3]
    for row, name in enumerate(["000005.jpg", "000010.jpg"]):
        expected = Image.open(io.BytesIO(pictures[name])).resize((8, 10), Image.Resampling.BILINEAR)
        assert np.array_equal(inputs.test_x[row], np.asarray(expected))
    assert np.allclose(to_float(inputs.test_x, inputs), inputs.test_x / 127.5 - 1, atol=1e-6)


def test_folder_and_archive_give_the_same_inputs(source, celeba, pictures, tmp_path):
    write_archive(celeba, pictures)
    one = materialised(source(), tmp_path / "a")
    write_folder(celeba, pictures)
    other = materialised(source(), tmp_path / "b")
    for name in ("train_x", "test_x", "calibration_x", "train_y"):
        assert np.array_equal(getattr(one, name), getattr(other, name))


def test_an_archive_may_hold_its_images_without_a_folder(source, celeba, pictures):
    write_archive(celeba, pictures, prefix="")
    assert len(source().load().examples) == 6


def test_loading_decodes_no_image(source, celeba, pictures):
    write_folder(celeba, dict.fromkeys(pictures, b"no image"))
    assert len(source().load().examples) == 6


@pytest.mark.parametrize("write", [write_folder, write_archive])
def test_the_digest_follows_the_images(source, celeba, pictures, write):
    write(celeba, pictures)
    digest = source().load().digest
    assert source().load().digest == digest
    if write is write_folder:
        (celeba / "img_align_celeba" / "000007.jpg").write_bytes(picture(99))
    else:
        write(celeba, pictures | {"000007.jpg": picture(99)})
    assert source().load().digest != digest
    assert source(preprocess={"color": "grey"}).load().digest != source().load().digest


@pytest.mark.parametrize("write", [write_folder, write_archive])
def test_a_test_image_that_is_a_training_image_is_counted(source, celeba, pictures, write):
    write(celeba, pictures | {"000005.jpg": pictures["000001.jpg"]})
    dataset = source().load()
    (warning,) = dataset.warnings
    assert warning.startswith("1 of the 6 test examples (16.7%) equals a training example in features, attributes and")
    assert dataset.splits[2].examples == 17


# --- preprocessing


def test_crop_color_and_resize():
    pixels = np.zeros((20, 16, 3), dtype=np.uint8)
    pixels[5:15, 4:12] = [255, 0, 0]
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG")
    red = decode(file.getvalue(), Preprocess(crop=(4, 5, 12, 15), resize=(4, 6)))
    assert red.shape == (6, 4, 3)
    assert (red == [255, 0, 0]).all()
    grey = decode(file.getvalue(), Preprocess(crop=(4, 5, 12, 15), resize=(4, 6), color="grey"))
    assert grey.shape == (6, 4, 1)
    assert (grey == 76).all()


def test_grey_and_palette_images_become_rgb():
    for mode in ("L", "P", "RGBA"):
        file = io.BytesIO()
        Image.new(mode, (4, 4)).save(file, format="PNG")
        assert decode(file.getvalue(), Preprocess()).shape == (64, 64, 3)


def test_a_crop_beyond_the_image_is_an_error_that_names_it(source, celeba, pictures, tmp_path, complaint):
    write_archive(celeba, pictures)
    one = source(preprocess={"crop": (0, 0, 17, 20)})
    text = complaint(lambda: materialised(one, tmp_path / "inputs"))
    assert "000001.jpg: the image cannot be read: crop [0, 0, 17, 20] reaches beyond the image of 16 x 20" in text


def test_an_empty_crop_is_an_error_before_any_image_is_read(source, celeba, pictures, complaint):
    write_archive(celeba, pictures)
    assert "data.preprocess.crop: [9, 0, 9, 20] is empty" in complaint(source(preprocess={"crop": (9, 0, 9, 20)}).load)


# --- what is amiss


def test_missing_files_are_named_together(source, celeba, complaint):
    (celeba / "list_attr_celeba.txt").unlink()
    (celeba / "list_eval_partition.txt").unlink()
    text = complaint(source().load)
    for name in ("list_attr_celeba.txt", "list_eval_partition.txt", "img_align_celeba (a folder)"):
        assert f"there is no {name}" in text


def test_unknown_attributes_are_errors_with_the_nearest(source, celeba, pictures, complaint):
    write_archive(celeba, pictures)
    text = complaint(source(attribute=["Mail", "Smilng"], label="Blonde_Hair").load)
    assert 'data.label: there is no attribute "Blonde_Hair"\n    Did you mean "Blond_Hair"?' in text
    assert 'attribute Mail: there is no attribute "Mail"\n    Did you mean "Male"?' in text
    assert 'Did you mean "Smiling"?' in text


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("000003.jpg 1 1", "expected an image and 3 values that are 1 or -1"),
        ("000003.jpg 1 0 1", "expected an image and 3 values that are 1 or -1"),
        ("000003.jpg 1 1 1 1", "expected an image and 3 values that are 1 or -1"),
        ("000002.jpg 1 1 1", "the image 000002.jpg is listed twice"),
        ("../../x.jpg 1 1 1", '"../../x.jpg" is no name of an image'),
        ("a/x.jpg 1 1 1", '"a/x.jpg" is no name of an image'),
    ],
)
def test_a_malformed_attribute_line_is_named_with_its_number(source, celeba, pictures, complaint, line, said):
    write_archive(celeba, pictures)
    replace_line(celeba / "list_attr_celeba.txt", 5, line)
    assert f"list_attr_celeba.txt:5: {said}" in complaint(source().load)


@pytest.mark.parametrize("line", ["000003.jpg 3", "000003.jpg", "000003.jpg x", "000003.jpg 0 0"])
def test_a_malformed_partition_line_is_named_with_its_number(source, celeba, pictures, complaint, line):
    write_archive(celeba, pictures)
    replace_line(celeba / "list_eval_partition.txt", 3, line)
    assert "list_eval_partition.txt:3: expected an image and its partition" in complaint(source().load)


def test_an_image_without_partition_is_named(source, celeba, pictures, complaint):
    write_archive(celeba, pictures)
    replace_line(celeba / "list_eval_partition.txt", 3, "")
    assert "000003.jpg: the image has no partition" in complaint(source().load)


def test_a_list_that_is_cut_off_is_an_error(source, celeba, pictures, complaint):
    write_archive(celeba, pictures)
    replace_line(celeba / "list_attr_celeba.txt", 32, "")
    assert "list_attr_celeba.txt:1: line 1 says that there are 30 images, and there are 29" in complaint(source().load)


@pytest.mark.parametrize("text", ["", "30\n", "thirty\na b\n", "000001.jpg 1\n000002.jpg 1\n"])
def test_a_list_without_head_is_an_error(source, celeba, pictures, complaint, text):
    write_archive(celeba, pictures)
    (celeba / "list_attr_celeba.txt").write_text(text)
    assert "list_attr_celeba.txt:1: expected the number of images in line 1" in complaint(source().load)


@pytest.mark.parametrize("write", [write_folder, write_archive])
def test_missing_images_are_named_ten_at_once(source, celeba, pictures, complaint, write):
    write(celeba, {name: data for name, data in pictures.items() if name > "000012.jpg"})
    text = complaint(source().load)
    assert "000001.jpg: the image is listed, but missing" in text
    assert "000010.jpg: the image is listed, but missing" in text
    assert "000011.jpg" not in text
    assert "and 2 more of this kind" in text


@pytest.mark.parametrize("write", [write_folder, write_archive])
def test_corrupt_images_are_named_together(source, celeba, pictures, complaint, tmp_path, write):
    gif = io.BytesIO()
    Image.new("L", (4, 4)).save(gif, format="GIF")
    bad = {
        "000001.jpg": b"no image",
        "000005.jpg": pictures["000005.jpg"][:300],
        "000010.jpg": b"",
        "000011.jpg": gif.getvalue(),
    }
    write(celeba, pictures | bad)
    text = complaint(lambda: materialised(source(), tmp_path / "inputs"))
    for name in bad:
        assert f"{name}: the image cannot be read" in text
    assert text.count("cannot be read") == 4


def test_an_image_of_a_later_partition_is_not_read(source, celeba, pictures, tmp_path):
    write_archive(celeba, pictures | {"000004.jpg": b"no image"})
    assert materialised(source(), tmp_path / "inputs").test_x.shape[0] == 6


def png_of(width, height):
    """The head of a PNG that declares a size, and hardly any pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [10_000, 30_000])
def test_a_decompression_bomb_is_an_error_that_names_it(source, celeba, pictures, complaint, tmp_path, side):
    write_archive(celeba, pictures | {"000005.jpg": png_of(side, side)})
    text = complaint(lambda: materialised(source(), tmp_path / "inputs"))
    assert "000005.jpg: the image cannot be read" in text
    assert "decompression bomb" in text


def test_an_archive_that_unpacks_to_a_multiple_of_itself_is_refused(source, celeba, pictures, complaint):
    write_archive(celeba, pictures | {"000005.jpg": bytes(40 * 2**20)}, method=zipfile.ZIP_DEFLATED)
    assert "declares to unpack to" in complaint(source().load)


def test_an_image_file_of_absurd_size_is_refused(source, celeba, pictures, complaint, monkeypatch):
    monkeypatch.setattr(image_module, "LARGEST_FILE", 5000)
    write_folder(celeba, pictures | {"000005.jpg": bytes(5001)})
    assert "000005.jpg: 5,001 bytes are more than an image may have" in complaint(source().load)


def test_a_damaged_archive_is_an_error(source, celeba, pictures, complaint, tmp_path):
    write_archive(celeba, pictures)
    file = celeba / "img_align_celeba.zip"
    data = bytearray(file.read_bytes())
    data[data.index(pictures["000005.jpg"]) + 350] ^= 255
    file.write_bytes(data)
    text = complaint(lambda: materialised(source(), tmp_path / "inputs"))
    assert "000005.jpg: the image cannot be read: Bad CRC-32" in text
    file.write_bytes(bytes(data[:2000]))
    assert "img_align_celeba.zip: the archive cannot be read" in complaint(source().load)


def test_what_celeba_does_not_have_is_an_error(source, celeba, pictures, complaint):
    write_archive(celeba, pictures)
    assert "data.id: the official files of CelebA hold no id" in complaint(source(id="person").load)
    assert "data.split: CelebA's images lie in one place" in complaint(source(split={"test_path": "x"}).load)
    assert 'data.split.column: there is no column "part"' in complaint(source(split={"column": "part"}).load)


def test_calibrating_on_the_test_partition_is_an_error(source, celeba, pictures, complaint):
    write_archive(celeba, pictures)
    assert 'data.calibration.split: "2" is the test split' in complaint(source(calibration={"split": 2}).load)


@pytest.mark.skipif(not REAL.is_dir(), reason="the images of CelebA are not in ../shared/data/celeba10k")
def test_the_real_files_are_read(make_spec, tmp_path):
    data = {"source": "celeba", "path": str(REAL), "label": "Blond_Hair", "split": {"test": 0.01}}
    data["preprocess"] = {"resize": (16, 16)}
    crossed = [{"attributes": ["Male", "Young"]}]
    official = open_source(make_spec(data | {"split": None}, ["Male", "Young"], intersection=crossed), tmp_path).load()
    assert {size.split: size.examples for size in official.splits[:2]} == {"train": 5000, "test": 4000}
    assert len(official.groups.names) == 9
    inputs = materialised(open_source(make_spec(data, ["Male"]), tmp_path), tmp_path / "inputs")
    assert inputs.train_x.shape == (9900, 16, 16, 3)
    assert inputs.test_x.std() > 20
