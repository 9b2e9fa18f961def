"""A large table of predictions: ten million examples, three attributes, 2 x 8 members."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from benchmarks.processes import Peak, command, timed
from benchmarks.row import Row

ROWS_AT_ONCE = 1_000_000
LIMIT = 4096
"""MiB that a run may hold."""
AUDIT = """
schema = 1
attribute = ["sex", "region", { name = "age", bins = [30, 45, 60] }]
[model]
predictions = "base_*"
[data]
path = "people.parquet"
label = "income"
positive = "high"
[[compression]]
predictions = "int8_*"
paired = true
[[gate]]
metric = "recall"
min = -0.02
"""
RATES = """
import pandas as pd
table = pd.read_parquet("people.parquet")
positive = table[table["income"] == "high"]
for name in [name for name in table if name.startswith(("base_", "int8_"))]:
    for attribute in ("sex", "region", "age"):
        (positive[name] == "high").groupby(positive[attribute]).mean()
"""
"""Recall by attribute, member by member."""


def write_people(path, rows, members=8):
    """Write a table of text: a baseline that is right nine times in ten, and members that flip a few decisions."""
    rng = np.random.default_rng(0)
    values = pa.array(["low", "high"])
    writer = None
    for start in range(0, rows, ROWS_AT_ONCE):
        n = min(ROWS_AT_ONCE, rows - start)
        label = rng.random(n) < 0.3
        columns = {
            "income": label,
            "sex": pa.array(["f", "m"]).take(pa.array(rng.integers(0, 2, n))),
            "region": pa.array(["north", "south", "east", "west", "islands"]).take(pa.array(rng.integers(0, 5, n))),
            "age": pa.array(rng.integers(18, 90, n)),
        }
        easy = rng.random(n) < 0.85
        for k in range(members):
            base = label ^ (~easy & (rng.random(n) < 0.4))
            columns |= {f"base_{k}": base, f"int8_{k}": base ^ (~easy & (rng.random(n) < 0.05))}
        table = pa.table(
            {name: values.take(pa.array(own.astype(np.int8))) if isinstance(own, np.ndarray) else own
             for name, own in columns.items()}
        )  # fmt: skip
        writer = writer or pyarrow.parquet.ParquetWriter(path, table.schema)
        writer.write_table(table)
    writer.close()


def predictions(rows):
    """The audit of a table of predictions with all of its reports, beside reading it and one rate by attribute."""
    with tempfile.TemporaryDirectory() as folder:
        write_people(Path(folder, "people.parquet"), rows)
        Path(folder, "audit.toml").write_text(AUDIT, "utf-8")
        size = Path(folder, "people.parquet").stat().st_size / 2**20
        with Peak() as peak:
            ours = timed(lambda: command("run", "--output", "out", cwd=folder))
        with Peak() as other_peak:
            other = [sys.executable, "-c", RATES]
            theirs = timed(lambda: subprocess.run(other, cwd=folder, check=True))
    return Row(
        ours=ours,
        theirs=theirs,
        other=f"pandas {version('pandas')}: read_parquet, recall by attribute of every member, without uncertainty",
        note=f"{rows:,} rows x 20 columns, {size:,.0f} MiB of Parquet; peak {peak.mib:,.0f} MiB, theirs "
        f"{other_peak.mib:,.0f} MiB" + ("" if peak.mib <= LIMIT else f": MORE THAN {LIMIT:,} MiB"),
    )


predictions_10m = partial(predictions, 10_000_000)
