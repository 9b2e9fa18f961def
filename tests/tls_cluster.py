"""A Dask cluster over TLS on this computer: a scheduler and workers, each a real process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time

import dask.config
import psutil
from distributed import Client
from distributed.security import Security


def certified(folder):
    """Dask's configuration for a certificate that scheduler, workers and clients share, made now."""
    security = Security.temporary()
    for name in ("key", "cert"):
        (folder / f"{name}.pem").write_text(getattr(security, f"tls_client_{name}"))
    made = {"distributed.comm.require-encryption": True, "distributed.comm.tls.ca-file": str(folder / "cert.pem")}
    made["distributed.scheduler.allowed-failures"] = 1  # of the workers that one job takes along; three by default
    for role in ("scheduler", "worker", "client"):
        made |= {f"distributed.comm.tls.{role}.{name}": str(folder / f"{name}.pem") for name in ("key", "cert")}
    return made


def as_variables(config):
    """Dask's configuration as environment variables."""
    return {f"DASK_{key.upper().replace('.', '__').replace('-', '_')}": str(value) for key, value in config.items()}


class Cluster:
    """A scheduler, its workers, and how they are reached."""

    def __init__(self, folder, config=None):
        self.folder, self.started = folder, []
        self.config = config or certified(folder)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.address = f"tls://127.0.0.1:{port}"
        self._start("scheduler", "--host", "127.0.0.1", "--port", str(port), "--protocol", "tls", "--no-dashboard")

    def worker(self, *options):
        """Start a worker, with the nanny that starts it anew when it dies."""
        return self._start("worker", self.address, "--no-dashboard", "--local-directory", str(self.folder), *options)

    def _start(self, *arguments):
        env = {**os.environ, **as_variables(self.config)}
        command = [sys.executable, "-m", "dask", *arguments]
        with (self.folder / f"log{len(self.started)}").open("wb") as log:
            process = subprocess.Popen(command, cwd=self.folder, env=env, stdout=log, stderr=log)
        self.started.append(process)
        return process

    def wait_for(self, workers):
        with dask.config.set(self.config), Client(self.address) as client:
            end = time.monotonic() + 60
            while len(client.scheduler_info()["workers"]) != workers:
                assert time.monotonic() < end, "the workers have not come, or not gone"
                time.sleep(0.1)

    def stop(self):
        for process in reversed(self.started):
            if process.poll() is None:
                for each in [*psutil.Process(process.pid).children(recursive=True), process]:
                    each.kill()
            process.wait()
