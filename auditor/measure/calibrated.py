"""What simulation says of the verdicts, for reports to cite; a test compares it with the committed table.

Simulated audits in which a variant is exactly at its limit, with a standard deviation between members of at most 0.2 on
the probit scale: tests/calibration, table.md.
"""

SETTINGS = 2_480
RUNS = 1_000
FALSE_PASS_WORST = 0.063
"""Share of PASS in the worst setting, where 0.05 is promised; its standard error is sqrt(.05 * .95 / RUNS)."""
FALSE_PASS_MEAN = 0.0135
SEEDS_ONLY_WORST = 0.489
"""The same of a t interval over members alone."""
SEEDS_ONLY_MEAN = 0.1097
POINT_MEAN = 0.517
"""The same of the estimate alone."""
