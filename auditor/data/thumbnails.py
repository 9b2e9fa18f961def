"""Small pictures of test examples, for those who look at exemplars by eye."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from auditor.data.inputs import InputArray
    from auditor.records import Dataset, Exemplars

LONGEST = 96
"""Pixels of the longer side."""
_QUALITY = 85
PICTURED = 12
"""Exemplars of a variant, at most: a report stays small enough to be sent."""


def to_picture(exemplars: Sequence[Exemplars]) -> tuple[str | int, ...]:
    """Choose the examples that are shown: of each variant those that stand first."""
    return tuple(dict.fromkeys(one.example for found in exemplars for one in found.top[:PICTURED]))


def thumbnails(test_x: InputArray, dataset: Dataset, examples: Sequence[str | int]) -> Mapping[str | int, bytes]:
    """Give test examples, as models see them but for scale and offset, as JPEG files by example.

    Args:
        test_x: inputs of the test split, [N, ...]; only uint8 of [N, height, width, 1 or 3] are pictures.
        dataset: tells which row is which example.
        examples: which are wanted.

    Returns:
        Nothing where the inputs are no pictures.
    """
    if test_x.dtype != "uint8" or test_x.ndim != 4 or test_x.shape[-1] not in {1, 3}:
        return {}
    rows = {example: row for row, example in enumerate(dataset.examples)}
    return {example: _jpeg(test_x[rows[example]]) for example in examples}


def _jpeg(pixels: InputArray) -> bytes:
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    picture.thumbnail((LONGEST, LONGEST))
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=_QUALITY)
    return written.getvalue()
