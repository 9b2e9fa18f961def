"""What lies at a path: which source of data it is, and all that may be label, attribute, split or id in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd
from PIL import Image

from auditor.data.celeba import ATTRIBUTES, read_attribute_list
from auditor.data.cifar import VERSIONS, find_version, read_examples
from auditor.data.image_source import ENDINGS, INPUT, SPLIT, list_images
from auditor.data.images import UNREADABLE
from auditor.data.joining import join
from auditor.data.reading import column_names, read_rows
from auditor.declare.sense_data import LABELS_OF_CIFAR
from auditor.errors import DataError, Problem, SpecError, did_you_mean
from auditor.init.find_arrays import Example, find_arrays

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from auditor.init.subject import Wishes

CLASS_LABEL = "class"
"""What the class of class folders is called, unless the command line says it."""
TABLES = (".csv", ".parquet", ".pq")
_INDEX = "index"
"""The column that numbers CIFAR's images."""
_LOOKED_AT = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The first image of several."""

    width: int
    height: int
    is_grey: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A data set."""

    source: str
    """As `data.source` names it."""
    frame: pd.DataFrame
    """One row an example."""
    labels: tuple[str, ...] = ()
    """The columns that hold the true class, by the source; empty where any may."""
    taken: tuple[str, ...] = ()
    """Columns that name examples, and are nothing else."""
    input: str | None = None
    """As `data.input`; None: the default, or none is read."""
    official: str = ""
    """Why no split is declared; empty where one is."""
    pictures: bool = False
    """Whether image files are decoded."""
    picture: Picture | None = None
    """None where there are none, or the first one cannot be read."""
    example: Example | None = None
    """What is read as it is; None where `preprocess` makes it, or a table's features."""
    left: Mapping[str, str] = field(default_factory=dict)
    """What cannot be label or attribute, and why."""

    @property
    def is_folders(self) -> bool:
        """Whether the class is told by folders."""
        return self.source == "images" and bool(self.labels)


def find_data(wishes: Wishes) -> Found:
    """Look at the data; raises AuditorError where it is none that is known, or cannot be read."""
    data = wishes.data
    _refuse_records(data)
    if data.is_dir():
        found = _folder(wishes)
    elif not data.exists():
        raise DataError(Problem(file=str(data), message="there is no such file or folder"))
    elif data.suffix.lower() == ".npz":
        found = _arrays(data)
    else:
        found = _table(wishes)
    _check_flags(wishes, found)
    return found


def _check_flags(wishes: Wishes, found: Found) -> None:
    problems = []
    if wishes.table is not None and not (found.labels and found.source != "celeba"):
        message = "is for class folders and CIFAR's files, which hold no attributes themselves"
        problems.append(Problem(where="--table", message=message, advice="Leave it out."))
    if wishes.predictions and found.source != "predictions":
        message = "names columns of a table, and --data is none"
        problems.append(Problem(where="--predictions", message=message))
    if problems:
        raise SpecError(*problems)


def _refuse_records(data: Path) -> None:
    """Raise DataError for records: which of their features stands for what is not told by them."""
    within = [path.name for path in data.glob("*")] if data.is_dir() else [data.name]
    prepared = data.is_dir() and any(next(data.glob(f"{up}dataset_info.json"), None) for up in ("", "*/", "*/*/"))
    if prepared:
        what, source = "what TensorFlow Datasets has prepared", "tfds"
    elif any(".tfrecord" in name.lower() for name in within):
        what, source = "TFRecord files", "tfrecord"
    else:
        return
    message = f"`auditor init` does not look into {what}, though `auditor run` reads them"
    advice = f'Write audit.toml by hand, with source = "{source}": the section “Data” of README.md has an example.'
    raise DataError(Problem(file=str(data), message=message, advice=advice))


# -------------------------------------------------------------------------------------------------------------- tables


def _table(wishes: Wishes) -> Found:
    frame = read_rows([wishes.data], column_names(wishes.data)).frame
    if wishes.predictions:
        return Found(source="predictions", frame=frame)
    column = _image_column(frame, wishes.data.parent)
    if column is None:
        return Found(source="table", frame=frame)
    return Found(
        source="images",
        frame=frame,
        taken=(column,),
        input=None if column == INPUT else column,
        pictures=True,
        picture=_picture(wishes.data.parent / _first(frame[column])),
    )


def _first(column: pd.Series) -> str:
    return str(column.dropna().iloc[0])


def _image_column(frame: pd.DataFrame, folder: Path) -> str | None:
    """The column that names images of the folder: by its first rows, of which one at least must be there."""
    for name in sorted(map(str, frame), key=lambda name: name != INPUT):
        held = frame[name].dropna().head(_LOOKED_AT)
        named = [one for one in held if isinstance(one, str) and one.lower().endswith(ENDINGS) and "\0" not in one]
        if named and len(named) == len(held) and any((folder / one).is_file() for one in named):
            return name
    return None


def _picture(path: Path) -> Picture | None:
    """Look at an image's head; nothing is decoded."""
    try:
        with Image.open(path, formats=("JPEG", "PNG")) as image:
            return Picture(width=image.width, height=image.height, is_grey=image.mode in {"1", "L", "LA", "I;16"})
    except UNREADABLE:
        return None  # whoever decodes it names it


# -------------------------------------------------------------------------------------------------------------- folders


def _folder(wishes: Wishes) -> Found:
    data = wishes.data
    if (data / ATTRIBUTES).is_file():
        names, _, values = read_attribute_list(data / ATTRIBUTES)
        official = "CelebA's official partition is the split"
        return Found(source="celeba", frame=pd.DataFrame(values, columns=names), official=official, pictures=True)
    for source, versions in VERSIONS.items():
        heads = [(*version.names.values(), version.train[0]) for version in versions]
        if any((data / name).is_file() for *names, _ in heads for name in names) and any(
            (data / first).is_file() for *_, first in heads
        ):
            return _cifar(wishes, source)
    if next(data.glob("*.npy"), None) is not None:
        return _arrays(data)
    return _class_folders(wishes)


def _arrays(path: Path) -> Found:
    arrays = find_arrays(path)
    return Found(
        source="arrays",
        frame=arrays.frame,
        input=arrays.input,
        official=arrays.official,
        example=arrays.example,
        left=arrays.left,
    )


def _cifar(wishes: Wishes, source: str) -> Found:
    version = find_version(wishes.data, VERSIONS[source])
    own = pd.concat([read_examples(wishes.data, version, label)[1] for label in LABELS_OF_CIFAR[source]], axis=1)
    own = own.loc[:, ~own.columns.duplicated()]
    return Found(
        source=source,
        frame=_joined(own, wishes.table, {"split": SPLIT, "index": _INDEX}),
        labels=LABELS_OF_CIFAR[source],
        taken=(_INDEX,),
        official="the official files are the split",
        example=Example(shape=(32, 32, 3), is_bytes=True),
    )


def _joined(own: pd.DataFrame, table: Path | None, keys: Mapping[str, str]) -> pd.DataFrame:
    if table is None:
        return own
    wanted = {name: name for name in column_names(table) if name not in own}
    return pd.concat([own, join(table, wanted, keys, own[list(keys.values())])], axis=1)


def _class_folders(wishes: Wishes) -> Found:
    try:
        names, _ = list_images(wishes.data)
    except DataError as error:
        raise DataError(*error.problems, *_instead(wishes.data)) from None
    places = [name.split("/") for name in names]
    label = wishes.label or CLASS_LABEL
    own = {label: [place[-2] for place in places]}
    if len(places[0]) > 2:
        own[SPLIT] = [place[0] for place in places]
    column = _naming_column(wishes.table, names) if wishes.table else INPUT
    if label in {column, SPLIT}:
        message = f'"{label}" names something else: call the class otherwise'
        raise SpecError(Problem(where="--label", message=message))
    frame = _joined(pd.DataFrame(own | {column: names}), wishes.table, {"--table": column})
    return Found(
        source="images",
        frame=frame,
        labels=(label,),
        taken=(column,),
        input=None if column == INPUT else column,
        pictures=True,
        picture=_picture(wishes.data / names[0]),
    )


def _instead(folder: Path) -> list[Problem]:
    """Tell what else could be meant by a folder that holds no class folders."""
    tables = sorted(path for path in folder.iterdir() if path.suffix.lower() in TABLES)
    if tables:
        advice = "A table of features, or one with a column that names the images, is named itself: --data TABLE."
        return [Problem(file=str(tables[0]), message="is a table in this folder", advice=advice)]
    if any(path.suffix.lower() in ENDINGS for path in folder.rglob("*")):
        return []
    known = (
        "Known are class folders, .npy files, the official files of CelebA and CIFAR; tables and .npz by their name."
    )
    return [Problem(file=str(folder), message="the folder is no data set that is known", advice=known)]


def _naming_column(table: Path, names: Sequence[str]) -> str:
    """The column of a table of attributes that names the images."""
    columns = column_names(table)
    frame, known = read_rows([table], columns).frame, set(names)
    for name in sorted(columns, key=lambda name: name != INPUT):
        if any(one in known for one in frame[name].dropna().head(_LOOKED_AT).tolist()):
            return name
    message = f'no column names the images, such as "{names[0]}"'
    raise SpecError(Problem(file=str(table), where="--table", message=message, advice=did_you_mean(INPUT, columns)))
