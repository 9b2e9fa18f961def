from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from auditor.data import open_source
from auditor.data.inputs import read_inputs

PROJECT = Path(__file__).parents[3]
RAW = PROJECT.parent / "shared" / "data" / "adult"


@pytest.mark.skipif(not RAW.is_dir(), reason="the raw files of Adult are not in ../shared/data/adult")
def test_the_shipped_table_is_what_the_script_makes():
    found = spec_from_file_location("make_adult", PROJECT / "tests" / "reference" / "make_adult.py")
    script = module_from_spec(found)
    found.loader.exec_module(script)
    shipped = pq.read_table(script.SHIPPED)
    assert shipped.equals(script.make(RAW), check_metadata=True)
    assert script.SHIPPED.stat().st_size < 300_000


def test_the_shipped_table_can_be_audited(make_spec, tmp_path):
    data = {"source": "table", "path": "audits/adult/adult.parquet", "label": "income", "positive": ">50K"}
    age = {"name": "age", "bins": [30, 45, 60]}
    source = open_source(make_spec(data, ["sex", "race", age]), PROJECT)
    dataset = source.load()
    assert dataset.classes == ("<=50K", ">50K")
    assert [(size.split, size.by_class) for size in dataset.splits[:2]] == [
        ("train", (24_720, 7_841)),
        ("test", (12_435, 3_846)),
    ]
    women = sum(name == "Female" and y == 1 for name, y in zip(dataset.attributes["sex"], dataset.labels, strict=True))
    assert women == 590
    assert any("2,586 of the 16,281 test examples (15.9%)" in warning for warning in dataset.warnings)
    source.materialise(tmp_path)
    assert read_inputs(tmp_path).train_x.shape == (32_561, 99)
