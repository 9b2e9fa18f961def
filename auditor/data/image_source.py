"""Images of one's own: listed in a table (the manifest), or in a folder for each class."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from auditor.data.assemble import assemble, check_rows
from auditor.data.images import FolderImages, check_crop, check_files, write_images
from auditor.data.joining import join
from auditor.data.reading import (
    Attempt,
    Rows,
    check_columns,
    column_names,
    data_digest,
    declared_columns,
    raise_all,
    raise_first,
    read_rows,
    read_unchanged,
)
from auditor.data.splits import divide
from auditor.data.values import listed, plural
from auditor.errors import DataError, Problem
from auditor.spec import SplitColumn, SplitFractions, SplitPaths
from auditor.text import clean, is_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from auditor.data.assemble import Checked
    from auditor.records import Dataset
    from auditor.spec import AuditSpec, Split

INPUT = "image"
ENDINGS = (".png", ".jpg", ".jpeg")
SPLIT = "split"


class ImageSource:
    """A manifest (or one a split), or a folder of class folders."""

    def __init__(self, spec: AuditSpec, base: Path) -> None:
        self._spec = spec
        split, path = spec.data.split, base / spec.data.path
        self._is_folder = path.is_dir()
        self._root = path if self._is_folder else path.parent
        self._tables = [path]
        if self._is_folder:
            self._tables = [] if spec.data.table is None else [base / spec.data.table]
        elif isinstance(split, SplitPaths):
            self._tables = [base / (split.train_path or spec.data.path), base / split.test_path]

    def load(self) -> Dataset:
        """Read and check tables and image files; no image is decoded."""
        (checked, content), digests = read_unchanged(self._tables, lambda: self._checked)
        return assemble(self._spec, checked, data_digest(self._spec, [*digests, content]))

    def materialise(self, folder: Path) -> None:
        """Decode the images of all splits straight into their files; raises DataError naming the corrupt ones."""
        checked, content = self._checked
        with FolderImages(self._root) as files:
            write_images(folder, files, checked, content, self._spec.data.preprocess)

    @cached_property
    def _checked(self) -> tuple[Checked, str]:
        if not self._is_folder and not self._tables[0].is_file():
            raise DataError(Problem(file=str(self._tables[0]), message="there is no such file or folder"))
        _check_declared(self._spec, is_folder=self._is_folder)
        found = read_folders(self._spec, self._root, self._tables) if self._is_folder else self._listed
        rows, split, warnings = found
        names = rows.texts
        division = divide(rows, self._spec.data, split, self._spec.audit.seed)
        with FolderImages(self._root) as files:
            check_files(files, names)
            content, same = files.identify(names)
        checked = check_rows(self._spec, rows, division, same)
        return replace(checked, warnings=(*warnings, *checked.warnings)), content

    @property
    def _listed(self) -> tuple[Rows, Split, tuple[str, ...]]:
        return (*read_manifests(self._spec, self._root, self._tables), ())


def _check_declared(spec: AuditSpec, *, is_folder: bool) -> None:
    """Raise DataError for what the layout at hand does not have."""
    problems = check_crop(spec.data.preprocess)
    if is_folder and isinstance(spec.data.split, SplitPaths):
        advice = "Lay them out as PATH/train/CLASS and PATH/test/CLASS, and leave data.split out."
        problems.append(Problem(where="data.split", message="class folders lie in one folder", advice=advice))
    if not is_folder and spec.data.table is not None:
        advice = "A manifest holds the attributes itself; only class folders have a table beside them."
        problems.append(Problem(where="data.table", message="data.path is no folder", advice=advice))
    if problems:
        raise DataError(*problems)


# ------------------------------------------------------------------------------------------------------------ manifests


def read_manifests(spec: AuditSpec, root: Path, tables: Sequence[Path]) -> tuple[Rows, Split]:
    """The rows of all manifests, each called by its image; raises DataError for names that are no files of the folder.

    Args:
        spec: names the columns.
        root: the folder that images are relative to.
        tables: the manifests, all of them in that folder.
    """
    elsewhere = [table for table in tables if table.parent != root]
    if elsewhere:
        advice = "Put them into one folder: images are named relative to it."
        raise DataError(Problem(file=str(elsewhere[0]), message="the manifests lie in several folders", advice=advice))
    present = [Attempt(column_names, table) for table in tables]
    raise_all(present)
    split = spec.data.split or (SplitColumn(column=SPLIT) if SPLIT in present[0].value else SplitFractions())
    column = spec.data.input or INPUT
    wanted = {"data.input": column} | declared_columns(spec, split)
    raise_all(Attempt(check_columns, table, one.value, wanted) for table, one in zip(tables, present, strict=True))
    rows = read_rows(tables, list(dict.fromkeys(wanted.values())))
    return replace(rows, names=_image_names(rows, column, root)), split


def _image_names(rows: Rows, column: str, root: Path) -> tuple[str, ...]:
    """What the column names, as plain relative paths; raises DataError with the rows whose images lie elsewhere."""
    where = f"column {column}"
    given = ["" if pd.isna(name) else str(name) for name in rows.frame[column].tolist()]
    names = [PurePosixPath(name).as_posix() for name in given]
    twice = {name for name, count in Counter(names).items() if count > 1}
    resolved = root.resolve()
    again = "the image is listed twice"
    complaints = [_complaint(name, root, resolved) or (again if name in twice else "") for name in names]
    problems = [
        problem
        for message in dict.fromkeys(filter(None, complaints))
        for problem in rows.problems(np.flatnonzero([one == message for one in complaints]), where, message)
    ]
    raise_first(problems, str(rows.files[0]))
    return tuple(names)


def _complaint(name: str, root: Path, resolved: Path) -> str:
    """Why a name is none of a file in the folder; empty where it is one."""
    path = PurePosixPath(name)
    if name == ".":
        return "no image is named"
    if path.is_absolute() or ".." in path.parts or {"\\", "\0"} & set(name):
        return "images are named relative to the table's folder, and lie in it"
    if not (root / name).resolve().is_relative_to(resolved):
        return "a link leads out of the table's folder"
    return ""


# -------------------------------------------------------------------------------------------------------- class folders


def read_folders(spec: AuditSpec, root: Path, tables: Sequence[Path]) -> tuple[Rows, Split, tuple[str, ...]]:
    """One row an image, with its class, its split where there are folders of splits, and the columns of the table."""
    names, warnings = list_images(root)
    places = [name.split("/") for name in names]
    own = {spec.data.label: [place[-2] for place in places]}
    if len(places[0]) > 2:
        own[SPLIT] = [place[0] for place in places]
    frame = pd.DataFrame(own)
    by_column = SPLIT in own or any(SPLIT in column_names(table) for table in tables)
    split = spec.data.split or (SplitColumn(column=SPLIT) if by_column else SplitFractions())
    wanted = {where: name for where, name in declared_columns(spec, split).items() if name not in own}
    if wanted and not tables:
        message = f"{', '.join(wanted)}: class folders hold classes only"
        advice = f'Give a table with one row an image, and its file in a column "{spec.data.input or INPUT}".'
        raise DataError(Problem(where="data.table", message=message, advice=advice))
    column = spec.data.input or INPUT
    for table in tables:
        found = join(table, wanted, {"data.input": column}, pd.DataFrame({column: names}))
        frame = pd.concat([frame, found], axis=1)
    return Rows(frame=frame, files=(root,), names=names), split, warnings


def list_images(root: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The images of all class folders, in order of their names, and warnings; raises DataError for another layout."""
    found = [entry.removeprefix(f"{root}/") for entry in _walk(root, depth=1)]
    names = tuple(name for name in found if name.lower().endswith(ENDINGS))
    left = [name for name in found if not name.lower().endswith(ENDINGS)]
    advice = "Images lie in PATH/CLASS, or all in PATH/SPLIT/CLASS."
    depths = {name.count("/"): name for name in names}
    if not names:
        raise DataError(Problem(file=str(root), message="no image is in it", advice=advice))
    if 0 in depths:
        raise DataError(Problem(file=str(root), where=depths[0], message="it is in no class folder", advice=advice))
    if len(depths) > 1:
        message = f"some images lie as {depths[1]}, others as {depths[2]}"
        raise DataError(Problem(file=str(root), message=message, advice=advice))
    resolved = root.resolve()
    raise_first(
        [Problem(file=str(root), where=one, message="its name is no UTF-8 text") for one in names if not is_text(one)],
        str(root),
    )
    raise_first(
        [
            Problem(file=str(root), where=name, message="a link leads out of the folder")
            for name in names
            if not (root / name).resolve().is_relative_to(resolved)
        ],
        str(root),
    )
    many, endings = plural(len(left), "file"), ", ".join(ENDINGS)
    said = f"{many} left out for another ending than {endings}, such as {listed([clean(one) for one in left[:1]])}."
    return names, (said,) if left else ()


def _walk(folder: Path | str, depth: int) -> Iterator[str]:
    """The paths of all files, at most three folders deep; hidden ones are none."""
    with os.scandir(folder) as entries:
        ordered = sorted((entry for entry in entries if not entry.name.startswith(".")), key=lambda entry: entry.name)
    for entry in ordered:
        if not entry.is_dir():
            yield entry.path
        elif depth < 3:
            yield from _walk(entry.path, depth + 1)
        else:
            message = "it is a folder in a class folder"
            raise DataError(Problem(file=entry.path, message=message, advice="Images lie in PATH/SPLIT/CLASS at most."))
