"""A first audit.toml of made data, as text and as what validating tells of it."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from auditor import init
from auditor.declare import load_spec
from auditor.errors import AuditorError
from auditor.validation import validate


@pytest.fixture
def people():
    rng = np.random.default_rng(0)
    n = 600
    return pd.DataFrame(
        {
            "person_id": np.arange(n),
            "age": rng.integers(18, 90, n),
            "maritalStatus": rng.choice(["single", "married"], n),
            "hours": rng.normal(40, 8, n),
            "note": [f"text {i}" for i in range(n)],
            "hired_on": pd.date_range("2024-01-01", periods=n),
            "gap": np.where(rng.random(n) < 0.1, np.nan, 1.0),
            "approved": rng.choice(["no", "yes"], n, p=[0.3, 0.7]),
        }
    )


@pytest.fixture
def first(tmp_path):
    """Write an audit.toml for a frame, or for `data`; give it as text and as what `validate --no-models` tells."""

    def make(frame=None, ending="parquet", ask=init.decided, **wishes):
        path = wishes.pop("data", tmp_path / f"people.{ending}")
        if frame is not None:
            frame.to_parquet(path, index=False) if ending == "parquet" else frame.to_csv(path, index=False)
        text = init.draft(init.Wishes(data=path, **wishes), ask, tmp_path).text
        (tmp_path / "audit.toml").write_text(text, encoding="utf-8")
        return text, validate(load_spec(tmp_path / "audit.toml"), models=False)

    return make


@pytest.fixture
def complaint():
    """All that the error says."""

    def of(step, *args, **kwargs):
        with pytest.raises(AuditorError) as caught:
            step(*args, **kwargs)
        return str(caught.value)

    return of


@pytest.fixture
def pictures(tmp_path):
    """Write noise as PNG files into a folder; gives the folder."""

    def make(names, size=(12, 10), mode="RGB"):
        rng = np.random.default_rng(len(names))
        for name in names:
            path = tmp_path / "pictures" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            shape = (size[1], size[0]) if mode == "L" else (size[1], size[0], 3)
            Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8), mode).save(path)
        return tmp_path / "pictures"

    return make


@pytest.fixture
def model_file(tmp_path):
    """An .h5 of tf_keras by its configuration alone: its input's shape, layers by kind, and a dense one at the end."""

    def make(name="small.h5", shape=(3,), units=2, activation="softmax", layers=()):
        first = {"name": "in", "batch_input_shape": [None, *shape], "dtype": "float32"}
        last = {"name": "out", "units": units, "activation": activation}
        kinds = [("InputLayer", first), *layers, ("Flatten", {"name": "flat"}), ("Dense", last)]
        config = {"name": "small", "layers": [{"class_name": kind, "config": own} for kind, own in kinds]}
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        with h5py.File(path, "w") as root:
            root.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": config})
            root.attrs["keras_version"] = "2.21.0"
            root.attrs["backend"] = "tensorflow"
            root.create_group("model_weights")
        return path

    return make
