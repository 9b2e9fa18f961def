"""Commands and worker processes: how long they take, and how much memory they hold."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import psutil
from benchmarks.row import ROOT


def timed(call):
    """Seconds that a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def command(*arguments, cwd=ROOT, env=None):
    """Run the command; any verdict is an answer, anything else a failure of the benchmark."""
    done = subprocess.run(
        [sys.executable, "-m", "auditor", *arguments], cwd=cwd, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode not in {0, 1, 3}:
        raise RuntimeError(done.stderr)


class Peak:
    """The most memory that all processes under this one held at one time, sampled: MiB, shared pages counted once."""

    def __enter__(self):
        self.mib, self._done = 0.0, threading.Event()
        self._sampler = threading.Thread(target=self._sample)
        self._sampler.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._sampler.join()

    def _sample(self):
        while not self._done.wait(0.2):
            held = [proportional_set(process) for process in psutil.Process().children(recursive=True)]
            self.mib = max(self.mib, sum(held) / 2**20)


def proportional_set(process):
    """Bytes of a process, a page that n processes share counted as one nth; 0 for one that is gone."""
    try:
        return process.memory_full_info().pss
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0
