"""Augmentation of training images: drawn by NumPy from the member's seed, so that no executor or thread changes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from auditor.errors import ModelError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

Images = npt.NDArray[Any]


def check_augmentable(x: Images) -> None:
    """Refuse examples that are no images."""
    if x.ndim != 4:
        message = f"is for images, and the data has examples of shape {x.shape[1:]}"
        raise ModelError(Problem(where="training.augment", message=message, advice="Leave it out."))


def augmented(x: Images, settings: Mapping[str, Any], draws: np.random.Generator) -> Images:
    """Images [n, height, width, channels], each cropped after padding with zeros, and mirrored, as `settings` say."""
    count, height, width, _ = x.shape
    images = np.arange(count)[:, None, None]
    down, across = (np.tile(np.arange(size), (count, 1)) for size in (height, width))
    if pad := settings["crop"]:
        x = np.pad(x, [(0, 0), (pad, pad), (pad, pad), (0, 0)])
        down, across = (at + draws.integers(0, 2 * pad + 1, (count, 1)) for at in (down, across))
    if settings["flip"]:
        is_flipped = draws.random((count, 1)) < 0.5
        across = np.where(is_flipped, across[:, ::-1], across)
    return x[images, down[:, :, None], across[:, None, :]]
