"""The few pickled values that CIFAR's Python files hold, read as data: nothing named in them is looked up or called.

Their opcodes are those that Python 2 wrote (protocol 2) for a dict of texts, lists of texts and whole numbers, and one
array of bytes. Any other opcode, name or nesting is refused.
"""

from __future__ import annotations

import pickletools
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import mmap
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

NAMES = ("numpy.core.multiarray _reconstruct", "numpy ndarray", "numpy dtype")
MOST_STEPS = 1_000_000
"""Opcodes in one file: the largest official one has some 250,000."""
LONGEST_TEXT = 1 << 16
"""Bytes; what is longer is the content of an array, and stays where it is."""
_CODES = {code.code.encode("latin-1"): code.name for code in pickletools.opcodes}


class PickleError(ValueError):
    """The file holds something else than the official ones do."""


@dataclass(slots=True)
class Named:
    """A name that stands in the file; one of `NAMES`."""

    name: str


@dataclass(slots=True)
class Made:
    """What the file says is to be made of a name and arguments, and the state that it is then given."""

    of: object
    arguments: object
    state: object = None


def read_plain(content: mmap.mmap | bytes) -> dict[str, Any]:
    """The dict at the top, texts as str; raises PickleError naming what is unknown, and where."""
    machine = _Machine(memoryview(content))
    try:
        value = machine.run()
    except PickleError:
        raise
    except (IndexError, ValueError, struct.error, TypeError) as error:
        raise PickleError(f"byte {machine.at:,}: the file is cut off or damaged") from error
    if not isinstance(value, dict):
        raise PickleError("it holds no dict")
    return {key: _array(one) if isinstance(one, Made) else one for key, one in value.items()}


class _Machine:
    """A stack since the last mark, the stacks before it, and what was remembered by number."""

    def __init__(self, content: memoryview) -> None:
        self._content = content
        self.at = 0
        self._stack: list[Any] = []
        self._before: list[list[Any]] = []
        self._memo: dict[int, Any] = {}
        self._steps: dict[bytes, Callable[[], None]] = {
            b"}": lambda: self._push({}),
            b"]": lambda: self._push([]),
            b"(": self._mark,
            b"N": lambda: self._push(None),
            b"\x88": lambda: self._push(True),  # noqa: FBT003 - what the opcode says
            b"\x89": lambda: self._push(False),  # noqa: FBT003
            b"K": lambda: self._push(self._number("<B")),
            b"M": lambda: self._push(self._number("<H")),
            b"J": lambda: self._push(self._number("<i")),
            b"U": lambda: self._push(self._text(self._number("<B"))),
            b"T": lambda: self._push(self._text(self._number("<i"))),
            b"q": lambda: self._remember(self._number("<B")),
            b"r": lambda: self._remember(self._number("<I")),
            b"h": lambda: self._push(self._recall(self._number("<B"))),
            b"j": lambda: self._push(self._recall(self._number("<I"))),
            b"\x85": lambda: self._push(self._pop_tuple(1)),
            b"\x86": lambda: self._push(self._pop_tuple(2)),
            b"\x87": lambda: self._push(self._pop_tuple(3)),
            b"t": lambda: self._push(tuple(self._pop_to_mark())),
            b"a": lambda: self._append(self._pop_tuple(1)),
            b"e": lambda: self._append(self._pop_to_mark()),
            b"s": lambda: self._set_items(self._pop_tuple(2)),
            b"u": lambda: self._set_items(self._pop_to_mark()),
            b"c": lambda: self._push(Named(self._name())),
            b"R": lambda: self._push(Made(*reversed((self._stack.pop(), self._stack.pop())))),
            b"b": self._give_state,
        }

    def run(self) -> object:
        """Up to the stop; what lies on the stack then."""
        if bytes(self._take(2)) != b"\x80\x02":
            raise PickleError("it is no pickle of protocol 2, in which the official files are written")
        for _ in range(MOST_STEPS):
            code = bytes(self._take(1))
            if code == b".":
                return self._only()
            if code not in self._steps:
                name = _CODES.get(code, f"0x{code.hex()}")
                raise PickleError(f"byte {self.at - 1:,}: opcode {name}, which no official file holds, is refused")
            self._steps[code]()
        raise PickleError(f"it holds more than {MOST_STEPS:,} opcodes")

    def _only(self) -> object:
        if len(self._stack) != 1 or self._before or self.at != len(self._content):
            raise PickleError("something stands beside the one value, or behind it")
        return self._stack[0]

    def _take(self, count: int) -> memoryview:
        if count < 0 or self.at + count > len(self._content):
            raise IndexError
        self.at += count
        return self._content[self.at - count : self.at]

    def _number(self, form: str) -> int:
        return int(struct.unpack(form, self._take(struct.calcsize(form)))[0])

    def _text(self, length: int) -> str | memoryview:
        content = self._take(length)
        return content if length > LONGEST_TEXT else bytes(content).decode("latin-1")

    def _name(self) -> str:
        words = [self._line(), self._line()]
        if " ".join(words) not in NAMES:
            raise PickleError(f"byte {self.at:,}: the name {words[0]}.{words[1]} is refused")
        return " ".join(words)

    def _line(self) -> str:
        line = bytes(self._content[self.at : self.at + 100]).partition(b"\n")[0]
        self._take(len(line) + 1)
        return line.decode("ascii")

    def _push(self, value: object) -> None:
        self._stack.append(value)

    def _remember(self, place: int) -> None:
        self._memo[place] = self._stack[-1]

    def _recall(self, place: int) -> object:
        if place not in self._memo:
            raise IndexError
        return self._memo[place]

    def _pop_tuple(self, count: int) -> tuple[Any, ...]:
        return tuple(reversed([self._stack.pop() for _ in range(count)]))

    def _mark(self) -> None:
        self._before.append(self._stack)
        self._stack = []

    def _pop_to_mark(self) -> list[Any]:
        values, self._stack = self._stack, self._before.pop()
        return values

    def _append(self, values: Sequence[Any]) -> None:
        target = self._stack[-1]
        if not isinstance(target, list) or not all(isinstance(value, int | str) for value in values):
            raise PickleError(f"byte {self.at:,}: a list of other things than texts and numbers is refused")
        target.extend(values)

    def _set_items(self, values: Sequence[Any]) -> None:
        target, keys = self._stack[-1], values[::2]
        if not isinstance(target, dict) or len(values) % 2 or not all(isinstance(key, str) for key in keys):
            raise PickleError(f"byte {self.at:,}: a dict whose keys are no texts is refused")
        target.update(zip(keys, values[1::2], strict=True))

    def _give_state(self) -> None:
        state = self._stack.pop()
        if not isinstance(self._stack[-1], Made):
            raise PickleError(f"byte {self.at:,}: a state for something that is no array is refused")
        self._stack[-1].state = state


def _array(made: Made) -> npt.NDArray[np.uint8]:
    """The array that a value stands for, in the file's own bytes; raises PickleError unless it holds plain bytes."""
    match made:
        case Made(
            of=Named(name="numpy.core.multiarray _reconstruct"),
            arguments=(Named(name="numpy ndarray"), (0,), "b"),
            state=(1, (int(rows), int(columns)), Made(of=Named(name="numpy dtype"), arguments=("u1", *_)), order, held),
        ) if isinstance(order, bool) and isinstance(held, memoryview | str):
            content = held.encode("latin-1") if isinstance(held, str) else held
            if rows < 0 or rows * columns != len(content):
                raise PickleError(f"an array of {rows} x {columns} does not fit its {len(content):,} bytes")
            return np.frombuffer(content, dtype=np.uint8).reshape(rows, columns, order="F" if order else "C")
    raise PickleError("it holds an object that is no array of bytes with two axes")
