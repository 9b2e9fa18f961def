"""`python -m tests.calibration [--runs N] [--json FILE]`: how often verdicts are wrong, where the truth is known."""

from __future__ import annotations

import argparse
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from calibration.grid import cells, count, families, small, worst
from calibration.table import markdown

HERE = Path(__file__).parent
AGAIN = 20
"""How many times as many runs the worst settings get."""


def main() -> None:
    """Simulate the grid, and write the table beside this file, as JSON and as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m tests.calibration", description=__doc__)
    parser.add_argument("--runs", type=int, default=20_000, metavar="N", help="of each setting")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--small", action="store_true", help="only the few settings that every test run simulates")
    parser.add_argument("--json", type=Path, default=HERE / "table.json", metavar="FILE")
    arguments = parser.parse_args()
    chosen = list(small() if arguments.small else cells())
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        work = partial(count, runs=arguments.runs, seed=arguments.seed)
        rows = []
        for place, found in enumerate(pool.map(work, chosen, chunksize=8)):
            rows += found
            if place % 100 == 0:
                print(f"{place:,} of {len(chosen):,} settings", file=sys.stderr, flush=True)
        # the worst of thousands is partly bad luck: those are simulated once more, longer and with other draws
        anew = partial(count, runs=AGAIN * arguments.runs, seed=arguments.seed + 1)
        again = [] if arguments.small else [row for (row,) in pool.map(anew, worst(rows))]
    joint = [] if arguments.small else list(families(min(arguments.runs, 2000), arguments.seed))
    table = {"runs": arguments.runs, "seed": arguments.seed}
    table |= {"cells": columns(rows), "again": columns(again), "families": columns(joint)}
    arguments.json.write_text(json.dumps(table, separators=(",", ":")) + "\n", encoding="utf-8")
    if not arguments.small:
        arguments.json.with_suffix(".md").write_text(markdown(rows, again, joint), encoding="utf-8")


def columns(rows: list[dict]) -> dict[str, list]:
    """Turn rows into columns: a quarter of the size."""
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}


main()
