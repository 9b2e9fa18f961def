"""The part of a first audit.toml about pixels: which size and colours a model reads, and how they become numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auditor.data.images import DEFAULT_SIZE
from auditor.init.given import pixels_of
from auditor.init.toml import value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.init.subject import Subject

SMALL = 96
"""Images are trained on in their own size where no side is longer; else in the default size."""


def preprocess_lines(subject: Subject) -> Iterator[str]:
    """Write `data.preprocess`, and what cannot be known of it."""
    found, model = subject.found, subject.model
    if not found.pictures and found.example is None:
        return
    options: dict[str, Any] = {}
    why = ""
    if found.pictures:
        options, why = _fitted(subject)
        if found.picture is not None:
            size = f"{found.picture.width} x {found.picture.height}"
            yield f"# the first image has {size} pixels; crop = [left, top, right, bottom] would cut before resizing"
    elif found.example is not None and found.example.is_grey:
        options, why = {"color": "grey"}, "pictures without an axis of channels"
    are_bytes = found.example is None or found.example.is_bytes
    if model is not None and are_bytes and model.rescales:
        options["scale"] = 1.0
    if model is not None:
        yield from _scaling(are_bytes=are_bytes, rescales=model.rescales)
    if options:
        yield f"preprocess = {value(options)}  # {why}" if why else f"preprocess = {value(options)}"


def _fitted(subject: Subject) -> tuple[dict[str, Any], str]:
    """Size and colours that fit the given model, or else the images; and where they come from."""
    picture, model = subject.found.picture, subject.model
    own = DEFAULT_SIZE
    if picture is not None and max(picture.width, picture.height) <= SMALL:
        own = picture.width, picture.height
    reads = None if model is None else pixels_of(model.facts)
    if reads is None:
        is_grey = picture is not None and picture.is_grey
        width, height, why = *own, "width, height: larger ones keep more, and train longer"
    else:
        is_grey = reads.channels == 1
        width, height = reads.width or own[0], reads.height or own[1]
        why = "width, height: what the model reads"
        if reads.width is None or reads.height is None:
            why = "guessed: the model reads any size; put the width and height that it was trained on"
    options: dict[str, Any] = {"resize": [width, height]}
    return options | ({"color": "grey"} if is_grey else {}), why


def _scaling(*, are_bytes: bool, rescales: bool) -> Iterator[str]:
    """Say what the file of a given model does not."""
    if not are_bytes:
        yield "# The arrays are read as they are: they must be scaled as the model was trained."
    elif rescales:
        yield "# The model rescales pixels itself: scale = 1 hands it 0 to 255."
    else:
        yield "# A pixel becomes (pixel / scale + offset - mean) / std: 0 to 1, unless preprocess says otherwise."
        yield "# What the model was trained on, its file does not say; -1 to 1 would be scale = 127.5, offset = -1."
    yield "# `auditor validate` tells when the model decides at chance: then this is mostly what is wrong."
