"""The look at HDF5 bytes in a process of its own: damaged ones can make libhdf5 run for ever, or die.

Started as `python -m auditor.models.apart check|config|outputs FILE MEMORY`, the bytes on standard input. No
TensorFlow; a sandbox without any folder to write into.
"""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from auditor import sandbox
from auditor.errors import ModelError, Problem
from auditor.models.hdf5 import check_hdf5, hdf5_config, hdf5_outputs

_SECONDS = 600.0
"""Until an answer; a busy computer may need far longer than a processor does."""
_PROCESSOR_SECONDS = 60
"""Of work: what runs for ever is ended by these, however busy the computer is."""
_MEMORY = 1 << 30
"""Bytes that a look may take beside the libraries and the file itself: a few small numbers can declare any size."""
# -P: the folder that the auditor is started in is none to import from.
_COMMAND = (sys.executable, "-P", "-m", "auditor.models.apart")


def check_apart(content: bytes, file: str) -> None:
    """Refuse what `check_hdf5` refuses, and what cannot be looked into in time."""
    _ask("check", content, file)


def config_apart(content: bytes, file: str) -> tuple[str, str]:
    """A checked `.h5` file's configuration and the version of Keras; raises ModelError as `check_apart` does."""
    config, version = _ask("config", content, file)
    return config, version


def outputs_apart(content: bytes, file: str) -> int | None:
    """The outputs of the last layer of a checked `.h5` file; raises ModelError as `check_apart` does."""
    (told,) = _ask("outputs", content, file)
    outputs: int | None = json.loads(told)
    return outputs


def _ask(what: str, content: bytes, file: str) -> list[str]:
    try:
        # The program is this very Python, and the file's name is an argument that no shell reads.
        done = subprocess.run(  # noqa: S603
            [*_COMMAND, what, file, str(_MEMORY)],
            input=content, capture_output=True, timeout=_SECONDS, check=False, env=sandbox.environment(),
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise ModelError(_unseen(file, f"it takes more than {_SECONDS:g} seconds")) from error
    if done.returncode == 1:
        # An exception that the look does not foresee: its last line names it.
        raise RuntimeError(done.stderr.decode(errors="replace").strip().rpartition("\n")[2])
    if done.returncode == -signal.SIGXCPU:
        raise ModelError(_unseen(file, f"it takes more than {_PROCESSOR_SECONDS} seconds of a processor"))
    if done.returncode:
        raise ModelError(_unseen(file, f"the process ended with {done.returncode}"))
    answer = json.loads(done.stdout)
    if answer["problems"]:
        raise ModelError(*(Problem(**each) for each in answer["problems"]))
    return list(map(str, answer["texts"]))


def _unseen(file: str, why: str) -> Problem:
    return Problem(file=file, message=f"it could not be looked into: {why}")


def main(what: str, file: str, memory: str) -> None:
    """Answer on standard output: what is refused, or the configuration's text."""
    sandbox.enter([])

    content = sys.stdin.buffer.read()
    _limit_memory(int(memory) + 2 * len(content))
    resource.setrlimit(resource.RLIMIT_CPU, (_PROCESSOR_SECONDS, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    problems: list[dict[str, object]] = []
    texts: tuple[str, ...] = ()
    try:
        check_hdf5(content, file)
        if what == "config":
            texts = hdf5_config(content, file)
        if what == "outputs":
            texts = (json.dumps(hdf5_outputs(content, file)),)
    except ModelError as error:
        problems = [asdict(problem) for problem in error.problems]
    except (MemoryError, OSError) as error:
        if not isinstance(error, MemoryError) and "alloc" not in str(error):  # libhdf5's word for it
            raise
        said = f"it takes more than {int(memory):,} bytes of memory to look into"
        problems = [asdict(Problem(file=file, message=said))]
    sys.stdout.write(json.dumps({"problems": problems, "texts": texts}))


def _limit_memory(more: int) -> None:
    """Refuse this process what it asks for beyond what it has mapped already, of which nothing need be in use."""
    try:
        mapped = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    except OSError:
        return  # not Linux: there the kernel does not keep to this limit anyway
    _, highest = resource.getrlimit(resource.RLIMIT_AS)
    wanted = mapped + more
    resource.setrlimit(
        resource.RLIMIT_AS, (wanted if highest == resource.RLIM_INFINITY else min(wanted, highest), highest)
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
