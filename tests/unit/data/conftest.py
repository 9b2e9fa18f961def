from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from auditor.data import open_source
from auditor.errors import DataError
from auditor.spec import AuditSpec

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from auditor.data import Source

PRUNE = [{"method": "prune", "sparsity": 0.9, "name": "pruned"}]


@pytest.fixture
def make_spec() -> Callable[..., AuditSpec]:
    def make(data: dict[str, Any], attribute: list[Any], **tables: Any) -> AuditSpec:
        tables = {"model": {"architecture": "mlp"}, "compression": PRUNE} | tables
        return AuditSpec.model_validate({"schema": 1, "data": data, "attribute": attribute, **tables})

    return make


@pytest.fixture
def people() -> pd.DataFrame:
    """200 made-up people; the first 120 train, the others test."""
    rng = np.random.default_rng(5)
    return pd.DataFrame(
        {
            "age": rng.integers(18, 80, 200),
            "hours": rng.normal(40, 10, 200),
            "job": rng.choice(["clerk", "cook", "nurse"], 200),
            "sex": rng.choice(["Female", "Male"], 200, p=[0.4, 0.6]),
            "split": ["train"] * 120 + ["test"] * 80,
            "income": np.resize(["low", "low", "high"], 200),
        }
    )


@pytest.fixture
def table(tmp_path: Path, make_spec: Callable[..., AuditSpec]) -> Callable[..., Source]:
    """Open a frame as a table: `table(frame, attribute=["sex"], **data)`; tables of the definition by `also`."""

    def make(
        frame: pd.DataFrame, attribute: list[Any] | None = None, also: dict[str, Any] | None = None, **data: Any
    ) -> Source:
        frame.to_parquet(tmp_path / "people.parquet", index=False)
        declared = {"source": "table", "path": "people.parquet", "label": "income"} | data
        return open_source(make_spec(declared, attribute or ["sex"], **(also or {})), tmp_path)

    return make


@pytest.fixture
def complaint() -> Callable[[Callable[[], object]], str]:
    """Everything that the DataError says."""

    def of(step: Callable[[], object]) -> str:
        with pytest.raises(DataError) as caught:
            step()
        return str(caught.value)

    return of
