"""CelebA in its official layout: a list of attributes, a list of partitions, and aligned images."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from io import TextIOWrapper
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from auditor.data.assemble import assemble, check_rows
from auditor.data.images import FolderImages, ZipImages, check_crop, check_files, write_images
from auditor.data.ordinary import opened
from auditor.data.reading import Rows, data_digest, raise_first, read_unchanged
from auditor.data.splits import divide
from auditor.errors import DataError, Problem, did_you_mean
from auditor.spec import SplitColumn, SplitPaths

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence
    from pathlib import Path

    from auditor.data.assemble import Checked
    from auditor.data.images import ImageFiles
    from auditor.records import Dataset
    from auditor.spec import Attribute, AuditSpec, Data, Split

ATTRIBUTES = "list_attr_celeba.txt"
PARTITION = "list_eval_partition.txt"
IMAGES = "img_align_celeba"
LARGEST_LIST = 256 << 20
"""Bytes; the official list of attributes has 27 MB."""
Signs = npt.NDArray[np.int8]
OFFICIAL = SplitColumn(column="partition", train=0, test=2)
"""Partition 1 is for validation, which an audit does not do."""


class CelebaSource:
    """The folder that holds the official files."""

    def __init__(self, spec: AuditSpec, base: Path) -> None:
        self._spec = spec
        self._folder = base / spec.data.path

    def load(self) -> Dataset:
        """Read and check lists and image names; no image is decoded. Raises DataError with what was found."""
        lists = [self._folder / name for name in (ATTRIBUTES, PARTITION)]
        (checked, content), digests = read_unchanged(lists, lambda: self._checked)
        return assemble(self._spec, checked, data_digest(self._spec, [*digests, content]))

    def materialise(self, folder: Path) -> None:
        """Decode the images of all splits straight into their files; raises DataError naming the corrupt ones."""
        checked, content = self._checked
        with open_images(self._folder) as files:
            write_images(folder, files, checked, content, self._spec.data.preprocess)

    @cached_property
    def _checked(self) -> tuple[Checked, str]:
        return _check(self._spec, self._folder)


def open_images(folder: Path) -> ImageFiles:
    """The folder of images, or the archive if there is no folder."""
    if (folder / IMAGES).is_dir():
        return FolderImages(folder / IMAGES)
    return ZipImages(folder / f"{IMAGES}.zip")


def _check(spec: AuditSpec, folder: Path) -> tuple[Checked, str]:
    split = _check_declared(spec)
    _check_present(folder, partition=isinstance(split, SplitColumn))
    rows = read_lists(spec, folder, split)
    division = divide(rows, spec.data, split, spec.audit.seed)
    if spec.data.split is None:
        division = replace(division, warnings=())
    names = rows.texts
    with open_images(folder) as files:
        check_files(files, names)
        content, same = files.identify(names)
    named = {"attribute": [_named(attribute) for attribute in spec.attribute], "data": _with_positive(spec)}
    return check_rows(spec.model_copy(update=named), rows, division, same), content


def _check_declared(spec: AuditSpec) -> Split:
    """The split; raises DataError for what CelebA does not have."""
    data, split = spec.data, spec.data.split or OFFICIAL
    problems = []
    if data.id is not None:
        problems.append(
            Problem(where="data.id", message="the official files of CelebA hold no id", advice="Remove it.")
        )
    if isinstance(split, SplitPaths):
        message = "CelebA's images lie in one place"
        problems.append(Problem(where="data.split", message=message, advice="Split by partition, or by fractions."))
    if isinstance(split, SplitColumn) and split.column != OFFICIAL.column:
        message = f'there is no column "{split.column}"'
        advice = 'Write { column = "partition", train = 0, test = 2 }; 1 is validation.'
        problems.append(Problem(where="data.split.column", message=message, advice=advice))
    problems += check_crop(data.preprocess)
    if problems:
        raise DataError(*problems)
    return split


def _check_present(folder: Path, *, partition: bool) -> None:
    names = [ATTRIBUTES, PARTITION] if partition else [ATTRIBUTES]
    missing = [name for name in names if not (folder / name).is_file()]
    if not (folder / IMAGES).is_dir() and not (folder / f"{IMAGES}.zip").is_file():
        missing.append(f"{IMAGES} (a folder) or {IMAGES}.zip")
    if missing:
        advice = "CelebA's official files lie in data.path, unpacked or as they are downloaded."
        raise DataError(*(Problem(file=str(folder), message=f"there is no {name}", advice=advice) for name in missing))


def read_lists(spec: AuditSpec, folder: Path, split: Split) -> Rows:
    """The declared attributes (-1 or 1) and the partition of every listed image; raises DataError for what is amiss."""
    file = folder / ATTRIBUTES
    known, names, values = read_attribute_list(file)
    declared = {"data.label": spec.data.label} | {f"attribute {one.name}": one.name for one in spec.attribute}
    problems = [
        Problem(
            file=str(file), where=where, message=f'there is no attribute "{name}"', advice=did_you_mean(name, known)
        )
        for where, name in declared.items()
        if name not in known
    ]
    if problems:
        raise DataError(*problems)
    columns = {name: values[:, known.index(name)] for name in declared.values()}
    files = [file]
    if isinstance(split, SplitColumn):
        columns[split.column] = read_partition_list(folder / PARTITION, names)
        files.append(folder / PARTITION)
    frame = pd.DataFrame(columns)
    return Rows(frame=frame, files=tuple(files), starts=(0, *[len(frame)] * (len(files) - 1)), names=names)


def read_attribute_list(file: Path) -> tuple[list[str], tuple[str, ...], Signs]:
    """Names of attributes and of images, [n], and the values -1 or 1, [n, attribute].

    Raises DataError naming malformed lines.
    """
    with _opened(file) as text:
        head = [line.split() for line in islice(text, 2)]
        if len(head) < 2 or len(head[0]) != 1 or not head[0][0].isdecimal() or not head[1]:
            message = "expected the number of images in line 1 and the names of the attributes in line 2"
            raise DataError(Problem(file=str(file), line=1, message=message))
        images: dict[str, str] = {}
        problems = []
        for line, (name, *values) in _lines(text, start=3):
            complaint = _complaint(name, images)
            if len(values) != len(head[1]) or not set(values) <= {"1", "-1"}:
                complaint = f"expected an image and {len(head[1])} values that are 1 or -1"
            if complaint:
                problems.append(Problem(file=str(file), line=line, message=complaint))
            # one letter a value: there are eight million of them
            images[name] = "".join(values).replace("-1", "0")
    if not problems and len(images) != int(head[0][0]):
        message = f"line 1 says that there are {head[0][0]} images, and there are {len(images)}"
        problems.append(Problem(file=str(file), line=1, message=message, advice="The file may be cut off."))
    raise_first(problems, str(file))
    ones = np.frombuffer("".join(images.values()).encode(), dtype=np.uint8).reshape(len(images), -1) == ord("1")
    return head[1], tuple(images), np.where(ones, np.int8(1), np.int8(-1))


def read_partition_list(file: Path, names: Sequence[str]) -> Signs:
    """The partition of each image, 0 to 2; raises DataError naming malformed lines and images that have none."""
    partitions: dict[str, int] = {}
    problems = []
    with _opened(file) as text:
        for line, (name, *values) in _lines(text, start=1):
            complaint = _complaint(name, partitions)
            if len(values) != 1 or values[0] not in {"0", "1", "2"}:
                complaint = "expected an image and its partition: 0 (train), 1 (validation) or 2 (test)"
            if complaint:
                problems.append(Problem(file=str(file), line=line, message=complaint))
            else:
                partitions[name] = int(values[0])
    raise_first(problems, str(file))
    without = [name for name in names if name not in partitions]
    raise_first(
        [Problem(file=str(file), where=name, message="the image has no partition") for name in without], str(file)
    )
    return np.array([partitions[name] for name in names], dtype=np.int8)


@contextmanager
def _opened(file: Path) -> Iterator[TextIOWrapper]:
    with opened(file, LARGEST_LIST) as stream, TextIOWrapper(stream, encoding="utf-8", errors="replace") as text:
        yield text


def _lines(text: Iterator[str], start: int) -> Iterator[tuple[int, list[str]]]:
    """Number and words of every line that is not blank."""
    return ((line, words) for line, words in enumerate(map(str.split, text), start=start) if words)


def _complaint(name: str, seen: Container[str]) -> str:
    if name in seen:
        return f"the image {name} is listed twice"
    return f'"{name}" is no name of an image' if name.startswith(".") or {"/", "\\", "\0"} & set(name) else ""


def _with_positive(spec: AuditSpec) -> Data:
    return spec.data if spec.data.positive is not None else spec.data.model_copy(update={"positive": 1})


def _named(attribute: Attribute) -> Attribute:
    """The attribute with groups "Male" and "not Male", unless it declares its own."""
    if attribute.groups is not None or attribute.bins is not None:
        return attribute
    groups = {attribute.name: [1], f"not {attribute.name}": [-1]}
    return attribute.model_copy(update={"groups": groups})
