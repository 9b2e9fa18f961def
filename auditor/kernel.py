"""What Linux can withhold from a process: Landlock, seccomp, capabilities. Nothing here needs a privilege.

Each function answers with the reason why it could not, or with an empty text. Landlock and capabilities are a thread's
own: they hold for the thread that asks and for those that it starts afterwards.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

# ------------------------------------------------------------------------------------------- Landlock: files, signals
# linux/landlock.h
_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION = 1
_BENEATH = 1
_OLDEST = 3
"""ABI of Linux 6.2. Before it, a file could be emptied by its name; before that, the store could not rename."""
_FILE = 1 << 1 | 1 << 14
"""Rights on a file: writing and cutting short."""
_FOLDER = _FILE | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 13
"""Rights in a folder: its files, removing both kinds, making both kinds, and renaming from folder to folder."""
_OTHERS = 1 << 6 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 12
"""Making devices, sockets, pipes and links, which is allowed nowhere."""
_DEVICES = 1 << 15
"""Orders to devices; from ABI 5 on."""
_SIGNALS = 1 << 1
"""Signals to processes outside; from ABI 6 on, as is the field that holds it."""


@cache
def _libc() -> Any:  # noqa: ANN401 - ctypes publishes no types for what it finds
    return ctypes.CDLL(None, use_errno=True)


def _call(*arguments: object) -> int:
    """Make a system call; raises OSError."""
    wide = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    answer = int(_libc().syscall(*wide))
    if answer < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return answer


def landlock_version() -> int:
    """Give the kernel's Landlock ABI; 0 where there is none, or none that is switched on."""
    try:
        return _call(_CREATE, None, 0, _VERSION)
    except (OSError, AttributeError):
        return 0


def close_files(writable: Sequence[Path]) -> str:
    """Let nothing be written, made, renamed or removed but in these folders and /dev/null; reading stays as it was."""
    version = landlock_version()
    if version < _OLDEST:
        return f"Landlock of Linux 6.2 or later is needed: this kernel has version {version} of {_OLDEST}"
    handled = _FOLDER | _OTHERS | (_DEVICES if version >= 5 else 0)
    # Files, ports, scopes: what a kernel does not know must not be handed to it.
    rules = struct.pack("=QQQ", handled, 0, _SIGNALS)[: 24 if version >= 6 else 8]
    try:
        ruleset = _call(_CREATE, rules, len(rules), 0)
        try:
            for path, rights in (*((path, _FOLDER) for path in writable), (Path(os.devnull), _FILE)):
                _allow(ruleset, path, rights)
            gain_nothing()
            _call(_RESTRICT, ruleset, 0)
        finally:
            os.close(ruleset)
    except OSError as error:
        return f"Landlock cannot be used: {error}"
    return ""


def _allow(ruleset: int, path: Path, rights: int) -> None:
    number = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        _call(_ADD, ruleset, _BENEATH, struct.pack("=Qi", rights, number), 0)
    finally:
        os.close(number)


# ------------------------------------------------------------------------------------------- seccomp: sockets and more
_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_DENIED = {
    # no socket of any kind, by neither way
    "socket": (41, 198), "socketpair": (53, 199), "io_uring_setup": (425, 425),
    # what Landlock lets any owner do to a file outside: modes, owners, times, attributes
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, None), "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54),
    "utime": (132, None), "utimes": (235, None), "futimesat": (261, None), "utimensat": (280, 88),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "setxattrat": (463, 463),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16), "removexattrat": (466, 466),
    "file_setattr": (469, 469),
}  # fmt: skip
"""System calls that fail, with their numbers on either architecture."""
_IOCTL = {"x86_64": 16, "aarch64": 29}
_TYPING = (0x5412, 0x541C)
"""Orders that type into the terminal that the process was started from."""
_OTHER_NUMBERS = 0x40000000
"""Where x86-64 has every call a second time."""
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050001
_NUMBER, _ARCHITECTURE, _SECOND = 0, 4, 24
"""Where the filter finds the call's number, the architecture, and the lower half of the second argument."""
_SECCOMP = {"x86_64": 317, "aarch64": 277}


def close_calls() -> str:
    """Let no socket be made and no file's mode, owner, times or attributes be changed, in every thread."""
    machine = platform.machine()
    if machine not in _ARCHITECTURES:
        return f"the system calls of {machine} are not known"
    program = _filter(machine)
    buffer = ctypes.create_string_buffer(program)
    head = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    try:
        gain_nothing()
        _call(_SECCOMP[machine], 1, 1, head)
    except OSError as error:
        return f"seccomp cannot be used: {error}"
    return ""


def _filter(machine: str) -> bytes:
    """Give the filter's program, in Berkeley's: every jump leads to the next step or to the refusal at the end."""
    place = list(_ARCHITECTURES).index(machine)
    numbers = [number for pair in _DENIED.values() if (number := pair[place]) is not None]
    second = [(_AT_LEAST, _OTHER_NUMBERS)] if machine == "x86_64" else []
    refused = [*second, *((_EQUAL, number) for number in numbers)]
    orders = [(_EQUAL, order) for order in _TYPING]
    length = 3 + len(refused) + 2 + len(orders) + 2
    steps: list[tuple[int, int, int, int]] = [(_LOAD, 0, 0, _ARCHITECTURE)]
    steps.append((_EQUAL, 0, length - 3, _ARCHITECTURES[machine]))
    steps.append((_LOAD, 0, 0, _NUMBER))
    steps += [(kind, length - 2 - (len(steps) + n), 0, value) for n, (kind, value) in enumerate(refused)]
    steps.append((_EQUAL, 0, 1 + len(orders), _IOCTL[machine]))
    steps.append((_LOAD, 0, 0, _SECOND))
    steps += [(kind, length - 2 - (len(steps) + n), 0, value) for n, (kind, value) in enumerate(orders)]
    steps += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


# ---------------------------------------------------------------------------------------------------------- privileges
_KEPT = 1 << 1
"""The right of root to files of other owners (CAP_DAC_OVERRIDE): the store and the data may be theirs."""


def gain_nothing() -> None:
    """Let no program that is started have more rights than this one. Raises OSError."""
    if _libc().prctl(38, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no_new_privs cannot be set")


def drop_capabilities() -> None:
    """Give up what root can do beside ordinary users, such as loading modules of the kernel. Raises OSError."""
    head = struct.pack("=Ii", 0x20080522, 0)
    found = ctypes.create_string_buffer(24)
    if _libc().capget(head, found):
        raise OSError(ctypes.get_errno(), "capabilities cannot be told")
    effective, permitted, *_ = struct.unpack("=6I", found.raw)
    if _libc().capset(head, struct.pack("=6I", effective & _KEPT, permitted & _KEPT, 0, 0, 0, 0)):
        raise OSError(ctypes.get_errno(), "capabilities cannot be given up")


def threads() -> int:
    """Give the number of this process's threads. Raises OSError where the kernel does not tell."""
    return sum(1 for _ in Path("/proc/self/task").iterdir())
