"""From a result to files: `rendering` makes them. Nothing is imported here, so that `tools` start before all else."""
