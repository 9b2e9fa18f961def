"""Where names of points go, so that none lies on another, on a point, or beyond the plot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Box = tuple[float, float, float, float]
"""Left, top, right, bottom: in pixels from the plot's upper left corner."""
LIMIT = 110
"""Pixels, beyond which a name is cut."""
_HEIGHT, _RADIUS = 11, 6
_SIDES = ((1, -1), (1, 1), (-1, -1), (-1, 1), (1, 0), (-1, 0), (0, -1), (0, 1))
"""Directions from a point, the best first."""
_REACHES = tuple(range(0, 180, 12))
"""How far from its point a name may go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A name's place."""

    x: float
    y: float
    """Its middle."""
    box: Box
    leader: tuple[float, float] | None
    """Where a line from the point meets it; None where it stands next to its point."""


def placed(points: Sequence[tuple[float, float]], texts: Sequence[str], lines: Sequence[Box], room: Box) -> list[Label]:
    """Place the names of points one by one, each as near as is free.

    It avoids points, names and leaders, and among places that are equally near those that cross the fewest `lines`.
    Where nothing is free a name goes to its first place.
    """
    taken = [_around(x, y, _RADIUS) for x, y in points]
    labels = []
    for point, text in zip(points, texts, strict=True):
        own = _around(*point, _RADIUS)
        others = [box for box in taken if box != own]
        label = _nearest_free(point, min(_width(text), LIMIT), others, lines, room)
        taken += [label.box, *_along(point, label)]
        labels.append(label)
    return labels


def _nearest_free(
    point: tuple[float, float], width: float, taken: Sequence[Box], lines: Sequence[Box], room: Box
) -> Label:
    for reach in _REACHES:
        near = [_beside(point, side, reach, width) for side in _SIDES]
        free = [one for one in near if _is_inside(one.box, room) and not _is_met(point, one, taken)]
        if free:
            return min(free, key=lambda one: _crossed(point, one, lines))
    return _beside(point, _SIDES[0], 0, width)


def _beside(point: tuple[float, float], side: tuple[int, int], reach: float, width: float) -> Label:
    """Put a name on one side of its point."""
    (x, y), (right, down) = point, side
    gap = reach + _RADIUS
    # what stands on a diagonal is nearer by either axis
    x += right * ((0.7 if down else 1.0) * gap + width / 2)
    y += down * ((0.7 if right else 1.0) * gap + _HEIGHT / 2)
    box = (x - width / 2, y - _HEIGHT / 2, x + width / 2, y + _HEIGHT / 2)
    meets = (min(max(point[0], box[0]), box[2]), min(max(point[1], box[1]), box[3]))
    return Label(x=x, y=y, box=box, leader=meets if reach else None)


def _along(point: tuple[float, float], label: Label) -> Iterator[Box]:
    """Cut a leader into small boxes."""
    if label.leader is None:
        return
    (x, y), (to_x, to_y) = point, label.leader
    for step in range(2, 10):
        yield _around(x + (to_x - x) * step / 10, y + (to_y - y) * step / 10, 0.5)


def _is_met(point: tuple[float, float], label: Label, taken: Sequence[Box]) -> bool:
    own = (label.box, *_along(point, label))
    return any(_meet(one, other) for other in taken for one in own)


def _crossed(point: tuple[float, float], label: Label, lines: Sequence[Box]) -> int:
    """Count how much of a name and its leader lies on lines."""
    return sum(_meet(one, line) for line in lines for one in (label.box, *_along(point, label)))


def _around(x: float, y: float, radius: float) -> Box:
    return x - radius, y - radius, x + radius, y + radius


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _is_inside(box: Box, room: Box) -> bool:
    return box[0] >= room[0] and box[1] >= room[1] and box[2] <= room[2] and box[3] <= room[3]


def _width(text: str) -> float:
    """Estimate how many pixels a text takes: letters are of 10 pixels, most of them less than 7 wide."""
    return sum(10.5 if letter in "mwMW@%" or east_asian_width(letter) in "WF" else 6.6 for letter in text)
