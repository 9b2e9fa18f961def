"""What `auditor validate` shows of given models."""

from __future__ import annotations

from io import StringIO

import numpy as np
from handmade import dataset, population
from rich.console import Console

from auditor.measure.doubts import look
from auditor.measure.summary import summarise_data
from auditor.report.terminal_validation import overview
from auditor.validation import Validation


def test_a_kappa_that_is_undefined_is_a_dash() -> None:
    labels = np.array([0, 1] * 10)
    looks = look((population("baseline", labels), population("int8", np.zeros(20, int))), labels, 2)
    validation = Validation(
        data=summarise_data(dataset(labels)),
        variants=(),
        reaches=(),
        warnings=(),
        sandbox=None,
        looks=looks,
        sample=20,
    )
    console = Console(width=100, record=True, file=StringIO())
    console.print(overview(validation))
    baseline, int8 = (line.split() for line in console.export_text().splitlines() if line.startswith(("base", "int8")))
    assert baseline == ["baseline", "100.0%", "1.00", "100.0%"]
    assert int8 == ["int8", "50.0%", "\N{EM DASH}", "50.0%"]
