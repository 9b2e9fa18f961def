"""Make audits/adult/adult.parquet from the raw files of the UCI repository: `python tests/reference/make_adult.py RAW`.

The column fnlwgt is dropped: it is a survey weight, not a fact about a person, and no model should read it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

COLUMNS = {
    "age": pa.uint8(),
    "workclass": pa.string(),
    "fnlwgt": None,
    "education": pa.string(),
    "education_num": pa.uint8(),
    "marital_status": pa.string(),
    "occupation": pa.string(),
    "relationship": pa.string(),
    "race": pa.string(),
    "sex": pa.string(),
    "capital_gain": pa.int32(),
    "capital_loss": pa.int32(),
    "hours_per_week": pa.uint8(),
    "native_country": pa.string(),
    "income": pa.string(),
}
SHIPPED = Path(__file__).parents[2] / "audits" / "adult" / "adult.parquet"


def make(raw: Path) -> pa.Table:
    """Both files, training first, with a `split` column, "?" as missing, and labels without their dot."""
    parts = {"train": _read(raw / "adult.data", skip=0), "test": _read(raw / "adult.test", skip=1)}
    frame = pd.concat([part.assign(split=split) for split, part in parts.items()], ignore_index=True)
    frame["income"] = frame["income"].str.rstrip(".")
    kept = {name: kind for name, kind in COLUMNS.items() if kind is not None} | {"split": pa.string()}
    return pa.Table.from_pandas(
        frame[list(kept)], schema=pa.schema(kept.items()), preserve_index=False
    ).replace_schema_metadata()


def _read(path: Path, skip: int) -> pd.DataFrame:
    return pd.read_csv(
        path,
        names=list(COLUMNS),
        skiprows=skip,
        skipinitialspace=True,
        keep_default_na=False,
        na_values={name: ["?"] for name, kind in COLUMNS.items() if kind == pa.string()},
    )


if __name__ == "__main__":
    pq.write_table(make(Path(sys.argv[1])), SHIPPED, compression="zstd", compression_level=19)
