"""What running costs: more members, more workers, a run that was interrupted, everything around the training."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import pandas as pd
from benchmarks.populations import Images, image_spec, run_images
from benchmarks.processes import Peak, command, timed
from benchmarks.row import ROOT, Row
from PIL import Image
from tls_cluster import Cluster, as_variables

BESIDE = Path(__file__).with_name("beside_bare.py")
FACES = """
schema = 1
attribute = ["Young"]
[model]
architecture = "cnn"
[training]
epochs = {epochs}
[population]
size = {members}
[data]
source = "celeba"
path = "faces"
label = "Smiling"
positive = 1
[[compression]]
method = "prune"
sparsity = 0.9
[[gate]]
metric = "recall"
min = -0.02
"""


def audited(folder, *settings, env=None):
    """Seconds of the demonstration's audit with its store in a folder, and the digest of its result."""
    arguments = ("run", "audit.toml", "--set", f"run.store={folder}/store", "--output", f"{folder}/out")
    settings = [part for setting in settings for part in ("--set", setting)]
    seconds = timed(lambda: command(*arguments, *settings, env=env))
    return seconds, json.loads(Path(folder, "out", "result.json").read_text("utf-8"))["digest"]


def scaling():
    """A convolutional population in two worker processes, beside the same in one; and how it grows with K."""
    source, found = Images(28, 1, 8_000), {}
    with tempfile.TemporaryDirectory() as folder:
        for members, workers in ((4, 1), (2, 2), (4, 2), (8, 2)):
            local = {"executor": "local", "workers": workers}
            spec = image_spec(training={"epochs": 3}, population={"size": members}, run=local)
            store = Path(folder, f"{members}-{workers}")
            with Peak() as peak:
                seconds = timed(lambda spec=spec, store=store: run_images(spec, source, store))
            found[members, workers] = seconds, peak.mib
    grown = "; ".join(f"2 x {k} members {found[k, 2][0]:.1f} s, {found[k, 2][1]:,.0f} MiB" for k in (2, 4, 8))
    return Row(
        ours=found[4, 2][0],
        theirs=found[4, 1][0],
        other="2 x 4 members in one worker process instead of two",
        note=f"with the start of workers and TensorFlow; memory of both workers together; {grown}",
    )


def resume():
    """The demonstration, a job a member, with every other member stored, beside the same from nothing."""
    with tempfile.TemporaryDirectory() as folder:
        cold, before = audited(folder, "training.stacked=false")
        jobs = sorted(Path(folder, "store").glob("jobs/*/*"))
        for job in jobs[::2]:
            shutil.rmtree(job)
        resumed, after = audited(folder, "training.stacked=false")
        full, _ = audited(folder, "training.stacked=false")
    beyond = resumed - full - (cold - full) / 2
    return Row(
        ours=resumed,
        theirs=cold,
        other=f"none of {len(jobs)} members stored, where ours has {len(jobs) - len(jobs[::2])}",
        note=f"all stored {full:.1f} s: resuming costs {beyond:+.1f} s more than the half that was missing; "
        f"digests of the results are {'the same' if before == after else 'DIFFERENT'}",
    )


def overhead():
    """All that an audit of images does, beside its training and scoring alone."""
    members, epochs, source = 3, 6, Images(64, 3, 8_000)
    with tempfile.TemporaryDirectory() as folder:
        write_faces(source, Path(folder, "faces"))
        audit = Path(folder, "audit.toml")
        audit.write_text(FACES.format(members=members, epochs=epochs), "utf-8")
        done = subprocess.run(
            [sys.executable, str(BESIDE), str(audit)],
            capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        rest = timed(lambda: command("run", cwd=folder))
    jobs, bare = map(float, done.stdout.split())
    return Row(
        ours=jobs + rest,
        theirs=bare,
        other=f"train and score {2 * members} members",
        note=f"members checked, written, opened again, timed and stored: {jobs - bare:.1f} s more; data, numbers, "
        f"verdicts, HTML, PDF: {rest:.1f} s; as much in a longer training: {(jobs - bare + rest) / 6:.1f}% of 600 s",
    )


def write_faces(images, folder):
    """Put images into the official layout of CelebA."""
    pictures = folder / "img_align_celeba"
    pictures.mkdir(parents=True)
    names = [f"{number:06}.jpg" for number in range(1, len(images.x) + 1)]
    for name, pixels in zip(names, images.x, strict=True):
        Image.fromarray(pixels).save(pictures / name)
    smiling = pd.Series(images.y * 2 - 1, index=names)
    young = pd.Series([1, -1] * (len(names) // 2), index=names)
    table = pd.DataFrame({"Smiling": smiling, "Young": young}).to_string(header=False, index_names=False)
    (folder / "list_attr_celeba.txt").write_text(f"{len(names)}\nSmiling Young\n{table}\n", "utf-8")
    parts = "".join(f"{name} {0 if place < images.train else 2}\n" for place, name in enumerate(names))
    (folder / "list_eval_partition.txt").write_text(parts, "utf-8")


def dask_cluster():
    """The demonstration on two workers of a Dask cluster over TLS, beside the same in one process."""
    with tempfile.TemporaryDirectory() as folder:
        for place in ("cluster", "dask", "inline"):
            Path(folder, place).mkdir()
        cluster = Cluster(Path(folder, "cluster"))
        try:
            cluster.worker("--nworkers", "2", "--nthreads", "1")
            cluster.wait_for(2)
            settings = ("run.executor=dask", f"run.address={cluster.address}")
            ours, there = audited(f"{folder}/dask", *settings, env={**os.environ, **as_variables(cluster.config)})
        finally:
            cluster.stop()
        theirs, here = audited(f"{folder}/inline", "run.executor=inline")
    return Row(
        ours=ours,
        theirs=theirs,
        other="executor inline: one process, the same audit from a cold store",
        note=f"distributed {version('distributed')}; the cluster runs already, its workers have yet to import "
        f"TensorFlow; digests of the results are {'the same' if here == there else 'DIFFERENT'}",
    )
