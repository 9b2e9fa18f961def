"""Compress and run: from the definition to populations of decisions, through the store."""

from auditor.population.glance import NOTHING, Glance, glance
from auditor.population.plan import plan
from auditor.population.running import count_workers, inputs_of, run

__all__ = ["NOTHING", "Glance", "count_workers", "glance", "inputs_of", "plan", "run"]
