"""HDF5 files: nothing in them may lead out of the file, or declare more than the file holds. No TensorFlow."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import h5py

from auditor.errors import ModelError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROBLEMS_SHOWN = 20


def check_hdf5(content: bytes, file: str) -> None:
    """Refuse links that are not hard, external, virtual or filtered storage, and sizes that the file cannot hold.

    Raises ModelError with every such place.
    """
    with _opened(content, file) as root:
        problems = [Problem(file=file, where=where, message=said) for where, said in _refusals(root, len(content))]
    if problems:
        raise ModelError(*problems[:_PROBLEMS_SHOWN])


def hdf5_config(content: bytes, file: str) -> object:
    """The model's configuration of a checked `.h5` file, parsed."""
    with _opened(content, file) as root:
        text = root.attrs.get("model_config")
    if text is None:
        said = "it holds weights alone, without the model's configuration"
        raise ModelError(Problem(file=file, message=said, advice="Save the whole model: model.save(...)."))
    return parse_json(text, file)


def parse_json(text: str | bytes, file: str) -> object:
    """A configuration's JSON. Raises ModelError where it is damaged or nested beyond reason."""
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise ModelError(Problem(file=file, message=f"its configuration cannot be read: {error}")) from error


def _opened(content: bytes, file: str) -> h5py.File:
    try:
        return h5py.File(io.BytesIO(content), "r")
    except (OSError, RuntimeError, ValueError) as error:
        raise ModelError(Problem(file=file, message=f"it is not a readable HDF5 file: {error}")) from error


def _refusals(root: h5py.File, size: int) -> Iterator[tuple[str, str]]:
    """Place and reason. `size` is the file's, in bytes."""
    declared, seen, groups = 0, set(), [root]
    while groups:
        group = groups.pop()
        # A hard link may lead back to a group above: each object is looked at once.
        if (address := h5py.h5o.get_info(group.id).addr) in seen:
            continue
        seen.add(address)
        for name in group:
            place = f"{group.name.rstrip('/')}/{name}"
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                yield place, f"it is a {type(link).__name__}, which can lead to other files of this computer"
                continue
            item = group[name]
            if isinstance(item, h5py.Group):
                groups.append(item)
            elif not isinstance(item, h5py.Dataset):
                yield place, "it is neither a group nor an array"
            elif said := _storage(item):
                yield place, said
            else:
                declared += item.nbytes
    if declared > size:
        yield "", f"it declares arrays of {declared:,} bytes, the file has {size:,}"


def _storage(item: h5py.Dataset) -> str | None:
    """Why an array's storage is refused, or None."""
    if item.external:
        return f"its values are in another file, {item.external[0][0]}"
    if item.is_virtual:
        return "its values are put together from other files"
    if item.id.get_create_plist().get_nfilters():
        return "it is stored through a filter, as Keras never does"
    if item.dtype.kind not in "fiub":
        return f"it holds {item.dtype}, not numbers"
    return None
