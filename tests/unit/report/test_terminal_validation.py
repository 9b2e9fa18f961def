"""What `auditor validate` shows of given models."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import numpy as np
from handmade import dataset, population
from rich.console import Console

from auditor.measure.doubts import look
from auditor.measure.summary import summarise_data
from auditor.records import SplitSize
from auditor.report.terminal_validation import overview
from auditor.validation import Validation


def test_a_kappa_that_is_undefined_is_a_dash() -> None:
    labels = np.array([0, 1] * 10)
    looks = look((population("baseline", labels), population("int8", np.zeros(20, int))), labels, 2)
    validation = Validation(
        data=summarise_data(dataset(labels)),
        variants=(),
        reaches=(),
        waivers=(),
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


def test_a_drawn_part_is_told_with_the_size_of_what_it_is_of() -> None:
    data = replace(
        summarise_data(dataset(np.array([0, 1] * 10))),
        splits=(
            SplitSize(split="train", examples=6, by_class=(3, 3), left_out=(1000, 94)),
            SplitSize(split="test", examples=20, by_class=(10, 10)),
        ),
    )
    console = Console(width=100, record=True, file=StringIO())
    console.print(
        overview(
            Validation(data=data, variants=(), reaches=(), waivers=(), warnings=(), sandbox=None, looks=(), sample=0)
        )
    )
    assert "6 train (drawn from 1,100), 20 test examples" in console.export_text()


def test_many_classes_fit_80_columns_as_the_smallest_and_the_median() -> None:
    labels = np.repeat(np.arange(24), np.arange(1, 25))
    data = summarise_data(dataset(labels, classes=[f"class {place}" for place in range(24)]))
    console = Console(width=80, record=True, file=StringIO())
    console.print(
        overview(
            Validation(data=data, variants=(), reaches=(), waivers=(), warnings=(), sandbox=None, looks=(), sample=0)
        )
    )
    said = console.export_text()
    assert "class 11 and 12 more" in " ".join(said.split())
    assert "class 12" not in said
    (heading,) = (line.split("  ") for line in said.splitlines() if line.startswith("Test examples"))
    assert [part.strip() for part in heading if part.strip()] == [
        "Test examples",
        "all",
        "smallest class",
        "median class",
    ]
    (everybody,) = (line.split() for line in said.splitlines() if line.startswith("everybody"))
    assert everybody == ["everybody", "300", "1", "12"]
    assert "--format json" in said
