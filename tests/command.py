"""The command in a process of its own that need not import the libraries again: half of what a short one takes."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path

LIBRARIES = ["click", "h5py", "numpy", "pandas", "pebble", "PIL.Image", "pyarrow.parquet", "pydantic", "rich.console"]
LIBRARIES += ["rich.table", "scipy.linalg", "scipy.optimize", "scipy.special", "yaml"]
"""Imported once, where processes are forked from; the auditor itself is imported anew in each of them."""


def run(folder, *arguments, env=None, timeout=600):
    """Run the command in a folder; gives the finished process, with what it printed as text."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LIBRARIES)
    given = [str(each) for each in arguments]
    with tempfile.TemporaryDirectory() as scratch:
        printed = [Path(scratch, name) for name in ("out", "err")]
        process = context.Process(target=_main, args=(folder, given, dict(os.environ if env is None else env), printed))
        process.start()
        process.join(timeout)
        if process.is_alive():
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(given, timeout)
        return subprocess.CompletedProcess(
            given, process.exitcode, *(path.read_text(encoding="utf-8") for path in printed)
        )


def _main(folder, arguments, env, printed):
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    for number, path in enumerate(printed, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    sys.argv = ["auditor", *arguments]
    from auditor.cli import main

    main()
