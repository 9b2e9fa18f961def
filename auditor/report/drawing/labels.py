"""Where names of points go, so that none lies on another, on a point, or beyond the plot."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, inf, pi, sin
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom: in pixels from the plot's upper left corner."""
LIMIT = 110
"""Pixels, beyond which a name is cut."""
_HEIGHT, _RADIUS = 11, 6
_TURNS = (1, 15, 7, 9, 2, 14, 6, 10, 0, 8, 3, 13, 5, 11, 4, 12)
"""Directions from a point in sixteenths of a turn from the right, against the clock: the best first."""
_REACHES = tuple(range(0, 180, 8))
"""How far from its point a name may go."""
_CROSSING = 8
"""How much further a name may go for one crossing less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A name's place."""

    x: float
    y: float
    """Its middle."""
    box: Box
    leader: Point | None
    """Where a line from the point meets it; None where it stands next to its point."""


def placed(points: Sequence[Point], texts: Sequence[str], lines: Sequence[Box], room: Box) -> list[Label]:
    """Place the names of points one by one, each as near as is free.

    It avoids points, names and leaders, and goes further where it so crosses fewer `lines`. Where nothing is free it
    goes to its first place.
    """
    taken = [_around(x, y, _RADIUS) for x, y in points]
    labels = []
    for point, text in zip(points, texts, strict=True):
        own = _around(*point, _RADIUS)
        others = [box for box in taken if box != own]
        label = _best(point, min(_width(text), LIMIT), others, lines, room)
        taken += [label.box, *_along(point, label)]
        labels.append(label)
    return labels


def _best(point: Point, width: float, taken: Sequence[Box], lines: Sequence[Box], room: Box) -> Label:
    """Find the free place that is near and crosses little."""
    best, least = _beside(point, _TURNS[0], 0, width), inf
    for reach in _REACHES:
        if reach >= least:
            break
        for turn in _TURNS:
            label = _beside(point, turn, reach, width)
            own = (label.box, *_along(point, label))
            if not _is_inside(label.box, room) or any(_meet(one, other) for other in taken for one in own):
                continue
            cost = reach + _CROSSING * sum(_meet(one, line) for line in lines for one in own)
            if cost < least:
                best, least = label, cost
    return best


def _beside(point: Point, turn: int, reach: float, width: float) -> Label:
    """Put a name on one side of its point."""
    right, up = cos(turn * pi / 8), sin(turn * pi / 8)
    gap = reach + _RADIUS + 1
    x = point[0] + right * gap + min(max(2 * right, -1), 1) * width / 2
    y = point[1] - up * gap - min(max(2 * up, -1), 1) * _HEIGHT / 2
    box = (x - width / 2, y - _HEIGHT / 2, x + width / 2, y + _HEIGHT / 2)
    meets = (min(max(point[0], box[0]), box[2]), min(max(point[1], box[1]), box[3]))
    return Label(x=x, y=y, box=box, leader=meets if reach else None)


def _along(point: Point, label: Label) -> Iterator[Box]:
    """Cut a leader into small boxes."""
    if label.leader is None:
        return
    (x, y), (to_x, to_y) = point, label.leader
    for step in range(2, 10):
        yield _around(x + (to_x - x) * step / 10, y + (to_y - y) * step / 10, 0.5)


def _around(x: float, y: float, radius: float) -> Box:
    return x - radius, y - radius, x + radius, y + radius


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _is_inside(box: Box, room: Box) -> bool:
    return box[0] >= room[0] and box[1] >= room[1] and box[2] <= room[2] and box[3] <= room[3]


def _width(text: str) -> float:
    """Estimate how many pixels a text takes: letters are of 10 pixels, most of them less than 7 wide."""
    return sum(10.5 if letter in "mwMW@%" or east_asian_width(letter) in "WF" else 6.6 for letter in text)
