"""A first audit.toml of pictures, arrays and official files: every one of these validates as it is written."""

from __future__ import annotations

import tomllib

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from auditor.errors import DataError, SpecError

CLASS_FOLDERS = [f"{name}/{i}.png" for name in ("cat", "dog") for i in range(30)]
DEALT = [f"{split}/{name}/{i}.png" for split in ("train", "test") for name in ("cat", "dog", "owl") for i in range(8)]
FEATURES = ("person_id", "hired_on", "note", "gap")


def test_class_folders_without_a_table_are_audited_by_class_and_say_what_stays_unknown(first, pictures):
    text, checked = first(data=pictures(CLASS_FOLDERS))
    declared = tomllib.loads(text)
    assert declared["attribute"] == []
    assert "stays unknown" in text
    assert "--table TABLE" in text
    assert declared["model"] == {"architecture": "cnn"}
    assert declared["data"]["preprocess"] == {"resize": [12, 10]}
    assert checked.data.classes == ("cat", "dog")
    assert "\n\n\n" not in text
    assert text.endswith("\n")
    assert {"no class loses recall", "accuracy holds"} == {gate["name"] for gate in declared["gate"]}


def test_class_folders_of_splits_keep_their_split(first, pictures):
    text, checked = first(data=pictures(DEALT), label="animal")
    assert tomllib.loads(text)["data"]["split"] == {"column": "split", "train": "train", "test": "test"}
    assert "positive" not in tomllib.loads(text)["data"]
    assert checked.data.classes == ("cat", "dog", "owl")


def test_where_nothing_is_called_test_validation_is_the_test_split(first, pictures):
    text, checked = first(data=pictures([name.replace("test/", "val/") for name in DEALT]))
    assert 'test = "val" }  # guessed: nothing is called test' in text
    assert {one.split: one.examples for one in checked.data.splits}["test"] == 24


def test_a_table_of_attributes_is_of_use_whatever_they_are_called(first, pictures, tmp_path):
    pd.DataFrame({"image": CLASS_FOLDERS, "light": ["day", "night"] * 30}).to_csv(tmp_path / "t.csv", index=False)
    text, _ = first(data=pictures(CLASS_FOLDERS), table=tmp_path / "t.csv")
    assert 'name = "light"  # guessed' in text


@pytest.mark.parametrize("column", ["image", "file"])
def test_a_table_gives_class_folders_their_attributes(first, pictures, tmp_path, column):
    table = pd.DataFrame({column: CLASS_FOLDERS, "sex": ["f", "m", "m"] * 20, "light": range(60)})
    table.to_csv(tmp_path / "animals.csv", index=False)
    text, checked = first(data=pictures(CLASS_FOLDERS), table=tmp_path / "animals.csv")
    declared = tomllib.loads(text)
    assert declared["data"]["table"] == "animals.csv"
    assert declared["data"].get("input", "image") == column
    assert [one["name"] for one in declared["attribute"]] == ["sex"]
    assert (("sex", "m"),) in {group[0] for group in checked.data.groups}


def test_large_pictures_become_smaller_and_grey_ones_stay_grey(first, pictures):
    text, _ = first(data=pictures(CLASS_FOLDERS, (200, 100), "L"))
    assert tomllib.loads(text)["data"]["preprocess"] == {"resize": [64, 64], "color": "grey"}
    assert "200 x 100 pixels" in text


@pytest.mark.parametrize("column", ["image", "photo"])
def test_a_table_that_names_pictures_beside_it_is_a_manifest(first, people, pictures, column):
    names = [f"all/{i}.png" for i in range(60)]
    folder = pictures(names)
    frame = people.head(60).drop(columns=[*FEATURES]).assign(**{column: names})
    frame.to_parquet(folder / "list.parquet", index=False)
    text, checked = first(data=folder / "list.parquet")
    declared = tomllib.loads(text)
    assert (declared["data"]["source"], declared["data"].get("input", "image")) == ("images", column)
    assert [one["name"] for one in declared["attribute"]] == ["age", "maritalStatus"]
    assert "features" not in declared["data"]
    assert checked.data.positive in {"yes", "no"}


def test_names_of_pictures_that_lie_elsewhere_make_no_manifest(first, people):
    text, _ = first(people.assign(photo=[f"{i}.png" for i in range(600)]))
    assert "source" not in tomllib.loads(text)["data"]


def arrays(folder, suffixes=("",), n=40, **more):
    rng = np.random.default_rng(1)
    held = {}
    for suffix in suffixes:
        held[f"x{suffix}"] = rng.integers(0, 256, (n, 12, 12), dtype=np.uint8)
        held[f"y{suffix}"] = rng.integers(0, 3, n)
        held |= {name + suffix: made(rng, n) for name, made in more.items()}
    np.savez(folder / "made.npz", **held)
    return folder / "made.npz"


def test_arrays_are_told_apart_by_their_names_and_shapes(first, tmp_path):
    data = arrays(
        tmp_path,
        sex=lambda rng, n: rng.choice(["f", "m"], n),
        landmarks=lambda rng, n: rng.normal(size=(n, 4)),
        short=lambda _, n: np.zeros(n - 1),
    )
    text, checked = first(data=data)
    declared = tomllib.loads(text)
    assert declared["data"]["label"] == "y"
    assert declared["data"]["preprocess"] == {"color": "grey"}
    assert declared["model"] == {"architecture": "cnn"}
    assert [one["name"] for one in declared["attribute"]] == ["sex"]
    assert "source" in declared["data"]
    assert checked.data.classes == (0, 1, 2)


def test_arrays_of_splits_declare_none(first, tmp_path):
    text, checked = first(data=arrays(tmp_path, ("_train", "_test")))
    assert "split" not in tomllib.loads(text)["data"]
    assert "# split: the arrays x_train and x_test are the split" in text
    assert tomllib.loads(text)["attribute"] == []
    assert {one.split: one.examples for one in checked.data.splits}["test"] == 40


def test_a_folder_of_npy_files_of_plain_numbers(first, tmp_path):
    folder = tmp_path / "arrays"
    folder.mkdir()
    rng = np.random.default_rng(2)
    np.save(folder / "embedding.npy", rng.normal(size=(50, 16)))
    np.save(folder / "labels.npy", rng.choice(["a", "b"], 50))
    np.save(folder / "age.npy", rng.integers(18, 90, 50))
    text, checked = first(data=folder)
    declared = tomllib.loads(text)
    assert declared["data"]["input"] == "embedding"
    assert declared["model"] == {"architecture": "mlp"}
    assert "preprocess" not in declared["data"]
    assert declared["attribute"][0]["name"] == "age"
    assert len(declared["attribute"][0]["bins"]) > 1
    assert checked.data.classes == ("a", "b")


def test_one_hot_labels_and_pickled_arrays_say_why_they_are_no_label(first, tmp_path, complaint):
    np.savez(tmp_path / "made.npz", x=np.zeros((9, 5)), y=np.eye(9), z=np.array([{}] * 9, dtype=object))
    data = tmp_path / "made.npz"
    assert 'Not "y": its shape is (9, 9): expected one value an example' in complaint(first, data=data)
    assert "One-hot labels become one value by argmax." in complaint(first, data=data, label="y")
    assert "pickled" in complaint(first, data=data, label="z")


def cifar(folder, *, fine=False):
    folder.mkdir()
    rng = np.random.default_rng(3)
    names = ["train", "test"] if fine else [*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"]
    for name in names:
        heads = np.array([[k % 2, k % 4][: 1 + fine] for k in range(20)], np.uint8)
        records = np.concatenate([heads, rng.integers(0, 256, (20, 3072), dtype=np.uint8)], axis=1)
        (folder / f"{name}.bin").write_bytes(records.tobytes())
    if fine:
        (folder / "coarse_label_names.txt").write_text("food\nliving")
        (folder / "fine_label_names.txt").write_text("apple\nbeaver\nbed\nbee")
    else:
        (folder / "batches.meta.txt").write_text("cat\ndog\n")
    return folder


@pytest.mark.parametrize(
    ("fine", "source", "label", "classes"),
    [(False, "cifar10", "label", 2), (True, "cifar100", "fine_label", 4)],
)
def test_cifars_official_files(first, tmp_path, fine, source, label, classes):
    text, checked = first(data=cifar(tmp_path / "cifar", fine=fine))
    declared = tomllib.loads(text)
    assert (declared["data"]["source"], declared["data"]["label"]) == (source, label)
    assert (declared["attribute"], declared["model"]) == ([], {"architecture": "cnn"})
    assert "# split: the official files are the split" in text
    assert len(checked.data.classes) == classes


def test_cifars_attributes_come_from_a_table(first, tmp_path):
    rows = [(split, i) for split, n in (("train", 100), ("test", 20)) for i in range(n)]
    frame = pd.DataFrame(rows, columns=["split", "index"]).assign(gender=["f", "m"] * 60)
    frame.to_csv(tmp_path / "who.csv", index=False)
    text, checked = first(data=cifar(tmp_path / "cifar"), table=tmp_path / "who.csv")
    assert [one["name"] for one in tomllib.loads(text)["attribute"]] == ["gender"]
    assert "# test rows: f 10, m 10" in text
    assert checked.data.groups


def test_missing_files_of_cifar_are_named(first, tmp_path, complaint):
    (cifar(tmp_path / "cifar") / "data_batch_3.bin").unlink()
    assert "there is no data_batch_3.bin" in complaint(first, data=tmp_path / "cifar")


def test_records_are_to_be_written_by_hand(first, tmp_path, complaint):
    prepared = tmp_path / "tfds" / "mnist" / "3.0.1"
    prepared.mkdir(parents=True)
    (prepared / "dataset_info.json").write_text("{}")
    for data, source in ((tmp_path / "train-*.tfrecord", "tfrecord"), (tmp_path / "tfds", "tfds")):
        said = complaint(first, data=data)
        assert "auditor init` does not look into" in said
        assert f'Write audit.toml by hand, with source = "{source}"' in said
        assert "section “Data” of README.md" in said


def test_other_folders_say_what_is_known(first, pictures, tmp_path, complaint):
    folder = pictures(["1.png"])
    assert "it is in no class folder" in complaint(first, data=folder)
    (folder / "list.csv").write_text("image,smile\n1.png,yes\n")
    assert "list.csv: is a table in this folder" in complaint(first, data=folder)
    (tmp_path / "empty").mkdir()
    assert "Known are class folders, .npy files" in complaint(first, data=tmp_path / "empty")
    assert "there is no such file or folder" in complaint(first, data=tmp_path / "nothing.csv")


def test_flags_that_the_data_has_no_use_for_are_refused(first, people, pictures, tmp_path):
    with pytest.raises(SpecError, match="--table"):
        first(people, table=tmp_path / "people.parquet")
    with pytest.raises(SpecError, match="--predictions"):
        first(data=pictures(CLASS_FOLDERS), predictions=("base_*", "int8_*"))
    with pytest.raises(SpecError, match='"split" names something else'):
        first(data=pictures(CLASS_FOLDERS), label="split")
    with pytest.raises(DataError):
        first(data=tmp_path / "broken.npz")


def test_a_table_of_class_folders_must_name_the_images(first, pictures, tmp_path, complaint):
    pd.DataFrame({"image": ["x.png"], "sex": ["f"]}).to_csv(tmp_path / "t.csv", index=False)
    said = complaint(first, data=pictures(CLASS_FOLDERS), table=tmp_path / "t.csv")
    assert 'no column names the images, such as "cat/0.png"' in said


def test_no_attribute_can_be_wished_for(first, people):
    text, checked = first(people, attributes=("",))
    assert tomllib.loads(text)["attribute"] == []
    assert "--attribute COLUMN" in text
    assert checked.data.positive is not None


@pytest.mark.parametrize("name", ['a"b', "a'b", "a\tb", "# a", "[a]", "ä\u2028\u202e", "a=b", "a{b}"])
def test_hostile_names_of_folders_and_arrays_are_quoted(first, pictures, tmp_path, name):
    names = [f"{kind}/{i}.png" for kind in (name, "other") for i in range(20)]
    text, checked = first(data=pictures(names), label=f"kind {name}", positive=name)
    assert tomllib.loads(text)["data"]["label"] == f"kind {name}"
    assert name in checked.data.classes
    text, checked = first(data=arrays(tmp_path, **{f"sex {name}": lambda rng, n: rng.choice([name, "m"], n)}))
    assert [one["name"] for one in tomllib.loads(text)["attribute"]] == [f"sex {name}"]


def test_celebas_folder_needs_its_label_and_keeps_its_partition(first, tmp_path, complaint):
    folder, rng = tmp_path / "celeba", np.random.default_rng(4)
    (folder / "img_align_celeba").mkdir(parents=True)
    names = [f"{i:06}.jpg" for i in range(60)]
    for name in names:
        image = Image.fromarray(rng.integers(0, 256, (22, 18, 3), dtype=np.uint8))
        image.save(folder / "img_align_celeba" / name)
    lines = [f"{name} {' '.join(rng.choice(['1', '-1'], 2))}" for name in names]
    (folder / "list_attr_celeba.txt").write_text("\n".join(["60", "Male Smiling", *lines, ""]))
    (folder / "list_eval_partition.txt").write_text("\n".join(f"{name} {i % 3}" for i, name in enumerate(names)))
    assert "--label: cannot be told from the data" in complaint(first, data=folder)
    text, checked = first(data=folder, label="Smiling")
    assert [one["name"] for one in tomllib.loads(text)["attribute"]] == ["Male"]
    assert "# split: CelebA's official partition is the split" in text
    assert tomllib.loads(text)["data"]["preprocess"] == {"resize": [64, 64]}
    assert checked.data.positive == 1
