"""The decisions of every member as Parquet: with these files alone every number of a report can be computed again."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from auditor.records import Dataset, Population


ROWS_AT_ONCE = 2**20
"""Rows of the table that are made at one time, which are one row group of the file."""


def predictions_parquet(dataset: Dataset, population: Population) -> bytes:
    """Write one row a test example in the source's order.

    Columns: example, label, one an attribute (its group), member_K (the decided class, in the label's own values) and,
    where probabilities are kept, member_K_p_CLASS. A failed member has no column; the others keep their number.
    """
    buffer, writer = BytesIO(), None
    for start in range(0, max(1, len(dataset.labels)), ROWS_AT_ONCE):
        frame = _frame(dataset, population, slice(start, start + ROWS_AT_ONCE))
        table = pa.Table.from_pandas(frame, schema=writer and writer.schema, preserve_index=False)
        writer = writer or pq.ParquetWriter(buffer, table.schema, compression="zstd")
        writer.write_table(table)
    if writer:
        writer.close()
    return buffer.getvalue()


def _frame(dataset: Dataset, population: Population, rows: slice) -> pd.DataFrame:
    """Make some rows of the table."""
    classes = np.array(dataset.classes, dtype=object)
    columns: dict[str, object] = {"example": list(dataset.examples[rows]), "label": classes[dataset.labels[rows]]}
    columns |= {
        name: pd.Categorical(groups[rows], categories=sorted(set(groups)))
        for name, groups in dataset.attributes.items()
    }
    predictions = population.predictions
    for place, member in enumerate(predictions.members):
        columns[f"member_{member}"] = classes[predictions.decisions[place, rows]]
        if predictions.probabilities is not None:
            columns |= {
                f"member_{member}_p_{label}": predictions.probabilities[place, rows, c].astype(np.float32)
                for c, label in enumerate(dataset.classes)
            }
    return pd.DataFrame(columns)
