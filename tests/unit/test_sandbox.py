"""Each child enters for good, so each test is a process of its own; what it tries is told line by line."""

from __future__ import annotations

import os
import platform
import socket
import subprocess
import sys

import pytest

from auditor import kernel
from auditor.sandbox import made_of, probe, weakest

CONFINED = kernel.landlock_version() >= 3
needs_landlock = pytest.mark.skipif(not CONFINED, reason="this kernel has no Landlock of Linux 6.2")

TRY = """
import fcntl, os, socket, sys
from pathlib import Path
from auditor import kernel, sandbox
inside, outside = Path(sys.argv[1]), Path(sys.argv[2])

def refused(name, act):
    try:
        act()
    except OSError:
        return
    print(name)
"""


def tried(tmp_path, code, *arguments):
    """Run code after `TRY` with a folder inside and one outside, in which `kept` is a file; give what it printed."""
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    for folder in (inside, outside):
        folder.mkdir(exist_ok=True)
    (outside / "kept").write_text("kept")
    done = subprocess.run(
        [sys.executable, "-c", TRY + code, inside, outside, *map(str, arguments)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert not done.returncode, done.stderr
    assert [path.name for path in outside.iterdir()] == ["kept"]
    assert (outside / "kept").read_text() == "kept"
    return done.stdout.split()


@needs_landlock
def test_nothing_outside_can_be_written_made_renamed_removed_or_given_another_mode(tmp_path):
    assert not tried(
        tmp_path,
        """
assert sandbox.enter([inside]).level == "full"
kept = outside / "kept"
(inside / "own").write_text("own")
refused("write", lambda: (outside / "new").write_text("x"))
refused("append", lambda: kept.open("a"))
refused("truncate", lambda: os.truncate(kept, 0))
refused("remove", kept.unlink)
refused("folder", (outside / "folder").mkdir)
refused("rename", lambda: kept.rename(outside / "other"))
refused("move out", lambda: (inside / "own").rename(outside / "own"))
refused("move in", lambda: kept.rename(inside / "kept"))
refused("hard link", lambda: os.link(kept, inside / "hard"))
refused("link", lambda: os.symlink(kept, inside / "soft"))
refused("pipe", lambda: os.mkfifo(inside / "pipe"))
refused("mode", lambda: kept.chmod(0o777))
refused("mode of what is open", lambda: os.fchmod(os.open(kept, os.O_RDONLY), 0o777))
refused("owner", lambda: os.chown(kept, os.getuid(), os.getgid()))
refused("times", lambda: os.utime(kept, (0, 0)))
refused("attribute", lambda: os.setxattr(kept, "user.a", b"x"))
""",
    )


@needs_landlock
def test_inside_everything_that_the_store_does_is_possible(tmp_path):
    tried(
        tmp_path,
        """
from auditor.population.store import Store
store = Store(inside)
folders = store.folders_of_jobs()
sandbox.enter(folders)
def fill(folder):
    (folder / "a.bin").write_bytes(b"x")
    return {"failure": None}
for replace in (False, True):
    store.publish(store.job_folder("00ff"), {"a": 1}, fill, replace=replace)
assert store.read(store.job_folder("00ff"), {"a": 1})
store.set_aside(store.job_folder("00ff"))
store.discard(next((inside / "jobs" / "00").iterdir()))
open(os.devnull, "w").write("x")
refused("the inputs", lambda: (inside / "data").mkdir())
""",
    )


@needs_landlock
def test_there_is_no_network_nor_any_other_socket(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        path = str(tmp_path / "s")
        with socket.socket(socket.AF_UNIX) as local:
            local.bind(path)
            local.listen()
            assert not tried(
                tmp_path,
                """
sandbox.enter([inside])
refused("tcp", lambda: socket.create_connection(("127.0.0.1", int(sys.argv[3])), timeout=5))
refused("listening", lambda: socket.create_server(("127.0.0.1", 0)))
refused("udp", lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", int(sys.argv[3]))))
refused("unix", lambda: socket.socket(socket.AF_UNIX).connect(sys.argv[4]))
refused("pair", socket.socketpair)
refused("ring", lambda: kernel._call(425, 8, bytes(120)))
""",
                listener.getsockname()[1],
                path,
            )
        listener.settimeout(0)
        with pytest.raises(BlockingIOError):
            listener.accept()


@needs_landlock
def test_programs_that_are_started_and_threads_are_held_back_too(tmp_path):
    said = tried(
        tmp_path,
        """
import subprocess, threading
sandbox.enter([inside])
subprocess.run(["sh", "-c", f"echo x > {outside}/new; echo x > {inside}/new"], stderr=subprocess.DEVNULL)
thread = threading.Thread(target=lambda: refused("thread", lambda: (outside / "new").write_text("x")))
thread.start(), thread.join()
print((inside / "new").exists())
""",
    )
    assert said == ["True"]


@needs_landlock
@pytest.mark.skipif(kernel.landlock_version() < 6, reason="signals are withheld from Linux 6.12 on")
def test_the_parent_cannot_be_killed_but_a_process_can_end_itself(tmp_path):
    tried(tmp_path, "sandbox.enter([inside]); refused('kill', lambda: os.kill(os.getppid(), 9))")


@needs_landlock
@pytest.mark.skipif(platform.machine() != "x86_64", reason="system calls are called by their number")
def test_other_programs_and_what_the_kernel_keeps_for_all_are_out_of_reach(tmp_path):
    code = """
import resource
sandbox.enter([inside])
other = os.getppid()
refused("limits", lambda: resource.prlimit(other, resource.RLIMIT_CPU, resource.getrlimit(resource.RLIMIT_CPU)))
refused("processors", lambda: os.sched_setaffinity(other, os.sched_getaffinity(0)))
refused("scheduler", lambda: os.sched_setscheduler(other, os.SCHED_OTHER, os.sched_param(0)))
refused("priority", lambda: os.setpriority(os.PRIO_PROCESS, other, os.getpriority(os.PRIO_PROCESS, other)))
refused("priority of the user", lambda: os.setpriority(os.PRIO_USER, 0, 19))
refused("priority of the disk", lambda: kernel._call(251, 1, other, 4 << 13))
refused("shared memory", lambda: kernel._call(29, 0, 4096, 0o1600))
refused("semaphore", lambda: kernel._call(64, 0, 1, 0o1600))
refused("messages", lambda: kernel._call(68, 0, 0o1600))
refused("queue", lambda: kernel._call(240, b"auditor-test", 0o102, 0o600, None))
refused("key", lambda: kernel._call(248, b"user", b"auditor-test", b"x", 1, -3))
refused("namespace", lambda: kernel._call(272, 0x10000000))
refused("namespace of a child", lambda: kernel._call(56, 0x10000011, 0, 0, 0, 0) or os._exit(0))
refused("faults", lambda: kernel._call(323, 1))
refused("programs of the kernel", lambda: kernel._call(321, 0, bytes(128), 128))
refused("counters", lambda: kernel._call(298, bytes(128), 0, -1, -1, 0))
import errno, subprocess, threading
try:
    kernel._call(435, bytes(88), 88)
except OSError as error:
    print(error.errno == errno.ENOSYS)
os.sched_setaffinity(0, os.sched_getaffinity(0))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
thread = threading.Thread(target=print, args=["thread"])
thread.start(), thread.join()
print(subprocess.run(["echo", "child"], capture_output=True, text=True).stdout)
"""
    assert tried(tmp_path, code) == ["True", "thread", "child"]


@needs_landlock
@pytest.mark.parametrize("order", [0x40086602, 0x40046602, 0x401C5820, 0x40806685])
def test_no_attribute_of_a_file_that_is_open_is_changed(tmp_path, order):
    code = """
import errno
sandbox.enter([inside])
with (outside / "kept").open("rb") as file:
    try:
        fcntl.ioctl(file, int(sys.argv[3]), bytes(128))
    except OSError as error:
        print(error.errno == errno.EPERM)
"""
    assert tried(tmp_path, code, order) == ["True"]


@needs_landlock
def test_nothing_is_typed_into_the_terminal(tmp_path):
    code = """
import errno, pty
terminal, other = pty.openpty()
sandbox.enter([inside])
try:
    fcntl.ioctl(other, 0x5412, b"x")
except OSError as error:
    print(error.errno == errno.EPERM)
fcntl.ioctl(other, 0x5413, bytes(8))
"""
    assert tried(tmp_path, code) == ["True"]


def test_memory_files_and_crashes_are_limited(tmp_path):
    code = """
sandbox.enter([inside], memory=500_000_000)
try:
    bytearray(1_000_000_000)
except MemoryError:
    print("memory")
import resource
print(*resource.getrlimit(resource.RLIMIT_CORE), resource.getrlimit(resource.RLIMIT_FSIZE)[0] == sandbox.LARGEST_FILE)
"""
    assert tried(tmp_path, code) == ["memory", "0", "0", "True"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root has what is given up")
def test_root_keeps_no_right_but_to_files(tmp_path):
    code = """
sandbox.enter([inside])
status = Path("/proc/self/status").read_text().split("\\n")
print(*(line.split()[1] for line in status if line.startswith(("CapEff", "CapPrm"))))
os.system("grep -h CapEff /proc/self/status | cut -f2")
"""
    assert {int(word, 16) for word in tried(tmp_path, code)} <= {0, 2}


@pytest.mark.parametrize(
    ("broken", "level", "writes", "network", "said"),
    [
        ("kernel.landlock_version = lambda: 0", "partial", False, True, "Linux 6.2 or later is needed"),
        ("kernel.landlock_version = lambda: 2", "partial", False, True, "Linux 6.2 or later is needed"),
        ("kernel.platform.machine = lambda: 'riscv64'", "partial", True, False, "the system calls of riscv64"),
        (
            "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()",
            "partial", False, True, "threads",
        ),
        (
            "kernel.landlock_version = lambda: 0; kernel.platform.machine = lambda: 'x'",
            "none", False, False, "Linux 6.2 or later is needed",
        ),
    ],
)  # fmt: skip
@needs_landlock
def test_what_the_kernel_lacks_lowers_the_level_and_is_told(tmp_path, broken, level, writes, network, said):
    code = f"""
{broken}
import json
found = sandbox.enter([inside])
print(json.dumps([found.level, found.writes, found.network, found.why]).replace(" ", "_"))
os._exit(0 if sys.stdout.flush() is None else 1)
"""
    told = tried(tmp_path, code)[0].replace("_", " ")
    assert told.startswith(f'["{level}", {str(writes).lower()}, {str(network).lower()}')
    assert said in told


@needs_landlock
def test_a_probe_in_another_process_tells_what_a_worker_gets_and_leaves_this_one_as_it_was(tmp_path):
    found = probe()
    assert (found.level, found.writes, found.network, found.why) == ("full", True, True, "")
    (tmp_path / "still").write_text("writable")
    assert str(found).startswith("full: no writing outside the store, no network, at most ")


def test_the_weakest_of_several_counts():
    full, partial = made_of(writes=True, network=True, memory=1), made_of(network=True, memory=1, why="old")
    none = made_of(why="inline")
    assert weakest([full, partial, full]) == partial
    assert weakest([partial, none, full]) == none
    assert weakest([]) is None
    assert str(none) == "none: inline"
