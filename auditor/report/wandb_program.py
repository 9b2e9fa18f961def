"""A program of its own: runs for Weights & Biases in, as JSON on standard input, folders or uploads of wandb out.

The process has no more of its owner's environment than it needs, and can be ended when it hangs.
"""

from __future__ import annotations

import json
import sys
from typing import Any


def main() -> None:
    """Write the runs, one after another."""
    import wandb

    # else it cuts a table that is logged after 10,000 rows
    wandb.Table.MAX_ROWS = wandb.Table.MAX_ARTIFACT_ROWS
    told: dict[str, Any] = json.load(sys.stdin)
    for run in told["runs"]:
        _write(wandb, run, told["init"], told["settings"])
    wandb.teardown()


def _write(wandb: Any, run: dict[str, Any], init: dict[str, Any], settings: dict[str, Any]) -> None:  # noqa: ANN401
    with wandb.init(**init, **run["init"], settings=wandb.Settings(**settings)) as open_run:
        open_run.summary.update(run["summary"])
        for name, table in run["tables"].items():
            open_run.log({name: wandb.Table(**table, allow_mixed_types=True)})
        for artifact in run["artifacts"]:
            made = wandb.Artifact(artifact["name"], artifact["type"])
            for name, path in artifact["files"].items():
                # what is in the store never changes, so that it need not be copied before it is sent
                made.add_file(path, name=name, policy="immutable" if artifact["type"] == "model" else "mutable")
            open_run.log_artifact(made)


if __name__ == "__main__":
    main()
