"""What simulation says of the verdicts, for reports to cite; a test compares it with the committed table.

Simulated audits in which a variant is exactly at its limit, with enough examples for any PASS, and a standard deviation
between members of at most 0.2 on the probit scale: tests/calibration, table.md.
"""

SETTINGS = 1_946
RUNS = 1_000
FALSE_PASS_WORST = 0.067
"""Share of PASS in the worst setting, where 0.05 is promised; its standard error is 0.007."""
FALSE_PASS_WIDE = 0.115
"""The worst where members differ by 0.4 on the probit scale, beyond what the method is known to bear."""
AGAIN_RUNS = 20_000
FALSE_PASS_AGAIN = 0.0563
"""The worst of the 40 worst settings, simulated once more with other draws; its standard error is 0.0016."""
FALSE_PASS_MEAN = 0.0191
SEEDS_ONLY_WORST = 0.429
"""The same of a t interval over members alone."""
SEEDS_ONLY_MEAN = 0.0966
POINT_MEAN = 0.514
"""The same of the estimate alone."""
LOTTERY_WORST = 0.554
"""Share of PASS where one member in ten loses 20 points and the limit is their mean: nothing sees who was not drawn."""
