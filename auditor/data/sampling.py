"""A random part of a split: so many examples, of each class as many if asked for, and no id torn apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from auditor.data.values import plural
from auditor.errors import DataError, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.records import BoolArray, IntArray


def draw(
    split: IntArray,
    size: int,
    where: str,
    class_of: IntArray,
    classes: Sequence[str] | None,
    cluster: IntArray | None,
    generator: np.random.Generator,
) -> tuple[IntArray, tuple[str, ...]]:
    """Positions of the part, rising, and a warning where whole ids do not make up the number.

    Raises DataError with the numbers where the split, or a class of it, has fewer examples. A smaller part of the same
    split is within a larger one, where each example is its own id.

    Args:
        split: positions of its rows, [n].
        size: examples of the part.
        where: the key that says so.
        class_of: for each row of the split the index of its class, [n]; -1: missing.
        classes: names of the classes, of each of which the part holds as many; None: whichever are drawn.
        cluster: for each row of the split the number of its id, [n]; None: each row is its own.
        generator: draws the order of the ids.
    """
    kind_of = np.zeros(split.size, dtype=np.int64) if classes is None else class_of
    room = np.array([size]) if classes is None else _shares(size, where, classes)
    _check(where, np.bincount(kind_of[kind_of >= 0], minlength=room.size), room, classes)
    own = np.arange(split.size) if cluster is None else np.unique(cluster, return_inverse=True)[1]
    taken = _fill(room, kind_of, own, generator)
    short = size - int(taken.sum())
    said = f"{where}: {plural(size - short, 'example')} drawn, not {size:,}: no further id fits in whole"
    return split[taken], (f"{said}{_by_class(kind_of[taken], classes)}.",) if short else ()


def _shares(size: int, where: str, classes: Sequence[str]) -> IntArray:
    over = size % len(classes)
    if over:
        message = f"{plural(size, 'example')} cannot hold as many of each of {len(classes)} classes"
        near = " or ".join(f"{number:,}" for number in (size - over, size - over + len(classes)) if number)
        raise DataError(Problem(where=where, message=message, advice=f"Write {near}."))
    return np.full(len(classes), size // len(classes))


def _check(where: str, found: IntArray, room: IntArray, classes: Sequence[str] | None) -> None:
    """Raise DataError for each kind of example of which there are fewer than asked for."""
    few = np.flatnonzero(found < room)
    if not few.size:
        return
    if classes is None:
        message = f"asks for {plural(int(room[0]), 'example')}, and the split has {found[0]:,}"
        raise DataError(Problem(where=where, message=message, advice="Leave it out to take them all."))
    most = int(found.min()) * len(classes)
    advice = f"At most {most:,} examples can be balanced." if most else "Classes that are not there cannot be balanced."
    raise DataError(
        *(
            Problem(
                where=where,
                message=f'asks for {room[k]:,} of each class, and of "{classes[k]}" the split has {found[k]:,}',
                advice=advice,
            )
            for k in few.tolist()
        )
    )


def _fill(room: IntArray, kind_of: IntArray, own: IntArray, generator: np.random.Generator) -> BoolArray:
    """Take ids in a random order, each whole where there is room for all its examples: which rows are taken, [n].

    Args:
        room: examples that are wanted of each kind.
        kind_of: for each row its kind; of kind -1 none is wanted.
        own: for each row the number of its id, from 0, none left out.
        generator: draws the order.
    """
    count = int(own.max()) + 1 if own.size else 0
    sizes = np.zeros((count, room.size), dtype=np.int64)
    known = kind_of >= 0
    np.add.at(sizes, (own[known], kind_of[known]), 1)
    sizes[own[~known]] = room.max() + 1
    left, chosen = room.copy(), np.zeros(count, dtype=bool)
    for one in generator.permutation(count).tolist():
        if (sizes[one] <= left).all():
            chosen[one] = True
            left -= sizes[one]
            if not left.any():
                break
    return np.asarray(chosen[own], dtype=bool)


def _by_class(kinds: IntArray, classes: Sequence[str] | None) -> str:
    if classes is None:
        return ""
    counts = np.bincount(kinds, minlength=len(classes)).tolist()
    told = ", ".join(f'"{name}": {count:,}' for name, count in zip(classes, counts, strict=True))
    return f" ({told})"
