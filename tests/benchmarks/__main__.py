"""`python -m tests.benchmarks [NAME…] [--json FILE]`: each entry times auditor and another way in one run."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.entries import ENTRIES


def main() -> None:
    """Run the named entries, or all, and print a row each."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(ENTRIES))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there too")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(ENTRIES)
    if unknown:
        parser.error(f"no benchmark named {', '.join(sorted(unknown))}; there are {', '.join(ENTRIES)}")
    rows = []
    print(f"{'name':<17} {'ours s':>8} {'theirs s':>9} {'theirs/ours':>12}  the other side")
    for name in arguments.names or ENTRIES:
        row = ENTRIES[name]()
        rows.append({"name": name, **asdict(row), "ratio": row.theirs / row.ours})
        print(f"{name:<17} {row.ours:>8.2f} {row.theirs:>9.2f} {row.theirs / row.ours:>12.2f}  {row.other}")
        print(f"{'':<17} {row.note}", flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


main()
