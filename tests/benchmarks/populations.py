"""Whole populations, beside the loop that a practitioner writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
from benchmarks.row import ROOT, Row

LOOP = Path(__file__).with_name("tfmot_loop.py")


class Clock:
    """Notes when the last stack was trained."""

    def __init__(self):
        from auditor.progress import Silent

        self.start, self.last, self._silent = time.perf_counter(), 0.0, Silent()

    def __getattr__(self, name):
        return getattr(self._silent, name)

    def trained(self, _stack, _seconds):
        self.last = time.perf_counter() - self.start


def told(decisions, labels, women):
    """Accuracy and women's recall, mean and standard deviation over members, in percent."""
    decisions = np.asarray(decisions)
    rates = ((decisions == labels).mean(axis=1), (decisions[:, women] == 1).mean(axis=1))
    return " and ".join(f"{100 * rate.mean():.1f} ± {100 * rate.std(ddof=1):.1f}" for rate in rates)


def population_mlp():
    """30 members of the demonstration's network at four sparsities, trained in stacks, beside TFMOT in a loop."""
    from auditor import load_spec, population
    from auditor.data import open_source

    members, timed_members, shares = 30, 3, ("0", "0.5", "0.9", "0.98")
    settings = [f"population.size={members}", "compression.pruned.sparsity=[0.5, 0.9, 0.98]"]
    declaration = load_spec(ROOT / "audit.toml", settings)
    spec = declaration.spec.model_copy(update={"compression": declaration.spec.compression[:3]})
    source = open_source(spec, declaration.base)
    dataset = source.load()
    with tempfile.TemporaryDirectory() as folder:
        source.materialise(Path(folder))
        loop = subprocess.run(
            [sys.executable, str(LOOP), folder, str(timed_members), *shares],
            capture_output=True, text=True, check=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        )  # fmt: skip
        theirs = json.loads(loop.stdout.splitlines()[-1])
        clock = Clock()
        ours = population.run(
            spec, source, dataset, base=declaration.base, store_folder=Path(folder, "store"), progress=clock
        )
    whole = time.perf_counter() - clock.start
    sex = np.array(dataset.attributes["sex"])
    women = (sex == "Female") & (dataset.labels == dataset.positive)
    accuracy = "; ".join(
        f"{share}: {told(each.predictions.decisions, dataset.labels, women)}, "
        f"theirs {told(theirs[share]['decisions'], dataset.labels, women)}"
        for share, each in zip(shares, ours, strict=True)
    )
    return Row(
        ours=clock.last,
        theirs=sum(each["seconds"] for each in theirs.values()) * members / timed_members,
        other=f"TFMOT {version('tensorflow-model-optimization')} and fit in a loop, {timed_members} of {members} timed",
        note=f"training of {members} x {len(shares)} members; ours with the start of workers and TensorFlow, theirs "
        f"without; ours written, opened again and scored: {whole:.1f} s. "
        f"Accuracy and women's recall by sparsity, %: {accuracy}",
    )
