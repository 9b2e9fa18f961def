"""The decisions of every member as Parquet: with these files alone every number of a report can be computed again."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from auditor.records import Dataset, Population


def predictions_parquet(dataset: Dataset, population: Population) -> bytes:
    """Write one row a test example in the source's order.

    Columns: example, label, one an attribute (its group), member_K (the decided class, in the label's own values) and,
    where probabilities are kept, member_K_p_CLASS. A failed member has no column; the others keep their number.
    """
    classes = np.array(dataset.classes, dtype=object)
    columns: dict[str, object] = {"example": list(dataset.examples), "label": classes[dataset.labels]}
    columns |= {name: pd.Categorical(groups) for name, groups in dataset.attributes.items()}
    predictions = population.predictions
    for place, member in enumerate(predictions.members):
        columns[f"member_{member}"] = classes[predictions.decisions[place]]
        if predictions.probabilities is not None:
            columns |= {
                f"member_{member}_p_{label}": predictions.probabilities[place, :, c].astype(np.float32)
                for c, label in enumerate(dataset.classes)
            }
    buffer = BytesIO()
    pd.DataFrame(columns).to_parquet(buffer, index=False, compression="zstd")
    return buffer.getvalue()
