"""HDF5 files: nothing in them may lead out of the file, or declare more than the file holds. No TensorFlow."""

from __future__ import annotations

import io
import json
from contextlib import contextmanager
from math import prod
from typing import TYPE_CHECKING, NoReturn

import h5py

from auditor.errors import ModelError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROBLEMS_SHOWN = 20
_TEXTS = 4096
"""Texts of any length in one attribute: no more fit into the 64 KB of an attribute as Keras writes it."""


def check_hdf5(content: bytes, file: str) -> None:
    """Refuse links that are not hard, references, storage that is external, virtual or filtered, and sizes too large.

    Raises ModelError with every such place.
    """
    with _opened(content, file) as root:
        problems = [Problem(file=file, where=where, message=said) for where, said in _refusals(root, len(content))]
    if problems:
        raise ModelError(*problems[:_PROBLEMS_SHOWN])


def hdf5_config(content: bytes, file: str) -> tuple[str, str]:
    """The text of the model's configuration of a checked `.h5` file, and the version of Keras, where it is told."""
    with _opened(content, file) as root:
        text, version = root.attrs.get("model_config"), root.attrs.get("keras_version", "")
    if text is None:
        said = "it holds weights alone, without the model's configuration"
        raise ModelError(Problem(file=file, message=said, advice="Save the whole model: model.save(...)."))
    config, told = (str(each, "utf-8") if isinstance(each, bytes) else str(each) for each in (text, version))
    return config, told


@contextmanager
def hdf5_layers(content: bytes, file: str) -> Iterator[list[tuple[str, list[h5py.Dataset]]]]:
    """The layers of a checked `.h5` file, of a model or of weights alone: name and arrays, which are not read yet.

    Layers without weights are left out. Raises ModelError where the file is not laid out as Keras does.
    """
    with _opened(content, file) as root:
        try:
            group = root.get("model_weights", root)
            layers = [(name, group[name]) for name in _names(group, "layer_names")]
            found = [(name, [layer[key] for key in _names(layer, "weight_names")]) for name, layer in layers]
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ModelError(Problem(file=file, message=f"it is no file of Keras weights: {error}")) from error
        if any(not isinstance(array, h5py.Dataset) for _, arrays in found for array in arrays):
            raise ModelError(Problem(file=file, message="it is no file of Keras weights: it names what is no array"))
        yield [(name, arrays) for name, arrays in found if arrays]


def hdf5_outputs(content: bytes, file: str) -> int | None:
    """The outputs of the last layer with weights, None where there is none."""
    with hdf5_layers(content, file) as layers:
        shape = layers[-1][1][-1].shape if layers else ()
    return int(shape[-1]) if shape else None


def _names(item: h5py.HLObject, key: str) -> list[str]:
    return [str(name, "utf-8") if isinstance(name, bytes) else str(name) for name in item.attrs[key]]


def parse_json(text: str | bytes, file: str) -> object:
    """A configuration's JSON. Raises ModelError where it is damaged, ambiguous or nested beyond reason."""
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_number)
    except (ValueError, TypeError, RecursionError) as error:
        raise ModelError(Problem(file=file, message=f"its configuration cannot be read: {error}")) from error


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A JSON object, each of whose keys stands once: Keras decodes the first of two as well, nobody would check it."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f'the key "{next(key for key in keys if keys.count(key) > 1)}" stands twice in an object')
    return found


def _opened(content: bytes, file: str) -> h5py.File:
    try:
        return h5py.File(io.BytesIO(content), "r")
    except (OSError, RuntimeError, ValueError) as error:
        raise ModelError(Problem(file=file, message=f"it is not a readable HDF5 file: {error}")) from error


def _refusals(root: h5py.File, size: int) -> Iterator[tuple[str, str]]:
    """Place and reason. `size` is the file's, in bytes."""
    declared = 0
    for place, item in _objects(root):
        if isinstance(item, h5py.HLObject):
            for name, attribute in _attributes(item):
                declared += prod(attribute.shape) * attribute.dtype.itemsize
                if said := _attribute(attribute):
                    yield f'{place}, attribute "{name}"', said
        if isinstance(item, h5py.Dataset):
            if said := _storage(item):
                yield place, said
            else:
                declared += item.nbytes
        elif not isinstance(item, h5py.Group):
            yield place, _stranger(item)
    if declared > size:
        yield "", f"it declares arrays of {declared:,} bytes, the file has {size:,}"


def _objects(root: h5py.File) -> Iterator[tuple[str, object]]:
    """Place and object of the root and everything under it; a link that is not hard stands for itself, not followed."""
    seen, found = set(), [("/", root)]
    while found:
        place, item = found.pop()
        if isinstance(item, h5py.HLObject):
            # A hard link may lead back to a group above: each object is looked at once.
            if (address := h5py.h5o.get_info(item.id).addr) in seen:
                continue
            seen.add(address)
        yield place, item
        if isinstance(item, h5py.Group):
            found += [(f"{place.rstrip('/')}/{name}", _linked(item, name)) for name in item]


def _linked(group: h5py.Group, name: str) -> object:
    link = group.get(name, getlink=True)
    return group[name] if isinstance(link, h5py.HardLink) else link


def _stranger(item: object) -> str:
    """Why something that is neither a group nor an array is refused."""
    if isinstance(item, h5py.HLObject):
        return "it is neither a group nor an array"
    return f"it is a {type(item).__name__}, which can lead to other files of this computer"


def _attributes(item: h5py.HLObject) -> Iterator[tuple[str, h5py.h5a.AttrID]]:
    for index in range(h5py.h5a.get_num_attrs(item.id)):
        attribute = h5py.h5a.open(item.id, index=index)
        yield attribute.name.decode(errors="replace"), attribute


def _attribute(attribute: h5py.h5a.AttrID) -> str | None:
    """Why an attribute is refused, or None. Its value is not read."""
    kind = attribute.dtype
    if h5py.check_ref_dtype(kind):
        # Keras follows it, also to an array that no link leads to and that nobody has looked at.
        return "it holds references to other objects, not numbers or text"
    text = h5py.check_string_dtype(kind)
    if text is None and kind.kind not in "fiubSU":
        return f"it holds {kind}, not numbers or text"
    if text is not None and text.length is None and prod(attribute.shape) > _TEXTS:
        # All of them can point at the same long text, which would be read once for each.
        return f"it is a list of more than {_TEXTS:,} texts"
    return None


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
