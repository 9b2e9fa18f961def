"""What Linux can withhold from a process: Landlock, seccomp, capabilities. Nothing here needs a privilege.

Each function answers with the reason why it could not, or with an empty text. Landlock and capabilities are a thread's
own: they hold for the thread that asks and for those that it starts afterwards.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import signal
import struct
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

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
# Numbers of linux/unistd.h, of x86-64 and of ARM64.
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
    # what the kernel keeps for other programs, or after this one has ended: memory, messages, semaphores, keys
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "semget": (64, 190), "semop": (65, 193),
    "semctl": (66, 191), "semtimedop": (220, 192), "msgget": (68, 186), "msgsnd": (69, 189), "msgrcv": (70, 188),
    "msgctl": (71, 187), "mq_open": (240, 180), "mq_unlink": (241, 181),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    # parts of the kernel that no model needs, and where its holes have been
    "unshare": (272, 97), "setns": (308, 268), "userfaultfd": (323, 282), "bpf": (321, 280),
    "perf_event_open": (298, 241),
    # priorities: of a whole user too
    "setpriority": (141, 140), "ioprio_set": (251, 30),
}  # fmt: skip
"""System calls that fail, with their numbers on either architecture."""
_OF_ITSELF = {
    "prlimit64": (302, 261), "sched_setaffinity": (203, 122), "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118), "sched_setattr": (314, 274),
}  # fmt: skip
"""System calls that fail unless the process that they name, first, is 0: the one that calls."""
_CLONE, _CLONE3, _IOCTL = (56, 220), (435, 435), (16, 29)
_NAMESPACES = 0x7E020000
"""Flags that make namespaces. Those of clone3 cannot be seen, so there is none: libraries then take clone."""
_ORDERS = (
    0x5412, 0x541C,  # TIOCSTI, TIOCLINUX: typing into the terminal that the process was started from
    0x40086602, 0x40046602, 0x40087602, 0x40047602,  # FS_IOC_SETFLAGS, FS_IOC_SETVERSION, and for 32 bits
    0x401C5820, 0x40806685,  # FS_IOC_FSSETXATTR, FS_IOC_ENABLE_VERITY
)  # fmt: skip
"""What must not be asked of a file that is open."""
_OTHER_NUMBERS = 0x40000000
"""Where x86-64 has every call a second time."""
_LOAD, _EQUAL, _AT_LEAST, _ANY, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST, _SECOND = 0, 4, 16, 24
"""Where the filter finds the call's number, the architecture, and the lower halves of two arguments."""
_ENDS = {"allow": 0x7FFF0000, "refuse": 0x00050001, "absent": 0x00050026}
"""What the filter answers: yes, EPERM, ENOSYS."""
_SECCOMP = {"x86_64": 317, "aarch64": 277}


def close_calls() -> str:
    """Let no socket be made, no file's attributes and no other process be changed, in every thread, and more."""
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


_Step = tuple[int, int, int | str, int | str]
"""What is done, with which value, and how many steps are left out where it holds and where not; or the end to go to."""


def _filter(machine: str) -> bytes:
    """Give the filter's program, in Berkeley's."""
    place = list(_ARCHITECTURES).index(machine)
    steps: list[_Step] = [
        (_LOAD, _ARCHITECTURE, 0, 0),
        (_EQUAL, _ARCHITECTURES[machine], 0, "refuse"),
        (_LOAD, _NUMBER, 0, 0),
        (_AT_LEAST, _OTHER_NUMBERS, "refuse", 0),
        (_EQUAL, _CLONE3[place], "absent", 0),
        *((_EQUAL, number, "refuse", 0) for pair in _DENIED.values() if (number := pair[place]) is not None),
    ]
    for pair in _OF_ITSELF.values():
        steps += [(_EQUAL, pair[place], 0, 2), (_LOAD, _FIRST, 0, 0), (_EQUAL, 0, "allow", "refuse")]
    steps += [(_EQUAL, _CLONE[place], 0, 2), (_LOAD, _FIRST, 0, 0), (_ANY, _NAMESPACES, "refuse", "allow")]
    steps += [(_EQUAL, _IOCTL[place], 0, "allow"), (_LOAD, _SECOND, 0, 0)]
    steps += [(_EQUAL, order, "refuse", 0) for order in _ORDERS]
    steps += [(_RETURN, answer, 0, 0) for answer in _ENDS.values()]
    return b"".join(_packed(step, len(steps) - n) for n, step in enumerate(steps))


def _packed(step: _Step, left: int) -> bytes:
    """Give a step as the kernel reads it; so many are left with it."""
    kind, value, *jumps = step
    ends = {name: left - len(_ENDS) - 1 + n for n, name in enumerate(_ENDS)}
    return struct.pack("=HBBI", kind, *(ends[jump] if isinstance(jump, str) else jump for jump in jumps), value)


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


# ------------------------------------------------------------------------------------------- processes that were left
_SUBREAPER, _IS_SUBREAPER = 36, 37
_ENDING = 10.0
"""Seconds: a process that starts others faster than they can be ended is not waited for longer."""


@contextlib.contextmanager
def adopting() -> Iterator[None]:
    """Become the parent of what descendants leave behind, as long as this lasts; nothing where there is no Linux."""
    before = ctypes.c_int()
    try:
        _libc().prctl(_IS_SUBREAPER, ctypes.byref(before), 0, 0, 0)
        _libc().prctl(_SUBREAPER, 1, 0, 0, 0)
    except AttributeError:
        yield
        return
    try:
        yield
    finally:
        _libc().prctl(_SUBREAPER, before.value, 0, 0, 0)


def end_confined(spared: Collection[int]) -> None:
    """End children of this process, and theirs, that have more filters of system calls than it has: only workers do."""
    end = time.monotonic() + _ENDING
    while (found := [each for each in _confined() if each not in spared]) and time.monotonic() < end:
        for each in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(each, 0)


def _confined() -> Iterator[int]:
    filters = _status("self").get("Seccomp_filters", 0)
    for path in Path("/proc").glob("[0-9]*"):
        found = _status(path.name)
        if found.get("PPid") == os.getpid() and found.get("Seccomp_filters", 0) > filters:
            yield int(path.name)


def _status(process: str) -> dict[str, int]:
    try:
        lines = Path("/proc", process, "status").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    pairs = (line.partition(":")[::2] for line in lines if line.startswith(("PPid:", "Seccomp_filters:")))
    return {name: int(value) for name, value in pairs}
